"""snapshot schedule on a running systemd, and what snapshot check says of it."""

import pytest

from installed import wait_for

FOLDER = "/etc/systemd/system/snapshot.timer.d"


@pytest.fixture
def timer(machine):
    machine.settings()
    machine.run("systemctl enable --now snapshot.timer")
    yield machine
    machine.run(f"systemctl disable --now snapshot.timer; rm -rf {FOLDER} /etc/systemd/system/snapshot.service.d")
    machine.run("systemctl daemon-reload")


def units_line(machine) -> str:
    told = machine.run("snapshot check --config /etc/snapshot/snapshot.env", check=False)
    (line,) = [line for line in told.stdout.splitlines() if line[2:].startswith("units")]
    return line


def test_the_running_timer_takes_the_new_interval(timer):
    told = timer.run("snapshot schedule 2s")
    assert "wrote CAPTURE_INTERVAL=2s to /etc/snapshot/snapshot.env" in told.stderr, "health counts with it"
    assert "*:*:00/2 UTC" in timer.property("snapshot.timer", "TimersCalendar")
    assert "OnUnitActiveUSec=3s" in timer.property("snapshot.timer", "TimersMonotonic")
    assert timer.property("snapshot.service", "TimeoutStartUSec") == "16min 32s"
    before = len(timer.shots())
    wait_for(lambda: len(timer.shots()) >= before + 3, 9, "three shots in six seconds")
    assert units_line(timer).startswith("✓")
    assert timer.out("stat -c '%a %U:%G' /etc/snapshot/snapshot.env") == "640 root:snapshot"
    timer.settings()
    assert "runs every 2s, but CAPTURE_INTERVAL is 10s" in units_line(timer)
    timer.settings(CAPTURE_INTERVAL="2s")
    assert units_line(timer).startswith("✓") and "every 2s, as CAPTURE_INTERVAL says" in units_line(timer)


def test_an_interval_without_a_calendar_counts_from_the_last_run(timer):
    timer.run("snapshot schedule 7s")
    assert timer.property("snapshot.timer", "TimersCalendar") == ""
    # When systemd began a run, in microseconds: a picture's own time depends on how busy the machine is.
    begun = lambda: int(timer.property("snapshot.service", "InactiveExitTimestampMonotonic"))  # noqa: E731
    before = begun()
    wait_for(lambda: begun() > before, 20, "a shot")
    first = begun()
    wait_for(lambda: begun() > first, 20, "a second shot")
    assert 7_000_000 <= begun() - first < 12_000_000


def test_print_writes_nothing(timer):
    told = timer.out("snapshot schedule 5s --print")
    assert "OnCalendar=*:*:0/5 UTC" in told and f"# {FOLDER}/interval.conf" in told
    assert timer.run(["test", "-e", FOLDER], check=False).returncode != 0


def test_it_says_who_may(timer):
    done = timer.run("runuser -u snapshot -- snapshot schedule 5s", check=False)
    assert done.returncode == 78
    assert "Permission denied" in done.stderr and "hint: run it as root" in done.stderr


@pytest.mark.parametrize("name", ["../../etc", "a b", "", "a/b", "-" * 65])
def test_no_name_leaves_its_folder(timer, name):
    assert timer.run(["snapshot", "schedule", "5s", f"--instance={name}"], check=False).returncode == 64

"""The unit files: valid, hardened, alike where they should be."""

import pathlib
import re
import subprocess

import pytest

REPOSITORY = pathlib.Path(__file__).parents[2]
UNITS = sorted(path for path in (REPOSITORY / "systemd").iterdir() if path.suffix in (".service", ".socket", ".timer"))


def exposure(unit: pathlib.Path) -> float:
    told = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", unit], capture_output=True, text=True)
    return float(re.search(r"Overall exposure level for .*: ([\d.]+)", told.stdout)[1])


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_finds_nothing_to_say(machine, unit):
    # An unknown key makes verify complain, and still exit with 0.
    name = unit.name.replace("@", "@front")
    told = machine.run(f"systemd-analyze verify --man=no {name}")
    assert told.stdout + told.stderr == ""


@pytest.mark.parametrize("name, limit", [
    ("snapshot.service", 1.3), ("snapshot@.service", 1.3), ("snapshot-relay.service", 1.3),
    ("snapshot-relay@.service", 1.3), ("snapshot-web.service", 0.5),
])
def test_exposure(name, limit):
    assert exposure(REPOSITORY / "systemd" / name) <= limit


@pytest.mark.parametrize("name", ["snapshot", "snapshot-relay"])
def test_an_instance_is_as_confined_as_the_only_camera(name):
    def lines(unit):
        text = (REPOSITORY / "systemd" / unit).read_text()
        text = re.sub(r"Environment=STATE_PATH.*\nReadWritePaths.*\n|#.*\n", "", text)
        text = text.replace("/etc/snapshot/%i.env", "/etc/snapshot/snapshot.env").replace("%i/", "")
        return text.replace("/%i", "").replace(" of %i", "").splitlines()

    assert lines(f"{name}@.service") == lines(f"{name}.service")


def test_no_slot_is_left_out_when_summer_time_ends(machine):
    machine.run("ln -sf /usr/share/zoneinfo/Europe/Berlin /etc/localtime")
    expression = re.search(r"OnCalendar=(.+)", (REPOSITORY / "systemd/snapshot.timer").read_text())[1]
    told = machine.out([
        "systemd-analyze", "calendar", "--iterations=4", "--base-time=2026-10-25 00:59:40 UTC", expression])
    machine.run("ln -sf /usr/share/zoneinfo/UTC /etc/localtime")
    times = re.findall(r"2026-10-25 (\d\d:\d\d:\d\d) UTC", told)
    assert times == ["00:59:50", "01:00:00", "01:00:10", "01:00:20"]


def test_credentials_reach_the_program_and_a_missing_one_is_no_error(machine):
    machine.settings()
    before = len(machine.shots())
    machine.run("systemctl start snapshot.service")
    assert len(machine.shots()) == before + 1
    assert machine.health()["status"] == "healthy"


def test_the_state_is_the_groups_to_read_and_its_secrets_are_not(machine):
    assert machine.out("stat -c '%U:%G %a' /var/lib/snapshot /var/lib/snapshot/state.jsonl /etc/snapshot").splitlines() == [
        "snapshot:snapshot 755", "snapshot:snapshot 640", "root:snapshot 750"]
    as_web = "runuser -u snapshot-web -- cat "
    assert "seq" in machine.out(as_web + "/var/lib/snapshot/state.jsonl")
    assert machine.run("runuser -u nobody -- cat /var/lib/snapshot/state.jsonl", check=False).returncode != 0
    secrets = machine.out("find /etc/snapshot/credentials /var/lib/snapshot/session.json -type f").split()
    assert len(secrets) >= 2, "a password and a session token at least"
    for secret in secrets:
        assert machine.run(as_web + secret, check=False).returncode != 0, secret


def test_a_timer_does_not_wait_for_the_clock(machine):
    """The timer starts although the clock is never set, for want of a network."""
    machine.write("/etc/systemd/system/clock.service",
                  "[Unit]\nDefaultDependencies=no\nBefore=time-sync.target\nWants=time-sync.target\n"
                  "[Service]\nType=oneshot\nExecStart=/bin/sleep 1000\n")
    machine.run("systemctl daemon-reload && systemctl start --no-block clock.service")
    machine.run("timeout 5 systemctl start snapshot.timer")
    assert machine.property("snapshot.timer", "ActiveState") == "active"
    machine.run("systemctl stop snapshot.timer clock.service")


def test_lean_drop_in_needs_no_namespace(machine, is_long):
    starts = 40 if is_long else 5

    def cost() -> float:
        loop = f"for _ in $(seq {starts}); do systemctl start snapshot.service; done"
        return float(machine.out(f"s=$(date +%s%N); {loop}; e=$(date +%s%N); echo $(( (e - s) / {starts} ))")) / 1e6

    full = cost()
    machine.run("install -D -t /etc/systemd/system/snapshot.service.d /usr/share/doc/snapshot/examples/lean.conf")
    machine.run("systemctl daemon-reload")
    before = len(machine.shots())
    lean = cost()
    print(f"a start: {full:.0f} ms hardened, {lean:.0f} ms lean")
    assert len(machine.shots()) == before + starts
    assert lean < full
    machine.drop_in("snapshot.service", "[Service]\nExecStartPost=/bin/sh -c 'readlink /proc/self/ns/mnt >/run/snapshot/mnt'\n")
    machine.run("systemctl start snapshot.service")
    assert machine.out("cat /run/snapshot/mnt") == machine.out("readlink /proc/1/ns/mnt")
    machine.run("rm -r /etc/systemd/system/snapshot.service.d && systemctl daemon-reload")


def test_a_program_may_be_the_camera(machine):
    machine.write(
        "/usr/local/bin/grab",
        "#!/bin/sh\n{ id -un; env; } >/var/lib/snapshot/grabbed\nexec curl -sf \"$1\"\n", 0o755)
    machine.settings(CAMERA_IP="", CAMERA_URL='exec:/usr/local/bin/grab "http://127.0.0.1:8000/simulator/still.jpg"')
    before = len(machine.shots())
    try:
        machine.run("systemctl start snapshot.service")
        assert len(machine.shots()) == before + 1
        user, *environment = machine.out("cat /var/lib/snapshot/grabbed").splitlines()
        assert user == "snapshot" and not [one for one in environment if one.startswith(("CREDENTIALS", "CAMERA", "AWS"))]
        assert machine.run("systemctl is-failed snapshot.service", check=False).stdout.strip() != "failed"
    finally:
        machine.run("rm /usr/local/bin/grab /var/lib/snapshot/grabbed")
        machine.settings()

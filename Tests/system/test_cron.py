"""The README's cron line, under Debian's cron (dash) and busybox's crond (ash)."""

import pathlib
import re
import shutil
import subprocess

import pytest

from installed import PASSWORD, wait_for

README = pathlib.Path(__file__).parents[2] / "README.md"
LINE = re.search(r"^\* \* \* \* \* (.*snapshot capture.*)$", README.read_text(), re.M)


def gaps(shots: list[float]) -> list[float]:
    return [later - earlier for earlier, later in zip(shots, shots[1:])]


@pytest.fixture
def ready(machine):
    # cron knows no credentials of systemd's.
    machine.settings(CAMERA_PASSWORD=f'"{PASSWORD}"')
    yield machine
    machine.settings()


@pytest.mark.parametrize("shell", ["dash", "busybox ash"])
def test_its_command_in_the_shells_of_cron(ready, shell):
    command = LINE[1].replace("--every 10s --for 55s", "--every 2s --for 5s")
    assert command != LINE[1]
    before = len(ready.shots())
    done = ready.run(["runuser", "-u", "snapshot", "--", *shell.split(), "-c", "cd && " + command])
    assert done.stdout + done.stderr == "", "cron would send a mail"
    shots = ready.shots()[before:]
    assert len(shots) == 3 and all(abs(gap - 2) < 0.5 for gap in gaps(shots)), shots


def busybox_crond(folder: pathlib.Path) -> pathlib.Path:
    """Debian's busybox with a crond, which the one that can be installed beside others doesn't have."""
    subprocess.run(["apt-get", "-qq", "download", "busybox-static"], cwd=folder, check=True, capture_output=True)
    (package,) = folder.glob("busybox-static_*.deb")
    subprocess.run(["dpkg-deb", "-x", package, folder / "files"], check=True)
    return next(path for path in (folder / "files").glob("**/bin/busybox"))


@pytest.mark.parametrize("cron", ["cron", "busybox crond"])
def test_the_line_takes_a_snapshot_every_ten_seconds(ready, is_long, cron, tmp_path):
    if not is_long:
        pytest.skip("waits for the minute: long form")
    before = len(ready.shots())
    if cron == "cron":
        ready.write("/var/spool/cron/crontabs/snapshot", LINE[0] + "\n", 0o600)
        ready.run("chown snapshot:crontab /var/spool/cron/crontabs/snapshot && systemctl start cron")
    else:
        shutil.copy(busybox_crond(tmp_path), ready.root / "usr/local/bin/busybox-crond")
        ready.write("/etc/crontabs/snapshot", LINE[0] + "\n", 0o600)
        ready.run("systemd-run --unit=busybox-crond /usr/local/bin/busybox-crond crond -f -c /etc/crontabs")
    wait_for(lambda: len(ready.shots()) >= before + 10, 180, "shots of two minutes")
    shots = ready.shots()[before:before + 10]
    ready.run("systemctl stop cron busybox-crond", check=False)
    ready.run("rm -f /var/spool/cron/crontabs/snapshot; pkill -u snapshot", check=False)
    assert all(abs(gap - 10) < 1 for gap in gaps(shots)), gaps(shots)

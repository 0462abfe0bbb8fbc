"""The README's cron line, under Debian's cron (dash) and busybox's crond (ash)."""

import pathlib
import re
import time

import pytest

from installed import wait_for

README = pathlib.Path(__file__).parents[2] / "README.md"


@pytest.mark.parametrize("cron", ["cron", "busybox"])
def test_the_line_takes_a_snapshot_every_ten_seconds(machine, is_long, cron):
    if not is_long and cron == "busybox":
        pytest.skip("a minute more: long form")
    line = re.search(r"^\* \* \* \* \* .*snapshot capture.*$", README.read_text(), re.M)[0]
    machine.settings()
    before = len(machine.shots())
    if cron == "cron":
        machine.write("/var/spool/cron/crontabs/snapshot", line + "\n", 0o600)
        machine.run("chown snapshot:crontab /var/spool/cron/crontabs/snapshot && systemctl start cron")
    else:
        machine.write("/tmp/crontabs/snapshot", line + "\n", 0o600)
        machine.run("systemd-run --unit=busybox-crond busybox crond -f -c /tmp/crontabs")
    wait_for(lambda: len(machine.shots()) >= before + 5, 125, "five shots from cron")
    shots = machine.shots()[-5:]
    machine.run("systemctl stop cron busybox-crond", check=False)
    machine.run("pkill -u snapshot", check=False)
    gaps = [later - earlier for earlier, later in zip(shots, shots[1:])]
    assert all(abs(gap - 10) < 1 for gap in gaps), gaps

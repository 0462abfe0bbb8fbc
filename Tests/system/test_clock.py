"""The clock is set back an hour, on a virtual machine, which has a clock of its own."""

import platform
import re
import subprocess

import pytest

import vm

DRIVER = """\
#!/bin/sh
exec >/dev/ttyS0 2>&1
systemctl start snapshot.timer
sleep 35
echo "back at $(cut -d' ' -f1 /proc/uptime) from $(date +%s)"
date -s "@$(($(date +%s) - 3600))"
echo "now $(date +%s)"
sleep 45
echo "run at $(tr '\\n' ' ' </run/runs)"
echo "stored $(find /var/lib/snapshot/snapshots -name '*.jpg' | wc -l)"
journalctl --no-pager -q -n 20 -o cat
systemctl poweroff --force --force
"""
FILES = {
    "etc/snapshot/snapshot.env": "CAMERA_URL=file:/etc/snapshot/picture.jpg\nSTATE_PATH=/var/lib/snapshot\nFROZEN_AFTER=0\n",
    "etc/systemd/system/snapshot.service.d/test.conf":
        "[Service]\nExecStartPost=+/bin/sh -c 'cut -d\" \" -f1 /proc/uptime >>/run/runs'\n",
    "etc/systemd/system/driver.service":
        "[Unit]\nAfter=basic.target\n[Service]\nType=oneshot\nTimeoutStartSec=infinity\nExecStart=/bin/sh /driver\n",
    "driver": DRIVER,
}


@pytest.mark.timeout(600)
def test_a_clock_set_back_an_hour_stops_nothing_for_longer_than_the_backstop(is_long, package, tmp_path):
    if not is_long or platform.machine() != "x86_64":
        pytest.skip("boots a virtual machine: long form, x86-64")
    subprocess.run(
        ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc=size=320x240", "-frames:v", "1", tmp_path / "picture.jpg"],
        check=True)
    files = {**FILES, "etc/snapshot/picture.jpg": (tmp_path / "picture.jpg").read_bytes()}
    archive = vm.root(tmp_path, package, files)
    console = vm.run(vm.kernel(tmp_path), archive, "driver.service", timeout=400)
    assert "run at" in console, console
    back, before = map(float, re.search(r"back at ([\d.]+) from (\d+)", console).groups())
    assert 3590 < before - float(re.search(r"^now (\d+)", console, re.M)[1]) <= 3600, "the clock was not set back"
    runs = [float(one) for one in re.search(r"run at (.*)", console)[1].split()]
    gaps = [later - earlier for earlier, later in zip(runs, runs[1:])]
    print(f"clock set back at {back:.1f} s, runs at {runs}")
    assert len(runs) >= 6 and runs[-1] > back + 25, console
    # The backstop is 15 s; QEMU emulates the processor, and a start takes a second there.
    assert max(gaps) < 15 + 3
    assert int(re.search(r"stored (\d+)", console)[1]) >= len(runs) - 1

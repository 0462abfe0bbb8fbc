"""What a good run costs the card: bytes that reach the block device."""
import subprocess

import pytest

from blockdisk import Disk, format
from rig import rig

BOUND = 8192


@pytest.mark.parametrize("backend", ["http", "s3"])
def test_wear(tmp_path, backend, long, figure):
    runs = 500 if long else 70  # the ring goes round at 64
    image, mount = tmp_path / "disk.img", tmp_path / "disk"
    format(image)
    with rig(tmp_path / "rig", backend) as r, Disk(image, mount) as disk:
        r.settings["STATE_PATH"] = str(mount / "state")
        for _ in range(3):
            r.good()
        subprocess.run(["sync", "-f", mount], check=True)
        before = disk.written
        for _ in range(runs):
            r.good()
        subprocess.run(["sync", "-f", mount], check=True)
        each = (disk.written - before) / runs
        figure("bytes a run", round(each))
        figure("runs", runs)
        assert 4096 <= each <= BOUND, f"{each:.0f} bytes a run reach the device"

"""A small ext4 disk of our own on a loop device: what reached it, and what it holds if the power goes now."""
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path

from process import wait_until


class Disk:
    def __init__(self, image, mount):
        self.image, self.mount = Path(image), Path(mount)
        self.mount.mkdir(parents=True, exist_ok=True)

    def __enter__(self):
        self.device = subprocess.run(["losetup", "--find", "--show", self.image], check=True, capture_output=True,
                                     text=True).stdout.strip()
        # Loop devices write through the page cache of their file, so the file always is what the device has taken.
        subprocess.run(["mount", self.device, self.mount], check=True)
        return self

    def __exit__(self, *_):
        subprocess.run(["umount", self.mount], check=True)
        subprocess.run(["losetup", "-d", self.device], check=True)
        # A test beside this one, in a mount namespace of its own, may have a copy of this mount, which it holds until it ends.
        wait_until(lambda: self._backing != str(self.image), 120, f"{self.device} to be let go")

    @property
    def _backing(self):
        try:
            return Path(f"/sys/block/{Path(self.device).name}/loop/backing_file").read_text().strip()
        except OSError:
            return None

    @property
    def _counters(self):
        return [int(n) for n in Path(f"/sys/block/{Path(self.device).name}/stat").read_text().split()]

    @property
    def written(self):
        """Bytes that reached the device so far."""
        return self._counters[6] * 512

    def cut(self, copy):
        """The disk as it comes up again if the power goes now: nothing that waits in memory is on it."""
        for _ in range(200):
            before = self._counters
            shutil.copyfile(self.image, copy)
            # Nothing was on its way, so that the copy is of one moment.
            if self._counters[6] == before[6] and before[8] == 0:
                return
        raise AssertionError("the disk is never at rest")


def format(image, megabytes=12):
    with open(image, "wb") as file:
        file.truncate(megabytes << 20)
    subprocess.run(["mkfs.ext4", "-q", "-b", "4096", "-J", "size=4", "-E", "lazy_itable_init=0", image], check=True)


@contextmanager
def mounted(image, mount):
    with Disk(image, mount) as disk:
        yield disk


def fsck(image):
    """After the journal has been replayed by a mount: nothing may be left to mend."""
    return subprocess.run(["e2fsck", "-f", "-n", image], capture_output=True, text=True)

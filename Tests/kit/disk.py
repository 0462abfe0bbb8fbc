"""Small disks of our own, and disks that fail."""
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

from process import wait_until

HERE = Path(__file__).parent


@contextmanager
def small_disk(path, options="size=1M"):
    """A tmpfs at `path`."""
    path.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(path)], check=True)
    try:
        yield path
    finally:
        subprocess.run(["umount", "-l", str(path)], check=True)


def remount(path, options):
    subprocess.run(["mount", "-o", f"remount,{options}", str(path)], check=True)


def failing(call, error, path, when=""):
    """The prefix that makes system call `call` on `path` fail with `error`."""
    return ("strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}",
            "-e", f"inject={call}:error={error}{when and ':when=' + when}", "-P", path)


@contextmanager
def loop_disk(image, path, *, megabytes=8, spare=0):
    """An ext4 disk in a file, made if it is missing, at `path`; `spare` loop devices are taken before its own."""
    if not image.exists():
        with open(image, "wb") as file:
            file.truncate(megabytes << 20)
        subprocess.run(["mkfs.ext4", "-q", "-F", "-m", "0", "-O", "^has_journal", str(image)], check=True)
    taken = []
    try:
        for number in range(spare):
            other = image.with_name(f"{image.name}-{number}")
            other.write_bytes(b"\0" * 4096)
            taken.append(loop_of(other))
        device = loop_of(image)
        taken.append(device)
        path.mkdir(parents=True, exist_ok=True)
        subprocess.run(["mount", device, str(path)], check=True)
        try:
            yield path
        finally:
            subprocess.run(["umount", str(path)], check=True)
    finally:
        for device in taken:
            subprocess.run(["losetup", "-d", device], check=True)


def loop_of(image):
    return subprocess.run(["losetup", "-f", "--show", str(image)], check=True, capture_output=True, text=True).stdout.strip()


class HangingFolder:
    """A folder at `path` through FUSE, which stops answering."""

    def __init__(self, folder, path=None, python=sys.executable):
        self.behind, self.path, self._control = folder / "behind", path or folder / "net", folder / "control"
        self._held = folder / "control.held"
        self._python = python
        self.behind.mkdir()
        self.path.mkdir()

    def __enter__(self):
        self._process = subprocess.Popen(
            [str(self._python), str(HERE / "hanging.py"), str(self.behind), str(self.path), str(self._control)])
        wait_until(lambda: os.path.ismount(self.path), 10)
        self._number = os.stat(self.path).st_dev & 0xFF | os.stat(self.path).st_dev >> 12 & ~0xFF
        return self

    def __exit__(self, *_):
        self.answer()
        try:
            (Path("/sys/fs/fuse/connections") / str(self._number) / "abort").write_text("1")
        except OSError:
            pass
        subprocess.run(["umount", "-l", str(self.path)], check=False)
        self._process.kill()
        self._process.wait()

    def hang(self, *calls):
        """From now on calls of these names hang; without names all calls do."""
        self._held.unlink(missing_ok=True)
        self._control.write_text(" ".join(calls or ["all"]))

    def holds(self, pid):
        """Whether a thread of that process waits for an answer."""
        threads = self._held.read_text().split() if self._held.exists() else []
        return any(os.path.exists(f"/proc/{pid}/task/{thread}") for thread in threads)

    def answer(self):
        self._control.unlink(missing_ok=True)

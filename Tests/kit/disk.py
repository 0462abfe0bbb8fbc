"""Small disks of our own, and disks that fail."""
import subprocess
from contextlib import contextmanager


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

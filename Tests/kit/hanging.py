"""A folder through FUSE that stops answering when it is told to: python3 hanging.py BEHIND MOUNTPOINT CONTROL

Calls that the file CONTROL names, such as `write fsync`, hang until the file is removed; `all` means every call. The threads
that wait are listed in CONTROL.held, one a line.
"""
import errno
import os
import sys
import time
from pathlib import Path

import fuse


class Hanging(fuse.Operations):
    def __init__(self, behind, control):
        self.behind, self.control = behind, Path(control)

    def hangs(self, call, path):
        try:
            named = self.control.read_text().split()
        except FileNotFoundError:
            return False
        return call in named or "all" in named

    def __call__(self, call, path, *arguments):
        if self.hangs(call, path):
            with open(f"{self.control}.held", "a") as held:
                held.write(f"{fuse.fuse_get_context()[2]}\n")
        while self.hangs(call, path):
            time.sleep(0.05)
        try:
            return getattr(self, call)(self.behind + path, *arguments)
        except OSError as error:
            raise fuse.FuseOSError(error.errno) from None

    def getattr(self, path, handle=None):
        facts = os.lstat(path)
        return {name: getattr(facts, name) for name in (
            "st_mode", "st_nlink", "st_size", "st_uid", "st_gid", "st_atime", "st_mtime", "st_ctime")}

    def readdir(self, path, handle):
        return [".", "..", *os.listdir(path)]

    def readlink(self, path):
        return os.readlink(path)

    def mkdir(self, path, mode):
        return os.mkdir(path, mode)

    def rmdir(self, path):
        return os.rmdir(path)

    def unlink(self, path):
        return os.unlink(path)

    def rename(self, old, new):
        return os.rename(old, self.behind + new)

    def symlink(self, path, target):
        raise fuse.FuseOSError(errno.EPERM)

    def chmod(self, path, mode):
        return os.chmod(path, mode)

    def chown(self, path, user, group):
        return os.chown(path, user, group)

    def utimens(self, path, times=None):
        return os.utime(path, times)

    def statfs(self, path):
        facts = os.statvfs(path)
        return {name: getattr(facts, name) for name in (
            "f_bavail", "f_bfree", "f_blocks", "f_bsize", "f_favail", "f_ffree", "f_files", "f_frsize", "f_namemax")}

    def create(self, path, mode, info=None):
        return os.open(path, os.O_RDWR | os.O_CREAT, mode)

    def open(self, path, flags):
        return os.open(path, flags & ~(os.O_CREAT | os.O_EXCL))

    def read(self, path, size, offset, handle):
        return os.pread(handle, size, offset)

    def write(self, path, data, offset, handle):
        return os.pwrite(handle, data, offset)

    def truncate(self, path, length, handle=None):
        return os.truncate(path, length)

    def flush(self, path, handle):
        return 0

    def fsync(self, path, datasync, handle):
        return os.fsync(handle)

    def release(self, path, handle):
        return os.close(handle)


if __name__ == "__main__":
    behind, mount, control = sys.argv[1:]
    fuse.FUSE(Hanging(behind, control), mount, foreground=True, nothreads=False, allow_other=True, attr_timeout=0,
              entry_timeout=0)

"""An error from every file and network call of a run, once, and from then on: no crash, no hang, no corruption, the
exit code that says what happened, and every picture that was captured is stored, kept, or said to be lost."""
import random

import pytest

from disk import remount, small_disk
from rig import BACKENDS, MOUNTED, LENT, inject, locked, rig, trace

DISK = ("EIO", "ENOSPC", "EROFS")
ERRORS = {
    "openat": (*DISK, "EMFILE", "EACCES"), "openat2": (*DISK, "EMFILE", "EACCES"), "write": DISK, "pwrite64": DISK, "fsync": DISK, "fdatasync": DISK,
    "rename": DISK, "renameat": DISK, "renameat2": DISK, "unlink": DISK, "unlinkat": DISK, "rmdir": DISK, "mkdir": DISK,
    "mkdirat": DISK, "fchmod": ("EPERM",), "read": ("EIO",),
    "newfstatat": ("EIO",), "fstat": ("EIO",), "lseek": ("EIO",), "getdents64": ("EIO",), "access": ("EIO",),
    "statfs": ("EIO",), "flock": ("ENOLCK",), "close": ("EIO",), "getrandom": ("EAGAIN",), "clock_adjtime": ("EPERM",),
    "socket": ("EMFILE", "EAFNOSUPPORT"), "connect": ("ECONNREFUSED", "ENETUNREACH", "ETIMEDOUT"),
    "sendto": ("ECONNRESET", "EPIPE"), "recvfrom": ("ECONNRESET", "ETIMEDOUT"), "poll": ("ENOMEM",),
    "setsockopt": ("ENOPROTOOPT",), "getsockopt": ("EIO",), "getsockname": ("ENOBUFS",), "fcntl": ("EINVAL",),
}
SHORT = 24
ONCE_ONLY = {"close", "fcntl", "getrandom", "clock_adjtime", "access", "poll"}


def cases(calls, long):
    begin = next(i for i, (name, _, line) in enumerate(calls) if '"/etc/snapshot' in line or '".env"' in line)
    lock = locked(calls)
    found = [(name, error, f"{when}{more}", line, i < lock)
             for i, (name, when, line) in enumerate(calls) if i >= begin
             for error in ERRORS.get(name, ()) for more in ("", "+") if not (more and name in ONCE_ONLY)]
    return found if long else random.Random(20260121).sample(found, SHORT)


def hit(log, name):
    """Whether the error met a file of that name."""
    return any(name in line and "(INJECTED)" in line for line in log.read_text(errors="replace").splitlines())


@pytest.mark.parametrize("backend, scenario", [*((b, "up") for b in BACKENDS), ("http", "down"), ("s3", "back"), ("s3", "drain"), ("http", "recount"), (LENT, "up"), (LENT, "back"),
    (MOUNTED, "up"), (MOUNTED, "down"), (MOUNTED, "back")])
def test_fault(tmp_path, backend, scenario, long, figure):
    with rig(tmp_path, backend) as r:
        r.settings["CAMERA_TIMEOUT"] = "5s"
        r.good()
        r.good()
        r.store.down()
        if scenario in ("back", "drain", "recount"):
            for _ in range(2):
                assert r.run("capture").code == 75
        if scenario == "recount":
            # As a run leaves it that was killed while it changed the spool.
            (r.state / "spool/dirty").touch()
        if scenario != "down":
            r.store.up()
        r.keep()
        taken_before = len(r.camera.served)
        command = ["drain"] if scenario == "drain" else ["capture", "--json"]
        _, calls = trace(r, tmp_path / "trace", *command)
        chosen = cases(calls, long)
        if backend == LENT:
            # strace doesn't do a call that it fails: with a pipe left open, whoever starts the program would wait for ever.
            chosen = [case for case in chosen if case[0] != "close"]
        codes = {}
        log = tmp_path / "injected"
        for name, error, when, line, is_early in chosen:
            r.back()
            if scenario == "down":
                r.store.down()
            before = len(r.camera.served)
            try:
                done = r.run(*command, prefix=inject(name, f"error={error}", when, log), timeout=40)
                codes[done.code] = codes.get(done.code, 0) + 1
                # 77: the program that gives keys met the error itself; that happens to no case of the short form.
                allowed = {0, 69, 74, 75} | ({78} if is_early else set()) | ({77} if backend == LENT and long else set())
                assert done.code in allowed, done
                assert "Fatal error" not in done.stderr, done
                if backend == MOUNTED and scenario == "down" and hit(log, "folder.json"):
                    # Nobody remembers that a disk belongs there.
                    continue
                r.store.up()
                there = [*r.check_pictures().values(), *r.spooled().values()]
                lost = '"result":"lost"' in done.stdout or r.health()["spool"]["dropped"] > 0
                if len(r.camera.served) > before and done.code in (0, 75, 77):
                    assert r.camera.served[-1] in there, done
                if scenario == "drain" and done.code == 0:
                    assert not r.spooled(), done
                if len(r.camera.served) > before and done.code == 74:
                    assert r.camera.served[-1] in there or lost, done
                # On a full disk the oldest pictures are deleted.
                makes_room = error == "ENOSPC" and not r.store.remote
                r.recover(dropped=1, makes_room=makes_room)
                if makes_room and done.code in (0, 75):
                    taken = r.camera.served[:taken_before] + r.camera.served[before:]
                    there = r.stored().values()
                    first = next(i for i, p in enumerate(taken) if p in there)
                    assert all(p in there for p in taken[first:]), "a newer picture went before an older one"
            except (AssertionError, ValueError) as wrong:
                raise AssertionError(f"{error} from {name} number {when}: {line}\n{wrong}") from wrong
        figure("faults", len(chosen))
        figure("exit codes", " ".join(f"{k}×{v}" for k, v in sorted(codes.items())))


@pytest.mark.parametrize("trouble", ["full", "read-only"])
@pytest.mark.parametrize("backend", ["http", "s3"])
def test_a_full_or_read_only_disk_keeps_no_picture_from_the_store(tmp_path, backend, trouble, figure):
    with rig(tmp_path / "rig", backend) as r, small_disk(tmp_path / "disk", "size=512k") as disk:
        r.settings.update(STATE_PATH=str(disk / "state"), SPOOL_MIN_FREE="0")
        r.good()
        if trouble == "full":
            # The ring stands and can be overwritten; one that has to be made anew can't.
            (disk / "state/state.jsonl").unlink()
            with open(disk / "filler", "wb", buffering=0) as filler:
                try:
                    while filler.write(b"\0" * 4096):
                        pass
                except OSError:
                    pass
        else:
            remount(disk, "ro")
        for _ in range(3):
            assert r.run("capture").code == 74
            assert r.camera.served[-1] in r.stored().values()
        if trouble == "full":
            (disk / "filler").unlink()
        else:
            remount(disk, "rw")
        r.good()
        figure("uploaded with exit 74", 3)

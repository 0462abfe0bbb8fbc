"""SIGKILL before every system call of a run, each case from the same beginning: nothing that was reported or spooled
is lost, nothing half is seen, the counters agree after the next good runs."""
import signal

import pytest

from rig import BACKENDS, MOUNTED, LENT, inject, locked, rig, trace

KILLED = -signal.SIGKILL
SCENARIOS = ("up", "down", "back")
CASES = [(b, s) for b in BACKENDS for s in (*SCENARIOS, "drain")] + [("http", "first"), ("filesystem", "full"), (LENT, "up"), (LENT, "back"),
    *((MOUNTED, s) for s in ("up", "down", "back"))]
SHORT = 8


def prepare(r, scenario):
    """Two good runs; for `back` also two during an outage, whose pictures the killed run drains, and for `drain` two that
    the killed `snapshot drain` sends; for `full` two that fill the spool, so that the killed run gives up the oldest; for
    `first` none at all."""
    for _ in range(0 if scenario == "first" else 2):
        r.good()
    if scenario != "up":
        r.settings["UPLOAD_ATTEMPTS"] = "2"
    if scenario in ("back", "drain", "full"):
        r.store.down()
        for _ in range(2):
            assert r.run("capture").code == 75
    if scenario == "full":
        r.settings["SPOOL_MAX_BYTES"] = str(int(2.5 * len(r.camera.last)))
    if scenario in ("back", "drain"):
        r.store.up()
    if scenario == "down":
        r.store.down()
    r.keep()


def sample(calls, long):
    """All calls; in the short form one in so many, and every one that changes a file's name or ends a write."""
    if long:
        return calls
    begin = locked(calls)
    step = max(1, (len(calls) - begin) // SHORT)
    vital = {"rename", "renameat", "renameat2", "unlink", "unlinkat", "fsync", "fdatasync", "pwrite64", "rmdir"}
    chosen = set(range(begin, len(calls), step)) | {i for i in range(begin, len(calls)) if calls[i][0] in vital}
    return [calls[i] for i in sorted(chosen)]


@pytest.mark.parametrize("backend, scenario", CASES)
def test_kill(tmp_path, backend, scenario, long, figure):
    with rig(tmp_path, backend) as r:
        prepare(r, scenario)
        is_down = scenario in ("down", "full")
        command = "drain" if scenario == "drain" else "capture"
        done, calls = trace(r, tmp_path / "trace", command)
        assert done.code == (75 if is_down else 0), done
        chosen = sample(calls, long)
        r.back()
        waiting = list(r.spooled().values())
        killed = 0
        for name, when, line in chosen:
            r.back()
            if is_down and r.store.remote:
                r.store.down()
            done = r.run(command, prefix=inject(name, "signal=KILL", when))
            try:
                killed += done.code == KILLED
                # 77: the program that gives keys was killed.
                assert done.code in (KILLED, 0, 75) or backend == LENT and done.code == 77, done
                if done.stdout.startswith("stored "):
                    assert r.camera.served[-1] in r.stored().values(), "a picture that was reported is gone"
                r.store.up()
                r.check_pictures()
                health = r.recover(dropped=1 if scenario == "full" else 0)
                gone = [p for p in waiting if p not in r.stored().values()]
                assert len(gone) <= health["spool"]["dropped"], f"{len(gone)} gone, {health['spool']}"
            except (AssertionError, ValueError) as error:
                raise AssertionError(f"killed before {name} number {when}: {line}\n{error}") from error
        # Calls whose number differs from run to run are few. A folder on another disk is written by a copy of the process,
        # whose calls come between the run's own.
        assert killed >= (0.3 if backend == MOUNTED else 0.75) * len(chosen), f"{killed} of {len(chosen)} runs were killed"
        figure("system calls", len(calls))
        figure("killed", killed)

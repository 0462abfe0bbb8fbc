"""The power goes before a system call of a run: the disk is taken as it is at that moment, mounted again (which replays
its journal), checked, and the program goes on with it."""
import random
import shutil

import pytest

from blockdisk import Disk, format, fsck
from rig import inject, rig, locked, trace

SHORT, LONG = 100, 1000
CASES = [("filesystem", "up"), ("filesystem", "back"), ("http", "down"), ("http", "back")]


def prepare(r, scenario):
    r.good()
    r.good()
    if scenario == "back":
        r.store.down()
        for _ in range(2):
            assert r.run("capture").code == 75
        r.store.up()
    if scenario == "down":
        r.store.down()


@pytest.mark.parametrize("backend, scenario", CASES)
def test_power_cut(tmp_path, backend, scenario, long, figure):
    count = (LONG if long else SHORT) // len(CASES)
    kept, image, cut = tmp_path / "kept.img", tmp_path / "disk.img", tmp_path / "cut.img"
    mount = tmp_path / "disk"
    format(kept)
    with rig(tmp_path / "rig", backend) as r:
        # The captures of the beginning get ever older: with a long interval health doesn't call them late.
        r.settings.update(STATE_PATH=str(mount / "state"), SPOOL_MIN_FREE="0", CAPTURE_INTERVAL="1h")
        if backend == "filesystem":
            r.store.path = mount / "pictures"
            r.settings["LOCAL_STORAGE_PATH"] = str(mount / "pictures")
        with Disk(kept, mount):
            prepare(r, scenario)
            spooled, acknowledged = r.spooled(), r.stored()
        shutil.copyfile(kept, image)
        with Disk(image, mount):
            done, calls = trace(r, tmp_path / "trace", "capture")
            assert done.code == (75 if scenario == "down" else 0), done
        begin = locked(calls)
        draw = random.Random(20260121)
        chosen = [calls[draw.randrange(begin, len(calls))] for _ in range(count)]
        taken = len(r.store.receiver.received) if r.store.remote else 0
        for name, when, line in chosen:
            if scenario == "down":
                r.store.down()
            if r.store.remote:
                del r.store.receiver.received[taken:]
            shutil.copyfile(kept, image)
            try:
                with Disk(image, mount) as disk:
                    done = r.run("capture", prefix=inject(name, "signal=KILL", when))
                    disk.cut(cut)
                    told = r.camera.served[-1] if done.stdout.startswith("stored ") else None
                    remote = r.stored() if r.store.remote else {}
                with Disk(cut, mount):
                    after = r.spooled()
                    stored = r.check_pictures()
                    assert acknowledged.items() <= {**remote, **stored}.items(), "an acknowledged picture is gone"
                    gone = [k for k in spooled if k not in after and spooled[k] not in stored.values()]
                    assert not gone, f"{gone} lost from the spool"
                    assert told is None or told in stored.values(), "a picture that was reported is gone"
                    health = r.run("health", "--json")
                    assert health.code == 0 and "unreadable" not in health.stdout, health
                    r.recover()
                assert fsck(cut).returncode == 0, fsck(cut).stdout
            except (AssertionError, ValueError) as error:
                raise AssertionError(f"cut before {name} number {when}: {line}\n{error}") from error
        figure("images", count)

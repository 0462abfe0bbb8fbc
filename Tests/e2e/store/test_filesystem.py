"""The filesystem store: whole files or none, modes, retention that never touches what is not ours."""
import hashlib
import os
import re
import stat
import subprocess
import time

import pytest

from disk import remount, small_disk
from pictures import picture
from program import Snapshot

pytestmark = pytest.mark.asan


def test_a_file_appears_whole_and_lasts(ready, tmp_path):
    """Temporary file, fsync, rename, fsync of the folder: in this order."""
    trace = tmp_path / "trace"
    ready.capture(prefix=("strace", "-f", "-y", "-o", trace, "-e", "trace=openat,write,fsync,fdatasync,/^rename,linkat")).expect(0)
    key, = ready.stored()
    final = str(ready.folder / "snapshots" / key)
    lines = trace.read_text().splitlines()
    renamed = [i for i, l in enumerate(lines) if re.search(r"(rename\w*|linkat)\(", l) and os.path.basename(key) in l]
    assert renamed, "the picture is renamed to its name"
    synced = [i for i, l in enumerate(lines) if re.search(r"f(data)?sync\(", l) and "/snapshots/" in l]
    folder = [i for i, l in enumerate(lines) if re.search(r"fsync\(", l) and f"<{os.path.dirname(final)}>" in l]
    assert any(i < renamed[-1] for i in synced) and any(i > renamed[-1] for i in folder), "\n".join(lines[-60:])


def test_a_full_disk_keeps_the_picture_in_the_spool(ready, camera, tmp_path):
    camera.picture = lambda: picture(size=200_000)
    with small_disk(tmp_path / "full", "size=64k") as full:
        ready.set(LOCAL_STORAGE_PATH=full).capture().refuses(75)
        assert not [p for p in full.rglob("*") if p.is_file()], "no halves, no leftovers"
    assert ready.spooled_pictures() == [camera.last]


def test_modes_follow_the_umask(ready):
    subprocess.run(["sh", "-c", 'umask 027; exec "$0" capture', str(ready.binary)], cwd=ready.folder, check=True,
                   env={**ready.environment, **ready.settings})
    path, = [p for p in (ready.folder / "snapshots").rglob("*.jpg")]
    assert stat.S_IMODE(path.stat().st_mode) & 0o137 == 0 and stat.S_IMODE(path.parent.stat().st_mode) & 0o027 == 0


@pytest.mark.parametrize("setting", [{"LOCAL_STORAGE_MAX_BYTES": "60K"}, {"LOCAL_STORAGE_MAX_AGE": "1h"}])
def test_retention_drops_the_oldest_of_ours_and_nothing_else(ready, camera, setting):
    root = ready.folder / "snapshots"
    for _ in range(4):
        ready.capture().expect(0)
    ours = sorted(root.rglob("*.jpg"))
    foreign = [root / "front/holiday.jpg", root / "notes.txt", ours[0].parent / "IMG_0001.jpg",
               ready.folder / "outside.jpg"]
    for path in foreign:
        path.write_bytes(b"x" * 50_000)
    (root / "link").symlink_to(ready.folder)
    past = time.time() - 86_400 * 30
    for path in [*foreign, *ours[:3]]:
        os.utime(path, (past, past))
    ready.set(**setting)
    for _ in range(2):
        ready.capture().expect(0)
    assert all(p.exists() for p in foreign), "only what this program wrote"
    left = [p for p in root.rglob("front_*.jpg")]
    assert camera.last in [p.read_bytes() for p in left], "the newest stays"
    if "LOCAL_STORAGE_MAX_BYTES" in setting:
        assert sum(p.stat().st_size for p in left) <= 60 * 1024 and len(left) < 6
    else:
        assert not any(p.exists() for p in ours[:3]) and len(left) == 3


def test_several_programs_may_write_into_one_folder(ready, camera, tmp_path):
    """Three programs write at once, each from a folder of its own: none meets another's temporary file."""
    shared = tmp_path / "shared"
    ready.set(LOCAL_STORAGE_PATH=shared, KEY_TEMPLATE="{camera}/{timestamp}.jpg")
    slow = ("strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync", "-e", "inject=fsync:delay_enter=200000")
    others = [Snapshot(tmp_path / name, **{**ready.settings, "CAMERA_NAME": name}) for name in ("a", "b", "c")]
    running = [other.start("capture", "--json", prefix=slow) for other in others]
    told = [r.result().expect(0).json for r in running]
    for outcome in told:
        assert hashlib.sha256((shared / outcome["key"]).read_bytes()).hexdigest() == outcome["sha256"]
    assert len(set(o["sha256"] for o in told)) == 3, "a picture each"
    assert sorted(p.suffix for p in shared.rglob("*") if p.is_file()) == [".jpg"] * 3, "no leftovers"


def test_what_a_killed_run_left_makes_room(ready, tmp_path):
    trace = ("strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=/rename", "-e", "inject=/rename:signal=KILL:when=1")
    ready.capture().expect(0)
    ready.capture(prefix=trace)
    left = [p for p in (ready.folder / "snapshots").iterdir() if p.is_file()]
    assert len(left) == 1, "it was killed before the rename"
    ready.capture().expect(0)
    assert not [p for p in (ready.folder / "snapshots").iterdir() if p.is_file()] and len(ready.stored()) == 2


def test_a_damaged_ledger_costs_no_file_of_others(ready):
    ready.capture().expect(0)
    outside = ready.folder / "outside.jpg"
    outside.write_bytes(b"x" * 5000)
    (ready.state_folder / "stored.log").write_bytes(
        b"\xff\0 ?\n5000 ../outside.jpg\n5000 a/../../outside.jpg\n-5 \n" + b"9" * 40 + b" x\n" + b"5000 " + str(outside).encode() + b"\n")
    for _ in range(2):
        ready.set(LOCAL_STORAGE_MAX_BYTES="1K").capture().expect(0)
    assert outside.exists()


def test_the_keys_folder_may_be_another_disk(ready, camera, tmp_path):
    shelf = tmp_path / "pictures"
    with small_disk(shelf / "front", "size=4M"):
        ready.set(LOCAL_STORAGE_PATH=shelf, KEY_TEMPLATE="{camera}/{timestamp}.jpg").capture().expect(0)
        assert [p.read_bytes() for p in (shelf / "front").iterdir()] == [camera.last]


def test_puts_that_failed_count_for_nothing(ready, tmp_path):
    """Retention knows what is there, not what was tried."""
    shelf = tmp_path / "pictures"
    with small_disk(shelf, "size=8M"):
        ready.set(LOCAL_STORAGE_PATH=shelf, LOCAL_STORAGE_MAX_BYTES="2M").capture().expect(0)
        remount(shelf, "ro")
        for _ in range(5):
            ready.capture("--no-drain").expect(75)
        remount(shelf, "rw")
        for _ in range(3):
            ready.capture().expect(0)
        lines = [line for name in ("stored.log", "stored-late.log")
                 for line in (ready.state_folder / name).read_text().splitlines()]
        files = {str(p.relative_to(shelf)): p.stat().st_size for p in shelf.rglob("*.jpg")}
        assert len(files) == 9 and {line.split(" ", 1)[1]: int(line.split("@")[0]) for line in lines} == files
        assert len(lines) == 9


def test_a_full_disk_makes_room_by_itself(ready, camera, tmp_path):
    shelf = tmp_path / "pictures"
    camera.picture = lambda: picture(size=300_000)
    with small_disk(shelf, "size=2M"):
        ready.set(LOCAL_STORAGE_PATH=shelf).capture().expect(0)
        while ready.capture("--no-drain").code == 0:
            pass
        count = len(list(shelf.rglob("*.jpg")))
        ready.set(LOCAL_STORAGE_MIN_FREE="400K").capture("--no-drain").expect(0)
        assert len(list(shelf.rglob("*.jpg"))) < count


def test_what_others_take_away_is_forgotten_in_time(ready):
    """A folder without bounds from which a server takes the pictures."""
    ready.capture().expect(0)
    log = ready.state_folder / "stored.log"
    kept = log.read_text()
    log.write_text("".join(f"1000 gone/{n:050}.jpg\n" for n in range(20_000)) + kept)
    before = log.stat().st_size
    ready.capture().expect(0)
    assert before - 70_000 < log.stat().st_size < before - 50_000 and kept in log.read_text()
    # Whatever is still there is not forgotten, nor is what follows it.
    text = log.read_text()
    log.write_text(kept + text)
    ready.capture().expect(0)
    assert log.read_text().startswith(kept + text)

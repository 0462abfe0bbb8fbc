"""A folder on a disk that comes and goes: nothing is stored beside it, nothing is forgotten, all arrives later."""
import json
import os
import subprocess
import time

import pytest

from disk import loop_disk, remount, small_disk
from pictures import picture
from receiver import Answer

pytestmark = pytest.mark.asan


def files(folder):
    return sorted(p for p in folder.rglob("*") if p.is_file())


@pytest.fixture
def shelf(ready, tmp_path):
    """A mount point with a folder for pictures below it."""
    mount = tmp_path / "mnt usb"
    mount.mkdir()
    ready.set(LOCAL_STORAGE_PATH=mount / "cam", KEY_TEMPLATE="{camera}/{timestamp}.jpg")
    return mount


def test_a_disk_that_is_away_gets_its_pictures_later(ready, shelf, tmp_path, camera):
    with loop_disk(tmp_path / "image", shelf):
        for _ in range(3):
            ready.capture().expect(0)
        old = [p.name for p in files(shelf)]
    for _ in range(2):
        ready.capture().refuses(75, "no disk is mounted at", str(shelf))
    assert files(shelf) == [], "nothing under the mount point"
    assert "store_away" in ready.health()["reasons"] and ready.health()["spool"]["count"] == 2
    assert ready.state["outcome"]["code"] == "store-away"
    found = ready.run("check", "--json", timeout=40)
    storage, = [line for line in json.loads(found.stdout)["checks"] if line["name"] == "storage"]
    assert found.code == 75 and str(shelf) in storage["found"] and "--accept-folder" in storage["hint"]
    assert files(shelf) == []
    # The same disk under another number.
    with loop_disk(tmp_path / "image", shelf, spare=1):
        ready.capture().expect(0)
        names = [p.name for p in files(shelf)]
        assert set(old) < set(names) and len(names) == 6
        assert ready.health()["status"] == "healthy"


def test_another_disk_in_its_place_is_the_store(ready, shelf, tmp_path):
    with loop_disk(tmp_path / "one", shelf):
        ready.capture().expect(0)
    with small_disk(shelf, "size=4M"):
        ready.capture().expect(0)
        assert len(files(shelf)) == 1


def test_a_mount_point_that_goes_with_its_disk(ready, tmp_path):
    """As udisks has it: the folder is removed with the mount."""
    mount = tmp_path / "media/pi/USB"
    ready.set(LOCAL_STORAGE_PATH=mount)
    with small_disk(mount, "size=4M"):
        ready.capture().expect(0)
    mount.rmdir()
    ready.capture().refuses(75, "no disk is mounted", str(mount))
    assert not mount.exists()


def test_a_move_on_purpose(ready, shelf):
    with small_disk(shelf, "size=4M"):
        ready.capture().expect(0)
    ready.capture().refuses(75)
    ready.run("check", "--accept-folder", timeout=40).expect(0)
    ready.capture().expect(0)
    assert len(files(shelf)) == 2, "and the one that had waited"
    # After a disk was mounted there once more, its absence is noticed again.
    with small_disk(shelf, "size=4M"):
        ready.capture().expect(0)
    ready.capture().refuses(75)


def test_another_folder_in_the_settings_is_a_move_as_well(ready, shelf, tmp_path):
    with small_disk(shelf, "size=4M"):
        ready.capture().expect(0)
    ready.set(LOCAL_STORAGE_PATH=tmp_path / "elsewhere").capture().expect(0)


def test_a_disk_below_the_folder_is_remembered_under_other_keys(ready, shelf, tmp_path):
    """The folder of a camera is a disk of its own; KEY_TEMPLATE changes while that is away."""
    folder = shelf / "cam"
    (folder / "front").mkdir(parents=True)
    with small_disk(folder / "front", "size=4M"):
        ready.capture().expect(0)
    ready.capture().refuses(75, "no disk is mounted", "cam/front")
    for _ in range(2):
        ready.set(KEY_TEMPLATE="all/{timestamp}.jpg").capture().expect(0)
        assert not files(folder / "front") and ready.health()["spool"]["count"] == 1
    ready.set(KEY_TEMPLATE="{camera}/{timestamp}.jpg").capture("--no-drain").refuses(75, "no disk is mounted")
    with small_disk(folder / "front", "size=4M"):
        ready.capture().expect(0)
        assert len(files(folder / "front")) == 3 and ready.health()["status"] == "healthy"


def test_a_disk_that_became_read_only(ready, shelf, tmp_path):
    """As ext4 does after an error. A mount alone that is read-only, as in a service's sandbox, is told apart."""
    with small_disk(shelf, "size=4M"):
        ready.capture().expect(0)
        remount(shelf, "ro")
        told = ready.capture().refuses(75, "read-only file system", "the disk itself", str(shelf), "fsck")
        assert "systemd" not in told.stderr
        found = json.loads(ready.run("check", "--json", timeout=40).stdout)
        storage, = [line for line in found["checks"] if line["name"] == "storage"]
        assert storage["result"] == "failed" and "the disk itself" in storage["hint"]
        remount(shelf, "rw")
        ready.capture().expect(0)
        assert len(files(shelf)) == 3
        line = f'mount --bind "{shelf}" "{shelf}" && mount -o remount,bind,ro "{shelf}" && exec "{ready.binary}" capture'
        done = subprocess.run(["unshare", "-m", "sh", "-c", line], cwd=ready.folder, text=True, capture_output=True,
                              env={**ready.environment, **ready.settings}, timeout=60)
        assert done.returncode == 75 and "ReadWritePaths" in done.stderr and "fsck" not in done.stderr, done.stderr


def in_fstab(ready, tmp_path, lines, script):
    """Runs a shell script with an /etc/fstab of its own; `snapshot` stands for the program."""
    table = tmp_path / "fstab"
    table.write_text(lines)
    line = f'mount --bind "{table}" /etc/fstab && snapshot() {{ "{ready.binary}" "$@"; }}\n{script}'
    return subprocess.run(["unshare", "-m", "sh", "-c", line], cwd=ready.folder, text=True, capture_output=True,
                          env={**ready.environment, **ready.settings}, timeout=60)


@pytest.fixture
def fstab():
    path = "/etc/fstab"
    if not os.path.exists(path):
        pytest.skip("no /etc/fstab to lay one over")


@pytest.mark.parametrize("below", ["cam", ""])
def test_the_first_run_comes_before_the_mount(ready, shelf, tmp_path, fstab, below):
    ready.set(LOCAL_STORAGE_PATH=shelf / below)
    escaped = str(shelf).replace(" ", "\\040")
    done = in_fstab(ready, tmp_path, f"# disks\nUUID=1-2\t{escaped} ext4 defaults,nofail 0 2\nx none swap sw 0 0\n",
                    "snapshot capture")
    assert done.returncode == 75 and "no disk is mounted at" in done.stderr, done.stderr
    assert files(shelf) == []
    done = in_fstab(ready, tmp_path, f"LABEL=x {escaped}/ ext4 defaults 0 2\n",
                    f'mount -t tmpfs none "{shelf}" && snapshot capture && ls -R "{shelf}"')
    assert done.returncode == 0 and done.stdout.count(".jpg") >= 2, done.stderr


def test_a_bind_mount_of_fstab_is_one(ready, shelf, tmp_path, fstab):
    escaped = str(shelf).replace(" ", "\\040")
    (tmp_path / "data").mkdir()
    line = f"{tmp_path}/data {escaped} none bind 0 0\n"
    assert in_fstab(ready, tmp_path, line, "snapshot capture").returncode == 75
    # A folder bound over itself, as systemd does for ReadWritePaths=, is no mount of fstab's.
    assert in_fstab(ready, tmp_path, line, f'mount --bind "{shelf}" "{shelf}" && snapshot capture').returncode == 75
    done = in_fstab(ready, tmp_path, line, f'mount --bind "{tmp_path}/data" "{shelf}" && snapshot capture')
    assert done.returncode == 0 and files(tmp_path / "data"), done.stderr


def test_a_link_to_the_disk(ready, shelf, tmp_path):
    link = tmp_path / "pictures"
    link.symlink_to(shelf / "cam")
    ready.set(LOCAL_STORAGE_PATH=link)
    with small_disk(shelf, "size=4M"):
        (shelf / "cam").mkdir()
        ready.capture().expect(0)
    ready.capture().refuses(75, "leads nowhere")
    found = ready.run("check", "--json", timeout=40)
    storage, = [line for line in json.loads(found.stdout)["checks"] if line["name"] == "storage"]
    assert found.code == 75 and "leads nowhere" in storage["hint"]
    link.unlink()
    link.symlink_to(shelf)
    with small_disk(shelf, "size=4M"):
        ready.capture().expect(0)
    ready.capture().refuses(75, "no disk is mounted")
    assert files(shelf) == []


# Retention

def settle(ready, runs, *, expect=0):
    for _ in range(runs):
        ready.capture("--no-drain").expect(expect)


def test_retention_forgets_no_disk_that_is_away(ready, shelf, tmp_path, camera):
    """Old pictures go before new ones, also when the disk was away in between."""
    camera.picture = lambda: picture(size=100_000)
    bounds = {"LOCAL_STORAGE_MIN_FREE": "1500K", "LOCAL_STORAGE_MAX_BYTES": "1M"}
    ready.set(**bounds)
    with loop_disk(tmp_path / "image", shelf, megabytes=4):
        settle(ready, 6)
        old = [p.name for p in files(shelf)]
    settle(ready, 3, expect=75)
    with loop_disk(tmp_path / "image", shelf, megabytes=4):
        ready.capture().expect(0)
        settle(ready, 8)
        left = [p.name for p in files(shelf)]
        assert not set(old) & set(left) and 8 <= len(left) <= 11, left
        assert left == sorted(left)[-len(left):]
    assert ready.health()["spool"]["count"] == 0


@pytest.mark.parametrize("template", [
    "{camera}/{yyyy}/{MM}/{dd}/{camera}_{timestamp}.jpg", "{timestamp}_{camera}.jpg",
    "{dd}.{MM}.{yyyy}/{HH}-{mm}-{ss}/{timestamp}.jpg"])
def test_a_new_state_knows_the_pictures_of_the_old_one(ready, shelf, camera, template):
    ready.set(KEY_TEMPLATE=template)
    camera.picture = lambda: picture(size=100_000)
    with small_disk(shelf, "size=8M"):
        settle(ready, 10)
        old = files(shelf)
        foreign = [shelf / "cam/holiday.jpg", old[0].parent / "IMG_20260101T000000.000Z.jpg"]
        for path in foreign:
            path.write_bytes(b"x" * 50_000)
        for path in old:
            # A copy has new times; what counts is when a picture was taken.
            os.utime(path)
        ready.set(STATE_PATH="new", LOCAL_STORAGE_MAX_BYTES="800K")
        settle(ready, 6)
        left = files(shelf)
        assert all(p in left for p in foreign)
        ours = [p for p in left if p not in foreign]
        assert sum(p.stat().st_size for p in ours) <= 800 * 1024
        assert [p for p in ours if p in old] == old[len(old) - len(ours) + 6:], "the oldest went"
        assert len(ours) in (7, 8)


def test_pictures_of_others_stay_and_so_do_ours(ready, shelf, camera):
    """A disk that others fill: no bound can be kept by deleting ours."""
    camera.picture = lambda: picture(size=50_000)
    ready.set(LOCAL_STORAGE_MIN_FREE="1G")
    with small_disk(shelf, "size=4M"):
        (shelf / "film.mkv").write_bytes(b"x" * 1_000_000)
        settle(ready, 10)
        assert len(files(shelf)) == 11 and "store_full" in ready.health()["reasons"]
        found = ready.run("check", timeout=40)
        assert "LOCAL_STORAGE_MIN_FREE" in found.stdout and "old pictures are removed" not in found.stdout
        ready.set(LOCAL_STORAGE_MIN_FREE="100K").capture().expect(0)
        assert ready.health()["status"] == "healthy"


def test_a_late_picture_goes_before_newer_ones(ready, shelf, camera):
    camera.picture = lambda: picture(size=100_000)
    with small_disk(shelf, "size=8M"):
        settle(ready, 1)
    settle(ready, 4, expect=75)
    with small_disk(shelf, "size=8M"):
        settle(ready, 2)
        ready.capture().expect(0)
        assert len(files(shelf)) == 7
        ready.set(LOCAL_STORAGE_MAX_BYTES="400K")
        settle(ready, 1)
        left = [p.name for p in files(shelf)]
        assert len(left) == 4 and left == sorted(left), left
        newest = ready.state["outcome"]["key"]
        assert os.path.basename(newest) == left[-1]


@pytest.mark.parametrize("bound", [{"LOCAL_STORAGE_MAX_BYTES": "10M"}, {"LOCAL_STORAGE_MAX_AGE": "30d"}])
def test_on_a_full_disk_no_newer_picture_makes_room_for_a_late_one(ready, shelf, camera, bound):
    camera.picture = lambda: picture(size=100_000)
    ready.set(**bound)
    with small_disk(shelf, "size=1M"):
        settle(ready, 1)
    settle(ready, 2, expect=75)
    with small_disk(shelf, "size=1M"):
        # Room for one.
        (shelf / "film.mkv").write_bytes(b"x" * 870_000)
        for left in (2, 2):
            ready.capture().expect(0)
            stored, = files(shelf / "cam")
            assert stored.read_bytes() == camera.last and ready.health()["spool"]["count"] == left
        (shelf / "film.mkv").unlink()
        ready.capture().expect(0)
        assert len(files(shelf)) == 4 and ready.health()["spool"]["count"] == 0


def test_a_picture_that_cannot_be_deleted_is_no_reason_for_newer_ones_to_go(ready, camera, tmp_path):
    ready.set(LOCAL_STORAGE_PATH=tmp_path / "pictures", KEY_TEMPLATE="{camera}/{timestamp}.jpg")
    settle(ready, 3)
    kept = files(tmp_path / "pictures")
    fault = ("strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=unlinkat", "-e", "inject=unlinkat:error=EPERM")
    ready.set(LOCAL_STORAGE_MAX_BYTES="1K").capture("--no-drain", prefix=fault).expect(0)
    assert kept == files(tmp_path / "pictures")[:3] and "store_full" in ready.health()["reasons"]


# A ledger that can't be read

@pytest.mark.parametrize("bounds", [{"LOCAL_STORAGE_MIN_FREE": "1G"}, {"LOCAL_STORAGE_MAX_BYTES": "150K"}, {}])
@pytest.mark.parametrize("name", ["stored.log", "stored.head", "folder.json", "stored-late.log"])
def test_a_bad_sector_ends_no_run(ready, camera, name, bounds):
    camera.picture = lambda: picture(size=30_000)
    ready.set(**bounds)
    settle(ready, 3)
    path = ready.state_folder / name
    if not path.exists():
        path.write_text("30000@1700000000000 front/no.jpg\n" * 3)
    for call in ("read", "lseek"):
        fault = ("strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:error=EIO", "-P", path)
        begin = time.monotonic()
        ready.capture("--no-drain", prefix=fault, timeout=20).expect(0)
        assert time.monotonic() - begin < 15
    assert len(ready.stored()) == 5, "a ledger that can't be read deletes nothing"
    settle(ready, 1)


def test_damage_in_the_ledger_costs_nothing_else(ready, camera):
    camera.picture = lambda: picture(size=30_000)
    ready.set(LOCAL_STORAGE_MAX_BYTES="120K")
    settle(ready, 2)
    log = ready.state_folder / "stored.log"
    first, rest = log.read_bytes().split(b"\n", 1)
    # A hole, as a power cut leaves it, longer than what is read at once; then half a line.
    log.write_bytes(first + b"\n" + b"\0" * 200_000 + b"\n" + rest + b"3000")
    for _ in range(6):
        ready.capture("--no-drain", timeout=20).expect(0)
    assert 3 <= len(ready.stored()) <= 5


# Keys that repeat

def test_a_key_that_repeats_counts_once(ready, camera):
    ready.set(KEY_TEMPLATE="{camera}/{timestamp}.jpg")
    camera.picture = lambda: picture(size=28_000)
    settle(ready, 1)
    ready.set(KEY_TEMPLATE="{camera}/latest.jpg", LOCAL_STORAGE_MAX_BYTES="100K")
    settle(ready, 8)
    assert len(ready.stored()) == 2, "56 of 100 KB"
    assert ready.stored()["front/latest.jpg"] == camera.last


def test_its_ledger_does_not_grow(ready, camera):
    ready.set(KEY_TEMPLATE="{camera}/latest.jpg")
    settle(ready, 1)
    log = ready.state_folder / "stored.log"
    line = log.read_text()
    size = line.split("@")[0]
    marked = line.replace(" ", f"*{size} ", 1)
    for bounds in ({}, {"LOCAL_STORAGE_MAX_BYTES": "1M"}):
        log.write_text(line + marked * 2000)
        ready.set(**bounds)
        settle(ready, 1)
        assert log.read_text().count("\n") <= 2
    # As 0.2.2 left it: nobody knows which lines count.
    log.write_text(f"{size} front/latest.jpg\n" * 2000)
    settle(ready, 2)
    assert log.read_text().count("\n") <= 3 and len(ready.stored()) == 1


def test_a_ring_goes_by_age_not_by_place(ready, camera):
    """With keys that repeat, the newest picture has the oldest one's key: retention goes by age, not by place."""
    camera.picture = lambda: picture(size=40_000)
    seconds = "{camera}/{ss}.jpg"
    ready.set(KEY_TEMPLATE=seconds)
    folder = ready.folder / "snapshots/front"
    settle(ready, 1)
    first, = folder.iterdir()
    log = ready.state_folder / "stored.log"
    size = first.stat().st_size
    for number in range(3):
        (folder / f"{60 + number}.jpg").write_bytes(first.read_bytes())
    stamp = int(time.time() * 1000)
    old = log.read_text()
    log.write_text(old + "".join(f"{size}@{stamp + n} front/{60 + n}.jpg\n" for n in range(3))
                   + f"{size}@{stamp + 9}*{size} {old.split(' ', 1)[1]}")
    ready.set(LOCAL_STORAGE_MAX_BYTES="170K")
    time.sleep(1.1)
    settle(ready, 1)
    left = {p.name for p in folder.iterdir()}
    assert first.name in left and "60.jpg" not in left and {"61.jpg", "62.jpg"} <= left


@pytest.mark.parametrize("template", ["{camera}/latest.jpg", "{camera}/{HH}.jpg", "{yyyy}{MM}{dd}.jpg"])
def test_the_newest_wins_after_an_outage(ready, shelf, camera, template):
    ready.set(KEY_TEMPLATE=template)
    with small_disk(shelf, "size=4M"):
        ready.capture().expect(0)
    for _ in range(3):
        ready.capture().expect(75)
    with small_disk(shelf, "size=4M"):
        ready.capture().expect(0)
        newest = camera.last
        stored, = [p for p in files(shelf)]
        assert stored.read_bytes() == newest
        for command in (("capture",), ("drain",)):
            ready.run(*command).expect(0)
            assert files(shelf)[0].read_bytes() == camera.last
    health = ready.health()
    assert health["status"] == "healthy" and health["spool"]["count"] == 0
    assert health["spool"]["superseded"] == 3 and health["spool"]["dropped"] == 0
    assert health["total_captures"] == health["total_uploads"] + 3


def test_drain_sends_no_overtaken_picture(ready, endpoint, camera):
    endpoint.always = Answer(503)
    ready.set(**endpoint.as_http(), KEY_TEMPLATE="{camera}/latest.jpg", UPLOAD_ATTEMPTS=1)
    for _ in range(3):
        ready.capture("--no-drain").expect(75)
    endpoint.always = None
    ready.capture("--no-drain").expect(0)
    count = len(endpoint.received)
    ready.run("drain").expect(0)
    assert len(endpoint.received) == count and ready.health()["spool"]["superseded"] == 3

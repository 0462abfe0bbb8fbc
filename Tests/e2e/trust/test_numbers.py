"""Numbers, sizes and times that others wrote: in dates, names, file times and records. None ends a run, and none makes
what was written unreadable."""
import email.utils
import json
import os
import shutil
import signal
import time
import zlib
from pathlib import Path

import pytest

from builds import ROOT
from peer import Peer
from pictures import picture
from process import wait_until
from web import Web, slot

HOSTILE_DATES = [
    "Thu, 01 Jan 2147483647 00:00:00 GMT", "Thu, 01 Jan 292277026596 00:00:00 GMT",
    "Thu, 01 Jan 288400000 00:00:00 GMT", "Thu, 01 Jan 300000 00:00:00 GMT", "Thu, 01 Jan 10000 00:00:00 GMT",
    "Sat, 01 Jan 2101 00:00:00 GMT", "Wed, 31 Dec 2025 23:59:59 GMT", "Thu, 01 Jan 1970 00:00:00 GMT",
    "Thu, 01 Jan 0001 00:00:00 GMT", "9223372036854775807", "Thu, 99 Foo 9999 99:99:99 GMT", "\u0661",
]


def answer(date, status="200 OK", body=b"", kind="text/plain"):
    # With an ETag, without which no answer to a PUT is S3's.
    return (f"HTTP/1.1 {status}\r\nDate: {date}\r\nContent-Type: {kind}\r\nETag: \"e\"\r\nConnection: close\r\n"
            f"Content-Length: {len(body)}\r\n\r\n").encode() + body


@pytest.fixture
def still(snapshot, tmp_path):
    """The program, with a camera that is a file."""
    path = tmp_path / "still.jpg"
    path.write_bytes(picture())
    return snapshot.set(CAMERA_URL=f"file:{path}", UPLOAD_ATTEMPTS="2", UPLOAD_DEADLINE="2s", SPOOL_MIN_FREE="0")


def to_store(snapshot, peer, kind):
    if kind == "http":
        return snapshot.set(STORAGE_BACKEND="http", HTTP_UPLOAD_URL=f"{peer.url}/up")
    return snapshot.set(STORAGE_BACKEND="s3", S3_BUCKET="b", S3_ENDPOINT_URL=peer.url, AWS_ACCESS_KEY_ID="key",
                        AWS_SECRET_ACCESS_KEY="secret-key")


@pytest.mark.parametrize("kind", ["http", "s3"])
@pytest.mark.parametrize("date", HOSTILE_DATES)
def test_a_date_of_a_store_that_cannot_be_right(still, date, kind):
    """The store takes a picture, refuses two, then takes all: nothing is lost or quarantined, and all is counted."""
    body = b"<Error><Code>RequestTimeTooSkewed</Code></Error>"
    with Peer(answer(date)) as peer:
        to_store(still, peer, kind).capture().expect(0)
        peer.first = answer(date, "503 Slow Down")
        still.capture().expect(75)
        peer.first = answer(date, "403 Forbidden", body)
        still.capture().expect(75 if kind == "s3" else 77)
        peer.first = answer(date)
        still.set(AWS_SECRET_ACCESS_KEY="secret-kez", HTTP_UPLOAD_URL=f"{peer.url}/up?2").capture().expect(0)
        still.run("drain").expect(0)
        still.run("check")
    record = still.ring.check()
    assert record["total_captures"] == record["total_uploads"] == 4 and "state_reset" not in record
    assert record["clock"]["offset_seconds"] == 0 and not [p for p in still.spool() if p.startswith("bad/")]
    assert still.health()["spool"]["count"] == 0


@pytest.mark.parametrize("date", HOSTILE_DATES)
def test_a_date_of_a_camera_that_cannot_be_right(snapshot, date):
    with Peer(answer(date, body=picture(), kind="image/jpeg")) as peer:
        snapshot.set(CAMERA_URL=f"{peer.url}/still.jpg").capture().expect(0)
        told = snapshot.run("check", timeout=40)
        assert told.code == 0 and "clock" in told.stdout and "ahead" not in told.stdout, told


@pytest.mark.parametrize("date, ahead", [
    (email.utils.formatdate(time.time() + 20 * 3600, usegmt=True), True),
    # A date that can be right, but is too far off to be believed without TLS.
    ("Fri, 31 Dec 2100 23:59:59 GMT", False), ("Thu, 01 Jan 2026 00:00:00 GMT", False),
], ids=["tomorrow", "2100", "2026"])
def test_a_date_at_the_edge_counts(still, date, ahead):
    with Peer(answer(date)) as peer:
        to_store(still, peer, "http").capture().expect(0)
    assert (still.ring.check()["clock"]["offset_seconds"] > 0) == ahead
    still.capture()
    assert still.ring.check()["seq"] == 2


@pytest.mark.parametrize("wait", ["9223372036854775807", "99999999999999999999", "-9223372036854775808", "1e400", "+1",
                                  "Thu, 01 Jan 2147483647 00:00:00 GMT", "Fri, 31 Dec 2100 23:59:59 GMT"])
def test_a_retry_after_without_sense(still, wait):
    raw = answer("Sat, 28 Nov 2026 00:00:00 GMT", "503 Slow Down").replace(b"Date", b"Retry-After: %s\r\nDate" % wait.encode())
    with Peer(raw) as peer:
        assert to_store(still, peer, "http").capture().expect(75).wall < 8
        still.run("drain").expect(75)


# MARK: Names in the spool

NAMES = [
    "000000000001-9223372036854775807.jpg", "000000000002-9223372036854775807.jpg", "000000000003-010.jpg",
    "+00000000004-10.jpg", "-00000000005-10.jpg", "000000000006--10.jpg", "000000000007-+10.jpg", "1000000000000-10.jpg",
    "000000000008-18446744073709551616.jpg", "00000000000\u0661-10.jpg", "000000000009-\u0661\u0660.jpg", "000000000000-10.jpg",
    "000000000010-0.jpg", "9-9.jpg", "000000000011-999999999999999.jpg", "000000000012-999999999999998.jpg", "000000000013-10.jpg",
]


def spool_two(still):
    """Two pictures that wait in the spool, and the folder where they lie."""
    with Peer(answer("x", "503 Slow Down")) as peer:
        for _ in range(2):
            to_store(still, peer, "http").capture().expect(75)
    return still.state_folder / "spool" / "000000000000"


def test_strange_names_in_the_spool(still):
    folder = spool_two(still)
    for name in NAMES:
        (folder / name).write_bytes(b"0123456789")
    for other in ("999999999999", "-00000000001", "00000000000\u0661", "000000000009"):
        (folder.parent / other).mkdir(exist_ok=True)
        shutil.copy(next(p for p in folder.iterdir() if p.stat().st_size > 1000), folder.parent / other)
    (folder.parent / "dirty").touch()
    with Peer(answer("x", "503 Slow Down")) as peer:
        to_store(still, peer, "http").capture().expect(75)
        still.run("check", timeout=40).expect(75)
        still.run("drain").expect(75)
        peer.first = answer("x")
        still.capture().expect(0)
        assert still.run("drain").expect(0)
        record = still.ring.check()
        assert record["spool"]["count"] == 0 and record["total_uploads"] >= 4, record
        assert len([r for r in peer.requests if r.startswith("POST")]) >= 4
    still.health()


def test_behind_the_highest_number_pictures_are_still_found(still):
    folder = spool_two(still)
    one = next(p for p in folder.iterdir() if p.name.startswith("000000000001-"))
    last = folder.parent / "000999999999"
    last.mkdir()
    one.rename(last / one.name.replace("000000000001", "999999999999"))
    (folder.parent / "dirty").touch()
    with Peer(answer("x", "503 Slow Down")) as peer:
        for _ in range(3):
            to_store(still, peer, "http").capture().expect(75)
        assert len(still.spooled_pictures()) == still.health()["spool"]["count"] == 5
        peer.first = answer("x")
        still.run("drain").expect(0)
    assert not still.spooled_pictures() and still.health()["spool"]["count"] == 0
    record = still.ring.check()
    assert record["total_captures"] == record["total_uploads"], record


# MARK: Numbers in files

def numbers(value, path=()):
    """Where numbers stand in a record."""
    if isinstance(value, bool):
        return
    if isinstance(value, (int, float)):
        yield path
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from numbers(inner, (*path, key))


def test_any_number_in_a_record(still):
    """A record with a right checksum and one extreme number: the next run succeeds, and leaves one that can be read."""
    with Peer(answer("Sat, 28 Nov 2026 00:00:00 GMT")) as peer:
        to_store(still, peer, "http").capture().expect(0)
        record = still.ring.newest
        record.pop("crc")
        for n, path in enumerate(numbers(record)):
            extreme = (2**53, -2**53, 2**63 - 1)[n % 3]
            changed = json.loads(json.dumps(record))
            inner = changed
            for key in path[:-1]:
                inner = inner[key]
            inner[path[-1]] = extreme
            still.ring.path.write_bytes(slot(changed) + (b" " * 4095 + b"\n") * 63)
            told = still.capture()
            assert told.code == 0, (path, extreme, told)
            assert still.ring.check()["last_capture"], (path, extreme)
            still.health()


def test_any_number_in_the_ledger_of_a_folder(still):
    still.set(LOCAL_STORAGE_MAX_BYTES="1M", LOCAL_STORAGE_MAX_AGE="30d", LOCAL_STORAGE_MIN_FREE="1K").capture().expect(0)
    log = still.state_folder / "stored.log"
    for lines in (["9223372036854775807 a", "9223372036854775807 b"], ["999999999999999 a"] * 20_000, ["-1 a", "+5 b", "\u0661 c"]):
        log.write_text("\n".join(lines) + "\n")
        still.capture().expect(0)
        still.run("check", timeout=40)
    still.capture().expect(0)
    for head in ("9223372036854775807 9223372036854775807 9223372036854775807 9223372036854775807 -4\n", "-1 -1 -1 -1 -4\n"):
        (still.state_folder / "stored.head").write_text(head)
        still.capture().expect(0)


@pytest.fixture
def in_ram():
    """A folder on a tmpfs, which keeps any time that a file is given."""
    path = f"/dev/shm/snapshot-test-{os.getpid()}-{time.monotonic_ns()}"
    os.mkdir(path)
    yield path
    shutil.rmtree(path)


@pytest.mark.parametrize("seconds", [9 * 10**15, -9 * 10**15, 2**62, -1])
def test_any_time_of_a_file(still, tmp_path, in_ram, seconds):
    def give(path):
        try:
            os.utime(path, (seconds, seconds))
        except (OSError, OverflowError):
            pytest.skip("no file system here keeps that time")
    for name in ("latest.jpg", "still.jpg", "record/20261121T103045Z.mp4"):
        os.makedirs(os.path.dirname(f"{in_ram}/{name}"), exist_ok=True)
        with open(f"{in_ram}/{name}", "wb") as f:
            f.write(picture())
        give(f"{in_ram}/{name}")
    still.set(CAMERA_URL=f"file:{in_ram}/still.jpg", LOCAL_STORAGE_PATH=in_ram + "/store", LOCAL_STORAGE_MAX_AGE="1d")
    for _ in range(2):
        still.capture().expect(0)
        for folder, _, names in os.walk(in_ram + "/store"):
            for name in names:
                give(f"{folder}/{name}")
    with Web(still.state_folder, tmp_path, WEB_IMAGES="true", OUTPUT_DIR=in_ram, RUNTIME_DIRECTORY=in_ram) as web:
        for path in ("/latest.jpg", "/", "/recordings/", "/live/", "/recordings/20261121T103045Z.mp4"):
            assert web.get(path).status == 200, path
        assert web.get("/latest.jpg", Range="bytes=1-99999999999999999999").status == 206
        assert web.get("/latest.jpg", Range="bytes=9223372036854775807-").status == 416
        assert web.get("/livez").status == 200


# MARK: Bounds of the units

@pytest.mark.parametrize("unit", sorted((ROOT / "systemd").glob("*.service")), ids=lambda p: p.name)
def test_every_unit_has_bounds(unit):
    found = dict(line.split("=", 1) for line in unit.read_text().splitlines() if "=" in line and line[0] not in "#[")
    assert 64 <= int(found["MemoryMax"].removesuffix("M")) <= 384, "a board has 512 MB"
    assert 16 <= int(found["TasksMax"]) <= 128
    assert found.get("OOMPolicy") == (None if "web" in unit.name else "continue"), "the relay itself reports that ffmpeg was killed"


# MARK: Killed runs

def killed_run(still, peer):
    """A run that is killed while its store keeps it waiting."""
    before = len(peer.requests)
    run = still.start("capture")
    wait_until(lambda: len(peer.requests) > before, 10, "request")
    os.kill(run.pid, signal.SIGKILL)
    return run.result()


def silent():
    """An answer that never comes."""
    while True:
        time.sleep(0.2)
        yield b""


class Marks:
    """Where runs leave their run markers: under systemd in the runtime directory, otherwise among everybody's files in RAM."""
    def __init__(self, snapshot, run):
        self.run, self.snapshot = run, snapshot

    def iterdir(self):
        if self.run:
            return list(self.run.iterdir())
        state = f"{zlib.crc32(str(self.snapshot.state_folder.resolve()).encode()):08x}"
        return [path for folder in ("/run/lock", "/dev/shm") for path in Path(folder).glob(f"snapshot-{os.geteuid()}-{state}-*")]


@pytest.fixture(params=["under systemd", "by hand"])
def marked(request, snapshot, tmp_path):
    run = None
    if request.param == "under systemd":
        run = tmp_path / "run"
        run.mkdir()
    marks = Marks(snapshot, run)
    yield snapshot.set(RUNTIME_DIRECTORY=run, CAMERA_TIMEOUT="20s"), marks
    if not run:
        for path in marks.iterdir():
            path.rmdir() if path.is_dir() else path.unlink()


@pytest.mark.skipif(os.geteuid() != 0, reason="gives files to others, which needs root")
@pytest.mark.parametrize("plant", ["file", "link", "folder"])
def test_a_mark_of_a_strangers_is_none(snapshot, tmp_path, plant):
    """It is neither counted nor removed nor written to, and no run is held up by it."""
    marks = Marks(snapshot, None)
    with Peer(answer("x", body=picture(), kind="image/jpeg")) as good, Peer(b"", silent) as slow:
        snapshot.set(CAMERA_URL=f"{good.url}/a.jpg").capture().expect(0)
        assert killed_run(snapshot.set(CAMERA_URL=f"{slow.url}/a.jpg"), slow).code == -signal.SIGKILL
        mark, = marks.iterdir()
        mark.unlink()
        target = tmp_path / "target"
        if plant == "file":
            mark.touch()
        elif plant == "link":
            mark.symlink_to(target)
        else:
            mark.mkdir()
        os.chown(mark, 1234, 1234, follow_symlinks=False)
        try:
            for _ in range(2):
                assert not snapshot.set(CAMERA_URL=f"{good.url}/a.jpg").capture().expect(0).errors
            assert mark.lstat().st_uid == 1234 and not target.exists()
        finally:
            mark.rmdir() if plant == "folder" else mark.unlink()
    assert snapshot.health()["capture_failures"] == 0


def test_a_state_that_is_made_anew_has_no_killed_run(snapshot):
    with Peer(answer("x", body=picture(), kind="image/jpeg")) as good, Peer(b"", silent) as slow:
        assert killed_run(snapshot.set(CAMERA_URL=f"{slow.url}/a.jpg", CAMERA_TIMEOUT="20s"), slow).code == -signal.SIGKILL
        snapshot.state_folder.rename(snapshot.state_folder.with_name("old"))
        assert not snapshot.set(CAMERA_URL=f"{good.url}/a.jpg").capture().expect(0).errors
        for path in Marks(snapshot, None).iterdir():
            path.unlink()


def test_a_killed_run_is_counted_by_the_next(marked):
    snapshot, run = marked
    with Peer(answer("x", body=picture(), kind="image/jpeg")) as good, Peer(b"", silent) as slow:
        snapshot.set(CAMERA_URL=f"{good.url}/a.jpg").capture().expect(0)
        assert not list(run.iterdir()), "a run that ended leaves no mark"
        snapshot.set(CAMERA_URL=f"{slow.url}/a.jpg")
        for _ in range(3):
            assert killed_run(snapshot, slow).code == -signal.SIGKILL
        health = snapshot.health()
        assert (health["capture_failures"], health["last_error"], health["consecutive_failures"]) == (2, "killed", 2)
        assert "out of memory?" in snapshot.run("health").stdout
        told = snapshot.set(CAMERA_URL=f"{good.url}/a.jpg").capture().expect(0)
        assert "was killed" in told.errors[0] and "journalctl -k" in told.hints[0] and not list(run.iterdir())
        health = snapshot.health()
        assert (health["capture_failures"], health["consecutive_failures"], health["total_captures"]) == (3, 0, 2)
        assert not snapshot.capture().expect(0).errors
        assert snapshot.health()["capture_failures"] == 3, "counted once"


def test_a_killed_run_that_had_spooled_its_picture_is_counted_as_captured(marked):
    snapshot, run = marked
    with Peer(answer("x", body=picture(), kind="image/jpeg")) as camera, Peer(answer("x", "503 Slow Down")) as store:
        snapshot.set(CAMERA_URL=f"{camera.url}/a.jpg", STORAGE_BACKEND="http", HTTP_UPLOAD_URL=f"{store.url}/up",
                     SPOOL_MIN_FREE="0", UPLOAD_DEADLINE="20s", UPLOAD_ATTEMPTS="3")
        store.first = answer("x", "503 Slow Down").replace(b"Date", b"Retry-After: 10\r\nDate")
        going = snapshot.start("capture")
        wait_until(snapshot.spooled_pictures, 10, "picture in the spool")
        os.kill(going.pid, signal.SIGKILL)
        going.result()
        store.first = answer("x")
        snapshot.capture().expect(0)
    health = snapshot.health()
    assert (health["total_captures"], health["total_uploads"], health["capture_failures"]) == (2, 2, 0)
    assert health["last_error"] == "killed"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_run_that_is_asked_to_end_is_no_killed_one(marked, number):
    snapshot, run = marked
    with Peer(answer("x", body=picture(), kind="image/jpeg")) as good, Peer(b"", silent) as slow:
        going = snapshot.set(CAMERA_URL=f"{slow.url}/a.jpg").start("capture")
        wait_until(lambda: slow.requests, 10, "request")
        assert len(list(run.iterdir())) == 1
        os.kill(going.pid, number)
        assert going.result().code == -number and not list(run.iterdir())
        assert not snapshot.set(CAMERA_URL=f"{good.url}/a.jpg").capture().expect(0).errors
    assert snapshot.health()["capture_failures"] == 0


def test_states_that_share_a_runtime_directory_are_told_apart(marked):
    snapshot, run = marked
    with Peer(answer("x", body=picture(), kind="image/jpeg")) as good, Peer(b"", silent) as slow:
        snapshot.set(CAMERA_URL=f"{slow.url}/a.jpg", STATE_PATH="one")
        going = snapshot.start("capture")
        wait_until(lambda: slow.requests, 10, "request")
        snapshot.set(CAMERA_URL=f"{good.url}/a.jpg", STATE_PATH="two").capture().expect(0)
        assert snapshot.health()["capture_failures"] == 0
        going.kill()


@pytest.mark.parametrize("make", [os.mkdir, lambda p: os.symlink("/dev/null", p), lambda p: os.symlink("nowhere", p)],
                         ids=["folder", "link", "broken-link"])
def test_something_else_where_the_mark_stands(marked, make):
    """It keeps no run from storing, and is followed nowhere."""
    snapshot, run = marked
    with Peer(answer("x", body=picture(), kind="image/jpeg")) as good, Peer(b"", silent) as slow:
        snapshot.set(CAMERA_URL=f"{slow.url}/a.jpg")
        killed_run(snapshot, slow)
        mark = next(iter(run.iterdir()))
        mark.unlink()
        make(mark)
        snapshot.set(CAMERA_URL=f"{good.url}/a.jpg").capture().expect(0)
        assert not mark.with_name("nowhere").exists()

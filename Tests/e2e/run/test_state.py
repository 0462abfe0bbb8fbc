"""The state: its file, its lock, what happens to a run when it is damaged, full or gone."""
import os
import signal
import stat

import pytest

from disk import failing, remount, small_disk
from pictures import picture
from process import wait_until
from receiver import Answer, Receiver
from web import record, write_ring

pytestmark = pytest.mark.asan


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_the_file_is_a_ring_of_whole_records(ready):
    for n in range(1, 4):
        ready.capture().expect(0)
        assert ready.ring.check()["seq"] == n
    size = ready.ring.path.stat().st_size
    assert size % 4096 == 0 and len(ready.ring.records) == 3


@pytest.mark.long
def test_the_ring_goes_round_and_keeps_counting(snapshot, tmp_path):
    (tmp_path / "p.jpg").write_bytes(picture())
    snapshot.set(CAMERA_URL=f"file:{tmp_path}/p.jpg", FROZEN_AFTER=0)
    sizes = []
    for n in range(1, 81):
        snapshot.capture().expect(0)
        sizes.append(snapshot.ring.path.stat().st_size)
    assert snapshot.ring.check()["seq"] == 80 and sizes[-1] == sizes[-10], "the file has stopped growing"
    assert snapshot.health()["total_captures"] == 80


def test_modes(ready, endpoint):
    ready.set(**endpoint.as_http(UPLOAD_DEADLINE="500ms"))
    endpoint.always = Answer(500)
    ready.capture().expect(75)
    folder = ready.state_folder
    assert mode(folder) & 0o007 == 0 and mode(folder) & 0o700 == 0o700
    assert mode(folder / "state.jsonl") & 0o047 == 0o040, "readable by the group, by no others"
    assert mode(folder / "spool") == 0o700
    for path in folder.rglob("*"):
        assert mode(path) & 0o007 == 0, path
        if path.is_file() and (path.parent.name == "spool" or "token" in path.name or "session" in path.name):
            assert mode(path) == 0o600, path


def test_a_torn_slot_costs_one_record(ready):
    for _ in range(3):
        ready.capture().expect(0)
    ready.ring.tear(3)
    health = ready.health()
    assert health["total_captures"] == 2 and health["last_capture"]
    ready.capture().expect(0)
    assert ready.health()["total_captures"] == 3 and ready.state["seq"] >= 3
    assert ready.ring.records[-1]["seq"] > ready.ring.records[-2]["seq"]


def test_a_changed_record_is_not_believed(ready):
    """The checksum, not the JSON, says whether a record is whole."""
    ready.capture().expect(0)
    ready.capture().expect(0)
    data = ready.ring.path.read_bytes()
    assert data.count(b'"seq":2') == 1
    ready.ring.path.write_bytes(data.replace(b'"seq":2', b'"seq":7'))
    assert ready.health()["total_captures"] == 1


JUNK = {"text": b"hello\n", "binary": bytes(range(256)) * 64, "zeros": b"\0" * 8192, "json": b"{}\n" * 5000,
        "other json": b'{"seq":99}'.ljust(4095) + b"\n", "long number": b'{"seq":1e400}'.ljust(4095) + b"\n",
        "deep": (b"[" * 4095 + b"\n") * 4}


@pytest.mark.parametrize("junk", JUNK.values(), ids=JUNK)
def test_a_wholly_bad_file_is_moved_aside_and_told(ready, junk):
    ready.capture().expect(0)
    ready.ring.path.write_bytes(junk)
    before = ready.run("health", "--json")
    assert before.code == 1 and before.json["status"] == "unhealthy", "unreadable until a run mends it"
    ready.capture().expect(0)
    kept = [p for p in ready.state_folder.iterdir() if p.is_file() and p.read_bytes() == junk]
    assert len(kept) == 1, "moved aside"
    health = ready.health()
    assert health["status"] == "degraded" and any("reset" in r for r in health["reasons"]), health
    ready.ring.check()


@pytest.mark.parametrize("make", [lambda p: p.mkdir(), os.mkfifo, lambda p: p.symlink_to("/dev/null")],
                         ids=["folder", "pipe", "device"])
def test_what_is_no_file_is_moved_aside_too(ready, make):
    ready.capture().expect(0)
    for times in (1, 2):
        ready.ring.path.rename(ready.folder / f"away{times}")
        make(ready.ring.path)
        told = ready.capture().expect(0)
        assert "counters begin anew" in told.stderr
    assert ready.health()["total_captures"] == 1
    ready.ring.check()


@pytest.mark.parametrize("change", [
    {"total_captures": 2**63 - 1}, {"total_uploads": -1}, {"interval_seconds": 1e300}, {"last_number": 2**60},
    {"hours": [[2**62] * 5]}, {"spool": {"count": 2**63 - 1, "bytes": 2**63 - 1, "dropped": 0}}, {"schema": "x"}])
def test_a_sealed_record_with_absurd_numbers_counts_as_damaged(ready, change):
    write_ring(ready.state_folder, [record(1), record(2, **change)])
    for form in ((), ("--json",), ("--nagios",), ("--prometheus",)):
        ready.run("health", *form).expect(0)
    assert ready.health()["total_captures"] == record(1)["total_captures"], "the record before counts"
    ready.capture().expect(0)
    assert ready.health()["total_captures"] == record(1)["total_captures"] + 1


def test_a_ring_that_was_cut_short_is_told(ready):
    for _ in range(3):
        ready.capture().expect(0)
    os.truncate(ready.ring.path, 4096)
    assert "cut short" in ready.capture().expect(0).stderr
    assert "state_reset" in ready.health()["reasons"]
    ready.ring.check()


def test_an_empty_or_missing_file_is_a_first_run(ready):
    for damage in (lambda p: p.write_bytes(b""), lambda p: p.unlink()):
        ready.capture().expect(0)
        damage(ready.ring.path)
        ready.capture().expect(0)
        ready.ring.check()


@pytest.mark.parametrize("make", ["file in the way", "read-only disk", "dangling link"])
def test_without_a_state_no_camera_is_touched(ready, camera, tmp_path, make):
    path = tmp_path / "states" / "mine"
    path.parent.mkdir()
    ready.set(STATE_PATH=path)
    if make == "read-only disk":
        with small_disk(path.parent, "size=1M,ro"):
            ready.capture().refuses(74, str(path))
    else:
        path.symlink_to("/no/such/place") if make == "dangling link" else path.write_text("")
        ready.capture().refuses(74, str(path))
    assert not camera.requests and not ready.stored()


@pytest.mark.parametrize("error", ["ENOSPC", "EIO", "EROFS"])
def test_a_record_that_cannot_be_written_costs_no_picture(ready, camera, error):
    ready.capture().expect(0)
    result = ready.capture(prefix=failing("pwrite64", error, ready.ring.path)).refuses(74)
    assert len(ready.stored()) == 2 and result.errors
    ready.capture().expect(0)
    assert len(ready.stored()) == 3
    ready.ring.check()


@pytest.mark.parametrize("backend", ["filesystem", "http"])
def test_a_state_disk_that_turned_read_only_costs_no_picture(ready, camera, endpoint, tmp_path, backend):
    if backend == "http":
        ready.set(**endpoint.as_http())
    with small_disk(tmp_path / "disk") as disk:
        ready.set(STATE_PATH=disk / "state").capture().expect(0)
        remount(disk, "ro")
        result = ready.capture().expect(74)
        stored = [r.file for r in endpoint.received] if backend == "http" else list(ready.stored().values())
        assert result.errors and camera.snaps == 2 and camera.last in stored, result.stderr
        remount(disk, "rw")
        ready.capture().expect(0)


def test_a_run_that_finds_the_lock_held_says_so_and_ends_well(ready, camera):
    camera.gate.clear()
    first = ready.start("capture")
    wait_until(lambda: camera.snaps == 1, what="first run at the camera")
    requests = len(camera.requests)
    second = ready.capture("--json").expect(0)
    assert "snapshot:" in second.stderr and not second.errors, second.stderr
    assert len(camera.requests) == requests and second.wall < 8
    assert ready.health(env={}).get("status"), "health needs no lock"
    camera.gate.set()
    first.result().expect(0)
    assert len(ready.stored()) == 1 and ready.health()["total_captures"] == 1


def test_ten_at_once_make_one_picture(ready, camera):
    camera.gate.clear()
    runs = [ready.start("capture") for _ in range(10)]
    # The last run may ask for the lock only after the others have ended.
    wait_until(lambda: sum(r.alive for r in runs) == 1 and camera.snaps, 20, "nine ends, and one at the camera")
    assert camera.snaps == 1
    camera.gate.set()
    assert [r.result().code for r in runs] == [0] * 10
    assert len(ready.stored()) == 1 and ready.ring.check()["seq"] == 1


def test_a_killed_run_leaves_nothing_locked_or_half_written(ready, camera):
    ready.capture().expect(0)
    camera.gate.clear()
    run = ready.start("capture")
    wait_until(lambda: camera.snaps == 2, what="run at the camera")
    os.kill(run.pid, signal.SIGKILL)
    run.result()
    camera.gate.set()
    ready.capture().expect(0)
    ready.ring.check()
    assert len(ready.stored()) == 2


def test_a_run_killed_in_its_upload_keeps_the_picture_or_takes_a_new_one(ready, camera):
    with Receiver() as endpoint:
        endpoint.always = Answer(200, wait=30)
        ready.set(**endpoint.as_http(UPLOAD_DEADLINE="20s"))
        run = ready.start("capture")
        wait_until(lambda: endpoint.received, what="upload")
        os.kill(run.pid, signal.SIGKILL)
        run.result()
        endpoint.always = None
        ready.capture().expect(0)
        assert endpoint.last.file == camera.last


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
@pytest.mark.parametrize("answer", [200, 500])
def test_a_run_that_is_asked_to_end_keeps_the_picture_that_it_has(ready, camera, number, answer):
    with Receiver() as endpoint:
        endpoint.always = Answer(answer, wait=1)
        run = ready.set(**endpoint.as_http(UPLOAD_DEADLINE="20s", UPLOAD_ATTEMPTS=5)).start("capture", "--json")
        wait_until(lambda: endpoint.received, what="upload")
        os.kill(run.pid, number)
        result = run.result()
        assert result.code != 0 and result.wall < 10, "it ends by the signal, and soon"
        assert result.json["result"] == ("stored" if answer == 200 else "spooled")
        assert ready.spooled_pictures() == ([] if answer == 200 else [camera.last]) and len(endpoint.received) == 1
    health = ready.health()
    assert health["total_captures"] == 1 == health["total_uploads"] + health["spool"]["count"]


def test_a_run_that_is_asked_to_end_without_a_picture_ends_at_once(ready, camera):
    camera.gate.clear()
    run = ready.start("capture")
    wait_until(lambda: camera.asked_at, what="the camera being asked")
    os.kill(run.pid, signal.SIGTERM)
    assert run.result().wall < 8
    camera.gate.set()
    ready.capture().expect(0)


@pytest.mark.timing
def test_a_run_that_is_asked_to_end_does_not_wait_for_a_slow_store(ready, camera):
    """systemd waits five seconds before it kills."""
    with Receiver() as endpoint:
        endpoint.always = Answer(200, wait=30)
        run = ready.set(**endpoint.as_http(UPLOAD_DEADLINE="25s")).start("capture")
        wait_until(lambda: endpoint.received, what="upload")
        os.kill(run.pid, signal.SIGTERM)
        assert run.result().wall < 6
    assert ready.spooled_pictures() == [camera.last]


def test_state_directory_of_systemd(ready, tmp_path):
    ready.capture(env={"STATE_DIRECTORY": tmp_path / "sd"}).expect(0)
    assert (tmp_path / "sd/state.jsonl").exists() and not ready.state_folder.exists()
    ready.capture(env={"STATE_DIRECTORY": tmp_path / "sd", "STATE_PATH": tmp_path / "own"}).expect(0)
    assert (tmp_path / "own/state.jsonl").exists()


@pytest.mark.parametrize("name", ["lock", "state.jsonl", "session.json", "spool/dirty"])
def test_a_pipe_where_a_file_belongs_holds_nobody_up(ready, name):
    path = ready.state_folder / name
    path.parent.mkdir(parents=True)
    os.mkfifo(path)
    result = ready.capture(timeout=20)
    assert result.code in (0, 74) and result.wall < 10, result
    assert result.code == 0 or result.errors, "a refusal is explained"

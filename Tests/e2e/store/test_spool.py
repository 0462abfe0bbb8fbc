"""The spool: bounded, secret, first in first out, and honest about what it lost."""
import os
import re

import pytest

from disk import failing as failing_call, small_disk
from pictures import picture
from receiver import Answer
from web import write_ring

pytestmark = pytest.mark.asan


@pytest.fixture
def failing(ready, endpoint, camera):
    """The program with a store that fails at once."""
    endpoint.always = Answer(500)
    camera.picture = lambda: picture(size=100_000)
    return ready.set(**endpoint.as_http(UPLOAD_ATTEMPTS=1, UPLOAD_DEADLINE="5s"))


def test_the_oldest_is_dropped_first_and_counted(failing, camera, endpoint):
    failing.set(SPOOL_MAX_BYTES=350_000)
    for _ in range(5):
        failing.capture().expect(75)
    assert sorted(failing.spooled_pictures()) == sorted(camera.served[2:])
    health = failing.health()
    assert (health["spool"]["count"], health["spool"]["dropped"]) == (3, 2) and health["status"] == "degraded"
    assert 300_000 <= health["spool"]["bytes"] <= 350_000
    endpoint.always = None
    for _ in range(4):
        failing.capture().expect(0)
    taken = [r.file for r in endpoint.received[-7:]]
    assert sorted(taken) == sorted(camera.served[2:])
    health = failing.health()
    assert (health["total_captures"], health["total_uploads"], health["failed_uploads"]) == (9, 7, 5)
    assert health["spool"] == {**health["spool"], "count": 0, "bytes": 0, "oldest": None, "dropped": 2}


def test_a_picture_that_cannot_be_kept_is_lost_with_exit_74_and_counted(failing, camera):
    result = failing.set(SPOOL_MAX_BYTES=50_000).capture("--json").refuses(74)
    assert not failing.spooled_pictures() and result.json["result"] not in ("stored", "spooled")
    assert failing.health()["spool"]["dropped"] == 1


def test_a_full_disk(failing, camera, tmp_path):
    with small_disk(tmp_path / "disk", "size=400k") as disk:
        failing.set(STATE_PATH=disk / "state", SPOOL_MIN_FREE=0)
        for _ in range(6):
            failing.capture().expect(75)
        health = failing.health()
        assert failing.spooled_pictures() == camera.served[-health["spool"]["count"]:], "the newest, and no halves"
        assert health["status"] == "degraded" and health["spool"]["count"] + health["spool"]["dropped"] == 6
        assert 1 <= health["spool"]["count"] < 4, "there is no room for more"


def test_room_is_left_on_the_disk(failing, tmp_path):
    with small_disk(tmp_path / "disk", "size=1M") as disk:
        failing.set(STATE_PATH=disk / "state", SPOOL_MIN_FREE="600K")
        assert [failing.capture().code for _ in range(6)] == [75] * 6
        space = os.statvfs(disk)
        assert space.f_bavail * space.f_frsize >= 600 * 1024


def test_strange_files_in_the_spool_do_no_harm(failing, endpoint, camera):
    failing.capture().expect(75)
    spool = failing.state_folder / "spool"
    (spool / "mine.txt").write_text("not a picture")
    (spool / "folder").mkdir()
    (spool / "link.jpg").symlink_to("/etc/passwd")
    (spool / ("x" * 200)).write_bytes(b"")
    endpoint.always, endpoint.received[:] = None, []
    for _ in range(3):
        failing.capture().expect(0)
    assert sorted(r.file for r in endpoint.received) == sorted(camera.served), "every picture, and nothing else"
    assert (spool / "mine.txt").exists()


def test_a_damaged_spooled_picture_is_not_uploaded(failing, endpoint, camera):
    failing.capture().expect(75)
    path, = [p for p in (failing.state_folder / "spool").rglob("*") if p.is_file()]
    path.write_bytes(path.read_bytes()[:5000])
    endpoint.always, endpoint.received[:] = None, []
    for _ in range(2):
        failing.capture().expect(0)
    assert [r.file for r in endpoint.received] == camera.served[1:]


@pytest.mark.parametrize("sizes", [(50_000, 50_000, 50_000), (50_000, 60_000, 70_000)], ids=["same", "other"])
def test_a_lost_record_costs_no_picture(failing, camera, endpoint, sizes):
    wanted = iter(sizes)
    # Zeros behind the picture's end give it an exact size.
    camera.picture = lambda: picture().ljust(next(wanted), b"\0")
    failing.capture().expect(75)
    failing.capture().expect(75)
    failing.ring.tear(2)
    failing.capture().expect(75)
    health = failing.health()
    assert (health["total_captures"], health["failed_uploads"], health["spool"]["count"]) == (3, 3, 3)
    endpoint.always, endpoint.received[:] = None, []
    failing.run("drain").expect(0)
    assert sorted(r.file for r in endpoint.received) == sorted(camera.served)
    health = failing.health()
    assert (health["total_captures"], health["total_uploads"], health["spool"]["count"]) == (3, 3, 0)


def test_a_spool_that_cannot_be_counted_keeps_what_is_in_it(failing, camera, endpoint):
    camera.picture = lambda: picture().ljust(50_000, b"\0")
    failing.capture().expect(75)
    failing.capture().expect(75)
    failing.ring.tear(2)
    failing.capture(prefix=failing_call("getdents64", "EIO", failing.state_folder / "spool")).expect(75)
    endpoint.always, endpoint.received[:] = None, []
    failing.run("drain").expect(0)
    assert sorted(r.file for r in endpoint.received) == sorted(camera.served)
    health = failing.health()
    assert (health["total_captures"], health["total_uploads"], health["spool"]["count"]) == (3, 3, 0)


def test_a_picture_whose_facts_are_damaged_is_not_uploaded(failing, endpoint, camera):
    failing.capture().expect(75)
    path, = [p for p in (failing.state_folder / "spool").rglob("*") if p.is_file()]
    path.write_bytes(path.read_bytes().replace(b"front_2", b"frost_2"))
    endpoint.always, endpoint.received[:] = None, []
    result = failing.run("drain").expect(0)
    assert not endpoint.received and "damaged" in result.stderr and failing.health()["spool"]["dropped"] == 1


def test_a_spool_of_the_version_before_is_understood(failing, endpoint, camera):
    failing.capture().expect(75)
    path, = [p for p in (failing.state_folder / "spool").rglob("*") if p.is_file()]
    path.write_bytes(re.sub(rb',"crc":"\w{8}"}\n$', b"}\n", path.read_bytes()))
    endpoint.always, endpoint.received[:] = None, []
    failing.run("drain").expect(0)
    assert [r.file for r in endpoint.received] == camera.served


def test_facts_survive_the_spool(failing, endpoint):
    failing.set(CAMERA_NAME="Tür 1").capture().expect(75)
    first = endpoint.last
    endpoint.always = None
    failing.capture().expect(0)
    again = [r for r in endpoint.received if r.file == first.file][-1]
    assert again is not first and again.fields == first.fields and again.filename == first.filename


def test_many_that_the_store_refuses_hold_up_no_other_for_long(failing, camera, endpoint):
    for _ in range(5):
        failing.capture().expect(75)
    endpoint.always, endpoint.answers = None, [Answer(200), *[Answer(413)] * 3]
    failing.capture().expect(0)
    assert failing.spooled_pictures() == camera.served[:5]
    endpoint.received[:] = []
    failing.capture().expect(0)
    assert failing.spooled_pictures() == camera.served[:3]
    assert [r.file for r in endpoint.received] == [camera.last, *camera.served[3:5]]
    failing.capture().expect(0)
    assert len(endpoint.received) == 4, "they cost nothing for a while"
    # The record now says that the refusals are more than an hour old.
    record = failing.state
    record["spool"]["refused"]["since"] = {"at": "2026-01-01T00:00:00Z", "up": None}
    write_ring(failing.state_folder, [{name: value for name, value in record.items() if name != "crc"}])
    failing.capture().expect(0)
    assert not failing.spooled_pictures() and failing.health()["total_uploads"] == 9


@pytest.mark.parametrize("status", [413, 500])
def test_one_that_the_store_chokes_on_holds_up_no_other(failing, camera, endpoint, status):
    for _ in range(3):
        failing.capture().expect(75)
    endpoint.always, endpoint.answers = None, [Answer(200), Answer(status)]
    failing.capture().expect(0)
    assert failing.spooled_pictures() == [camera.served[0]], "the oldest stays, the others are sent"
    failing.capture().expect(0)
    assert not failing.spooled_pictures()

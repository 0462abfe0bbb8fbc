"""The contract of every store: one suite, run over the filesystem, HTTP (multipart and raw) and three S3 servers, one also over TLS."""
import re
from datetime import datetime, timedelta, timezone

import pytest

from pictures import picture
from stores import KINDS, REMOTE_KINDS, sha256, store

pytestmark = pytest.mark.asan

DEFAULT_KEY = re.compile(r"front/(\d{4})/(\d\d)/(\d\d)/front_((\d{4})(\d\d)(\d\d)T\d{6}\.\d{3}Z)\.jpg")
STRANGE = ["a b", "é+😀", "100%", "it's \"x\"", "a&b=c?d#e", "(1)*!~;,:@$", "ÅÅ"]


@pytest.fixture(params=KINDS)
def store_(request, tmp_path):
    with store(request.param, tmp_path) as s:
        yield s


@pytest.fixture(params=REMOTE_KINDS)
def remote(request, tmp_path):
    with store(request.param, tmp_path) as s:
        yield s


def test_a_picture_arrives_byte_for_byte_under_its_key_with_its_facts(ready, camera, store_):
    camera.picture = lambda: picture(size=700_000)
    before = datetime.now(timezone.utc)
    outcome = ready.set(**store_.settings).capture("--json").expect(0).json
    (key, data), = store_.pictures().items()
    assert data == camera.last
    stamp = DEFAULT_KEY.fullmatch(key)
    assert stamp and stamp.groups()[:3] == stamp.groups()[4:], key
    taken = datetime.strptime(stamp[4], "%Y%m%dT%H%M%S.%fZ").replace(tzinfo=timezone.utc)
    assert before - timedelta(milliseconds=1) <= taken <= datetime.now(timezone.utc)
    assert outcome["result"] == "stored" and outcome["key"].endswith(key)
    assert (outcome["bytes"], outcome["sha256"]) == (len(data), sha256(data))
    assert (outcome["width"], outcome["height"]) == (640, 360)
    if store_.remote:
        facts = store_.facts(key)
        assert abs(datetime.fromisoformat(facts.pop("captured_at")) - taken) < timedelta(seconds=1)
        clock = "synced" if ready.health()["clock"]["synced"] else "unsynced"
        expected = {"camera": "front", "sha256": sha256(data), "content_type": "image/jpeg", "clock": clock,
                    "key": key, "filename": key.rpartition("/")[2]}
        assert facts == {name: expected[name] for name in store_.names}
    assert not ready.spool()
    assert ready.health()["total_uploads"] == 1


@pytest.mark.parametrize("name", STRANGE)
def test_strange_names_reach_the_key_and_the_facts_unharmed(ready, camera, store_, name):
    prefix = {"S3_PREFIX": store_.prefix + "x y+é%/"} if "S3_PREFIX" in store_.settings else {}
    ready.set(**store_.settings).set(CAMERA_NAME=name, KEY_TEMPLATE="{camera}/pic %41+{timestamp}.jpg", **prefix)
    ready.capture().expect(0)
    (key, data), = store_.pictures().items()
    assert data == camera.last
    expected = prefix.get("S3_PREFIX", "").removeprefix(getattr(store_, "prefix", ""))
    assert re.fullmatch(re.escape(f"{expected}{name}/pic %41+") + r"\d{8}T\d{6}\.\d{3}Z\.jpg", key)
    assert not store_.remote or store_.facts(key)["camera"] == name


def test_store_down_keeps_the_picture_which_arrives_once_it_is_back(ready, camera, store_):
    store_.down()
    ready.set(**store_.settings).set(UPLOAD_DEADLINE="2s")
    result = ready.capture("--json").refuses(75)
    assert result.json["result"] == "spooled" and result.wall < 10
    kept = camera.last
    assert ready.spooled_pictures() == [kept]
    assert ready.health()["spool"]["count"] == 1
    store_.up()
    ready.capture().expect(0)
    assert sorted(store_.pictures().values()) == sorted([kept, camera.last]) and kept != camera.last
    assert not ready.spooled_pictures()
    health = ready.health()
    assert (health["total_captures"], health["total_uploads"], health["failed_uploads"]) == (2, 2, 1)


def test_a_wrong_secret_is_told_at_once_and_held_off_until_the_settings_change(ready, camera, remote):
    ready.set(**remote.settings).set(**remote.wrong_secret)
    result = ready.capture().refuses(77)
    assert result.wall < 8 and result.hints
    first = remote.proxy.connections
    assert first == 1, "one attempt"
    assert ready.spooled_pictures() == [camera.last]
    for _ in range(2):
        ready.capture().expect(77)
    assert remote.proxy.connections == first, "held off"
    assert not remote.pictures()
    assert ready.health()["status"] == "unhealthy" and ready.run("health").code == 1
    ready.set(**remote.settings).capture().expect(0)
    for _ in range(3):
        if ready.spooled_pictures():
            ready.capture().expect(0)
    assert len(remote.pictures()) == ready.health()["total_captures"], "nothing was lost"


def test_an_outage_of_several_runs_loses_nothing_and_makes_no_doubles(ready, camera, remote):
    ready.set(**remote.settings).set(UPLOAD_DEADLINE="1s", UPLOAD_ATTEMPTS=1)
    remote.down()
    for _ in range(4):
        ready.capture().expect(75)
    remote.up()
    for _ in range(4):
        ready.capture().expect(0)
    assert sorted(remote.pictures().values()) == sorted(camera.served)
    assert not ready.spooled_pictures()
    assert ready.health()["failed_uploads"] == 4


def test_a_silent_store_is_left_at_the_deadline(ready, camera, remote):
    ready.set(**remote.settings).set(UPLOAD_DEADLINE="1s")
    ready.capture().expect(0)
    remote.proxy.set("blackhole")
    remote.proxy.spans.clear()
    ready.capture().refuses(75)
    # test_retry.py measures how well the deadline is kept.
    assert remote.proxy.busy() < 6
    assert ready.spooled_pictures() == [camera.last]

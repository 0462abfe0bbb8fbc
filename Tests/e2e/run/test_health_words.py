"""What health says to people: the cause first, figures that agree with each other, units that are read at a glance."""
import json
import re
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from camera import Camera, http
from receiver import Answer
from web import moment, record, write_ring

pytestmark = pytest.mark.asan


def first_line(snapshot, **how):
    return snapshot.run("health", **how).stdout.splitlines()[0]


def failures(snapshot):
    """Checks that no figure contradicts another one, and returns the health."""
    health = snapshot.health()
    text = snapshot.run("health").stdout
    assert health["consecutive_failures"] <= health["capture_failures"] + health["failed_uploads"], health
    newest = snapshot.ring.newest
    assert sum(hour[2] for hour in newest["hours"]) == health["capture_failures"] + health["failed_uploads"], newest["hours"]
    assert not re.search(r"\b0 (not|failed|runs|dropped)|\b1 (runs|tries|restarts)\b|KiB|MiB", text), text
    assert (health["cause"] is None) == (health["consecutive_failures"] == 0)
    return health


@pytest.mark.preloads
def test_an_outage_begins_with_its_cause(ready, camera):
    ready.set(TZ="Asia/Kathmandu", CAPTURE_INTERVAL="1s").capture().expect(0)
    at = datetime.now(ZoneInfo("Asia/Kathmandu"))
    camera.stop()
    for _ in range(2):
        ready.capture().expect(69)
    later = ("faketime", "-f", "+5m")
    line = ready.run("health", prefix=later).expect(1).stdout.splitlines()[0]
    # Five minutes before midnight another day has come by then.
    found = re.fullmatch(r"front: unhealthy: the camera hasn't answered since (?:[\d-]{10} )?(\d\d:\d\d) \(connection refused\)", line)
    assert found, line
    assert found[1] in {at.strftime("%H:%M"), datetime.now(ZoneInfo("Asia/Kathmandu")).strftime("%H:%M")}
    # A time on another day is shown with its date.
    line = ready.run("health", prefix=("faketime", "-f", "+2d")).stdout.splitlines()[0]
    assert f"since {at.strftime('%Y-%m-%d')} " in line
    assert "the camera hasn't answered since" in ready.run("health", "--nagios", prefix=later).stdout
    health = ready.run("health", "--json", prefix=later).json
    assert health["cause"].startswith("the camera hasn't answered") and health["last_error"] == "camera-unreachable"
    assert "://" not in json.dumps(health) and str(camera.port) not in json.dumps(health)
    failures(ready)


@pytest.mark.preloads
def test_each_part_that_fails_has_its_own_beginning(ready, camera, endpoint):
    """The camera fails first, then the store: the store's outage begins with the store's own failure."""
    ready.capture().expect(0)
    camera.raw = b"nothing"
    ready.capture(prefix=("faketime", "-f", "-3h")).expect(69)
    camera.raw = None
    endpoint.always = Answer(500)
    ready.set(**endpoint.as_http(UPLOAD_DEADLINE="1s", UPLOAD_ATTEMPTS=1))
    ready.capture().expect(75)
    line = first_line(ready)
    assert re.search(r"degraded: the store has taken no picture since .*\(HTTP status 500\), 1 picture waits in the spool", line), line
    records = ready.ring.records
    assert records[-1]["last_error"]["since"]["at"] > records[-2]["last_error"]["since"]["at"]
    failures(ready)


def test_a_drain_ends_the_stores_outage(ready, endpoint):
    ready.set(SPOOL_MIN_FREE=0)
    endpoint.always = Answer(500)
    store = endpoint.as_http(UPLOAD_DEADLINE="1s", UPLOAD_ATTEMPTS=1)
    for _ in range(3):
        ready.capture(env=store).expect(75)
    assert failures(ready)["consecutive_failures"] == 3
    endpoint.always = Answer(200)
    ready.run("drain", env=store).expect(0)
    health = failures(ready)
    assert (health["status"], health["consecutive_failures"], health["failed_uploads"]) == ("healthy", 0, 3)
    assert "failing" not in ready.run("health").stdout


@pytest.mark.preloads
def test_a_drain_does_not_make_up_for_a_camera_that_is_away(ready, endpoint):
    """Old pictures arrive now, none is taken: that isn't healthy."""
    ready.set(CAPTURE_INTERVAL="1s")
    endpoint.always = Answer(500)
    store = endpoint.as_http(UPLOAD_DEADLINE="1s", UPLOAD_ATTEMPTS=1)
    ready.capture(env=store).expect(75)
    ready.capture(env={"CAMERA_IP": "127.0.0.1:9"}).expect(69)
    endpoint.always = Answer(200)
    later = ("faketime", "-f", "+5s")
    ready.run("drain", env=store, prefix=later).expect(0)
    health = ready.run("health", "--json", prefix=later).json
    assert health["status"] == "degraded" and health["reasons"] == ["stale"] and health["consecutive_failures"] == 2
    assert "the camera hasn't answered" in first_line(ready, prefix=later)


def test_runs_that_wait_for_better_credentials_count_as_failures(ready):
    ready.capture().expect(0)
    for _ in range(4):
        ready.capture(env={"CAMERA_PASSWORD": "wrong", "CAMERA_AUTH": "token"}).expect(77)
    health = failures(ready)
    assert health["capture_failures"] == health["consecutive_failures"] == 4
    line = first_line(ready)
    assert "the camera has refused the login since" in line and "tried again" not in line


@pytest.mark.parametrize("bad, words", [
    ({"CAPTURE_INTERVAL": "soon"}, "CAPTURE_INTERVAL"), ({"STORAGE_BACKEND": "s3"}, "S3_BUCKET is not set"),
    ({"CAMERA_IP": None}, "no camera is set"), ({"LOCAL_STORAGE_PATH": "$HOME/x"}, "LOCAL_STORAGE_PATH")])
def test_settings_that_are_refused_reach_health(ready, bad, words):
    ready.capture().expect(0)
    before = ready.health()
    for _ in range(2):
        ready.capture(env=bad).expect(78)
    health = failures(ready)
    assert health["reasons"] == ["settings_refused"] and health["status"] == "unhealthy" and health["last_error"] == "settings"
    assert health["total_captures"] == before["total_captures"] and health["interval_seconds"] == before["interval_seconds"]
    line = first_line(ready)
    assert "the settings have been refused since" in line and words in line and "soon'" not in line
    assert ready.run("health", "--nagios").code == 2
    ready.capture().expect(0)
    assert failures(ready)["status"] == "healthy"


def test_settings_that_were_refused_from_the_beginning(ready):
    ready.set(STATE_PATH=ready.state_folder).capture(env={"CAMERA_CHANNEL": "first"}).expect(78)
    health = ready.health()
    assert health["reasons"] == ["never_captured", "settings_refused"] and "CAMERA_CHANNEL" in health["cause"]
    assert "CAMERA_CHANNEL" in first_line(ready)


def test_a_file_that_cannot_be_understood_reaches_a_state_that_is_there(ready):
    """A file that can't be read may name another state, so the failure goes into the default one, if that exists."""
    broken = ready.folder / "broken.env"
    broken.write_text("CAMERA_NAME door\n")
    ready.capture("--config", broken).expect(78)
    assert not ready.state_folder.exists()
    ready.capture().expect(0)
    ready.capture("--config", broken).expect(78)
    assert ready.health()["reasons"] == ["settings_refused"]
    assert "no '=' in this line" in first_line(ready)


def test_no_state_is_made_in_a_folder_that_nobody_named(ready):
    ready.capture(env={"CAPTURE_INTERVAL": "soon"}).expect(78)
    assert not ready.state_folder.exists()


def test_a_secret_setting_stays_one_in_health(ready):
    ready.set(STATE_PATH=ready.state_folder).capture(env={"CAMERA_PASSWORD": "'canary-secret'"}).expect(78)
    text = json.dumps(ready.health()) + first_line(ready) + ready.ring.path.read_bytes().decode()
    assert "CAMERA_PASSWORD" in text and "canary" not in text


def test_units_are_for_people(ready):
    values = record(1, consecutive_failures=1, last_error={"code": "store-busy", "moment": moment(3)}, failed_uploads=0, capture_failures=0,
                    spool={"count": 1234, "bytes": 17817 * 1024, "oldest": moment(900), "dropped": 1},
                    clock={"synced": False, "offset_seconds": -2400, "latest_ms": 0})
    write_ring(ready.state_folder, [values])
    text = ready.run("health").stdout
    assert "1,234 waiting, 17 MB, 1 dropped" in text and "not synced, 40 min ahead of the store" in text
    assert "1 run in a row" in text and "not stored by the run" not in text and "without a picture" not in text


def test_latencies_are_told_in_milliseconds(ready):
    stored = ready.capture().expect(0).stdout
    assert re.search(r"\(\d+×\d+, [\d.]+ [KM]B, camera \d+ ms, store \d+ ms\)", stored), stored


@pytest.mark.parametrize("left, words", [(1, "1 try left"), (2, "2 tries left")])
def test_one_try_is_singular(snapshot, left, words):
    error = {"detail": "login failed", "rspCode": -7, "remain_times": left}
    with Camera(password="x") as camera:
        camera.raw_login = http(json.dumps([{"cmd": "Login", "code": 1, "error": error}]).encode(), kind="text/html")
        result = snapshot.set(CAMERA_IP=camera.address, CAMERA_PASSWORD="y", CAMERA_AUTH="token").capture().expect(77)
        assert f", {words} before it locks" in result.errors[0]

"""Logging in to the camera: sessions kept, passwords unharmed, refused credentials held off, keys pinned."""
import stat

import pytest

from camera import Camera, http
from disk import remount, small_disk
from tls import KINDS, Authority, self_signed

pytestmark = pytest.mark.asan

PASSWORDS = ["", "simple", "with space", "a%21b!", "a+b&c=d?e#f", "pässwörd😀", "'\"`\\", "%", "%%41", "$HOME", "x" * 31]


def session(snapshot, camera):
    """The file that keeps the camera's token."""
    token = next(iter(camera.sessions)).encode()
    found = [p for p in snapshot.state_folder.rglob("*") if p.is_file() and token in p.read_bytes()]
    assert len(found) == 1, list(snapshot.state_folder.rglob("*"))
    return found[0]


@pytest.mark.parametrize("auth", ["auto", "token", "password"])
@pytest.mark.parametrize("password", PASSWORDS)
def test_any_password_reaches_the_camera_unharmed(snapshot, auth, password):
    with Camera(password=password) as camera:
        snapshot.set(**camera.settings(), CAMERA_AUTH=auth).capture().expect(0)
        assert camera.failed_logins == 0 and camera.logins == (0 if auth == "password" else 1)
        assert ("token=" in camera.requests[-1], "password=" in camera.requests[-1]) == (auth != "password", auth == "password")


def test_a_long_password_gets_a_hint(snapshot):
    with Camera(password="x" * 31) as camera:
        result = snapshot.set(**camera.settings()).set(CAMERA_PASSWORD="x" * 40).capture().refuses(77)
        assert any("31" in h for h in result.hints), result.stderr


def test_the_session_is_kept_between_runs_in_a_secret_file(ready, camera):
    for _ in range(5):
        ready.capture().expect(0)
    assert camera.logins == 1 and len(camera.sessions) == 1
    assert stat.S_IMODE(session(ready, camera).stat().st_mode) == 0o600


@pytest.mark.long
def test_a_hundred_one_shots_open_at_most_two_sessions(ready, camera):
    for _ in range(100):
        ready.capture().expect(0)
    assert camera.logins <= 2 and len(camera.sessions) <= 2 and len(ready.stored()) == 100


def test_a_session_that_the_camera_forgot_is_renewed_in_the_same_run(ready, camera):
    ready.capture().expect(0)
    camera.sessions.clear()
    ready.capture().expect(0)
    assert camera.logins == 2 and len(ready.stored()) == 2


@pytest.mark.parametrize("damage", [b"", b"{", b"\xff\xfe\0", b'{"token":5}', b"x" * 100_000])
def test_a_damaged_session_file_costs_one_login(ready, camera, damage):
    ready.capture().expect(0)
    session(ready, camera).write_bytes(damage)
    ready.capture().expect(0)
    assert camera.logins == 2


def test_a_camera_that_knows_no_tokens_is_asked_with_the_password_and_that_is_remembered(snapshot):
    with Camera(password="pw", tokens=False) as camera:
        for _ in range(3):
            snapshot.set(**camera.settings()).capture().expect(0)
        assert sum("cmd=Login" in r for r in camera.requests) == 1
        assert camera.snaps == 3


def test_a_login_answer_that_is_too_large_is_no_picture(snapshot):
    with Camera(password="s3cret") as camera:
        camera.raw_login = http(b"[" + b" " * 70_000 + b"]")
        for way in ("token", "auto"):
            snapshot.set(**camera.settings(), CAMERA_AUTH=way).capture().refuses(69, "doesn't answer as a Reolink does")
        assert not any("s3cret" in r for r in camera.requests)


def test_token_mode_never_puts_the_password_into_a_url(snapshot):
    with Camera(password="s3cret", tokens=False) as camera:
        snapshot.set(**camera.settings(), CAMERA_AUTH="token").capture().refuses(69, "doesn't answer as a Reolink does")
        assert camera.requests and not any("s3cret" in r for r in camera.requests)


@pytest.mark.parametrize("auth", ["auto", "token", "password"])
def test_a_wrong_password_is_held_off(snapshot, auth):
    with Camera(password="right") as camera:
        snapshot.set(**camera.settings(), CAMERA_AUTH=auth).set(CAMERA_PASSWORD="wrong")
        for _ in range(3):
            result = snapshot.capture().refuses(77)
            assert result.hints and result.wall < 8
        assert 1 <= camera.failed_logins <= 3
        attempts = camera.failed_logins
        for _ in range(5):
            snapshot.capture().expect(77)
        assert camera.failed_logins == attempts, "held off"
        health = snapshot.health()
        assert health["status"] == "unhealthy" and not snapshot.stored()
        snapshot.set(CAMERA_PASSWORD="right").capture().expect(0)
        assert snapshot.health()["status"] == "healthy"


@pytest.mark.parametrize("kind", KINDS)
def test_the_first_key_is_trusted_and_another_refused(snapshot, tmp_path, kind):
    first, second = (self_signed(tmp_path, n, kind) for n in ("first", "second"))
    with Camera(password="pw", certificate=first) as camera:
        snapshot.set(**camera.settings(), CAMERA_USE_HTTPS="true")
        for _ in range(2):
            snapshot.capture().expect(0)
    with Camera(password="pw", certificate=second, port=camera.port) as camera:
        result = snapshot.capture().refuses(77, "key")
        assert result.hints and not camera.requests, "no password goes to a stranger"
        snapshot.set(CAMERA_TLS_VERIFY=second[2]).capture().expect(0)


def test_key_modes(snapshot, tmp_path):
    certificate = self_signed(tmp_path)
    other = self_signed(tmp_path, "other")
    with Camera(password="pw", certificate=certificate) as camera:
        snapshot.set(**camera.settings(), CAMERA_USE_HTTPS="yes")
        snapshot.set(CAMERA_TLS_VERIFY="off").capture().expect(0)
        snapshot.set(CAMERA_TLS_VERIFY=certificate[2]).capture().expect(0)
        before = len(camera.requests)
        snapshot.set(CAMERA_TLS_VERIFY=other[2]).capture().refuses(77)
        snapshot.set(CAMERA_TLS_VERIFY="ca").capture().refuses(69, "certificate")
        assert len(camera.requests) == before


def test_a_camera_with_a_certificate_of_a_known_authority(snapshot, tmp_path):
    authority = Authority(tmp_path)
    with Camera(password="pw", certificate=authority.issue("127.0.0.1")) as camera:
        snapshot.set(**camera.settings(), CAMERA_USE_HTTPS="true", CAMERA_TLS_VERIFY="ca")
        snapshot.capture().expect(69)
        snapshot.capture(env={"SSL_CERT_FILE": authority.certificate}).expect(0)


def test_plain_http_to_an_https_port_and_back_is_told(snapshot, tmp_path):
    with Camera(password="pw", certificate=self_signed(tmp_path)) as camera:
        snapshot.set(**camera.settings()).capture().refuses(69)
    with Camera(password="pw") as camera:
        snapshot.set(**camera.settings(), CAMERA_USE_HTTPS="true").capture().refuses(69)


def test_nobody_there(snapshot):
    with Camera() as camera:
        settings = camera.settings()
    assert snapshot.set(**settings).capture().refuses(69, "connect").wall < 8


@pytest.mark.timing
def test_an_address_that_does_not_answer_is_left_at_the_connect_deadline(snapshot):
    result = snapshot.set(CAMERA_IP="192.0.2.1", CAMERA_CONNECT_TIMEOUT="1s").capture().refuses(69)
    assert result.wall < 2


def test_a_changed_password_is_tried_at_once_though_the_old_session_lives(snapshot):
    with Camera(password="right") as camera:
        snapshot.set(**camera.settings()).capture().expect(0)
        snapshot.set(CAMERA_PASSWORD="wrong").capture().refuses(77)
        assert camera.failed_logins == 1
        snapshot.set(CAMERA_PASSWORD="right").capture().expect(0)
        assert camera.logins == 1, "the first session is still used"


LOCKED = b'[{"cmd":"Login","code":1,"error":{"detail":"Login has been locked","rspCode":%d}}]'


@pytest.mark.parametrize("answer", [LOCKED % -1, LOCKED % -4, LOCKED % 0, b"Login has been locked"])
def test_a_locked_login_is_held_off_whatever_its_code(snapshot, answer):
    with Camera(password="right") as camera:
        camera.raw_login = http(answer, kind="text/html")
        snapshot.set(**camera.settings()).capture().refuses(77, "locked")
        asked = len(camera.requests)
        assert asked == 1, "user and password are not tried after that"
        snapshot.capture().expect(77)
        assert len(camera.requests) == asked, "held off"


def test_a_camera_that_is_still_starting_spoils_nothing(snapshot):
    """While it starts, it answers every request, a login, too, with an HTML page."""
    with Camera(password="right", passwords=False) as camera:
        page = http(b"<html>starting</html>", kind="text/html")
        camera.raw, camera.raw_login = page, page
        snapshot.set(**camera.settings()).capture().refuses(69)
        camera.raw = camera.raw_login = None
        snapshot.capture().expect(0)


def test_a_camera_that_no_longer_takes_passwords_gets_a_token(snapshot):
    with Camera(password="right", tokens=False) as camera:
        snapshot.set(**camera.settings()).capture().expect(0)
        camera.tokens, camera.passwords = True, False
        for _ in range(2):
            snapshot.capture().expect(0)
        assert camera.logins == 1


def test_another_way_to_log_in_is_tried_at_once(snapshot):
    with Camera(password="right") as camera:
        snapshot.set(**camera.settings(), CAMERA_AUTH="token").set(CAMERA_PASSWORD="wrong").capture().expect(77)
        camera.password = "wrong"
        snapshot.capture().expect(77)
        snapshot.set(CAMERA_AUTH="password").capture().expect(0)


def test_sessions_that_cannot_be_remembered_are_closed(ready, camera, tmp_path):
    """Otherwise each run would leave one open, until the camera lets nobody in."""
    with small_disk(tmp_path / "state") as disk:
        ready.set(STATE_PATH=disk).capture().expect(0)
        (disk / "session.json").unlink()
        remount(disk, "ro")
        for _ in range(3):
            ready.capture().expect(74)
        remount(disk, "rw")
        assert len(ready.stored()) == 4 and len(camera.sessions) == 1


def test_a_run_by_hand_without_the_password_locks_nobody_out(snapshot):
    """It shares the service's state, but not its secrets; good runs of the service come in between."""
    with Camera(password="right") as camera:
        snapshot.set(**camera.settings())
        for _ in range(4):
            snapshot.capture().expect(0)
            assert snapshot.health()["status"] == "healthy"
            result = snapshot.capture(env={"CAMERA_PASSWORD": ""}).expect(77)
        assert camera.failed_logins == 1 and "CAMERA_PASSWORD is empty" in snapshot.capture(
            env={"CAMERA_PASSWORD": "", "CAMERA_AUTH": "password"}).refuses(77).stderr
        assert result.hints

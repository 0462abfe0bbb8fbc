"""`snapshot check` and the camera: the right sentence for each thing that is wrong, in time, and no session left."""
import re
import socket

import pytest

from camera import Camera
from checking import PASSWORD, check, settings_of, simulated  # noqa: F401
from process import free_port, wait_until
from rtsp import RTSPServer
from tls import KINDS, self_signed

pytestmark = pytest.mark.asan

# fault: (exit code, what fails, words of its line, word of its hint)
FAULTS = {
    "json-error": (69, "picture", "taking the picture failed inside the camera", "restart"),
    "rsp-49": (69, "picture", "it has no channel 0", "CAMERA_CHANNEL"),
    "rsp-12": (69, "picture", "it can't read its configuration", "restart"),
    "rsp-16": (69, "picture", "the hub can't reach the camera", "Wi-Fi"),
    "rsp-26": (69, "picture", "this user may not do that", "administrator"),
    "truncated": (69, "picture", "ended before its announced length", None),
    "short": (69, "picture", "the JPEG is cut short", None),
    "html": (69, "picture", "an HTML page, not a picture", "--verbose"),
    "empty": (69, "picture", "the body is empty", "CAMERA_WIDTH"),
    "tiny": (69, "picture", "28 bytes are too few", None),
    "drip": (69, "picture", "longer than CAMERA_TIMEOUT", "CAMERA_STREAM=sub"),
    "drip-header": (69, "picture", "longer than CAMERA_TIMEOUT", "CAMERA_STREAM=sub"),
    "hang": (69, "picture", "longer than CAMERA_TIMEOUT", "CAMERA_STREAM=sub"),
    "endless": (69, "picture", "over 16 MB, or never ends", "CAMERA_MAX_BYTES"),
    "endless-lengthless": (69, "picture", "over 16 MB, or never ends", "CAMERA_MAX_BYTES"),
    "huge-length": (69, "picture", "over 16 MB, or never ends", "CAMERA_MAX_BYTES"),
    "reset": (69, "picture", "lost connection to camera", None),
    "reset-mid": (69, "picture", "lost connection to camera", None),
    "500": (69, "picture", "HTTP status 500", None),
    "404": (69, "picture", "HTTP status 404", "CAMERA_WIDTH"),
    "302": (69, "picture", "HTTP status 302, a redirect", "CAMERA_USE_HTTPS"),
    "300": (69, "login", "HTTP status 300, a redirect", "CAMERA_USE_HTTPS=true"),
    "401": (77, "login", "camera refuses login", "CAMERA_PASSWORD"),
    "locked": (77, "login", "the login is locked", "CAMERA_PASSWORD"),
    "max-session": (69, "picture", "all its sessions are taken", "close its app"),
    "login-frequent": (69, "login", "too many logins in a short time", "wait"),
    "login-500": (69, "login", "HTTP status 500", None),
    "login-hang": (69, "camera", "longer than CAMERA_TIMEOUT", None),
    "login-reset": (69, "camera", "lost connection to camera", None),
    "hang-connect": (69, "camera", "CAMERA_CONNECT_TIMEOUT", None),
}
# oddity: words of the login's line
HARMLESS = {
    "login-404": "by user and password", "login-html": "by user and password",
    "token-refused:1": "", "mistyped": "a session that was closed again", "padded": "", "no-jfif": "", "slow:500": "",
    "wrong-length": "", "short-length": "", "open": "", "mjpeg": "",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_has_its_sentence(simulated, check, fault):
    code, subject, words, hint = FAULTS[fault]
    simulated.fault(fault)
    found = check(**settings_of(simulated, CAMERA_TIMEOUT="3s", CAMERA_CONNECT_TIMEOUT="2s"))
    assert found.failed == [subject] and found.code == code, found.all
    assert words in found[subject]["found"] and (hint or "") in found[subject].get("hint", ""), found[subject]
    assert found["storage"]["result"] == "passed" and found["codec"]["result"] == "skipped"
    stats = simulated.stats()
    assert stats["sessions_open"] == 0 and stats["failed_logins"] <= 1


@pytest.mark.parametrize("fault", HARMLESS)
def test_oddities_that_do_no_harm(simulated, check, fault):
    simulated.fault(*fault.split(":") if fault.startswith("token") else [fault])
    found = check(**settings_of(simulated))
    assert found.code == 0 and found["picture"]["result"] == "passed", found.all
    assert HARMLESS[fault] in found["login"]["found"] and simulated.stats()["sessions_open"] == 0


def test_a_good_camera(simulated, check):
    found = check(**settings_of(simulated))
    assert found.code == 0 and not found.failed
    assert found["camera"]["facts"]["model"] == "RLC-810A" and "v3.1.0" in found["camera"]["facts"]["firmware"]
    facts = found["picture"]["facts"]
    assert (facts["width"], facts["height"]) == (640, 360) and facts["bytes"] > 1000 and facts["milliseconds"] >= 0
    assert found["codec"]["result"] == "failed" and not found["codec"]["necessary"]
    assert re.match(r"\d", found["ffmpeg"]["facts"]["version"])
    stats = simulated.stats()
    assert (stats["logins"], stats["logouts"], stats["snaps"], stats["sessions_open"]) == (1, 1, 1, 0)


def test_the_session_that_captures_keep_is_used_and_stays(simulated, snapshot, check):
    snapshot.set(**settings_of(simulated)).capture().expect(0)
    kept = (snapshot.state_folder / "session.json").read_bytes()
    found = check()
    assert found.code == 0 and "the session that captures keep" in found["login"]["found"]
    stats = simulated.stats()
    assert (stats["logins"], stats["logouts"], stats["sessions_open"]) == (1, 0, 1)
    assert (snapshot.state_folder / "session.json").read_bytes() == kept
    assert "healthy" in found["state"]["found"] and found["state"]["facts"]["health"] == "healthy"


def test_a_session_that_the_camera_forgot(simulated, snapshot, check):
    snapshot.set(**settings_of(simulated)).capture().expect(0)
    simulated.reset()
    found = check()
    assert found.code == 0 and "closed again" in found["login"]["found"] and simulated.stats()["sessions_open"] == 0


def test_a_wrong_password_is_tried_once_also_while_held_off(simulated, snapshot, check):
    wrong = settings_of(simulated, CAMERA_PASSWORD="not this one")
    found = check(**wrong)
    assert found.code == 77 and found.failed == ["login"] and "tries left" in found["login"]["found"]
    assert simulated.stats()["failed_logins"] == 1
    snapshot.capture().refuses(77)
    found = check()
    assert "captures try them again in" in found["hold-off"]["found"] and not found["hold-off"]["necessary"]
    assert simulated.stats()["failed_logins"] == 3


def test_nobody_there(check):
    found = check(CAMERA_IP=f"127.0.0.1:{free_port()}", CAMERA_PASSWORD=PASSWORD)
    assert found.code == 69 and found.failed == ["camera"] and "cannot reach camera" in found["camera"]["found"]


def test_a_camera_and_a_store_that_hang_end_in_twenty_seconds(check):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        found = check(CAMERA_IP=f"127.0.0.1:{port}", CAMERA_PASSWORD=PASSWORD, CAMERA_TIMEOUT="60s",
                      STORAGE_BACKEND="http", HTTP_UPLOAD_URL=f"http://127.0.0.1:{port}/up")
    assert found.code == 69 and found.failed == ["camera", "storage"]
    assert "the limit of `snapshot check` (CAMERA_TIMEOUT is 1m)" in found["camera"]["found"]


# Video

@pytest.mark.parametrize("settings, codec, path", [
    ({}, "h264", "h264Preview_01_main"), ({"CAMERA_CHANNEL": 1}, "hevc", "h265Preview_02_main"),
    ({"STREAM_SOURCE": "sub"}, "h264", "h264Preview_01_sub"), ({"CAMERA_CHANNEL": 2}, "h264", "Preview_03_main"),
], ids=["h264", "h265", "sub", "newer"])
def test_the_codec_is_told(check, settings, codec, path):
    with Camera(password=PASSWORD) as camera, RTSPServer("admin", PASSWORD) as rtsp:
        found = check(CAMERA_IP=camera.address, CAMERA_PASSWORD=PASSWORD, CAMERA_RTSP_PORT=rtsp.port, **settings)
        assert found.code == 0 and found["codec"]["result"] == "passed", found["codec"]
        assert found["codec"]["found"].startswith(f"{codec} 320×180, at rtsp://127.0.0.1:{rtsp.port}/{path}")
        assert found["codec"]["facts"]["codec"] == codec and PASSWORD not in found.result.stdout
        # Nothing of it stays open at the camera.
        wait_until(lambda: len(rtsp.events("closed")) == len(rtsp.events("client")), 5, "the end of all connections")


def test_video_that_does_not_come(check):
    with Camera(password=PASSWORD) as camera:
        good = {"CAMERA_IP": camera.address, "CAMERA_PASSWORD": PASSWORD}
        with RTSPServer("admin", "another one") as rtsp:
            found = check(**good, CAMERA_RTSP_PORT=rtsp.port)
            assert found.code == 0 and "refuses the login; only the relay" in found["codec"]["found"]
            assert "CAMERA_PASSWORD" in found["codec"]["hint"] and len(rtsp.events("client")) <= 2, "a refused login is not repeated"
            found = check(STREAM_MODE="hls")
            assert found.code == 69 and found.failed == ["codec"]
            rtsp.freeze()
            assert "no answer in time" in check()["codec"]["found"]
        with RTSPServer() as rtsp:
            found = check(CAMERA_CHANNEL=7, CAMERA_RTSP_PORT=rtsp.port)
            assert found.failed == ["codec"] and "no such stream" in found["codec"]["found"]
        found = check(CAMERA_RTSP_PORT=free_port())["codec"]
        assert "can't be reached" in found["found"] and "RTSP" in found["hint"]


# TLS

@pytest.mark.parametrize("kind", KINDS)
def test_the_key_is_printed_and_compared(snapshot, check, tmp_path, kind):
    first, second = (self_signed(tmp_path, n, kind) for n in ("a", "b"))
    with Camera(password=PASSWORD, certificate=first) as camera:
        found = check(CAMERA_USE_HTTPS="true", **settings_of(camera))
        assert found["TLS key"]["facts"]["pin"] == first[2] and "first time" in found["TLS key"]["found"]
        snapshot.capture().expect(0)
        assert check()["TLS key"]["found"] == f"{first[2]}, pinned"
        for verify in ("off", first[2]):
            assert first[2] in check(CAMERA_TLS_VERIFY=verify)["TLS key"]["found"]
        assert check(CAMERA_TLS_VERIFY="ca").failed == ["camera"]
        snapshot.set(CAMERA_TLS_VERIFY=None)
        port = camera.port
    with Camera(password=PASSWORD, certificate=second, port=port) as stranger:
        found = check()
        assert found.code == 77 and "isn't the one that is pinned" in found["camera"]["found"]
        assert second[2] in found["TLS key"]["found"] and "check --forget-pin" in found["TLS key"]["hint"]
        assert not any("Login" in r or "Snap" in r for r in stranger.requests)


# Other cameras

def test_other_cameras(check, tmp_path):
    with Camera(username="me", password=PASSWORD, auth="digest") as camera:
        found = check(CAMERA_URL=camera.still_url(), CAMERA_USERNAME="me", CAMERA_PASSWORD=PASSWORD)
        assert found.code == 0 and found["picture"]["facts"]["width"] > 0 and "codec" not in found
        assert check(CAMERA_PASSWORD="wrong").failed == ["camera"]
    found = check(CAMERA_URL=f"file:{tmp_path}/none.jpg")
    assert found.code == 69 and "none.jpg" in found["camera"]["found"]
    found = check(CAMERA_URL=f"rtsp://127.0.0.1:{free_port()}/x")
    assert found.code == 69 and found["codec"]["result"] == "skipped" and found["ffmpeg"]["necessary"]

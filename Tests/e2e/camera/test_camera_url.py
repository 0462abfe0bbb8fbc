"""Any other camera by CAMERA_URL: stills over HTTP, files, RTSP through ffmpeg."""
import os
import socket
import threading
import time

import pytest

from camera import Camera, http
from pictures import picture
from program import memory_limit
from tls import self_signed

pytestmark = pytest.mark.asan


@pytest.mark.parametrize("auth", ["none", "basic", "digest"])
@pytest.mark.parametrize("password", ["simple", "p@ss/w:rd %?#&+", "ü€😀", "'\"\\"])
def test_stills_with_and_without_authentication(snapshot, auth, password):
    with Camera(username="me", password=password, auth=auth) as camera:
        snapshot.set(CAMERA_URL=camera.still_url(), CAMERA_USERNAME="me", CAMERA_PASSWORD=password)
        for _ in range(2):
            snapshot.capture().expect(0)
        assert list(snapshot.stored().values())[-1] == camera.last


@pytest.mark.parametrize("auth", ["basic", "digest"])
def test_credentials_in_the_url(snapshot, auth):
    with Camera(username="me", password="p@ss:w/rd", auth=auth) as camera:
        result = snapshot.set(CAMERA_URL=camera.still_url("me:p%40ss%3Aw%2Frd")).capture("--verbose").expect(0)
        assert "p%40ss" not in result.stderr and "p@ss" not in result.stderr


@pytest.mark.parametrize("auth", ["basic", "digest"])
def test_a_wrong_password_for_a_still_is_held_off(snapshot, auth):
    with Camera(username="me", password="right", auth=auth) as camera:
        snapshot.set(CAMERA_URL=camera.still_url(), CAMERA_USERNAME="me", CAMERA_PASSWORD="wrong")
        snapshot.capture().refuses(77)
        asked = camera.snaps
        assert asked <= 2, "a challenge and one try"
        snapshot.capture().refuses(77)
        assert camera.snaps == asked


def test_a_challenge_that_is_always_stale_is_not_answered_for_ever(snapshot):
    with Camera(auth="stale") as camera:
        snapshot.set(CAMERA_URL=camera.still_url(), CAMERA_PASSWORD="x").capture().refuses(77, "again and again")
        assert len(camera.asked_at) < 5
        snapshot.capture().expect(77)
        assert len(camera.asked_at) < 5, "held off"


@pytest.mark.parametrize("auth", ["basic", "digest"])
@pytest.mark.parametrize("settings", [{"CAMERA_URL": "user"}, {"CAMERA_USERNAME": "admin"}])
def test_a_password_may_be_empty(snapshot, auth, settings):
    with Camera(auth=auth) as camera:
        url = camera.still_url("admin:") if "CAMERA_URL" in settings else camera.still_url()
        snapshot.set(**{**settings, "CAMERA_URL": url}).capture().expect(0)


def test_settings_in_the_query_end_a_hold_off(snapshot):
    with Camera(auth="basic", password="right") as camera:
        snapshot.set(CAMERA_URL=camera.still_url() + "?usr=a&pwd=wrong").capture().expect(77)
        asked = camera.connections
        snapshot.capture().expect(77)
        assert camera.connections == asked, "held off"
        snapshot.set(CAMERA_URL=camera.still_url() + "?usr=a&pwd=right").capture().expect(77)
        assert camera.connections == asked + 1


@pytest.mark.timing
def test_a_connection_that_never_comes_is_told_as_such(snapshot):
    """A listener whose backlog is full drops new connections, as a firewall does."""
    with socket.socket() as listener, socket.socket() as first, socket.socket() as second:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for client in (first, second):
            client.setblocking(False)
            client.connect_ex(listener.getsockname())
        result = snapshot.set(CAMERA_URL="http://127.0.0.1:%d/x.jpg" % listener.getsockname()[1], CAMERA_CONNECT_TIMEOUT="500ms").capture()
        assert "CAMERA_CONNECT_TIMEOUT (500ms)" in result.refuses(69, "cannot reach camera").stderr and result.wall < 3
        sooner = snapshot.set(CAMERA_CONNECT_TIMEOUT="5s", CAMERA_TIMEOUT="1s").capture().refuses(69, "CAMERA_TIMEOUT (1s)")
        assert sooner.wall < 4


def test_a_stream_of_pictures_is_told_at_once(snapshot):
    with Camera() as camera:
        camera.raw = http(b"", kind="multipart/x-mixed-replace; boundary=x", length=10**12)
        told = snapshot.set(CAMERA_URL=camera.still_url()).capture().refuses(69, "stream of pictures")
        assert "still picture" in told.hints[0] and told.wall < 8


@pytest.mark.parametrize("raw, words", [
    (b"HTTP/1.1 200 OK\r\nConte", "header"), (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000 + b"\r\n\r\n", "header")])
def test_a_header_that_is_cut_or_endless(snapshot, raw, words):
    with Camera() as camera:
        camera.raw = raw
        snapshot.set(CAMERA_URL=camera.still_url()).capture().refuses(69, words)


def test_a_redirect_is_not_followed(snapshot):
    with Camera() as elsewhere, Camera(auth="none") as camera:
        camera.raw = http(b"", "302 Found", extra=f"Location: {elsewhere.still_url()}\r\n")
        snapshot.set(CAMERA_URL=camera.still_url(), CAMERA_PASSWORD="pw").capture().refuses(69, "302")
        assert not elsewhere.requests


def test_https_stills_pin_the_first_key(snapshot, tmp_path):
    first, second = self_signed(tmp_path, "a"), self_signed(tmp_path, "b")
    with Camera(certificate=first) as camera:
        snapshot.set(CAMERA_URL=camera.still_url().replace("http:", "https:")).capture().expect(0)
    with Camera(certificate=second, port=camera.port) as camera:
        snapshot.capture().refuses(77)


@pytest.mark.parametrize("form", ["file:{}", "file://{}"])
def test_a_file(snapshot, tmp_path, form):
    path = tmp_path / "a picture é.jpg"
    path.write_bytes(picture())
    snapshot.set(CAMERA_URL=form.format(path)).capture().expect(0)
    assert list(snapshot.stored().values()) == [path.read_bytes()]


@pytest.mark.parametrize("make", [
    lambda p: None, lambda p: p.write_bytes(b""), lambda p: p.write_bytes(b"text"), lambda p: p.mkdir(),
    lambda p: p.write_bytes(picture()[:-500]), os.mkfifo, lambda p: p.symlink_to("/dev/zero"), lambda p: p.symlink_to(p)],
    ids=["missing", "empty", "text", "folder", "cut", "pipe", "endless", "loop"])
def test_a_bad_file(snapshot, tmp_path, make):
    path = tmp_path / "picture.jpg"
    make(path)
    result = snapshot.set(CAMERA_URL=f"file:{path}", CAMERA_TIMEOUT="30s").capture().refuses(69, "picture.jpg")
    assert result.wall < 8 and result.rss < memory_limit() and not snapshot.stored()


def test_a_file_that_is_being_written_is_waited_for(snapshot, tmp_path):
    """The file is written in place, piece by piece, by a program that doesn't rename."""
    path, whole = tmp_path / "picture.jpg", picture(size=200_000)
    path.write_bytes(b"")

    def write():
        with open(path, "r+b", buffering=0) as f:
            for i in range(0, len(whole), 20_000):
                f.write(whole[i:i + 20_000])
                time.sleep(0.05)

    writer = threading.Thread(target=write)
    writer.start()
    snapshot.set(CAMERA_URL=f"file:{path}").capture().expect(0)
    writer.join()
    assert list(snapshot.stored().values()) == [whole]


@pytest.mark.parametrize("url", ["ftp://host/x", "gopher:x", "http://", "justtext", "http:///x", "file:", "v4l2:", "rtsp://"])
def test_urls_of_no_camera_are_refused(snapshot, url):
    snapshot.set(CAMERA_URL=url).capture().refuses(78, "CAMERA_URL")


def test_no_camera_is_told(snapshot):
    snapshot.capture().refuses(78, "CAMERA_IP", "CAMERA_URL")


def test_an_rtsp_source_that_is_not_there(snapshot):
    with Camera() as camera:
        port = camera.port
    result = snapshot.set(CAMERA_URL=f"rtsp://user:pa%20ss@127.0.0.1:{port}/x", CAMERA_TIMEOUT="30s").capture().refuses(69)
    assert "pa%20ss" not in result.stderr and "pa ss" not in result.stderr and result.wall < 15


def test_a_video_device_that_is_not_there(snapshot):
    snapshot.set(CAMERA_URL="v4l2:/dev/video99").capture().refuses(69, "/dev/video99")


@pytest.mark.parametrize("status, hint", [("301 Moved", "CAMERA_URL"), ("404 Not Found", "CAMERA_URL"), ("200 OK", None)])
def test_hints_are_for_the_setting_in_use(snapshot, status, hint):
    with Camera() as camera:
        camera.raw = f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode()
        result = snapshot.set(CAMERA_URL=camera.still_url()).capture().refuses(69)
        assert not any(name in result.stderr for name in ("CAMERA_USE_HTTPS", "CAMERA_WIDTH", "CAMERA_STREAM"))
        assert hint is None or hint in result.hints[0]


@pytest.mark.parametrize("size, limit, code", [(17 << 20, None, 69), (17 << 20, "24M", 0), (90_000, "64K", 69), (20_000, "64K", 0)])
@pytest.mark.parametrize("way", ["http", "file"])
def test_the_largest_picture(snapshot, tmp_path, way, size, limit, code):
    body = picture(size=size)
    with Camera() as camera:
        camera.picture = lambda *_: body
        (tmp_path / "still.jpg").write_bytes(body)
        snapshot.set(CAMERA_URL=camera.still_url() if way == "http" else f"file:{tmp_path}/still.jpg")
        if limit:
            snapshot.set(CAMERA_MAX_BYTES=limit)
        snapshot.capture().expect(code)
        assert list(snapshot.stored().values()) == ([] if code else [body])

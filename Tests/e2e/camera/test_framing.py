"""Pictures with a wrong announced length: the JPEG's own end counts, and an incomplete JPEG is refused."""
import json
import threading
import time

import pytest

from camera import Camera, http
from pictures import picture, segment
from process import wait_until
from simulator import Simulator

pytestmark = pytest.mark.asan

GOOD = picture()
EXIF = GOOD[:2] + segment(0xE1, b"Exif\0\0" + picture(160, 120)) + GOOD[2:]
OFF = [2, 3, 100, 1000, 4096]


def held(wire, **how):
    """A camera that sends `wire`, or each piece of a list, and keeps the connection open until `released` is set."""
    camera = Camera(**how)
    camera.released = threading.Event()

    def answer(handler):
        camera.asked_at.append(time.monotonic())
        handler.close_connection = True
        for piece in wire if isinstance(wire, list) else [wire]:
            handler.wfile.write(piece)
            handler.wfile.flush()
            time.sleep(0.05)
        camera.released.wait(30)

    base = camera._server.RequestHandlerClass
    camera._server.RequestHandlerClass = type("Handler", (base,), {"_picture": answer})
    return camera


def open_answer(body, kind="image/jpeg", length=None):
    extra = "" if length is None else f"Content-Length: {length}\r\n"
    return f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n{extra}Connection: keep-alive\r\n\r\n".encode() + body


def ask(snapshot, camera, **settings):
    return snapshot.set(CAMERA_URL=camera.still_url(), CAMERA_TIMEOUT="9s", **settings)


@pytest.mark.parametrize("body", [GOOD, EXIF], ids=["plain", "thumbnail"])
@pytest.mark.parametrize("off", OFF)
def test_an_announced_length_that_is_too_large(snapshot, body, off):
    with Camera() as camera:
        camera.raw = http(body, length=len(body) + off)
        ask(snapshot, camera).capture().expect(0)
    assert list(snapshot.stored().values()) == [body]


@pytest.mark.parametrize("off", OFF)
@pytest.mark.parametrize("auth", ["none", "basic", "digest"])
def test_an_announced_length_that_is_too_small(snapshot, off, auth):
    """The first run needs a second request, each later run only one."""
    with Camera(username="me", password="pw", auth=auth) as camera:
        camera.raw = http(GOOD, length=len(GOOD) - off)
        ask(snapshot, camera, CAMERA_USERNAME="me", CAMERA_PASSWORD="pw").capture().expect(0)
        assert list(snapshot.stored().values()) == [GOOD] and len(camera.asked_at) == 2
        snapshot.capture().expect(0)
        assert len(camera.asked_at) == 3
        # A picture that is cut short is refused all the same.
        camera.raw = http(GOOD[:-off], length=len(GOOD) - off - 1)
        snapshot.capture().refuses(69, "cut short")


@pytest.mark.parametrize("length", ["-1", "-9223372036854775808", "unknown", "", "10", "17"])
def test_an_announced_length_that_is_none_or_far_too_small(snapshot, length):
    with Camera() as camera:
        camera.raw = http(GOOD, length=length)
        for asked in (2, 3):
            ask(snapshot, camera).capture().expect(0)
            assert len(camera.asked_at) == asked
        camera.raw = http(GOOD[:-2], length=length)
        snapshot.capture().refuses(69, "cut short")


@pytest.mark.parametrize("length", ["99999999999", "9223372036854775808", "%d, %d" % (len(GOOD), len(GOOD)), "16777217"])
def test_an_announced_length_beyond_all_bounds(snapshot, length):
    with Camera() as camera:
        camera.raw = http(GOOD, length=length)
        ask(snapshot, camera).capture().expect(0)
    assert list(snapshot.stored().values()) == [GOOD]


@pytest.mark.parametrize("wire", [
    open_answer(GOOD), open_answer(EXIF), open_answer(GOOD, length=len(GOOD) + 2), open_answer(GOOD, length=len(GOOD) + 4096),
    open_answer(GOOD + b"\0" * 700), open_answer(GOOD + b"\r\n", length=len(GOOD) + 2), open_answer(GOOD, length=len(GOOD) - 77),
    [open_answer(b""), EXIF[:3], EXIF[3:900], EXIF[900:-1], EXIF[-1:]], [open_answer(GOOD[:-2]), b"\xff", b"\xd9"],
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n" % (len(GOOD), GOOD)],
    ids=["no length", "thumbnail", "2 more", "4096 more", "padded", "line break", "77 less", "piece by piece", "end in two", "chunked"])
@pytest.mark.parametrize("kind", ["still", "reolink"])
def test_a_line_that_stays_open_behind_the_picture(snapshot, wire, kind):
    with held(wire, password="pw") as camera:
        if kind == "still":
            ask(snapshot, camera)
        else:
            snapshot.set(**camera.settings(), CAMERA_TIMEOUT="9s")
        result = snapshot.capture().expect(0)
        camera.released.set()
    assert result.wall < 4, "the picture's end is the end"
    stored, = snapshot.stored().values()
    assert stored[:-700].rstrip(b"\0") in (GOOD, EXIF) or stored.rstrip(b"\0\r\n") in (GOOD, EXIF)


@pytest.mark.parametrize("body", [GOOD[:-2], GOOD[:-1], GOOD[:500], EXIF[:-2], EXIF[:700 + len(EXIF) - len(GOOD)]],
                         ids=["no end", "half an end", "head", "thumbnail, no end", "thumbnail, cut"])
@pytest.mark.parametrize("more", [None, 0, 2, 4096])
def test_a_picture_that_is_cut_is_refused(snapshot, body, more):
    with Camera() as camera:
        camera.raw = http(body, length=len(body) + more) if more is not None else open_answer(body)
        ask(snapshot, camera).capture().refuses(69)
        assert not snapshot.stored() and snapshot.health()["capture_failures"] == 1
        camera.raw = None
        snapshot.capture().expect(0)


def test_what_is_right_keeps_the_connection(ready, camera):
    ready.capture("--every", "1s", "--for", "2500ms").expect(0)
    # A slow machine may miss a slot.
    assert camera.connections == 1 and len(ready.stored()) >= 2
    assert "ignores_length" not in json.loads((ready.state_folder / "session.json").read_text())


def part(body, boundary, length=True, kind="image/jpeg", end=b"\r\n"):
    head = [b"--" + boundary, b"Content-Type: " + kind.encode()] + ([b"Content-Length: %d" % len(body)] if length else [])
    return end.join(head) + end * 2 + body + end


def stream(announced, *parts):
    return [b"HTTP/1.1 200 OK\r\nContent-Type: " + announced + b"\r\n\r\n", *parts]


OTHER = picture()
STREAMS = {
    "plain": (b"multipart/x-mixed-replace; boundary=frame", b"frame", {}),
    "no lengths": (b"multipart/x-mixed-replace;boundary=frame", b"frame", {"length": False}),
    "quotes": (b'Multipart/X-Mixed-Replace; boundary="a b:c"', b"a b:c", {}),
    "dashes announced": (b"multipart/x-mixed-replace; boundary=--myboundary", b"myboundary", {}),
    "dashes twice": (b'multipart/x-mixed-replace; boundary="--myboundary"', b"--myboundary", {"length": False}),
    "announced without": (b"multipart/x-mixed-replace", b"ipcamera", {}),
    "line feeds": (b"multipart/x-mixed-replace; boundary=x", b"x", {"end": b"\n"}),
    "mistyped": (b"multipart/x-mixed-replace; boundary=x", b"x", {"kind": "application/octet-stream"}),
}


@pytest.mark.parametrize("body", [GOOD, EXIF], ids=["plain", "thumbnail"])
@pytest.mark.parametrize("name", STREAMS)
@pytest.mark.parametrize("more", ["goes on", "stands still", "ends"])
def test_the_first_part_of_a_stream_is_the_picture(snapshot, name, body, more):
    announced, boundary, how = STREAMS[name]
    first = part(body, boundary, **how)
    parts = [first, part(OTHER, boundary, **how)] if more == "goes on" else [first[:5], first[5:400], first[400:]]
    camera = Camera() if more == "ends" else held(stream(announced, *parts))
    with camera:
        if more == "ends":
            camera.raw = b"".join(stream(announced, first, b"--" + boundary + b"--\r\n"))
        assert ask(snapshot, camera).capture().expect(0).wall < 4
        if more != "ends":
            camera.released.set()
    assert list(snapshot.stored().values()) == [body]


@pytest.mark.parametrize("pieces, words", [
    ([b"--x\r\nContent-Type: image/jpeg\r\n\r\n" + GOOD[:-2] + b"\r\n--x\r\n"], "JPEG"),
    ([b"--x\r\nContent-Type: text/plain\r\n\r\nno signal\r\n--x\r\n"], "too few"),
    ([b"--x\r\nContent-Type: text/html\r\n\r\n<html>busy</html>"], "html"),
    ([b"--x\r\n\r\n" + b"\x89PNG" + bytes(500)], "begins with 89504e47"),
    ([b"--x\r\n" + b"X-Pad: y\r\n" * 3000], "stream of pictures"), ([b"--x"], "stream of pictures"), ([b"\r\n" * 20000], "stream of pictures")],
    ids=["cut", "text", "html", "png", "header", "cut header", "lines"])
def test_streams_without_a_picture(snapshot, pieces, words):
    with Camera() as camera:
        camera.raw = b"".join(stream(b"multipart/x-mixed-replace; boundary=x", *pieces))
        assert ask(snapshot, camera).capture().refuses(69, words).wall < 4
        assert not snapshot.stored()


def test_a_stream_is_left_after_its_first_picture(snapshot):
    """The connection is closed after the first picture, however fast the stream sends."""
    sent, left = [], []

    class Endless(list):
        def __iter__(self):
            try:
                yield from stream(b"multipart/x-mixed-replace; boundary=x")
                while True:
                    sent.append(1)
                    yield part(picture(size=300_000), b"x")
            finally:
                left.append(1)

    with held(Endless()) as camera:
        ask(snapshot, camera, CAMERA_MAX_BYTES="400K").capture().expect(0)
        wait_until(lambda: left, 5, "end of the connection")
    assert len(sent) < 40 and len(snapshot.stored()) == 1


def test_gzip_is_no_picture(snapshot):
    import gzip
    with Camera() as camera:
        camera.raw = http(gzip.compress(GOOD), extra="Content-Encoding: gzip\r\n")
        ask(snapshot, camera).capture().refuses(69, "1f8b")


@pytest.mark.parametrize("fault", ["wrong-length", "short-length", "open", "mjpeg"])
@pytest.mark.parametrize("auth", ["token", "password"])
def test_the_simulators_framings(snapshot, fault, auth):
    with Simulator("--password", "pw", "--fault", fault) as camera:
        snapshot.set(CAMERA_IP=camera.address, CAMERA_PASSWORD="pw", CAMERA_AUTH=auth, CAMERA_TIMEOUT="9s")
        for _ in range(2):
            assert snapshot.capture().expect(0).wall < 5
    assert len(snapshot.stored()) == 2

"""The check of a camera's answer: every whole JPEG passes, nothing else does, and the message gives the reason."""
import pytest

from camera import http, refusal
from pictures import picture, segment
from program import memory_limit

pytestmark = pytest.mark.asan

GOOD = picture()
SOS = GOOD.index(b"\xff\xda")


def without_jfif(data):
    assert data[2:4] == b"\xff\xfe"
    start = 4 + int.from_bytes(data[4:6], "big")
    assert data[start:start + 2] == b"\xff\xe0"
    return data[:2] + data[start + 2 + int.from_bytes(data[start + 2:start + 4], "big"):]


WHOLE = {
    "plain": http(GOOD),
    "no JFIF": http(without_jfif(GOOD)),
    "padded with zeros": http(GOOD + b"\0" * 3000),
    "padded with text": http(GOOD + b"\r\n--boundary--\r\n"),
    "fill bytes": http(GOOD[:2] + b"\xff\xff\xff" + GOOD[2:]),
    "a thumbnail in EXIF": http(GOOD[:2] + segment(0xE1, b"Exif\0\0" + picture(160, 120)) + GOOD[2:]),
    "mistyped": http(GOOD, kind="apolication/octet-stream"),
    "no type": http(GOOD).replace(b"Content-Type: image/jpeg\r\n", b""),
    "no length": b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nConnection: close\r\n\r\n" + GOOD,
    "chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"".join(
        b"%x\r\n%s\r\n" % (len(c), c) for c in (GOOD[:1000], GOOD[1000:])) + b"0\r\n\r\n",
    "much shorter than announced": http(GOOD, length=10**15),
    "shorter than announced": http(GOOD, length=len(GOOD) + 5000),
    "HTTP/1.0": b"HTTP/1.0 200 OK\r\n\r\n" + GOOD,
}

# What the camera sends → what the error line must speak of.
BAD = {
    "error json": (http(refusal(-48, "snap failed"), kind="text/html"), "-48"),
    "error json as jpeg": (http(refusal(-12), kind="image/jpeg"), "-12"),
    "json without an error": (http(b"[{}]"), ""),
    "broken json": (http(b'[{"cmd":"Snap","code":1,'), ""),
    "deep json": (http(b"[" * 100_000), ""),
    "html": (http(b"<!DOCTYPE html><html><body>login</body></html>", kind="text/html"), "html"),
    "empty": (http(b""), "empty"),
    "tiny": (http(b"\xff\xd8\xff\xe0" + b"\0" * 24), ""),
    "cut in the scan": (http(GOOD[:-2000]), ""),
    "cut in a header": (http(GOOD[:200]), ""),
    "only the last byte missing": (http(GOOD[:-1]), ""),
    "no frame": (http(GOOD[:2] + GOOD[SOS:]), ""),
    "no scan": (http(GOOD[:SOS] + b"\xff\xd9"), ""),
    "no scan data": (http(GOOD[:SOS + 14] + b"\xff\xd9"), ""),
    "SOI and EOI": (http(b"\xff\xd8\xff\xd9"), ""),
    "PNG": (http(b"\x89PNG\r\n\x1a\n" + b"\0" * 5000, kind="image/png"), ""),
    "noise": (http(bytes(i * 7919 % 251 for i in range(20_000))), ""),
    "zero height": (http(GOOD.replace(b"\x01\x68\x02\x80", b"\x00\x00\x02\x80", 1)), ""),
    "a segment beyond the end": (http(GOOD[:2] + b"\xff\xfe\xff\xff" + GOOD[2:3000]), ""),
    "cut before its announced length": (http(GOOD[:-2], length=len(GOOD) + 5000), ""),
    "longer than allowed": (http(GOOD[:-2], length=10**15), ""),
    "404": (http(b"", status="404 Not Found"), "404"),
    "500": (http(b"", status="500 Internal Server Error"), "500"),
    "500 with a picture": (http(GOOD, status="500 Internal Server Error"), "500"),
    "302": (http(b"", status="302 Found", extra="Location: /still.jpg\r\n"), "302"),
    "206": (http(GOOD, status="206 Partial Content"), ""),
    "no HTTP": (b"220 ftp ready\r\n", ""),
    "nothing": (b"", ""),
}


@pytest.mark.parametrize("wire", WHOLE.values(), ids=WHOLE)
def test_whole_pictures_pass(ready, camera, wire):
    camera.raw = wire
    ready.capture().expect(0)
    data, = ready.stored().values()
    assert data.startswith(b"\xff\xd8") and data.rstrip(b"\0\r\n-boundary").endswith(b"\xff\xd9")
    body = wire.partition(b"\r\n\r\n")[2]
    assert data == GOOD if b"chunked" in wire else body.startswith(data)


@pytest.mark.parametrize("wire, word", BAD.values(), ids=BAD)
def test_nothing_else_does(ready, camera, wire, word):
    camera.raw = wire
    result = ready.set(CAMERA_TIMEOUT="5s").capture("--json").refuses(69, word)
    assert result.wall < 10 and result.rss < memory_limit()
    assert not ready.stored() and not ready.spool() and result.json["result"] != "stored"
    health = ready.health()
    assert (health["capture_failures"], health["total_captures"]) == (1, 0)
    assert len(result.stderr.splitlines()) <= 2, result.stderr


@pytest.mark.parametrize("wire", [http(b"<html>\x1b[31mred\r\n\tand more" + b"x" * 5000, kind="text/html"),
                                  http(b"\xff\xd8" + bytes(range(256)) * 20)], ids=["html", "binary"])
def test_verbose_shows_the_first_bytes_escaped_and_bounded(ready, camera, wire):
    camera.raw = wire
    result = ready.capture("--verbose").refuses(69)
    quiet = ready.capture().refuses(69)
    assert len(result.stderr) > len(quiet.stderr) and len(result.stderr) < 4000
    assert all(c.isprintable() or c == "\n" for c in result.stderr), ascii(result.stderr)


@pytest.mark.parametrize("code, exit", [(-1, 69), (-4, 69), (-5, 69), (-7, 77), (-9, 69), (-12, 69), (-16, 69), (-17, 69),
                                        (-27, 77), (-48, 69), (-49, 69), (-105, 69), (-502, 77), (-999, 69)])
def test_each_camera_error_is_told_in_plain_words(ready, camera, code, exit):
    camera.raw = http(refusal(code), kind="text/html")
    ready.capture().refuses(exit, str(code))
    assert not ready.stored()


def test_hostile_details_stay_on_one_line(ready, camera):
    camera.raw = http(refusal(-48, "a\nsnapshot: error: forged\x1b[2J" + "z" * 5000), kind="text/html")
    result = ready.capture().refuses(69)
    assert "\x1b" not in result.stderr and len(result.stderr) < 1500


def test_sizes_asked_for_reach_the_camera(ready, camera):
    ready.set(CAMERA_WIDTH=640, CAMERA_HEIGHT=480, CAMERA_CHANNEL=3, CAMERA_STREAM="sub").capture().expect(0)
    snap, = [r for r in camera.requests if "cmd=Snap" in r]
    for part in ("channel=3", "width=640", "height=480", "snapType=sub", "rs="):
        assert part in snap


def test_frozen_pictures_degrade_health(ready, camera):
    still = picture()
    camera.picture = lambda: still
    ready.set(FROZEN_AFTER=3)
    for _ in range(3):
        ready.capture().expect(0)
    health = ready.health()
    assert health["status"] == "degraded" and any("frozen" in r for r in health["reasons"])
    camera.picture = lambda: picture(width=480, height=270)  # another view: other scan data, not only other comments
    ready.capture().expect(0)
    assert ready.health()["status"] == "healthy"

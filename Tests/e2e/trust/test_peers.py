"""Whatever a peer sends, and however much of it: a run ends in time, and needs no more memory than for a picture.

Every kind of answer goes to every place that a run asks: camera, login, HTTP store, S3 store, ping.
"""
import itertools

import pytest

from builds import most_memory
from camera import Camera
from peer import Peer, forever
from pictures import picture

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
PICTURE = picture()
BODY = b"%x\r\n%s\r\n" % (len(PICTURE), PICTURE)
TRAILERS = CHUNKED + BODY + b"0\r\n"
SHORT_TRAILERS = CHUNKED + b"2\r\nok\r\n0\r\n"


def limit():
    """In KiB: the contract's 60 MB; a debug build is larger by itself."""
    return most_memory(60_000, debug=75_000)


DIGEST = b'Digest realm="x", nonce="%s", qop="auth,auth-int", algorithm=MD5-sess' % (b"n" * 50_000)


def numbered():
    return (b"".join(b"X-%d-%d: y\r\n" % (i, k) for k in range(50_000)) for i in itertools.count())


KINDS = {
    # Trailers: tiny, long, numbered, folded; behind a picture and behind two bytes.
    "trailers-tiny": (TRAILERS, forever(b"X:a\r\n")),
    "trailers-empty": (TRAILERS, forever(b"a:\r\n")),
    "trailers-long": (TRAILERS, forever(b"X: " + b"a" * 60_000 + b"\r\n")),
    "trailers-numbered": (SHORT_TRAILERS, numbered),
    "trailers-folded": (SHORT_TRAILERS + b"X: a\r\n", forever(b" b\r\n")),
    "trailers-short-body": (SHORT_TRAILERS, forever(b"X:a\r\n")),
    "trailers-after-100": (b"HTTP/1.1 100 Continue\r\n\r\n" + SHORT_TRAILERS, forever(b"X:a\r\n")),
    # Headers that never end.
    "headers": (OK, forever(b"X:a\r\n")),
    "headers-long": (OK, forever(b"X: " + b"a" * 60_000 + b"\r\n")),
    "headers-folded": (OK + b"X: a\r\n", forever(b"\tb\r\n")),
    "header-line": (OK + b"X: ", forever(b"a")),
    "header-of-zeros": (OK + b"X: ", forever(b"\0")),
    "cookies": (OK, forever(b"Set-Cookie: a=b; Path=/\r\n")),
    # Interim answers and challenges without end.
    "100s": (b"", forever(b"HTTP/1.1 100 Continue\r\n\r\n")),
    "103s": (b"", forever(b"HTTP/1.1 103 Early Hints\r\n" + b"Link: a\r\n" * 1000 + b"\r\n")),
    "401s": (b"", forever(b"HTTP/1.1 401 U\r\nWWW-Authenticate: Basic realm=x\r\nContent-Length: 0\r\n\r\n")),
    "401-digests": (b"", forever(b"HTTP/1.1 401 U\r\nWWW-Authenticate: " + DIGEST + b"\r\nContent-Length: 0\r\n\r\n")),
    "401-many": (b"HTTP/1.1 401 U\r\n", forever(b"WWW-Authenticate: Digest realm=a, nonce=b\r\n")),
    "407s": (b"", forever(b"HTTP/1.1 407 P\r\nProxy-Authenticate: Basic realm=x\r\nContent-Length: 0\r\n\r\n")),
    # Bodies: endless, in chunks of one byte, of extensions, larger than announced, compressed.
    "body": (OK + b"\r\n" + PICTURE[:-2], forever(b"\0")),
    "body-announced": (OK + b"Content-Length: 9223372036854775807\r\n\r\n" + PICTURE[:-2], forever(b"\0")),
    "body-unreadable-length": (OK + b"Content-Length: 99999999999999999999999\r\n\r\n", forever(b"\0")),
    "body-negative-length": (OK + b"Content-Length: -9223372036854775808\r\n\r\n", forever(b"\0")),
    "chunk-huge": (CHUNKED + b"FFFFFFFFFFFFFFFF\r\n", forever(b"\0")),
    "chunk-one": (CHUNKED, forever(b"1\r\n{\r\n")),
    "chunk-extension": (CHUNKED + b"5;", forever(b"a")),
    "chunk-extensions": (CHUNKED, forever(b"1;" + b"a" * 10_000 + b"\r\n[\r\n")),
    "chunk-size": (CHUNKED, forever(b"0")),
    "gzip": (OK + b"Content-Encoding: gzip\r\n\r\n\x1f\x8b\x08", forever(b"\0")),
    "json-deep": (OK + b"Content-Length: 60000\r\n\r\n" + b"[" * 60_000, ()),
    "json-wide": (OK + b"Content-Length: 60000\r\n\r\n[" + b"{}," * 19_999 + b"1]", ()),
    "json-names": (OK + b"\r\n[{" + b",".join(b'"%x":0' % i for i in range(6000)) + b"}]", ()),
    "xml": (OK + b"\r\n<Error>", forever(b"<Code>")),
    # What isn't HTTP, and statuses that lead on.
    "nothing": (b"", ()),
    "http-0.9": (PICTURE, ()),
    "line-feeds": (b"", forever(b"\n")),
    "zeros": (b"", forever(b"\0")),
    "upgrade": (b"HTTP/1.1 101 S\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n", forever(b"\0")),
    "redirect": (b"HTTP/1.1 302 F\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n", ()),
    "204-with-body": (b"HTTP/1.1 204 N\r\n\r\n", forever(b"HTTP/1.1 200 OK\r\n")),
    "multipart": (OK + b"Content-Type: MULTIPART/x-mixed-replace;boundary=a\r\n\r\n", forever(b"x")),
}
PLACES = ("camera", "login", "http", "s3", "ping")


@pytest.fixture
def still(tmp_path):
    path = tmp_path / "still.jpg"
    path.write_bytes(PICTURE)
    return {"CAMERA_URL": f"file:{path}"}


def settings(place, peer, still):
    """What makes a run ask the peer at that place."""
    store = {**still, "UPLOAD_DEADLINE": "3s", "UPLOAD_ATTEMPTS": "2"}
    return {
        "camera": {"CAMERA_URL": f"{peer.url}/still.jpg", "CAMERA_TIMEOUT": "3s", "CAMERA_PASSWORD": "pw"},
        "login": {"CAMERA_IP": peer.address, "CAMERA_TIMEOUT": "3s", "CAMERA_AUTH": "token"},
        "http": {**store, "STORAGE_BACKEND": "http", "HTTP_UPLOAD_URL": f"{peer.url}/up"},
        "s3": {**store, "STORAGE_BACKEND": "s3", "S3_BUCKET": "b", "S3_ENDPOINT_URL": peer.url,
               "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret-key"},
        "ping": {**still, "PING_URL": f"{peer.url}/ping"},
    }[place]


# Whole answers that mean something; every other one is a camera or a store that isn't there for now.
REFUSALS = ("401s", "401-digests")
ACKNOWLEDGEMENTS = ("204-with-body", "json-deep", "json-names", "json-wide")
# A whole picture came first, so what follows it has no effect.
PICTURES = ("trailers-tiny", "trailers-empty", "trailers-long")


def code(kind, place):
    """How a run has to end."""
    if place == "ping" or (place == "http" and kind in ACKNOWLEDGEMENTS) or (place == "camera" and kind in PICTURES):
        return 0
    if kind in REFUSALS and place != "camera":
        return 77
    return 69 if place in ("camera", "login") else 75


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", KINDS)
def test_no_answer_costs_memory_or_time(snapshot, still, kind, place):
    with Peer(*KINDS[kind]) as peer:
        result = snapshot.set(**settings(place, peer, still)).capture()
        assert peer.requests, "it was not asked"
    result.expect(code(kind, place))
    assert result.rss < limit() and result.wall < 11, (result.rss, result.wall)
    assert len(snapshot.spooled_pictures()) == (place in ("http", "s3") and result.code != 0), result.stderr
    assert len(snapshot.stored()) == (place == "ping" or place == "camera" and kind in PICTURES)
    assert snapshot.ring.check()["seq"] == 1, "the run is counted"


@pytest.mark.parametrize("kind", ["trailers-short-body", "headers", "headers-folded", "trailers-numbered"])
def test_what_has_no_end_is_left_at_once(snapshot, still, kind):
    with Peer(*KINDS[kind]) as peer:
        told = snapshot.set(CAMERA_URL=f"{peer.url}/still.jpg").capture().refuses(69, "have no end")
    assert told.wall < 8 and peer.sent < 32 << 20, (told.wall, peer.sent)


def test_a_largest_picture_costs_little_more_than_itself(snapshot):
    """16 MB in chunks, so that no length announces it."""
    data = picture(size=16_000_000)
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in (data[i:i + 9999] for i in range(0, len(data), 9999)))
    with Peer(CHUNKED + chunks + b"0\r\n\r\n") as peer:
        result = snapshot.set(CAMERA_URL=f"{peer.url}/still.jpg").capture().expect(0)
    assert list(snapshot.stored().values()) == [data]
    assert result.rss < limit(), result.rss


def test_headers_as_large_as_servers_send_them_are_taken(snapshot):
    """A hundred lines; and a challenge with a nonce of 50 KB, which the second request answers."""
    with Camera() as camera:
        extra = "".join(f"X-{i}: {'a' * 400}\r\n" for i in range(100)).encode()
        camera.raw = OK + extra + b"Content-Length: %d\r\n\r\n" % len(PICTURE) + PICTURE
        snapshot.set(CAMERA_URL=camera.still_url()).capture().expect(0)
    with Peer(b"HTTP/1.1 401 U\r\nWWW-Authenticate: " + DIGEST + b"\r\nContent-Length: 0\r\n\r\n") as peer:
        snapshot.set(CAMERA_URL=f"{peer.url}/still.jpg", CAMERA_PASSWORD="pw").capture().refuses(77)
        assert len(peer.requests) > 1

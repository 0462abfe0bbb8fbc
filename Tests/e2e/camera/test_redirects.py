"""CAMERA_FOLLOW: redirects of a picture's address, on its own host alone."""
import base64

import pytest

from camera import Camera
from pictures import picture
from scripted import Scripted

pytestmark = pytest.mark.asan


class Server(Scripted):
    """`answers`: path → a Location; a picture everywhere else. `password`: what Basic must bring."""

    def __init__(self, answers, status=302, password=None):
        super().__init__()
        self.answers, self.status, self.password = answers, status, password
        self.url = f"{self.url}{FIRST}"

    @property
    def asked(self):
        return [r.path for r in self.received]

    def answer(self, asked):
        if self.password and asked.login != "Basic " + base64.b64encode(f"me:{self.password}".encode()).decode():
            return 401, {"WWW-Authenticate": 'Basic realm="x"'}, b""
        if location := self.answers.get(asked.path):
            return self.status, {"Location": location.replace("HOST", self.host)}, b"moved"
        return 200, {"Content-Type": "image/jpeg"}, picture()


FIRST = "/a/b/still.jpg?x=1"
PLACES = {
    "/new.jpg": "/new.jpg", "new.jpg?token=1": "/a/b/new.jpg?token=1", "../up.jpg": "/a/up.jpg", "./x/../y.jpg": "/a/b/y.jpg",
    "../../../top.jpg": "/top.jpg", "?x=2": "/a/b/still.jpg?x=2", "http://HOST/abs.jpg": "/abs.jpg", "//HOST/same.jpg": "/same.jpg",
    "HTTP://HOST/case.jpg#part": "/case.jpg", "/with%20blank.jpg": "/with%20blank.jpg", "http://HOST": "/"}


@pytest.mark.parametrize("location, path", PLACES.items())
@pytest.mark.parametrize("status", [301, 307])
def test_a_redirect_on_the_same_host_is_followed(snapshot, location, path, status):
    with Server({FIRST: location}, status) as server:
        snapshot.set(CAMERA_URL=server.url, CAMERA_FOLLOW="same-host").capture().expect(0)
        assert server.asked == [FIRST, path]


@pytest.mark.parametrize("setting", [None, "off"])
def test_none_is_followed_by_default(snapshot, setting):
    with Server({FIRST: "/new.jpg"}) as server:
        snapshot.set(CAMERA_URL=server.url)
        told = snapshot.capture(env={"CAMERA_FOLLOW": setting}).refuses(69, "302", "redirect")
        assert server.asked == [FIRST] and "CAMERA_FOLLOW=same-host" in told.hints[0]


@pytest.mark.parametrize("count, code", [(1, 0), (5, 0), (6, 69), (99, 69)])
def test_five_at_most(snapshot, count, code):
    answers = {FIRST: "/1", **{f"/{n}": f"/{n + 1}" for n in range(1, count)}} if count < 99 else {FIRST: FIRST}
    with Server(answers) as server:
        result = snapshot.set(CAMERA_URL=server.url, CAMERA_FOLLOW="same-host").capture().expect(code)
        assert len(server.asked) == min(count, 5) + 1 and (not code or "redirect" in result.stderr)


@pytest.mark.parametrize("location", [
    "http://localhost:PORT/x.jpg", "http://127.0.0.2:PORT/x.jpg", "http://OTHER/still.jpg", "//OTHER/still.jpg", "https://HOST/x.jpg",
    "ftp://HOST/x", "http://me:pw@HOST/x.jpg", "file:///etc/passwd", "javascript:x", "http://", "/a b.jpg", "http://HOST:99999/"])
def test_nobody_is_led_elsewhere(snapshot, location):
    with Camera() as other:
        with Server({FIRST: None}, password="pw") as server:
            server.answers[FIRST] = location.replace("PORT", str(server.port)).replace("OTHER", other.address)
            snapshot.set(CAMERA_URL=server.url, CAMERA_FOLLOW="same-host", CAMERA_USERNAME="me", CAMERA_PASSWORD="pw")
            snapshot.capture().refuses(69, "redirect")
            assert set(server.asked) == {FIRST} and not other.requests
        assert not snapshot.stored()


def test_a_login_goes_along_on_the_same_host(snapshot):
    with Server({FIRST: "/in/pic.jpg"}, password="pw") as server:
        snapshot.set(CAMERA_URL=server.url, CAMERA_FOLLOW="same-host", CAMERA_USERNAME="me", CAMERA_PASSWORD="pw").capture().expect(0)
        assert server.asked == [FIRST, FIRST, "/in/pic.jpg", "/in/pic.jpg"] and not server.received[2].login


@pytest.mark.parametrize("value", ["yes", "same", "any"])
def test_other_values_are_refused(snapshot, value):
    snapshot.set(CAMERA_URL="http://127.0.0.1:1/x", CAMERA_FOLLOW=value).capture().refuses(78, "CAMERA_FOLLOW", "same-host")

"""Refused logins: a single refusal isn't a wrong password, and servers that don't say how to log in."""
import base64

import pytest

from camera import Camera, http
from pictures import picture
from receiver import Answer, s3_error
from scripted import Scripted, is_digest_of
from simulator import Simulator

pytestmark = pytest.mark.asan

LOGIN = {"CAMERA_USERNAME": "me", "CAMERA_PASSWORD": "p@ss wörd"}


class Server(Scripted):
    """A still behind a login. `refusal`: status and headers to whoever isn't let in; `takes`: basic, digest or nothing."""

    def __init__(self, refusal, takes="basic", body=b""):
        super().__init__()
        self.refusal, self.takes, self.body = refusal, takes, body
        self.stray = []
        """Statuses to answer first, whatever the login."""
        self.url += "/cgi/still.jpg?ch=1&q=a=b"

    @property
    def logins(self):
        return [r.way for r in self.received]

    def answer(self, asked):
        if self.stray:
            return self.stray.pop(0), {}, b"busy"
        if not self.lets_in(asked):
            return *self.refusal, self.body
        return 200, {"Content-Type": "image/jpeg"}, picture()

    def lets_in(self, asked):
        user, password = LOGIN["CAMERA_USERNAME"], LOGIN["CAMERA_PASSWORD"]
        if self.takes == "basic":
            return asked.login == "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
        return self.takes == "digest" and is_digest_of(asked, user, password)


def ask(snapshot, server, **more):
    return snapshot.set(CAMERA_URL=server.url, **{**LOGIN, **more})


@pytest.mark.parametrize("refusal", [(403, {}), (401, {}), (403, {"WWW-Authenticate": 'Basic realm="x"'})],
                         ids=["403", "401", "403 with Basic"])
def test_a_refusal_without_a_challenge_gets_basic_once_and_that_is_remembered(snapshot, refusal):
    with Server(refusal) as server:
        ask(snapshot, server).capture().expect(0)
        assert server.logins == ["", "Basic"]
        for _ in range(2):
            snapshot.capture().expect(0)
        assert server.logins == ["", "Basic", "Basic", "Basic"]


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_tells_what_was_tried(snapshot, status):
    with Server((status, {}), takes=None) as server:
        ask(snapshot, server).capture().refuses(77, f"{status}", "without a request for a login", "Basic")
        assert server.logins == ["", "Basic"]
        snapshot.capture().refuses(77)
        assert len(server.logins) == 2, "held off"
    with Server((status, {}), takes=None) as server:
        told = snapshot.set(CAMERA_URL=server.url, CAMERA_USERNAME=None, CAMERA_PASSWORD=None).capture().refuses(77, "no user or password")
        assert server.logins == [""] and "CAMERA_PASSWORD" in told.hints[0]


@pytest.mark.parametrize("headers, words, logins", [
    ({"WWW-Authenticate": 'Bearer realm="x"'}, ("bearer", "weren't sent"), [""]),
    ({"WWW-Authenticate": "NTLM"}, ("ntlm", "weren't sent"), [""]),
    ({"WWW-Authenticate": 'Digest realm="x", nonce="n", algorithm=SHA-512'}, ("digest", "weren't sent"), [""]),
    ({"WWW-Authenticate": 'Digest realm="x", nonce="n", qop="auth"'}, ("sent by Digest",), ["", "Digest"]),
    ({"WWW-Authenticate": 'Digest realm = "x" , nonce = "n", qop = "auth"'}, ("sent by Digest",), ["", "Digest"]),
    ({"WWW-Authenticate": 'Basic realm="x"'}, ("sent by Basic",), ["", "Basic"])])
def test_challenges_tell_what_was_tried(snapshot, headers, words, logins):
    with Server((401, headers), takes=None) as server:
        ask(snapshot, server).capture().refuses(77, *words)
        assert server.logins == logins


@pytest.mark.parametrize("challenge", [
    'Digest realm = "the cam", nonce = "abc123", qop = "auth"', 'Digest realm ="cam",nonce= "ab=c" , qop="auth", algorithm = MD5',
    'Digest  realm="cam" , nonce="x" ,opaque = "o"', 'digest\trealm = "cam",\tnonce = "y", qop = auth'])
def test_digest_with_blanks(snapshot, challenge):
    with Server((401, {"WWW-Authenticate": challenge}), takes="digest") as server:
        for _ in range(2):
            ask(snapshot, server).capture().expect(0)
        assert server.logins == ["", "Digest"] * 2 and len(snapshot.stored()) == 2


@pytest.mark.parametrize("after", [(403, {}), (401, {}), (401, {"WWW-Authenticate": 'Basic realm="x"'})])
def test_who_has_offered_digest_never_gets_basic(snapshot, after):
    with Server((401, {"WWW-Authenticate": 'Digest realm="x", nonce="n", qop="auth"'}), takes="digest") as server:
        ask(snapshot, server).capture().expect(0)
        server.refusal, server.takes = after, "basic"
        told = snapshot.capture().refuses(77, "Digest")
        assert "Basic" not in server.logins and told.hints
        snapshot.capture().refuses(77)
        assert "Basic" not in server.logins


def test_basic_ends_once_digest_is_offered(snapshot):
    with Server((403, {})) as server:
        ask(snapshot, server).capture().expect(0)
        server.refusal, server.takes = (401, {"WWW-Authenticate": 'Digest realm="x", nonce="n", qop="auth"'}), "digest"
        snapshot.capture()
        snapshot.capture().expect(0)
        assert server.logins.count("Basic") == 2 and server.logins[-1] == "Digest"


@pytest.mark.parametrize("stray", [401, 403])
def test_one_stray_refusal_of_what_works_costs_one_picture(snapshot, stray):
    with Server((401, {"WWW-Authenticate": 'Basic realm="x"'})) as server:
        ask(snapshot, server)
        for run in range(3):
            snapshot.capture().expect(0)
            server.stray = [stray, stray]
            snapshot.capture().refuses(77)
            assert "camera_credentials_refused" not in snapshot.health()["reasons"]
            snapshot.capture().expect(0)
        server.stray = [stray] * 20
        snapshot.capture().refuses(77)
        snapshot.capture().refuses(77)
        asked = len(server.logins)
        snapshot.capture().refuses(77, "tried again in")
        assert len(server.logins) == asked and snapshot.health()["status"] == "unhealthy", "twice in a row"


@pytest.mark.parametrize("auth", ["auto", "token", "password"])
def test_one_stray_refusal_by_a_reolink(snapshot, auth):
    with Simulator("--password", "pw") as camera:
        snapshot.set(CAMERA_IP=camera.address, CAMERA_PASSWORD="pw", CAMERA_AUTH=auth)
        for fault in ("401", "403", "rsp-7"):
            snapshot.capture().expect(0)
            camera.fault(fault, 1)
            snapshot.capture().refuses(77)
            snapshot.capture().expect(0)
        camera.fault("401")
        for _ in range(2):
            snapshot.capture().refuses(77)
        before = camera.stats()["requests"]
        snapshot.capture().refuses(77, "tried again in")
        assert camera.stats()["requests"] == before


def test_a_password_that_was_changed_in_the_camera_costs_two_logins(snapshot):
    """A refused login for a token is one refusal; the camera is held off after two of them."""
    with Camera(password="old") as camera:
        snapshot.set(**camera.settings()).capture().expect(0)
        camera.password = "new"
        camera.sessions.clear()
        for _ in range(4):
            snapshot.capture().refuses(77)
        assert camera.failed_logins == 2


WARNINGS = [b'[{"cmd":"Login","code":1,"error":{"detail":"login failed","rspCode":-7,"remain_times":%d}}]' % n for n in (2, 1, 0)] + [
    b'[{"cmd":"Login","code":1,"error":{"detail":"Login has been locked","rspCode":-7}}]']


@pytest.mark.parametrize("answer", WARNINGS)
def test_a_warning_of_a_lock_holds_off_at_once(snapshot, answer):
    with Camera(password="right") as camera:
        snapshot.set(**camera.settings()).capture().expect(0)
        camera.sessions.clear()
        camera.raw_login = http(answer, kind="text/html")
        snapshot.capture().refuses(77)
        asked = len(camera.requests)
        snapshot.capture().refuses(77, "tried again in")
        assert len(camera.requests) == asked


@pytest.mark.parametrize("body, holds_off", [
    (b"<userCheck><lockStatus>lock</lockStatus><unlockTime>1800</unlockTime></userCheck>", True),
    (b"<userCheck><lockStatus>unlock</lockStatus><retryLoginTime>4</retryLoginTime></userCheck>", False),
    (b"<retryLoginTime>2</retryLoginTime>", True), (b"Account locked. Try again in 30 minutes.", True),
    (b"Wrong password, 2 attempts left", True), (b"Wrong password: 1 try left", True), (b"5 attempts left", False),
    (b"clock, unlocked door, 2 cameras", False), (b'{"remain_times": 3}', False), (b"", False)])
def test_warnings_in_other_cameras_words(snapshot, body, holds_off):
    with Server((401, {"WWW-Authenticate": 'Basic realm="x"'}), body=body) as server:
        ask(snapshot, server).capture().expect(0)
        server.takes = None
        snapshot.capture().refuses(77)
        asked = len(server.logins)
        snapshot.capture().refuses(77)
        assert (len(server.logins) == asked) == holds_off


def test_a_stores_stray_refusal(ready, endpoint):
    ready.set(**endpoint.as_s3()).capture().expect(0)
    endpoint.answers = [Answer(403, {}, s3_error("SignatureDoesNotMatch"))]
    ready.capture().refuses(77)
    ready.capture().expect(0)
    assert not ready.spool()
    endpoint.always = Answer(403, {}, s3_error("InvalidAccessKeyId"))
    for _ in range(2):
        ready.capture().refuses(77)
    asked = len(endpoint.received)
    ready.capture().refuses(77)
    assert len(endpoint.received) == asked

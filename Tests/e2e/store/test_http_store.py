"""The HTTP store: what an endpoint gets as multipart and raw, and which answers acknowledge it."""
import contextlib
import socket
import threading
from urllib.parse import unquote

import pytest

from accepting import Accepting
from pictures import picture
from receiver import Answer, Receiver
from stores import sha256

pytestmark = pytest.mark.asan


def test_multipart_form(ready, camera, endpoint):
    ready.set(**endpoint.as_http(HTTP_AUTH_TOKEN="t0ken")).capture().expect(0)
    r, = endpoint.received
    assert (r.method, r.path) == ("POST", "/up")
    assert set(r.fields) >= {"camera", "captured_at", "sha256", "key"}
    assert r.fields["camera"] == "front" and r.fields["sha256"] == sha256(camera.last) and r.file == camera.last
    assert r.filename == r.fields["key"].rpartition("/")[2] and r.file_type == "image/jpeg"
    assert r.headers["Authorization"] == "Bearer t0ken" and r.headers["Idempotency-Key"] == r.fields["key"]
    assert int(r.headers["Content-Length"]) > len(r.file) and "Transfer-Encoding" not in r.headers
    assert "Expect" not in r.headers


def test_raw_form(ready, camera, endpoint):
    ready.set(**endpoint.as_http(HTTP_UPLOAD_FORMAT="raw", CAMERA_NAME="Tür 1")).capture().expect(0)
    r, = endpoint.received
    assert r.body == camera.last and r.headers["Content-Type"] == "image/jpeg" and "Authorization" not in r.headers
    assert unquote(r.headers["X-Snapshot-Camera"]) == "Tür 1" and "%C3%BC" in r.headers["X-Snapshot-Camera"]
    assert r.headers["X-Snapshot-Sha256"] == sha256(camera.last)
    assert unquote(r.headers["X-Snapshot-Key"]).startswith("Tür 1/") and r.headers["X-Snapshot-Key"].isascii()
    assert r.headers["Idempotency-Key"] == r.headers["X-Snapshot-Key"]


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_any_2xx_acknowledges(ready, endpoint, status):
    endpoint.always = Answer(status)
    ready.set(**endpoint.as_http()).capture().expect(0)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(ready, endpoint, status):
    with Receiver() as elsewhere:
        endpoint.always = Answer(status, {"Location": elsewhere.url})
        ready.set(**endpoint.as_http(HTTP_AUTH_TOKEN="t0ken", UPLOAD_DEADLINE="1s")).capture().refuses(75)
        assert not elsewhere.received and len(ready.spooled_pictures()) == 1


def test_a_changed_password_in_the_url_is_tried_at_once(ready, endpoint):
    def url(password):
        return endpoint.url.replace("//", f"//me:{password}@") + "/up"

    endpoint.always = Answer(401)
    ready.set(**endpoint.as_http(HTTP_UPLOAD_URL=url("old")))
    ready.capture().refuses(77)
    asked = len(endpoint.received)
    ready.capture().refuses(77)
    assert len(endpoint.received) == asked <= 2, "held off"
    endpoint.always = None
    ready.capture(env={"HTTP_UPLOAD_URL": url("new")}).expect(0)


def test_an_answer_that_ends_within_its_header_is_no_acknowledgement(ready, camera):
    with socket.create_server(("127.0.0.1", 0)) as server:
        def answer():
            connection, _ = server.accept()
            with connection:
                connection.settimeout(5)
                got = b""
                while b"\r\n\r\n" not in got or not got.endswith(b"--\r\n"):
                    got += connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nConte")
        thread = threading.Thread(target=answer)
        thread.start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}/up"
        ready.set(STORAGE_BACKEND="http", HTTP_UPLOAD_URL=url, UPLOAD_ATTEMPTS=1).capture().refuses(75, "header")
        thread.join()
    assert ready.spooled_pictures() == [camera.last]



class Raw(Accepting):
    """A server that answers every upload with the same bytes, once it is whole; `early`: as soon as it begins."""

    def __init__(self, answer, early=False):
        super().__init__()
        self.answer, self.early, self.connections = answer, early, 0
        self.url = f"http://127.0.0.1:{self.port}/up"

    def connected(self, line):
        self.connections += 1
        with line, contextlib.suppress(OSError):
            line.settimeout(5)
            got = line.recv(1024)
            while not self.early and not got.endswith(b"--\r\n"):
                got += line.recv(65536)
            line.sendall(self.answer)
            # What is still sent is read, or a reset would take the answer away.
            line.shutdown(socket.SHUT_WR)
            while line.recv(65536):
                pass


def test_a_trailer_behind_the_acknowledgement_has_no_effect(ready):
    with Raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: Sum\r\n\r\n2\r\nok\r\n0\r\nSum: 1\r\nMore: 2\r\n\r\n") as server:
        ready.set(STORAGE_BACKEND="http", HTTP_UPLOAD_URL=server.url).capture().expect(0)
        assert server.connections == 1


@pytest.mark.parametrize("form", ["multipart", "raw"])
def test_an_acknowledgement_before_the_whole_body_is_none(ready, camera, form):
    """A 2xx before the whole body was sent comes from a proxy or captive portal: the picture stays in the spool."""
    camera.picture = lambda: picture(size=12 << 20)
    with Raw(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", early=True) as server:
        ready.set(STORAGE_BACKEND="http", HTTP_UPLOAD_URL=server.url, HTTP_UPLOAD_FORMAT=form, UPLOAD_ATTEMPTS=1)
        ready.capture().refuses(75, "whole body")
    assert ready.spooled_pictures() == [camera.last]

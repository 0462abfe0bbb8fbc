"""The HTTP store's form: what a receiver gets, in both formats."""
import pytest

from receiver import Answer, Receiver
from stores import sha256


@pytest.fixture
def receiver():
    with Receiver() as r:
        yield r


def settings(receiver, **more):
    return {"STORAGE_BACKEND": "http", "HTTP_UPLOAD_URL": receiver.url + "/a/b?site=1&x=%20", **more}


def test_multipart_form(ready, camera, receiver):
    ready.set(**settings(receiver, HTTP_AUTH_TOKEN="t0ken")).capture().expect(0)
    r, = receiver.received
    assert (r.method, r.path) == ("POST", "/a/b?site=1&x=%20")
    assert set(r.fields) == {"camera", "captured_at", "sha256", "key"}
    assert r.fields["camera"] == "front" and r.fields["sha256"] == sha256(camera.last) and r.file == camera.last
    assert r.filename == r.fields["key"].rpartition("/")[2] and r.file_type == "image/jpeg"
    assert r.headers["Authorization"] == "Bearer t0ken" and r.headers["Idempotency-Key"] == r.fields["key"]
    assert int(r.headers["Content-Length"]) > len(r.file) and "Transfer-Encoding" not in r.headers
    assert "Expect" not in r.headers


def test_raw_form(ready, camera, receiver):
    ready.set(**settings(receiver, HTTP_UPLOAD_FORMAT="raw", CAMERA_NAME="Tür 1")).capture().expect(0)
    r, = receiver.received
    assert r.body == camera.last and r.headers["Content-Type"] == "image/jpeg" and "Authorization" not in r.headers
    assert r.headers["X-Snapshot-Camera"] == "T%C3%BCr%201"
    assert r.headers["X-Snapshot-Sha256"] == sha256(camera.last)
    assert r.headers["X-Snapshot-Key"].startswith("T%C3%BCr%201/")
    assert r.headers["Idempotency-Key"] == r.headers["X-Snapshot-Key"]


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_any_2xx_acknowledges(ready, receiver, status):
    receiver.always = Answer(status)
    ready.set(**settings(receiver)).capture().expect(0)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(ready, receiver, status):
    with Receiver() as elsewhere:
        receiver.always = Answer(status, {"Location": elsewhere.url})
        ready.set(**settings(receiver, HTTP_AUTH_TOKEN="t0ken", UPLOAD_DEADLINE="1s")).capture().refuses(75)
        assert not elsewhere.received and len(ready.spooled_pictures()) == 1

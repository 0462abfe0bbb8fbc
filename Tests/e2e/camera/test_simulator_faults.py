"""Each fault of the simulator does what its name says."""

import contextlib
import socket
import time

import pytest
from camera_calls import PASSWORD, Raw, fetch, login, rsp_code, size_of, snap_path, split, token_of
from simulator import Simulator


@pytest.fixture(scope="module")
def shared():
    with Simulator("--https-port", 0, "--password", PASSWORD) as camera:
        fetch(camera, snap_path())  # ffmpeg is up: from here on pictures come at once
        yield camera


@pytest.fixture
def camera(shared):
    shared.reset()
    return shared



def test_refusing_faults(camera):
    for name, code in {"json-error": -48, "rsp-49": -49, "rsp-26": -26}.items():
        camera.fault(name)
        status, kind, body = fetch(camera, snap_path())
        assert (status, kind, rsp_code(body)) == (200, "text/html", code), name
    for status in (401, 404, 500):
        camera.fault(status)
        assert fetch(camera, snap_path())[0] == status
    camera.fault("302")
    with Raw(camera, snap_path()) as raw:
        data, _ = raw.read()
        assert data.startswith(b"HTTP/1.1 302") and split(data)[0]["Location"] == "/simulator/still.jpg"
    camera.fault("300")
    assert fetch(camera, snap_path())[0] == 300
    assert fetch(camera, "/cgi-bin/api.cgi?cmd=Login", b"[]")[0] == 300


def test_token_refused_leaves_passwords_alone(camera):
    camera.fault("token-refused")
    assert rsp_code(fetch(camera, snap_path(user=None, password=None, token=token_of(camera)))[2]) == -6
    assert fetch(camera, snap_path())[1] == "image/jpeg"


def test_login_faults(camera):
    for name, code in {"max-session": -5, "locked": -7, "login-frequent": -105, "login-rsp-12": -12}.items():
        camera.fault(name)
        assert login(camera)["error"]["rspCode"] == code, name
    camera.fault("login-404", count=1)
    assert fetch(camera, "/cgi-bin/api.cgi?cmd=Login", b"[]")[0] == 404
    assert login(camera)["code"] == 0


def test_spoiled_pictures(camera):
    def snap(name):
        camera.fault(name)
        return fetch(camera, snap_path())

    assert snap("html")[2].startswith(b"<!DOCTYPE")
    assert snap("empty") == (200, "image/jpeg", b"")
    assert len(snap("tiny")[2]) == 28
    short = snap("short")[2]
    assert short.startswith(b"\xff\xd8") and not short.endswith(b"\xff\xd9")
    _, kind, body = snap("mistyped")
    assert kind == "apolication/octet-stream" and size_of(body) == (640, 360)
    body = snap("no-jfif")[2]
    assert b"JFIF" not in body and size_of(body) == (640, 360)
    body = snap("padded")[2]
    assert body.endswith(b"\xff\xd9" + bytes(512)) and size_of(body) == (640, 360)
    assert snap("frozen")[2] == fetch(camera, snap_path())[2]
    covered, lit = snap("covered")[2], snap("none")[2]
    assert size_of(covered) == (640, 360) and len(covered) * 4 < len(lit)


def test_broken_transfers(camera):
    def snap(name, timeout=5, limit=1 << 20):
        camera.fault(name)
        with Raw(camera, snap_path(), timeout) as raw:
            data, end = raw.read(limit)
        fields, body = split(data) if data else ({}, b"")
        return int(fields.get("Content-Length", -1)), body, end

    length, body, end = snap("truncated")
    assert end == "eof" and len(body) == length // 2
    assert snap("reset") == (-1, b"", "reset")
    length, body, end = snap("reset-mid")
    assert end == "reset" and len(body) < length
    length, body, end = snap("wrong-length", timeout=1)
    assert end == "timeout" and len(body) == length - 1000 and size_of(body) == (640, 360)
    assert snap("hang", timeout=0.5) == (-1, b"", "timeout")
    megabytes = 8 << 20
    for name, announced in {"endless": -1, "endless-lengthless": -1, "huge-length": 8 << 30}.items():
        length, body, end = snap(name, limit=megabytes)
        assert (length, end) == (announced, "more"), name
        assert b"\xff\xd8" in body[:16]


@pytest.mark.parametrize("name", ["drip", "drip-header"])
def test_drips_come_byte_by_byte(camera, name):
    camera.fault(name)
    start = time.monotonic()
    with Raw(camera, snap_path()) as raw:
        data, _ = raw.read(limit=1)
        if name == "drip":
            assert b"\r\n\r\n" in data
            data = data.partition(b"\r\n\r\n")[2]
        while len(data) < 4:
            data += raw.read(limit=1)[0]
    assert time.monotonic() - start >= (len(data) - 1) * 0.2


def test_slow_waits_and_counts_down(camera):
    camera.fault("slow:400", count=1)
    start = time.monotonic()
    assert fetch(camera, snap_path())[1] == "image/jpeg"
    assert time.monotonic() - start >= 0.4
    assert "fault" not in (fetch(camera, snap_path()), camera.requests()[-1])[1]


def test_hang_connect_leaves_new_clients_waiting_until_cleared():
    with Simulator("--https-port", 0) as camera:
        camera.fault("hang-connect")
        for port in (camera.http, camera.https):
            with pytest.raises(TimeoutError):
                socket.create_connection(("127.0.0.1", port), 0.5)
        camera.fault("none")
        assert fetch(camera, snap_path(""))[1] == "image/jpeg"


def test_random_faults_repeat_with_the_seed():
    def names(seed):
        with Simulator("--fault", "random", "--seed", seed, "--fault-rate", 0.5) as camera:
            for done in range(1, 31):
                with contextlib.suppress(OSError), Raw(camera, snap_path(""), timeout=0.05) as raw:
                    raw.read(limit=1)
                wait_for(lambda count=done: len(camera.requests()) == count)
            return [line.get("fault") for line in camera.requests()]

    first = names(7)
    assert first == names(7) and first != names(8)
    assert None in first and len(set(first)) > 5


def wait_for(condition, timeout=10):
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_faults_of_the_command_line_come_in_order():
    with Simulator("--fault", "500:2", "--fault", "slow:1:1", "--fault", "404:1") as camera:
        assert [fetch(camera, snap_path(""))[0] for _ in range(5)] == [500, 500, 200, 404, 200]
        with pytest.raises(ValueError):
            camera.fault("nonsense")

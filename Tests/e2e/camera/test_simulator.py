"""The simulator is true to life: two public Reolink clients work against it, and it keeps the firmware's rules."""

import asyncio
import hashlib
import http.client
import json
import socket
import ssl
import subprocess
import sys
import time
import types
import urllib.request

import pytest
from camera_calls import PASSWORD, Raw, call, fetch, login, rsp_code, size_of, snap_path, token_of
from PIL import Image
from simulator import Simulator, binary


@pytest.fixture(scope="module")
def shared():
    with Simulator("--https-port", 0, "--password", PASSWORD) as camera:
        yield camera


@pytest.fixture
def camera(shared):
    shared.reset()
    return shared


# The clients that people use


def test_reolink_aio_logs_in_reads_the_host_and_takes_snapshots(camera):
    from reolink_aio.api import Host
    from reolink_aio.exceptions import ReolinkConnectionError

    async def refuse(*args, **kwargs):
        raise ReolinkConnectionError("no baichuan port here")

    async def drive(port, https):
        host = Host("127.0.0.1", "admin", PASSWORD, port=port, use_https=https, timeout=10)
        host.baichuan.send = refuse
        try:
            await host.get_host_data()
            await host.get_states()
            assert (host.nvr_name, host.model, host.channels) == ("Simulator", "RLC-810A", [0])
            assert host.mac_address == "ec:71:db:00:00:01"
            assert size_of(await host.get_snapshot(0)) == (640, 360)
            assert size_of(await host.get_snapshot(0, "sub")) == (320, 180)
            stream = await host.get_rtsp_stream_source(0, "main", check=False)
            assert stream.startswith("rtsp://admin:") and stream.endswith("Preview_01_main")
        finally:
            await host.logout()

    asyncio.run(drive(camera.http, False))
    asyncio.run(drive(camera.https, True))
    stats = camera.stats()
    assert (stats["logins"], stats["logouts"], stats["pictures"]) == (2, 2, 4)
    assert (stats["sessions_open"], stats["failed_logins"]) == (0, 0)


def test_reolink_aio_sees_wrong_credentials(camera):
    from reolink_aio.api import Host
    from reolink_aio.exceptions import CredentialsInvalidError

    async def drive():
        host = Host("127.0.0.1", "admin", "wrong", port=camera.http, use_https=False)
        with pytest.raises(CredentialsInvalidError):
            await host.login()

    asyncio.run(drive())
    assert camera.stats()["failed_logins"] == 1


def test_reolinkapi_logs_in_asks_and_takes_a_snapshot(monkeypatch):
    # The client takes pictures only when OpenCV imports, which it needs for video alone.
    monkeypatch.setitem(sys.modules, "cv2", types.ModuleType("cv2"))
    from reolinkapi import Camera

    with Simulator("--password", "plain") as camera:
        client = Camera(camera.address, "admin", "plain")
        assert client.get_information()[0]["value"]["DevInfo"]["model"] == "RLC-810A"
        assert client.get_net_ports()[0]["value"]["NetPort"]["httpPort"] == camera.http
        assert client.get_snap().size == (640, 360)
        assert client.logout()
        stats = camera.stats()
    assert (stats["logins"], stats["pictures"], stats["sessions_open"]) == (1, 1, 0)


# Sessions


def test_error_answers_are_html_pages_with_the_firmwares_spaces(camera):
    status, kind, body = fetch(camera, snap_path(user=None, password=None))
    assert (status, kind) == (200, "text/html")
    assert b'"detail" : "please login first"' in body and rsp_code(body) == -6


def test_sessions_are_limited_until_one_logs_out():
    with Simulator("--max-sessions", 2) as camera:
        first = token_of(camera, "")
        token_of(camera, "")
        assert login(camera, "")["error"]["rspCode"] == -5
        assert call(camera, "Logout", token=first)["code"] == 0
        assert login(camera, "")["code"] == 0


def test_a_session_ends_with_its_lease():
    with Simulator("--lease", 2) as camera:
        assert fetch(camera, snap_path(""))[1] == "image/jpeg"
        path = snap_path(user=None, password=None, token=token_of(camera, ""))
        assert fetch(camera, path)[1] == "image/jpeg"
        deadline = time.monotonic() + 10
        while camera.stats()["sessions_open"] > 0:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert rsp_code(fetch(camera, path)[2]) == -6


def test_logout_without_a_token_breaks_later_tokens(camera):
    assert call(camera, "Logout")["error"]["rspCode"] == -6
    path = snap_path(user=None, password=None, token=token_of(camera))
    assert rsp_code(fetch(camera, path)[2]) == -6


def test_wrong_passwords_count_down_to_a_lock_that_right_ones_meet_too(camera):
    left = [login(camera, "wrong")["error"]["remain_times"] for _ in range(5)]
    assert left == [4, 3, 2, 1, 0]
    assert login(camera)["error"]["detail"] == "Login has been locked"
    assert b"Login has been locked" in fetch(camera, snap_path())[2]
    assert camera.stats()["failed_logins"] == 7 and camera.stats()["locked"]


def test_unknown_user_and_bad_parameters(camera):
    assert login(camera, user="nobody")["error"]["rspCode"] == -27
    assert rsp_code(fetch(camera, snap_path(channel=7))[2]) == -49
    assert rsp_code(fetch(camera, snap_path(channel=None))[2]) == -1
    assert rsp_code(fetch(camera, snap_path(width=1, height=1))[2]) == -4
    assert call(camera, "GetNonsense", token=token_of(camera))["error"]["rspCode"] == -9


def test_batches_are_answered_in_order(camera):
    commands = ["GetDevInfo", "Nonsense", "GetLocalLink"]
    body = json.dumps([{"cmd": name} for name in commands]).encode()
    answers = json.loads(fetch(camera, f"/cgi-bin/api.cgi?token={token_of(camera)}", body)[2])
    assert [a["cmd"] for a in answers] == commands and [a["code"] for a in answers] == [0, 1, 0]


@pytest.mark.parametrize(("auth", "by_token", "by_password"), [("token", True, False), ("password", False, True)])
def test_snap_can_refuse_tokens_or_passwords(auth, by_token, by_password):
    with Simulator("--auth", auth) as camera:
        token = snap_path(user=None, password=None, token=token_of(camera, ""))
        assert (fetch(camera, token)[1] == "image/jpeg") == by_token
        assert (fetch(camera, snap_path(""))[1] == "image/jpeg") == by_password


def test_raw_compare_takes_the_query_undecoded(tmp_path):
    secret = tmp_path / "password"
    secret.write_text("a!b\n")
    with Simulator("--raw-compare", "--password-file", secret) as camera:
        assert fetch(camera, snap_path("").replace("password=", "password=a!b"))[1] == "image/jpeg"
        assert rsp_code(fetch(camera, snap_path("").replace("password=", "password=a%21b"))[2]) == -7


# Pictures


def test_pictures_differ_and_sizes_are_honoured(camera):
    pictures = [fetch(camera, snap_path())[2] for _ in range(10)]
    assert len({hashlib.sha256(p).digest() for p in pictures}) == 10
    assert size_of(pictures[0]) == (640, 360)
    assert size_of(fetch(camera, snap_path(snapType="sub"))[2]) == (320, 180)
    assert size_of(fetch(camera, snap_path(width=200, height=100))[2]) == (200, 100)


def test_given_pictures_are_served_in_turn(tmp_path):
    files = []
    for colour in ("red", "green"):
        files.append(tmp_path / f"{colour}.jpg")
        Image.new("RGB", (32, 32), colour).save(files[-1])
    with Simulator("--picture", files[0], "--picture", files[1]) as camera:
        bodies = [fetch(camera, snap_path(""))[2] for _ in range(3)]
    assert bodies == [files[i].read_bytes() for i in (0, 1, 0)]


def test_frozen_repeats_the_picture():
    with Simulator("--frozen") as camera:
        assert fetch(camera, snap_path(""))[2] == fetch(camera, snap_path(""))[2]


# Surroundings


def key_of(camera):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", camera.https), 5) as plain, context.wrap_socket(plain) as secure:
        return secure.getpeercert(binary_form=True)


def test_https_has_its_own_key_or_the_one_given(camera, tmp_path):
    pem = tmp_path / "camera.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=given", "-keyout", pem, "-out", tmp_path / "certificate"],
        check=True, capture_output=True)
    certificate = (tmp_path / "certificate").read_text()
    pem.write_text(pem.read_text() + certificate)
    with Simulator("--https-port", 0, "--certificate", pem) as given:
        assert key_of(given) == ssl.PEM_cert_to_DER_cert(certificate) != key_of(camera)
        given.fault("reset-mid")
        context = ssl._create_unverified_context()
        with pytest.raises((OSError, http.client.HTTPException)):
            url = f"https://127.0.0.1:{given.https}{snap_path('')}"
            urllib.request.urlopen(url, timeout=5, context=context).read()


def test_log_and_stats_tell_what_came(camera):
    before = len(camera.requests())
    login(camera)
    fetch(camera, snap_path(channel=9))
    first, second = camera.requests()[before:]
    assert (first["cmd"], first["method"], first["code"]) == ("Login", "POST", 200)
    assert json.loads(first["body"])[0]["param"]["User"]["password"] == PASSWORD
    assert second["rsp"] == -49 and second["path"] == snap_path(channel=9)
    assert second["connection"] != first["connection"]
    stats = camera.stats()
    assert (stats["requests"], stats["connections"], stats["snaps"]) == (2, 2, 1)
    assert stats["last_user_agent"].startswith("Python-urllib")


def test_one_connection_serves_many_requests(camera):
    import requests

    with requests.Session() as session:
        for _ in range(5):
            assert session.get(camera.url + snap_path()).headers["Content-Type"] == "image/jpeg"
    assert camera.stats()["connections"] == 1


def test_it_starts_fast_and_ends_at_once():
    start = time.monotonic()
    camera = Simulator()
    assert time.monotonic() - start < 5
    with Raw(camera, snap_path(""), timeout=5):
        camera.stop()
    assert camera.process.returncode == -15


def test_it_says_what_keeps_it_from_starting(tmp_path):
    def start(*args, **more):
        command = [binary("reolink-simulator"), *args]
        return subprocess.run(command, check=False, capture_output=True, text=True, timeout=20, **more)

    run = start(env={"PATH": str(tmp_path)})
    assert run.returncode == 69 and run.stdout == ""
    assert "error: ffmpeg: it is not installed" in run.stderr and "hint: install it" in run.stderr
    assert start("--fault", "nonsense").returncode == 64

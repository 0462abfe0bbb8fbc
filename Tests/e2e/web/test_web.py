"""snapshot-web over HTTP: what it answers."""

import os
import re
import socket
import subprocess
import time

import pytest
from process import wait_until
from prometheus_client.parser import text_string_to_metric_families
from web import Web, binary, environment, moment, read_to_end, record, slot, state, web, write_relay, write_ring  # noqa: F401

pytestmark = pytest.mark.tsan

SIX = {"status", "last_capture", "uptime_seconds", "total_captures", "total_uploads", "failed_uploads"}


# What it says


def test_healthy(state, tmp_path):
    write_ring(state, [record(7)])
    with Web(state, tmp_path) as web:
        answer = web.get("/health")
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    health = answer.json()
    assert SIX <= health.keys()
    assert health["status"] == "healthy" and health["reasons"] == []
    assert health["total_captures"] == 367 and health["failed_uploads"] == 2
    assert 3600 <= health["uptime_seconds"] < 3660
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", health["last_capture"])


def cases():
    """By reason: status, code, what the record says. Made when they are needed, since moments grow old."""
    return {
        "spooling": ("degraded", 200, {"spool": {"count": 4, "bytes": 99, "oldest": moment(60), "dropped": 0}}),
        "stale": ("degraded", 200, {"last_upload": moment(45)}),
        "clock_unsynced": ("degraded", 200, {"clock": {"synced": False, "offset_seconds": 70, "latest_ms": 0}}),
        "no_capture": ("unhealthy", 503, {"last_capture": moment(150), "last_upload": moment(150)}),
        "camera_credentials_refused": (
            "unhealthy", 503, {"latches": {"camera": {"since": moment(9), "delay_seconds": 600, "settings": "00"}}}),
    }


@pytest.mark.parametrize("reason", cases())
def test_not_healthy(state, web, reason):
    status, code, changes = cases()[reason]
    write_ring(state, [record(7, **changes)])
    answer = web.get("/health")
    assert answer.status == code
    assert answer.json()["status"] == status and reason in answer.json()["reasons"]


def test_never_ran(web):
    answer = web.get("/health")
    assert answer.status == 503
    assert answer.json()["reasons"] == ["never_captured"] and answer.json()["last_capture"] is None
    assert web.get("/livez").status == 200


BROKEN = {
    "empty": b"", "noise": os.urandom(64 * 4096), "short": slot(record(3))[:2000], "zeros": bytes(64 * 4096),
    "not-text": b'{"seq":9,"schema":\xff\xfe' * 9000,
    "forged": slot({"seq": 5, "schema": "x"}) * 64, "lists": slot([1, 2]) * 64,
    "huge-numbers": slot(record(1, interval_seconds=1e300, boot_first_run=-1e300, total_captures=2**63 - 1)) * 64,
    "tiny-numbers": slot(record(1, interval_seconds=-1e300, last_capture={"at": "x", "up": -1e308})) * 64,
    "odd-hours": slot(record(1, hours=[[2**62, 2**63 - 1, -(2**63), 0, 2**63 - 1]] * 30)) * 64,
}


@pytest.mark.parametrize("name", BROKEN)
def test_any_state_file_is_survived(state, web, name):
    state.mkdir()
    (state / "state.jsonl").write_bytes(BROKEN[name])
    health = web.get("/health")
    assert health.status == 503 and health.json()["reasons"] == ["state_unreadable"]
    assert web.get("/metrics").status == web.get("/").status == 200
    assert web.process.poll() is None


def test_a_file_longer_than_a_ring_is_read_as_one(state, web):
    state.mkdir()
    (state / "state.jsonl").write_bytes(slot(record(3)) * 200)
    assert web.get("/health").status == 200


def test_state_that_changes_is_seen(state, web):
    assert web.get("/health").status == 503
    write_ring(state, [record(1)])
    wait_until(lambda: web.get("/health").status == 200, 5, "the new state")
    (state / "state.jsonl").unlink()
    (state / "state.jsonl").mkdir()
    wait_until(lambda: web.get("/health").json()["reasons"] == ["state_unreadable"], 5, "trouble")


def test_a_single_camera_has_a_name_too(state, web):
    write_ring(state, [record(1, camera="yard")])
    assert web.get("/health").status == 200
    assert web.get("/health/yard").json()["camera"] == "yard" and web.get("/health/hall").status == 404


def test_several_cameras(state, web):
    write_ring(state / "yard", [record(1, camera="yard")])
    write_ring(state / "hall", [record(1, camera="hall", last_upload=moment(50))])
    health = web.get("/health").json()
    assert health["status"] == "degraded"
    assert {name: camera["status"] for name, camera in health["cameras"].items()} == {
        "yard": "healthy", "hall": "degraded"}
    assert web.get("/health/yard").json()["camera"] == "yard"
    assert web.get("/health/h%61ll").json()["status"] == "degraded"
    for unknown in ["/health/attic", "/health/", "/health/yard/x"]:
        assert web.get(unknown).status == 404, unknown
    assert web.get("/health/..%2fyard").status == 400


def test_metrics_are_read_by_prometheus(state, web):
    hostile = 'a"b\\c<script>\u2028"\u0301\\\u0301'
    write_ring(state / "yard", [record(1)])
    write_ring(state / "hall", [record(1, last_upload=moment(50))])
    write_ring(state, [record(1, camera=hostile)])
    write_relay(state / "yard")
    answer = web.get("/metrics")
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    families = {family.name: family for family in text_string_to_metric_families(answer.text)}
    status = {sample.labels["camera"]: sample.value for sample in families["snapshot_health_status"].samples}
    # A character that breaks a line in other programs is escaped.
    assert status == {"yard": 0, "hall": 1, hostile.replace("\u2028", r"\u{2028}"): 0}
    assert families["snapshot_captures"].type == "counter"
    assert [sample.labels["camera"] for sample in families["snapshot_relay_running"].samples] == ["yard"]


def test_what_the_page_says_of_a_relay(state, web):
    def relay_is_told(*words, **changes):
        write_ring(state, [record(1)])
        write_relay(state, **changes)

        def told():
            found = re.search(r"<dt>Relay</dt>(.*?)</dd>", web.get("/").text)[1]
            return all(word in found for word in words)
        wait_until(told, 5, words)

    relay_is_told("Live", "1 restart")
    relay_is_told("republish fails: push-refused", failing={"republish": "push-refused"})
    relay_is_told("Stopped", state="stopped", updated=moment(9000))
    relay_is_told("Silent", "no report for 3 min", updated=moment(200))


def test_no_two_cameras_share_a_label(state, web):
    """The camera without an instance's name is called as an instance is."""
    write_ring(state, [record(1, camera="yard")])
    write_ring(state / "yard", [record(2, camera="yard")])
    write_ring(state / "hall", [record(3, camera="yard")])
    for family in text_string_to_metric_families(web.get("/metrics").text):
        if family.name.startswith("snapshot_board_"):
            continue
        labels = [sample.labels["camera"] for sample in family.samples]
        assert sorted(labels) == ["", "hall", "yard"], family.name
    assert "yard" in web.get("/").text


# How it says it


@pytest.mark.parametrize("path", ["/", "/health", "/livez", "/metrics", "/nothing"])
def test_head_is_get_without_body(state, web, path):
    write_ring(state, [record(1)])
    get, head = web.get(path), web.get(path, "HEAD")
    assert head.status == get.status and head.body == b"" and len(get.body) > 0
    assert head.headers["Content-Type"] == get.headers["Content-Type"]
    # The others tell ages, so that two answers may differ in length.
    if path in ("/livez", "/nothing"):
        assert head.headers["Content-Length"] == get.headers["Content-Length"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "BREW"])
def test_other_methods_are_refused(web, method):
    answer = web.get("/health", method)
    assert answer.status == 405 and answer.headers["Allow"] == "GET, HEAD"


def test_unknown_paths(web):
    for path in ["/nothing", "/healthz", "/health.json", "//", "/livez/"]:
        assert web.get(path).status == 404, path
    # Every browser asks for it.
    assert web.get("/favicon.ico").status == 204


@pytest.mark.timing
def test_bodies_are_not_waited_for(web):
    began = time.monotonic()
    answer = web.raw(b"POST /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000\r\n\r\n" + b"x" * 300000)
    assert answer.startswith(b"HTTP/1.1 405 ")
    answer = web.raw(b"GET /livez HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nffffff\r\n" + b"x" * 99)
    assert answer.startswith(b"HTTP/1.1 200 ") and b"Connection: close" in answer
    assert time.monotonic() - began < 4


def test_pipelined_requests_are_answered_in_order(web):
    paths = ["/livez", "/nothing", "/health", "/metrics"] * 25
    requests = "".join(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n" for path in paths)
    answers = web.raw((requests + "GET /livez HTTP/1.0\r\n\r\n").encode())
    codes = re.findall(rb"HTTP/1\.1 (\d+) ", answers)
    assert codes == [b"200", b"404", b"503", b"200"] * 25 + [b"200"]


def test_half_closed_clients_get_their_answer(web):
    with web.connect() as connection:
        connection.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
        connection.shutdown(socket.SHUT_WR)
        assert read_to_end(connection).endswith(b"\r\n\r\nok\n")


@pytest.mark.parametrize("head, code", [
    (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", b"431"),
    (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 9000 + b"\r\n\r\n", b"431"),
    (b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X: " + b"a" * 600_000 + b"\r\n", b"431"),
    (b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X: y\r\n" * 200 + b"\r\n", b"431"),
    (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 200, b"40"),
    (b"GET /live\x01z HTTP/1.1\r\nHost: localhost\r\n\r\n", b"400"),
    (b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: b\r\n\r\n", b"400"),
    (b"GET / HTTP/1.1\r\n\r\n", b"400"),
    (b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n", b"400"),
    (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"40"),
], ids=["path", "field", "flood", "fields", "tls", "control", "hosts", "no-host", "length", "http2"])
def test_bad_heads_are_refused(web, head, code):
    assert web.raw(head).startswith(b"HTTP/1.1 " + code)
    assert web.get("/livez").status == 200


# Settings


@pytest.mark.parametrize("settings, code, text", [
    ({"HEALTH_CHECK_PORT": "99999"}, 78, "refused HEALTH_CHECK_PORT='99999'"),
    ({"WEB_IMAGES": "perhaps"}, 78, "refused WEB_IMAGES='perhaps'"),
    ({"CAPTURE_INTERVAL": "soon"}, 78, "refused CAPTURE_INTERVAL='soon'"),
    ({"WEB_TOKEN_FILE": "/nonexistent/token"}, 78, "cannot read WEB_TOKEN from /nonexistent/token"),
])
def test_bad_settings(state, tmp_path, settings, code, text):
    done = subprocess.run(
        [binary()], cwd=tmp_path, env=environment(state, **settings), capture_output=True, text=True, timeout=10)
    assert done.returncode == code
    assert done.stderr.startswith(f"snapshot-web: error: {text}") and done.stdout == ""


def test_a_port_that_is_taken(state, web, tmp_path):
    done = subprocess.run(
        [binary()], cwd=tmp_path, env=environment(state, HEALTH_CHECK_PORT=str(web.port)), capture_output=True,
        text=True, timeout=10)
    assert done.returncode == 71
    assert f"snapshot-web: error: cannot listen on 127.0.0.1:{web.port}: " in done.stderr
    assert "snapshot-web: hint: " in done.stderr


def test_only_loopback_is_bound_by_hand(web):
    with open(f"/proc/{web.process.pid}/net/tcp") as table:
        addresses = [line.split()[1] for line in table if line.split()[3] == "0A"]
    assert f"0100007F:{web.port:04X}" in addresses


def test_usage(tmp_path):
    run = lambda *arguments: subprocess.run([binary(), *arguments], cwd=tmp_path, capture_output=True, text=True)
    assert run("--version").stdout.strip()
    assert "HEALTH_CHECK_PORT" in run("--help").stdout
    assert run("--idle-exit", "4s").returncode == 64
    assert run("--nonsense").returncode == 64
    assert run("--config", "missing.env").returncode == 78

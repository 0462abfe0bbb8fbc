"""snapshot-web under load, and behind sockets that it inherits: nobody makes it fall."""

import os
import resource
import socket
import subprocess
import threading
import time

import pytest
from process import wait_until
from web import (  # noqa: F401
    Activator, Client, binary, end, memory, most_memory, read_to_end, record, sockets, spawn_activated, state, web, write_ring)

pytestmark = pytest.mark.tsan


# Load


@pytest.mark.timing
def test_slow_clients_are_cut_off(web):
    """16 clients that send a byte now and then, and one that never reads, don't hold up anybody else."""
    ends = []

    def drip():
        began = time.monotonic()
        with web.connect() as connection:
            connection.settimeout(0.2)
            try:
                for byte in b"GET /health HTTP/1.1\r\nHost: " + b"a" * 100:
                    connection.send(bytes([byte]))
                    try:
                        if not connection.recv(1):
                            break
                    except TimeoutError:
                        pass
            except OSError:
                pass
        ends.append(time.monotonic() - began)

    threads = [threading.Thread(target=drip) for _ in range(16)]
    for thread in threads:
        thread.start()
    deaf = web.connect()
    deaf.setblocking(False)
    while True:
        try:
            deaf.send(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n" * 1000)
        except BlockingIOError:
            break
    while any(thread.is_alive() for thread in threads):
        began = time.monotonic()
        assert web.get("/livez").status == 200
        assert time.monotonic() - began < 3
        time.sleep(0.05)
    assert all(4.5 < end < 10 for end in ends), ends
    # Listening socket apart, no socket is left: the one that never reads was cut off, too.
    wait_until(lambda: sockets(web.process.pid) == 1, 5, "end of the deaf client")
    deaf.close()


@pytest.mark.timing
def test_twelve_hundred_connections(web):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(2048, hard)), hard))
    crowd = [web.connect() for _ in range(1200)]
    try:
        for _ in range(20):
            began = time.monotonic()
            assert web.get("/health").status == 503
            assert time.monotonic() - began < 4
        descriptors = len(os.listdir(f"/proc/{web.process.pid}/fd"))
        assert descriptors < 600
    finally:
        for connection in crowd:
            connection.close()
    assert web.get("/livez").status == 200
    assert memory(web.process.pid) < most_memory()


@pytest.mark.timing
def test_ten_thousand_requests(state, web):
    write_ring(state, [record(1)])
    request = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
    times = []
    with web.connect() as connection:
        for _ in range(10_000):
            began = time.perf_counter()
            connection.sendall(request)
            answer = connection.recv(65536)
            while not answer.endswith(b"}\n"):
                answer += connection.recv(65536)
            times.append(time.perf_counter() - began)
            assert answer.startswith(b"HTTP/1.1 200 ")
    times.sort()
    assert times[9900] < 0.1, f"p99 {times[9900] * 1000:.1f} ms"


# Sockets


@pytest.mark.timing
def test_socket_activation(state, tmp_path):
    write_ring(state, [record(1)])
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]
    process = subprocess.Popen(
        ["systemd-socket-activate", "-l", f"127.0.0.1:{port}", "-E", f"STATE_PATH={state}", binary(), "--idle-exit",
         "5s"], cwd=tmp_path, stderr=subprocess.PIPE)
    try:
        client = Client(port)
        wait_until(lambda: answers(client))
        began = time.monotonic()
        assert client.get("/health").json()["status"] == "healthy"
        inherited = os.readlink(f"/proc/{process.pid}/fd/3")
        assert inherited.startswith("socket:")
        assert "/snapshot-web" in os.readlink(f"/proc/{process.pid}/exe")
        assert process.wait(10) == 0
        assert 4.8 < time.monotonic() - began < 7
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


def answers(client):
    try:
        return client.get("/livez").status == 200
    except OSError:
        return False


@pytest.mark.parametrize("family", ["ipv4", "ipv6", "unix"])
def test_inherited_sockets_of_every_family(state, tmp_path, family):
    write_ring(state, [record(1)])
    if family == "ipv4":
        listening = socket.create_server(("0.0.0.0", 0))
    elif family == "ipv6":
        listening = socket.create_server(("::1", 0), family=socket.AF_INET6)
    else:
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(str(tmp_path / "web.sock"))
        listening.listen()
    process = spawn_activated(listening, state, tmp_path)
    try:
        with socket.socket(listening.family) as connection:
            connection.settimeout(10)
            connection.connect(listening.getsockname())
            connection.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            assert read_to_end(connection).startswith(b"HTTP/1.1 200 ")
    finally:
        assert end(process) == 0
        listening.close()


def test_a_descriptor_that_does_not_listen_is_refused(state, tmp_path):
    with socket.socket() as idle:
        process = spawn_activated(idle, state, tmp_path)
        _, errors = process.communicate(timeout=10)
    assert process.returncode == 71
    assert errors.startswith(b"snapshot-web: error: cannot use inherited descriptor 3: ")


@pytest.mark.timing
def test_no_request_is_lost_at_the_idle_boundary(state, tmp_path):
    """20 servers, each asked twice at the moment of its idle exit: a little before, a little after, or just then."""
    write_ring(state, [record(1)])
    codes, lost = [], []

    def volley(activator, offsets):
        try:
            answer = activator.get("/livez")
            for offset in offsets:
                time.sleep(max(0, 5 + offset))
                answer = activator.get("/livez")
                codes.append(answer.status)
        except OSError as error:
            lost.append(error)

    activators = [Activator(state, tmp_path, "--idle-exit", "5s") for _ in range(20)]
    try:
        threads = [
            threading.Thread(target=volley, args=(activator, [(n - 8) / 1000, (n - 9.5) / 1000]))
            for n, activator in enumerate(activators)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        for activator in activators:
            activator.stop()
    assert lost == [] and codes == [200] * 40
    starts = sum(activator.starts for activator in activators)
    assert 20 < starts < 60, "no request came near the boundary"
    assert {code for activator in activators for code in activator.codes} == {0}


@pytest.mark.timing
def test_stop_is_quick_and_clean(web):
    with web.connect():
        began = time.monotonic()
        assert web.stop() == 0
        assert time.monotonic() - began < 2

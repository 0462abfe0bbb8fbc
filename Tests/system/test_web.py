"""snapshot-web behind its socket unit, with PrivateNetwork= and no right to anything."""

import concurrent.futures
import http.client
import json
import re
import resource
import socket
import time

import pytest
from prometheus_client.parser import text_string_to_metric_families

from installed import wait_for

KEYS = {"status", "last_capture", "uptime_seconds", "total_captures", "total_uploads", "failed_uploads"}
PORT = 8080


@pytest.fixture(scope="module")
def web(machine):
    """The machine with its web socket open, one picture that isn't stale for hours, and an idle time of 5 s."""
    machine.settings(CAPTURE_INTERVAL="1h")
    machine.run("systemctl start snapshot.service")
    machine.drop_in("snapshot-web.service", "[Service]\nExecStart=\nExecStart=/usr/bin/snapshot-web --idle-exit 5s\n")
    machine.run("systemctl start snapshot-web.socket")
    yield machine
    machine.run("systemctl stop snapshot-web.socket snapshot-web.service")
    machine.settings()


def ask(machine, path: str = "/health", port: int = PORT) -> tuple[int, bytes]:
    with machine.network():
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


def is_running(machine) -> bool:
    return machine.property("snapshot-web.service", "ActiveState") == "active"


def test_it_comes_with_the_first_request_and_goes_when_nobody_asks(web):
    wait_for(lambda: not is_running(web), 10, "the end of what ran before")
    told = json.loads(web.out("curl -sf http://127.0.0.1:8080/health"))
    assert KEYS <= told.keys() and told["status"] == "healthy" and told["total_captures"] >= 1
    assert is_running(web)
    wait_for(lambda: not is_running(web), 12, "idle exit")
    assert web.property("snapshot-web.service", "Result") == "success"
    assert web.property("snapshot-web.socket", "ActiveState") == "active"


def test_its_status_is_the_healths(web):
    assert ask(web)[0] == 200
    web.run("mv /var/lib/snapshot/state.jsonl /var/lib/snapshot/state.kept")
    try:
        status, body = wait_for(lambda: (lambda got: got[0] == 503 and got)(ask(web)), 5, "503")
        assert json.loads(body)["reasons"] == ["never_captured"]
    finally:
        web.run("mv /var/lib/snapshot/state.kept /var/lib/snapshot/state.jsonl")
    wait_for(lambda: ask(web)[0] == 200, 5, "200 again")


def test_prometheus_reads_its_metrics(web):
    families = list(text_string_to_metric_families(ask(web, "/metrics")[1].decode()))
    assert any(family.name.startswith("snapshot_") for family in families)
    assert all("camera" in sample.labels for family in families for sample in family.samples
               if "captures" in sample.name)


def test_it_has_no_network_no_settings_and_no_secret(web):
    ask(web)
    pid = web.property("snapshot-web.service", "MainPID")
    ours = ["nsenter", "-t", pid, "-n", "-m", "--"]
    assert "8080" not in web.out([*ours, "cat", "/proc/net/tcp"])
    assert re.findall(r"^\d+: (\w+)", web.out([*ours, "ip", "-o", "link"]), re.M) == ["lo"]
    assert web.run([*ours, "ls", "/etc/snapshot/"], check=False).stdout == ""
    assert web.out(f"grep CapEff /proc/{pid}/status").split()[1] == "0" * 16
    assert "snapshot-web" == web.out(f"ps -o user= -p {pid}")


def test_it_writes_no_journal_line(web):
    wait_for(lambda: not is_running(web), 12, "idle exit")
    cursor = web.cursor()
    ask(web)
    wait_for(lambda: not is_running(web), 12, "idle exit")
    assert web.whole_journal(cursor) == []


def test_no_request_is_lost_at_the_idle_boundary(web, is_long):
    """Twenty fronts at once, each asked again about 5 s after its last answer: 40 times in all, or 400."""
    ports = range(9001, 9021)
    for port in ports:
        for kind in ("socket", "service"):
            text = web.out(f"cat /usr/lib/systemd/system/snapshot-web.{kind}")
            text = text.replace("127.0.0.1:8080", f"127.0.0.1:{port}").replace("snapshot-web.socket", f"edge{port}.socket")
            web.write(f"/etc/systemd/system/edge{port}.{kind}",
                      text.replace("/usr/bin/snapshot-web", "/usr/bin/snapshot-web --idle-exit 5s"))
    web.run("systemctl daemon-reload")
    web.run(["systemctl", "start", *(f"edge{port}.socket" for port in ports)])

    def life(port: int) -> str:
        return web.property(f"edge{port}.service", "InvocationID")

    def rounds(port: int) -> list[tuple[int, bool]]:
        ask(web, port=port)
        found = []
        for turn in range(20 if is_long else 2):
            before = life(port)
            assert ask(web, port=port)[0] == 200
            # From 40 ms before the moment of leaving to 40 ms behind it.
            offset = ((port * 7 + turn * 3) % 41 - 20) * 0.002
            time.sleep(5 + offset)
            found.append((ask(web, port=port)[0], life(port) == before))
        return found

    with concurrent.futures.ThreadPoolExecutor(len(ports)) as pool:
        found = [one for of_port in pool.map(rounds, ports) for one in of_port]
    web.run(["systemctl", "stop", *(f"edge{port}.socket" for port in ports)])
    survived = sum(is_same for _, is_same in found)
    print(f"{len(found)} requests at the idle boundary, {survived} met the process that was there before")
    assert len(found) >= 40 and [status for status, _ in found] == [200] * len(found)
    assert 0 < survived < len(found), "not aimed at the boundary"


def test_crowds_and_slow_clients_leave_it_alive(web):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, hard), hard))
    ask(web)
    pid = web.property("snapshot-web.service", "MainPID")
    with web.network():
        slow = [socket.create_connection(("127.0.0.1", PORT), timeout=5) for _ in range(16)]
        for one in slow:
            one.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
        crowd = [socket.create_connection(("127.0.0.1", PORT), timeout=5) for _ in range(1200)]
    for one in crowd:
        one.close()
    assert ask(web)[0] == 200
    for one in slow:
        one.close()
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert web.property("snapshot-web.service", "MainPID") == pid


def test_ten_thousand_requests_are_quick(web, is_long):
    def row(count: int) -> list[float]:
        with web.network():
            connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=10)
            times = []
            for _ in range(count):
                begin = time.perf_counter()
                connection.request("GET", "/health")
                answer = connection.getresponse()
                answer.read()
                times.append(time.perf_counter() - begin)
                assert answer.status == 200
            connection.close()
            return times

    each = 2500 if is_long else 500
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        times = sorted(one for row in pool.map(row, [each] * 4) for one in row)
    p99 = times[len(times) * 99 // 100]
    print(f"{len(times)} requests: median {times[len(times) // 2] * 1000:.1f} ms, p99 {p99 * 1000:.1f} ms")
    assert p99 < 0.100


def test_pictures_are_shown_where_both_files_say_so(web):
    assert ask(web, "/latest.jpg")[0] == 404
    web.settings(CAPTURE_INTERVAL="1h", WEB_IMAGES="true")
    web.write("/etc/snapshot/web.env", "WEB_IMAGES=true  # and no other secret\n")
    web.run("systemctl stop snapshot-web.service; systemctl start snapshot.service")
    status, body = ask(web, "/latest.jpg")
    assert (status, body[:2]) == (200, b"\xff\xd8")
    web.run("rm /etc/snapshot/web.env; systemctl stop snapshot-web.service")


def test_another_port_and_one_that_is_taken(web):
    """With the manual's lines, while snapshot-web runs."""
    def move(port):
        web.drop_in("snapshot-web.socket", f"[Socket]\nListenStream=\nListenStream=127.0.0.1:{port}\n")
        return web.run("systemctl restart snapshot-web.socket", check=False).returncode
    web.run("systemd-run --collect --unit=other-program busybox httpd -f -p 127.0.0.1:8089")
    try:
        wait_for(lambda: web.run("curl -s http://127.0.0.1:8089/", check=False).returncode == 0, 5, "the other program")
        assert ask(web, "/livez")[0] == 200
        assert move(8090) == 0 and ask(web, "/livez", 8090)[0] == 200
        assert move(8089) != 0 and "Address already in use" in web.run("systemctl status snapshot-web.socket", check=False).stdout
        assert move(8091) == 0 and ask(web, "/livez", 8091)[0] == 200
    finally:
        web.run("systemctl stop other-program; rm -r /etc/systemd/system/snapshot-web.socket.d; systemctl daemon-reload")
        web.run("systemctl restart snapshot-web.socket")
    assert ask(web, "/livez")[0] == 200


def test_the_example_opens_it(web):
    web.run("install -D -t /etc/systemd/system/snapshot-web.socket.d /usr/share/doc/snapshot/examples/open-web.conf")
    web.run("systemctl daemon-reload && systemctl stop snapshot-web.service && systemctl restart snapshot-web.socket")
    web.run("ip address add 192.0.2.7/32 dev lo")
    assert json.loads(web.out("curl -sf http://192.0.2.7:8080/health"))["total_captures"] >= 1
    web.run("ip address del 192.0.2.7/32 dev lo && rm -r /etc/systemd/system/snapshot-web.socket.d")
    web.run("systemctl daemon-reload && systemctl stop snapshot-web.service && systemctl restart snapshot-web.socket")

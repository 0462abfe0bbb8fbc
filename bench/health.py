"""Health: on the command line beside `curl --version`, and over HTTP, warm and cold."""
import http.client
import statistics
import subprocess
import time

from measuring import Command, median, ratio
from process import free_port, listens, wait_until
from report import Section, Target

REQUESTS = 3000
COLD = 15


def measure(rig, options):
    return [command_line(rig, options), over_http(rig)]


def command_line(rig, options):
    rig.meter.cost(rig.snapshot("capture"))
    commands = {"snapshot health": rig.snapshot("health"),
                "curl --version": Command(["curl", "--version"], rig.environment, rig.folder)}
    costs = rig.meter.interleaved(commands, options.runs * 2)
    section = Section(
        "Health on the command line", f"{options.runs * 2} interleaved runs.", ["", "wall ms", "CPU ms", "peak MiB"],
        [[name, f"{1000 * median(c, 'wall'):.2f}", f"{1000 * median(c, 'cpu'):.2f}", f"{median(c, 'rss') / 1024:.1f}"]
         for name, c in costs.items()])
    section.targets = [Target("health CLI wall / `curl --version` wall", 0.7,
                              ratio(costs["snapshot health"], costs["curl --version"], "wall"))]
    return section


def over_http(rig):
    port = free_port()
    web = rig.snapshot(program="snapshot-web", HEALTH_CHECK_PORT=str(port))
    server = subprocess.Popen(web.arguments, env=web.environment, cwd=web.folder, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: listens(port), 10, "snapshot-web")
        kept = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        warm = [timed(lambda: ask(kept)) for _ in range(REQUESTS)]
        kept.close()
        fresh = [timed(lambda: ask(http.client.HTTPConnection("127.0.0.1", port, timeout=10), closes=True))
                 for _ in range(REQUESTS // 3)]
    finally:
        server.terminate()
        server.wait(10)
    cold = [cold_start(web) for _ in range(COLD)]
    rows = [("warm, one connection", warm), ("warm, a connection each", fresh),
            ("cold, started by the connection", cold)]
    section = Section(
        "Health over HTTP", "`GET /health` on loopback, milliseconds. Cold: `systemd-socket-activate` starts "
        f"`snapshot-web` when the connection comes, {COLD} times.", ["", "median", "p99", "longest"],
        [[name, f"{statistics.median(t):.2f}", f"{percentile(t, 99):.2f}", f"{max(t):.2f}"] for name, t in rows])
    section.targets = [Target("health over HTTP, warm, p99", 5, percentile(warm, 99), "ms")]
    return section


def ask(connection, closes=False):
    connection.request("GET", "/health")
    answer = connection.getresponse()
    assert answer.status in (200, 503) and answer.read(), answer.status
    if closes:
        connection.close()


def timed(action):
    start = time.perf_counter()
    action()
    return 1000 * (time.perf_counter() - start)


def percentile(times, percent):
    return sorted(times)[min(len(times) - 1, len(times) * percent // 100)]


def cold_start(web):
    port = free_port()
    activator = subprocess.Popen(["systemd-socket-activate", "-l", f"127.0.0.1:{port}", "-E", "STATE_PATH",
                                  *web.arguments], env=web.environment, cwd=web.folder, stderr=subprocess.DEVNULL)
    try:
        # Not by connecting: that would start the program.
        wait_until(lambda: f":{port:04X} 00000000:0000 0A" in open("/proc/net/tcp").read(), 10, "listening socket")
        return timed(lambda: ask(http.client.HTTPConnection("127.0.0.1", port, timeout=10), closes=True))
    finally:
        activator.kill()
        activator.wait(10)

"""What an emulated board goes through: `stories.py CACHE PACKAGE PROGRAMS [--kills N] [--only STORY]`.

timer     Debian 12: installed with a clock of 1970, which jumps while the timer runs; then the power is cut
relay     Debian 12: the same board serves HLS beside the timer
pages     Debian 13 with 16 KiB pages: the timer, what a start costs in instructions, and a root that can't be written
kills     the power is cut N times; only with --kills
"""

import argparse
import calendar
import http.server
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

from board import Board

HERE = pathlib.Path(__file__).parent
INTERVAL = 10
# Keeps what each run prints, and the most memory that it used.
DROP_IN = """[Service]
StandardOutput=append:/run/told
ExecStopPost=+/bin/sh -c 'cat /sys/fs/cgroup/system.slice/snapshot.service/memory.peak >>/run/peaks'
"""


def say(name: str, value: str):
    print(f"{name:34} {value}", flush=True)


class Sink(http.server.BaseHTTPRequestHandler):
    """An endpoint that takes every picture."""

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class Field:
    """A camera on this machine: pictures over HTTP and video over RTSP."""

    def __init__(self, cache: pathlib.Path, programs: pathlib.Path):
        emulated = ["qemu-aarch64-static", "-L", str(cache / "sdk/sysroot")]
        self.camera = subprocess.Popen(
            [*emulated, programs / "reolink-simulator", "--port", "0", "--password", "secret"], stdout=subprocess.PIPE)
        self.port = json.loads(self.camera.stdout.readline())["http"]
        self.server = subprocess.Popen(
            ["/usr/bin/python3", "-W", "ignore", HERE.parent / "kit/rtsp_server.py", "--user", "admin", "--password", "secret"],
            stdout=subprocess.PIPE, start_new_session=True)
        self.sink = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Sink)
        threading.Thread(target=self.sink.serve_forever, daemon=True).start()
        self.video = next(fact["port"] for fact in map(json.loads, self.server.stdout) if "port" in fact)

    def settings(self, **more) -> str:
        values = {"CAMERA_IP": f"10.0.2.2:{self.port}", "CAMERA_PASSWORD": "secret", "CAMERA_RTSP_PORT": self.video,
                  "STATE_PATH": "/var/lib/snapshot", "LOCAL_STORAGE_PATH": "/var/lib/snapshot/snapshots",
                  "OUTPUT_DIR": "/var/lib/snapshot/stream_output", **more}
        return "".join(f"{key}={value}\n" for key, value in values.items())

    def remote(self) -> dict[str, str]:
        """Settings of a store that isn't on the board."""
        return {"STORAGE_BACKEND": "http", "HTTP_UPLOAD_URL": f"http://10.0.2.2:{self.sink.server_port}/"}

    def stop(self):
        self.camera.kill()
        os.killpg(self.server.pid, signal.SIGKILL)


def install(board: Board, field: Field):
    begin = board.uptime()
    told = board.run("mkdir -p /run/carried && tar -xf /dev/vdb -C /run/carried && DEBIAN_FRONTEND=noninteractive "
                     "apt-get -y -q --no-install-recommends install /run/carried/snapshot.deb", timeout=400)
    assert "snapshot: next, as root: snapshot setup" in told, told
    say("installed in", f"{board.uptime() - begin:.0f} s: {board.run('snapshot --version')}")
    prepare(board, field)


def prepare(board: Board, field: Field, **settings):
    """Writes the settings and the drop-in; what that records is in RAM, and a power cut loses it."""
    board.run(f"cat >/etc/snapshot/snapshot.env <<'END'\n{field.settings(**settings)}END\n"
              "mkdir -p /etc/systemd/system/snapshot.service.d\n"
              f"cat >/etc/systemd/system/snapshot.service.d/board.conf <<'END'\n{DROP_IN}END\nsystemctl daemon-reload")


def lean(board: Board):
    board.run("cp /usr/share/doc/snapshot/examples/lean.conf /etc/systemd/system/snapshot.service.d/ && systemctl daemon-reload")


def slots(board: Board, seconds: int, what: str):
    """Lets the timer run for a while, and asserts that each interval has a picture."""
    begin = int(board.run("date +%s"))
    time_up = board.uptime() + seconds
    while (left := time_up - board.uptime()) > 0:
        time.sleep(min(left, 2))
    end = int(board.run("date +%s"))
    # The intervals that lie wholly in between. A picture counts for the interval in which it was begun.
    wanted = set(range(-(-begin // INTERVAL), end // INTERVAL))
    hit = {int(moment) // INTERVAL for moment in map(taken, told(board)) if moment}
    say(f"{what}: slots hit", f"{len(wanted & hit)} of {len(wanted)}")
    missed = sorted(wanted - hit)
    assert not missed, f"no picture in {missed}: {board.run('journalctl -q --no-pager -n 30; snapshot health', check=False)}"


def told(board: Board) -> list[str]:
    """The pictures that runs have reported as stored in this boot, by path or key."""
    return re.findall(r"^stored (?:\S+ \(key )?(\S+\.jpg)", board.run("cat /run/told 2>/dev/null", check=False), re.M)


def taken(path: str) -> float | None:
    found = re.search(r"_(\d{8}T\d{6})\.(\d{3})Z\.jpg$", path)
    return calendar.timegm(time.strptime(found[1], "%Y%m%dT%H%M%S")) + int(found[2]) / 1000 if found else None


def sums(board: Board) -> dict[str, str]:
    """The digest of each picture that is there."""
    lines = board.run("find /var/lib/snapshot/snapshots -name '*.jpg' -exec sha256sum {} + 2>/dev/null", check=False)
    return {path: digest for digest, path in (line.split(None, 1) for line in lines.splitlines())}


def memory(board: Board):
    peaks = [int(line) for line in board.run("cat /run/peaks").split()]
    say("memory of a run, at most", f"{max(peaks) / 2**20:.1f} MiB, median {sorted(peaks)[len(peaks) // 2] / 2**20:.1f} MiB")
    free = re.search(r"MemAvailable: *(\d+)", board.run("cat /proc/meminfo"))[1]
    say("memory left on the board", f"{int(free) // 1024} MiB of 512")


def written(board: Board, command: str, times: int = 4) -> float:
    """KB that a command and the three seconds after it bring to the disk, ext4's journal included."""
    before = board.written()
    for _ in range(times):
        board.run(f"{command}; sleep 3")
    return (board.written() - before) / times / 1000


def wear(board: Board, what: str, idle: float):
    """Prints what a run writes, with its start and end, less what an idle board writes in the same time."""
    say(f"{what}: written a run", f"{written(board, 'systemctl start snapshot.service') - idle:.0f} KB")


def set_clock(board: Board):
    """Sets the clock, as a time service does when the network comes up."""
    board.run(f"date -s @{int(time.time())} && touch /run/systemd/timesync/synchronized")


def cut(board: Board, field: Field) -> float:
    """Cuts the power at a random moment, and asserts that every picture that had been reported is there."""
    end = time.monotonic() + random.uniform(1, 1.5 * INTERVAL)
    reported = set()
    while time.monotonic() < end:
        reported |= set(told(board))
    board.cut()
    boot = board.on(clock="1970-01-01T00:00:20")
    there = sums(board)
    lost = [name for name in reported if not any(path.endswith(name) for path in there)]
    assert not lost, f"lost by a power cut: {lost}"
    halves = board.run("find /var/lib/snapshot/snapshots -name '*.jpg' | while read -r path; do "
                       "[ \"$(head -c2 $path | base64) $(tail -c2 $path | base64)\" = '/9g= /9k=' ] || echo $path; done")
    assert not halves, f"half a picture after a power cut: {halves}"
    # The timer goes on by itself, and the drop-in is in /etc, so it still records.
    before = len(there)
    wait_for(lambda: len(sums(board)) > before, 120, "a picture after a power cut", board)
    health = json.loads(board.run("snapshot health --json", check=False))
    assert health["status"] != "unhealthy", health
    return boot


def wait_for(condition, seconds: float, what: str, board: Board):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds} s: {what}\n" + board.run(
            "snapshot health; journalctl -q --no-pager -n 40", check=False)
        time.sleep(0.5)


def timer(board: Board, field: Field):
    say("Debian 12, 4 KiB pages: on in", f"{board.on(clock='1970-01-01T00:00:10'):.0f} s")
    say("clock at power-on", board.run("date -u +%FT%TZ"))
    install(board, field)
    board.run("systemctl enable --now snapshot.timer")
    wait_for(lambda: told(board), 60, "a first picture", board)
    slots(board, 45, "clock never set")
    assert "clock_unsynced" in board.run("snapshot health --json", check=False)
    set_clock(board)
    wait_for(lambda: (taken(told(board)[-1]) or 0) > time.time() - 3600, 60, "a picture with the right time", board)
    slots(board, 45, "clock set")
    memory(board)
    board.run("systemctl stop snapshot.timer snapshot.service && sleep 5")
    idle = written(board, "true")
    say("idle board: written in 3 s", f"{idle:.0f} KB")
    wear(board, "folder", idle)
    prepare(board, field, **field.remote())
    wear(board, "remote store", idle)
    lean(board)
    wear(board, "remote store, lean.conf", idle)
    board.run("rm /etc/systemd/system/snapshot.service.d/lean.conf")
    prepare(board, field)
    # What went to the remote store isn't to be looked for on the board.
    board.run(": >/run/told; systemctl start snapshot.timer")
    say("after a power cut: on in", f"{cut(board, field):.0f} s, nothing lost")


def relay(board: Board, field: Field):
    if board.process is None:
        board.on()
        install(board, field)
        board.run("systemctl enable --now snapshot.timer")
    set_clock(board)
    # An emulated ffmpeg takes long to start.
    prepare(board, field, STREAM_MODE="hls", STALL_TIMEOUT="60s")
    board.run("systemctl start --no-block snapshot-relay.service")
    playlist = "/var/lib/snapshot/stream_output/hls/stream.m3u8"

    def newest():
        names = re.findall(r"^(\d+)\.m4s", board.run(f"cat {playlist} 2>/dev/null", check=False), re.M)
        return int(names[-1]) if len(names) >= 3 else 0
    wait_for(newest, 180, "three segments of HLS", board)
    first = newest()
    slots(board, 45, "beside the relay")
    assert newest() > first, "no new segment of HLS"
    say("relay: segments in 45 s", f"{newest() - first}")
    peak = board.run("cat /sys/fs/cgroup/system.slice/snapshot-relay.service/memory.peak")
    say("relay and ffmpeg: memory at most", f"{int(peak) / 2**20:.1f} MiB")
    memory(board)
    board.run("systemctl stop snapshot-relay.service")


def pages(board: Board, field: Field):
    say("Debian 13, 16 KiB pages: on in", f"{board.on():.0f} s")
    assert board.run("getconf PAGESIZE") == "16384"
    install(board, field)
    board.run("systemctl enable --now snapshot.timer")
    wait_for(lambda: told(board), 60, "a first picture", board)
    slots(board, 45, "16 KiB pages")
    memory(board)
    board.run("systemctl stop snapshot.timer snapshot.service")
    idle = resting(board)
    cost(board, idle, "a run by itself", "runuser -u snapshot -- snapshot capture --config /etc/snapshot/snapshot.env >/dev/null")
    cost(board, idle, "a start, hardened", "systemctl start snapshot.service")
    lean(board)
    cost(board, idle, "a start with lean.conf", "systemctl start snapshot.service")
    read_only(board, field)


def read_only(board: Board, field: Field):
    """The root can't be written any more, and state lies in memory, as docs/board.md has it."""
    prepare(board, field, SPOOL_MAX_BYTES="64M", SPOOL_MIN_FREE="8M", **field.remote())
    board.run("rm /etc/systemd/system/snapshot.service.d/lean.conf && systemctl daemon-reload && : >/run/told && "
              "mount -t tmpfs -o size=96M,mode=0755 tmpfs /var/lib/snapshot && journalctl --relinquish-var && mount -o remount,ro /")
    assert board.run("touch /etc/written", check=False).endswith("Read-only file system")
    board.run("systemctl start snapshot.timer")
    slots(board, 25, "read-only root")
    say("read-only root: health", board.run("snapshot health | head -1"))
    board.run("systemctl stop snapshot.timer")


def resting(board: Board) -> float:
    """Instructions that an idle board runs in a second."""
    count, begin = board.instructions(), time.monotonic()
    board.run("sleep 10")
    return (board.instructions() - count) / (time.monotonic() - begin)


def cost(board: Board, idle: float, what: str, command: str, times: int = 5):
    """Instructions of everything that runs for it, the kernel and systemd included; what an idle board runs is taken off."""
    board.run(command)
    count, begin = board.instructions(), time.monotonic()
    for _ in range(times):
        board.run(command)
    count = board.instructions() - count - idle * (time.monotonic() - begin)
    say(what, f"{count / times / 1e6:.0f} million instructions")


def kills(board: Board, field: Field, times: int):
    board.on()
    install(board, field)
    board.run("systemctl enable --now snapshot.timer")
    wait_for(lambda: told(board), 60, "a first picture", board)
    for number in range(times):
        say(f"power cut {number + 1}", f"on in {cut(board, field):.0f} s, nothing lost")
    say("pictures after all cuts", str(len(sums(board))))


def plugin(folder: pathlib.Path) -> pathlib.Path:
    subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", folder / "count.so", HERE / "count.c"], check=True)
    return folder / "count.so"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("cache", type=pathlib.Path)
    parser.add_argument("package", type=pathlib.Path)
    parser.add_argument("programs", type=pathlib.Path)
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--only")
    options = parser.parse_args()
    field = Field(options.cache, options.programs)
    begin = time.monotonic()
    chosen = [options.only] if options.only else ["kills"] if options.kills else ["timer", "relay", "pages"]
    boards = {}
    try:
        for name in chosen:
            suite = "trixie" if name == "pages" else "bookworm"
            if suite not in boards:
                for board in boards.values():
                    board.off()
                folder = pathlib.Path(tempfile.mkdtemp(prefix="snapshot-board-", dir="/var/tmp"))
                counter = plugin(folder) if name == "pages" else None
                boards[suite] = Board(options.cache / "board", suite, folder, counter)
                boards[suite].carry({"snapshot.deb": options.package})
            if name == "kills":
                kills(boards[suite], field, options.kills or 1)
            else:
                {"timer": timer, "relay": relay, "pages": pages}[name](boards[suite], field)
        say("all in", f"{time.monotonic() - begin:.0f} s")
    finally:
        for board in boards.values():
            board.off()
            shutil.rmtree(board.folder)
        field.stop()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    main()

"""A running snapshot-web, and states for it to read."""

import contextlib
import http.client
import json
import os
import re
import select
import socket
import subprocess
import threading
import time
import zlib
from datetime import datetime, timedelta, timezone
from pathlib import Path

import builds
import pytest


def binary():
    return str(builds.binary("snapshot-web"))


# States: slots as the state ring holds them.

BOOT = Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def moment(age):
    """A moment `age` seconds ago."""
    at = datetime.now(timezone.utc) - timedelta(seconds=age)
    up = time.clock_gettime(time.CLOCK_BOOTTIME) - age
    return {"at": at.strftime("%Y-%m-%dT%H:%M:%SZ"), "up": round(up, 3)}


def record(seq, age=3, **changes):
    """One run's record that says all is well, written `age` seconds ago; `changes` replace its keys."""
    up = time.clock_gettime(time.CLOCK_BOOTTIME)
    base = {
        "schema": 1, "version": "0.1.0", "camera": "yard", "written": moment(age), "boot": BOOT,
        "boot_first_run": up - 3600, "interval_seconds": 10,
        "last_number": 360 + seq, "total_captures": 360 + seq, "total_uploads": 358 + seq, "failed_uploads": 2,
        "capture_failures": 1, "consecutive_failures": 0,
        "last_capture": moment(age), "last_upload": moment(age),
        "outcome": {"result": "stored", "key": "snapshots/yard.jpg", "bytes": 412345, "width": 2560,
                    "height": 1920, "camera_ms": 420, "store_ms": 88, "attempts": 1},
        "spool": {"count": 0, "bytes": 0, "dropped": 0},
        "clock": {"synced": True, "offset_seconds": 0, "latest_ms": int(time.time() * 1000)},
        "retry_quota": 500, "latches": {},
        "pictures": {"scan": "00", "equal": 1, "sizes": [412345] * 8, "frozen": False, "covered": False},
        "hours": [],
    }
    return {"seq": seq, **base, **changes}


def slot(value):
    body = json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()[:-1]
    text = body + b',"crc":"%08x"}' % zlib.crc32(body)
    assert len(text) < 4096, "the record is too long for a slot"
    return text.ljust(4095) + b"\n"


def write_ring(directory, records):
    """Writes a state ring with `records`, each where its `seq` belongs."""
    slots = [b"".ljust(4095) + b"\n"] * 64
    for value in records:
        slots[(value["seq"] - 1) % 64] = slot(value)
    directory.mkdir(parents=True, exist_ok=True)
    # Renamed into place, so that a running server never reads half a ring.
    (directory / "state.new").write_bytes(b"".join(slots))
    (directory / "state.new").rename(directory / "state.jsonl")


def write_relay(directory, **changes):
    report = {"state": "running", "modes": ["hls", "record"], "updated": moment(5), "boot": BOOT,
              "flowing_since": moment(900), "restarts": 1}
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "relay.json").write_text(json.dumps({**report, **changes}))


# Processes.


def environment(state, **settings):
    """Settings for a server that reads `state`, and nothing from this machine."""
    return {"PATH": os.environ["PATH"], "STATE_PATH": str(state), **builds.environment(), **settings}


def end(process):
    """Asks a program to stop; its exit code. One that doesn't is killed."""
    process.terminate()
    try:
        return process.wait(10)
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


class Answer:
    def __init__(self, response, body):
        self.status, self.headers, self.body = response.status, response.headers, body

    @property
    def text(self):
        return self.body.decode()

    def json(self):
        return json.loads(self.body)


class Client:
    """Asks a server on `port`, with a new connection each time."""

    def __init__(self, port):
        self.port = port
        self.url = f"http://127.0.0.1:{port}"

    def get(self, path, method="GET", body=None, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, body=body, headers={k.replace("_", "-"): v for k, v in headers.items()})
            response = connection.getresponse()
            return Answer(response, response.read())
        finally:
            connection.close()

    def connect(self, timeout=10):
        return socket.create_connection(("127.0.0.1", self.port), timeout=timeout)

    def raw(self, request, timeout=10):
        """All bytes that come back for `request` until the server ends the connection."""
        with self.connect(timeout) as connection:
            connection.sendall(request)
            return read_to_end(connection)


def read_to_end(connection):
    received = b""
    try:
        while chunk := connection.recv(65536):
            received += chunk
    except ConnectionResetError:
        pass
    return received


def memory(pid):
    """Resident kilobytes."""
    with open(f"/proc/{pid}/status") as status:
        return int(re.search(r"VmRSS:\s+(\d+)", status.read())[1])


def most_memory():
    """The most memory that it may ever need, in KiB."""
    return builds.most_memory(80_000, debug=80_000, name="snapshot-web")


def sockets(pid):
    """How many sockets a process has open."""
    open_files = Path(f"/proc/{pid}/fd")
    count = 0
    for name in os.listdir(open_files):
        with contextlib.suppress(FileNotFoundError):
            count += os.readlink(open_files / name).startswith("socket:")
    return count


class Web(Client):
    """A snapshot-web started by hand on a free port."""

    def __init__(self, state, cwd, *, prefix=(), arguments=(), **settings):
        self.process = subprocess.Popen(
            [*prefix, binary(), *arguments], cwd=cwd, env=environment(state, HEALTH_CHECK_PORT="0", **settings),
            stderr=subprocess.PIPE, text=True)
        line = self.process.stderr.readline()
        found = re.search(r"listening on http://127\.0\.0\.1:(\d+)/", line)
        if not found:
            self.stop()
            raise AssertionError(f"snapshot-web did not start: {line}")
        super().__init__(int(found[1]))

    def stop(self):
        return end(self.process)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


@pytest.fixture
def state(tmp_path):
    return tmp_path / "state"


@pytest.fixture
def web(state, tmp_path):
    with Web(state, tmp_path) as running:
        yield running


# Passes descriptor 3 as systemd does: LISTEN_PID has to be the program's own process id.
ACTIVATE = ["sh", "-c", 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" "$@"']


def spawn_activated(listening, state, cwd, *arguments, **settings):
    """A snapshot-web that inherits `listening`."""

    def become_three():
        os.dup2(listening.fileno(), 3)
        os.set_inheritable(3, True)

    return subprocess.Popen(
        [*ACTIVATE, binary(), *arguments], cwd=cwd, env=environment(state, **settings), pass_fds=(3,),
        preexec_fn=become_three, stderr=subprocess.PIPE)


class Activator(Client):
    """Keeps a listening socket and starts snapshot-web whenever somebody waits there, as a systemd socket unit does."""

    def __init__(self, state, cwd, *arguments):
        self.listening = socket.create_server(("127.0.0.1", 0), backlog=128)
        super().__init__(self.listening.getsockname()[1])
        self.starts, self.codes, self.process = 0, [], None
        self.stopping = threading.Event()
        self.start = lambda: spawn_activated(self.listening, state, cwd, *arguments)
        self.thread = threading.Thread(target=self.keep)
        self.thread.start()

    def keep(self):
        while not self.stopping.is_set():
            if not select.select([self.listening], [], [], 0.05)[0]:
                continue
            self.process = self.start()
            self.starts += 1
            self.codes.append(self.process.wait())
            self.process.stderr.close()

    def stop(self):
        self.stopping.set()
        if self.process:
            self.process.terminate()
        self.thread.join()
        self.listening.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

"""`snapshot relay` under test: started in a folder of its own, looked at from outside, ended as systemd ends it."""
import contextlib
import json
import os
import shutil
import signal
import socket
import threading
import time
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from builds import most_memory
from process import wait_until

STALL = 6
"""STALL_TIMEOUT of the tests, in seconds."""
RECOVERY = STALL + 5
"""How long after a fault's end media may take to flow again."""

MOST_MEMORY = most_memory(8 * 1024, debug=20 * 1024)
"""The most memory that the supervisor itself may hold, in KiB; a debug build needs more."""

AS_UNIT = {"NOTIFY_SOCKET": "@nobody-listens"}
"""Makes the relay two processes, as under systemd; nobody receives its notifications."""


class Relay:
    watches = 0.005
    """How often to gather the arguments of what it starts, in seconds; None for never, since gathering costs processor time."""
    prefix = ()
    """A command that it is started by."""
    watched = None
    """The process that systemd would watch: the main one where the relay is two processes, else the same as `pid`."""

    def __init__(self, snapshot, camera, modes="hls,record", **settings):
        snapshot.set(**camera, STREAM_MODE=modes, STALL_TIMEOUT=f"{STALL}s", HLS_SEGMENT_TIME="1s", SEGMENT_TIME="3s")
        self.snapshot = snapshot.set(**settings)
        self.output = snapshot.folder / settings.get("OUTPUT_DIR", "stream_output")
        self.hls, self.record = self.output / "hls", self.output / "record"
        self.arguments = set()
        if os.environ.get("RELAY_AS_UNIT"):
            snapshot.environment = AS_UNIT | snapshot.environment

    def __enter__(self):
        self.run = self.snapshot.start("relay", prefix=self.prefix)
        self.watched = self.pid = wait_until(lambda: self.run.pid or not self.run.alive, 10, "relay")
        if "NOTIFY_SOCKET" in self.snapshot.environment:
            self.pid = wait_until(lambda: self._relaying or not self.run.alive, 10, "the process that relays")
        if self.watches:
            threading.Thread(target=self._watch, daemon=True).start()
        return self

    @property
    def _relaying(self):
        name, _ = _status(self.watched) or ("", "")
        return next((p for p in _children(self.watched) if (_status(p) or ("", ""))[0] == name), None)

    def _watch(self):
        """Gathers the arguments of whatever it starts, as anybody on the machine can with `ps`."""
        while self.run.alive:
            for pid in [self.watched, self.pid, *self.children]:
                try:
                    arguments = Path(f"/proc/{pid}/cmdline").read_bytes()
                except OSError:
                    continue
                # By now the pid may belong to another process, such as a test server with a password in its arguments.
                if pid in (self.watched, self.pid) or pid in self.children:
                    self.arguments.add(arguments)
            time.sleep(self.watches)

    def __exit__(self, *_):
        if self.run.alive:
            self.stop()

    def stop(self, seconds=10):
        """Sends SIGTERM: the relay has to exit with 0 in time, and all that it started has to end with it."""
        began = time.monotonic()
        os.kill(self.watched, signal.SIGTERM)
        result = self.run.result(seconds + 5)
        assert time.monotonic() - began < seconds
        assert result.code == 0, result.stderr
        assert not self.leftovers(), self.leftovers()
        return result

    @property
    def stderr(self):
        return self.run.stderr

    @property
    def children(self):
        return _children(self.pid)

    @property
    def ffmpeg(self):
        """The pid of its ffmpeg, or None."""
        return next((p for p in self.children if (_status(p) or ("", ""))[0] == "ffmpeg"), None)

    @property
    def memory(self):
        """Memory that the relay itself holds now, in KiB. How much of its program's file is mapped is the kernel's choice."""
        return held(self.pid, "RssAnon")

    @property
    def peak(self):
        """The most memory that was ever resident, with the pages of the program's file, in KiB."""
        return held(self.pid, "VmHWM")

    @property
    def cpu(self):
        return cpu(self.pid)

    @property
    def descriptors(self):
        return descriptors(self.pid)

    def zombies(self):
        return [p for p in self.children if (_status(p) or ("", ""))[1] == "Z"]

    def leftovers(self):
        """Processes that still work in its folder."""
        found = []
        for p in Path("/proc").iterdir():
            try:
                if p.name.isdigit() and os.readlink(p / "cwd") == str(self.snapshot.folder.resolve()):
                    found.append((p / "cmdline").read_bytes())
            except OSError:
                continue
        return found

    @property
    def report(self):
        try:
            return json.loads((self.snapshot.state_folder / "relay.json").read_text())
        except FileNotFoundError:
            return {}

    def wait_running(self, seconds=20):
        wait_until(lambda: self.report.get("state") == "running", seconds, f"media; said: {self.stderr}")
        return self

    def wait_state(self, state, seconds=20):
        return wait_until(lambda: self.report.get("state") == state and self.report, seconds, f"state {state}: {self.report}")

    @property
    def recordings(self):
        return sorted(self.record.glob("2*Z*.mp4"), key=in_time)


def instead_of_ffmpeg(snapshot, folder, script):
    """Has a shell script run wherever ffmpeg would; `$ffmpeg` is the real one."""
    folder.mkdir()
    program = folder / "ffmpeg"
    program.write_text(f"#!/bin/sh\nffmpeg={shutil.which('ffmpeg')}\n{script}\n")
    program.chmod(0o755)
    snapshot.environment["PATH"] = f"{folder}:{snapshot.environment['PATH']}"


def held(pid, what):
    """KiB that a process holds of `what`: RssAnon, VmHWM …"""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith(what)).split()[1])


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def in_time(path):
    """Sorts recordings as they follow each other."""
    return begin(path), copy(path)


def copy(path):
    """Its number among the recordings that begin in the same second."""
    return int(path.stem.partition("-")[2] or 1)


def begin(path):
    """When a recording begins, from its name."""
    stem = path.stem.split("-")[0]
    return datetime.strptime(stem, "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc).timestamp()


def _children(pid):
    found = []
    # It may end, or one of its threads, at any moment.
    with contextlib.suppress(OSError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            with contextlib.suppress(OSError):
                found += [int(p) for p in Path(f"/proc/{pid}/task/{thread}/children").read_text().split()]
    return found


def _status(pid):
    """(name, state) of a process."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    return text[text.index("(") + 1:text.rindex(")")], text[text.rindex(")") + 2]


def cpu(pid):
    """Seconds of processor time of one process, to the nanosecond where the kernel counts so."""
    return sum(int(p.read_text().split()[0]) for p in Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e9


class Ingest:
    """A server that takes one endless POST after the other: each request's headers and body."""

    def __init__(self, status=200):
        self.status, self.requests, self.stalled = status, [], threading.Event()
        ingest = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                request = {"headers": dict(self.headers), "body": bytearray(), "ended": False, "path": self.path}
                ingest.requests.append(request)
                if ingest.status != 200:
                    self.close_connection = True
                    return self.send_error(ingest.status)
                while size := int(self.rfile.readline().strip() or b"0", 16):
                    while ingest.stalled.is_set():
                        time.sleep(0.05)
                    request["body"] += self.rfile.read(size)
                    self.rfile.readline()
                request["ended"] = True
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def handle_expect_100(self):
                return ingest.status != 200 or super().handle_expect_100()

            def log_message(self, *_):
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def server_bind(self):
                # Little waits in the kernel, so that a server that takes nothing is noticed soon.
                self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
                super().server_bind()

        self._server = Server(("127.0.0.1", 0), Handler)
        self._server.handle_error = lambda *_: None
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/ingest/front"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.stalled.clear()
        self._server.shutdown()
        self._server.server_close()

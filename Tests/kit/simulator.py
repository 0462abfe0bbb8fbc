"""The camera simulator as a context manager: `with Simulator("--password", "x") as camera: camera.url …`."""

import http.client
import json
import pathlib
import select
import subprocess
import tempfile
import urllib.parse

from builds import binary

class Simulator:
    """A running reolink-simulator; the arguments are its command line's."""

    def __init__(self, *args, start_timeout=20):
        self.folder = tempfile.TemporaryDirectory(prefix="reolink-simulator-")
        self.log = pathlib.Path(self.folder.name) / "requests.jsonl"
        self.log.touch()
        command = [str(binary("reolink-simulator")), "--log", str(self.log), *map(str, args)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE)
        try:
            ready, _, _ = select.select([self.process.stdout], [], [], start_timeout)
            line = self.process.stdout.readline() if ready else b""
            if not line:
                raise RuntimeError(f"reolink-simulator did not start: {command}")
            ports = json.loads(line)
            self.http, self.https, self.pid = ports["http"], ports["https"], ports["pid"]
            # Opened before any fault, kept: it works even while the camera accepts no new connection.
            self._connection = http.client.HTTPConnection("127.0.0.1", self.http, timeout=30)
            self._connection.connect()
        except BaseException:
            self.stop()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.stop()

    @property
    def address(self):
        """host:port, as CAMERA_IP takes it."""
        return f"127.0.0.1:{self.http}"

    @property
    def url(self):
        return f"http://{self.address}"

    @property
    def https_address(self):
        return f"127.0.0.1:{self.https}"

    def fault(self, name, count=None):
        """Replaces the faults by this one, for `count` requests or until cleared; "none" clears."""
        query = {"name": name} | ({} if count is None else {"count": count})
        return self._control("POST", "/simulator/fault?" + urllib.parse.urlencode(query))

    def reset(self):
        """Forgets sessions, locks, faults and counts; the log goes on."""
        return self._control("POST", "/simulator/reset")

    def stats(self):
        return self._control("GET", "/simulator/stats")

    def requests(self, cmd=None):
        """The log so far, parsed: every request, or those of one command."""
        lines = [json.loads(line) for line in self.log.read_text().splitlines()]
        return [line for line in lines if cmd is None or line["cmd"] == cmd]

    def _control(self, method, path):
        self._connection.request(method, path)
        answer = self._connection.getresponse()
        body = json.loads(answer.read())
        if answer.status != 200:
            raise ValueError(body["error"])
        return body

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process.stdout.close()
        if connection := getattr(self, "_connection", None):
            connection.close()
        self.folder.cleanup()

"""Cameras and central servers that speak RTSP, as processes of their own: they can be killed, frozen and muted."""
import json
import os
import re
import signal
import tempfile
from pathlib import Path
from urllib.parse import quote

import parts
from process import start_server, stop_server, wait_until

SERVER = Path(__file__).with_name("rtsp_server.py")


class RTSPServer:
    def __init__(self, user=None, password=None, basic=False, udp=False, **options):
        self.user, self.password = user, password
        self.scheme = "rtsps" if "tls" in options else "rtsp"
        self._options = [f"--{k}={v}" for k, v in {"user": user, "password": password, **options}.items() if v is not None]
        if basic:
            self._options.append("--basic")
        if udp:
            self._options.append("--udp")
        self.port = self._keeper = None
        descriptor, self._log = tempfile.mkstemp(prefix="rtsp-", suffix=".log")
        os.close(descriptor)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()
        os.unlink(self._log)

    def start(self):
        """Starts it; after a stop it gets the same port as before."""
        parts.need("rtsp")
        already = len(self.events("listening"))
        self._keeper = start_server(["/usr/bin/python3", SERVER, f"--port={self.port or 0}", *self._options], self._log)
        listening = wait_until(lambda: self.events("listening")[already:], 20, f"RTSP server: {self.log()}")[0]
        self.port, self.pid = listening["port"], listening["pid"]

    def change(self, **options):
        """Changes options from the next start on: True sets one without a value, False removes one."""
        for name, value in options.items():
            self._options = [o for o in self._options if o.split("=")[0] != f"--{name}"]
            if value is not False:
                self._options.append(f"--{name}" if value is True else f"--{name}={value}")

    def stop(self):
        """Kills it: its clients see the connection break."""
        if self._keeper:
            self.thaw()
            stop_server(self._keeper)
            self._keeper = None

    def freeze(self):
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self):
        self._signal(signal.SIGCONT)

    def mute(self):
        """No media any more; the connections stay, and RTCP goes on."""
        self._signal(signal.SIGUSR1)

    def unmute(self):
        self._signal(signal.SIGUSR2)

    def _signal(self, number):
        try:
            os.kill(self.pid, number)
        except ProcessLookupError:
            pass

    def log(self):
        return Path(self._log).read_text()

    def events(self, kind):
        found = []
        for line in self.log().splitlines():
            if line.startswith("{") and (event := json.loads(line))["event"] == kind:
                found.append(event)
        return found

    def url(self, path, port=None):
        login = f"{quote(self.user, safe='')}:{quote(self.password, safe='')}@" if self.user else ""
        return f"{self.scheme}://{login}127.0.0.1:{port or self.port}/{path}"

    def as_camera(self, port=None):
        """The settings for a Reolink camera here."""
        return {"CAMERA_IP": "127.0.0.1", "CAMERA_RTSP_PORT": port or self.port,
                **({"CAMERA_USERNAME": self.user, "CAMERA_PASSWORD": self.password} if self.user else {})}


def rtp_times(sent, channel=0):
    """The timestamps of the RTP packets in what a connection sent, each once, as they follow each other."""
    times, position = [], 0
    while position + 4 <= len(sent):
        if sent[position:position + 1] != b"$":
            # A request between the packets.
            head = sent.index(b"\r\n\r\n", position) + 4
            length = re.search(rb"(?i)^content-length: *(\d+)", sent[position:head], re.M)
            position = head + (int(length[1]) if length else 0)
            continue
        size = int.from_bytes(sent[position + 2:position + 4], "big")
        packet = sent[position + 4:position + 4 + size]
        if sent[position + 1] == channel and len(packet) >= 12:
            time = int.from_bytes(packet[4:8], "big")
            if not times or times[-1] != time:
                times.append(time)
        position += 4 + size
    return times

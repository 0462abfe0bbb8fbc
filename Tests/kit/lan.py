"""A local network of its own: the machine under test at one end of a cable, cameras at the other, and nothing else."""
import json
import os
import select
import subprocess

from builds import binary

HERE, CAMERAS = "10.77.0.1", ["10.77.0.20", "10.77.0.21", "10.77.0.22"]


class Lan:
    """Two network namespaces with a cable between; needs root."""

    def __init__(self):
        self._held, self._started = [], []

    def __enter__(self):
        try:
            # Each namespace lives as long as a process in it.
            for _ in range(2):
                self._held.append(subprocess.Popen(["unshare", "--net", "sleep", "600"]))
            for holder in self._held:
                while os.readlink(f"/proc/{holder.pid}/ns/net") == os.readlink("/proc/self/ns/net"):
                    assert holder.poll() is None
            near, far = (h.pid for h in self._held)
            self._ip("link", "add", "eth0", "type", "veth", "peer", "name", "cam0", "netns", str(far))
            self._ip("addr", "add", f"{HERE}/24", "dev", "eth0")
            self.cable(True)
            for address in CAMERAS:
                self._ip("addr", "add", f"{address}/24", "dev", "cam0", far=True)
            for name in ("lo", "cam0"):
                self._ip("link", "set", name, "up", far=True)
            return self
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *_):
        for process in self._started + self._held:
            process.kill()
            process.wait()
            if process.stdout:
                process.stdout.close()

    def cable(self, is_plugged):
        self._ip("link", "set", "lo", "up")
        self._ip("link", "set", "eth0", "up" if is_plugged else "down")

    def own(self, network):
        """Gives all addresses of that network to the cameras' end."""
        self._ip("route", "add", "local", network, "dev", "lo", far=True)

    def enter(self, far=False):
        """The prefix of a command that runs at the near or the far end."""
        return ("nsenter", "-t", str(self._held[int(far)].pid), "-n", "--")

    def _ip(self, *arguments, far=False):
        subprocess.run([*self.enter(far), "ip", *arguments], check=True, capture_output=True)

    def start(self, *command):
        """Runs a program at the cameras' end, waits for its first line, and returns it."""
        process = subprocess.Popen([*self.enter(far=True), *map(str, command)], stdout=subprocess.PIPE)
        self._started.append(process)
        ready, _, _ = select.select([process.stdout], [], [], 20)
        line = process.stdout.readline() if ready else b""
        assert line, f"did not start: {command}"
        return line

    def camera(self, address, *arguments, forms=("old", "new", "onvif"), port=80):
        """Starts a simulated camera that answers discovery in those forms; returns its ports."""
        asked = [word for form in forms for word in ("--discovery", form)]
        return json.loads(self.start(binary("reolink-simulator"), "--bind", address, "--port", port, *asked, *arguments))

"""A machine with the package on it, and what the tests ask of it."""

import calendar
import json
import pathlib
import re
import shutil
import time

from machine import Machine

PASSWORD = "pässwörd &+%=?#/"


def wait_for(condition, timeout: float, what: str):
    """Waits until `condition()` is true; returns what it returned."""
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"not within {timeout} s: {what}"
        time.sleep(0.05)


class Installed(Machine):
    def install(self, package: pathlib.Path):
        shutil.copy(package, self.root / "root/snapshot.deb")
        self.apt("install", "/root/snapshot.deb")

    def apt(self, *words: str) -> str:
        return self.out(
            ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-y", "-q", "--no-install-recommends", *words],
            timeout=120)

    def start_camera(self, name: str = "camera", port: int = 8000):
        """A simulated camera as a unit of its own; `systemctl stop NAME` turns it off."""
        self.write(
            f"/etc/systemd/system/{name}.service",
            f'[Service]\nExecStart=/usr/local/bin/reolink-simulator --port {port} --password "{PASSWORD.replace("%", "%%")}"\n')
        self.run(f"systemctl daemon-reload && systemctl start {name}")
        self.run(["curl", "-s", "--retry", "50", "--retry-connrefused", "--retry-delay", "0", "-o", "/dev/null",
                  f"http://127.0.0.1:{port}/"])

    def settings(self, instance: str = "", **values):
        """Settings of the camera, with its password as a credential, where the units look for them."""
        name = instance or "snapshot"
        values = {"CAMERA_IP": "127.0.0.1:8000", "STATE_PATH": "/var/lib/snapshot", **values}
        text = "".join(f"{key}={value}\n" for key, value in values.items())
        self.write(f"/etc/snapshot/{name}.env", text, 0o640)
        self.run(["chgrp", "snapshot", f"/etc/snapshot/{name}.env"])
        self.write(f"/etc/snapshot/credentials/{instance}/camera_password", PASSWORD, 0o600)

    def drop_in(self, unit: str, text: str):
        self.write(f"/etc/systemd/system/{unit}.d/test.conf", text)
        self.run("systemctl daemon-reload")

    def property(self, unit: str, name: str) -> str:
        return self.out(["systemctl", "show", "--value", "-p", name, unit])

    def health(self, instance: str = "") -> dict:
        done = self.run(["env", f"STATE_PATH=/var/lib/snapshot/{instance}", "snapshot", "health", "--json"], check=False)
        return json.loads(done.stdout)

    def shots(self, instance: str = "") -> list[float]:
        """When each stored picture was taken, in seconds since 1970, from its name."""
        names = (self.root / "var/lib/snapshot" / instance / "snapshots").rglob("*.jpg")
        return sorted(filter(None, (taken(name.name) for name in names)))

    def whole_journal(self, cursor: str) -> list[str]:
        """Every line since `cursor` of snapshot or about it, whoever wrote it. The machine's other daemons write when they like."""
        self.run("journalctl --sync")
        lines = self.out(["journalctl", "--no-pager", "-q", f"--after-cursor={cursor}"]).splitlines()
        return [line for line in lines if "snapshot" in line]

    def cursor(self) -> str:
        self.run("journalctl --sync")
        return self.out("journalctl --no-pager -q -n 1 --show-cursor").rsplit("cursor: ", 1)[1]


def taken(name: str) -> float | None:
    """When a picture was taken, in seconds since 1970, by its file's name."""
    found = re.search(r"_(\d{8}T\d{6})\.(\d{3})Z\.jpg$", name)
    return calendar.timegm(time.strptime(found[1], "%Y%m%dT%H%M%S")) + int(found[2]) / 1000 if found else None

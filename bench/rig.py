"""What is measured against: the simulated camera, a real S3 server over TLS, and the settings for both."""
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measuring import Command, Meter

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path.insert(0, str(ROOT / "Tests" / "kit"))

import rgw  # noqa: E402
from bucket import client  # noqa: E402
from process import stop_server, wait_until  # noqa: E402
from simulator import Simulator, binary  # noqa: E402

BUCKET = "bench"
PASSWORD = "bench"
# Dimensions in pixels, and the size in bytes that make_picture reaches approximately by its choice of the quality.
PICTURES = {"small": ("1280x720", 177_000), "large": ("7680x4320", 12_000_000)}


class Rig(contextlib.ExitStack):
    """Everything in one temporary folder, on this machine's disk; gone at the end."""

    def __init__(self):
        super().__init__()
        # Not in /tmp: for a path there snapshot also finds out whether /tmp is private to a service (PrivateTmp=).
        (ROOT / "out").mkdir(exist_ok=True)
        self.folder = Path(self.enter_context(tempfile.TemporaryDirectory(prefix="bench-", dir=ROOT / "out")))
        self.meter = Meter(self.folder)
        self.pictures = {name: make_picture(self.folder / f"{name}.jpg", *what) for name, what in PICTURES.items()}
        self.cameras = {name: self.enter_context(
            Simulator("--password", PASSWORD, "--max-sessions", 1000, "--picture", path))
            for name, path in self.pictures.items()}
        (self.folder / "rgw").mkdir()
        self.server = rgw.start(self.folder / "rgw", memory="12G")
        for pid in self.server["pids"]:
            self.callback(stop_server, pid)
        self.store = client(self.server)
        self.store.create_bucket(Bucket=BUCKET)
        self.host = self.server["https"].removeprefix("https://")
        self.reference = self.folder / "reference"
        subprocess.run(["cc", "-O2", "-Wno-deprecated-declarations", "-o", self.reference,
                        HERE / "clients" / "reference.c", "-lcurl", "-lcrypto"], check=True)

    def installed(self, program, built=None, below="", strip="strip"):
        """The program as `make install` leaves it: stripped, with the stand-ins for libraries beside it."""
        path = self.folder / below / "bin" / program
        if not path.exists():
            built = built or binary(program)
            path.parent.mkdir(parents=True, exist_ok=True)
            subprocess.run([strip, "-o", path, built], check=True)
            libraries = path.parent.parent / "lib/snapshot"
            if not libraries.exists():
                shutil.copytree(built.resolve().parent / "../lib/snapshot", libraries, symlinks=True)
        return path

    @property
    def environment(self):
        access, secret = self.server["owner"]
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
        return kept | {"AWS_ACCESS_KEY_ID": access, "AWS_SECRET_ACCESS_KEY": secret}

    def snapshot(self, *arguments, home="home", picture="small", program="snapshot", **settings):
        """`snapshot …` with its state in a folder of that name."""
        folder = self.folder / home
        folder.mkdir(exist_ok=True)
        environment = self.environment | {
            "CAMERA_IP": self.cameras[picture].address, "CAMERA_PASSWORD": PASSWORD, "CAMERA_NAME": "bench",
            "STORAGE_BACKEND": "s3", "S3_BUCKET": BUCKET, "S3_ENDPOINT_URL": self.server["https"],
            "AWS_REGION": "us-east-1", "AWS_CA_BUNDLE": self.server["ca"], "STATE_PATH": str(folder / "state")}
        return Command([str(self.installed(program)), *map(str, arguments)], environment | settings, folder)

    def others(self, picture="small"):
        """The programs to compare with, by name; each does the same job with the same camera and store."""
        url = (f"{self.cameras[picture].url}/cgi-bin/api.cgi?cmd=Snap&channel=0&rs=bench"
               f"&user=admin&password={PASSWORD}")
        facts = [url, self.host, BUCKET, self.server["ca"]]
        programs = {"C on libcurl": [str(self.reference)], "curl script": [str(HERE / "clients" / "script.sh")],
                    "Python": [sys.executable, str(HERE / "clients" / "client.py")]}
        return {name: Command(program + facts, self.environment, self.folder) for name, program in programs.items()}

    def empty_bucket(self):
        for page in self.store.get_paginator("list_objects_v2").paginate(Bucket=BUCKET):
            if keys := [{"Key": o["Key"]} for o in page.get("Contents", [])]:
                self.store.delete_objects(Bucket=BUCKET, Delete={"Objects": keys, "Quiet": True})

    def settle(self):
        """Waits until the machine is idle: the server still cleans up after objects were deleted."""
        def idle():
            with open("/proc/stat") as file:
                figures = [int(word) for word in file.readline().split()[1:]]
            return figures[3] + figures[4], sum(figures[:8])

        def is_idle():
            before = idle()
            time.sleep(2)
            after = idle()
            return after[0] - before[0] > 0.95 * (after[1] - before[1])
        wait_until(is_idle, 120, "idle machine")

    def count_objects(self, prefix=""):
        pages = self.store.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
        return sum(page["KeyCount"] for page in pages)


def make_picture(path, size, wanted):
    """A JPEG of noise near `wanted` bytes: noise doesn't compress, so the quality decides."""
    for quality in range(2, 32):
        subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i",
                        f"testsrc2=size={size}:rate=1,noise=alls=22:all_seed=1", "-frames:v", "1", "-c:v", "mjpeg",
                        "-q:v", str(quality), path], check=True)
        if path.stat().st_size <= wanted:
            break
    return path

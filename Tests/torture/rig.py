"""A camera, a store, and the program between them, run thousands of times: what is there, and what must hold."""
import hashlib
import json
import os
import re
import shutil
import subprocess
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import builds
import credential_provider
import stores
from camera import Camera
from faultproxy import FaultProxy
from receiver import Receiver
from ring import Ring

BACKENDS = ("filesystem", "http", "s3")
MOUNTED = "disk"
"""A folder on a disk of its own, which is unmounted where the store is down."""
RETENTION = {"LOCAL_STORAGE_MAX_BYTES": "1G", "LOCAL_STORAGE_MAX_AGE": "30d", "LOCAL_STORAGE_MIN_FREE": "1M"}
"""Bounds that each run checks, and that are never reached."""
LENT = "s3-temporary"
"""S3 with temporary keys, which a program gives for eight seconds at a time."""


class FakeS3:
    """Takes any PUT. Signatures and errors of real servers are judged elsewhere; here only what arrives counts."""
    remote = True

    def __init__(self, stack):
        self.receiver = stack.enter_context(Receiver())
        self.proxy = stack.enter_context(FaultProxy(self.receiver.port))
        self.settings = self.receiver.as_s3(S3_PREFIX="", S3_ENDPOINT_URL=f"http://127.0.0.1:{self.proxy.port}")

    def arrivals(self):
        return [(r.path.split("/", 2)[2].rstrip("?"), r.body) for r in self.receiver.received]

    def borrow(self, folder):
        """The keys come from a program whose keys end after eight seconds, so that many runs ask for new ones."""
        process = credential_provider.CredentialProcess(folder / "lender")
        # The end is computed at each run, since a fixed one would soon be past.
        process.does('end=$(date -u -d "+8 seconds" +%Y-%m-%dT%H:%M:%SZ); '
                     'echo "{\\"Version\\":1,\\"AccessKeyId\\":\\"ASIATORTURE$$\\",\\"SecretAccessKey\\":\\"s\\",\\"Expiration\\":\\"$end\\"}"')
        config = folder / "aws.conf"
        config.write_text(process.profile())
        self.settings = {k: v for k, v in self.settings.items() if not k.startswith("AWS_")} | {"AWS_CONFIG_FILE": config}

    def down(self):
        self.proxy.set("refuse")

    def up(self):
        self.proxy.set("pass")


class HTTPStore(stores.HTTPStore):
    def arrivals(self):
        return [(r.fields["key"], r.file) for r in self.receiver.received if r.file is not None]


class FilesystemStore(stores.FilesystemStore):
    """Its folder is exchanged from case to case."""

    def __init__(self, folder):
        super().__init__(folder)
        self.settings |= RETENTION

    def arrivals(self):
        return [(k, v) for k, v in sorted(self.pictures().items()) if not Path(k).name.startswith(".")]

    def down(self):
        self.path.rename(self.path.with_name("aside"))
        self.path.write_text("in the way")

    def up(self):
        if self.path.is_file():
            self.path.unlink()
            self.path.with_name("aside").rename(self.path)


class DiskStore(FilesystemStore):
    def __init__(self, folder, stack):
        self.mount, self.behind, self.kept = folder / "disk", folder / "behind", folder / "kept-disk"
        super().__init__(self.mount)
        for path in (self.mount, self.behind):
            path.mkdir(parents=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64M", "tmpfs", self.behind], check=True)
        stack.callback(subprocess.run, ["umount", "-l", self.behind], check=False)
        stack.callback(self.down)
        self.up()

    def down(self):
        if self.mount.is_mount():
            subprocess.run(["umount", "-l", self.mount], check=True)

    def up(self):
        if not self.mount.is_mount():
            assert not list(self.mount.iterdir()), "written under the mount point"
            subprocess.run(["mount", "--bind", self.behind, self.mount], check=True)

    def keep(self):
        self.was_up = self.mount.is_mount()
        subprocess.run(["cp", "-a", self.behind, self.kept], check=True)

    def back(self):
        self.down()
        for path in (*self.behind.iterdir(), *self.mount.iterdir()):
            shutil.rmtree(path)
        subprocess.run(["cp", "-a", f"{self.kept}/.", self.behind], check=True)
        if self.was_up:
            self.up()


@dataclass
class Done:
    code: int
    stdout: str
    stderr: str


class Rig:
    """Before each case `back` restores `home` to what `keep` saw."""

    def __init__(self, folder, backend, stack):
        self.folder, self.home, self.kept = folder, folder / "home", folder / "kept"
        self.home.mkdir(parents=True)
        self.camera = stack.enter_context(Camera(password="torture"))
        self.backend = backend
        self.store = (FilesystemStore(self.home) if backend == "filesystem" else DiskStore(folder, stack) if backend == MOUNTED
                      else HTTPStore(stack) if backend == "http" else FakeS3(stack))
        if backend == LENT:
            self.store.borrow(folder)
        self.program = str(builds.binary("snapshot"))
        self.settings = {**self.camera.settings(), **self.store.settings, "CAMERA_NAME": "front",
                         "UPLOAD_DEADLINE": "5s", "FROZEN_AFTER": "0", "STATE_PATH": str(self.home / "state")}

    @property
    def state(self):
        return Path(self.settings["STATE_PATH"])

    def environment(self, traced=False):
        return {"PATH": os.environ["PATH"], "HOME": str(self.home), "LANG": "C.UTF-8", **builds.environment(traced),
                **{k: str(v) for k, v in self.settings.items()}}

    def run(self, *arguments, prefix=(), timeout=60):
        done = subprocess.run([*map(str, prefix), self.program, *arguments], cwd=self.home,
                              env=self.environment(traced="strace" in prefix), stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout)
        return Done(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))

    def good(self):
        done = self.run("capture")
        assert done.code == 0, f"exit {done.code}: {done.stderr}"
        return done

    def health(self):
        return json.loads(self.run("health", "--json").stdout)

    def keep(self):
        subprocess.run(["cp", "-a", self.home, self.kept], check=True)
        if self.backend == MOUNTED:
            self.store.keep()
        self.kept_arrivals = len(self._received())

    def back(self):
        """Home, store and camera as `keep` saw them."""
        shutil.rmtree(self.home)
        subprocess.run(["cp", "-a", self.kept, self.home], check=True)
        if self.backend == MOUNTED:
            self.store.back()
        del self._received()[self.kept_arrivals:]

    def _received(self):
        return self.store.receiver.received if self.store.remote else []

    def spooled(self):
        """What the spool holds, read as its documentation says: {key: bytes}; every entry must be whole."""
        found = {}
        for path in sorted(self.state.glob("spool/[0-9]*/*")):
            body, entry = parts(path)
            assert hashlib.sha256(body).hexdigest() == entry["sha256"], path
            assert entry["key"] not in found, f"two entries for {entry['key']}"
            found[entry["key"]] = body
        return found

    def stored(self):
        """What the store holds: {key: bytes}; a key that came twice held the same bytes."""
        found = {}
        for key, data in self.store.arrivals():
            assert found.setdefault(key, data) == data, f"{key} came with other bytes"
        return found

    def check_pictures(self):
        """What the store shows are whole pictures of the camera, each under one key."""
        stored, served = self.stored(), set(self.camera.served)
        for key, data in stored.items():
            assert data in served, f"{key} is not what the camera gave: {len(data)} bytes"
        assert len(set(stored.values())) == len(stored), "one picture under two keys"
        return stored

    def check_counters(self):
        health = self.health()
        expected = health["total_uploads"] + health["spool"]["count"] + health["spool"]["dropped"]
        assert health["total_captures"] == expected, health
        assert health["spool"]["count"] == len(self.spooled()), health
        return health

    def recover(self, runs=3, dropped=0, makes_room=False):
        """Good runs until the spool is empty; everything that was in it is then in the store. `makes_room`: the store may
        have deleted the oldest."""
        self.store.up()
        waiting = self.spooled()
        for _ in range(runs):
            self.good()
            if not self.spooled():
                break
        stored = self.check_pictures()
        lost = [k for k in waiting.values() if k not in stored.values()]
        assert not lost, f"{len(lost)} of {len(waiting)} spooled pictures lost"
        health = self.check_counters()
        assert health["spool"]["count"] == 0 and health["spool"]["dropped"] <= dropped, health
        assert makes_room or health["total_uploads"] <= len(stored), (health, list(stored))
        Ring(self.state / "state.jsonl").check()
        leftovers = [p for p in (self.state / "spool").rglob("*") if p.is_file()]
        assert not leftovers, leftovers
        return health


def parts(path):
    """Picture and facts of a spooled file: the name tells how long the picture is; a line of JSON is behind it."""
    data, length = path.read_bytes(), int(path.stem.split("-")[1])
    return data[:length], json.loads(data[length:])


@contextmanager
def rig(folder, backend):
    with ExitStack() as stack:
        yield Rig(folder, backend, stack)


CALL = re.compile(r"^(?:\d+ +)?(\w+)\(")


def trace(rig, path, *arguments):
    """A run's result, and its system calls in order: [(name, number among those of its name, line of strace)]."""
    done = rig.run(*arguments, prefix=("strace", "-f", "-o", path))
    counts, calls = {}, []
    for line in Path(path).read_text(errors="replace").splitlines():
        if found := CALL.match(line):
            name = found[1]
            counts[name] = counts.get(name, 0) + 1
            calls.append((name, counts[name], line))
    return done, calls


def locked(calls):
    """Where in a run's calls the state's lock is opened: by its path, or by its name below the folder."""
    return next(i for i, (_, _, line) in enumerate(calls) if re.search(r'[/"]lock"', line))


def inject(name, what, when, log="/dev/null"):
    """The prefix that does `what` to the call of that name and number; `5+`: to the fifth and all after it."""
    return ("strace", "-f", "-qq", "-y", "-o", str(log), "-e", f"trace={name}", "-e", f"inject={name}:{what}:when={when}")

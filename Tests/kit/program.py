"""The program under test, run as a user runs it: arguments, settings and files in; streams, exit code and files out."""
import itertools
import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import builds
from builds import binary
from process import waits_of
from ring import Ring

KIT = Path(__file__).parent


def memory_limit():
    """The most memory that a run may ever need, in KiB: 40 MB for what is shipped; a debug build needs more."""
    return builds.most_memory(40_000, debug=50_000)


@dataclass
class Result:
    code: int
    stdout: str
    stderr: str
    wall: float
    """Seconds from fork to exit."""
    rss: int
    """Peak memory in KiB."""

    @property
    def json(self):
        return json.loads(self.stdout)

    @property
    def errors(self):
        """The lines `snapshot: error: …`, without the prefix."""
        return self._said("error")

    @property
    def hints(self):
        return self._said("hint")

    @property
    def warnings(self):
        return self._said("warning")

    def _said(self, kind):
        prefix = f"snapshot: {kind}: "
        return [line[len(prefix):] for line in self.stderr.splitlines() if line.startswith(prefix)]

    def expect(self, code):
        """Itself, if it ended with that exit code."""
        assert self.code == code, f"exit {self.code}, expected {code}\nstdout: {self.stdout}\nstderr: {self.stderr}"
        assert "Fatal error" not in self.stderr and "Usage:" not in self.stderr.replace("See '", ""), self.stderr
        return self

    def refuses(self, code, *words):
        """Itself, if it ended with that code and one error line, and standard error has all the words, perhaps in a hint."""
        self.expect(code)
        assert len(self.errors) == 1, self.stderr
        missing = [w for w in words if w.lower() not in self.stderr.lower()]
        assert not missing, f"{missing} not in: {self.stderr}"
        return self


class Running:
    """A run in the background."""

    def __init__(self, process, report, out, err):
        self._process, self._report, self._out, self._err = process, report, out, err

    @property
    def pid(self):
        """The pid of the program itself (its launcher has one child)."""
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        try:
            return int(children.read_text().split()[0])
        except (FileNotFoundError, IndexError):
            return None

    @property
    def alive(self):
        return self._process.poll() is None

    def signal(self, number):
        self._process.send_signal(number)

    @property
    def stderr(self):
        return self._err.read_text(errors="replace")

    @property
    def stdout(self):
        return self._out.read_text(errors="replace")

    def kill(self):
        if self.alive:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def result(self, timeout=60):
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            threads = waits_of(self._process.pid)
            self.kill()
            raise AssertionError(f"still running after {timeout} s\nstdout: {self.stdout}\nstderr: {self.stderr}\n{threads}")
        _, code, wall, rss = self._report.read_text().split()
        return Result(int(code), self.stdout, self.stderr, float(wall), int(rss))


class Snapshot:
    """`snapshot` in a folder of its own, with no environment but what is given.

    Settings (keywords, or `settings`) go into the environment; `dotenv` writes `./.env` instead.
    """

    _numbers = itertools.count()

    def __init__(self, folder, **settings):
        self.folder = Path(folder).resolve()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.binary = binary("snapshot")
        self.settings = {k: str(v) for k, v in settings.items()}
        self.environment = {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "HOME": str(self.folder),
                            "LANG": "C.UTF-8", **builds.environment()}
        self._reports = self.folder.parent / f"{self.folder.name}.runs"
        self._reports.mkdir(exist_ok=True)
        self._running = []

    def set(self, **settings):
        """Changes settings; None takes one away."""
        for k, v in settings.items():
            if v is None:
                self.settings.pop(k, None)
            else:
                self.settings[k] = str(v)
        return self

    def dotenv(self, text):
        """Writes `./.env` from text, bytes or a dictionary."""
        if isinstance(text, dict):
            text = "".join(f"{k}={v}\n" for k, v in text.items())
        data = text if isinstance(text, bytes) else text.encode()
        (self.folder / ".env").write_bytes(data)
        return self

    def start(self, *arguments, env=None, prefix=()):
        n = next(self._numbers)
        out, err, report = (self._reports / f"{n}.{kind}" for kind in ("out", "err", "report"))
        traced = builds.environment(traced="strace" in prefix)
        environment = {**self.environment, **traced, **self.settings, **{k: str(v) for k, v in (env or {}).items() if v is not None}}
        for k in [k for k, v in (env or {}).items() if v is None]:
            environment.pop(k, None)
        with open(out, "wb") as o, open(err, "wb") as e:
            process = subprocess.Popen(
                [sys.executable, "-I", "-S", str(KIT / "measure.py"), str(report), *map(str, prefix),
                 str(self.binary), *map(str, arguments)],
                stdin=subprocess.DEVNULL, stdout=o, stderr=e, env=environment, cwd=self.folder, start_new_session=True)
        self._running.append(Running(process, report, out, err))
        return self._running[-1]

    def stop(self):
        """Kills what a test that failed has left running."""
        for run in self._running:
            run.kill()

    def run(self, *arguments, env=None, prefix=(), timeout=60):
        return self.start(*arguments, env=env, prefix=prefix).result(timeout)

    def capture(self, *arguments, **how):
        return self.run("capture", *arguments, **how)

    def health(self, *arguments, **how):
        """`snapshot health --json`, parsed, if no other form is asked for."""
        if arguments:
            return self.run("health", *arguments, **how)
        return self.run("health", "--json", **how).json

    @property
    def state_folder(self):
        return self.folder / self.settings.get("STATE_PATH", "state")

    @property
    def ring(self):
        return Ring(self.state_folder / "state.jsonl")

    @property
    def state(self):
        """The newest record of the state."""
        return self.ring.newest

    def spool(self):
        """What lies in the spool: {path below it: bytes}."""
        return files(self.state_folder / "spool")

    def spooled_pictures(self):
        """The pictures in the spool: each file is a JPEG, with a line of facts behind its end. Those in tmp aren't whole yet."""
        return [data[:data.rindex(b"\xff\xd9") + 2] for name, data in self.spool().items()
                if data[:2] == b"\xff\xd8" and not name.startswith("tmp/")]

    def stored(self):
        """The files of the filesystem backend: {key: bytes}."""
        return files(self.folder / self.settings.get("LOCAL_STORAGE_PATH", "snapshots"))

    def written(self):
        """The text of everything that it left behind: (where, bytes)."""
        yield from ((str(p), d) for p, d in files(self.folder).items())
        yield from ((f"{self._reports.name}/{p}", d) for p, d in files(self._reports).items())


def files(folder):
    folder = Path(folder)
    if not folder.is_dir():
        return {}
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}

"""A machine of the tests' own: real systemd as PID 1, in a container whose root is this machine's root under an
overlay in memory. Nothing that happens in it is written here."""

import contextlib
import ctypes
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

CLONE_NEWNET = 0x40000000
REPOSITORY = pathlib.Path(__file__).parents[2]

# What the host's own timers and services would do meanwhile is noise.
QUIET = [
    "apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "e2scrub_all.timer", "fstrim.timer",
    "logrotate.timer", "man-db.timer", "systemd-tmpfiles-clean.timer", "systemd-timesyncd.service",
    "systemd-networkd-wait-online.service",
]


class Machine:
    def __init__(self, name: str, size: str = "1G"):
        # Several workers have machines of the same kind at a time.
        self.name = name + os.environ.get("PYTEST_XDIST_WORKER", "")
        self.base = pathlib.Path(tempfile.mkdtemp(prefix=f"machine-{name}-", dir="/dev/shm"))
        self.root = self.base / "root"
        self._undo = contextlib.ExitStack()
        self._undo.callback(shutil.rmtree, self.base, ignore_errors=True)
        self.leader = None
        try:
            self._mount(size)
        except BaseException:
            self._undo.close()
            raise

    def _mount(self, size: str):
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", self.base], check=True)
        self._undo.callback(subprocess.run, ["umount", "-l", self.base], check=False)
        for part in ("upper", "work", "root"):
            (self.base / part).mkdir()
        layers = f"lowerdir=/,upperdir={self.base}/upper,workdir={self.base}/work"
        subprocess.run(["mount", "-t", "overlay", "overlay", "-o", layers, self.root], check=True)
        self._undo.callback(subprocess.run, ["umount", "-l", self.root], check=False)
        (self.root / "etc/machine-id").unlink(missing_ok=True)
        (self.root / "etc/machine-id").touch()
        for unit in QUIET:
            link = self.root / "etc/systemd/system" / unit
            link.unlink(missing_ok=True)
            link.symlink_to("/dev/null")

    def boot(self, timeout: float = 30, environment: dict[str, str] | None = None):
        """Starts systemd, with `environment` for itself alone, and waits until it has settled."""
        groups = _own_cgroups(self.name)
        self._undo.callback(_remove_cgroups, groups)
        console = open(self.base / "console", "wb")
        enter = "".join(f"echo $$ > {group}/cgroup.procs; " for group in groups)
        nspawn = subprocess.Popen(
            ["sh", "-c", enter + 'exec "$@"', "sh", "systemd-nspawn", "--quiet", f"--directory={self.root}",
             f"--machine={self.name}", "--boot", "--register=no", "--keep-unit", "--private-network",
             "--console=pipe", "--link-journal=no",
             # The repository may lie under /tmp, and the machine has a /tmp of its own.
             f"--bind-ro={REPOSITORY}",
             *(f"--setenv={name}={value}" for name, value in (environment or {}).items()),
             "systemd.unit=basic.target"],
            stdin=subprocess.DEVNULL, stdout=console, stderr=console, start_new_session=True)
        self._undo.callback(self._halt, nspawn)
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            if nspawn.poll() is not None:
                break
            children = pathlib.Path(f"/proc/{nspawn.pid}/task/{nspawn.pid}/children").read_text().split()
            if children:
                self.leader = children[0]
                if self.run("systemctl is-system-running", check=False).stdout.strip() in ("running", "degraded"):
                    return self
            time.sleep(0.05)
        raise RuntimeError("the machine did not boot: " + (self.base / "console").read_text(errors="replace")[-2000:])

    def _halt(self, nspawn: subprocess.Popen):
        # nspawn hands SIGTERM on as a request to shut down.
        for number, timeout in ((signal.SIGTERM, 10), (signal.SIGKILL, 5)):
            nspawn.send_signal(number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                nspawn.wait(timeout)
                return

    def stop(self):
        self._undo.close()

    def argv(self, command) -> list[str]:
        """The argument list that runs `command` (a shell line or a list) inside."""
        inner = ["sh", "-c", command] if isinstance(command, str) else [str(word) for word in command]
        return ["nsenter", "-t", self.leader, "-a", "--", "env", "HOME=/root", "LC_ALL=C.UTF-8", *inner]

    def run(self, command, check: bool = True, timeout: float = 60, **options) -> subprocess.CompletedProcess:
        done = subprocess.run(
            self.argv(command), capture_output=True, text=True, timeout=timeout, stdin=subprocess.DEVNULL, **options)
        if check and done.returncode != 0:
            raise AssertionError(f"{command}: exit {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done

    def out(self, command, **options) -> str:
        return self.run(command, **options).stdout.strip()

    def start(self, command, **options) -> subprocess.Popen:
        """Runs `command` inside in the background, in a process group of its own."""
        return subprocess.Popen(self.argv(command), start_new_session=True, text=True, **options)

    @contextlib.contextmanager
    def network(self):
        """Within its `with` block, sockets that this thread makes are in the machine's network."""
        libc = ctypes.CDLL(None, use_errno=True)
        with open("/proc/thread-self/ns/net") as ours, open(f"/proc/{self.leader}/ns/net") as theirs:
            assert libc.setns(theirs.fileno(), CLONE_NEWNET) == 0
            try:
                yield
            finally:
                assert libc.setns(ours.fileno(), CLONE_NEWNET) == 0

    def write(self, path: str, text: str, mode: int = 0o644):
        file = self.root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(mode)

    def journal(self, unit: str, *options: str) -> list[str]:
        self.run("journalctl --sync")
        return self.out(["journalctl", "--no-pager", "-q", "-o", "short-precise", f"--unit={unit}", *options]).splitlines()


def _own_cgroups(name: str) -> list[pathlib.Path]:
    top = pathlib.Path("/sys/fs/cgroup")
    parents = [top / "systemd", top / "unified"] if (top / "systemd").is_dir() else [top]
    groups = []
    for parent in parents:
        if parent.is_dir():
            group = parent / f"machine-{name}-{os.getpid()}"
            with contextlib.suppress(OSError):
                group.mkdir()
                groups.append(group)
    return groups


def _remove_cgroups(groups: list[pathlib.Path]):
    for group in groups:
        for folder, _, _ in os.walk(group, topdown=False):
            with contextlib.suppress(OSError):
                os.rmdir(folder)

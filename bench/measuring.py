"""One command measured: time, memory, writes; instructions; system calls. And the statistics over many of them."""
import os
import re
import statistics
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent


@dataclass
class Cost:
    wall: float
    """Seconds."""
    cpu: float
    """Seconds, user and system, children included."""
    rss: int
    """Peak memory of the largest process in KiB."""
    written: int
    """Bytes of storage dirtied."""


@dataclass
class Command:
    arguments: list
    environment: dict
    folder: Path


class Meter:
    """Runs commands through a small launcher that it compiles first."""

    def __init__(self, folder):
        self._launcher = folder / "measure"
        subprocess.run(["cc", "-O2", "-o", self._launcher, HERE / "measure.c"], check=True)

    def cost(self, command, codes=(0,)):
        reading, writing = os.pipe()
        with tempfile.TemporaryFile() as said:
            try:
                # The shell moves the pipe to descriptor 3 and goes; dash knows no descriptor over 9.
                subprocess.run(["bash", "-c", f'exec "$0" "$@" 3>&{writing}', self._launcher, *command.arguments],
                               stdin=subprocess.DEVNULL, stdout=said, stderr=said, pass_fds=[writing],
                               env=command.environment, cwd=command.folder, check=True)
            finally:
                os.close(writing)
            with os.fdopen(reading) as report:
                code, wall, user, system, rss, written = report.read().split()
            if int(code) not in codes:
                said.seek(0)
                raise RuntimeError(f"{command.arguments[0]} ended with {code}: {said.read().decode()[-2000:]}")
        return Cost(float(wall), float(user) + float(system), int(rss), int(written))

    def interleaved(self, commands, runs, codes=(0,)):
        """{name: [Cost]}: all commands in turn, so that what else the machine does hits them alike; one warm-up.

        Every other turn goes backwards: a command costs less after one that uses the same libraries.
        """
        costs = {name: [] for name in commands}
        for turn in range(runs + 1):
            for name, command in list(commands.items())[::-1 if turn % 2 else 1]:
                cost = self.cost(command, codes)
                if turn:
                    costs[name].append(cost)
        return costs


def instructions(command):
    """Instructions in user space, children included, as callgrind counts them."""
    with tempfile.TemporaryDirectory() as out:
        done = subprocess.run(
            ["valgrind", "--tool=callgrind", "--trace-children=yes", f"--callgrind-out-file={out}/%p",
             f"--log-file={out}/%p.log", *map(str, command.arguments)],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, env=command.environment, cwd=command.folder)
        if done.returncode:
            raise RuntimeError(f"under valgrind {command.arguments[0]} ended with {done.returncode}: {done.stderr}")
        logs = [path.read_text() for path in Path(out).glob("*.log")]
    return sum(int(count) for log in logs for count in re.findall(r"Collected : (\d+)", log))


def system_calls(command):
    """How many, children included, by name."""
    with tempfile.NamedTemporaryFile("r") as out:
        subprocess.run(["strace", "-f", "-c", "-U", "calls,name", "-o", out.name, *map(str, command.arguments)],
                       stdin=subprocess.DEVNULL, capture_output=True, env=command.environment, cwd=command.folder,
                       check=True)
        rows = re.findall(r"^\s*(\d+)\s+(\w+)$", out.read(), re.M)
    return {name: int(count) for count, name in rows if name != "total"}


def median(costs, what):
    return statistics.median(getattr(cost, what) for cost in costs)


def quartiles(costs, what):
    low, _, high = statistics.quantiles((getattr(cost, what) for cost in costs), n=4)
    return low, high


def ratio(costs, others, what="cpu"):
    """Median of the ratios turn by turn: what slows a whole turn cancels out."""
    return statistics.median(getattr(a, what) / getattr(b, what) for a, b in zip(costs, others))

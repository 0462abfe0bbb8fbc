"""What the sections found, and RESULTS.md made of it."""
import datetime
import platform
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass
class Target:
    figure: str
    limit: float
    measured: float
    unit: str = "×"

    @property
    def row(self):
        met = "met" if self.measured <= self.limit else "not met"
        return [self.figure, f"≤ {self.limit:.3g} {self.unit}", f"{self.measured:.3g} {self.unit}", met]


@dataclass
class Section:
    title: str
    how: str
    header: list = field(default_factory=list)
    rows: list = field(default_factory=list)
    targets: list = field(default_factory=list)

    @property
    def markdown(self):
        table = f"\n\n{make_table(self.header, self.rows)}" if self.rows else ""
        return f"## {self.title}\n\n{self.how}{table}"


def make_table(header, rows):
    lines = [header, ["---"] + ["---:"] * (len(header) - 1), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def render(sections):
    targets = make_table(["figure", "target", "measured", ""], [t.row for s in sections for t in s.targets])
    body = "\n\n".join(section.markdown for section in sections)
    return f"""# Measured

Written by `make bench`; every number was measured in that one run. Ratios are medians of the ratios of runs that stood
next to each other.

{machine()}

## Targets

{targets}

{body}
"""


def machine():
    def said(*command, pattern=r"(.*)"):
        text = subprocess.run(command, capture_output=True, text=True, cwd=ROOT).stdout
        found = re.search(pattern, text)
        return found.group(1).strip() if found else "unknown"

    facts = {
        "date": f"{datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d %H:%M} UTC",
        "commit": said("git", "describe", "--always", "--dirty"),
        "machine": f"{said('nproc')} × {said('sed', '-n', 's/^model name[^:]*: //p', '/proc/cpuinfo')}, "
                   f"{said('free', '-g', pattern=r'Mem: *([0-9]+)')} GiB, Linux {platform.release()}, "
                   f"{said('sed', '-n', 's/^PRETTY_NAME=//p', '/etc/os-release')}".replace('"', ""),
        "load when it ended": Path("/proc/loadavg").read_text().split()[0],
        "Swift": said("swift", "--version", pattern=r"(Swift version [^ ]+)"),
        "libcurl": said("curl", "--version", pattern=r"(libcurl/\S+ \S+)"),
        "ffmpeg": said("ffmpeg", "-version", pattern=r"version (\S+)"),
        "rclone": said("rclone", "version", pattern=r"rclone (\S+)"),
        "S3 server": said("radosgw", "--version", pattern=r"(ceph version \S+)"),
    }
    return make_table(["", ""], facts.items()).replace("---:", "---")

"""What people read, and what it names: pages, manuals, help, packaged files, and the sentences in the sources."""
import json
import re
import subprocess
from dataclasses import dataclass

from builds import ROOT, binary

PROGRAMS = ("snapshot", "snapshot-web")


@dataclass(frozen=True)
class Text:
    """A text, and the parts of it that are marked as code: spans, blocks, examples."""
    where: str
    whole: str
    code: tuple


def page(path):
    text = path.read_text()
    blocks = re.findall(r"^ *```[\w-]*\n(.*?)^ *```", text, re.S | re.M)
    rest = re.sub(r"^ *```.*?^ *```", "", text, flags=re.S | re.M)
    spans = re.findall(r"`([^`]+)`", rest)
    return Text(str(path.relative_to(ROOT)), text, (*[line for b in blocks for line in b.splitlines()], *spans))


def pages():
    named = [ROOT / name for name in ("README.md", "SECURITY.md", "RELIABILITY.md", "CONTRIBUTING.md")]
    return [page(path) for path in [*named, *sorted((ROOT / "docs").rglob("*.md"))]]


def manuals(folder):
    """The man pages as `make man` makes them; bold is code."""
    for program in PROGRAMS:
        subprocess.run([ROOT / "packaging/manpages", binary(program), folder, "/usr/share/doc/snapshot"], check=True)
    version = subprocess.run([binary("snapshot"), "--version"], capture_output=True, text=True, check=True).stdout.split()[-1]
    seventh = subprocess.run([ROOT / "packaging/manual-7", version, ROOT / "docs/how-it-works.md", ROOT / "docs/codes.md"],
                             capture_output=True, text=True, check=True).stdout
    (folder / "snapshot.7").write_text(seventh)
    for path in sorted(folder.iterdir()):
        text = path.read_text().replace("\\-", "-").replace("\\(aq", "'").replace("\\&", "").replace("\\e", "\\")
        yield Text(path.name, re.sub(r"\\f[BIR]", "", text), tuple(re.findall(r"\\fB(.*?)\\fR", text)))


def commands():
    """{"snapshot check": its part of what `--experimental-dump-help` prints}"""
    found = {}

    def add(command, *before):
        name = " ".join([*before, command["commandName"]])
        found[name] = command
        for one in command.get("subcommands", []):
            if one["commandName"] != "help":
                add(one, name)

    for program in PROGRAMS:
        told = subprocess.run([binary(program), "--experimental-dump-help"], capture_output=True, check=True).stdout
        add(json.loads(told)["command"])
    return found


def options(command):
    """The options of a command, also those that `--help` doesn't show."""
    dashes = {"long": "--", "short": "-", "longWithSingleDash": "-"}
    names = {dashes[name["kind"]] + name["name"] for one in command.get("arguments", []) for name in one.get("names") or []}
    return names | {"--help", "-h", "--version"}


def helps():
    """What `--help` prints of each command; it marks code by backticks only."""
    for name in commands():
        program, *words = name.split()
        text = subprocess.run([binary(program), *words, "--help"], capture_output=True, text=True, check=True).stdout
        flat = " ".join(text.split())
        yield Text(f"{name} --help", flat, tuple(re.findall(r"`([^`]+)`", flat)))


def packaged():
    """Lines of files that people edit: settings and examples; what is in a comment counts as well."""
    for path in [ROOT / "packaging/snapshot.env", *sorted((ROOT / "systemd/examples").iterdir())]:
        text = path.read_text()
        yield Text(str(path.relative_to(ROOT)), text, tuple(re.findall(r"(?<![\w/])(?:snapshot|systemctl) [^\n]*", text)))


# A string literal of Swift in one line or in several; what is computed in it stands as …
LITERAL = re.compile(r'"""\n(.*?)"""|"((?:[^"\\\n]|\\.)*)"', re.S)


def sentences():
    """The texts in the sources of the installed programs."""
    for path in sorted((ROOT / "Sources").rglob("*.swift")):
        if "simulator" in path.parts[-2]:
            continue
        lines = [line for line in path.read_text().splitlines() if not line.lstrip().startswith("//")]
        for found in LITERAL.finditer("\n".join(lines)):
            text = re.sub(r"\\\((?:[^()]|\([^()]*\))*\)", "…", found[1] or found[2] or "")
            if " " in text:
                yield Text(str(path.relative_to(ROOT)), text, (text,))

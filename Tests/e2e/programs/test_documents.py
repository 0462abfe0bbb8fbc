"""Every setting, command, option, unit, target of make and path that texts for people name exists."""
import json
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

import builds
import documents
from builds import ROOT

pytestmark = pytest.mark.skipif(builds.is_sanitized(), reason="it is about texts")

MANUAL = tomllib.loads((ROOT / "packaging/manual.toml").read_text())
UNITS = {path.name for path in (ROOT / "systemd").iterdir() if path.suffix in (".service", ".timer", ".socket")}
# Names in capitals that aren't settings: those of other programs, of systemd and of our own tools.
FOREIGN = {
    "AWS_ENDPOINT_URL", "BASE_DIR", "CREDENTIALS_DIRECTORY", "DEBIAN_FRONTEND", "KEY_FILE", "LD_LIBRARY_PATH", "LISTEN_FDS",
    "LISTEN_PID", "NO_COLOR", "NOTIFY_SOCKET", "RELAY_AS_UNIT", "RUNTIME_DIRECTORY", "STANDARD_IA", "STATE_DIRECTORY", "UPDATE_DOCS",
    "VAULT_ADDR", "VAULT_TOKEN", "WATCHDOG_USEC",
}
# Words behind the program's name where a sentence goes on.
PROSE = {"also", "and", "captured", "failed", "has", "is", "itself", "may", "over", "stored", "then"}


@pytest.fixture(scope="module")
def declared():
    told = subprocess.run([builds.binary("snapshot"), "settings", "--json", "--config", "/dev/null"], capture_output=True, check=True)
    return {one["key"]: one for one in json.loads(told.stdout)}


@pytest.fixture(scope="module")
def commands():
    return documents.commands()


@pytest.fixture(scope="module")
def read(tmp_path_factory):
    """All that people read."""
    found = [*documents.pages(), *documents.manuals(tmp_path_factory.mktemp("man")), *documents.helps(), *documents.packaged(),
             *documents.sentences()]
    assert len(found) > 500
    return found


def wrong(found):
    lines = sorted({f"{where}: {what}" for where, what in found})
    assert not lines, "\n" + "\n".join(lines)


def unknown_settings(texts, declared):
    """Names in capitals with an underscore that are neither a setting nor in FOREIGN, the Makefile or Tests/run-*."""
    makes = set(re.findall(r"^([A-Z_]+) *[?:]?=", (ROOT / "Makefile").read_text(), re.M)) | {"APT_KEY"}
    tests = set(re.findall(r"\b(?:E2E|SNAPSHOT)_[A-Z_]+", "".join(p.read_text() for p in (ROOT / "Tests").glob("run-*"))))
    known = set(declared) | {key + "_FILE" for key, one in declared.items() if one["secret"] or "_URL" in key} | FOREIGN | makes | tests
    for text in texts:
        for name in re.findall(r"(?<![\w$/-])[A-Z][A-Z0-9]+(?:_[A-Z0-9]+)+\b(?!-)", text.whole):
            if name not in known:
                yield text.where, name


def refused_values(texts, declared, folder):
    """Values that texts give to settings and the program doesn't allow; not of secrets, nor where a part is left out."""
    named = {}
    for text in texts:
        for code in text.code:
            for key, value in re.findall(r"(?<![\w$])([A-Z][A-Z0-9]+(?:_[A-Z0-9]+)+)=([\w:/.,-]+)(?![\w:/.,…{-])", code):
                value = value.rstrip(".,")
                if key in declared and not declared[key]["secret"] and not value.endswith(":"):
                    named.setdefault(key, {}).setdefault(value, text.where)
    assert len(named) > 20 or len(texts) == 1
    for turn in range(max(map(len, named.values()), default=0)):
        chosen = {key: list(values.items())[turn] for key, values in named.items() if turn < len(values)}
        (folder / "values.env").write_text("".join(f"{key}={value}\n" for key, (value, _) in chosen.items()))
        told = subprocess.run([builds.binary("snapshot"), "settings", "--json", "--config", folder / "values.env", *chosen],
                              capture_output=True, check=True, env={"PATH": "/usr/bin:/bin", "HOME": str(folder)})
        for one in json.loads(told.stdout):
            if "error" in one:
                yield chosen[one["key"]][1], one["error"]


def unknown_commands(texts, commands):
    """Commands of ours, in code, that aren't there, and options that they don't have."""
    for text in texts:
        for code in text.code:
            code = re.sub(r"(^|\s)#.*", "", code).replace(" -- ", " ; ")
            for found in re.finditer(r"(?:^|(?<=[\s;&(|=`>'…]))(?:/usr/bin/)?(snapshot(?:-web)?) ([^\n|;&><)`]*)", code):
                before = code[:found.start()].split()
                if before and before[-1] in ("-g", "-u", "-t", "chgrp", "install", "remove", "purge", "of", "User=", "user"):
                    continue
                yield from ((text.where, one) for one in unknown_in_line(found[1], found[2].split(), commands))


def unknown_in_line(program, words, commands):
    name = program
    if words and f"{program} {words[0]}" in commands:
        name = f"{program} {words.pop(0)}"
    elif words and program == "snapshot" and re.fullmatch("[a-z][a-z-]+[a-z]", words[0]) and words[0] not in PROSE:
        yield f"snapshot {words[0]}"
        return
    known = documents.options(commands[name])
    if name == "snapshot":
        known |= documents.options(commands["snapshot capture"])
    for word in words:
        option = re.match(r"\[?(--[a-z][a-z0-9-]*)", word)
        if option and option[1] not in known:
            yield f"{name} {option[1]}"


def unknown_units(texts):
    for text in texts:
        for name in re.findall(r"(?<![\w/.-])(snapshot[\w-]*(?:@[\w%-]*)?\.(?:service|timer|socket))\b", text.whole):
            if re.sub("@.*?[.]", "@.", name) not in UNITS:
                yield text.where, name
        for code in text.code:
            for name in re.findall(r"(?:journalctl|systemctl [a-z-]+|systemctl [a-z-]+ --now)(?: -u)? (snapshot[\w@-]*)(?![\w.@-])", code):
                if re.sub("@.*", "@", name) + ".service" not in UNITS:
                    yield text.where, name


def unknown_targets(texts):
    there = set(re.findall(r"^([a-z][a-z0-9.-]*):", (ROOT / "Makefile").read_text(), re.M))
    for text in texts:
        if text.where.startswith("Sources/"):
            continue
        for code in text.code:
            for name in re.findall(r"(?:^|[&;(] ?)make ([a-z][\w.-]*)", code):
                if name not in there:
                    yield text.where, f"make {name}"


def unknown_paths(texts, declared):
    """Files of the repository, of the package, of the settings' folder and of the state."""
    sources = "".join(path.read_text() for path in [*(ROOT / "Sources").rglob("*.swift"), ROOT / "packaging/snapshot.env"])
    secrets = {key.lower() for key in declared} | {"front"}
    for text in texts:
        for link in re.findall(r"\]\(([^)#:]+)\)", text.whole) if text.where.endswith(".md") else []:
            if not (ROOT / text.where).parent.joinpath(link).exists():
                yield text.where, link
        for code in text.code:
            for path in re.findall(r"(?<![\w/.~{$-])((?:Sources|Tests|scripts|packaging|systemd|bench|docs)/[\w./@+…-]*\w)", code):
                if not list(ROOT.glob(path.replace("…", "*"))) and not text.where.startswith("Sources/"):
                    yield text.where, path
        examples = [path for code in text.code for path in re.findall(r"^(examples/[\w.-]+)$", code)]
        for path in examples + re.findall(r"/usr/share/doc/snapshot/([\w./-]*\w)", text.whole):
            place = path if not path.startswith("examples/") else f"systemd/{path}"
            if not (ROOT / place).exists():
                yield text.where, path
        for path in re.findall(r"/etc/snapshot/([\w./-]*\w)", text.whole):
            folder, _, name = path.partition("/")
            # A text that adds a credential of its own, such as a certificate, has its LoadCredential=.
            loaded = set(re.findall(r"LoadCredential=(\w+):", text.whole))
            if folder.endswith((".env", ".conf", ".pem", ".key")):
                continue
            if folder == "credentials" and set(name.split("/")) <= secrets | loaded | {""}:
                continue
            yield text.where, f"/etc/snapshot/{path}"
        for name in re.findall(r"(?:/var/lib/snapshot|STATE_PATH)/([\w.-]*\w)", text.whole):
            if name not in ("front", "NAME") and not re.search(rf'["/]{re.escape(name)}[".\s/]', sources):
                yield text.where, f"STATE_PATH/{name}"


def test_every_setting_is_one(read, declared):
    wrong(unknown_settings(read, declared))


def test_every_value_is_allowed(read, declared, tmp_path):
    wrong(refused_values(read, declared, tmp_path))


@pytest.mark.parametrize("line", ["CAMERA_STREAM=sup", "CAMERA_TIMEOUT=3w", "`CAMERA_AUTH=pasword`", "SPOOL_MAX_BYTES=lots, or more"])
def test_a_wrong_value_is_found(line, declared, tmp_path):
    text = [documents.Text("docs/x.md", line, (line,))]
    found = list(refused_values(text, declared, tmp_path))
    assert [where for where, _ in found] == ["docs/x.md"]
    right = line.replace("sup", "sub").replace("3w", "3m").replace("pasword", "password").replace("lots", "1G")
    assert not list(refused_values([documents.Text("docs/x.md", right, (right,))], declared, tmp_path))


def test_every_command_and_option_is_there(read, commands):
    wrong(unknown_commands(read, commands))


def test_every_unit_is_there(read):
    wrong(unknown_units(read))


def test_every_target_of_make_is_there(read):
    wrong(unknown_targets(read))


def test_every_metric_is_there(read):
    sources = "".join(path.read_text() for path in (ROOT / "Sources").rglob("*.swift"))
    named = {(text.where, name) for text in read for code in text.code for name in re.findall(r"(?<![\w/])snapshot_([a-z_]+[a-z])\b(?!\.deb)", code)}
    assert len(named) > 2
    wrong((where, f"snapshot_{name}") for where, name in named if f'"{name}' not in sources and f'"snapshot_{name}' not in sources)


def unknown_addresses(texts):
    """Addresses of the web front, alone in a span or behind its port."""
    routes = set(re.findall(r'case \("([\w.]+)",', (ROOT / "Sources/SnapshotWeb/Message/Route.swift").read_text()))
    routes |= {"live", "recordings", "cam"}
    system = {one.name for one in Path("/").iterdir()}
    for text in texts:
        for code in text.code:
            for name in re.findall(r"^/([a-z.]+)(?:/[\w/.-]*)?$", code) + re.findall(r":(?:8080|PORT)/([a-z.]+)", code):
                if name not in routes | system | {"srv", "mnt"}:
                    yield text.where, f"/{name}"


def test_every_address_is_there(read):
    wrong(unknown_addresses(read))
    wrong_one = documents.Text("docs/x.md", "", ("/helth", "curl http://127.0.0.1:8080/metrix", "/health/front"))
    assert list(unknown_addresses([wrong_one])) == [("docs/x.md", "/helth"), ("docs/x.md", "/metrix")]


def test_every_path_is_there(read, declared):
    wrong(unknown_paths(read, declared))


@pytest.mark.parametrize("line, found", [
    ("snapshot chekc --json", "snapshot chekc"), ("sudo snapshot capture --jsn", "snapshot capture --jsn"),
    ("snapshot --verbose --foo", "snapshot --foo"), ("x && snapshot-web --configs a", "snapshot-web --configs"),
    ("<p><code>snapshot setpu</code></p>", "snapshot setpu"), ("runuser -u snapshot -- snapshot helth", "snapshot helth"), ("* * * * * /usr/bin/snapshot capture --evry 10s", "snapshot capture --evry"),
    ("SERVER_URI=x", "SERVER_URI"), ("AWS_REGION_FILE=x", "AWS_REGION_FILE"), ("CAMERA_PASSWORD_FILES=x", "CAMERA_PASSWORD_FILES"),
    ("systemctl start snapshot-relays.service", "snapshot-relays.service"), ("journalctl -u snapshot-rely", "snapshot-rely"),
    ("systemctl enable --now snapshot@yard.socket", "snapshot@yard.socket"), ("make dep && ls", "make dep"),
    ("cat /etc/snapshot/credentials/camera_pasword", "/etc/snapshot/credentials/camera_pasword"),
    ("less Tests/e2e/nothing.py", "Tests/e2e/nothing.py"), ("ls STATE_PATH/spol", "STATE_PATH/spol"),
    ("cp /usr/share/doc/snapshot/examples/usb.conf .", "examples/usb.conf"),
])
def test_a_wrong_name_is_found(line, found, declared, commands):
    for text in ([documents.Text("docs/x.md", f"`{line}`", (line,))], [documents.Text("docs/x.md", f"{line}\n", (line,))]):
        all_of_it = [*unknown_settings(text, declared), *unknown_commands(text, commands), *unknown_units(text),
                     *unknown_targets(text), *unknown_paths(text, declared)]
        assert all_of_it == [("docs/x.md", found)]


def test_right_names_are_none(declared, commands):
    right = """snapshot check --json | jq .  # snapshot nothing
        sudo apt install snapshot
        install -g snapshot --mode=640 a b
        CAMERA_PASSWORD_FILE=x snapshot --set A=b; systemctl enable --now snapshot@yard.timer snapshot-web.socket
        make deb ARCH=arm64 && journalctl -u snapshot@yard
        ls STATE_PATH/spool /etc/snapshot/yard.env /etc/snapshot/credentials/front/camera_password"""
    text = [documents.Text("docs/x.md", right, tuple(right.splitlines()))]
    wrong([*unknown_settings(text, declared), *unknown_commands(text, commands), *unknown_units(text), *unknown_targets(text),
           *unknown_paths(text, declared)])


def test_each_command_has_its_part_of_the_manual(commands):
    """A new command wants an entry in packaging/manual.toml."""
    assert set(MANUAL["command"]) == set(commands)
    for name, told in MANUAL["command"].items():
        assert set(told) == {"examples", "exit", "files", "see"}, name
        assert set(told["files"]) <= set(MANUAL["files"])
        assert {"0", "64"} <= set(told["exit"]) and all(text or code in MANUAL["exit"] for code, text in told["exit"].items())
        examples = "\n".join(line for line, _ in told["examples"])
        assert name in examples and len(told["examples"]) > 1


def test_what_help_says_of_exit_codes_is_in_the_manual(commands):
    for name, command in commands.items():
        said = re.search(r"Exit codes?: (.*)", command.get("discussion") or "", re.S)
        codes = set(re.findall(r"(?:^|[;,:] |or )(\d+)\b", said[1].replace("\n", " "))) if said else set()
        assert codes <= set(MANUAL["command"][name]["exit"]), name


def test_each_page_is_written_without_a_warning(tmp_path):
    names = {text.where for text in documents.manuals(tmp_path)}
    ours = {one.replace(" ", "-") + ".1" for one in MANUAL["command"]} | {"snapshot.env.5", "snapshot.7"}
    assert names == ours
    for name in names:
        done = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", tmp_path / name], capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, ""), name
        if name.endswith(".1"):
            command, = (c for one, c in MANUAL["command"].items() if one.replace(" ", "-") + ".1" == name)
            wanted = {"EXAMPLES", "EXIT STATUS", "SEE ALSO"} | ({"FILES"} if command["files"] else set())
            assert not wanted - set(re.sub(".\b", "", done.stdout).splitlines()), name
    others = {"ffmpeg(1)", "systemctl(1)", "systemd.timer(5)", "systemd.socket(5)"}
    for told in [*MANUAL["command"].values(), MANUAL["settings"]]:
        for one in set(told["see"]) - others:
            assert re.sub(r"\((\d)\)", r".\1", one) in names


def test_the_manual_of_all_has_every_reason_and_code(tmp_path):
    page = next(text for text in documents.manuals(tmp_path) if text.where == "snapshot.7")
    codes = re.findall(r"^\| `([\w-]+)` \|", (ROOT / "docs/codes.md").read_text(), re.M)
    assert len(codes) > 80 and set(codes) <= set(page.code)


def test_every_page_is_listed():
    listed = set(re.findall(r"\]\(([\w/.-]+)\)", (ROOT / "docs/README.md").read_text()))
    there = {path.name for path in (ROOT / "docs").glob("*.md")} - {"README.md"} | {"recipes/README.md"}
    assert listed == there
    assert "(docs/README.md)" in (ROOT / "README.md").read_text()


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text().splitlines()) < 200

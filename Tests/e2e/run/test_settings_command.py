"""`snapshot settings`, and all that has to agree with what it says."""
import re
import subprocess

import pytest

import builds
from builds import ROOT

KEYS = ["key", "kind", "default", "secret", "meaning", "value", "origin"]


@pytest.fixture
def declared(snapshot):
    return {one["key"]: one for one in snapshot.run("settings", "--json", "--config", "/dev/null").expect(0).json}


def told(snapshot, *arguments, **more):
    return {one["key"]: one for one in snapshot.run("settings", "--json", *arguments, **more).expect(0).json}


def test_every_setting_says_all_that_there_is_to_know(declared):
    assert len(declared) > 60
    for one in declared.values():
        assert list(one) == KEYS
        assert one["kind"] and one["meaning"].endswith(".") and isinstance(one["secret"], bool)


def test_the_value_in_force_and_where_it_comes_from(snapshot):
    snapshot.dotenv("CAMERA_NAME=door\nCAMERA_TIMEOUT=7s\nCAMERA_PASSWORD=canary-one\n")
    (snapshot.folder / "token").write_text("canary-two")
    run = snapshot.run("settings", "--json", "--set", "CAMERA_CHANNEL=3", "CAMERA_NAME", "CAMERA_TIMEOUT", "CAMERA_CHANNEL",
                       "CAMERA_PASSWORD", "HTTP_AUTH_TOKEN", "UPLOAD_ATTEMPTS", "PING_URL",
                       env={"CAMERA_TIMEOUT": "9s", "HTTP_AUTH_TOKEN_FILE": "token", "PING_URL": "https://h/canary-three"})
    found = {one["key"]: (one["value"], one["origin"]) for one in run.expect(0).json}
    assert found["CAMERA_NAME"] == ("door", ".env:1")
    assert found["CAMERA_TIMEOUT"] == ("9s", "the environment")
    assert found["CAMERA_CHANNEL"] == ("3", "the command line")
    assert found["CAMERA_PASSWORD"] == (None, ".env:3")
    assert found["HTTP_AUTH_TOKEN"] == (None, "token")
    assert found["UPLOAD_ATTEMPTS"] == ("3", "default")
    assert "canary" not in run.stdout + run.stderr


def test_a_person_gets_lines(snapshot):
    run = snapshot.dotenv("CAPTURE_INTERVAL=20s\nWEB_TOKEN=canary-of-sixteen-bytes\n").run("settings").expect(0)
    assert "CAPTURE_INTERVAL=20s  (.env:1)" in run.stdout
    assert "WEB_TOKEN=(secret)  (.env:2)" in run.stdout and "canary" not in run.stdout


def test_a_wrong_value_is_told_beside_the_others(snapshot):
    found = told(snapshot.dotenv("CAMERA_TIMEOUT=never\nCAPTURE_INTERVAL=8d\nCAMERA_NAME=door\n"))
    assert "must be a duration" in found["CAMERA_TIMEOUT"]["error"] and ".env:1" in found["CAMERA_TIMEOUT"]["error"]
    assert "1s to 7d" in found["CAPTURE_INTERVAL"]["error"]
    assert [one for one in found.values() if "error" in one] == [found["CAMERA_TIMEOUT"], found["CAPTURE_INTERVAL"]]
    assert found["CAMERA_NAME"]["value"] == "door"
    assert (found["CAMERA_TIMEOUT"]["value"], found["CAMERA_TIMEOUT"]["refused"]) == (None, "never"), "it isn't in force"
    text = snapshot.run("settings", "CAMERA_TIMEOUT", "CAMERA_NAME").expect(0).stdout
    assert "CAMERA_TIMEOUT=never  (refused, .env:1)" in text and "CAMERA_NAME=door  (.env:3)" in text


@pytest.mark.parametrize("key, value", [
    ("CAMERA_NAME", "a/b"), ("CAMERA_URL", "ftp://camera/still"), ("KEY_TEMPLATE", "../{camera}.jpg"), ("S3_BUCKET", "a b"),
    ("S3_TAGS", "=x"), ("HTTP_UPLOAD_PART", 'a"b'), ("CAMERA_URL", "v4l2:video0")])
def test_what_the_users_of_a_value_refuse_is_marked_too(snapshot, key, value):
    backend = "http" if key.startswith("HTTP") else "s3" if key.startswith("S3") else "filesystem"
    env = {"STORAGE_BACKEND": backend, "S3_BUCKET": "bucket", "HTTP_UPLOAD_URL": "http://127.0.0.1:1/", "CAMERA_URL": "file:/x",
           "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE12", "AWS_SECRET_ACCESS_KEY": "a-secret-key-12", key: value}
    found = told(snapshot, env=env)
    assert snapshot.run("capture", env=env).code == 78
    assert found[key]["refused"] == value and found[key]["value"] is None and "must" in found[key]["error"]
    assert [one["key"] for one in found.values() if "error" in one] == [key]
    assert f"{key}={value}  (refused, the environment)" in snapshot.run("settings", key, env=env).stdout


def test_a_refused_secret_stays_hidden(snapshot):
    env = {"STORAGE_BACKEND": "http", "HTTP_UPLOAD_URL": "http://127.0.0.1:1/", "HTTP_SIGNING_SECRET": "whsec_canary!!"}
    run = snapshot.run("settings", "--json", "HTTP_SIGNING_SECRET", env=env).expect(0)
    assert run.json[0]["refused"] is None and "base64" in run.json[0]["error"] and "canary" not in run.stdout
    run = snapshot.run("settings", "HTTP_SIGNING_SECRET", env=env).expect(0)
    assert "HTTP_SIGNING_SECRET=(secret)  (refused, the environment)" in run.stdout and "canary" not in run.stdout


def test_a_secret_that_cannot_be_read_is_told_beside_the_others(snapshot):
    found = told(snapshot, env={"CAMERA_PASSWORD_FILE": "missing", "CAMERA_NAME": "door"})
    assert "missing" in found["CAMERA_PASSWORD"]["error"] and found["CAMERA_NAME"]["value"] == "door"


@pytest.mark.parametrize("wrong, right", [("CAMERA_PASWORD", "CAMERA_PASSWORD"), ("upload_atempts", "UPLOAD_ATTEMPTS")])
def test_an_unknown_name_gets_the_nearest(snapshot, wrong, right):
    run = snapshot.run("settings", wrong).expect(64)
    assert wrong in run.errors[0] and run.hints == [f"did you mean {right}?"] and run.stdout == ""


def test_a_range_is_one_for_all_who_read_it(snapshot):
    for command in (["capture"], ["health"], ["schedule", "--print"], ["settings", "CAPTURE_INTERVAL"]):
        run = snapshot.run(*command, env={"CAPTURE_INTERVAL": "8d", "CAMERA_URL": "file:/x"})
        assert "must be a duration from 1s to 7d" in run.stdout + run.stderr, command
    run = snapshot.run("schedule", "--print", env={"UPLOAD_DEADLINE": "99ms"})
    assert "must be a duration from 100ms to 1d" in run.stderr


def test_each_declaration_is_listed(declared):
    text = "".join(path.read_text() for path in (ROOT / "Sources/SnapshotSettings").glob("Key+*.swift"))
    assert sorted(re.findall(r'static let \w+ = Setting\(\s*"(\w+)"', text)) == sorted(declared)
    keys = re.findall(r"(\w+)\.declaration", text)
    assert sorted(keys) == sorted(re.findall(r"static let (\w+) = Setting\(", text))


def test_documents_are_as_the_program_makes_them(snapshot):
    run = subprocess.run([ROOT / "scripts/settings-docs", str(snapshot.binary), "--check"], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


def test_the_man_page_has_every_setting(snapshot, declared, tmp_path):
    subprocess.run([ROOT / "packaging/manpages", str(snapshot.binary), str(tmp_path), "/usr/share/doc/snapshot"], check=True)
    page = (tmp_path / "snapshot.env.5").read_text().replace("\\-", "-").replace("\\(aq", "'")
    for one in declared.values():
        assert f".TP\n\\fB{one['key']}\\fR\n{one['meaning']}" in page.replace("\\&", "")


def test_the_packaged_file_states_defaults_as_they_are(declared):
    for line in (ROOT / "packaging/snapshot.env").read_text().splitlines():
        found = re.fullmatch(r"(#?)([A-Z0-9_]+)=(.*)", line)
        if not found:
            continue
        off, key, value = found.groups()
        assert key in declared
        if off and value:
            assert value == ("us-east-1" if key == "AWS_REGION" else declared[key]["default"]), line


@pytest.mark.parametrize("unit", ["snapshot", "snapshot@", "snapshot-relay", "snapshot-relay@"])
def test_units_load_every_secret(declared, unit):
    # The front has its own file, web.env, and no credential.
    secrets = {key.lower() for key, one in declared.items() if one["secret"]} - {"web_token"}
    text = (ROOT / f"systemd/{unit}.service").read_text()
    for setting in ("LoadCredential", "SetCredential"):
        assert set(re.findall(rf"^{setting}=(\w+):", text, re.M)) == secrets


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completions_know_the_names(snapshot, shell):
    text = snapshot.run("--generate-completion-script", shell).expect(0).stdout
    assert "CAPTURE_INTERVAL=" in text and "CAPTURE_INTERVAL" in text.replace("CAPTURE_INTERVAL=", "")


# What bash offers for the last of the words, in a mount namespace whose /etc/snapshot has two cameras of their own.
COMPLETE = """
mount -t tmpfs tmpfs /mnt && mkdir -p /mnt/upper/snapshot /mnt/work
mount -t overlay -o lowerdir=/etc,upperdir=/mnt/upper,workdir=/mnt/work overlay /etc
touch /etc/snapshot/{snapshot,web,front,side-door}.env
source <("$1" --generate-completion-script bash)
PATH=${1%/*}:$PATH COMP_WORDS=("${@:2}") COMP_CWORD=$(($# - 2)) COMP_LINE=${*:2} COMP_POINT=999
function=$(complete -p "$2")
function=${function#*-F }
${function%% *} "$2" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.mark.skipif(builds.is_sanitized(), reason="a sanitizer's reports would be among the offered words")
@pytest.mark.parametrize("words, offered", [
    (["snapshot", "check", "--config", ""], {"garden.env", "folder"}),
    (["snapshot-web", "--config", "gar"], {"garden.env"}),
    (["snapshot", "schedule", "--instance", ""], {"front", "side-door"}),
    (["snapshot", "schedule", "--instance", "si"], {"side-door"}),
    (["snapshot", "settings", "CAMERA_US"], {"CAMERA_USERNAME", "CAMERA_USE_HTTPS"}),
    # Without HTTP_UPLOAD_FIELDS, HTTP_UPLOAD_HEADERS and HTTP_UPLOAD_URL: secrets don't belong on a command line.
    (["snapshot", "check", "--set", "HTTP_UPLOAD_"], {f"HTTP_UPLOAD_{key}=" for key in ("ACK", "FORMAT", "METHOD", "PART")}),
    (["snapshot", "setup", "--instance", "fr"], {"front"}),
    (["snapshot", "setup", "--secret", "HTTP_AUTH"], {"HTTP_AUTH_TOKEN="}),
    (["snapshot", "setup", "--set", "CAMERA_STR"], {"CAMERA_STREAM="}),
    (["snapshot", "setup", "--folder", ""], {"folder"}),
    (["snapshot", "setup", "--password-file", "no"], {"notes.txt"}),
])
def test_bash_completes_files_keys_and_instances(tmp_path, words, offered):
    (tmp_path / "garden.env").touch()
    (tmp_path / "notes.txt").touch()
    (tmp_path / "folder").mkdir()
    done = subprocess.run(
        ["unshare", "-m", "--propagation", "private", "bash", "-c", COMPLETE, "bash", builds.binary(words[0]), *words],
        cwd=tmp_path, capture_output=True, text=True, timeout=30)
    assert set(done.stdout.split()) == offered, done.stderr

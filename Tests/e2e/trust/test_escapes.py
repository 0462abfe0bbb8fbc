"""Nothing from outside steers a terminal or forges a line: what can't be seen is escaped wherever it is shown."""
import json

import pytest

from camera import http, refusal
from pictures import picture
from terminal import on_terminal
from web import record, write_relay, write_ring

HOSTILE = ("\x1b]0;owned\x07\x1b[2J\x1b[31mFAKE: all healthy\x1b[0m\r\nsnapshot: forged\x7f\x9b31m\x85\u2028\u2029"
           "\u202e\u2066\u200b\u200d\u2060\ufeff\u00ad\u061c\U000e0041|'\"\\")
FORMS = [[], ["--json"], ["--nagios"], ["--prometheus"]]


def is_harmless(text):
    return all(c.isprintable() or c == "\n" for c in text)


@pytest.fixture
def crafted(snapshot):
    """A state with a right checksum and full of escapes, and an instance of such a name."""
    moment = {"at": HOSTILE}
    changes = {"camera": "cam" + HOSTILE[:60], "version": HOSTILE, "last_capture": moment, "last_upload": moment,
               "last_error": {"code": HOSTILE, "moment": moment}, "consecutive_failures": 3}
    for folder in (snapshot.state_folder, snapshot.state_folder / "b\x1b[2J\nforged \u202e"):
        write_ring(folder, [record(9, **changes)])
        write_relay(folder, state=HOSTILE, modes=[HOSTILE], last_error=HOSTILE, outputs={HOSTILE: HOSTILE})
    return snapshot


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_health(crafted, form):
    result = crafted.run("health", *form)
    assert is_harmless(result.stdout + result.stderr), ascii(result.stdout)
    assert not any(line.startswith(("snapshot: forged", "forged")) for line in result.stdout.splitlines())
    assert (len(result.stdout.splitlines()) == 1) == (form in (["--json"], ["--nagios"])), result.stdout
    if form == ["--json"]:
        assert result.json["last_error"] == HOSTILE and "\\u001b" in result.stdout and result.json["last_capture"] == HOSTILE


@pytest.mark.parametrize("form", FORMS[:2], ids=str)
def test_health_on_a_terminal(crafted, form):
    shown = on_terminal(crafted, "health", *form, code=None, NO_COLOR="1")
    assert shown and is_harmless(shown.replace("\r\n", "\n")), shown


def test_commands_over_such_a_state(crafted, tmp_path):
    (tmp_path / "p.jpg").write_bytes(picture())
    crafted.set(CAMERA_URL=f"file:{tmp_path}/p.jpg")
    for command in (["capture", "--verbose"], ["capture", "--json"], ["check"], ["check", "--json"], ["drain"]):
        result = crafted.run(*command)
        assert is_harmless(result.stdout + result.stderr), ascii(result.stdout + result.stderr)


def test_file_names_and_settings(snapshot, tmp_path):
    name = "f\x1b[2J\u202e\x9b\nsnapshot: forged"
    (tmp_path / name).mkdir()
    snapshot.dotenv({"CAMERA_URL": f"file:{tmp_path}/\x1b[31m.jpg"})
    for command in (["capture"], ["check"], ["capture", "--json"], ["health", "--nagios"], ["schedule", "--print"], ["relay"]):
        for arguments in ([], ["--config", str(tmp_path / name)], ["--set", f"CAMERA_NAME={name}"], [f"--{name}"],
                          ["--set", name]):
            result = snapshot.run(*command, *arguments, env={"STATE_PATH": str(tmp_path / "\x1b[2J\u202e")})
            assert is_harmless(result.stdout + result.stderr), ascii(result.stdout + result.stderr)
            assert not any(line.startswith("snapshot: forged") for line in (result.stdout + result.stderr).splitlines())


def test_a_cameras_words_in_json(ready, camera):
    camera.raw = http(refusal(-48, HOSTILE), kind="text/html")
    result = ready.capture("--json").refuses(69)
    assert is_harmless(result.stdout + result.stderr), ascii(result.stdout)
    assert "FAKE" in json.loads(result.stdout)["error"] and len(result.stderr.splitlines()) <= 2

"""Health: the documented situations, in each of its forms, with the exit codes that monitors act on."""
import json
import os
import re
import subprocess

import pytest

from process import wait_until
from receiver import Answer
from terminal import on_terminal

pytestmark = pytest.mark.asan

SIX = {"status", "last_capture", "uptime_seconds", "total_captures", "total_uploads", "failed_uploads"}
ADDED = {"reasons", "last_upload", "age_seconds", "interval_seconds", "capture_failures", "consecutive_failures",
         "last_error", "spool", "clock", "version"}
SAMPLE = re.compile(r'[a-z_][a-z0-9_]*(\{[a-z_]+="([^"\\\n]|\\.)*"(,[a-z_]+="([^"\\\n]|\\.)*")*\})? (-?[0-9.e+-]+|NaN|[+-]Inf)')


def never(ready, endpoint):
    pass


def healthy(ready, endpoint):
    ready.capture().expect(0)


def store_failing(ready, endpoint):
    endpoint.always = Answer(500)
    ready.set(**endpoint.as_http(UPLOAD_DEADLINE="1s", UPLOAD_ATTEMPTS=1)).capture().expect(75)


def held_off(ready, endpoint):
    ready.set(CAMERA_PASSWORD="wrong", CAMERA_AUTH="token")
    ready.capture().expect(77)


def torn(ready, endpoint):
    for _ in range(3):
        ready.capture().expect(0)
    ready.ring.tear(3)


def unreadable(ready, endpoint):
    ready.capture().expect(0)
    ready.ring.path.write_bytes(b"nothing\n" * 2000)


# situation: status, exit code, Nagios exit code
SITUATIONS = {never: ("unhealthy", 1, 2), healthy: ("healthy", 0, 0), store_failing: ("degraded", 0, 1),
              held_off: ("unhealthy", 1, 2), torn: ("healthy", 0, 0), unreadable: ("unhealthy", 1, 3)}


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda s: s.__name__)
def test_situations_in_every_form(ready, endpoint, situation):
    status, code, nagios = SITUATIONS[situation]
    situation(ready, endpoint)
    before = {p: p.read_bytes() for p in ready.folder.rglob("*") if p.is_file()}
    seen = len(endpoint.received)

    result = ready.run("health", "--json").expect(code)
    health = json.loads(subprocess.run(["jq", "."], input=result.stdout, capture_output=True, text=True, check=True).stdout)
    assert health["status"] == status, health
    assert SIX <= set(health) and ADDED <= set(health), (SIX | ADDED) - set(health)
    assert bool(health["reasons"]) == (health["status"] != "healthy")
    assert set(health["spool"]) >= {"count", "bytes", "oldest", "dropped"} and set(health["clock"]) == {"synced", "offset_seconds"}
    assert isinstance(health["uptime_seconds"], int) and (health["last_capture"] is None) == (situation in (never, held_off, unreadable))

    human = ready.run("health").expect(code)
    assert health["status"] in human.stdout.lower() and "\x1b" not in human.stdout

    plugin = ready.run("health", "--nagios")
    assert plugin.code == nagios and len(plugin.stdout.splitlines()) == 1
    assert ("OK", "WARNING", "CRITICAL", "UNKNOWN")[plugin.code] in plugin.stdout.split("|")[0]

    metrics = ready.run("health", "--prometheus").stdout
    lines = metrics.splitlines()
    samples = [line for line in lines if not line.startswith("#")]
    assert samples and metrics.endswith("\n")
    assert not [line for line in samples if not SAMPLE.fullmatch(line)]
    name = "" if situation in (never, unreadable) else "front"  # the name stands in the state
    assert all(f'camera="{name}' in line for line in samples if not re.match(r"\w+_(info|scrape)", line))
    typed = {line.split()[2] for line in lines if line.startswith("# TYPE ")}
    assert {re.match(r"\w+", s)[0] for s in samples} <= typed, "every sample has a type"

    assert {p: p.read_bytes() for p in ready.folder.rglob("*") if p.is_file()} == before, "health reads only"
    assert len(endpoint.received) == seen


def test_a_terminal_gets_colour(ready):
    ready.capture().expect(0)
    assert "\x1b[" in on_terminal(ready, "health") and "\x1b[" not in on_terminal(ready, "health", NO_COLOR="1")


@pytest.mark.long
def test_an_ageing_snapshot_degrades_and_then_fails(ready):
    ready.set(CAPTURE_INTERVAL="1s").capture().expect(0)
    health = ready.health()
    assert health["status"] == "healthy" and health["interval_seconds"] == 1
    stale = wait_until(lambda: (h := ready.health())["status"] != "healthy" and h, 6, "stale", 0.2)
    assert stale["status"] == "degraded" and 3 <= stale["age_seconds"] <= 5, stale
    assert ready.run("health").code == 0 and ready.run("health", "--nagios").code == 1
    dead = wait_until(lambda: (h := ready.health())["status"] == "unhealthy" and h, 12, "unhealthy", 0.3)
    assert 10 <= dead["age_seconds"] <= 12 and ready.run("health", "--nagios").code == 2


def test_failed_captures_are_counted_apart(ready, camera):
    ready.capture().expect(0)
    camera.raw = b"nothing"
    for _ in range(2):
        ready.capture().expect(69)
    health = ready.health()
    assert (health["total_captures"], health["capture_failures"], health["consecutive_failures"]) == (1, 2, 2)
    assert health["last_error"] and "127.0.0.1" not in json.dumps(health["last_error"])
    camera.raw = None
    ready.capture().expect(0)
    assert ready.health()["consecutive_failures"] == 0


def test_several_cameras_in_one_state_folder(ready, tmp_path):
    for name in ("front", "back"):
        ready.capture(env={"STATE_PATH": tmp_path / "all" / name, "CAMERA_NAME": name}).expect(0)
    health = ready.run("health", "--json", env={"STATE_PATH": tmp_path / "all"}).expect(0).json
    assert set(health["cameras"]) == {"front", "back"} and health["status"] == "healthy"
    (tmp_path / "all/back/state.jsonl").write_bytes(b"x" * 9000)
    worst = ready.run("health", "--json", env={"STATE_PATH": tmp_path / "all"})
    assert worst.code == 1 and worst.json["status"] == "unhealthy"
    assert worst.json["cameras"]["front"]["status"] == "healthy"
    line = ready.run("health", "--nagios", env={"STATE_PATH": tmp_path / "all"})
    assert line.code == 3 and line.stdout.startswith("SNAPSHOT UNKNOWN - back: ") and line.stdout.count("\n") == 1
    ready.capture(env={"STATE_PATH": tmp_path / "all/a|b", "CAMERA_URL": "file:/nowhere", "CAMERA_IP": None}).expect(69)
    line = ready.run("health", "--nagios", env={"STATE_PATH": tmp_path / "all"}).stdout
    assert "a/b: no picture" in line and "back: " in line and "front" not in line and line.count("|") == 1


def test_a_camera_that_cannot_be_looked_at_is_not_overlooked(ready, tmp_path):
    """Its folder belongs to somebody else, as after a run by root. Other such folders aren't listed as cameras."""
    everywhere = tmp_path / "all"
    for name in ("front", "back"):
        ready.capture(env={"STATE_PATH": everywhere / name, "CAMERA_NAME": name}).expect(0)
    for name in ("back", "spool", "lost+found", ".cache"):
        (everywhere / name).mkdir(exist_ok=True)
        (everywhere / name).chmod(0o700)
        os.chown(everywhere / name, 12345, 12345)
    # Root without the capabilities that override permissions.
    rights = "-dac_override,-dac_read_search"
    plain = ("setpriv", f"--bounding-set={rights}", f"--inh-caps={rights}")
    health = ready.run("health", "--json", env={"STATE_PATH": everywhere}, prefix=plain).expect(1).json
    assert set(health["cameras"]) == {"front", "back"}
    assert health["cameras"]["back"]["reasons"] == ["state_unreadable"]


def test_a_plugin_that_finds_out_nothing_says_unknown(ready):
    result = ready.run("health", "--nagios", env={"CAPTURE_INTERVAL": "so|on"})
    assert result.code == 3 and result.stdout.startswith("SNAPSHOT UNKNOWN - ")
    assert result.stdout.count("\n") == 1 and "|" not in result.stdout
    assert ready.run("health", "--nagios", "--config", "/nowhere").code == 3

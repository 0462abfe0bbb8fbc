"""`snapshot check` on the machine where it runs: settings, state, spool, hold-offs, units; and the form of what it says."""
import fcntl
import re

import pytest

from camera import Camera
from checking import PASSWORD, Checked, check, settings_of, simulated  # noqa: F401
from process import free_port
from receiver import Answer, s3_error
from terminal import on_terminal


# Settings

def test_a_fresh_box(snapshot, check):
    found = check()
    assert found.code == 78 and found.failed == ["settings"]
    line = next(c for c in found.all if c["result"] == "failed")
    assert "CAMERA_IP" in line["found"] and found["camera"]["result"] == "skipped"
    assert [found[s]["result"] for s in ("state", "spool", "storage")] == ["passed"] * 3
    assert line["hint"].startswith("snapshot setup ")
    snapshot.dotenv("CAMERA_IP=192.168.1.20\nCAMERA_PASSWORD=secret\n")
    found = check("--set", "CAMERA_CONNECT_TIMEOUT=100ms", "--set", "CAMERA_IP=127.0.0.1:1")
    assert found["settings"]["facts"]["file"] == ".env" and found.failed == ["camera"]


def test_settings_that_are_wrong_are_all_told(snapshot, check):
    snapshot.dotenv("CAMERA_IP=http://x\nCAPTURE_INTRVAL=5\nSTORAGE_BACKEND=s3\nCAPTURE_INTERVAL=soon\n")
    found = check()
    told = " ".join(c["found"] for c in found.all if c["name"] == "settings")
    assert found.code == 78 and set(found.failed) == {"settings"}
    assert all(w in told for w in ("CAMERA_IP", "S3_BUCKET", "CAPTURE_INTERVAL='soon'", "did you mean CAPTURE_INTERVAL?"))
    assert found["camera"]["result"] == found["storage"]["result"] == "skipped"


def test_a_settings_file_that_cannot_be_read(snapshot):
    snapshot.dotenv("CAMERA_IP\n")
    found = Checked(snapshot.run("check", "--json"))
    assert found.code == 78 and ".env:1" in found["settings"]["found"] and "KEY=value" in found["settings"]["hint"]


def test_a_password_that_everybody_can_read(snapshot, check):
    snapshot.dotenv(f"CAMERA_IP=127.0.0.1:{free_port()}\nCAMERA_PASSWORD=x\n")
    (snapshot.folder / ".env").chmod(0o644)
    remark = next(c for c in check().all if "every user of this machine" in c["found"])
    assert remark["hint"] == "chmod o= .env" and not remark["necessary"]


# State and spool

def test_a_state_that_cannot_be_written(simulated, snapshot, check):
    (snapshot.folder / "state").write_text("in the way")
    found = check(**settings_of(simulated))
    assert found.code == 74 and found.failed == ["state", "spool"] and found["state"]["hint"]


def test_the_spool_is_counted(simulated, snapshot, check, endpoint):
    endpoint.always = Answer(500)
    snapshot.set(**settings_of(simulated), **endpoint.as_http(UPLOAD_DEADLINE="1s", UPLOAD_ATTEMPTS=1))
    for _ in range(2):
        snapshot.capture().expect(75)
    found = check()
    assert found["spool"]["facts"]["count"] == 2 and found["spool"]["hint"] == "snapshot drain"
    assert found.code == 75 and "degraded" in found["state"]["found"]
    found = check(SPOOL_MIN_FREE="1000T")
    assert found.code == 74 and "SPOOL_MIN_FREE" in found["spool"]["found"]


# Hold-offs

COUNTERS = ["total_captures", "total_uploads", "failed_uploads", "capture_failures", "consecutive_failures"]


def test_a_password_corrected_at_the_camera_ends_the_hold_off(snapshot):
    """No setting has changed, so captures would wait on; check has seen that they need not."""
    with Camera(password="old") as camera:
        snapshot.set(CAMERA_IP=camera.address, CAMERA_PASSWORD="new")
        snapshot.capture().refuses(77)
        assert Checked(snapshot.run("check", "--json")).code == 77 and snapshot.state["latches"]
        camera.password = "new"
        tries = camera.failed_logins
        snapshot.capture().refuses(77, "tried again in")
        before = snapshot.state
        # Check changes nothing while a capture holds the lock.
        with open(snapshot.state_folder / "lock") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            busy = [c for c in Checked(snapshot.run("check", "--json")).all if c["name"] == "hold-off"][1]
        assert "under way" in busy["found"] and snapshot.state == before
        found = Checked(snapshot.run("check", "--json"))
        assert found.code == 0 and any("the camera takes the credentials again" in c["found"] for c in found.all)
        after = snapshot.state
        assert after["latches"] == {} and after["seq"] == before["seq"] + 1
        assert {k: after[k] for k in COUNTERS} == {k: before[k] for k in COUNTERS}
        snapshot.capture().expect(0)
        assert camera.failed_logins == tries


def test_keys_corrected_at_the_store_end_the_hold_off(simulated, snapshot, endpoint):
    snapshot.set(**settings_of(simulated), **endpoint.as_s3())
    endpoint.always = Answer(403, {}, s3_error("InvalidAccessKeyId"))
    snapshot.capture().expect(77)
    assert "store" in snapshot.state["latches"]
    endpoint.always = Answer(200)
    found = Checked(snapshot.run("check", "--json"))
    assert found.code == 0 and any("the store takes the credentials again" in c["found"] for c in found.all)
    snapshot.capture().expect(0)
    assert snapshot.spool() == {} and snapshot.state["total_uploads"] == 2


# Units

SYSTEMCTL = """#!/bin/sh
[ "$1" = show ] || exit 1
printf '%s\\n' "LoadState={load}" "ActiveState={active}" "UnitFileState={file}" \\
    "TimersCalendar={{ OnCalendar={calendar} ; next_elapse=Wed 2026-01-21 10:30:50 UTC }}" \\
    "TimersMonotonic={{ OnUnitActiveUSec={after} ; next_elapse=0 }}"
"""
UNITS = {
    "as set": ({}, "passed", "every 10s, as CAPTURE_INTERVAL says", None),
    "another interval": ({"calendar": "*-*-* *:*:00/5 UTC"}, "failed", "every 5s, but CAPTURE_INTERVAL is 10s",
                         "sudo snapshot schedule"),
    "stopped": ({"active": "inactive"}, "failed", "isn't running", "sudo systemctl enable --now snapshot.timer"),
    "not at boot": ({"file": "disabled"}, "failed", "isn't enabled", "sudo systemctl enable snapshot.timer"),
    "not there": ({"load": "not-found", "active": "inactive", "file": ""}, "skipped", "isn't installed", "make install"),
    "odd": ({"calendar": "Mon *-*-* 10:00:00"}, "passed", "its interval can't be read", None),
}


@pytest.mark.parametrize("case", UNITS)
def test_units(simulated, snapshot, check, tmp_path, case):
    """What systemctl says is made up here; Tests/system asks a real one."""
    facts, result, words, hint = UNITS[case]
    facts = {"load": "loaded", "active": "active", "file": "enabled", "calendar": "*-*-* *:*:00/10 UTC", "after": "15s",
             **facts}
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/systemctl").write_text(SYSTEMCTL.format(**facts))
    (tmp_path / "bin/systemctl").chmod(0o755)
    snapshot.environment["PATH"] = f"{tmp_path}/bin:{snapshot.environment['PATH']}"
    found = check(**settings_of(simulated))
    assert found.code == 0 and (found["units"]["result"], not found["units"]["necessary"]) == (result, result != "passed")
    assert words in found["units"]["found"] and (hint or "") in found["units"].get("hint", "")


# Form

def test_text_for_people(simulated, snapshot):
    snapshot.set(**settings_of(simulated))
    result = snapshot.run("check").expect(0)
    assert "\x1b" not in result.stdout and result.stdout.endswith("all that is necessary works\n")
    lines = [line for line in result.stdout.splitlines()[:-1] if not line.startswith("   ")]
    assert all(line[0] in "✓✗–" for line in lines) and len(lines) >= 10
    assert "\x1b[32m✓" in on_terminal(snapshot, "check")
    assert "\x1b" not in on_terminal(snapshot, "check", NO_COLOR="1")
    assert snapshot.run("check", env={"CAMERA_PASSWORD": "no"}).stdout.endswith("not ready: login\n")


def test_no_secret_is_shown(simulated, snapshot, endpoint):
    snapshot.set(**settings_of(simulated), **endpoint.as_s3(AWS_SECRET_ACCESS_KEY="CanarySecret"))
    endpoint.always = Answer(403, {}, s3_error("SignatureDoesNotMatch", StringToSign="CanarySecret"))
    for password in (PASSWORD, "CanaryPassword"):
        result = snapshot.run("check", "--verbose", env={"CAMERA_PASSWORD": password})
        for secret in (PASSWORD, "CanaryPassword", "CanarySecret"):
            assert secret not in result.stdout + result.stderr
    # The token of a session is a secret as well.
    result = snapshot.run("check", "--verbose")
    tokens = [t for r in simulated.requests("Snap") for t in re.findall(r"[?&]token=(\w+)", r["path"])]
    assert tokens and not any(t in result.stdout + result.stderr for t in tokens)


def test_health_draws_latencies_on_a_terminal_alone(simulated, snapshot):
    snapshot.set(**settings_of(simulated))
    for _ in range(3):
        snapshot.capture().expect(0)
    simulated.fault("500", 1)
    snapshot.capture().expect(69)
    time = r"(?:\d+ ms|\d+(?:\.\d)? s)"
    drawn = re.search(rf"latency +camera ([▁-█·]+) {time}, store ([▁-█·]+) {time}", on_terminal(snapshot, "health"))
    assert drawn and len(drawn[1]) == len(drawn[2]) == 4 and drawn[1][3] == "·" and "█" in drawn[1]
    assert "latency" in on_terminal(snapshot, "health", NO_COLOR="1") and "latency" not in snapshot.run("health").stdout


@pytest.mark.parametrize("web, own, told", [
    ("WEB_TOKEN=fifteen-bytes-x\n", "", "WEB_TOKEN"), ("WEB_IMAGES=true\n", "", "doesn't let snapshot-web read them"), ("WEB_IMAGES=maybe\n", "", "WEB_IMAGES"),
    ("WEB_IMAGES=true\nWEB_TOKEN=sixteen-bytes-ok\n", "WEB_IMAGES=true\n", None), ("", "", None),
])
def test_settings_of_the_web_front(snapshot, web, own, told):
    folder = snapshot.folder / "etc"
    folder.mkdir()
    (folder / "web.env").write_text(web)
    (folder / "cam.env").write_text(f"CAMERA_IP=127.0.0.1:{free_port()}\n" + own)
    found = Checked(snapshot.run("check", "--json", "--config", str(folder / "cam.env")))
    remarks = [one for one in found.all if one["name"] == "web"]
    assert len(remarks) == (told is not None)
    assert all(told in one["found"] and not one["necessary"] for one in remarks)
    assert "fifteen" not in str(found.all)

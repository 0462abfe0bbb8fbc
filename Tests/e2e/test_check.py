"""`snapshot check`: the right sentence for each thing that is wrong, in time, and nothing left behind."""
import fcntl
import os
import pty
import re
import secrets
import socket
import subprocess

import pytest

import rgw
import shared
from bucket import Bucket, client
from camera import Camera
from faultproxy import FaultProxy
from process import free_port, wait_until
from receiver import Answer, Receiver, s3_error
from rtsp import RTSPServer
from simulator import Simulator
from tls import self_signed

PASSWORD = "pässword &+%=?#"

# fault: (exit code, what fails, words of its line, word of its hint)
FAULTS = {
    "json-error": (69, "picture", "taking the snapshot failed inside the camera", "restart"),
    "rsp-49": (69, "picture", "it has no channel 0", "CAMERA_CHANNEL"),
    "rsp-12": (69, "picture", "it can't read its configuration", "restart"),
    "rsp-16": (69, "picture", "the hub can't reach the camera", "Wi-Fi"),
    "rsp-26": (69, "picture", "this user may not do that", "administrator"),
    "truncated": (69, "picture", "ended before its announced length", None),
    "short": (69, "picture", "the JPEG is cut short", None),
    "html": (69, "picture", "an HTML page, not a picture", "--verbose"),
    "empty": (69, "picture", "the body is empty", "CAMERA_WIDTH"),
    "tiny": (69, "picture", "28 bytes are too few", None),
    "drip": (69, "picture", "longer than CAMERA_TIMEOUT", "CAMERA_STREAM=sub"),
    "drip-header": (69, "picture", "longer than CAMERA_TIMEOUT", "CAMERA_STREAM=sub"),
    "hang": (69, "picture", "longer than CAMERA_TIMEOUT", "CAMERA_STREAM=sub"),
    "wrong-length": (69, "picture", "longer than CAMERA_TIMEOUT", "CAMERA_STREAM=sub"),
    "endless": (69, "picture", "over 16 MiB, or never ends", None),
    "endless-lengthless": (69, "picture", "over 16 MiB, or never ends", None),
    "huge-length": (69, "picture", "over 16 MiB, or never ends", None),
    "reset": (69, "picture", "lost camera", None),
    "reset-mid": (69, "picture", "lost camera", None),
    "500": (69, "picture", "HTTP status 500", None),
    "404": (69, "picture", "HTTP status 404", "CAMERA_WIDTH"),
    "302": (69, "picture", "HTTP status 302, a redirect", "CAMERA_USE_HTTPS"),
    "300": (69, "login", "HTTP status 300, a redirect", "CAMERA_USE_HTTPS=true"),
    "401": (77, "login", "camera refuses login", "CAMERA_PASSWORD"),
    "locked": (77, "login", "the login is locked", "CAMERA_PASSWORD"),
    "max-session": (69, "picture", "all its sessions are taken", "close its app"),
    "login-frequent": (69, "login", "too many logins in a short time", "wait"),
    "login-500": (69, "login", "HTTP status 500", None),
    "login-hang": (69, "camera", "longer than CAMERA_TIMEOUT", None),
    "login-reset": (69, "camera", "lost camera", None),
    "hang-connect": (69, "camera", "CAMERA_CONNECT_TIMEOUT", None),
}
# oddity: words of the login's line
HARMLESS = {
    "login-404": "by user and password", "login-html": "by user and password",
    "token-refused:1": "", "mistyped": "a session that was closed again", "padded": "", "no-jfif": "", "slow:500": "",
}


class Checked:
    """What one run of `check --json` said."""

    def __init__(self, result):
        self.result, self.code = result, result.code
        self.all = result.expect(result.code).json["checks"]
        assert result.json["exit"] == result.code and result.json["ok"] == (result.code == 0)
        assert result.wall < 20 and result.stderr == ""

    def __getitem__(self, name):
        return next(c for c in self.all if c["name"] == name)

    def __contains__(self, name):
        return any(c["name"] == name for c in self.all)

    @property
    def failed(self):
        """The necessary steps that failed."""
        return [c["name"] for c in self.all if c["result"] == "failed" and c["necessary"]]


@pytest.fixture
def check(snapshot):
    """Runs `check --json`, and sees to it that it left no file."""
    def run(*arguments, **settings):
        def left():
            return {p: p.is_file() and p.stat().st_mtime_ns for p in snapshot.folder.rglob("*")}
        before = left()
        checked = Checked(snapshot.set(**settings).run("check", "--json", *arguments))
        assert left() == before
        return checked
    return run


@pytest.fixture
def simulated():
    with Simulator("--https-port", 0, "--password", PASSWORD) as camera:
        yield camera


def settings_of(camera, **more):
    return {"CAMERA_IP": camera.address, "CAMERA_PASSWORD": PASSWORD, "CAMERA_RTSP_PORT": free_port(), **more}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_has_its_sentence(simulated, check, fault):
    code, subject, words, hint = FAULTS[fault]
    simulated.fault(fault)
    found = check(**settings_of(simulated, CAMERA_TIMEOUT="3s", CAMERA_CONNECT_TIMEOUT="2s"))
    assert found.failed == [subject] and found.code == code, found.all
    assert words in found[subject]["found"] and (hint or "") in found[subject].get("hint", ""), found[subject]
    assert found["storage"]["result"] == "passed" and found["codec"]["result"] == "skipped"
    stats = simulated.stats()
    assert stats["sessions_open"] == 0 and stats["failed_logins"] <= 1


@pytest.mark.parametrize("fault", HARMLESS)
def test_oddities_that_do_no_harm(simulated, check, fault):
    simulated.fault(*fault.split(":") if fault.startswith("token") else [fault])
    found = check(**settings_of(simulated))
    assert found.code == 0 and found["picture"]["result"] == "passed", found.all
    assert HARMLESS[fault] in found["login"]["found"] and simulated.stats()["sessions_open"] == 0


def test_a_good_camera(simulated, check):
    found = check(**settings_of(simulated))
    assert found.code == 0 and not found.failed
    assert found["camera"]["facts"]["model"] == "RLC-810A" and "v3.1.0" in found["camera"]["facts"]["firmware"]
    facts = found["picture"]["facts"]
    assert (facts["width"], facts["height"]) == (640, 360) and facts["bytes"] > 1000 and facts["milliseconds"] >= 0
    assert found["codec"]["result"] == "failed" and not found["codec"]["necessary"]
    assert re.match(r"\d", found["ffmpeg"]["facts"]["version"])
    stats = simulated.stats()
    assert (stats["logins"], stats["logouts"], stats["snaps"], stats["sessions_open"]) == (1, 1, 1, 0)


def test_the_session_that_captures_keep_is_used_and_stays(simulated, snapshot, check):
    snapshot.set(**settings_of(simulated)).capture().expect(0)
    kept = (snapshot.state_folder / "session.json").read_bytes()
    found = check()
    assert found.code == 0 and "the session that captures keep" in found["login"]["found"]
    stats = simulated.stats()
    assert (stats["logins"], stats["logouts"], stats["sessions_open"]) == (1, 0, 1)
    assert (snapshot.state_folder / "session.json").read_bytes() == kept
    assert "healthy" in found["state"]["found"] and found["state"]["facts"]["health"] == "healthy"


def test_a_session_that_the_camera_forgot(simulated, snapshot, check):
    snapshot.set(**settings_of(simulated)).capture().expect(0)
    simulated.reset()
    found = check()
    assert found.code == 0 and "closed again" in found["login"]["found"] and simulated.stats()["sessions_open"] == 0


def test_a_wrong_password_is_tried_once_also_while_latched(simulated, snapshot, check):
    wrong = settings_of(simulated, CAMERA_PASSWORD="not this one")
    found = check(**wrong)
    assert found.code == 77 and found.failed == ["login"] and "tries left" in found["login"]["found"]
    assert simulated.stats()["failed_logins"] == 1
    snapshot.capture().refuses(77)
    found = check()
    assert "captures try them again in" in found["latch"]["found"] and not found["latch"]["necessary"]
    assert simulated.stats()["failed_logins"] == 3


COUNTERS = ["total_captures", "total_uploads", "failed_uploads", "capture_failures", "consecutive_failures"]


def test_a_password_corrected_at_the_camera_ends_the_latch(snapshot):
    """No setting has changed, so captures would wait on; check has seen that they need not."""
    with Camera(password="old") as camera:
        snapshot.set(CAMERA_IP=camera.address, CAMERA_PASSWORD="new")
        snapshot.capture().refuses(77)
        assert Checked(snapshot.run("check", "--json")).code == 77 and snapshot.state["latches"]
        camera.password = "new"
        tries = camera.failed_logins
        snapshot.capture().refuses(77, "tried again in")
        before = snapshot.state
        # A capture that holds the lock is let be.
        with open(snapshot.state_folder / "lock") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            busy = [c for c in Checked(snapshot.run("check", "--json")).all if c["name"] == "latch"][1]
        assert "under way" in busy["found"] and snapshot.state == before
        found = Checked(snapshot.run("check", "--json"))
        assert found.code == 0 and any("the camera takes the credentials again" in c["found"] for c in found.all)
        after = snapshot.state
        assert after["latches"] == {} and after["seq"] == before["seq"] + 1
        assert {k: after[k] for k in COUNTERS} == {k: before[k] for k in COUNTERS}
        snapshot.capture().expect(0)
        assert camera.failed_logins == tries


def test_keys_corrected_at_the_store_end_the_latch(simulated, snapshot, endpoint):
    snapshot.set(**settings_of(simulated), **endpoint.as_s3())
    endpoint.always = Answer(403, {}, s3_error("InvalidAccessKeyId"))
    snapshot.capture().expect(77)
    assert "store" in snapshot.state["latches"]
    endpoint.always = Answer(200)
    found = Checked(snapshot.run("check", "--json"))
    assert found.code == 0 and any("the store takes the credentials again" in c["found"] for c in found.all)
    snapshot.capture().expect(0)
    assert snapshot.spool() == {} and snapshot.state["total_uploads"] == 2


def test_nobody_there(check):
    found = check(CAMERA_IP=f"127.0.0.1:{free_port()}", CAMERA_PASSWORD=PASSWORD)
    assert found.code == 69 and found.failed == ["camera"] and "cannot reach camera" in found["camera"]["found"]


def test_a_camera_and_a_store_that_hang_end_in_twenty_seconds(check):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        found = check(CAMERA_IP=f"127.0.0.1:{port}", CAMERA_PASSWORD=PASSWORD, CAMERA_TIMEOUT="60s",
                      STORAGE_BACKEND="http", HTTP_UPLOAD_URL=f"http://127.0.0.1:{port}/up")
    assert found.code == 69 and found.failed == ["camera", "storage"]
    assert "that check allows (CAMERA_TIMEOUT is 1m)" in found["camera"]["found"]


# Video

@pytest.mark.parametrize("settings, codec, path", [
    ({}, "h264", "h264Preview_01_main"), ({"CAMERA_CHANNEL": 1}, "hevc", "h265Preview_02_main"),
    ({"STREAM_SOURCE": "sub"}, "h264", "h264Preview_01_sub"), ({"CAMERA_CHANNEL": 2}, "h264", "Preview_03_main"),
], ids=["h264", "h265", "sub", "newer"])
def test_the_codec_is_told(check, settings, codec, path):
    with Camera(password=PASSWORD) as camera, RTSPServer("admin", PASSWORD) as rtsp:
        found = check(CAMERA_IP=camera.address, CAMERA_PASSWORD=PASSWORD, CAMERA_RTSP_PORT=rtsp.port, **settings)
        assert found.code == 0 and found["codec"]["result"] == "passed", found["codec"]
        assert found["codec"]["found"].startswith(f"{codec} 320×180, at rtsp://127.0.0.1:{rtsp.port}/{path}")
        assert found["codec"]["facts"]["codec"] == codec and PASSWORD not in found.result.stdout
        # Nothing of it stays open at the camera.
        wait_until(lambda: len(rtsp.events("closed")) == len(rtsp.events("client")), 5, "the end of all connections")


def test_video_that_does_not_come(check):
    with Camera(password=PASSWORD) as camera:
        good = {"CAMERA_IP": camera.address, "CAMERA_PASSWORD": PASSWORD}
        with RTSPServer("admin", "another one") as rtsp:
            found = check(**good, CAMERA_RTSP_PORT=rtsp.port)
            assert found.code == 0 and "refuses the login; only the relay" in found["codec"]["found"]
            assert "CAMERA_PASSWORD" in found["codec"]["hint"] and len(rtsp.events("client")) <= 2, "it asks on"
            found = check(STREAM_MODE="hls")
            assert found.code == 69 and found.failed == ["codec"]
            rtsp.freeze()
            assert "no answer in time" in check()["codec"]["found"]
        with RTSPServer() as rtsp:
            found = check(CAMERA_CHANNEL=7, CAMERA_RTSP_PORT=rtsp.port)
            assert found.failed == ["codec"] and "no such stream" in found["codec"]["found"]
        found = check(CAMERA_RTSP_PORT=free_port())["codec"]
        assert "can't be reached" in found["found"] and "RTSP" in found["hint"]


# TLS

def test_the_key_is_printed_and_compared(snapshot, check, tmp_path):
    first, second = self_signed(tmp_path, "a"), self_signed(tmp_path, "b")
    with Camera(password=PASSWORD, certificate=first) as camera:
        found = check(CAMERA_USE_HTTPS="true", **settings_of(camera))
        assert found["TLS key"]["facts"]["pin"] == first[2] and "first time" in found["TLS key"]["found"]
        snapshot.capture().expect(0)
        assert check()["TLS key"]["found"] == f"{first[2]}, pinned"
        for verify in ("off", first[2]):
            assert first[2] in check(CAMERA_TLS_VERIFY=verify)["TLS key"]["found"]
        assert check(CAMERA_TLS_VERIFY="ca").failed == ["camera"]
        snapshot.set(CAMERA_TLS_VERIFY=None)
        port = camera.port
    with Camera(password=PASSWORD, certificate=second, port=port) as stranger:
        found = check()
        assert found.code == 77 and "isn't the one that is pinned" in found["camera"]["found"]
        assert second[2] in found["TLS key"]["found"] and "session.json" in found["TLS key"]["hint"]
        assert not any("Login" in r or "Snap" in r for r in stranger.requests)


# Other cameras

def test_other_cameras(check, tmp_path):
    with Camera(username="me", password=PASSWORD, auth="digest") as camera:
        found = check(CAMERA_URL=camera.still_url(), CAMERA_USERNAME="me", CAMERA_PASSWORD=PASSWORD)
        assert found.code == 0 and found["picture"]["facts"]["width"] > 0 and "codec" not in found
        assert check(CAMERA_PASSWORD="wrong").failed == ["camera"]
    found = check(CAMERA_URL=f"file:{tmp_path}/none.jpg")
    assert found.code == 69 and "none.jpg" in found["camera"]["found"]
    found = check(CAMERA_URL=f"rtsp://127.0.0.1:{free_port()}/x")
    assert found.code == 69 and found["codec"]["result"] == "skipped" and found["ffmpeg"]["necessary"]


# Settings

def test_a_fresh_box(snapshot, check):
    found = check()
    assert found.code == 78 and found.failed == ["settings"]
    line = next(c for c in found.all if c["result"] == "failed")
    assert "CAMERA_IP" in line["found"] and found["camera"]["result"] == "skipped"
    assert [found[s]["result"] for s in ("state", "spool", "storage")] == ["passed"] * 3
    # The hint can be copied and run, and then says what is next.
    subprocess.run(["sh", "-c", line["hint"]], cwd=snapshot.folder, check=True)
    assert (snapshot.folder / ".env").stat().st_mode & 0o777 == 0o600
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
    remark = next(c for c in check().all if "everybody" in c["found"])
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


# Stores

def test_a_folder(simulated, snapshot, check):
    snapshot.set(**settings_of(simulated))
    (snapshot.folder / "snapshots").mkdir()
    before = (snapshot.folder / "snapshots")
    checked = Checked(snapshot.run("check", "--json"))
    assert "took a probe, which is removed" in checked["storage"]["found"] and not list(before.iterdir())
    found = check(LOCAL_STORAGE_PATH="/proc/none")
    assert found.code == 75 and "/proc/none" in found["storage"]["found"]


def s3_settings(server, bucket, keys, **more):
    return {"STORAGE_BACKEND": "s3", "S3_BUCKET": bucket, "S3_ENDPOINT_URL": server["http"], "AWS_REGION": server["region"],
            "AWS_ACCESS_KEY_ID": keys[0], "AWS_SECRET_ACCESS_KEY": keys[1], **more}


def test_a_bucket(simulated, check):
    server = shared.server("rgw", rgw.start)
    bucket = Bucket(server, f"check-{secrets.token_hex(4)}")
    camera = settings_of(simulated)
    found = check(**camera, **s3_settings(server, bucket.name, server["owner"]))
    assert found.code == 0 and "took a probe, which is removed" in found["storage"]["found"], found["storage"]
    assert bucket.name in found["storage"]["found"] and bucket.keys() == []
    assert "store's agrees" in found["clock"]["found"] and abs(found["clock"]["facts"]["offset_seconds"]) < 3

    found = check(AWS_SECRET_ACCESS_KEY="wrong" + server["owner"][1][5:])
    assert found.code == 77 and "AWS_SECRET_ACCESS_KEY" in found["storage"]["hint"], found["storage"]
    found = check(**s3_settings(server, "no-such-bucket", server["owner"]))
    assert found.code == 75 and "there is no such bucket" in found["storage"]["found"]
    found = check(**s3_settings(server, bucket.name, server["camera"]))
    assert found.code == 77 and "AccessDenied" in found["storage"]["found"] and bucket.keys() == []


def test_a_bucket_that_may_only_be_written(simulated, check):
    server = shared.server("rgw", rgw.start)
    name = f"check-{secrets.token_hex(4)}"
    bucket = Bucket(server, name, rgw.put_only(name))
    found = check(**settings_of(simulated), **s3_settings(server, name, server["camera"]))
    assert found.code == 0 and "so nothing stays" in found["storage"]["found"] and bucket.keys() == []


def test_a_bucket_that_keeps_versions(simulated, check):
    server = shared.server("rgw", rgw.start)
    bucket = Bucket(server, f"check-{secrets.token_hex(4)}")
    owner = client(server)
    owner.put_bucket_versioning(Bucket=bucket.name, VersioningConfiguration={"Status": "Enabled"})
    found = check(**settings_of(simulated), **s3_settings(server, bucket.name, server["owner"]))
    assert found.code == 0 and "keeps versions" in found["storage"]["found"], found["storage"]
    left = owner.list_object_versions(Bucket=bucket.name)
    assert not left.get("Versions") and not left.get("DeleteMarkers")


def test_a_store_that_looks_at_no_digest(simulated, check, endpoint):
    found = check(**settings_of(simulated), **endpoint.as_s3())
    assert [r.method for r in endpoint.received] == ["PUT", "DELETE"] and "is removed" in found["storage"]["found"]
    assert endpoint.received[0].path == endpoint.received[1].path
    endpoint.answers = [Answer(200), Answer(403, {}, s3_error("AccessDenied"))]
    found = check()
    assert found.code == 0 and "stays as snapshots/.snapshot-check" in found["storage"]["found"]


def test_a_wrong_region_is_told(simulated, check, endpoint):
    endpoint.answers = [Answer(400, {}, s3_error("AuthorizationHeaderMalformed", Region="eu-north-1"))]
    found = check(**settings_of(simulated), **endpoint.as_s3())
    assert found.code == 0 and "AWS_REGION=eu-north-1" in found["storage"]["hint"]


def test_an_endpoint_gets_no_picture(simulated, check):
    with Receiver(token="right token") as endpoint, FaultProxy(endpoint.port) as proxy:
        url = f"http://127.0.0.1:{proxy.port}/up"
        found = check(**settings_of(simulated), STORAGE_BACKEND="http", HTTP_UPLOAD_URL=url, HTTP_AUTH_TOKEN="right token")
        assert found.code == 0 and "none was sent" in found["storage"]["found"]
        found = check(HTTP_AUTH_TOKEN="wrong token")
        assert found.code == 77 and "HTTP_AUTH_TOKEN" in found["storage"]["hint"]
        assert "right token" not in found.result.stdout and "wrong token" not in found.result.stdout
        assert {r.method for r in endpoint.received} == {"HEAD"}
        proxy.set("refuse")
        assert check().code == 75
    with Receiver() as endpoint:
        for status, code, words in ((500, 75, "HTTP status 500"), (302, 75, "redirect"), (405, 0, "none was sent"),
                                    (404, 0, "none was sent")):
            endpoint.always = Answer(status)
            found = check(STORAGE_BACKEND="http", HTTP_UPLOAD_URL=endpoint.url + "/up")
            assert found.code == code and words in found["storage"]["found"], found["storage"]


# Units

SYSTEMCTL = """#!/bin/sh
[ "$1" = show ] || exit 1
printf '%s\\n' "LoadState={load}" "ActiveState={active}" "UnitFileState={file}" \\
    "TimersCalendar={{ OnCalendar={calendar} ; next_elapse=Wed 2026-01-21 10:30:50 UTC }}" \\
    "TimersMonotonic={{ OnUnitActiveUSec={after} ; next_elapse=0 }}"
"""
UNITS = {
    "as set": ({}, "passed", "every 10s like CAPTURE_INTERVAL", None),
    "another interval": ({"calendar": "*-*-* *:*:00/5 UTC"}, "failed", "every 5s, but CAPTURE_INTERVAL is 10s",
                         "sudo snapshot schedule"),
    "stopped": ({"active": "inactive"}, "failed", "isn't running", "sudo systemctl enable --now snapshot.timer"),
    "not at boot": ({"file": "disabled"}, "failed", "won't start", "sudo systemctl enable snapshot.timer"),
    "not there": ({"load": "not-found", "active": "inactive", "file": ""}, "skipped", "isn't installed", "make install"),
    "odd": ({"calendar": "Mon *-*-* 10:00:00"}, "passed", "doesn't understand", None),
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

def on_terminal(snapshot, *arguments, **env):
    master, slave = pty.openpty()
    run = subprocess.Popen([str(snapshot.binary), *arguments], stdout=slave, stderr=slave, cwd=snapshot.folder,
                           env={**snapshot.environment, **snapshot.settings, "TERM": "xterm", **env})
    os.close(slave)
    text = b""
    try:
        while chunk := os.read(master, 4096):
            text += chunk
    except OSError:
        pass
    os.close(master)
    run.wait(20)
    return text.decode()


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
    drawn = re.search(r"latency +camera ([▁-█·]+) \d\.\d s, store ([▁-█·]+) \d\.\d s", on_terminal(snapshot, "health"))
    assert drawn and len(drawn[1]) == len(drawn[2]) == 4 and drawn[1][3] == "·" and "█" in drawn[1]
    assert "latency" in on_terminal(snapshot, "health", NO_COLOR="1") and "latency" not in snapshot.run("health").stdout

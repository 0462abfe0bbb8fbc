"""The relay when something fails: it heals by itself, within STALL_TIMEOUT and 5 s of the fault's end."""
import contextlib
import os
import signal
import time

import pytest

import media
from disk import small_disk
from hls import Player
from line import Line
from process import wait_until
from relay import RECOVERY, STALL, Ingest, Relay
from rtsp import RTSPServer
from canary import forms

pytestmark = pytest.mark.tsan

PASSWORD = "CanaryCam&1 é%/'x"


@pytest.fixture
def camera():
    with RTSPServer("admin", PASSWORD) as server:
        yield server


@pytest.fixture
def relay(snapshot, camera):
    with Relay(snapshot, camera.as_camera()) as relay:
        relay.wait_running()
        yield relay


def intact(relay, already):
    """What was recorded before is as it was, and everything can be decoded."""
    for path, data in already.items():
        assert path.read_bytes() == data, f"{path.name} changed"
    for path in relay.recordings:
        media.decode(path)


CODES = ("camera-lost", "camera-stalled", "ffmpeg-killed", "ffmpeg-failed", "camera-unreachable", "ffmpeg-full",
         "ffmpeg-anew")


def heals(relay, fault, end, timeout=RECOVERY):
    """Media flows, a fault, its end, media flows again; players and recordings get over it."""
    with Player(relay.hls) as player:
        player.wait(2, 10)
        wait_until(lambda: relay.recordings, 10, "recording")
        already = {p: p.read_bytes() for p in relay.recordings}
        fault()
        end()
        fixed = time.monotonic()
        waited = player.wait(3, timeout + 5, since=fixed + 0.3)
        assert waited <= timeout, f"media came {waited:.1f} s after the fault's end"
        assert not relay.zombies() and len(relay.children) == 1
    assert not relay.report.get("last_error") or relay.report["last_error"] in CODES, relay.report
    relay.stop()
    intact(relay, already)
    for form in forms(PASSWORD):
        assert all(form not in data for _, data in relay.snapshot.written())


def test_camera_gone_for_ten_seconds(relay, camera):
    def gone():
        camera.stop()
        time.sleep(10)
    heals(relay, gone, camera.start)


def test_camera_silent_but_connected(relay, camera):
    def silent():
        camera.freeze()
        wait_until(lambda: relay.report["restarts"] >= 1, STALL + 4, "restart")
        time.sleep(2)
    heals(relay, silent, camera.thaw)


def test_camera_that_sends_rtcp_only(relay, camera):
    def mute():
        camera.mute()
        wait_until(lambda: relay.report["restarts"] >= 1, STALL + 4, "restart")
        assert relay.report["last_error"] == "camera-stalled"
    heals(relay, mute, camera.unmute)


def test_ffmpeg_stopped(relay):
    def stop():
        pid = relay.ffmpeg
        os.kill(pid, signal.SIGSTOP)
        wait_until(lambda: not os.path.exists(f"/proc/{pid}"), STALL + 3, "end of the stopped ffmpeg")
    heals(relay, stop, lambda: None)


def test_ffmpeg_killed(relay):
    heals(relay, lambda: os.kill(relay.ffmpeg, signal.SIGKILL), lambda: None)
    assert relay.report["restarts"] == 1


def test_a_line_that_is_cut(snapshot, camera):
    with Line(camera.port) as line, Relay(snapshot, camera.as_camera(line.port)) as relay:
        relay.wait_running()

        def cut():
            line.refuses = True
            line.cut()
            time.sleep(3)

        def mend():
            line.refuses = False
        heals(relay, cut, mend)


def test_a_line_that_goes_dead(snapshot, camera):
    """The connection stays and nothing passes it ever again, as behind a router that was restarted."""
    with Line(camera.port) as line, Relay(snapshot, camera.as_camera(line.port)) as relay:
        relay.wait_running()
        heals(relay, line.freeze, lambda: None)
        assert relay.report["restarts"] == 1


def test_disk_full(snapshot, camera, tmp_path):
    with small_disk(tmp_path / "disk", "size=3M") as disk:
        # The state stays in the program's folder, which is on another disk.
        with Relay(snapshot, camera.as_camera(), OUTPUT_DIR=str(disk / "out")) as relay:
            relay.wait_running()
            ballast = disk / "ballast"

            def fill():
                with open(ballast, "wb", buffering=0) as file:
                    end = time.monotonic() + 5
                    while time.monotonic() < end:
                        try:
                            file.write(bytes(4096))
                        except OSError:
                            time.sleep(0.05)
                assert relay.run.alive
            heals(relay, fill, ballast.unlink)


def test_a_disk_that_is_full_beside_a_push(snapshot, camera, tmp_path):
    """What can't be written is told, the push goes on, and once there is room the files do. ffmpeg may die of it, but only once."""
    with small_disk(tmp_path / "disk", "size=3M") as disk, RTSPServer() as central, Relay(
            snapshot, camera.as_camera(), "republish,hls,record", OUTPUT_DIR=str(disk / "out"),
            OUTPUT_RTSP_URL=central.url("live/h264-aac")) as relay:
        relay.wait_running()
        wait_until(lambda: central.events("record"), 10, "push")
        with Player(relay.hls) as player:
            player.wait(2, 10)
            with open(disk / "ballast", "wb", buffering=0) as file:
                def full():
                    with contextlib.suppress(OSError):
                        while file.write(bytes(4096)):
                            pass
                    return relay.report.get("failing") == {"hls": "folder-full", "record": "folder-full"}
                wait_until(full, 15, "word of the full disk")
            wait_until(lambda: relay.report["state"] == "running", RECOVERY, f"video: {relay.report}")
            ffmpeg = relay.ffmpeg
            assert relay.report["restarts"] <= 1
            time.sleep(4)
            assert relay.ffmpeg == ffmpeg and len(central.events("record")) == 1 + relay.report["restarts"]
            assert snapshot.health()["relay"]["failing"]["hls"] == "folder-full"
            (disk / "ballast").unlink()
            player.wait(2, RECOVERY, since=time.monotonic())
            wait_until(lambda: "failing" not in relay.report, RECOVERY, "peace")
        relay.stop()
        said = relay.run.result().stderr
        assert "hls doesn't work: the disk is full; the other outputs go on" in said and "RECORD_MAX_BYTES" in said
        assert "hls works again" in said


def test_a_disk_that_is_full_from_the_first(snapshot, camera, tmp_path):
    with small_disk(tmp_path / "disk", "size=3M") as disk, RTSPServer() as central:
        ballast = disk / "ballast"
        (disk / "out").mkdir()
        with contextlib.suppress(OSError), open(ballast, "wb", buffering=0) as file:
            while file.write(bytes(4096)):
                pass
        with Relay(snapshot, camera.as_camera(), "republish,hls,record", OUTPUT_DIR=str(disk / "out"),
                   OUTPUT_RTSP_URL=central.url("live/h264-aac")) as relay:
            wait_until(lambda: central.events("record"), 20, "push")
            wait_until(lambda: set((relay.report.get("failing") or {}).values()) == {"folder-full"}, 20, "word of it")
            ballast.unlink()
            relay.wait_running(40)
            with Player(relay.hls) as player:
                player.wait(2, 40)


def test_central_server_gone(snapshot, camera):
    """The push comes back by itself; recording and players don't notice."""
    with RTSPServer() as central, Relay(
            snapshot, camera.as_camera(), "republish,hls,record", OUTPUT_RTSP_URL=central.url("live/h264-aac")) as relay:
        relay.wait_running()
        wait_until(lambda: central.events("record"), 10, "push")
        with Player(relay.hls) as player:
            player.wait(2, 10)
            ffmpeg = relay.ffmpeg
            central.stop()
            # First the push is lost, then nobody answers.
            wait_until(lambda: relay.report.get("failing") == {"republish": "push-unreachable"}, 15, f"report: {relay.report}")
            assert relay.report["state"] == "running"
            pushes = len(central.events("record"))
            central.start()
            wait_until(lambda: central.events("record")[pushes:], RECOVERY, "push")
            wait_until(lambda: "failing" not in relay.report, 5, "report of the push")
        no_gap(player)
        assert relay.ffmpeg == ffmpeg and relay.report["restarts"] == 0
        relay.stop()
        whole = [t for p in relay.recordings for t in [len(media.video_times(p))]]
        assert all(n >= 2.5 * 15 for n in whole[1:-1]), whole


def test_a_line_to_the_central_server_that_goes_dead(snapshot, camera):
    """A connection that takes nothing more is given up, which ffmpeg alone would never do."""
    with RTSPServer() as central, Line(central.port) as line, Relay(
            snapshot, camera.as_camera(), "republish,hls", OUTPUT_RTSP_URL=central.url("live/h264-aac", line.port)) as relay:
        relay.wait_running()
        wait_until(lambda: central.events("record"), 10, "push")
        with Player(relay.hls) as player:
            player.wait(2, 10)
            pushes = len(central.events("record"))
            line.freeze()
            # The line buffers some seconds of video; after that the gateway waits ten seconds for the server.
            wait_until(lambda: central.events("record")[pushes:], 30, f"another push: {relay.report}")
        no_gap(player)
        assert relay.report["restarts"] == 0


def test_central_server_frozen(snapshot, camera):
    """It is given up, asked again and again, and gets its push when it wakes; players don't notice."""
    with RTSPServer() as central, Relay(
            snapshot, camera.as_camera(), "republish,hls", OUTPUT_RTSP_URL=central.url("live/h264-aac")) as relay:
        relay.wait_running()
        wait_until(lambda: central.events("record"), 10, "push")
        with Player(relay.hls) as player:
            player.wait(2, 10)
            pushes = len(central.events("record"))
            central.freeze()
            wait_until(lambda: relay.report.get("failing") == {"republish": "push-lost"}, 30, f"trouble: {relay.report}")
            central.thaw()
            wait_until(lambda: central.events("record")[pushes:], RECOVERY, f"another push: {relay.report}")
            wait_until(lambda: "failing" not in relay.report, 5, "report of the push")
        no_gap(player)
        assert relay.report["restarts"] == 0


@pytest.mark.parametrize("right", [True, False])
def test_central_server_with_a_login(snapshot, camera, right):
    with RTSPServer("pusher", "CanaryPush@:/2" if right else "another") as central:
        central.password = "CanaryPush@:/2"
        with Relay(snapshot, camera.as_camera(), "republish,hls", OUTPUT_RTSP_URL=central.url("live/h264-aac")) as relay:
            relay.wait_running()
            if right:
                wait_until(lambda: central.events("record"), 10, "push")
                assert "failing" not in relay.report
            else:
                wait_until(lambda: relay.report.get("failing") == {"republish": "push-refused"}, 10, "refusal")
                asked = len(central.events("client"))
                time.sleep(4)
                assert len(central.events("client")) == asked, "it asks again and again"
                assert "refuses the login" in relay.stderr and "hint: check user and password in OUTPUT_RTSP_URL" in relay.stderr
            with Player(relay.hls) as player:
                player.wait(2, 10)


def test_refused_credentials_are_not_repeated(snapshot, camera):
    with Relay(snapshot, {**camera.as_camera(), "CAMERA_PASSWORD": "CanaryWrong"}, "hls") as relay:
        relay.wait_state("refused", 10)
        asked = len(camera.events("client"))
        assert asked <= 3
        time.sleep(5)
        assert len(camera.events("client")) == asked
        assert relay.report["last_error"] == "camera-credentials"
        assert "refuses the login" in relay.stderr and "CAMERA_PASSWORD" in relay.stderr
        assert "Canary" not in relay.stderr
        relay.stop()


def test_camera_that_is_not_there_yet(snapshot, camera):
    """Started before the camera: it waits, says so once, and begins when the camera does."""
    camera.stop()
    with Relay(snapshot, camera.as_camera(), "hls") as relay:
        relay.wait_state("backing-off", 10)
        time.sleep(4)
        assert relay.stderr.count("it can't be reached") == 1, relay.stderr
        # ffprobe's own message is shown, too, but not the password in its address.
        assert "Connection refused" in relay.stderr and "Canary" not in relay.stderr
        camera.start()
        relay.wait_running(RECOVERY)
        assert "relaying h264 with aac to hls" in relay.stderr


@pytest.fixture
def ingest():
    with Ingest() as server:
        yield server


def no_gap(player):
    gaps = [b - a for a, b in zip(player.arrivals, player.arrivals[1:])]
    assert max(gaps) < 3, gaps


def test_ingest_server_gone(snapshot, camera, ingest, tmp_path):
    """Players don't notice, and what the server gets afterwards begins with a key frame."""
    with Line(ingest.port) as line, Relay(
            snapshot, camera.as_camera(), "pipe,hls", SERVER_URL=f"http://127.0.0.1:{line.port}/in") as relay:
        relay.wait_running()
        wait_until(lambda: ingest.requests, 10, "request")
        with Player(relay.hls) as player:
            player.wait(2, 10)
            line.refuses = True
            line.cut()
            wait_until(lambda: relay.report.get("failing", {}).get("pipe"), 10, "trouble")
            time.sleep(3)
            line.refuses = False
            wait_until(lambda: len(ingest.requests) == 2, RECOVERY, "request")
            wait_until(lambda: "failing" not in relay.report, 5, f"report: {relay.report}")
            time.sleep(2)
        no_gap(player)
        relay.stop()
        assert relay.report["restarts"] == 0
    got = tmp_path / "got.ts"
    got.write_bytes(ingest.requests[-1]["body"])
    media.decode(got)


def test_ingest_server_that_takes_nothing_for_a_while(snapshot, ingest, tmp_path):
    """Memory stays what it was, players don't notice, and what is left out ends at a key frame."""
    with RTSPServer("admin", PASSWORD, bitrate=8000, pattern="snow") as camera, Relay(
            snapshot, camera.as_camera(), "pipe,hls", SERVER_URL=ingest.url, STALL_TIMEOUT="60s") as relay:
        relay.wait_running()
        wait_until(lambda: ingest.requests, 10, "request")
        with Player(relay.hls) as player:
            player.wait(2, 10)
            before = relay.memory
            ingest.stalled.set()
            time.sleep(8)
            stalled = relay.memory
            ingest.stalled.clear()
            time.sleep(4)
            assert max(stalled, relay.memory) - before < 6 * 1024, (before, stalled, relay.memory)
        no_gap(player)
        relay.stop()
        assert relay.report["restarts"] == 0
        request, = ingest.requests
    got = tmp_path / "got.ts"
    got.write_bytes(request["body"])
    times = media.video_times(got)
    assert times[-1] - times[0] > 10, times
    assert max(b - a for a, b in zip(times, times[1:])) > 1, "nothing was left out: the fault had no effect"
    # Where something is missing, counters jump; the pictures themselves are whole.
    media.decode(got, "-fflags", "+discardcorrupt")


def test_ingest_server_frozen(snapshot, camera, ingest, tmp_path):
    """A request that nobody takes for STALL_TIMEOUT is given up for another."""
    with Relay(snapshot, camera.as_camera(), "pipe,hls", SERVER_URL=ingest.url) as relay:
        relay.wait_running()
        wait_until(lambda: ingest.requests, 10, "request")
        with Player(relay.hls) as player:
            player.wait(2, 10)
            ingest.stalled.set()
            wait_until(lambda: relay.report.get("failing") == {"pipe": "pipe-lost"}, 40, f"trouble: {relay.report}")
            ingest.stalled.clear()
            fixed = len(ingest.requests)
            wait_until(lambda: ingest.requests[fixed:] or ingest.requests[-1]["body"], RECOVERY, "request")
            wait_until(lambda: "failing" not in relay.report, 5, f"report: {relay.report}")
        no_gap(player)
        relay.stop()
        assert relay.report["restarts"] == 0
    got = tmp_path / "got.ts"
    got.write_bytes(ingest.requests[-1]["body"])
    media.decode(got)


def test_ingest_server_that_refuses(snapshot, camera, ingest):
    ingest.status = 401
    with Relay(snapshot, camera.as_camera(), "pipe", SERVER_URL=ingest.url) as relay:
        relay.wait_running()
        wait_until(lambda: relay.report.get("failing") == {"pipe": "pipe-refused"}, 10, f"refusal: {relay.report}")
        time.sleep(4)
        assert len(ingest.requests) == 1, "it asks again and again"
        assert "HTTP_AUTH_TOKEN" in relay.stderr


def test_a_pipe_through_a_proxy(snapshot, camera, ingest):
    """The pipe uses HTTP_PROXY of the settings file, with its login, as uploads do; the camera is reached directly."""
    snapshot.dotenv(f"SERVER_URL=http://ingest.invalid/push\nHTTP_PROXY=http://user:s3cretpw@127.0.0.1:{ingest.port}\n")
    with Relay(snapshot, camera.as_camera(), "pipe") as relay:
        relay.wait_running()
        wait_until(lambda: ingest.requests and len(ingest.requests[0]["body"]) > 60_000, 15, f"piped video: {relay.report}")
        assert ingest.requests[0]["path"] == "http://ingest.invalid/push" and "failing" not in relay.report
        assert ingest.requests[0]["headers"]["Proxy-Authorization"].startswith("Basic ") and "s3cretpw" not in relay.stderr

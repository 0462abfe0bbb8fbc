"""The relay when all is well: each output, alone and together, from each kind of camera; and how it begins and ends."""
import json
import os
import shutil
import signal
import socket
import time
from pathlib import Path
from urllib.parse import quote

import pytest

import media
from builds import most_memory
from camera import Camera
from hls import Player, Playlist
from line import Line
from process import wait_until
from relay import AS_UNIT, MOST_MEMORY, Ingest, Relay, begin, descriptors, held
from rtsp import RTSPServer, rtp_times
from canary import forms

pytestmark = pytest.mark.tsan

PASSWORD, PUSH_PASSWORD, TOKEN = "CanaryCam&1 é%/'x", "CanaryPush@:/2", "CanaryToken.3"
KINDS = {  # camera settings, where to push, codecs that come out, source's profile
    "h264-aac": ({}, "h264-aac", {"video": "h264", "audio": "aac"}, "Constrained Baseline"),
    "h264-alaw": ({"STREAM_SOURCE": "sub"}, "h264-aac", {"video": "h264", "audio": "aac"}, "Constrained Baseline"),
    "h265-aac": ({"CAMERA_CHANNEL": 1}, "h265-aac", {"video": "hevc", "audio": "aac"}, "Main"),
}
ALL = "republish,hls,record,pipe"
ADDRESSES = {"h264-aac": "h264Preview_01_main", "h265-aac": "h265Preview_02_main"}
CASES = [(modes, kind, None) for modes in [*ALL.split(","), ALL] for kind in KINDS]
CASES += [(ALL, kind, path) for kind, path in ADDRESSES.items()]


@pytest.fixture(scope="module")
def rtsp():
    with RTSPServer("admin", PASSWORD) as server:
        yield server


@pytest.fixture(scope="module")
def central():
    with RTSPServer("pusher", PUSH_PASSWORD) as server:
        yield server


def no_canary(relay):
    assert any(argv.startswith(b"ffmpeg") for argv in relay.arguments), "the watch saw ffmpeg"
    everything = [*relay.snapshot.written(), *(("arguments", argv) for argv in relay.arguments)]
    for secret in (PASSWORD, PUSH_PASSWORD, TOKEN):
        for form in forms(secret):
            found = [(where, data[-300:]) for where, data in everything if form in data]
            assert not found, f"{form} in {found}"


def check_hls(relay, codecs, profile):
    playlist = Playlist.parse((relay.hls / "stream.m3u8").read_text())
    copy = relay.hls / "whole.m3u8"
    copy.write_text((relay.hls / "stream.m3u8").read_text() + "#EXT-X-ENDLIST\n")
    media.decode(copy)
    assert media.codecs(copy) == codecs and media.profile(copy) == profile
    check_gaps(media.video_times(copy))
    assert all(0 < seconds <= playlist.target + 0.5 for _, seconds, _ in playlist.segments)
    # What Media Source takes, with the codec's name that browsers know.
    assert 'EXT-X-MAP:URI="init-' in copy.read_text()
    assert (b"hvc1" if codecs["video"] == "hevc" else b"avc1") in next(relay.hls.glob("init-*")).read_bytes()
    assert all(name.endswith(".m4s") for name, _, _ in playlist.segments)
    copy.unlink()


def check_gaps(times):
    assert len(times) > 1
    assert all(0 <= b - a <= 1 for a, b in zip(times, times[1:])), times


def check_recordings(relay, codecs, profile):
    paths = relay.recordings
    assert len(paths) >= 2 and not list((relay.record / ".writing").iterdir())
    ends = None
    for path in paths:
        media.decode(path)
        assert media.codecs(path) == codecs and media.profile(path) == profile
        times = media.video_times(path)
        check_gaps(times)
        if ends:
            # Names have whole seconds; the camera's first seconds come at once.
            assert begin(path) - ends <= 2, f"a gap before {path.name}"
        ends = begin(path) + times[-1]
    # 3 seconds each, but for the first and the last; cut at key frames, of which there is one a second.
    for path in paths[1:-1]:
        times = media.video_times(path)
        assert 1.9 <= times[-1] - times[0] <= 4.1, (path, times)


def check_nothing_is_missing(recorded, piped):
    """Recordings and piped stream hold the same pictures; they may end at different ones."""
    both = min(len(recorded), len(piped))
    assert both > 5 * 15 and abs(len(recorded) - len(piped)) < 15, (len(recorded), len(piped))
    assert recorded[:both] == piped[:both]


@pytest.mark.parametrize("modes, kind, path", CASES)
def test_modes(snapshot, rtsp, central, tmp_path, modes, kind, path):
    """`path`: given in CAMERA_URL, with the login, instead of asked for at CAMERA_IP."""
    settings, name, codecs, profile = KINDS[kind]
    camera = {"CAMERA_URL": rtsp.url(path)} if path else {**rtsp.as_camera(), **settings}
    wanted = modes.split(",")
    with Ingest() as ingest:
        relay = Relay(
            snapshot, camera, modes, SERVER_URL=ingest.url, HTTP_AUTH_TOKEN=TOKEN,
            OUTPUT_RTSP_URL=central.url(f"live/{name}"))
        with relay:
            relay.wait_running()
            if "republish" in wanted:
                # The central server can play what it gets.
                assert wait_until(lambda: try_codecs(central.url(f"out/{name}")), 20, "push") == codecs
                media.decode(central.url(f"out/{name}"), "-rtsp_transport", "tcp", "-t", 2, timed=False)
            if "record" in wanted:
                wait_until(lambda: len(relay.recordings) >= 2, 20, "recordings")
            if "hls" in wanted:
                wait_until(lambda: len(list(relay.hls.glob("1*[0-9].*"))) >= 6, 15, "segments")
            if wanted == ["pipe"]:
                wait_until(lambda: ingest.requests and len(ingest.requests[0]["body"]) > 60_000, 15, "piped video")
            assert len(relay.children) == 1 and relay.ffmpeg, "one ffmpeg for all outputs"
            assert relay.report["modes"] == wanted and "failing" not in relay.report, relay.report
            assert relay.memory <= MOST_MEMORY, f"{relay.memory} KiB"
            relay.stop()
        assert relay.report["state"] == "stopped" and relay.report["restarts"] == 0
        if "hls" in wanted:
            check_hls(relay, codecs, profile)
        if "record" in wanted:
            check_recordings(relay, codecs, profile)
        if "pipe" in wanted:
            request, = ingest.requests
            assert request["ended"] and request["path"] == "/ingest/front"
            assert request["headers"]["Authorization"] == f"Bearer {TOKEN}"
            assert request["headers"]["Transfer-Encoding"] == "chunked" and request["headers"]["Content-Type"] == "video/mp2t"
            got = tmp_path / "got.ts"
            got.write_bytes(request["body"])
            media.decode(got)
            assert media.codecs(got) == codecs and media.profile(got) == profile
            check_gaps(media.video_times(got))
            if "record" in wanted:
                check_nothing_is_missing([p for path in relay.recordings for p in media.pictures(path)], media.pictures(got))
        for folder, mode in ((relay.hls, "hls"), (relay.record, "record")):
            assert folder.exists() == (mode in wanted)
    no_canary(relay)


@pytest.mark.parametrize("kind", ["h264-aac", "h265-aac"])
def test_what_is_pushed_keeps_its_time(snapshot, rtsp, central, kind):
    """The times are read from the RTP packets: a server that plays them on writes new ones."""
    settings, name, _, _ = KINDS[kind]
    with Line(central.port, keeps=True) as line, Relay(
            snapshot, rtsp.as_camera(), "republish", OUTPUT_RTSP_URL=central.url(f"live/{name}", line.port), **settings):
        def steps():
            times = max(map(rtp_times, line.sent), key=len, default=[])
            return [(b - a) % (1 << 32) / 90_000 for a, b in zip(times, times[1:])]
        wait_until(lambda: len(steps()) > 60, 30, "pictures", every=0.5)
        assert all(0 < step < 1 for step in steps()), steps()
        assert sum(steps()) / len(steps()) == pytest.approx(1 / 15, rel=0.1)


def try_codecs(url):
    try:
        return media.codecs(url, "-rtsp_transport", "tcp", seconds=10)
    except Exception:  # noqa: BLE001 - not there yet
        return None


def test_a_camera_without_audio_by_its_address(snapshot, rtsp):
    settings = {"CAMERA_URL": rtsp.url("Preview_03_main")}
    with Relay(snapshot, settings, "hls,record") as relay:
        relay.wait_running()
        with Player(relay.hls) as player:
            player.wait(3, 10)
        relay.stop()
    check_hls(relay, {"video": "h264"}, "Constrained Baseline")


def test_audio_can_be_left_out(snapshot, rtsp):
    with Relay(snapshot, rtsp.as_camera(), "record", STREAM_AUDIO="none") as relay:
        relay.wait_running()
        wait_until(lambda: relay.recordings, 10)
        relay.stop()
    assert media.codecs(relay.recordings[0]) == {"video": "h264"}


def test_the_path_that_worked_is_asked_first_next_time(snapshot, tmp_path):
    with RTSPServer("admin", PASSWORD) as camera:
        relay = Relay(snapshot, camera.as_camera(), "hls", CAMERA_CHANNEL=2)
        asked = []
        for _ in range(2):
            already = len(camera.events("describe"))
            with relay:
                relay.wait_running()
            asked.append([e["path"] for e in camera.events("describe")[already:]])
        assert set(asked[0]) >= {"/Preview_03_main"} and set(asked[1]) == {"/Preview_03_main"}, asked
        memory = snapshot.state_folder / "rtsp"
        assert memory.stat().st_mode & 0o777 == 0o600
        assert b"Canary" not in memory.read_bytes()


def test_systemd_is_told(snapshot, rtsp, tmp_path):
    """systemd gets READY=1 once, WATCHDOG=1 only while media flows, and STATUS in words."""
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify, RTSPServer("admin", PASSWORD) as camera:
        notify.bind(path)
        notify.settimeout(0.2)
        said = []

        def listen(until, seconds):
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                try:
                    said.extend((time.monotonic(), line) for line in notify.recv(4096).decode().split("\n"))
                except TimeoutError:
                    pass
                if until and any(until in line for _, line in said):
                    return
            assert not until, f"no {until} in {said}"

        relay = Relay(snapshot, camera.as_camera(), "hls")
        snapshot.environment |= {"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "2000000"}
        with relay:
            listen("STATUS=relaying h264 with aac to hls", 15)
            listen("WATCHDOG=1", 5)
            assert [line for _, line in said].count("READY=1") == 1
            camera.mute()
            # What had come before the silence may still be on its way.
            listen(None, 2)
            quiet = time.monotonic()
            listen(None, STALL_AND_MORE)
            late = [line for at, line in said if at > quiet and line == "WATCHDOG=1"]
            assert not late, said
            # systemd is asked to wait: nothing is wrong with the relay itself.
            assert any(at > quiet and line.startswith("WATCHDOG_USEC=") and int(line[14:]) > 3600e6 for at, line in said), said
            camera.unmute()
            said.clear()
            listen("WATCHDOG_USEC=2000000", 20)
            relay.stop()
            listen("STOPPING=1", 2)


STALL_AND_MORE = 8


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_under_systemd_it_ends_as_it_does_by_hand(snapshot, rtsp, how):
    """The process that systemd watches passes on signals, words and exit codes of the one that relays."""
    snapshot.environment |= AS_UNIT
    with Relay(snapshot, rtsp.as_camera(), "record") as relay:
        relay.wait_running()
        assert "nothing to do" in snapshot.run("relay").expect(0).stderr
        snapshot.run("relay", env={"STATE_PATH": "elsewhere"}).refuses(74, "another relay writes there", "OUTPUT_DIR")
        wait_until(lambda: relay.recordings, 15, "recording")
        os.kill(relay.watched, how)
        relay.run.result(10).expect(0)
        assert relay.report["state"] == "stopped" and not relay.leftovers()
    for path in relay.recordings:
        media.decode(path)


@pytest.mark.parametrize("first, code", [("watching", -signal.SIGKILL), ("relaying", 128 + signal.SIGKILL), ("stopped and watching", -signal.SIGKILL)])
def test_under_systemd_neither_process_outlives_the_other(snapshot, rtsp, first, code):
    snapshot.environment |= AS_UNIT
    with Relay(snapshot, rtsp.as_camera(), "hls,record") as relay:
        relay.wait_running()
        if "stopped" in first:
            os.kill(relay.pid, signal.SIGSTOP)
        os.kill(relay.pid if first == "relaying" else relay.watched, signal.SIGKILL)
        assert relay.run.result(5).code == code
        wait_until(lambda: not relay.leftovers(), 2, "the end of the other, and of ffmpeg")


def test_under_systemd_the_first_thread_of_the_child_holds_no_lock(snapshot, rtsp):
    """After a fork the child's first thread still has its parent's id in Swift's locks: others would wait for its lock for ever."""
    snapshot.environment |= AS_UNIT
    with Relay(snapshot, rtsp.as_camera(), "hls,record") as relay:
        relay.wait_running()
        for _ in range(20):
            time.sleep(0.1)
            # It waits for the thread that relays, and does nothing else.
            assert "futex" in Path(f"/proc/{relay.pid}/task/{relay.pid}/wchan").read_text()
        relay.stop()


def test_the_process_that_systemd_watches_is_small(snapshot, rtsp):
    snapshot.environment |= AS_UNIT
    with Relay(snapshot, rtsp.as_camera(), "hls,record") as relay:
        relay.wait_running()
        assert held(relay.watched, "RssAnon") < most_memory(2 * 1024, debug=6 * 1024) and descriptors(relay.watched) <= 6
        relay.stop()


def test_killed_it_leaves_nothing_running_and_nothing_broken(snapshot, rtsp):
    relay = Relay(snapshot, rtsp.as_camera(), "hls,record")
    with relay:
        relay.wait_running()
        wait_until(lambda: len(relay.recordings) >= 2, 15)
        ffmpeg = relay.ffmpeg
        os.kill(relay.pid, signal.SIGKILL)
        relay.run.result()
        wait_until(lambda: not os.path.exists(f"/proc/{ffmpeg}"), 2, "end of ffmpeg")
    assert not relay.leftovers()
    before = Playlist.parse((relay.hls / "stream.m3u8").read_text())
    whole = {p.name: p.read_bytes() for p in relay.recordings}
    with Player(relay.hls) as player, relay:
        player.wait(before.end - before.sequence + 2, 20)
    assert len(relay.recordings) > len(whole)
    for path in relay.recordings:
        media.decode(path)
    assert {name: (relay.record / name).read_bytes() for name in whole} == whole, "an earlier recording changed"
    after = Playlist.parse((relay.hls / "stream.m3u8").read_text())
    assert after.sequence + len(after.segments) > before.end
    stray = [p.name for p in relay.hls.iterdir() if p.suffix not in (".m4s", ".mp4", ".m3u8") or p.name.startswith(".live")]
    assert not stray, stray


def test_a_terminal_that_is_closed_ends_it_in_peace(snapshot, rtsp):
    with Relay(snapshot, rtsp.as_camera(), "record") as relay:
        relay.wait_running()
        os.kill(relay.watched, signal.SIGHUP)
        relay.run.result(10).expect(0)
        assert relay.report["state"] == "stopped" and not relay.leftovers()
        assert relay.recordings and not list((relay.record / ".writing").iterdir())


def test_two_cannot_work_on_the_same(snapshot, rtsp):
    with Relay(snapshot, rtsp.as_camera(), "hls") as relay:
        relay.wait_running()
        second = snapshot.run("relay").expect(0)
        assert "nothing to do" in second.stderr
        assert relay.report["state"] == "running"
        # Nor may one of another state write into the same folder.
        snapshot.run("relay", env={"STATE_PATH": "elsewhere"}).refuses(74, "another relay writes there", "OUTPUT_DIR")


def test_a_folder_that_looks_like_a_protocol(snapshot, rtsp):
    with Relay(snapshot, rtsp.as_camera(), OUTPUT_DIR="a:b") as relay:
        relay.wait_running()
        wait_until(lambda: relay.recordings and (relay.hls / "stream.m3u8").exists(), 20, "files")


def test_health_shows_it(snapshot, rtsp):
    with Relay(snapshot, rtsp.as_camera(), "hls") as relay:
        relay.wait_running()
        shown = snapshot.health()["relay"]
        assert shown["state"] == "running" and shown["modes"] == ["hls"] and shown["restarts"] == 0


def test_beside_snapshots_of_the_same_camera(snapshot, rtsp):
    """With the same settings and the same state."""
    with Camera(password=PASSWORD) as pictures, Relay(
            snapshot, {**pictures.settings(), "CAMERA_RTSP_PORT": rtsp.port}, "hls") as relay:
        relay.wait_running()
        with Player(relay.hls) as player:
            for count in range(1, 6):
                snapshot.capture().expect(0)
                player.wait(count, 10)
        health = snapshot.health()
        assert health["status"] == "healthy" and health["total_uploads"] == 5 and health["relay"]["state"] == "running"
        assert relay.report["restarts"] == 0 and len(snapshot.stored()) == 5


def test_without_ffmpeg(snapshot, rtsp, tmp_path):
    empty = tmp_path / "bin"
    empty.mkdir()
    snapshot.set(**rtsp.as_camera(), STREAM_MODE="hls")
    result = snapshot.run("relay", env={"PATH": str(empty)}).refuses(69, "ffmpeg", "not installed")
    assert any("install ffmpeg" in hint for hint in result.hints)
    for name in ("ffmpeg",):
        os.symlink(shutil.which(name), empty / name)
    snapshot.run("relay", env={"PATH": str(empty)}).refuses(69, "ffprobe", "not installed")


@pytest.mark.parametrize("settings, words", [
    ({"STREAM_MODE": None}, ("STREAM_MODE", "not set")),
    ({"STREAM_MODE": "hls,film"}, ("STREAM_MODE=", "film", "republish, hls, record or pipe")),
    ({"STREAM_MODE": "republish"}, ("OUTPUT_RTSP_URL", "not set")),
    ({"STREAM_MODE": "republish", "OUTPUT_RTSP_URL": f"http://me:{quote(PUSH_PASSWORD, safe='')}@h/x"}, ("OUTPUT_RTSP_URL", "rtsp://")),
    ({"STREAM_MODE": "pipe"}, ("SERVER_URL", "not set")),
    ({"STALL_TIMEOUT": "1"}, ("STALL_TIMEOUT", "2s")),
    ({"SEGMENT_TIME": "0"}, ("SEGMENT_TIME",)),
    ({"CAMERA_IP": None, "CAMERA_URL": "http://127.0.0.1/x.jpg"}, ("CAMERA_URL", "rtsp://")),
])
def test_settings_that_cannot_be(snapshot, rtsp, settings, words):
    snapshot.set(**{**rtsp.as_camera(), "STREAM_MODE": "hls"}).set(**settings)
    result = snapshot.run("relay").refuses(78, *words)
    assert "Canary" not in result.stderr
    assert not (snapshot.folder / "stream_output").exists()


def test_a_folder_that_cannot_be_written(snapshot, rtsp):
    (snapshot.folder / "stream_output").write_text("a file")
    snapshot.set(**rtsp.as_camera(), STREAM_MODE="hls")
    assert "OUTPUT_DIR" in snapshot.run("relay").refuses(74, "stream_output").hints[0]


def test_the_report_is_json_that_others_may_read(snapshot, rtsp):
    with Relay(snapshot, rtsp.as_camera(), "hls") as relay:
        relay.wait_running()
        path = snapshot.state_folder / "relay.json"
        assert path.stat().st_mode & 0o777 == 0o640
        report = json.loads(path.read_text())
        assert {"state", "modes", "updated", "boot", "restarts", "flowing_since"} <= set(report)
        # Media goes on, and nothing changes: it is written again after a minute.
        with Player(relay.hls) as player:
            player.wait(4, 10)
        assert json.loads(path.read_text()) == report

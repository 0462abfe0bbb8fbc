"""The relay on cameras that aren't as most are: one session only, MJPEG, key frames far apart, another size in mid-stream."""
import pytest

import media
from hls import Player, Playlist
from process import wait_until
from relay import Ingest, Relay
from rtp_camera import Camera, video
from rtsp import RTSPServer

pytestmark = pytest.mark.tsan


@pytest.mark.parametrize("holds", [2, 8])
def test_one_session_at_a_time(snapshot, holds):
    """ffprobe and ffmpeg have their sessions one after the other; the camera may hold ffprobe's for a while after its end."""
    with Camera(holds=holds) as camera, Relay(snapshot, {"CAMERA_URL": camera.url}, "hls") as relay:
        relay.wait_running(30)
        with Player(relay.hls) as player:
            player.wait(2, 15)
        # If the camera holds it for longer than the relay waits, ffprobe doesn't run a second time.
        assert len([r for r in camera.requests if r["method"] == "PLAY"]) == 2
        assert relay.report["restarts"] <= 2


def test_a_session_that_somebody_else_has_is_told(snapshot):
    with Camera(holds=0) as camera, Relay(snapshot, {"CAMERA_URL": camera.url}, "hls") as relay:
        camera.taken = True
        wait_until(lambda: relay.report.get("last_error") == "camera-busy", 20, f"it: {relay.report}")
        wait_until(lambda: "it has no session left" in relay.stderr and "close other viewers" in relay.stderr, 5, "words")
        camera.taken = False
        relay.wait_running()


def test_mjpeg_is_recorded_and_told_where_it_cannot_be_carried(snapshot):
    with RTSPServer() as camera, Ingest() as ingest, \
            Relay(snapshot, {"CAMERA_URL": camera.url("mjpeg")}, "hls,record,pipe", SERVER_URL=ingest.url) as relay:
        relay.wait_running()
        wait_until(lambda: len(relay.recordings) >= 2, 20, "recordings")
        assert relay.report["failing"] == {"hls": "output-codec", "pipe": "output-codec"}
        assert "hls doesn't work: it can't carry what the camera sends; the other outputs go on" in relay.stderr
        assert "relaying mjpeg with pcm_alaw to record" in relay.stderr
        assert not list(relay.hls.iterdir()) and not ingest.requests and relay.report["restarts"] == 0
        relay.stop()
    for path in relay.recordings:
        media.decode(path)
        assert media.codecs(path) == {"video": "mjpeg", "audio": "aac"}


def test_mjpeg_is_republished(snapshot):
    with RTSPServer() as camera, RTSPServer() as central, Relay(
            snapshot, {"CAMERA_URL": camera.url("mjpeg")}, "republish,record", OUTPUT_RTSP_URL=central.url("live/mjpeg-aac")) as relay:
        relay.wait_running()
        wait_until(lambda: "failing" not in relay.report and central.events("record"), 20, f"peace: {relay.report}")
        out = central.url("out/mjpeg-aac")
        assert media.codecs(out, "-rtsp_transport", "tcp") == {"video": "mjpeg", "audio": "aac"}
        assert len(media.pictures(out, "-rtsp_transport", "tcp", "-t", "2")) > 15
        assert "relaying mjpeg with pcm_alaw to republish, record" in relay.stderr and relay.report["restarts"] == 0
        relay.stop()


def test_mjpeg_that_nothing_can_carry(snapshot):
    with RTSPServer() as camera, Relay(snapshot, {"CAMERA_URL": camera.url("mjpeg")}, "hls") as relay:
        wait_until(lambda: relay.report.get("last_error") == "camera-codec", 20, f"it: {relay.report}")
        assert relay.report["failing"] == {"hls": "output-codec"}
        wait_until(lambda: "none carries mjpeg" in relay.stderr, 5, "words")


def test_another_size_in_mid_stream(snapshot):
    """Whatever is written then begins anew, so that each file and each segment has the size that it says."""
    with Camera(live=True) as camera, Relay(snapshot, {"CAMERA_URL": camera.url}, SEGMENT_TIME="1s") as relay:
        relay.wait_running()
        wait_until(lambda: len(relay.recordings) >= 2, 20, "recordings")
        with Player(relay.hls):
            camera.send(video("480x270"))
            wait_until(lambda: relay.report["restarts"] == 1, 20, "a restart")
            already = len(relay.recordings)
            wait_until(lambda: len(relay.recordings) >= already + 2, 20, "recordings")
        assert relay.report["last_error"] == "camera-format" and "size or encoding of its video has changed" in relay.stderr
        assert any(broken for _, _, broken in Playlist.parse((relay.hls / "stream.m3u8").read_text()).segments)
        assert relay.report["restarts"] == 1
        relay.stop()
    for path in relay.recordings:
        media.decode(path)
    assert {media.size(path) for path in relay.recordings} == {(320, 180), (480, 270)}


@pytest.mark.parametrize("audio", [None, "ulaw"])
def test_key_frames_far_apart_and_nothing_said_of_them(snapshot, audio):
    """The camera's SDP lacks the parameter sets, so ffmpeg needs a key frame. With audio it waits only 5 s for one by default, so it is
    restarted with 15 s."""
    with Camera(stream=video(every=10, seconds=20), live=True, audio=audio, sounds=audio) as camera, \
            Relay(snapshot, {"CAMERA_URL": camera.url}) as relay:
        relay.wait_running(50)
        assert relay.report["restarts"] <= (1 if audio else 0)
        camera.cut()
        wait_until(lambda: relay.report["state"] != "running", 10, "its end")
        again = relay.report["restarts"]
        relay.wait_running(40)
        assert relay.report["restarts"] == again
        relay.stop()
    for path in relay.recordings:
        media.decode(path)
    assert relay.recordings

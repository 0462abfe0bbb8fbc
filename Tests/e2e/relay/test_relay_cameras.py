"""The relay on cameras that promise what they don't keep."""
import re
import time
from datetime import datetime

import pytest

import media
from hls import Player, Playlist
from process import wait_until
from relay import RECOVERY, Relay, begin
from rtp_camera import FPS, Camera, video
from rtsp import RTSPServer

pytestmark = pytest.mark.tsan


@pytest.mark.parametrize("audio", ["ulaw", "aac"])
def test_audio_that_is_announced_and_never_comes(snapshot, audio):
    """Video flows all the same, soon after it was sent, and what came before the end is kept."""
    with Camera(audio=audio) as camera, Relay(snapshot, {"CAMERA_URL": camera.url}, STALL_TIMEOUT="20s") as relay:
        # The first attempt waits in vain for audio, and ffprobe and ffmpeg each look for it for up to five seconds.
        relay.wait_running(50)
        with Player(relay.hls) as player:
            player.wait(3, RECOVERY)
        relay.stop()
        ended = time.time()
    for path in relay.recordings:
        media.decode(path)
        assert media.codecs(path)["video"] == "h264"
    last = relay.recordings[-1]
    assert ended - (begin(last) + media.video_times(last)[-1]) < 4, "the last seconds are lost"


def test_a_line_that_stands_still_and_then_brings_all(snapshot, tmp_path):
    """Recordings that begin in the same second are kept, each of them, and no picture is missing between them."""
    with Camera(pace=lambda seconds: seconds if not 4 < seconds < 9 else 9) as camera, \
            Relay(snapshot, {"CAMERA_URL": camera.url}, "record", SEGMENT_TIME="1s", STALL_TIMEOUT="20s") as relay:
        relay.wait_running()
        wait_until(lambda: len(relay.recordings) >= 11, 30, "recordings")
        relay.stop()
    assert any("-" in path.stem for path in relay.recordings), "several began in one second"
    (tmp_path / "sent.h264").write_bytes(video())
    sent = media.pictures(tmp_path / "sent.h264")
    recorded = [picture for path in relay.recordings for picture in media.pictures(path)]
    assert len(recorded) > 10 * FPS and recorded == [sent[number % len(sent)] for number in range(len(recorded))]


@pytest.mark.parametrize("step", [3000, 3700, -100])
def test_a_camera_whose_clock_is_set(snapshot, step):
    """ffmpeg is begun anew: times stay true, recordings as long as they should be, and nobody waits for an hour."""
    with Camera(clock=lambda seconds: seconds if seconds < 12 else seconds + step) as camera, \
            Relay(snapshot, {"CAMERA_URL": camera.url}) as relay:
        relay.wait_running()
        with Player(relay.hls) as player:
            wait_until(lambda: relay.report["restarts"] == 1, 30, "a restart")
            already = len(relay.recordings)
            wait_until(lambda: len(relay.recordings) >= already + 3, 30, "recordings")
            gaps = [b - a for a, b in zip(player.arrivals, player.arrivals[1:])]
            assert max(gaps) < 10, gaps
        playlist = Playlist.parse((relay.hls / "stream.m3u8").read_text())
        assert playlist.target <= 2, playlist
        relay.stop()
        ended = time.time()
    for path in relay.recordings:
        media.decode(path)
    # Neither the playlist's time of day nor the length of recordings follows the camera's clock.
    said = re.findall("DATE-TIME:(.*)", (relay.hls / "stream.m3u8").read_text())
    assert abs(datetime.strptime(said[-1], "%Y-%m-%dT%H:%M:%S.%f%z").timestamp() - ended) < 10, said
    assert all(len(media.video_times(path)) > 2 * FPS for path in relay.recordings[already + 1:already + 3])


@pytest.mark.parametrize("by_address", [True, False])
def test_a_login_without_a_password(snapshot, by_address):
    with RTSPServer("admin", "") as camera:
        settings = {"CAMERA_URL": camera.url("h264Preview_01_main")} if by_address else camera.as_camera()
        with Relay(snapshot, settings, "hls") as relay:
            relay.wait_running(10)

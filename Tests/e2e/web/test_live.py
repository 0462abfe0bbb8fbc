"""The live view of what a real relay writes, in Chromium and in Firefox: it plays, says of which camera and how far behind
it is, and goes on by itself when the camera has been away."""
import pytest

from browser import browser, console_errors, healthy, photograph  # noqa: F401
from firefox import Firefox
from process import wait_until
from program import Snapshot
from relay import Relay
from rtp_camera import Camera, video
from rtsp import RTSPServer
from web import Web

pytestmark = pytest.mark.tsan

PLAYING = """
const video = document.querySelector('video');
const quality = video.getVideoPlaybackQuality();
return [video.currentTime, video.videoWidth, quality.totalVideoFrames, video.buffered.length
    ? video.buffered.end(video.buffered.length - 1) : 0]
"""
TOLD = "return ['h1', '#state', '#delay', '#note'].map(id => document.querySelector(id).textContent)"


@pytest.fixture(scope="module")
def camera():
    with RTSPServer() as server:
        yield server


@pytest.fixture(scope="module")
def relay(camera, tmp_path_factory):
    snapshot = Snapshot(tmp_path_factory.mktemp("relay") / "home")
    with Relay(snapshot, camera.as_camera(), "hls", CAMERA_NAME="yard") as relay:
        wait_until((relay.hls / "stream.m3u8").exists, 20, "stream")
        yield relay
    snapshot.stop()


@pytest.fixture(scope="module")
def firefox():
    with Firefox() as it:
        yield it


def playing(it):
    return it.execute_script(PLAYING)


def shows(it, seconds=15):
    """Waits until two more seconds of video have played and the page says Live."""
    began, _, frames, _ = playing(it)
    wait_until(lambda: playing(it)[0] > began + 2 and playing(it)[2] > frames + 20, seconds, f"pictures: {playing(it)}", 0.2)
    _, state, delay, note = wait_until(lambda: (t := it.execute_script(TOLD))[1] == "Live" and t, 5, "the word Live")
    assert note == "" and delay.endswith(" s behind") and 0 <= int(delay.split()[0]) <= 15, (state, delay, note)


def watch(it, relay, web):
    it.get(web.url + "/live/")
    wait_until(lambda: playing(it)[1] == 320, 20, "a first picture", 0.2)
    shows(it)
    assert it.execute_script(TOLD)[0] == "yard"


@pytest.mark.parametrize("name", ["browser", "firefox"])
def test_the_live_view_plays(request, name, relay, tmp_path):
    it = request.getfixturevalue(name)
    healthy(tmp_path / "state")
    with Web(tmp_path / "state", tmp_path, WEB_IMAGES="true", OUTPUT_DIR=str(relay.output)) as web:
        watch(it, relay, web)
        if name == "browser":
            photograph(it, "live-relay-desktop-light")
            assert console_errors(it) == []
        # After a pause it plays on with what is live.
        it.execute_script("document.querySelector('video').pause(); return 0")
        wait_until(lambda: it.execute_script(TOLD)[1] == "Paused", 5, "the word Paused")
        it.execute_script("document.querySelector('video').play(); return 0")
        shows(it)
        it.get("about:blank")


@pytest.mark.parametrize("name", ["browser", "firefox"])
def test_it_goes_on_when_the_camera_comes_back(request, name, relay, camera, tmp_path):
    """ffmpeg's times begin anew, and so does its initialisation."""
    it = request.getfixturevalue(name)
    healthy(tmp_path / "state")
    with Web(tmp_path / "state", tmp_path, WEB_IMAGES="true", OUTPUT_DIR=str(relay.output)) as web:
        watch(it, relay, web)
        camera.stop()
        wait_until(lambda: it.execute_script(TOLD)[1] == "No picture", 20, "the word for it", 0.2)
        assert "tried again" in it.execute_script(TOLD)[3]
        camera.start()
        already = playing(it)[3]
        wait_until(lambda: playing(it)[3] > already + 1, 30, "new media", 0.2)
        shows(it)
        it.get("about:blank")


@pytest.mark.parametrize("name", ["browser", "firefox"])
def test_it_goes_on_when_the_picture_gets_another_size(request, name, snapshot, tmp_path):
    it = request.getfixturevalue(name)
    healthy(tmp_path / "state")
    with Camera(live=True) as camera, Relay(snapshot, {"CAMERA_URL": camera.url}, "hls") as relay, \
            Web(tmp_path / "state", tmp_path, WEB_IMAGES="true", OUTPUT_DIR=str(relay.output)) as web:
        wait_until((relay.hls / "stream.m3u8").exists, 20, "stream")
        it.get(web.url + "/live/")
        wait_until(lambda: playing(it)[1] == 320, 20, "a first picture", 0.2)
        camera.send(video("1280x720"))
        wait_until(lambda: playing(it)[1] == 1280, 30, "the other size", 0.2)
        shows(it)
        it.get("about:blank")

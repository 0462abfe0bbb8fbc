"""Stills from cameras whose video comes over UDP alone, that have one session, or whose key frames are far apart."""
import pytest

from rtp_camera import Camera, video
from rtsp import RTSPServer

pytestmark = pytest.mark.asan


@pytest.fixture(scope="module")
def camera():
    with RTSPServer("admin", "pass word", udp=True) as server:
        yield server


@pytest.mark.parametrize("transport", ["auto", "udp"])
@pytest.mark.parametrize("path", ["h264Preview_01_main", "h265Preview_02_main", "Preview_03_main"])
def test_a_still(snapshot, camera, transport, path):
    snapshot.set(CAMERA_URL=camera.url(path), CAMERA_RTSP_TRANSPORT=transport).run("capture").expect(0)
    picture, = snapshot.stored().values()
    assert picture.startswith(b"\xff\xd8")


def test_tcp_alone(snapshot, camera):
    snapshot.set(CAMERA_URL=camera.url("h264Preview_01_main"), CAMERA_RTSP_TRANSPORT="tcp")
    snapshot.run("capture").refuses(69, "it doesn't send over TCP", "CAMERA_RTSP_TRANSPORT=auto")


def test_datagrams_that_never_come(snapshot):
    with Camera(udp=True, line=lambda packets: []) as camera:
        snapshot.set(CAMERA_URL=camera.url, CAMERA_TIMEOUT="12s")
        snapshot.run("capture").refuses(69, "none of its packets arrive", "firewall")


def test_not_beside_tls(snapshot):
    snapshot.set(CAMERA_URL="rtsps://127.0.0.1/x", CAMERA_RTSP_TRANSPORT="udp")
    snapshot.run("capture").refuses(78, "CAMERA_RTSP_TRANSPORT", "rtsps://")


def test_a_session_that_somebody_else_has(snapshot):
    with Camera(holds=1) as camera:
        snapshot.set(CAMERA_URL=camera.url)
        camera._free = float("inf")
        snapshot.run("capture").refuses(69, "it has no session left", "close other viewers")
        camera._free = 0
        # One after the other: the last one's session is still held when the next one asks.
        for _ in range(2):
            snapshot.run("capture").expect(0)
        assert len(snapshot.stored()) == 2


def test_a_key_frame_is_waited_for(snapshot):
    with Camera(stream=video(every=6, seconds=12), live=True) as camera:
        snapshot.set(CAMERA_URL=camera.url).run("capture").expect(0)


class Microphone(Camera):
    def _answer(self, method, head):
        return super()._answer(method, head).replace(b"m=video", b"m=audio").replace(b"H264/90000", b"PCMU/08000")


def test_a_stream_without_video(snapshot):
    with Microphone() as camera:
        snapshot.set(CAMERA_URL=camera.url).run("capture").refuses(69, "it has no video")

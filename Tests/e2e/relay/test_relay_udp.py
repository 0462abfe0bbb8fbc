"""Cameras that send over UDP: what CAMERA_RTSP_TRANSPORT makes of them, and of those that send over TCP."""
import socket

import pytest

import media
from process import wait_until
from relay import RECOVERY, Relay
from rtp_camera import FPS, Camera, video
from rtsp import RTSPServer

pytestmark = pytest.mark.tsan


@pytest.mark.parametrize("channel, transport", [(0, None), (1, "udp")], ids=["h264", "h265"])
def test_a_camera_that_sends_over_udp_alone(snapshot, transport, channel):
    """A real server, with a login, sound beside the video, and RTCP."""
    wanted = {"CAMERA_RTSP_TRANSPORT": transport} if transport else {}
    with RTSPServer("admin", "pässword", udp=True) as camera, \
            Relay(snapshot, camera.as_camera(), CAMERA_CHANNEL=channel, SEGMENT_TIME="1s", **wanted) as relay:
        relay.wait_running()
        wait_until(lambda: len(relay.recordings) >= 4, 30, "recordings")
        assert relay.report["restarts"] == 0
        relay.stop()
    for path in relay.recordings:
        media.decode(path)
        assert media.codecs(path)["audio"] == "aac"


def test_tcp_alone_is_told(snapshot):
    with RTSPServer(udp=True) as camera, Relay(snapshot, camera.as_camera(), CAMERA_RTSP_TRANSPORT="tcp") as relay:
        wait_until(lambda: relay.report.get("last_error") == "camera-transport", 20, f"it: {relay.report}")
        wait_until(lambda: "it doesn't send over TCP" in relay.stderr, 5, "words")
        assert "CAMERA_RTSP_TRANSPORT=auto" in relay.stderr


def test_udp_by_choice_from_a_camera_that_has_both(snapshot):
    with RTSPServer() as camera, Relay(snapshot, camera.as_camera(), "hls", CAMERA_RTSP_TRANSPORT="udp") as relay:
        relay.wait_running()
        held = [line.split() for line in open(f"/proc/{relay.pid}/net/udp")]
        assert any(field[1].startswith("0100007F:") for field in held[1:]), "no port for datagrams"
        # It begins again by itself, on other ports.
        camera.stop()
        relay.wait_state("backing-off")
        camera.start()
        relay.wait_running(RECOVERY)


def disorder(packets, memory=[]):
    """Neighbours change places, each third packet comes twice, and the oldest of the last 40 comes once more."""
    memory[:] = (memory + packets)[-40:]
    mixed = [p for i in range(0, len(packets), 2) for p in reversed(packets[i:i + 2])]
    return [q for i, p in enumerate(mixed) for q in ([p, p] if i % 3 == 0 else [p])] + memory[:1]


def test_what_comes_in_disorder_is_put_in_order(snapshot, tmp_path):
    """Each picture is there, once, to the byte."""
    with Camera(udp=True, line=disorder) as camera, Relay(snapshot, {"CAMERA_URL": camera.url}, "record", SEGMENT_TIME="1s") as relay:
        relay.wait_running()
        wait_until(lambda: len(relay.recordings) >= 4, 30, "recordings")
        relay.stop()
    (tmp_path / "sent.h264").write_bytes(video())
    sent = media.pictures(tmp_path / "sent.h264")
    recorded = [picture for path in relay.recordings for picture in media.pictures(path)]
    assert len(recorded) > 3 * FPS
    first = sent.index(recorded[0])
    assert recorded == [sent[(first + number) % len(sent)] for number in range(len(recorded))]


def test_lost_packets_end_nothing(snapshot):
    lost = iter(range(1 << 30))
    with Camera(udp=True, line=lambda packets: [p for p in packets if next(lost) % 50 != 7]) as camera, \
            Relay(snapshot, {"CAMERA_URL": camera.url}, SEGMENT_TIME="1s") as relay:
        relay.wait_running()
        wait_until(lambda: len(relay.recordings) >= 4, 30, "recordings")
        assert relay.report["restarts"] == 0


def test_nobody_else_is_heard(snapshot):
    """Datagrams from another address, and such as are no RTP, change nothing."""
    stranger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    stranger.bind(("127.0.0.2", 0))

    def line(packets):
        port = camera._ports[0]
        for packet in packets:
            # The same numbers with another content, and sooner.
            stranger.sendto(packet[:12] + bytes(len(packet) - 12), ("127.0.0.1", port))
            stranger.sendto(packet[:12] + bytes(65_000), ("127.0.0.1", port))
        return [b"", b"\0", bytes(60_000), *packets]
    with Camera(udp=True, line=line) as camera, Relay(snapshot, {"CAMERA_URL": camera.url}, "record", SEGMENT_TIME="1s") as relay:
        relay.wait_running()
        wait_until(lambda: len(relay.recordings) >= 2, 30, "recordings")
        relay.stop()
    for path in relay.recordings:
        media.decode(path)


def test_datagrams_that_never_come_are_told(snapshot):
    with Camera(udp=True, line=lambda packets: []) as camera, Relay(snapshot, {"CAMERA_URL": camera.url}, STALL_TIMEOUT="20s") as relay:
        wait_until(lambda: relay.report.get("last_error") == "camera-transport", 20, f"it: {relay.report}")
        wait_until(lambda: "none of its packets arrive" in relay.stderr, 5, "words")

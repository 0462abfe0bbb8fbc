"""The relay when ffmpeg, or the camera that it asks, doesn't do as it is told."""
import contextlib
import os
import signal
import socket
import time
from pathlib import Path
from urllib.parse import quote

import pytest

from process import free_port, wait_until
from relay import MOST_MEMORY, Relay, instead_of_ffmpeg
from rtsp import RTSPServer
from canary import forms

pytestmark = pytest.mark.tsan

PASSWORD = "CanaryCam&1é%/'x"
AT_ONCE = 2


@pytest.fixture(scope="module")
def camera():
    with RTSPServer("admin", PASSWORD) as server:
        yield server


def test_an_ffmpeg_that_will_not_end(snapshot, camera, tmp_path):
    """It is killed in time, and what it has started with it."""
    instead_of_ffmpeg(snapshot, tmp_path / "bin", "trap '' TERM\n$ffmpeg \"$@\"\nsleep 600")
    with Relay(snapshot, camera.as_camera(), "hls,record") as relay:
        relay.wait_running()
        began = time.monotonic()
        relay.stop()
        assert time.monotonic() - began > 3, "it ended by itself"
    assert relay.report["state"] == "stopped" and relay.report["restarts"] == 0
    assert relay.recordings and not list((relay.record / ".writing").iterdir())


def test_an_ffmpeg_that_never_stops_talking(snapshot, camera, tmp_path):
    """Megabytes, with the password in each line: nothing waits for it, little is kept, and no secret."""
    def line(words):
        return f"rtsp://admin:{quote(PASSWORD, safe='')}@127.0.0.1/x {PASSWORD} {words} {PASSWORD} {quote(PASSWORD, safe='')}\n"
    flood = tmp_path / "flood"
    flood.write_text("".join(line("y" * (number * 7 % 1500)) for number in range(12_000)) + line("the last of many"))
    assert flood.stat().st_size > 8 << 20
    instead_of_ffmpeg(snapshot, tmp_path / "bin", f"cat {flood} >&2\nexec $ffmpeg \"$@\"")
    with Relay(snapshot, camera.as_camera(), "hls") as relay:
        relay.wait_running()
        os.kill(relay.ffmpeg, signal.SIGKILL)
        wait_until(lambda: "the last of many" in relay.stderr, 10, f"ffmpeg's last words: {relay.stderr}")
        assert "ffmpeg was killed" in relay.stderr and len(relay.stderr) < 4096, relay.stderr
        wait_until(lambda: relay.report["restarts"] == 1 and relay.report["state"] == "running", 20, "media")
        assert relay.memory <= MOST_MEMORY, f"{relay.memory} KiB"
        relay.stop()
    everything = [*snapshot.written(), *(("arguments", argv) for argv in relay.arguments)]
    for form in forms(PASSWORD):
        found = [(where, data[-300:]) for where, data in everything if form in data]
        assert not found, f"{form} in {found}"


def test_stopped_while_the_camera_is_asked(snapshot):
    """The camera accepts the connection and doesn't answer: the relay ends without waiting for it."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(10)
        with Relay(snapshot, {"CAMERA_IP": "127.0.0.1", "CAMERA_RTSP_PORT": silent.getsockname()[1]}, "hls") as relay:
            connection, _ = silent.accept()
            with connection:
                assert connection.recv(4096) and relay.report["state"] == "starting"
                relay.stop(AT_ONCE)
    assert relay.report["state"] == "stopped"


def test_stopped_while_it_waits_for_the_next_try(snapshot):
    with Relay(snapshot, {"CAMERA_URL": f"rtsp://127.0.0.1:{free_port()}/live?token=CanaryQuery"}, "hls") as relay:
        # The waits grow; the third is longer than a stop may take.
        wait_until(lambda: relay.report.get("restarts", 0) >= 3 and relay.report["state"] == "backing-off", 20, "wait")
        relay.stop(AT_ONCE)
    assert relay.report["state"] == "stopped" and relay.report["last_error"] == "camera-unreachable"
    assert "Connection refused" in relay.stderr and "Canary" not in relay.stderr, relay.stderr


def test_an_ffprobe_that_cannot_be_started_is_told_and_tried_again(snapshot, camera, tmp_path):
    """The failure is reported although the relay is already waiting, because ffmpeg was killed."""
    instead_of_ffmpeg(snapshot, tmp_path / "bin", 'exec $ffmpeg "$@"')
    with Relay(snapshot, camera.as_camera(), "hls") as relay:
        relay.wait_running()
        broken = tmp_path / "bin/ffprobe"
        broken.write_bytes(b"\x7fELF")
        broken.chmod(0o755)
        os.kill(relay.ffmpeg, signal.SIGKILL)
        wait_until(lambda: relay.report.get("last_error") == "start-ffprobe", 20, f"{relay.report}")
        wait_until(lambda: "start-ffprobe" in relay.stderr, 5, f"word of it: {relay.stderr}")
        broken.unlink()
        wait_until(lambda: relay.report["state"] == "running", 30, f"media: {relay.report}")
        relay.stop()


def files_of(thread):
    files = []
    with contextlib.suppress(FileNotFoundError):
        for file in (thread / "fd").iterdir():
            files.append(os.readlink(file))
    return files


@pytest.mark.preloads
@pytest.mark.parametrize("error", ["ENOSYS", "EPERM"])
def test_without_close_range_it_relays_all_the_same(snapshot, camera, tmp_path, error):
    """Old kernels lack close_range and some containers forbid it: the relay then has no starter, a thread that starts programs."""
    relay = Relay(snapshot, camera.as_camera(), "hls,record")
    fault = ("-e", "trace=close_range", "-e", f"inject=close_range:error={error}")
    relay.prefix = ("strace", "-D", "-f", "-qq", "-o", tmp_path / "trace", *fault)
    with relay:
        relay.wait_running()
        wait_until(lambda: relay.recordings, 20, "a recording")
        # A thread that ends has no files any more.
        opened = list(filter(None, map(files_of, Path(f"/proc/{relay.pid}/task").iterdir())))
        holding = [any(path.endswith("lock") for path in paths) for paths in opened]
        assert len(holding) > 1 and all(holding), opened
        relay.stop()
    assert f"{error} (" in (tmp_path / "trace").read_text()

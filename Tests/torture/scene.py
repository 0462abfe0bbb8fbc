"""What happens to the relay in its soak: a camera and two servers, each behind a line, a disk for recordings, and their faults."""
import contextlib
import os
import random
import signal
import subprocess
import time

import media
from disk import HangingFolder, loop_disk
from parts import need
from process import wait_until
from relay import STALL
from rtp_camera import Camera, video

HEALS = STALL + 5 + 20
"""The most seconds from a fault's end to video, even if faults follow each other at once; twenty of them are for a busy machine.
The real time is among the figures."""
FAR = 10
"""Seconds between the key frames of a camera that sends few."""
SIZES = ("320x180", "480x270")


class Scene:
    def __init__(self, camera, central, ingest, lines, net, odd):
        self.camera, self.central, self.ingest, self.lines, self.net = camera, central, ingest, lines, net
        self.single, self.sparse, self.turning = odd
        self.relay = self.player = None
        self.heals = {}

    def faults(self):
        camera_line, central_line, ingest_line = self.lines
        return {
            "camera gone": lambda: self.down_and_up(self.camera.stop, self.camera.start),
            "camera back over UDP alone": lambda: self.changed(udp=True),
            "camera back over TCP, too": lambda: self.changed(udp=False),
            "camera back with another size": lambda: self.changed(size=random.choice(SIZES)),
            "camera frozen": lambda: self.down_and_up(self.camera.freeze, self.camera.thaw),
            "camera muted": lambda: self.down_and_up(self.camera.mute, self.camera.unmute),
            "camera of one session": self.one_session,
            "camera with few key frames": self.few_key_frames,
            "camera changes its size": self.another_size,
            "camera's line cut": camera_line.cut,
            "camera's line dead": camera_line.freeze,
            "ffmpeg stopped": lambda: self.signal(signal.SIGSTOP),
            "ffmpeg killed": lambda: self.signal(signal.SIGKILL),
            "ffmpeg told to end": lambda: self.signal(signal.SIGTERM),
            "central gone": lambda: self.down_and_up(self.central.stop, self.central.start),
            "central's line dead": central_line.freeze,
            "central's line cut": central_line.cut,
            "ingest's line cut": ingest_line.cut,
            "ingest stalled": lambda: self.down_and_up(self.ingest.stalled.set, self.ingest.stalled.clear),
            "disk full": lambda: self.without_disk(self.fill, self.empty, "folder-full", "the disk is full"),
            "disk hangs": lambda: self.without_disk(self.net.hang, self.net.answer, "folder-hangs", "its folder hangs"),
            "disk pulled": lambda: self.without_disk(self.pull, self.mount, "folder-away", "no disk is mounted at"),
        }

    def healed(self, name, seconds=HEALS):
        """Waits until video flows again, and keeps how long that took."""
        took = self.player.wait(2, seconds, since=time.monotonic() + 0.3)
        self.heals.setdefault(name, []).append(took)
        return took

    # Cameras

    @contextlib.contextmanager
    def instead(self, camera):
        """Another camera at the same address."""
        line, before = self.lines[0], self.relay.report["restarts"]
        line.target = camera.port
        line.cut()
        try:
            wait_until(lambda: self.relay.report["restarts"] > before, HEALS, "word of the cut line")
            yield
        finally:
            line.target = self.camera.port
            line.cut()

    def one_session(self):
        """Its only session is somebody else's, and then free."""
        self.single.taken = True
        with self.instead(self.single):
            wait_until(lambda: self.idle("camera-busy"), HEALS, f"word of it: {self.relay.report}")
            self.told("it has no session left", "camera-busy", ("hls", "record", "republish", "pipe"))
            self.single.taken = False
            self.healed("camera's one session free")

    def few_key_frames(self):
        """Rare key frames, and no parameter sets in the SDP, are no fault: video only starts later."""
        with self.instead(self.sparse):
            wait_until(self.running, HEALS + 2 * FAR, f"video: {self.relay.report}")
            before = self.relay.report["restarts"]
            self.player.wait(3, HEALS + 3 * FAR, since=time.monotonic())
            assert self.relay.report["restarts"] == before

    def another_size(self):
        """The camera changes its size in mid-stream: a later recording has the new size."""
        size = next(s for s in SIZES if s != self.turning.size)
        with self.instead(self.turning):
            self.player.wait(2, HEALS, since=time.monotonic() + 0.3)
            wait_until(self.running, HEALS, f"video: {self.relay.report}")
            restarts, known = self.relay.report["restarts"], set(self.relay.recordings)
            self.turning.turn(size)
            wait_until(lambda: self.relay.report.get("last_error") == "camera-format", HEALS, f"word of it: {self.relay.report}")
            self.told("the size or encoding of its video has changed", "camera-format")
            assert self.relay.report["restarts"] > restarts
            self.healed("camera with another size")

            def recorded():
                return any("x".join(map(str, media.size(path))) == size for path in self.relay.recordings if path not in known)
            wait_until(recorded, HEALS, f"a recording of that size: {self.relay.report}")

    def changed(self, **options):
        self.camera.change(**options)
        self.down_and_up(self.camera.stop, self.camera.start)

    def down_and_up(self, down, up):
        down()
        time.sleep(random.choice((1, 3, STALL + 2)))
        up()

    # Disks

    def without_disk(self, down, up, code, words):
        """Takes the disk away and brings it back: the trouble is reported, and then recording works again."""
        down()
        wait_until(lambda: self.failing == code, STALL + 20, f"word of {code}: {self.relay.report}")
        self.told(f"record doesn't work: {words}", code, ("record",))
        time.sleep(random.choice((1, 3, STALL + 2)))
        up()
        wait_until(lambda: self.failing is None, HEALS, f"recording: {self.relay.report}")

    def mounted_late(self):
        """As at a start whose disk takes longer than the relay."""
        wait_until(lambda: self.failing == "folder-away", HEALS, f"word of it: {self.relay.report}")
        wait_until(self.running, HEALS, f"video: {self.relay.report}")
        self.told("record doesn't work: no disk is mounted at", "folder-away", ("record",))
        assert not self.relay.recordings
        self.mount()
        known = set(self.relay.recordings)
        wait_until(lambda: self.failing is None, HEALS, f"recording: {self.relay.report}")
        wait_until(lambda: set(self.relay.recordings) - known, HEALS, "another recording")

    def fill(self):
        """Fills the disk until the relay reports it, since deleted recordings make room meanwhile."""
        def told():
            with contextlib.suppress(OSError), open(self.net.behind / "ballast", "ab", buffering=0) as file:
                while file.write(bytes(1 << 12)):
                    pass
            return self.failing
        wait_until(told, STALL + 20, f"word of the full disk: {self.relay.report}")

    def empty(self):
        (self.net.behind / "ballast").unlink()

    def mount(self):
        subprocess.run(["mount", "--bind", str(self.net.path / "record"), str(self.relay.record)], check=True)

    def pull(self):
        subprocess.run(["umount", "-l", str(self.relay.record)], check=True)

    def clear(self):
        if os.path.ismount(self.relay.record):
            self.pull()

    # What is told

    @property
    def failing(self):
        return self.relay.report.get("failing", {}).get("record")

    def running(self):
        return self.relay.report.get("state") == "running"

    def idle(self, code):
        report = self.relay.report
        return report.get("last_error") == code and report["state"] != "running"

    def told(self, words, code, down=()):
        """Asserts that the trouble is in the log and in health, and in metrics for the outputs in `down`, which get nothing."""
        relay, snapshot = self.relay, self.relay.snapshot
        # What comes again within an hour is in the log once.
        wait_until(lambda: words in relay.stderr, 5, f"words: {relay.stderr[-2000:]}")
        health = snapshot.health()
        assert code in (health["relay"].get("last_error"), *health["relay"].get("failing", {}).values()), health
        metrics = snapshot.run("health", "--prometheus").stdout
        for output in down:
            assert f'relay_output_up{{camera="camera",output="{output}"}} 0' in metrics, metrics
        if down:
            assert health["status"] != "healthy" and health["reasons"][0].startswith("relay_"), health

    def signal(self, number):
        if pid := self.relay.ffmpeg:
            os.kill(pid, number)


class Turning(Camera):
    """Its size changes while it is watched."""

    size = SIZES[0]

    def turn(self, size):
        self.size = size
        self.send(video(size))


@contextlib.contextmanager
def odd_cameras(line, password):
    """One with a single session, one whose key frames are far apart, and one that changes its size; none says in its description
    what its video is."""
    shared = {"base": f"rtsp://127.0.0.1:{line.port}/live/", "challenges": ('Digest realm="odd", nonce="NONCE"',), "password": password,
              "audio": "ulaw", "sounds": True, "live": True}
    with Camera(**shared, stream=video(), holds=2) as single, Camera(**shared, stream=video(every=FAR, seconds=2 * FAR)) as sparse, \
            Turning(**shared, stream=video(SIZES[0])) as turning:
        yield single, sparse, turning


@contextlib.contextmanager
def recordings(folder):
    """A folder for recordings that can hang, on a disk that can be filled."""
    need("fuse")
    with HangingFolder(folder) as net, loop_disk(folder / "image", net.behind, megabytes=64):
        (net.behind / "record").mkdir()
        yield net

"""The relay under faults drawn at random, one after the other, all outputs at once: it heals from each, players' rules
hold throughout, what is recorded can be played, and memory, descriptors and processes stay what they were."""
import contextlib
import os
import random
import signal
import statistics
import subprocess
import time

import pytest

import media
from disk import HangingFolder, loop_disk
from hls import Player
from line import Line
from parts import need
from process import wait_until
from program import Snapshot
from relay import MOST_MEMORY, STALL, Ingest, Relay
from rtsp import RTSPServer

PASSWORD = "CanaryPassword"
HEALS = STALL + 5 + 20
"""Seconds after a fault's end, however soon one follows the other; twenty of them for a machine that is busy elsewhere. What
it really took is among the figures."""
PEACE = HEALS + 60
"""Until servers that fell silent, or refused, are tried again."""


RESTS = (0, 0, 0, 10, 30, 60, 120, 320)
"""Seconds between faults in the long form."""


class Scene:
    """A camera, a central server and an ingest server, each behind a line, a disk for recordings, and what can happen to them."""

    def __init__(self, camera, central, ingest, lines, net):
        self.camera, self.central, self.ingest, self.lines, self.net = camera, central, ingest, lines, net
        self.relay = None

    def faults(self):
        camera_line, central_line, ingest_line = self.lines
        return {
            "camera gone": lambda: self.down_and_up(self.camera.stop, self.camera.start),
            "camera back over UDP alone": lambda: self.changed(udp=True),
            "camera back over TCP, too": lambda: self.changed(udp=False),
            "camera back with another size": lambda: self.changed(size=random.choice(("320x180", "480x270"))),
            "camera frozen": lambda: self.down_and_up(self.camera.freeze, self.camera.thaw),
            "camera muted": lambda: self.down_and_up(self.camera.mute, self.camera.unmute),
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
            "disk full": lambda: self.without_disk(self.fill, self.empty, "folder-full"),
            "disk hangs": lambda: self.without_disk(self.net.hang, self.net.answer, "folder-hangs"),
            "disk pulled": lambda: self.without_disk(self.pull, self.mount, "folder-away"),
        }

    def without_disk(self, down, up, code):
        """It is told, HLS goes on elsewhere, and recording does in the end."""
        def trouble():
            return self.relay.report.get("failing", {}).get("record")
        down()
        wait_until(lambda: trouble() == code, STALL + 20, f"word of {code}: {self.relay.report}")
        time.sleep(random.choice((1, 3, STALL + 2)))
        up()
        wait_until(lambda: trouble() is None, HEALS, f"recording: {self.relay.report}")

    def fill(self):
        """Until it is told: what is deleted meanwhile makes room."""
        def told():
            with contextlib.suppress(OSError), open(self.net.behind / "ballast", "ab", buffering=0) as file:
                while file.write(bytes(1 << 12)):
                    pass
            return "record" in self.relay.report.get("failing", {})
        wait_until(told, STALL + 20, f"word of the full disk: {self.relay.report}")

    def empty(self):
        (self.net.behind / "ballast").unlink()

    def mount(self):
        subprocess.run(["mount", "--bind", str(self.net.path / "record"), str(self.relay.record)], check=True)

    def pull(self):
        subprocess.run(["umount", "-l", str(self.relay.record)], check=True)

    def down_and_up(self, down, up):
        down()
        time.sleep(random.choice((1, 3, STALL + 2)))
        up()

    def changed(self, **options):
        self.camera.change(**options)
        self.down_and_up(self.camera.stop, self.camera.start)

    def signal(self, number):
        if pid := self.relay.ffmpeg:
            os.kill(pid, number)


@contextlib.contextmanager
def recordings(folder):
    """A folder for recordings that can hang, on a disk that can be filled."""
    need("fuse")
    with HangingFolder(folder) as net, loop_disk(folder / "image", net.behind, megabytes=64):
        (net.behind / "record").mkdir()
        yield net


@pytest.mark.timeout(9000)
def test_relay_soak(tmp_path, long, figure):
    duration = float(os.environ.get("RELAY_SOAK_SECONDS", 7200 if long else 60))
    draw = random.Random(20260121)
    random.seed(20260121)
    with RTSPServer("admin", PASSWORD) as camera, RTSPServer() as central, Ingest() as ingest, \
            Line(camera.port) as a, Line(central.port) as b, Line(ingest.port) as c, recordings(tmp_path) as net, contextlib.ExitStack() as last:
        scene = Scene(camera, central, ingest, (a, b, c), net)
        relay = scene.relay = Relay(
            Snapshot(tmp_path / "home"), camera.as_camera(a.port), "republish,hls,record,pipe", SERVER_URL=f"http://127.0.0.1:{c.port}/in",
            OUTPUT_RTSP_URL=central.url("live/h264-aac", b.port), RECORD_MAX_BYTES="30M")
        faults = scene.faults()
        relay.record.mkdir(parents=True)
        scene.mount()
        last.callback(scene.pull)
        # Whatever it starts lives for longer than this.
        relay.watches = 0.05
        deck, heals, samples, played = [], {}, [], set()
        with relay:
            relay.wait_running()
            end = time.monotonic() + duration
            with Player(relay.hls) as player:
                player.wait(2, 20)
                while time.monotonic() < end:
                    deck = deck or draw.sample(sorted(faults), len(faults))
                    name = deck.pop()
                    # Shown where it fails.
                    print(time.strftime("%X"), name, flush=True)
                    faults[name]()
                    fixed = time.monotonic()
                    heals.setdefault(name, []).append(player.wait(2, HEALS, since=fixed + 0.3))
                    wait_until(lambda: len(relay.children) == 1, HEALS, "one ffmpeg")
                    assert not relay.zombies()
                    samples.append((relay.memory, relay.descriptors))
                    for request in ingest.requests:
                        # What was taken isn't needed any more.
                        del request["body"][:]
                    for path in relay.recordings[:-1]:
                        if path not in played and path.exists():
                            played.add(path)
                            assert media.video_times(path), path
                    # What is well for a while goes wrong in another way, and after five good minutes waits are short again.
                    time.sleep(draw.choice(RESTS) if long else 0)
                # Once all is well, everything flows.
                wait_until(lambda: relay.report["state"] == "running" and "failing" not in relay.report, PEACE,
                           f"peace: {relay.report}")
            peak = relay.peak
            assert relay.memory <= MOST_MEMORY, relay.memory
            relay.stop()
        for path in relay.recordings:
            media.decode(path)
        size = sum(p.stat().st_size for p in relay.recordings)
        assert size <= 30 << 20
        late = samples[len(samples) // 4:]
        growth = statistics.median(m for m, _ in late[-5:]) - statistics.median(m for m, _ in late[:5])
        assert growth < 1024, f"memory grew by {growth} KiB: {samples}"
        assert max(d for _, d in late) <= min(d for _, d in late) + 6, samples
        assert not relay.leftovers()
        assert not any(PASSWORD.encode() in data for _, data in relay.snapshot.written())
        assert not any(PASSWORD.encode() in argv for argv in relay.arguments), "the password in arguments"
        figure("faults", sum(map(len, heals.values())))
        figure("slowest to heal", "%.1f s after %s" % max((max(t), name) for name, t in heals.items()))
        figure("restarts", relay.report["restarts"])
        figure("memory of its own", f"{samples[0][0] / 1024:.1f} to {samples[-1][0] / 1024:.1f} MiB")
        figure("peak", f"{peak / 1024:.1f} MiB")
        figure("segments seen", len(player.known))

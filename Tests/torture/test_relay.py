"""The relay under faults drawn at random, one after the other, all outputs at once: it heals from each and tells of it, players'
rules hold throughout, what is recorded can be played, and memory, descriptors and processes stay what they were."""
import contextlib
import os
import random
import statistics
import time

import pytest

import media
from hls import Player
from line import Line
from process import wait_until
from program import Snapshot
from relay import AS_UNIT, MOST_MEMORY, Ingest, Relay
from rtsp import RTSPServer
from scene import HEALS, Scene, odd_cameras, recordings

PASSWORD = "CanaryPassword"
PEACE = HEALS + 60
"""Until servers that fell silent, or refused, are tried again."""
RESTS = (0, 0, 0, 10, 30, 60, 120, 320)
"""Seconds between faults in the long form."""


def decode(path):
    """A line that is cut in the middle of a picture leaves the last one of a recording empty or in part."""
    try:
        media.decode(path)
    except AssertionError:
        whole = len(media.video_times(path)) - 1
        if whole < 1:
            raise
        media.decode_first(path, whole)


def calm(relay):
    wait_until(lambda: relay.report["state"] == "running" and "failing" not in relay.report, PEACE, f"peace: {relay.report}")


@pytest.mark.timeout(9000)
def test_relay_soak(tmp_path, long, figure):
    duration = float(os.environ.get("RELAY_SOAK_SECONDS", 7200 if long else 60))
    draw = random.Random(20260121)
    random.seed(20260121)
    with RTSPServer("admin", PASSWORD) as camera, RTSPServer() as central, Ingest() as ingest, \
            Line(camera.port) as a, Line(central.port) as b, Line(ingest.port) as c, odd_cameras(a, PASSWORD) as odd, \
            recordings(tmp_path) as net, contextlib.ExitStack() as last:
        scene = Scene(camera, central, ingest, (a, b, c), net, odd)
        relay = scene.relay = Relay(
            Snapshot(tmp_path / "home"), camera.as_camera(a.port), "republish,hls,record,pipe", SERVER_URL=f"http://127.0.0.1:{c.port}/in",
            OUTPUT_RTSP_URL=central.url("live/h264-aac", b.port), RECORD_MAX_BYTES="30M")
        relay.snapshot.environment |= AS_UNIT
        faults = scene.faults()
        relay.record.mkdir(parents=True)
        scene.mount()
        last.callback(scene.clear)
        # Whatever it starts lives for longer than this.
        relay.watches = 0.05
        with relay:
            relay.wait_running()
            wait_until(lambda: relay.recordings, HEALS, "recordings")
            relay.stop()
        scene.pull()
        deck, samples, played = [], [], set()
        with relay:
            scene.mounted_late()
            calm(relay)
            descriptors = relay.descriptors
            end = time.monotonic() + duration
            with Player(relay.hls) as scene.player:
                scene.player.wait(2, HEALS)
                while time.monotonic() < end:
                    deck = deck or draw.sample(sorted(faults), len(faults))
                    name = deck.pop()
                    # pytest shows this if the test fails.
                    print(time.strftime("%X"), name, flush=True)
                    faults[name]()
                    print(f"healed after {scene.healed(name):.1f} s", flush=True)
                    # One that has just ended is a zombie until the relay looks.
                    wait_until(lambda: len(relay.children) == 1 and not relay.zombies(), HEALS, "one ffmpeg, which runs")
                    samples.append(relay.memory)
                    for request in ingest.requests:
                        # What was taken isn't needed any more.
                        del request["body"][:]
                    for path in relay.recordings[:-1]:
                        if path not in played and path.exists():
                            played.add(path)
                            assert media.video_times(path), path
                    # Some faults show only after a while without any, and after five good minutes the backoff is reset.
                    time.sleep(min(draw.choice(RESTS) if long else 0, max(0, end - time.monotonic())))
                # At the end everything flows over TCP again, as at first, since UDP needs more descriptors.
                scene.changed(udp=False)
                scene.healed("camera back over TCP, too")
                calm(relay)
                wait_until(lambda: relay.descriptors <= descriptors, 10, f"as few descriptors as the {descriptors} at first")
            peak = relay.peak
            assert relay.memory <= MOST_MEMORY, relay.memory
            relay.stop()
        for path in relay.recordings:
            decode(path)
        size = sum(p.stat().st_size for p in relay.recordings)
        assert size <= 30 << 20
        late = samples[len(samples) // 4:]
        growth = statistics.median(late[-5:]) - statistics.median(late[:5])
        assert growth < 1024, f"memory grew by {growth} KiB: {samples}"
        assert not relay.leftovers()
        assert not any(PASSWORD.encode() in data for _, data in relay.snapshot.written())
        assert not any(PASSWORD.encode() in argv for argv in relay.arguments), "the password in arguments"
        figure("faults", sum(map(len, scene.heals.values())))
        figure("slowest to heal", "%.1f s after %s" % max((max(t), name) for name, t in scene.heals.items()))
        figure("restarts", relay.report["restarts"])
        figure("memory of its own", f"{samples[0] / 1024:.1f} to {samples[-1] / 1024:.1f} MiB")
        figure("peak", f"{peak / 1024:.1f} MiB")
        figure("segments seen", len(scene.player.known))

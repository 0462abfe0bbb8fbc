"""The relay's supervisor beside the ffmpeg that it watches, and beside the same ffmpeg without it."""
import os
import re
import shutil
import subprocess
import time
from pathlib import Path

from process import wait_until
from program import Snapshot
from relay import Ingest, Relay, cpu
from report import Section, Target
from rtsp import RTSPServer

MODES = ("hls,record", "republish,hls,record,pipe")
CONSTANT = 0.004
"""The share of one processor that reading progress once a second and passing two streams on may cost."""


def measure(rig, options):
    rows, targets = [], []
    with RTSPServer("admin", "password", bitrate=2000, pattern="ball", size="640x360") as camera, \
            RTSPServer() as central, Ingest() as ingest:
        for modes in MODES:
            found = watched(rig, options.seconds, modes, camera, central, ingest)
            bare = unwatched(found["command"], found["url"], options.seconds, rig.folder)
            share = found["supervisor"] / found["ffmpeg"]
            rows.append([modes, *(f"{1000 * t / options.seconds:.2f}" for t in (found["supervisor"], found["ffmpeg"], bare)),
                         f"{100 * share:.1f} %", f"{found['memory'] / 1024:.1f}"])
            allowed = 0.02 * found["ffmpeg"] + CONSTANT * options.seconds
            targets.append(Target(f"supervisor's CPU, {modes}, of 2 % of ffmpeg's and {1000 * CONSTANT:.0f} ms/s", 1,
                                  found["supervisor"] / allowed))
            targets.append(Target(f"supervisor's peak memory, {modes}", 20, found["memory"] / 1024, "MiB"))
    section = Section(
        "The relay", f"{options.seconds} s of H.264 and AAC from an RTSP server on loopback, CPU in ms a second; then the "
        "same ffmpeg with the same outputs alone, its push and its post going nowhere.",
        ["", "supervisor", "its ffmpeg", "ffmpeg alone", "supervisor / ffmpeg", "supervisor's peak MiB"], rows)
    section.targets = targets
    return [section]


def watched(rig, seconds, modes, camera, central, ingest):
    home = Path(rig.folder) / f"relay-{modes.replace(',', '-')}"
    shutil.rmtree(home, ignore_errors=True)
    relay = Relay(Snapshot(home), camera.as_camera(), modes, OUTPUT_RTSP_URL=central.url("live/h264-aac"),
                  SERVER_URL=ingest.url, SEGMENT_TIME="60s", HLS_SEGMENT_TIME="4s", STALL_TIMEOUT="20s")
    relay.watches = None
    with relay:
        relay.wait_running()
        ffmpeg = wait_until(lambda: relay.ffmpeg, 5, "ffmpeg")
        # The relay passes folders that it has opened; what runs without it gets their paths.
        command = [re.sub(r"/proc/self/fd/(\d+)", lambda found: os.readlink(f"/proc/{ffmpeg}/fd/{found[1]}"), argument)
                   for argument in Path(f"/proc/{ffmpeg}/cmdline").read_bytes().decode().split("\0")[:-1]]
        before = relay.cpu, cpu(ffmpeg)
        time.sleep(seconds)
        after = relay.cpu, cpu(ffmpeg)
        return {"command": command, "supervisor": after[0] - before[0], "ffmpeg": after[1] - before[1],
                "memory": relay.peak, "url": camera.url("h264Preview_01_main")}


def unwatched(command, url, seconds, folder):
    """The CPU of the same ffmpeg with nobody watching; what would go to the relay goes nowhere."""
    folder = Path(folder) / "bare"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    read, write = os.pipe()
    options = "".join(f"option {o}\n" for o in ("rtsp_transport tcp", "timeout 10000000", "fpsprobesize 0"))
    os.write(write, f"ffconcat version 1.0\nfile '{url}'\n{options}".encode())
    os.close(write)
    ours = {"pipe:3": f"pipe:{read}", "pipe:4": "pipe:1"}
    arguments = [ours.get(a, a) for a in command]
    arguments[-1] = "|".join("[f=mpegts]/dev/null" if "f=rtsp" in s or "pipe:1" in s else s for s in arguments[-1].split("|"))
    with subprocess.Popen(arguments, pass_fds=[read], cwd=folder, stdout=subprocess.DEVNULL) as ffmpeg:
        os.close(read)
        time.sleep(3)
        before = cpu(ffmpeg.pid)
        time.sleep(seconds)
        used = cpu(ffmpeg.pid) - before
        ffmpeg.terminate()
    return used

"""The power goes while the relay records: the disk is taken as it is at that moment and mounted again (which replays its
journal). What was finished is there to the byte, the rest can be played as far as it goes, and a relay goes on with it."""
import random
import subprocess
import time

import pytest

import media
from blockdisk import Disk, format, fsck
from hls import Playlist
from process import wait_until
from program import Snapshot
from relay import Relay
from rtsp import RTSPServer

SHORT, LONG = 3, 50


@pytest.mark.timeout(3600)
def test_recordings_survive_a_power_cut(tmp_path, long, figure):
    draw = random.Random(20260121)
    image, cut, mount, again = (tmp_path / name for name in ("disk.img", "cut.img", "disk", "again"))
    format(image, 64)
    mended = 0
    with RTSPServer("admin", "CanaryPassword") as camera, Disk(image, mount) as disk:
        def relay(name, folder):
            return Relay(Snapshot(tmp_path / name), camera.as_camera(), OUTPUT_DIR=str(folder / "out"), RECORD_MIN_FREE="8M")
        with relay("home", mount) as first:
            for number in range(LONG if long else SHORT):
                wait_until(lambda: len(first.recordings) >= 2, 20, "recordings")
                time.sleep(draw.uniform(0, 3))
                # The newest may just have got its name.
                finished = {p.name: p.read_bytes() for p in first.recordings[:-1]}
                shown = Playlist.parse((first.hls / "stream.m3u8").read_text())
                if number % 2:
                    # As the system does now and then; otherwise what is being written is in memory only.
                    wait_until(lambda: any(size(p) > 20_000 for p in (first.record / ".writing").iterdir()), 20, "a fragment")
                    subprocess.run(["sync", "-f", mount], check=True)
                disk.cut(cut)
                with Disk(cut, again):
                    lost = [name for name, data in finished.items() if not same(again / "out/record" / name, data)]
                    assert not lost, f"{lost} of {len(finished)}"
                    writing = [p for p in (again / "out/record/.writing").iterdir() if size(p) > 20_000]
                    second = relay(f"home{number}", again)
                    count = len(second.recordings)
                    with second:
                        second.wait_running()
                        wait_until(lambda: len(second.recordings) >= count + 2, 20, "recordings")
                    for path in second.recordings:
                        if path.name not in finished:
                            media.decode(path)
                    mended += sum((second.record / p.name).exists() for p in writing)
                    assert not list((second.record / ".writing").iterdir())
                    now = Playlist.parse((second.hls / "stream.m3u8").read_text())
                    assert now.sequence >= shown.sequence, "the media sequence went back"
                assert fsck(cut).returncode == 0, fsck(cut).stdout
        for path in first.recordings:
            media.decode(path)
    assert mended
    figure("images", LONG if long else SHORT)
    figure("unfinished segments mended", mended)


def size(path):
    return path.stat().st_size if path.exists() else 0


def same(path, data):
    return path.exists() and path.read_bytes() == data

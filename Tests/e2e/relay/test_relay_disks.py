"""The relay's folders on disks that fill, hang, come late and go: it is told, nothing is written elsewhere, and the rest goes on."""
import contextlib
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

import media
from disk import HangingFolder, loop_disk, loop_of, small_disk
from hls import Player
from parts import need
from process import wait_until
from relay import RECOVERY, Relay, begin
from rtsp import RTSPServer

pytestmark = pytest.mark.tsan


@pytest.fixture(scope="module")
def camera():
    with RTSPServer("admin", "CanaryPassword") as server:
        yield server


@contextlib.contextmanager
def syncing_fails(relay):
    """Every fsync of the relay ends with EIO."""
    tracer = subprocess.Popen(["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync", "-e", "inject=fsync:error=EIO",
                               "-p", str(relay.pid)])
    try:
        wait_until(lambda: "TracerPid:\t0" not in Path(f"/proc/{relay.pid}/status").read_text(), 10, "strace")
        yield
    finally:
        tracer.send_signal(signal.SIGINT)
        tracer.wait(10)


def failing(relay):
    return relay.report.get("failing", {})


def fill(path):
    with contextlib.suppress(OSError), open(path, "ab", buffering=0) as file:
        while file.write(bytes(4096)):
            pass


@pytest.mark.parametrize("kind", ["ext4", "tmpfs"])
def test_a_full_disk_is_told_and_room_again(snapshot, camera, tmp_path, kind):
    """ffmpeg dies of it on a tmpfs; elsewhere it writes a header each second, which nobody can play."""
    record = tmp_path / "out" / "record"
    disk = loop_disk(tmp_path / "image", record) if kind == "ext4" else small_disk(record, "size=8M")
    with disk, Relay(snapshot, camera.as_camera(), OUTPUT_DIR=str(tmp_path / "out")) as relay:
        relay.wait_running()
        wait_until(lambda: relay.recordings, 20, "recording")
        with Player(relay.hls) as player:
            player.wait(2, 10)

            def told():
                fill(record / "ballast")
                return failing(relay) == {"record": "folder-full"}
            wait_until(told, 25, f"word of the full disk: {relay.report} {relay.stderr}")
            filled = time.monotonic()
            player.wait(3, 2 * RECOVERY, since=filled)
            assert failing(relay) == {"record": "folder-full"} and relay.report["restarts"] <= 1
            assert snapshot.health()["relay"]["failing"] == {"record": "folder-full"}
            assert 'snapshot_relay_output_up{camera="camera",output="record"} 0' in snapshot.run("health", "--prometheus").stdout
            before = set(relay.recordings)
            (record / "ballast").unlink()
            wait_until(lambda: not failing(relay), RECOVERY, f"peace: {relay.report} {relay.stderr}")
            wait_until(lambda: set(relay.recordings) - before, 15, "another recording")
        relay.stop()
        said = relay.stderr
        assert "record doesn't work: the disk is full; the other outputs go on" in said
        assert said.count("record doesn't work") == 1 and said.count("record works again") == 1, said
        assert "memory" not in said
        for path in relay.recordings:
            media.decode(path)


@pytest.fixture
def net(tmp_path):
    need("fuse")
    with HangingFolder(tmp_path) as folder:
        (folder.behind / "record").mkdir()
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / "record").symlink_to(folder.path / "record")
        yield folder


def settled(relay):
    """Waits until no output fails and there is another recording."""
    wait_until(lambda: not failing(relay), 2 * RECOVERY, f"peace: {relay.report} {relay.stderr}")
    before = set(relay.recordings)
    wait_until(lambda: set(relay.recordings) - before, 20, "another recording")


def test_a_folder_that_hangs_holds_up_no_other(snapshot, camera, tmp_path, net):
    """It hangs at the start, and again later. An ffmpeg that can't be killed is left behind; the next runs without that output."""
    net.hang()
    with Relay(snapshot, camera.as_camera(), OUTPUT_DIR=str(tmp_path / "out"), STALL_TIMEOUT="4s") as relay:
        relay.wait_running()
        assert failing(relay) == {"record": "folder-hangs"}
        with Player(relay.hls) as player:
            player.wait(1, 10)
            net.answer()
            settled(relay)
            net.hang()
            hung = time.monotonic()
            wait_until(lambda: failing(relay) == {"record": "folder-hangs"}, 12, f"word of it: {relay.report}")
            player.wait(6, 12, since=hung)
            os.kill(relay.ffmpeg, signal.SIGKILL)
            player.wait(2, 25, since=time.monotonic() + 0.5)
            assert failing(relay) == {"record": "folder-hangs"}
            net.answer()
            settled(relay)
        assert relay.stderr.count("record doesn't work: its folder hangs; the other outputs go on") == 2
        # Each failure of the folder is reported once, and so is its end.
        assert relay.stderr.count("record doesn't work") == relay.stderr.count("record works again") == 2, relay.stderr
        relay.stop()
        for path in relay.recordings:
            media.decode(path)


def test_a_folder_that_begins_to_hang_while_a_file_there_is_open_delays_no_start(snapshot, camera, tmp_path, net):
    """No program that the relay starts has to close that file."""
    with Relay(snapshot, camera.as_camera(), OUTPUT_DIR=str(tmp_path / "out"), STALL_TIMEOUT="4s", SEGMENT_TIME="4s") as relay:
        relay.wait_running()
        with Player(relay.hls) as player:
            settled(relay)
            net.hang("fsync")
            wait_until(lambda: net.holds(relay.pid), 15, "a recording that is being synced")
            net.hang()
            os.kill(relay.ffmpeg, signal.SIGKILL)
            player.wait(3, 25, since=time.monotonic() + 0.5)
            assert failing(relay) == {"record": "folder-hangs"}
            net.answer()
            settled(relay)


def test_a_relay_that_ends_while_a_folder_hangs_makes_room_for_the_next(snapshot, camera, tmp_path, net):
    """A thread that hangs in the kernel keeps its process from ending, but the process has released its lock."""
    settings = {"OUTPUT_DIR": str(tmp_path / "out"), "STALL_TIMEOUT": "4s"}
    first = Relay(snapshot, camera.as_camera(), **settings).__enter__()
    try:
        first.wait_running()
        wait_until(lambda: first.recordings, 20, "recording")
        net.hang()
        wait_until(lambda: net.holds(first.pid), 10, "a thread of it that hangs")
        os.kill(first.pid, signal.SIGTERM)
        wait_until(lambda: not first.run.alive or "\tZ" in Path(f"/proc/{first.pid}/status").read_text(), 12, "its end")
        next_one = snapshot.start("relay")
        wait_until(lambda: next_one.alive and failing(first) == {"record": "folder-hangs"}, 20, f"{first.report} {next_one.stderr}")
        wait_until(lambda: first.report["state"] == "running", 20, f"{first.report}")
        net.answer()
        settled(first)
        os.kill(next_one.pid, signal.SIGTERM)
        assert next_one.result(15).code == 0
    finally:
        net.answer()
        first.run.result(10)


@pytest.mark.parametrize("place", ["out", "net"])
def test_systemd_need_not_wait_for_a_folder_that_hangs(snapshot, camera, tmp_path, net, place):
    """The process that it watches ends, however long the kernel holds the others."""
    snapshot.environment["NOTIFY_SOCKET"] = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(str(tmp_path / "notify"))
        relay = Relay(snapshot, camera.as_camera(), "record", OUTPUT_DIR=str(tmp_path / place), STALL_TIMEOUT="4s").__enter__()
        try:
            relay.wait_running()
            wait_until(lambda: relay.recordings, 20, "recording")
            net.hang()
            wait_until(lambda: failing(relay) == {"record": "folder-hangs"}, 12, f"word of it: {relay.report}")
            os.kill(relay.watched, signal.SIGTERM)
            assert relay.run.result(13).code == 0
            assert relay.report["state"] == "stopped" and "finishing files" in notify_words(notify)[-1]
        finally:
            net.answer()
        wait_until(lambda: not relay.leftovers(), 10, "the end of what was left behind")


def notify_words(notify):
    notify.setblocking(False)
    said = []
    with contextlib.suppress(BlockingIOError):
        while True:
            said.append(notify.recv(4096).decode())
    return said


def test_recordings_keep_their_times_while_their_folder_hangs(snapshot, camera, tmp_path, net):
    """This file system doesn't tell when a file was made, and nothing gets its name until the folder answers."""
    with Relay(snapshot, camera.as_camera(), "record", OUTPUT_DIR=str(tmp_path / "out"), STALL_TIMEOUT="4s",
               SEGMENT_TIME="4s") as relay:
        relay.wait_running()
        net.hang("fsync")
        writing = net.behind / "record" / ".writing"
        made = wait_until(lambda: len(found := list(writing.glob("*-*.mp4"))) > 2 and births(found), 25, "segments")
        assert failing(relay) == {"record": "folder-hangs"}
        net.answer()
        settled(relay)
        relay.stop()
        kept = {path: path.stat().st_ino for path in (net.behind / "record").glob("2*.mp4")}
        late = {path: made[number] for path, number in kept.items() if number in made}
    assert len(late) == len(made)
    assert all(abs(begin(path) - birth) < 2.5 for path, birth in late.items()), late


def births(paths):
    """When each file was made: {inode number: Unix time}."""
    said = subprocess.run(["stat", "-c", "%i %W", *paths], capture_output=True, text=True, check=True)
    return {int(number): int(birth) for number, birth in map(str.split, said.stdout.splitlines())}


@pytest.fixture
def device(tmp_path):
    """A loop device with ext4."""
    image = tmp_path / "image"
    with loop_disk(image, tmp_path / "disk"):
        pass
    device = loop_of(image)
    yield device
    pull(tmp_path / "disk")
    subprocess.run(["losetup", "-d", device], check=True)


def mount(device, path):
    subprocess.run(["mount", device, str(path)], check=True)


def pull(path):
    """Unmounts it lazily, as if the disk was pulled: open files stay open."""
    subprocess.run(["umount", "-l", str(path)], check=False, capture_output=True)


def lie(folder):
    return sorted(path.name for path in folder.rglob("*"))


def test_a_disk_is_used_when_it_comes(snapshot, camera, tmp_path, device):
    """A disk is used once it is mounted. While a known one is away, nothing is written below its mount point."""
    disk = tmp_path / "disk"
    settings = {"OUTPUT_DIR": str(disk / "video")}
    with Relay(snapshot, camera.as_camera(), **settings) as relay:
        relay.wait_running()
        wait_until(lambda: relay.recordings, 20, "recording")
        mount(device, disk)
        wait_until(lambda: relay.record.exists() and relay.recordings, 2 * RECOVERY, f"recordings: {relay.report}")
        wait_until(lambda: not failing(relay), 10, f"peace: {relay.report}")
        relay.stop()
        known = set(relay.recordings)
    pull(disk)
    below = lie(disk)
    with Relay(snapshot, camera.as_camera(), **settings) as relay:
        wait_until(lambda: failing(relay) == {"hls": "folder-away", "record": "folder-away"}, 15, f"{relay.report}")
        wait_until(lambda: relay.report["state"] == "running", 15, "video")
        assert f"record doesn't work: no disk is mounted at {disk}" in relay.stderr
        assert snapshot.health()["relay"]["failing"]["record"] == "folder-away"
        assert lie(disk) == below
        mount(device, disk)
        wait_until(lambda: set(relay.recordings) - known, 2 * RECOVERY, "recording")
        with Player(relay.hls) as player:
            player.wait(2, 10)
        wait_until(lambda: not failing(relay), RECOVERY, f"peace: {relay.report}")
        pull(disk)
        wait_until(lambda: set(failing(relay).values()) == {"folder-away"}, 15, f"{relay.report}")
        relay.stop()
    assert lie(disk) == below


@contextlib.contextmanager
def shared(folder):
    """What is mounted below it is seen in other mount namespaces, too."""
    subprocess.run(["mount", "--bind", str(folder), str(folder)], check=True)
    try:
        subprocess.run(["mount", "--make-shared", str(folder)], check=True)
        yield
    finally:
        subprocess.run(["umount", "-R", "-l", str(folder)], check=True)


@pytest.mark.skipif(not os.path.exists("/etc/fstab"), reason="no /etc/fstab to lay one over")
@pytest.mark.parametrize("below", ["", "video/yard"])
def test_a_disk_of_fstab_is_waited_for(snapshot, camera, tmp_path, device, below):
    """From the very first start on, though nothing was ever written there."""
    disk, table = tmp_path / "disk", tmp_path / "fstab"
    table.write_text(f"# disks\nUUID=1-2\t{disk} ext4 defaults,nofail 0 2\nx none swap sw 0 0\n")
    relay = Relay(snapshot, camera.as_camera(), OUTPUT_DIR=str(disk / below))
    relay.prefix = ("unshare", "-m", "--propagation", "slave", "sh", "-c", 'mount --bind "$0" /etc/fstab && exec "$@"', table)
    with shared(tmp_path), relay:
        wait_until(lambda: failing(relay) == {"hls": "folder-away", "record": "folder-away"}, 15, f"{relay.report} {relay.stderr}")
        wait_until(lambda: relay.report["state"] == "running", 15, "video")
        assert f"record doesn't work: no disk is mounted at {disk}" in relay.stderr
        assert snapshot.health()["relay"]["failing"]["record"] == "folder-away"
        assert lie(disk) == []
        mount(device, disk)
        wait_until(lambda: relay.recordings and not failing(relay), 2 * RECOVERY, f"recordings: {relay.report}")
        with Player(relay.hls) as player:
            player.wait(2, 10)
        assert "record works again" in relay.stderr
        relay.stop()


def test_a_recording_that_cannot_be_finished_at_once_is_finished_later(snapshot, camera):
    """fsync fails for a while, as on a faulty disk. The file that is being written meanwhile isn't touched."""
    with Relay(snapshot, camera.as_camera(), "record") as relay:
        relay.wait_running()
        wait_until(lambda: relay.recordings, 20, "recording")
        with syncing_fails(relay):
            def unfinished():
                return {p.name: p.stat().st_size for p in (relay.record / ".writing").glob("2*.mp4")}
            waiting = wait_until(lambda: len(found := unfinished()) > 1 and found, 30, "two recordings that wait")
        wait_until(lambda: set(waiting) <= {p.name for p in relay.recordings} and not failing(relay), 15, f"{relay.report}")
        relay.stop()
        for path in relay.recordings:
            media.decode(path)
            if path.name in waiting:
                assert path.stat().st_size >= waiting[path.name]

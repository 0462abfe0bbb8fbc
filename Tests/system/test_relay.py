"""snapshot relay as a service: notifications, watchdog, and ffmpeg in the sandbox, also in that of snapshot.service."""

import pathlib
import shutil
import time

import pytest

from installed import wait_for

SERVER = pathlib.Path(__file__).parents[1] / "kit/rtsp_server.py"
URL = "rtsp://127.0.0.1:8554/h264Preview_01_main"
OUTPUT = "/var/lib/snapshot/stream_output"


@pytest.fixture(scope="module")
def relay(machine):
    """The machine with an RTSP camera and the relay running, as HLS and recording."""
    shutil.copy(SERVER, machine.root / "root/rtsp_server.py")
    machine.run("systemd-run --collect --unit=rtsp-camera /usr/bin/python3 /root/rtsp_server.py --port=8554")
    machine.settings(CAMERA_URL=URL, CAMERA_IP="", STREAM_MODE="hls,record", SEGMENT_TIME="4s", HLS_SEGMENT_TIME="2s")
    machine.drop_in("snapshot-relay.service", "[Service]\nWatchdogSec=6s\nRestartSec=1s\n")
    wait_for(lambda: machine.run("ffprobe -v error -rtsp_transport tcp " + URL, check=False).returncode == 0, 20, "a stream")
    machine.run("systemctl start snapshot-relay.service")
    yield machine
    machine.run("systemctl stop snapshot-relay.service rtsp-camera.service; rm -f /var/lib/snapshot/relay.json")
    machine.run("rm -r /etc/systemd/system/snapshot-relay.service.d && systemctl daemon-reload")
    machine.settings()


def segments(machine) -> int:
    return len(machine.out(f"find {OUTPUT}/hls -name '*.ts' -o -name '*.m4s'", check=False).split())


def newest(machine) -> float:
    told = machine.out(f"find {OUTPUT}/hls -type f -printf '%T@\\n'", check=False).split()
    return max(map(float, told), default=0)


def test_it_serves_and_records_what_decodes(relay):
    wait_for(lambda: segments(relay) >= 2, 30, "two HLS segments")
    recorded = wait_for(lambda: relay.out(f"find {OUTPUT}/record -name '*.mp4' -not -path '*/.*' | sort", check=False).split(), 30, "a recording")
    for file in (f"{OUTPUT}/hls/stream.m3u8", recorded[0]):
        assert relay.run(f"ffmpeg -v error -i {file} -t 3 -f null -").stderr == ""
    assert relay.property("snapshot-relay.service", "StatusText") != ""
    assert relay.out(f"stat -c '%U:%G %a' {OUTPUT}/hls/stream.m3u8") == "snapshot:snapshot 640"
    assert relay.health()["relay"]["state"] == "running"


def test_a_thread_without_the_relays_files_starts_the_programs(relay):
    """The unit's sandbox allows the starter, a thread that has none of the relay's files open."""
    main = relay.property("snapshot-relay.service", "MainPID")
    task = f"/proc/{relay.out(f'pgrep -P {main} -x snapshot').split()[0]}/task"
    open_files = [len(relay.out(f"ls {task}/{thread}/fd").split()) for thread in relay.out(f"ls {task}").split()]
    assert min(open_files) == 4 < max(open_files), open_files


def test_systemd_restarts_a_relay_that_was_killed(relay):
    pid = relay.property("snapshot-relay.service", "MainPID")
    relay.run(["kill", "-KILL", pid])
    wait_for(lambda: relay.property("snapshot-relay.service", "MainPID") not in ("0", pid), 10, "a restart")
    since = time.time()
    wait_for(lambda: newest(relay) > since, 20, "media again")
    assert len(relay.out("pgrep -u snapshot ffmpeg").split()) == 1


@pytest.mark.parametrize("stopped", ["the process that systemd watches", "the one that relays"])
def test_the_watchdog_ends_one_that_stands_still(relay, stopped):
    pid = relay.property("snapshot-relay.service", "MainPID")
    relaying = relay.out(f"pgrep -P {pid}")
    relay.run(["kill", "-STOP", relaying if stopped == "the one that relays" else pid])
    wait_for(lambda: relay.property("snapshot-relay.service", "MainPID") not in ("0", pid), 30, "a restart by the watchdog")
    since = time.time()
    wait_for(lambda: newest(relay) > since, 20, "media again")
    assert relaying not in relay.out("pgrep -x snapshot").split() and len(relay.out("pgrep -u snapshot ffmpeg").split()) == 1


def test_a_camera_that_is_away_is_no_reason_for_the_watchdog(relay):
    pid = relay.property("snapshot-relay.service", "MainPID")
    relay.run("systemctl stop rtsp-camera.service")
    # Longer than the watchdog's time.
    time.sleep(10)
    assert relay.property("snapshot-relay.service", "MainPID") == pid
    relay.run("systemd-run --collect --unit=rtsp-camera /usr/bin/python3 /root/rtsp_server.py --port=8554")
    since = time.time()
    wait_for(lambda: newest(relay) > since, 40, "media again")
    assert relay.property("snapshot-relay.service", "MainPID") == pid


def test_a_still_picture_through_ffmpeg(relay):
    before = len(relay.shots())
    relay.run("systemctl start snapshot.service")
    assert len(relay.shots()) == before + 1


def test_the_live_view_of_a_second_camera(relay):
    relay.settings("yard", CAMERA_URL=URL, CAMERA_IP="", STREAM_MODE="hls", HLS_SEGMENT_TIME="1s", WEB_IMAGES="true")
    relay.write("/etc/snapshot/web.env", "WEB_IMAGES=true\n")
    relay.run("systemctl start snapshot-relay@yard.service snapshot-web.socket")
    live = "curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:8080/live/yard/hls/stream.m3u8"
    wait_for(lambda: relay.out(live) == "200", 20, "the second camera's stream")
    assert 'href="../live/yard/"' in relay.out("curl -s http://127.0.0.1:8080/live/")
    relay.run("systemctl stop snapshot-relay@yard.service snapshot-web.socket snapshot-web.service")
    relay.run("rm -r /etc/snapshot/web.env /etc/snapshot/yard.env /var/lib/snapshot/yard")


def test_beside_the_capture_timer_on_the_same_camera(relay):
    """A Reolink camera that gives pictures and a stream to both units, with one file of settings and one state."""
    relay.settings(CAMERA_RTSP_PORT="8554", STREAM_MODE="hls,record", SEGMENT_TIME="4s", HLS_SEGMENT_TIME="2s")
    relay.run("systemctl restart snapshot-relay.service && snapshot schedule 2s && systemctl start snapshot.timer")
    pid = relay.property("snapshot-relay.service", "MainPID")
    before = len(relay.shots())
    try:
        for count in range(1, 6):
            wait_for(lambda: len(relay.shots()) >= before + count, 15, "a shot")
            since = time.time()
            wait_for(lambda: newest(relay) > since, 15, "media beside it")
        health = relay.health()
        assert health["status"] == "healthy", health
        assert health["relay"]["state"] == "running" and health["relay"]["restarts"] == 0, health
        assert relay.property("snapshot-relay.service", "MainPID") == pid
        assert {relay.property(f"snapshot{kind}.service", "Result") for kind in ("", "-relay")} == {"success"}
    finally:
        relay.run("systemctl stop snapshot.timer; cd /etc/systemd/system; rm -rf snapshot.timer.d snapshot.service.d; systemctl daemon-reload")


def test_a_disk_that_is_mounted_after_it_began(relay):
    """With ReadWritePaths= as the manual has it, the unit sees a disk that is mounted later, and writes nothing there before."""
    videos = "find /mnt/usb -xdev -path '*/record/2*.mp4'"
    mount = "mount -t tmpfs -o size=64M,mode=0755 usb /mnt/usb && install -d -o snapshot -g snapshot /mnt/usb/video"

    def restart(**values):
        relay.settings(CAMERA_URL=URL, CAMERA_IP="", STREAM_MODE="hls,record", SEGMENT_TIME="2s", HLS_SEGMENT_TIME="1s", **values)
        relay.run("systemctl restart snapshot-relay.service")

    def failing():
        return relay.health()["relay"].get("failing")
    relay.write("/etc/systemd/system/snapshot-relay.service.d/disk.conf", "[Service]\nReadWritePaths=-/mnt\n")
    relay.run("systemctl daemon-reload && mkdir -p /mnt/usb && " + mount)
    try:
        restart(OUTPUT_DIR="/mnt/usb/video", STALL_TIMEOUT="5s")
        wait_for(lambda: relay.out(videos), 30, "a recording")
        relay.run("systemctl stop snapshot-relay.service && umount /mnt/usb && systemctl start snapshot-relay.service")
        wait_for(lambda: failing() == {"hls": "folder-away", "record": "folder-away"}, 20, "word of it")
        assert relay.out("find /mnt/usb -mindepth 1") == ""
        pid = relay.property("snapshot-relay.service", "MainPID")
        relay.run(mount)
        wait_for(lambda: relay.out(videos) and not failing(), 40, "recordings")
        assert relay.property("snapshot-relay.service", "MainPID") == pid
    finally:
        relay.run("rm /etc/systemd/system/snapshot-relay.service.d/disk.conf; systemctl daemon-reload")
        restart()
        relay.run("umount /mnt/usb; rm -r /mnt/usb", check=False)
    wait_for(lambda: failing() is None and relay.health()["relay"]["state"] == "running", 30, "peace")


def test_it_ends_soon_and_leaves_nothing(relay):
    begin = time.monotonic()
    relay.run("systemctl stop snapshot-relay.service")
    assert time.monotonic() - begin < 10
    assert relay.property("snapshot-relay.service", "Result") == "success"
    assert relay.run("pgrep -u snapshot", check=False).stdout == ""

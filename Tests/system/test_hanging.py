"""A network folder that stops answering under the packaged units: every tick captures, nothing is lost, and the services can
be stopped."""

import pathlib
import shutil
import subprocess
import sys
import time

import pytest

from installed import Installed, taken, wait_for

TESTS = pathlib.Path(__file__).parents[1]
sys.path.append(str(TESTS / "kit"))

from disk import HangingFolder  # noqa: E402

MOUNT = "mnt/nas"


@pytest.fixture(scope="module")
def box(package, simulator, tmp_path_factory):
    subprocess.run([TESTS / "install", "fuse"], check=True)
    machine = Installed("nas")
    try:
        (machine.root / "usr/local/bin/reolink-simulator").write_bytes(simulator.read_bytes())
        (machine.root / "usr/local/bin/reolink-simulator").chmod(0o755)
        # Mounted before the machine starts, since a later mount need not reach its namespace.
        with HangingFolder(tmp_path_factory.mktemp("nas"), machine.root / MOUNT, TESTS.parent / ".venv/bin/python") as folder:
            machine.boot()
            machine.install(package)
            machine.start_camera()
            machine.settings(LOCAL_STORAGE_PATH=f"/{MOUNT}/pictures", CAPTURE_INTERVAL="2s", UPLOAD_DEADLINE="1s")
            machine.drop_in("snapshot.service", "[Service]\nReadWritePaths=-/mnt\n")
            yield machine, folder
            folder.answer()
            machine.run("systemctl stop snapshot.timer snapshot.service", check=False)
    finally:
        machine.stop()


def programs(machine):
    """How many processes of the service there are, with those that were left behind."""
    found = machine.run("systemctl show --value -p ControlGroup snapshot.service; pgrep -c -x snapshot", check=False).stdout.split()
    return int(found[-1])


def test_check_names_a_drop_in_that_a_hung_folder_would_hold_up(box):
    machine, _ = box
    machine.drop_in("snapshot.service", f"[Service]\nReadWritePaths=-/{MOUNT}\n")
    try:
        found = machine.run("snapshot check --config /etc/snapshot/snapshot.env").stdout
        assert f"snapshot.service can't start while /{MOUNT} hangs" in found and "ReadWritePaths=-/mnt\n" in found, found
    finally:
        machine.drop_in("snapshot.service", "[Service]\nReadWritePaths=-/mnt\n")
    assert "hangs" not in machine.run("snapshot check --config /etc/snapshot/snapshot.env").stdout
    machine.drop_in("snapshot.service", "")
    found = machine.run("snapshot check --config /etc/snapshot/snapshot.env", check=False).stdout
    assert "printf '[Service]\\nReadWritePaths=-/mnt\\n'" in found, found
    machine.drop_in("snapshot.service", "[Service]\nReadWritePaths=-/mnt\n")


def test_every_tick_captures_while_the_folder_hangs(box):
    machine, folder = box
    machine.run("snapshot schedule 2s && systemctl enable --now snapshot.timer")
    wait_for(lambda: list(folder.behind.rglob("*.jpg")), 20, "a stored picture")
    folder.hang()
    before = wait_for(lambda: machine.health()["spool"]["count"], 30, "a spooled picture") and machine.health()["total_captures"]
    begin = time.monotonic()
    wait_for(lambda: machine.health()["total_captures"] >= before + 8, 60, "eight more captures")
    assert time.monotonic() - begin < 8 * 2 + 8, "ticks were late"
    # One that hangs, and the run that is under way.
    assert programs(machine) <= 3
    health = machine.health()
    assert health["status"] == "degraded" and "spooling" in health["reasons"], health

    begin = time.monotonic()
    machine.run("systemctl stop snapshot.timer; systemctl stop snapshot.service", timeout=30)
    assert time.monotonic() - begin < 10

    folder.answer()
    machine.run("systemctl start snapshot.timer")
    wait_for(lambda: machine.health()["spool"]["count"] == 0, 60, "an empty spool")
    health = wait_for(lambda: (found := machine.health())["status"] == "healthy" and found, 20, "a healthy camera")
    machine.run("systemctl stop snapshot.timer; systemctl start snapshot.service")
    health = machine.health()
    stored = list(folder.behind.rglob("*.jpg"))
    assert len({path.name for path in stored}) == len(stored) == health["total_captures"] == health["total_uploads"]
    assert health["spool"]["dropped"] == 0 and not [path for path in folder.behind.rglob(".*") if path.is_file()]


URL = "rtsp://127.0.0.1:8554/h264Preview_01_main"


@pytest.fixture
def relay(box):
    """Records into the folder."""
    machine, folder = box
    folder.answer()
    shutil.copy(TESTS / "kit/rtsp_server.py", machine.root / "root/rtsp_server.py")
    machine.run("systemd-run --collect --unit=rtsp-camera /usr/bin/python3 /root/rtsp_server.py --port=8554")
    wait_for(lambda: machine.run("ffprobe -v error -rtsp_transport tcp " + URL, check=False).returncode == 0, 20, "a stream")
    machine.settings(CAMERA_URL=URL, CAMERA_IP="", STREAM_MODE="record", SEGMENT_TIME="2s", STALL_TIMEOUT="4s",
                     OUTPUT_DIR=f"/{MOUNT}/video")
    machine.drop_in("snapshot-relay.service", "[Service]\nReadWritePaths=-/mnt\n")
    machine.run("systemctl start snapshot-relay.service")
    yield machine, folder
    folder.answer()
    machine.run("systemctl stop snapshot-relay.service rtsp-camera.service", check=False)


def hangs(machine):
    return machine.health()["relay"].get("failing") == {"record": "folder-hangs"}


def test_the_relay_stops_and_starts_while_its_folder_hangs(relay):
    machine, folder = relay
    recordings = folder.behind / "video/record"
    wait_for(lambda: list(recordings.glob("2*.mp4")), 30, "a recording")
    folder.hang()
    wait_for(lambda: hangs(machine), 20, "word of it")
    begin = time.monotonic()
    machine.run("systemctl stop snapshot-relay.service", timeout=60)
    assert time.monotonic() - begin < 14
    assert machine.property("snapshot-relay.service", "Result") == "success"
    machine.run("systemctl start snapshot-relay.service", timeout=20)
    wait_for(lambda: hangs(machine), 20, "word of it")
    assert machine.health()["relay"]["state"] in ("starting", "running")
    already = set(recordings.glob("2*.mp4"))
    folder.answer()
    wait_for(lambda: set(recordings.glob("2*.mp4")) - already and "failing" not in machine.health()["relay"], 40, "another recording")
    # What was left behind ends with the hang: there is one relay, the process that watches it, and one ffmpeg.
    wait_for(lambda: len(machine.out("pgrep -x snapshot", check=False).split()) == 2, 10, "one relay")
    wait_for(lambda: len(machine.out("pgrep -u snapshot -x ffmpeg", check=False).split()) == 1, 10, "one ffmpeg")

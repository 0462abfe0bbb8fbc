"""A folder that stops answering: the run ends in time, keeps its picture, and leaves at most one process behind."""
import json
import signal
import time

import pytest

from builds import is_emulated
from disk import HangingFolder
from process import wait_until, working_in


def left_behind(ready):
    return working_in(ready.folder, ready.binary)


@pytest.mark.parametrize("calls", [("all",), ("write",), ("fsync",), ("rename",), ("getattr",), ("create",), ("statfs", "readdir")])
def test_a_run_leaves_a_folder_that_hangs_behind(ready, net, camera, calls):
    ready.set(LOCAL_STORAGE_PATH=net.path, UPLOAD_DEADLINE="2s", LOCAL_STORAGE_MIN_FREE="1M")
    ready.capture().expect(0)
    net.hang(*calls)
    begin = time.monotonic()
    done = ready.capture()
    if calls == ("statfs", "readdir"):
        # It was stored before anything hung.
        assert done.code == 0
    else:
        done.refuses(75, "hangs")
        assert ready.spooled_pictures() == [camera.last]
        assert ready.state["outcome"]["code"] == "store-timeout"
    assert time.monotonic() - begin < 12
    for _ in range(2):
        begin = time.monotonic()
        ready.capture("--no-drain").refuses(75, "hangs")
        assert time.monotonic() - begin < 8
    assert len(left_behind(ready)) <= 1
    net.answer()
    wait_until(lambda: not left_behind(ready), 10)
    ready.capture().expect(0)
    assert (ready.state_folder / "folder.lock").stat().st_size == 0
    stored = [p.read_bytes() for p in net.behind.rglob("*.jpg")]
    assert ready.health()["spool"]["count"] == 0 and ready.health()["status"] == "healthy"
    assert camera.last in stored and len(stored) == 5
    assert not [p for p in net.behind.rglob(".*") if p.is_file()], "no halves"


def test_health_and_check_do_not_hang(ready, net):
    ready.set(LOCAL_STORAGE_PATH=net.path, UPLOAD_DEADLINE="2s")
    ready.capture().expect(0)
    net.hang()
    begin = time.monotonic()
    ready.run("health").expect(0)
    found = ready.run("check", "--json", timeout=40)
    assert time.monotonic() - begin < 25
    storage, = [line for line in json.loads(found.stdout)["checks"] if line["name"] == "storage"]
    assert found.code == 75 and "hangs" in storage["found"]


@pytest.mark.parametrize("commands", [("check", "check", "check"), ("capture", "check"), ("check", "capture")])
def test_who_is_at_work_is_no_folder_that_hangs(ready, net, commands):
    """A folder that is slow for one is waited for by the other."""
    ready.set(LOCAL_STORAGE_PATH=net.path, UPLOAD_DEADLINE="30s")
    ready.capture().expect(0)
    net.hang("write")
    runs = []
    for command in commands:
        runs.append(ready.start(command, "--json"))
        # The first command's child, which waits in the folder, counts, too.
        wait_until(lambda: len(left_behind(ready)) == len(runs) + 1, 10)
    time.sleep(1.5)  # longer than one waits for a child that was left behind
    net.answer()
    for run in runs:
        run.result(30).expect(0)
    assert (ready.state_folder / "folder.lock").stat().st_size == 0


@pytest.mark.parametrize("openat2", ["as it is", "ENOSYS", "EPERM"])
def test_a_network_folder_in_the_state_hangs_no_health(ready, tmp_path, openat2):
    """As where STATE_PATH/snapshots is a mount of its own; a container may answer that there is no openat2."""
    fault = ("strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=openat2", "-e", f"inject=openat2:error={openat2}")
    # QEMU has none, and isn't to be traced.
    prefix = () if openat2 == "as it is" or is_emulated() else fault
    ready.capture().expect(0)
    with HangingFolder(ready.state_folder) as net:
        ready.set(LOCAL_STORAGE_PATH=net.path, UPLOAD_DEADLINE="2s").capture().expect(0)
        net.hang()
        ready.run("health", timeout=10, prefix=prefix).expect(0)


def test_a_stop_is_heard(ready, net, camera):
    ready.set(LOCAL_STORAGE_PATH=net.path, UPLOAD_DEADLINE="30s")
    ready.capture().expect(0)
    net.hang("write")
    run = ready.start("capture")
    wait_until(lambda: list(net.behind.glob(".incoming-*")), 10)
    begin = time.monotonic()
    run.signal(signal.SIGTERM)
    run.result(20)
    assert time.monotonic() - begin < 6
    assert ready.spooled_pictures() == [camera.last]


def test_a_repeating_run_goes_on(ready, net, camera):
    ready.set(LOCAL_STORAGE_PATH=net.path, UPLOAD_DEADLINE="1s")
    ready.capture().expect(0)
    net.hang()
    ready.run("capture", "--every", "3s", "--for", "8s", timeout=40)
    assert ready.health()["spool"]["count"] == 3 and len(left_behind(ready)) <= 1
    net.answer()
    wait_until(lambda: not left_behind(ready), 10)
    ready.run("drain").expect(0)
    assert ready.health()["spool"]["count"] == 0

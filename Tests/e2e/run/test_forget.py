"""`snapshot forget NAME`: a camera that is gone leaves health and page, and nothing of it is lost."""
import fcntl
import os
import subprocess

import pytest

from process import wait_until
from web import Web, record, write_relay, write_ring

pytestmark = pytest.mark.asan


def tree(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture
def several(ready):
    """Two instances with state, one of them with pictures in its spool, and one that only relays."""
    ready.everything = ready.folder / "all"
    ready.set(STATE_PATH=ready.everything)
    ready.capture(env={"STATE_PATH": ready.everything / "garden", "CAMERA_NAME": "garden"}).expect(0)
    blocked = ready.folder / "blocked"
    blocked.write_text("")
    for _ in range(2):
        ready.capture(env={"STATE_PATH": ready.everything / "old yard", "LOCAL_STORAGE_PATH": blocked}).expect(75)
    write_relay(ready.everything / "gate")
    return ready


def test_a_camera_is_forgotten_and_nothing_is_lost(several):
    before = tree(several.everything / "old yard")
    assert len([p for p in before if p.parts[0] == "spool" and p.suffix != ".list"]) >= 2
    assert several.run("health", "--json").json["status"] == "degraded"
    with Web(several.everything, several.folder) as web:
        assert "old yard" in web.get("/").text
        result = several.run("forget", "old yard").expect(0)
        (kept,) = (several.everything / "forgotten").iterdir()
        assert str(kept) in result.stdout and kept.name.startswith("old yard-2")
        assert {p: d for p, d in tree(kept).items() if "lock" not in p.name} == {p: d for p, d in before.items() if "lock" not in p.name}
        assert "2 pictures" in result.stderr and f"{kept}/spool" in result.stderr
        health = several.run("health", "--json").expect(0).json
        assert set(health["cameras"]) == {"garden", "gate"} and health["status"] == "healthy"
        assert 'camera="old yard"' not in several.run("health", "--prometheus").stdout
        wait_until(lambda: web.get("/health/old%20yard").status == 404, 5, "its report, which is kept for a moment, to go")
    with Web(several.everything, several.folder) as web:
        assert "old yard" not in web.get("/").text and web.get("/health/old%20yard").status == 404
    # Moved back, it is as it was, and its pictures arrive.
    kept.rename(several.everything / "yard")
    several.run("drain", env={"STATE_PATH": several.everything / "yard"}).expect(0)
    assert len(several.stored()) == 3


def test_a_relay_and_the_camera_without_an_instance(several):
    several.capture(env={"CAMERA_NAME": "front"}).expect(0)
    several.run("forget", "gate").expect(0)
    assert set(several.run("health", "--json").json["cameras"]) == {"garden", "old yard"}
    assert "front" in several.run("health").stdout
    several.run("forget", "front").expect(0)
    assert "front" not in several.run("health").stdout and "garden" in several.run("health").stdout
    kept = next(p for p in (several.everything / "forgotten").iterdir() if p.name.startswith("camera-"))
    assert (kept / "state.jsonl").exists() and not (several.everything / "state.jsonl").exists()
    # It may come back, and is a new one.
    several.capture(env={"CAMERA_NAME": "front"}).expect(0)
    assert several.run("health", "--json").json["cameras"] and "front" in several.run("health").stdout


@pytest.mark.parametrize("name", ["nobody", "forgotten", "..", "spool", "garden/..", "", "."])
def test_what_is_no_camera_is_not_forgotten(several, name):
    before = tree(several.everything)
    result = several.run("forget", name).refuses(64, "no camera")
    assert "garden" in result.hints[0] and tree(several.everything) == before


@pytest.mark.parametrize("lock", ["lock", "relay.lock"])
def test_a_run_under_way_is_not_disturbed(several, lock):
    with open(several.everything / "garden" / lock, "a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        several.run("forget", "garden").refuses(74, "holds its lock")
    assert (several.everything / "garden/state.jsonl").exists()
    several.run("forget", "garden").expect(0)


@pytest.mark.parametrize("unit, target", [("snapshot@yard.timer", "timers"), ("snapshot-relay@yard.service", "multi-user")])
def test_a_camera_that_is_switched_on_is_not_forgotten(snapshot, tmp_path, unit, target):
    """The unit is enabled by a link in /etc/systemd/system of a mount namespace of its own."""
    write_ring(tmp_path / "lib/snapshot/yard", [record(1)])
    script = f"""
        set -e
        mkdir -p {tmp_path}/etc/{target}.target.wants /var/lib
        ln -s /lib/systemd/system/x {tmp_path}/etc/{target}.target.wants/{unit}
        mount -t tmpfs tmpfs /etc/systemd && mkdir -p /etc/systemd/system
        mount --bind {tmp_path}/etc /etc/systemd/system
        mount --bind {tmp_path}/lib /var/lib
        STATE_PATH=/var/lib/snapshot {snapshot.binary} forget yard && exit 9 || [ $? = 78 ]
        rm {tmp_path}/etc/{target}.target.wants/{unit}
        STATE_PATH=/var/lib/snapshot {snapshot.binary} forget yard
    """
    done = subprocess.run(["unshare", "-m", "--propagation", "private", "sh", "-c", script], capture_output=True, text=True,
                          cwd=snapshot.folder)
    assert done.returncode == 0, done.stderr
    assert f"{unit} is enabled" in done.stderr and f"systemctl disable --now {unit}" in done.stderr
    assert "yard is forgotten" in done.stdout and os.listdir(tmp_path / "lib/snapshot/forgotten")


def test_the_command_is_completed_and_explained(several):
    assert "forget" in several.run("--generate-completion-script", "bash").expect(0).stdout
    assert "STATE_PATH/forgotten" in several.run("forget", "--help").expect(0).stdout

"""Links to folders are followed if they are root's or the user's own; links at a file's name never are."""
import os
import time

import pytest

from pictures import picture
from process import wait_until
from relay import Relay
from rtsp import RTSPServer

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="gives links to others, which needs root")
STRANGER = 1234
USER = 4321
AS_USER = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups"]


@pytest.fixture(params=["root", "a user"])
def box(request, snapshot, tmp_path):
    """A camera in a file, and a folder that is shared with everybody, as /tmp is."""
    for folder in [tmp_path, *tmp_path.parents]:
        if folder.stat().st_mode & 0o11 != 0o11:
            folder.chmod(folder.stat().st_mode | 0o011)
    (tmp_path / "still.jpg").write_bytes(picture())
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared").chmod(0o1777)
    (tmp_path / "mine").mkdir()
    snapshot.user = 0 if request.param == "root" else USER
    snapshot.how = {} if request.param == "root" else {"prefix": AS_USER}
    os.chown(tmp_path / "mine", snapshot.user, snapshot.user)
    return snapshot.set(CAMERA_URL=f"file:{tmp_path}/still.jpg", STATE_PATH=tmp_path / "mine" / "state",
                        LOCAL_STORAGE_PATH=tmp_path / "shared" / "pictures")


def link(path, target, owner):
    path.symlink_to(target)
    os.lchown(path, owner, owner)


@pytest.mark.parametrize("below", [".", "camera"])
def test_a_strangers_link_in_a_shared_store_is_not_followed(box, tmp_path, below):
    victim = tmp_path / "mine" / "victim"
    victim.mkdir()
    os.chown(victim, box.user, box.user)
    pictures = tmp_path / "shared" / "pictures"
    if below != ".":
        pictures.mkdir()
        pictures.chmod(0o1777)
    link(pictures / below if below != "." else pictures, victim, STRANGER)
    run = box.capture(**box.how)
    assert run.code == 75 and "link" in run.stderr, run.stderr
    assert list(victim.iterdir()) == []
    # Once it is gone, the picture goes where it belongs.
    (pictures / below if below != "." else pictures).unlink()
    if below != ".":
        pictures.chmod(0o1777)
    box.run("drain", **box.how).expect(0)
    assert list(pictures.rglob("*.jpg"))


@pytest.mark.parametrize("owner", ["root", "own"])
def test_a_link_of_roots_or_ones_own_is_followed(box, tmp_path, owner):
    (tmp_path / "mine" / "disk").mkdir()
    os.chown(tmp_path / "mine" / "disk", box.user, box.user)
    # Relative, and through another link.
    link(tmp_path / "shared" / "pictures", "../mine/way", 0 if owner == "root" else box.user)
    link(tmp_path / "mine" / "way", tmp_path / "mine" / "disk", 0 if owner == "root" else box.user)
    link(tmp_path / "mine" / "state", "disk", 0 if owner == "root" else box.user)
    box.capture(**box.how).expect(0)
    assert list((tmp_path / "mine" / "disk").rglob("*.jpg")) and (tmp_path / "mine" / "disk" / "state.jsonl").exists()


def test_nothing_is_made_behind_a_link_that_leads_nowhere(box, tmp_path):
    link(tmp_path / "shared" / "pictures", tmp_path / "mine" / "unmounted", 0)
    assert box.capture(**box.how).code == 75
    assert not (tmp_path / "mine" / "unmounted").exists()


@pytest.mark.parametrize("name", ["lock", "state.jsonl", "stored.log", "spool/dirty"])
def test_no_link_at_a_files_name_is_followed(box, tmp_path, name):
    state = tmp_path / "mine" / "state"
    (state / name).parent.mkdir(parents=True)
    for path in [state, (state / name).parent]:
        os.chown(path, box.user, box.user)
    target = tmp_path / "mine" / "target"
    target.write_text("as it was\n")
    os.chown(target, box.user, box.user)
    link(state / name, target, STRANGER)
    box.capture(env={"LOCAL_STORAGE_PATH": state / "lock" / "x" if name == "spool/dirty" else tmp_path / "mine" / "p"}, **box.how)
    assert target.read_text() == "as it was\n"


def test_the_relay_writes_through_no_strangers_link(box, tmp_path):
    output = tmp_path / "shared" / "video"
    output.mkdir()
    output.chmod(0o1777)
    target = tmp_path / "mine" / "target"
    link(output / ".relay.lock", target, STRANGER)
    env = {"CAMERA_URL": "rtsp://127.0.0.1:1/x", "OUTPUT_DIR": output, "STREAM_MODE": "hls,record"}
    box.run("relay", env=env, **box.how).expect(74)
    (output / ".relay.lock").unlink()
    link(output / "hls", tmp_path / "mine", STRANGER)
    box.run("relay", env=env, **box.how).expect(74)
    (output / "hls").unlink()
    (output / "hls").mkdir()
    (output / "hls").chmod(0o777)
    os.chown(output / "hls", STRANGER, STRANGER)
    box.run("relay", env=env, **box.how).expect(74)
    assert not target.exists()


def swap(folder, away):
    """Replaces `folder` by a stranger's link to `away`, as anybody who may write in the folder above can."""
    folder.rename(folder.with_name(folder.name + ".away"))
    folder.symlink_to(away)
    os.lchown(folder, STRANGER, STRANGER)


def test_a_strangers_link_in_the_place_of_an_output_gets_nothing(snapshot, tmp_path):
    """The links come while ffmpeg writes: nothing is written through them, and both outputs report it."""
    victim = tmp_path / "victim"
    victim.mkdir()
    with RTSPServer() as camera, Relay(snapshot, camera.as_camera(), "hls,record") as relay:
        relay.wait_running()
        wait_until(lambda: (relay.hls / "stream.m3u8").exists() and relay.recordings, 20, "files")
        swap(relay.hls, victim)
        swap(relay.record, victim)
        wait_until(lambda: set(relay.report.get("failing", {})) == {"hls", "record"}, 30, f"{relay.report}")
        (victim / ".writing").mkdir()
        time.sleep(5)
        assert os.listdir(victim) == [".writing"] and not os.listdir(victim / ".writing")
        # The folders are used again once they are back.
        for folder in (relay.hls, relay.record):
            folder.unlink()
            folder.with_name(folder.name + ".away").rename(folder)
        wait_until(lambda: "failing" not in relay.report, 40, f"{relay.report}")


@pytest.mark.parametrize("mode", ["hls", "record"])
def test_a_folder_that_is_made_anew_is_used(snapshot, mode):
    """As after the disk below OUTPUT_DIR was mounted again."""
    with RTSPServer() as camera, Relay(snapshot, camera.as_camera(), mode) as relay:
        relay.wait_running()
        folder = relay.hls if mode == "hls" else relay.record
        wait_until(lambda: list(folder.glob("*.m*")), 20, "files")
        folder.rename(folder.with_name("away"))
        folder.mkdir()
        (folder / ".writing").mkdir()
        wait_until(lambda: list(folder.glob("*.m*")), 40, f"files: {relay.report}")

"""Links: to folders they are followed if root's or one's own, at a file's name never."""
import os

import pytest

from pictures import picture

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

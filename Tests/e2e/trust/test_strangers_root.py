"""A command that root types becomes the user who owns STATE_PATH, or stops."""
import hashlib
import json
import os
import pwd
import subprocess
import zlib

import pytest

from camera import Camera
from pictures import picture

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, whose rights are given up")

# Users that every Debian has.
OWNERS = ["daemon", "games"]
NOBODYS = 54321


@pytest.fixture(params=OWNERS)
def owner(request):
    return pwd.getpwnam(request.param)


@pytest.fixture
def box(snapshot, tmp_path, owner):
    """A camera in a file, and a state that is the owner's."""
    for folder in [tmp_path, *tmp_path.parents]:
        if folder.stat().st_mode & 0o11 != 0o11:
            folder.chmod(folder.stat().st_mode | 0o011)
    (tmp_path / "still.jpg").write_bytes(picture())
    (tmp_path / "theirs").mkdir()
    os.chown(tmp_path / "theirs", owner.pw_uid, owner.pw_gid)
    (tmp_path / "theirs" / "state").mkdir()
    os.chown(tmp_path / "theirs" / "state", owner.pw_uid, owner.pw_gid)
    return snapshot.set(CAMERA_URL=f"file:{tmp_path}/still.jpg", STATE_PATH=tmp_path / "theirs" / "state",
                        LOCAL_STORAGE_PATH=tmp_path / "theirs" / "pictures")


def owners(folder):
    """Everybody to whom something below a folder belongs."""
    return {(p.lstat().st_uid, p.lstat().st_gid) for p in [folder, *folder.rglob("*")]}


def plant(state, key, content, owner):
    """An entry of the spool, as the state's owner could make it."""
    folder = state / "spool" / "000000000000"
    folder.mkdir(parents=True)
    facts = json.dumps({"key": key, "captured_at_ms": 1795835101294, "camera": "camera",
                        "sha256": hashlib.sha256(content).hexdigest(), "clock": "synced", "content_type": "image/jpeg",
                        "length": len(content), "boot": "x", "up": 1.0}, separators=(",", ":")).encode()[:-1]
    (folder / f"000000000005-{len(content)}.jpg").write_bytes(
        content + facts + b',"crc":"%08x"}\n' % zlib.crc32(facts))
    (state / "spool" / "dirty").touch()
    for path in [state / "spool", *(state / "spool").rglob("*")]:
        os.chown(path, owner.pw_uid, owner.pw_gid)


@pytest.mark.parametrize("command", [["capture"], [], ["capture", "--every", "1s", "--for", "1s"], ["drain"]])
def test_what_root_writes_is_the_owners(box, tmp_path, owner, command):
    box.run(*command).expect(0)
    assert owners(tmp_path / "theirs") == {(owner.pw_uid, owner.pw_gid)}
    # The owner goes on with it.
    box.capture(prefix=["setpriv", f"--reuid={owner.pw_uid}", f"--regid={owner.pw_gid}", "--clear-groups"]).expect(0)


@pytest.mark.parametrize("command", ["drain", "capture"])
def test_a_planted_picture_goes_nowhere_that_its_owner_could_not_write(box, tmp_path, owner, command):
    roots = tmp_path / "roots"
    roots.mkdir(mode=0o755)
    (tmp_path / "theirs" / "pictures").mkdir()
    os.chown(tmp_path / "theirs" / "pictures", owner.pw_uid, owner.pw_gid)
    (tmp_path / "theirs" / "pictures" / "etc").symlink_to(roots)
    os.lchown(tmp_path / "theirs" / "pictures" / "etc", owner.pw_uid, owner.pw_gid)
    plant(tmp_path / "theirs" / "state", "etc/ld.so.preload", b"/tmp/evil.so\n", owner)
    run = box.run(command)
    assert list(roots.iterdir()) == [], run.stderr


def test_no_log_or_mark_is_written_through_a_link(box, tmp_path, owner):
    state = tmp_path / "theirs" / "state"
    passwd = tmp_path / "passwd"
    passwd.write_text("root:x:0:0\n")
    plant(state, "a.jpg", b"x", owner)
    (state / "spool" / "dirty").unlink()
    for name, target in [("spool/dirty", "nologin"), ("stored.log", "passwd"), ("stored.head", "passwd"), ("lock", "locked")]:
        (state / name).symlink_to(tmp_path / target)
        os.lchown(state / name, owner.pw_uid, owner.pw_gid)
    box.run("drain")
    box.capture(env={"LOCAL_STORAGE_MAX_BYTES": "1K"})
    assert passwd.read_text() == "root:x:0:0\n"
    assert not (tmp_path / "nologin").exists() and not (tmp_path / "locked").exists()


@pytest.mark.parametrize("command", ["capture", "drain", "health", "check", "relay"])
def test_an_owner_that_is_no_user_stops_it(box, tmp_path, command):
    os.chown(tmp_path / "theirs" / "state", NOBODYS, NOBODYS)
    run = box.run(command, env={"STREAM_MODE": "record", "CAMERA_URL": "rtsp://127.0.0.1:1/x"} if command == "relay" else {})
    assert run.code == 74 and str(NOBODYS) in run.stderr + run.stdout and "there is no such user" in run.stderr + run.stdout
    assert list((tmp_path / "theirs" / "state").iterdir()) == []


@pytest.mark.parametrize("command", ["capture", "drain", "health", "check"])
def test_a_strangers_link_to_the_state_stops_it(box, tmp_path, owner, command):
    link = tmp_path / "theirs" / "link"
    link.symlink_to(tmp_path / "theirs" / "state")
    box.set(STATE_PATH=link)
    os.lchown(link, owner.pw_uid, owner.pw_gid)
    run = box.run(command)
    assert run.code == 74 and "link" in run.stderr + run.stdout
    assert list((tmp_path / "theirs" / "state").iterdir()) == []
    # Root's own link is followed.
    os.lchown(link, 0, 0)
    box.capture().expect(0)
    assert owners(tmp_path / "theirs" / "state") == {(owner.pw_uid, owner.pw_gid)}


def test_root_that_may_not_become_anybody_stops(box):
    run = box.capture(prefix=["setpriv", "--bounding-set", "-setuid,-setgid", "--inh-caps", "-setuid,-setgid"])
    assert run.code == 74 and "doesn't let root become" in run.stderr, run.stderr


def test_root_reads_what_its_own_sources_name_before(box, tmp_path, owner):
    with Camera(username="me", password="secret", auth="basic") as camera:
        (tmp_path / "password").write_text("secret\n")
        (tmp_path / "password").chmod(0o600)
        box.set(CAMERA_URL=f"http://{camera.address}/still.jpg", CAMERA_USERNAME="me", CAMERA_PASSWORD_FILE=tmp_path / "password")
        box.capture().expect(0)
        os.rename(tmp_path / "password", tmp_path / "camera_password")
        box.set(CAMERA_PASSWORD_FILE=None, CREDENTIALS_DIRECTORY=tmp_path).capture().expect(0)
        # An .env of the owner's can't name files of root's, since it isn't used (test_strangers_settings.py).


def test_keys_for_a_store_are_the_owners_or_roots_by_name(box, tmp_path, owner):
    """Where no file is named, `~` is the owner's home."""
    (tmp_path / "keys").write_text("[default]\naws_access_key_id = A\naws_secret_access_key = B\n")
    (tmp_path / "keys").chmod(0o600)
    (box.folder / ".aws").mkdir()
    (tmp_path / "keys").rename(box.folder / ".aws" / "credentials")
    box.set(STORAGE_BACKEND="s3", S3_BUCKET="b", S3_ENDPOINT_URL="http://127.0.0.1:1", UPLOAD_ATTEMPTS=1)
    run = box.capture()
    assert run.code == 78 and owner.pw_dir + "/.aws/credentials" in run.stderr, run.stderr
    run = box.capture(env={"AWS_SHARED_CREDENTIALS_FILE": box.folder / ".aws" / "credentials"})
    assert run.code == 75, run.stderr


def test_root_stays_root_with_its_own_state(snapshot, tmp_path):
    (tmp_path / "still.jpg").write_bytes(picture())
    snapshot.set(CAMERA_URL=f"file:{tmp_path}/still.jpg").capture().expect(0)
    assert owners(snapshot.state_folder) == {(0, 0)}


def spying(tmp_path, *names):
    """A folder for PATH with programs that note who they run as."""
    folder = tmp_path / "spies"
    folder.mkdir(exist_ok=True)
    (tmp_path / "seen").mkdir(mode=0o777, exist_ok=True)
    (tmp_path / "seen").chmod(0o1777)
    for name in names:
        (folder / name).write_text(f'#!/bin/sh\nps -o sid= -p $$ >"{tmp_path}/seen/$$-session"\nid -u >"{tmp_path}/seen/{name}-$$"\n')
        (folder / name).chmod(0o755)
    return folder


@pytest.mark.parametrize("state", ["missing", "a link", "root's", "the owner's"])
def test_a_check_by_root_runs_nothing_as_root(box, tmp_path, owner, state):
    spies = spying(tmp_path, "ffmpeg", "ffprobe")
    match state:
        case "missing": box.set(STATE_PATH=tmp_path / "nowhere")
        case "root's": os.chown(tmp_path / "theirs" / "state", 0, 0)
        case "a link":
            (tmp_path / "link").symlink_to(tmp_path / "theirs" / "state")
            box.set(STATE_PATH=tmp_path / "link")
    box.run("check", env={"CAMERA_URL": "rtsp://127.0.0.1:1/x", "PATH": f"{spies}:{box.environment['PATH']}"})
    seen = {p.read_text().strip() for p in (tmp_path / "seen").glob("ff*")}
    assert seen and seen <= {str(owner.pw_uid), str(pwd.getpwnam("nobody").pw_uid)}, seen


def test_the_run_can_not_be_looked_into(box, tmp_path, owner):
    """Root's credentials are in its memory: not for the owner's other programs."""
    run = box.start("capture", "--every", "1s", "--for", "30s")
    while not (tmp_path / "theirs" / "state" / "state.jsonl").exists():
        assert run.alive, run.stderr
    pid = run.pid
    status = open(f"/proc/{pid}/status").read()
    assert f"Uid:\t{owner.pw_uid}\t{owner.pw_uid}\t{owner.pw_uid}\t{owner.pw_uid}" in status
    assert f"Gid:\t{owner.pw_gid}\t{owner.pw_gid}\t{owner.pw_gid}\t{owner.pw_gid}" in status
    assert "CapEff:\t0000000000000000" in status and "CapPrm:\t0000000000000000" in status
    groups = next(line for line in status.splitlines() if line.startswith("Groups:")).split()[1:]
    assert "0" not in groups
    look = subprocess.run(["setpriv", f"--reuid={owner.pw_uid}", f"--regid={owner.pw_gid}", "--clear-groups",
                           "cat", f"/proc/{pid}/environ"], capture_output=True)
    assert look.returncode != 0
    run.signal(15)

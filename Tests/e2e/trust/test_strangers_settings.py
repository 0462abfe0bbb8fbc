"""A `./.env` that lies in somebody else's folder, or is somebody else's, is told and not obeyed."""
import os
import struct

import pytest

from camera import Camera
from pictures import picture

STRANGER, OTHER = 1234, 4321
OURS = "CAMERA_NAME=theirs\n"
ROOT = os.geteuid() == 0
pytestmark = pytest.mark.skipif(not ROOT, reason="gives files to others, which needs root")


@pytest.fixture
def box(snapshot, tmp_path):
    """A camera in a file; the folder is one that everybody may enter."""
    for folder in [tmp_path, *tmp_path.parents]:
        if folder.stat().st_mode & 0o7 != 0o7:
            folder.chmod(folder.stat().st_mode | 0o011)
    (tmp_path / "still.jpg").write_bytes(picture())
    return snapshot.set(CAMERA_URL=f"file:{tmp_path}/still.jpg", STATE_PATH=tmp_path / "state",
                        LOCAL_STORAGE_PATH=tmp_path / "pictures")


def cameras(snapshot):
    return {k.split("/")[0] for k in snapshot.stored()}


def as_user(user):
    return ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"]


def test_root_obeys_its_own(box):
    box.dotenv(OURS).capture().expect(0)
    assert cameras(box) == {"theirs"}


@pytest.mark.parametrize("what", ["folder", "file", "writable file", "writable folder", "link", "shared group", "list"])
def test_root_does_not_obey_a_strangers(box, what):
    box.dotenv(OURS)
    file = box.folder / ".env"
    match what:
        case "folder": os.chown(box.folder, STRANGER, STRANGER)
        case "file": os.chown(file, STRANGER, 0)
        case "writable file": file.chmod(0o666)
        case "writable folder": box.folder.chmod(0o1777)
        case "link":
            file.rename(box.folder / "theirs")
            file.symlink_to("theirs")
        case "shared group":
            os.chown(file, 0, OTHER)
            file.chmod(0o660)
        case "list":
            # user::rw-, user:STRANGER:rw-, group::---, mask::rw-, other::---
            entries = [(1, 6, -1), (2, 6, STRANGER), (4, 0, -1), (16, 6, -1), (32, 0, -1)]
            os.setxattr(file, "system.posix_acl_access",
                        struct.pack("<I", 2) + b"".join(struct.pack("<HHi", *entry) for entry in entries))
    run = box.capture().expect(0)
    assert cameras(box) == {"camera"}
    assert [w for w in run.warnings if ".env is not used" in w and "--config .env" in w], run.stderr
    # Named, it is obeyed.
    box.capture("--config", ".env").expect(0)
    assert cameras(box) == {"camera", "theirs"}


def test_a_users_own_counts_and_roots_too_but_no_other(box):
    os.chown(box.folder, STRANGER, STRANGER)
    box.set(STATE_PATH="state", LOCAL_STORAGE_PATH="snapshots").dotenv(OURS)
    file = box.folder / ".env"
    for owner, name in [(STRANGER, "mine"), (0, "roots"), (OTHER, "others")]:
        box.dotenv(f"CAMERA_NAME={name}\n")
        os.chown(file, owner, owner)
        run = box.capture(prefix=as_user(STRANGER)).expect(0)
        assert bool(run.warnings) == (owner == OTHER), run.stderr
    assert cameras(box) == {"mine", "roots", "camera"}


def test_the_line_of_a_file_that_a_stranger_names_is_not_sent(box, tmp_path):
    secret = tmp_path / "shadow"
    secret.write_text("root:$6$salt$hash\n")
    os.chown(box.folder, STRANGER, STRANGER)
    with Camera() as camera:
        box.dotenv(f"CAMERA_URL=http://127.0.0.1:{camera.port}/still.jpg\nCAMERA_PASSWORD_FILE={secret}\nCAMERA_USERNAME=x\n")
        os.chown(box.folder / ".env", STRANGER, STRANGER)
        run = box.set(CAMERA_URL=None).capture()
        assert run.code == 78 and "$6$" not in run.stderr
        assert not camera.requests


@pytest.mark.parametrize("text", [
    "DATABASE_URL=postgres://x\nPORT=3000\n",
    "AWS_ACCESS_KEY_ID=x\nAWS_SECRET_ACCESS_KEY=y\nAWS_REGION=eu-west-1\n",
    "SSL_CERT_FILE=/nowhere\nCURL_CA_BUNDLE=/nowhere\nHTTPS_PROXY=http://127.0.0.1:1\n",
    "PRIVATE_KEY=\"-----BEGIN\nabc\n-----END\"\n", "not settings at all \x01\n", "", "# STATE_PATH=/nowhere\n",
])
def test_another_programs_file_is_no_settings_file(box, text):
    box.capture().expect(0)
    box.dotenv(text)
    for run in (box.run("health"), box.capture()):
        assert run.expect(0).warnings == [w for w in run.warnings if "it holds no setting of snapshot" in w] != []
    assert box.run("check", "--json").json["checks"][0]["found"].startswith("environment and defaults")


def test_one_setting_of_ours_makes_it_ours(box):
    run = box.dotenv("PORT=3000\nexport CAMERA_NAME = theirs\n").capture().expect(0)
    assert cameras(box) == {"theirs"} and any("PORT" in w for w in run.warnings)

"""`snapshot setup` of a plain user: the dialogue on a terminal, right and wrong answers, and the same by options."""
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import tempfile
from pathlib import Path

import pytest

from builds import binary
from dialogue import Dialogue
from pictures import picture
from program import Snapshot
from receiver import Answer
from simulator import Simulator
from video_device import fake_device

pytestmark = pytest.mark.asan

PASSWORD = "pässword &+%=?#'\""
USER = 12345


@pytest.fixture(scope="module")
def place():
    """A folder that any user may enter, with the program in it."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        shutil.copy(binary("snapshot"), folder)
        yield Path(folder)


@pytest.fixture
def snapshot(place):
    """The program in a folder of a plain user."""
    folder = Path(tempfile.mkdtemp(dir=place))
    os.chown(folder, USER, USER)
    one = Snapshot(folder)
    one.binary = place / "snapshot"
    yield one
    one.stop()


def dialogue(snapshot, *arguments):
    return Dialogue(
        [str(snapshot.binary), "setup", *map(str, arguments)], cwd=snapshot.folder, user=USER, group=USER, extra_groups=[],
        env={**snapshot.environment, "TERM": "xterm", "NO_COLOR": "1"})


def settings(snapshot):
    return dict(line.split("=", 1) for line in (snapshot.folder / ".env").read_text().splitlines() if not line.startswith("#"))


def left(snapshot):
    return sorted(p.name for p in snapshot.folder.iterdir())


@pytest.fixture
def simulated():
    with Simulator("--password", PASSWORD) as camera:
        yield camera


@pytest.fixture
def password_file(place):
    path = place / "password"
    path.write_text(PASSWORD + "\n")
    path.chmod(0o644)
    return path


def still(place):
    """A picture in a file that anybody may read: the camera that costs nothing."""
    path = place / "still.jpg"
    path.write_bytes(picture())
    path.chmod(0o644)
    return f"file:{path}"


def test_the_whole_dialogue(snapshot, simulated):
    with dialogue(snapshot) as it:
        it.answer("number, address or URL", simulated.address)
        it.answer(r"user \[admin\]", "")
        it.secret("password", PASSWORD)
        it.expect("✓ login")
        it.expect(r"✓ picture +640×360")
        it.answer(r"1, 2 or 3 \[1\]", "")
        it.answer(r"folder \[./snapshots\]", "")
        it.expect("✓ storage")
        it.expect("every 10s: 8,640 pictures and about .* a day")
        it.answer("interval", "7")
        it.expect("every 7s: 12,342 pictures")
        it.answer("open it to the network", "n")
        assert left(snapshot) == [], "nothing is written before the end"
        it.expect("3 interval   7s")
        it.answer("Enter writes this", "")
        text = it.end()
    assert PASSWORD not in text
    picture = re.search(r"first picture: (\S+)", text)[1]
    assert (snapshot.folder / picture).read_bytes()[:2] == b"\xff\xd8"
    assert "* * * * * cd " in text and "--every 7s --for 55s" in text
    path = snapshot.folder / ".env"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and path.stat().st_uid == USER
    assert settings(snapshot)["CAPTURE_INTERVAL"] in ("7", "7s")
    assert settings(snapshot)["CAMERA_IP"] == simulated.address


def test_a_wrong_password_costs_one_try_and_the_next_answer_is_taken(snapshot, simulated):
    with dialogue(snapshot, "--folder", "./pictures", "--every", "1m", "--no-web") as it:
        it.answer("number, address or URL", simulated.address)
        it.answer("user", "")
        it.secret("password", "n0t-the-one")
        it.expect("✗ login")
        it.expect("[0-9]+ tries left")
        assert len(simulated.requests("Login")) == 1
        it.secret("another password", PASSWORD)
        it.expect("✓ picture")
        it.expect("2 pictures .*pictures")
        it.answer("Enter writes this", "")
        text = it.end()
    assert "n0t-the-one" not in text and PASSWORD not in text
    assert list((snapshot.folder / "pictures").rglob("*.jpg"))
    assert re.search(r"\n  \* \* \* \* \* cd \S+ && \S+snapshot capture --config .env >/dev/null\n", text)


def test_what_is_wrong_is_said_with_what_to_do_and_asked_again(snapshot, simulated):
    with dialogue(snapshot) as it:
        for broken, words in {"http//broken": "without http://", "a b": "host:port", "x" * 3000: "must be"}.items():
            it.answer("number, address or URL", broken)
            it.expect(f"✗ refused CAMERA_IP=.*{words}.*your answer")
        it.answer("number, address or URL", "127.0.0.1:1")
        it.answer("user", "")
        it.secret("password", "x")
        it.expect("✗ camera .*refused.*\n +hint: ")
        it.answer("try again", "n")
        it.answer("number, address or URL", simulated.address)
        it.answer("user", "")
        it.secret("password", PASSWORD)
        it.answer("1, 2 or 3", "1")
        it.answer("folder", "/proc/nothing")
        it.expect("✗ storage")
        it.answer("try again", "")
        it.answer("1, 2 or 3", "3")
        it.answer("address", "ftp://example.org")
        it.expect("✗ refused HTTP_UPLOAD_URL")
        it.answer("1, 2 or 3", "1")
        it.answer("folder", "./here")
        it.answer("interval", "often")
        it.expect("✗ refused CAPTURE_INTERVAL='often'")
        it.answer("interval", "1h")
        it.answer("open it", "perhaps")
        it.answer("open it", "")
        it.answer("Enter writes this", "")
        text = it.end()
    assert "\n  0 */1 * * * cd " in text and "24 pictures" in text


def test_a_bucket_that_denies_gets_the_smallest_policy(snapshot, simulated, endpoint):
    endpoint.always = Answer(403, body="<Error><Code>AccessDenied</Code></Error>")
    with dialogue(snapshot, "--every", "10s", "--no-web", "--set", f"S3_ENDPOINT_URL={endpoint.url}") as it:
        it.answer("number, address or URL", simulated.address)
        it.answer("user", "")
        it.secret("password", PASSWORD)
        it.answer("1, 2 or 3", "2")
        it.answer("bucket", "s3://pictures/yard")
        it.answer("endpoint", "")
        it.answer("region", "eu-central-1")
        it.secret("access key id", "AKIAEXAMPLE123")
        it.secret("secret access key", "a-secret-key-1234")
        it.expect("✗ storage")
        it.expect("smallest policy")
        policy = json.loads(it.expect(r"(?s)(\{.*\})\n")[1])
        assert policy["Statement"][0]["Action"] == "s3:PutObject"
        assert policy["Statement"][0]["Resource"] == "arn:aws:s3:::pictures/yard/*"
        endpoint.always = None
        it.answer("try again", "y")
        it.expect("✓ storage")
        it.expect("8,640 requests a day")
        it.answer("Enter writes this", "")
        text = it.end()
    assert "first picture: s3://pictures/yard/camera/" in text and "a-secret-key-1234" not in text
    assert settings(snapshot)["AWS_SECRET_ACCESS_KEY"] == "a-secret-key-1234"


@pytest.mark.parametrize("how", ["eof", "quit", "SIGINT", "SIGTERM", "SIGHUP"])
def test_who_leaves_leaves_nothing(snapshot, simulated, how):
    (snapshot.folder / ".env").write_text("CAMERA_NAME=old\n")
    with dialogue(snapshot) as it:
        it.answer("number, address or URL", simulated.address)
        it.answer("user", "")
        it.expect_secret("password")
        if how == "eof":
            it.type("\x04")
            assert "nothing was written" in it.end(0)
        elif how == "quit":
            it.type(f"{PASSWORD}\n")
            for question in ("1, 2 or 3", "folder", "interval", "open it"):
                it.answer(question, "")
            it.answer("Enter writes this", "q")
            it.end(0)
        else:
            it.process.send_signal(getattr(signal, how))
            it.end(-getattr(signal, how))
        assert it.shows_keys
    assert left(snapshot) == [".env"] and (snapshot.folder / ".env").read_text() == "CAMERA_NAME=old\n"


def test_run_again_it_shows_what_stands_and_changes_one_thing(snapshot, simulated, password_file):
    first = run(snapshot, "--camera", simulated.address, "--password-file", password_file, "--folder", "./one", "--every", "20s")
    assert first.code == 0, first
    with open(snapshot.folder / ".env", "a") as file:
        file.write("# my own remark\n")
    before = (snapshot.folder / ".env").read_text()
    logins = len(simulated.requests("Login"))
    with dialogue(snapshot) as it:
        it.expect(f"1 camera +{simulated.address}")
        it.answer("Enter writes this", "3")
        it.answer(r"interval.* \[20s\]", "30s")
        it.answer("Enter writes this", "")
        it.end()
    after = (snapshot.folder / ".env").read_text()
    assert after == before.replace("CAPTURE_INTERVAL=20s", "CAPTURE_INTERVAL=30s")
    assert (snapshot.folder / ".env.bak").read_text() == before
    assert stat.S_IMODE((snapshot.folder / ".env.bak").stat().st_mode) == 0o600
    assert len(simulated.requests("Login")) <= logins + 1


class Ran:
    def __init__(self, process):
        self.code, self.stdout, self.stderr = process.returncode, process.stdout, process.stderr

    def __repr__(self):
        return f"exit {self.code}\n{self.stdout}\n{self.stderr}"

    @property
    def json(self):
        return json.loads(self.stdout)


def run(snapshot, *arguments, yes=True):
    """By options, as a plain user."""
    return Ran(subprocess.run(
        [str(snapshot.binary), "setup", *map(str, arguments), *(["--yes"] if yes else [])], cwd=snapshot.folder,
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, user=USER, group=USER, extra_groups=[],
        env=snapshot.environment))


def test_options_answer_everything_and_again_change_nothing(snapshot, simulated, password_file):
    arguments = ["--camera", simulated.address, "--password-file", password_file, "--every", "30s", "--set", "CAMERA_NAME=yard", "--json"]
    report = run(snapshot, *arguments).json
    assert report["ok"] and report["changed"] and report["picture"].startswith("./snapshots/yard/"), report
    assert "--every 30s" in report["cron"]
    assert settings(snapshot)["CAMERA_NAME"] == "yard"
    again = run(snapshot, *arguments).json
    assert again["ok"] and not again["changed"]


@pytest.mark.parametrize("arguments, code, words", [
    (["--camera", "file:/gone.jpg", "--http", "http://127.0.0.1:9/up?token=s3cret"], 64, "--secret HTTP_UPLOAD_URL=FILE"),
    (["--camera", "rtsp://admin:secret12@10.0.0.1/"], 64, "command line"),
    (["--camera", "127.0.0.1", "--s3", "a", "--folder", "b"], 64, "only one of"),
    (["--instance", "front"], 64, "--instance"),
    (["--set", "CAMERA_PASSWORD=secret12"], 64, "command line"),
    (["--set", "CAMERA_URL=rtsp://admin:secret12@10.0.0.1/"], 64, "--secret CAMERA_URL=FILE"),
    (["--set", "CAMERA_NAM=x"], 64, "CAMERA_NAME"),
    (["--every", "often", "--camera", "127.0.0.1:1"], 78, "CAPTURE_INTERVAL"),
    (["--camera", "127.0.0.1:1"], 69, "camera"),
    (["--password-file", "/nowhere"], 64, "/nowhere"),
    (["--camera", "10.0.0.1\nCAMERA_URL=exec:/x"], 78, "must not contain line breaks"),
    (["--camera", "10.0.0.1\x1b[2J"], 78, r"\u{1b}[2J': must not contain"),
    (["--camera", "127.0.0.1:1", "--folder", "./a\rb"], 78, "must not contain line breaks"),
    (["--set", "CAMERA_NAME=a\nb"], 78, "refused CAMERA_NAME="),
    (["--camera", "file:{picture}", "--folder", "/proc/pictures"], 75, "a pseudo file system, which keeps no pictures"),
    (["--camera", "file:{picture}", "--folder", "/sys"], 75, "/sys is on a pseudo file system"),
    (["--camera", "file:{picture}", "--folder", "/dev/pictures/x"], 75, "/dev is on a pseudo file system"),
])
def test_what_can_not_be_done_leaves_nothing(snapshot, place, arguments, code, words):
    still(place)
    result = run(snapshot, *(argument.replace("{picture}", str(place / "still.jpg")) for argument in arguments))
    assert result.code == code and words in result.stderr and "secret12" not in result.stderr, result
    assert left(snapshot) == []


def test_a_refused_password_is_one_login_and_77(snapshot, simulated, place):
    wrong = place / "wrong"
    wrong.write_text("not-the-password")
    wrong.chmod(0o644)
    result = run(snapshot, "--camera", simulated.address, "--password-file", wrong, "--json")
    assert result.code == 77 and result.json["code"] == "camera-credentials" and left(snapshot) == [], result
    assert len(simulated.requests("Login")) == 1


def test_without_answers_a_script_is_told(snapshot):
    result = run(snapshot, yes=False)
    assert result.code == 64 and "--yes" in result.stderr and left(snapshot) == [], result


def test_what_is_no_line_of_text_is_asked_for_again(snapshot):
    lines = [b"\x1b[2J", b"x" * 100_000, b"\xff\xfe", b"\x00"]
    done = subprocess.run(
        [str(snapshot.binary), "setup"], cwd=snapshot.folder, input=b"\n".join(lines) + b"\n", capture_output=True, timeout=30,
        user=USER, group=USER, extra_groups=[], env=snapshot.environment)
    assert done.returncode == 64, done
    assert re.findall(r"✗ the answer (.*); type it again", done.stdout.decode()) == [
        r"contains a control character, \u{1b}", "is longer than 4094 bytes", "isn't UTF-8 text", r"contains a control character, \u{0}"]
    assert b"\x1b" not in done.stdout and left(snapshot) == []


@pytest.mark.parametrize("mode, owner", [(0o666, None), (0o644, 1), (0o666, 1)])
def test_nothing_is_taken_from_a_file_of_somebody_elses(snapshot, place, mode, owner):
    program = place / "program"
    program.write_text("#!/bin/sh\ntouch ran\n")
    program.chmod(0o755)
    file = snapshot.folder / ".env"
    file.write_text(f"CAMERA_URL=exec:{program}\n")
    file.chmod(mode)
    if owner is not None:
        os.chown(file, owner, owner)
    before = file.read_bytes(), file.stat().st_mode
    done = run(snapshot, "--every", "10s")
    assert done.code == 78 and "cannot use .env" in done.stderr and "mv .env .env.old" in done.stderr, done
    assert not (snapshot.folder / "ran").exists() and (file.read_bytes(), file.stat().st_mode) == before


@pytest.mark.parametrize("content, code, words", [
    (b"two\nlines\n", 78, "must not contain line breaks"), (b"\xff\xfe", 64, "isn't UTF-8 text"), (b"\n", 64, "it is empty"),
    (b"a\x00b", 78, "control characters")])
def test_a_file_that_holds_no_password_is_refused(snapshot, place, content, code, words):
    path = place / "odd"
    path.write_bytes(content)
    path.chmod(0o644)
    result = run(snapshot, "--camera", "127.0.0.1:1", "--password-file", path)
    assert result.code == code and words in result.stderr and "two" not in result.stderr and left(snapshot) == [], result


def test_headers_of_several_lines_are_written_on_one(snapshot, place, endpoint):
    path = place / "headers"
    path.write_text("X-One: it's 1\r\nX-Two: \"2\"\n")
    path.chmod(0o644)
    result = run(snapshot, "--camera", still(place), "--http", endpoint.url, "--secret", f"HTTP_UPLOAD_HEADERS={path}", "--json")
    assert result.code == 0, result
    assert endpoint.last.headers["X-One"] == "it's 1" and endpoint.last.headers["X-Two"] == '"2"'


def test_the_page_is_as_closed_as_asked(snapshot, place):
    assert run(snapshot, "--camera", still(place), "--every", "1m", "--web").code == 0
    assert settings(snapshot)["WEB_IMAGES"] == "true" and settings(snapshot)["HEALTH_CHECK_ADDRESS"] == "0.0.0.0"
    assert run(snapshot, "--no-web").code == 0
    assert (settings(snapshot)["WEB_IMAGES"], settings(snapshot)["HEALTH_CHECK_ADDRESS"]) == ("", "")
    assert not run(snapshot, "--no-web", "--json").json["changed"]


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o400])
def test_a_file_that_is_too_open_gets_its_mode(snapshot, place, mode):
    assert run(snapshot, "--camera", still(place), "--every", "1m").code == 0
    path = snapshot.folder / ".env"
    before = path.read_bytes()
    path.chmod(mode)
    report = run(snapshot, "--every", "1m", "--json").json
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and path.read_bytes() == before and report["written"] == [".env"]
    assert ".env.bak" not in left(snapshot), "the content is the same"
    assert run(snapshot, "--every", "1m", "--json").json["written"] == []


@pytest.mark.parametrize("mode, is_kept", [(0o1777, False), (0o770, False), (0o755, True)])
def test_old_settings_are_kept_only_where_nobody_else_can_write(snapshot, place, mode, is_kept):
    assert run(snapshot, "--camera", still(place), "--every", "1m").code == 0
    before = (snapshot.folder / ".env").read_bytes()
    snapshot.folder.chmod(mode)
    if mode == 0o1777:
        os.chown(snapshot.folder, 0, 0)
    result = run(snapshot, "--every", "5m")
    assert result.code == 0 and settings(snapshot)["CAPTURE_INTERVAL"] == "5m", result
    assert (".env.bak" in left(snapshot)) == is_kept
    assert ("the old .env isn't kept as .env.bak: others can write in its folder" in result.stdout) != is_kept
    if is_kept:
        kept = snapshot.folder / ".env.bak"
        assert kept.read_bytes() == before and stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_what_cannot_be_written_changes_nothing(snapshot, place):
    assert run(snapshot, "--camera", still(place), "--every", "1m").code == 0
    before = (snapshot.folder / ".env").read_bytes()
    (snapshot.folder / ".env.bak").mkdir()
    result = run(snapshot, "--every", "5m")
    assert result.code == 74 and ".env.bak" in result.stderr and "nothing has been changed" in result.stderr, result
    assert (snapshot.folder / ".env").read_bytes() == before and ".env.new" not in left(snapshot)


def test_comments_stay(snapshot, place):
    path = snapshot.folder / ".env"
    path.write_text(f"# my camera\nCAMERA_URL={still(place)}\nCAPTURE_INTERVAL='1m' # as Ann wants it\n# the end\n")
    os.chown(path, USER, USER)
    assert run(snapshot, "--every", "2h").code == 0
    text = path.read_text()
    assert "CAPTURE_INTERVAL=2h # as Ann wants it\n# the end\n" in text and text.startswith("# my camera\n")


# A camera at this machine: ffmpeg is the real one where it must fail, and a test pattern where a picture comes.

@pytest.mark.parametrize("device, words", [
    ("/dev/video63", "there is no such device"), ("/dev/null", "it isn't a video device"),
    ("/dev/video63/x", "there is no such device")])
def test_a_device_that_is_no_camera_is_said(snapshot, device, words):
    result = run(snapshot, "--camera", device)
    assert result.code == 69 and f"cannot open camera {device}: {words}" in result.stderr and "hint" in result.stderr, result
    assert left(snapshot) == []


def test_a_camera_at_this_machine_is_an_answer(snapshot, place):
    folder = place / "bin"
    folder.mkdir(exist_ok=True)
    path = fake_device(folder, "color=white:size=320x240:rate=25")
    folder.chmod(0o755)
    (folder / "ffmpeg").chmod(0o755)
    snapshot.environment["PATH"] = path
    with dialogue(snapshot, "--folder", "./pictures", "--every", "1m", "--no-web") as it:
        it.answer("number, address or URL", "/dev/video63x")
        it.expect("✗ .*/dev/video63x.*\n +hint: ")
        it.answer("try again", "n")
        it.answer("number, address or URL", "/dev/video7")
        it.expect("✓ picture +320×240")
        it.answer("Enter writes this", "")
        it.end()
    assert settings(snapshot)["CAMERA_URL"] == "v4l2:/dev/video7" and "CAMERA_IP" not in settings(snapshot)
    assert list((snapshot.folder / "pictures").rglob("*.jpg"))


@pytest.mark.parametrize("last", [0, 2, 4, 5])
def test_ctrl_c_ends_it_at_every_question(snapshot, place, last):
    questions = [("number, address or URL", still(place)), ("1, 2 or 3", "1"), ("folder", "./here"), ("interval", "1m"), ("open it", "n"),
                 ("Enter writes this", "")]
    with dialogue(snapshot) as it:
        for question, answer in questions[:last]:
            it.answer(question, answer)
        it.expect(questions[last][0])
        it.process.send_signal(signal.SIGINT)
        it.end(-signal.SIGINT)
        assert it.shows_keys
    assert left(snapshot) == []

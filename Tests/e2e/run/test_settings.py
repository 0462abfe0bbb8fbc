"""Settings: where they come from, how files are written, what is refused and how that is said."""
import os
import subprocess

import pytest

from camera import Camera
from pictures import picture
from receiver import Answer
from settings_tables import BAD_FILES, BAD_VALUES, GOOD_FILES, GOOD_VALUES

pytestmark = pytest.mark.asan


@pytest.fixture
def still(snapshot, tmp_path):
    """The program with a picture in a file for a camera: no network, so that many settings can be tried."""
    path = tmp_path / "still.jpg"
    path.write_bytes(picture())
    snapshot.picture = path
    return snapshot.set(CAMERA_URL=f"file:{path}")


def stored_as(snapshot, name):
    """Whether a picture was stored under the camera of that name."""
    return any(k.startswith(name + "/") for k in snapshot.stored())


def test_the_first_source_wins(still):
    still.dotenv("CAMERA_NAME=file\n").capture().expect(0)
    assert stored_as(still, "file")
    still.capture(env={"CAMERA_NAME": "environment"}).expect(0)
    assert stored_as(still, "environment")
    (still.folder / "other.env").write_text("CAMERA_NAME=other\n")
    still.capture("--config", "other.env").expect(0)
    assert stored_as(still, "other"), "--config takes the place of ./.env"
    assert len(still.stored()) == 3


def test_a_config_file_that_is_not_there(still):
    still.capture("--config", "missing.env").refuses(78, "missing.env")


def test_settings_come_through_a_pipe_too(still):
    run = subprocess.run(["bash", "-c", '"$0" capture --config <(sleep 0.1; echo CAMERA_NAME=a; sleep 0.1; echo CAMERA_NAME=piped)',
                          still.binary], cwd=still.folder, env={**still.environment, **still.settings})
    assert run.returncode == 0
    assert stored_as(still, "piped")


@pytest.mark.parametrize("where", ["--config", "CAMERA_PASSWORD_FILE"])
def test_a_pipe_that_nobody_writes_to_is_no_hang(still, where):
    os.mkfifo(still.folder / "pipe")
    arguments = ["--config", "pipe"] if where == "--config" else []
    env = {where: "pipe"} if where == "CAMERA_PASSWORD_FILE" else {}
    still.capture(*arguments, env=env, timeout=15).refuses(78, "nobody writes into it")


def test_a_bad_file_in_the_working_folder_is_refused_where_it_speaks_of_us(still):
    for text in ["CAMERA_NAME x\n", "set CAMERA_NAME=x\n", "CAMERA_NAME: x\n", '"CAMERA_NAME"=x\n', b"CAMERA_NAME=T\xfcr\n",
                 "CAMERA_NAME=x\n".encode("utf-16")]:
        still.dotenv(text).capture().refuses(78, ".env:1")


def test_a_pipe_in_the_working_folder_is_not_waited_for(still):
    os.mkfifo(still.folder / ".env")
    assert ".env is not used: it isn't a regular file" in still.capture().expect(0).stderr


def test_a_file_that_is_no_settings_file_is_refused_whole(still):
    still.dotenv(b"CAMERA_NAME=door\n" + b"#" * (2 << 20) + b"\nCAPTURE_INTERVAL=5\n").capture().refuses(78, ".env", "too large")


def test_json_tells_settings_that_are_refused(still):
    result = still.set(CAPTURE_INTERVAL="soon").capture("--json").refuses(78, "CAPTURE_INTERVAL")
    assert (result.json["result"], result.json["exit"], result.json["code"]) == ("none", 78, "settings")


def test_an_empty_value_is_unset(still):
    still.dotenv("CAMERA_NAME=file\n").capture(env={"CAMERA_NAME": ""}).expect(0)
    assert stored_as(still, "file")
    still.dotenv("CAMERA_NAME=\nCAPTURE_INTERVAL=\nUPLOAD_ATTEMPTS=\n").capture().expect(0)
    assert stored_as(still, "camera")


def test_secrets_come_from_files_and_credentials_before_the_environment(snapshot, tmp_path):
    (tmp_path / "credentials").mkdir()
    (tmp_path / "file").write_text("from-file\n")
    snapshot.set(CAMERA_PASSWORD="from-environment")
    for password, more in (("from-environment", {}), ("from-file", {"CAMERA_PASSWORD_FILE": tmp_path / "file"}),
                           ("from-credential", {"CAMERA_PASSWORD_FILE": tmp_path / "file",
                                                "CREDENTIALS_DIRECTORY": tmp_path / "credentials"})):
        (tmp_path / "credentials/camera-password").write_text("from-credential")
        with Camera(password=password) as camera:
            snapshot.set(CAMERA_IP=camera.address).capture(env=more).expect(0)


def test_a_secret_file_that_is_not_there(still):
    result = still.capture(env={"HTTP_AUTH_TOKEN_FILE": "/no/such/file", "STORAGE_BACKEND": "http",
                                "HTTP_UPLOAD_URL": "http://127.0.0.1:9/"})
    result.refuses(78, "HTTP_AUTH_TOKEN", "/no/such/file")


def test_an_interval_with_its_comment_works_from_file_and_environment(still):
    text = "10  # seconds between snapshots"
    still.dotenv(f"CAPTURE_INTERVAL={text}\n").capture().expect(0)
    assert still.health()["interval_seconds"] == 10
    env = {"CAPTURE_INTERVAL": text.replace("10", "20")}
    still.capture(env=env).expect(0)
    assert still.health(env=env)["interval_seconds"] == 20


@pytest.mark.parametrize("left, meant", [("# the door", "camera"), ("door# the door", "door"), ("door # 1", "door"),
                                         ('"door # 1"', "door # 1"), ("'door' # 1", "door"), ("no#1", "no#1"),
                                         ('"door #1"', "door #1")])
def test_what_others_leave_on_a_value(still, left, meant):
    """systemd 252 makes `# c` of an empty value with a comment, and `door# c` of a quoted one; Docker leaves the quotes."""
    result = still.capture(env={"CAMERA_NAME": left}).expect(0)
    assert stored_as(still, meant)
    isCut = left[0] not in "#'\"" and left != meant
    assert [("CAMERA_NAME" in w and f"'{meant}'" in w) for w in result.warnings] == [True] * isCut, "nothing is cut in silence"


@pytest.mark.parametrize("key, left", [
    ("CAMERA_NAME", "door #1"), ("CAMERA_NAME", "door #1 # the door"), ("CAMERA_NAME", "no\t#7"), ("CAMERA_USERNAME", "anna #2"),
    ("KEY_TEMPLATE", "a #1/{timestamp}.jpg"), ("LOCAL_STORAGE_PATH", "disk #2"), ("CAMERA_NAME", '"door'), ("CAMERA_NAME", "'door # 1")])
def test_what_may_be_meant_in_two_ways_is_refused(still, key, left):
    assert still.capture(env={key: left}).refuses(78, key, "environment").hints
    assert not still.stored()


@pytest.mark.parametrize("text, other", [('"status":"ok"', "'"), ('"ok', "'"), ("'a' b", '"'), ('"a" "b"', "'")])
def test_a_quote_that_belongs_to_the_value(still, endpoint, text, other):
    """What the hint says works: in the environment and in a file."""
    endpoint.always = Answer(200, {}, "{%s}" % text)
    still.set(**endpoint.as_http())
    for refused in (lambda: still.capture(env={"HTTP_UPLOAD_ACK": text}), lambda: still.dotenv(f"HTTP_UPLOAD_ACK={text}\n").capture()):
        assert f"{other}…{other}" in refused().expect(78).hints[0]
    assert not endpoint.received
    still.dotenv("").capture(env={"HTTP_UPLOAD_ACK": f"{other}{text}{other}"}).expect(0)
    still.dotenv(f"HTTP_UPLOAD_ACK={other}{text}{other}\n").capture().expect(0)
    still.set(HTTP_UPLOAD_ACK=f"{other}{text}!{other}").capture().expect(75)


@pytest.mark.parametrize("left", ['"secret"', "'secret'", "'it's'", '""'])
def test_quotes_that_a_container_leaves_on_a_secret(snapshot, tmp_path, left):
    """`docker run --env-file` knows no quotes. No such password reaches the camera, where it would count as a wrong one."""
    (tmp_path / "secret").write_text(left)
    with Camera(password=left) as camera:
        snapshot.set(CAMERA_IP=camera.address)
        result = snapshot.capture(env={"CAMERA_PASSWORD": left}).refuses(78, "CAMERA_PASSWORD", "quotes", "CAMERA_PASSWORD_FILE")
        assert result.hints and "secret" not in result.errors[0] and not camera.requests
        snapshot.capture(env={"CAMERA_PASSWORD_FILE": tmp_path / "secret"}).expect(0)


@pytest.mark.parametrize("left", ["secret\u00a0", "\u200bsecret", "\ufeffsecret", "secret\u2028"])
def test_an_invisible_sign_that_was_copied_with_a_secret(snapshot, tmp_path, left):
    (tmp_path / "secret").write_text(left)
    with Camera(password=left) as camera:
        snapshot.set(CAMERA_IP=camera.address)
        result = snapshot.capture(env={"CAMERA_PASSWORD": left}).refuses(78, "CAMERA_PASSWORD", "invisible", "U+")
        assert result.hints and "secret" not in result.hints[0] and not camera.requests
        snapshot.dotenv(f"CAMERA_PASSWORD='{left}'\n").capture().refuses(78, "invisible")
        if not left.startswith("\ufeff"):
            snapshot.dotenv("").capture(env={"CAMERA_PASSWORD_FILE": tmp_path / "secret"}).expect(0)


@pytest.mark.parametrize("path", ["$HOME/secret", "~/secret", "${CREDENTIALS_DIRECTORY}/x", "%d/camera_password"])
def test_the_name_of_a_secrets_file_is_not_expanded_either(still, path):
    assert still.capture(env={"CAMERA_PASSWORD_FILE": path}).refuses(78, "CAMERA_PASSWORD_FILE").hints


@pytest.mark.parametrize("name", ["web", "spool", "relay", "hls", "record", "credentials"])
def test_an_instance_is_not_called_as_something_of_ours(still, tmp_path, name):
    still.capture(env={"STATE_PATH": tmp_path / "all"}).expect(0)
    for path in (tmp_path / "all" / name, f"{tmp_path}/all/{name}/"):
        still.capture(env={"STATE_PATH": path}).refuses(78, f"instance {name}", "another name")
        assert still.run("health", env={"STATE_PATH": path}).code == 78
    still.capture(env={"STATE_PATH": tmp_path / "all/door"}).expect(0)
    still.capture(env={"STATE_PATH": tmp_path / "elsewhere" / name}).expect(0)
    assert still.run("schedule", "--print", "--instance", name, "10s").code == 78


@pytest.mark.parametrize("left", ["# from the app", "secret# from the app", "secret # from the app"])
def test_a_secret_with_what_may_be_a_comment_is_refused(still, left):
    result = still.capture(env={"CAMERA_PASSWORD": left}).refuses(78, "CAMERA_PASSWORD")
    assert result.hints and "from the app" not in result.stderr


def test_text_that_is_not_utf8_is_refused(still):
    still.settings["CAMERA_NAME"] = b"t\xfcr".decode(errors="surrogateescape")
    still.capture().refuses(78, "CAMERA_NAME", "UTF-8")


def test_a_secret_from_an_editor_of_windows(snapshot, tmp_path):
    (tmp_path / "secret").write_bytes(b"\xef\xbb\xbfsecret\r\n")
    with Camera(password="secret") as camera:
        snapshot.set(CAMERA_IP=camera.address).capture(env={"CAMERA_PASSWORD_FILE": tmp_path / "secret"}).expect(0)


def test_a_template_whose_keys_would_not_fit(still):
    still.set(KEY_TEMPLATE="{camera}" * 60, CAMERA_NAME="x" * 60).capture().refuses(78, "KEY_TEMPLATE", "512")


@pytest.mark.parametrize("file", GOOD_FILES.values(), ids=GOOD_FILES)
def test_the_dialect(still, file):
    text, expected = file
    result = still.dotenv(text).capture().expect(0)
    assert stored_as(still, expected), (list(still.stored()), result.stderr)
    assert not result.stderr


def test_unknown_keys_are_warned_about_with_the_nearest_name(still):
    result = still.dotenv("CAMERA_PASWORD=canary-x\nCAMERA_NAME=x\nCAMERA_ADRESS=1\nMY_OWN_THING=3\n").capture().expect(0)
    assert len(result.warnings) == 3, result.stderr
    assert "CAMERA_PASWORD" in result.warnings[0] and "CAMERA_PASSWORD" in result.warnings[0]
    assert ".env:1" in result.warnings[0] and "canary-x" not in result.stderr and "MY_OWN_THING" in result.stderr


def test_every_bad_file_is_refused_with_file_and_line(still):
    """About two hundred files; each names where it is wrong, and no camera is touched."""
    failures = []
    for name, (text, where, words) in BAD_FILES.items():
        result = still.dotenv(text).capture("--config", ".env")
        said = result.stderr
        for wrong, problem in ((result.code != 78, f"exit {result.code}"), (len(result.errors) != 1, "not one error line"),
                               (where not in said, f"no {where}"), ("canary" in said, "value shown"),
                               (not all(w in said for w in words), f"not all of {words}"), (len(said) > 1000, "long"),
                               (not all(c.isprintable() or c == "\n" for c in said), "unprintable")):
            if wrong:
                failures.append(f"{name}: {problem}: {said.strip()!r}")
    assert not failures, f"{len(failures)} of {len(BAD_FILES)}\n" + "\n".join(failures)
    assert not still.stored() and not still.state_folder.exists()


def test_every_bad_value_names_key_value_and_rule(still):
    failures = []
    for key, value, more in BAD_VALUES:
        other = {"CAMERA_URL": None} if "CAMERA_IP" in more or key == "CAMERA_URL" else {}
        for where in ("file", "environment"):
            if where == "file":
                result = still.dotenv({**more, key: f"'{value}'"}).capture(env=other)
            else:
                still.dotenv("")
                result = still.capture(env={**other, **more, key: value})
            said = result.stderr
            # The path of PING_URL is a secret, so it isn't shown.
            shown = value.partition("/x")[0] if key == "PING_URL" else value[:30].strip()
            if result.code != 78 or len(result.errors) != 1 or key not in said or shown not in said:
                failures.append(f"{key}={value!r} from {where}: exit {result.code}: {said.strip()!r}")
    assert not failures, f"{len(failures)} of {2 * len(BAD_VALUES)}\n" + "\n".join(failures)
    assert not still.stored()


def test_every_good_value_is_taken(still):
    failures = []
    for key, value in GOOD_VALUES:
        result = still.capture(env={key: value})
        if result.code != 0 or result.stderr:
            failures.append(f"{key}={value!r}: exit {result.code}: {result.stderr.strip()!r}")
    assert not failures, "\n".join(failures)


@pytest.mark.parametrize("arguments", [["--no-such-option"], ["capture", "extra"], ["nonsense"], ["capture", "--every"],
                                       ["capture", "--every", "x"], ["capture", "--every", "106752d"],
                                       ["health", "--json", "--nagios", "--prometheus"]])
def test_usage_errors_exit_64(still, arguments):
    result = still.run(*arguments)
    assert result.code == 64 and not result.stdout
    assert len(result.errors) == 1 and len(result.stderr.splitlines()) == 1 + len(result.hints), result.stderr


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["capture", "--help"], ["health", "--help"]])
def test_help_and_version_go_to_stdout(still, arguments):
    result = still.run(*arguments)
    assert result.code == 0 and result.stdout and not result.stderr


def test_capture_is_the_default_command(still):
    still.run().expect(0)
    assert len(still.stored()) == 1

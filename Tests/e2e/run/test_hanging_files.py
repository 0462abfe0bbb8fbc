"""Programs, and files of the settings, in a folder that stops answering: the run ends in time, gives its lock back, records what
it found, leaves at most one process behind, and later runs work again."""
import json
import os
import shutil
import signal
import time

import pytest

import tls
from camera import Camera
from credential_provider import CredentialProcess
from pictures import picture
from process import wait_until, working_in
from receiver import Receiver

pytestmark = pytest.mark.asan

PASSWORD = "pässwörd &+%=?#/\\\"'"


def left_behind(snapshot):
    """The program's own processes, and those that it started."""
    return working_in(snapshot.folder)


def within(seconds, call, *arguments, **more):
    begin = time.monotonic()
    result = call(*arguments, **more)
    assert time.monotonic() - begin < seconds, result.stderr
    return result


def works_again(snapshot, net):
    """After the folder answers."""
    net.answer()
    wait_until(lambda: not left_behind(snapshot), 10)
    snapshot.capture().expect(0)


def grabber(net, snapshot):
    shutil.copy("/bin/cat", net.behind / "grab")
    (snapshot.folder / "still.jpg").write_bytes(picture())
    return f"exec:{net.path}/grab {snapshot.folder}/still.jpg"


@pytest.mark.parametrize("calls", ["all", "getattr", "open", "read"])
def test_a_camera_program_there(snapshot, net, calls):
    snapshot.set(CAMERA_URL=grabber(net, snapshot), CAMERA_TIMEOUT="1s", FROZEN_AFTER="0").capture().expect(0)
    net.hang(calls)
    first = within(8, snapshot.capture).refuses(69, f"{net.path}/grab")
    assert calls == "read" or f"disk of {net.path}" in first.hints[0]
    assert snapshot.state["outcome"]["code"] in ("camera-file", "camera-timeout")
    for _ in range(2):
        within(8, snapshot.capture).refuses(69, f"{net.path}/grab", "hangs")
        assert len(left_behind(snapshot)) <= 1
    assert snapshot.health()["capture_failures"] == 3
    works_again(snapshot, net)


def test_check_tries_it_and_ends(snapshot, net):
    snapshot.set(CAMERA_URL=grabber(net, snapshot), CAMERA_TIMEOUT="1s").capture().expect(0)
    net.hang()
    found = within(30, snapshot.run, "check", "--json", timeout=60)
    assert found.code == 69 and "hangs" in found.stdout
    works_again(snapshot, net)


@pytest.mark.parametrize("interpreter", ["/bin/cat", "{net}/cat"])
def test_a_program_that_is_caught_there(snapshot, net, interpreter, tmp_path):
    """A program on the local disk, which reads there, or whose interpreter is there."""
    shutil.copy("/bin/cat", net.behind / "cat")
    (net.behind / "still.jpg").write_bytes(picture())
    program = tmp_path / "program"
    program.write_text(f"#!{interpreter.format(net=net.path)}\n")
    program.chmod(0o755)
    url = f"exec:{interpreter} {net.path}/still.jpg" if interpreter == "/bin/cat" else f"exec:{program}"
    snapshot.set(CAMERA_URL=url, CAMERA_TIMEOUT="1s", FROZEN_AFTER="0").capture().expect(0 if interpreter == "/bin/cat" else 69)
    net.hang()
    within(10, snapshot.capture).refuses(69)
    for _ in range(2):
        within(8, snapshot.capture).refuses(69, "still hangs", "ps -o")
        assert len(left_behind(snapshot)) <= 1
    net.answer()
    wait_until(lambda: not left_behind(snapshot), 10)
    snapshot.capture().expect(0 if interpreter == "/bin/cat" else 69)


def test_a_repeating_run_goes_on(snapshot, net):
    snapshot.set(CAMERA_URL=grabber(net, snapshot), CAMERA_TIMEOUT="1s", FROZEN_AFTER="0")
    run = snapshot.start("capture", "--every", "2s", "--for", "25s")
    wait_until(lambda: len(snapshot.stored()) >= 1, 10)
    net.hang()
    wait_until(lambda: snapshot.health()["capture_failures"] >= 2, 20)
    net.answer()
    stored = len(snapshot.stored())
    wait_until(lambda: len(snapshot.stored()) > stored, 20)
    run.result(40).expect(0)


@pytest.fixture
def s3(ready, endpoint):
    return ready.set(**endpoint.as_s3(AWS_ACCESS_KEY_ID=None, AWS_SECRET_ACCESS_KEY=None, UPLOAD_DEADLINE="2s"))


def test_a_credential_process_there(s3, net, camera):
    lend = CredentialProcess(net.behind / "lend")
    (s3.folder / ".aws").mkdir()
    (s3.folder / ".aws/config").write_text(lend.profile(command=f"{net.path}/lend/lend"))
    lend.gives("ASIAFIRST00000000001", 1)
    s3.capture().expect(0)
    net.hang()
    told = within(20, s3.capture).refuses(75, "credential_process", f"{net.path}/lend/lend", "hangs")
    assert told.hints and s3.spooled_pictures() == [camera.last]
    within(20, s3.capture).refuses(75, "hangs")
    # A child that was to look at the program, and the program itself.
    assert len(left_behind(s3)) <= 2 and s3.health()["spool"]["count"] == 2
    works_again(s3, net)
    assert not s3.spooled_pictures()


def test_the_authorities_of_a_camera_there(snapshot, net):
    """With --every the settings aren't read again: the request finds out, and names the file, not CAMERA_TIMEOUT."""
    authority = tls.Authority(net.behind)
    with Camera(certificate=authority.issue("127.0.0.1")) as camera:
        snapshot.set(CAMERA_URL=camera.still_url().replace("http:", "https:"), CAMERA_TLS_VERIFY="ca", CAMERA_TIMEOUT="30s",
                     SSL_CERT_FILE=net.path / "ca.pem", FROZEN_AFTER="0")
        run = snapshot.start("capture", "--every", "1s", "--for", "60s")
        wait_until(lambda: snapshot.stored(), 20, "picture")
        net.hang("all")
        wait_until(lambda: "its folder hangs" in run.stderr, 30, "failure")
        told = next(line for line in run.stderr.splitlines() if "its folder hangs" in line)
        assert f"{net.path}/ca.pem" in told and "CAMERA_TIMEOUT" not in told
        run.signal(signal.SIGTERM)
        run.result(30)
        within(8, snapshot.capture).refuses(75, "SSL_CERT_FILE", "its folder hangs", f"{net.path}/ca.pem")
        works_again(snapshot, net)


CREDENTIALS = "[default]\naws_access_key_id = AKIAFAKE\naws_secret_access_key = fakeSecret\n"


@pytest.mark.parametrize("name", ["AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE", "HOME", "AWS_SECRET_ACCESS_KEY_FILE", "AWS_CA_BUNDLE"])
@pytest.mark.parametrize("calls", ["all", "read"])
def test_a_file_of_the_store_there(s3, net, camera, name, calls):
    folder = net.behind / ".aws"
    folder.mkdir()
    for file in ("credentials", "config"):
        (folder / file).write_text(CREDENTIALS)
    (net.behind / "secret").write_text("fakeSecret\n")
    tls.Authority(net.behind)
    s3.set(AWS_CONFIG_FILE="/dev/null").set(**{
        "AWS_SHARED_CREDENTIALS_FILE": {name: net.path / ".aws/credentials"}, "AWS_CONFIG_FILE": {name: net.path / ".aws/config"},
        "HOME": {name: net.path, "AWS_CONFIG_FILE": None}, "AWS_SECRET_ACCESS_KEY_FILE": {"AWS_ACCESS_KEY_ID": "AKIAFAKE", name: net.path / "secret"},
        "AWS_CA_BUNDLE": {"AWS_ACCESS_KEY_ID": "AKIAFAKE", "AWS_SECRET_ACCESS_KEY": "s", name: net.path / "ca.pem"},
    }[name])
    s3.capture().expect(0)
    net.hang(calls)
    for number in range(2):
        told = within(14, s3.capture).refuses(75, "its folder hangs", str(net.path))
        assert "check whether the server" in told.hints[0] and s3.health()["spool"]["count"] == number + 1
        assert s3.state["outcome"]["code"] == "store-timeout" and len(left_behind(s3)) <= 1
    assert camera.last in s3.spooled_pictures()
    found = within(40, s3.run, "check", "--json", timeout=60)
    storage, = [line for line in json.loads(found.stdout)["checks"] if line["name"] == "storage"]
    assert found.code == 75 and "hangs" in storage["found"]
    works_again(s3, net)
    assert not s3.spooled_pictures() and s3.health()["status"] == "healthy"


def test_a_repeating_run_takes_the_store_up_again(s3, net, camera):
    """The settings are read once, but the store's file, whose folder hung then, is read later."""
    (net.behind / "credentials").write_text(CREDENTIALS)
    s3.set(AWS_CONFIG_FILE="/dev/null", AWS_SHARED_CREDENTIALS_FILE=net.path / "credentials")
    net.hang()
    run = s3.start("capture", "--every", "2s", "--for", "90s")
    wait_until(lambda: s3.spooled_pictures(), 30, f"a spooled picture: {run.stderr}")
    net.answer()
    # A folder that hung isn't tried again at once.
    wait_until(lambda: s3.health()["total_uploads"] > 0 and not s3.spooled_pictures(), 40, f"the store: {run.stderr}")
    os.kill(run.pid, signal.SIGTERM)
    run.result(20)


@pytest.mark.parametrize("name", ["HTTP_AUTH_TOKEN_FILE", "HTTP_CLIENT_CERT", "SSL_CERT_FILE"])
def test_a_file_of_an_http_store_there(ready, endpoint, net, name):
    (net.behind / "file").write_text("token-of-the-store\n")
    ready.set(**endpoint.as_http(**{name: net.path / "file"}))
    if name == "HTTP_AUTH_TOKEN_FILE":
        ready.capture().expect(0)
    net.hang()
    within(14, ready.capture).refuses(75, name.removesuffix("_FILE"), "its folder hangs")
    assert ready.health()["spool"]["count"] == 1
    net.answer()
    wait_until(lambda: not left_behind(ready), 10)
    if name == "HTTP_AUTH_TOKEN_FILE":
        ready.capture().expect(0)
        assert ready.health()["spool"]["count"] == 0


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "CURL_CA_BUNDLE", "HTTP_CLIENT_CERT"])
def test_a_pipe_instead_of_a_file(ready, tmp_path, name):
    """libcurl would wait for its writer, for ever, with the lock held."""
    os.mkfifo(tmp_path / "pipe")
    authority = tls.Authority(tmp_path)
    with Receiver(ssl=tls.server(authority, demands=False)) as store:
        ready.set(**store.as_http(**{name: tmp_path / "pipe"}))
        within(14, ready.capture).refuses(78, name, "regular file")


def test_the_password_there(ready, net, camera):
    (net.behind / "password").write_text(PASSWORD)
    ready.set(CAMERA_PASSWORD=None, CAMERA_PASSWORD_FILE=net.path / "password").capture().expect(0)
    net.hang()
    for number in range(2):
        told = within(8, ready.capture).refuses(75, "CAMERA_PASSWORD", f"{net.path}/password", "its folder hangs")
        assert told.hints == [f"check whether the server or disk of {net.path} responds"]
        assert ready.state["capture_failures"] == number + 1 and len(left_behind(ready)) <= 1
    within(4, ready.run, "health")
    works_again(ready, net)


def test_the_settings_file_there(ready, net):
    settings = net.behind / "snapshot.env"
    settings.write_text("CAMERA_NAME=front\n")
    ready.set(CAMERA_NAME=None)
    ready.capture("--config", net.path / "snapshot.env").expect(0)
    net.hang()
    for _ in range(3):
        within(8, ready.capture, "--config", net.path / "snapshot.env").refuses(75, "settings file", "its folder hangs")
        assert len(left_behind(ready)) <= 1
    net.answer()
    wait_until(lambda: not left_behind(ready), 10)
    ready.capture("--config", net.path / "snapshot.env").expect(0)


def test_runs_side_by_side_wait_for_each_other_there(ready, net):
    """A folder that is slow for one isn't one that hangs for the other."""
    (net.behind / "password").write_text(PASSWORD)
    ready.set(CAMERA_PASSWORD=None, CAMERA_PASSWORD_FILE=net.path / "password").capture().expect(0)
    net.hang("read")
    runs = [ready.start("check", "--json") for _ in range(3)]
    wait_until(lambda: len(left_behind(ready)) >= 4, 10)
    net.answer()
    for run in runs:
        assert "hangs" not in run.result(30).stdout


def test_files_on_a_local_disk_cost_no_process(ready, tmp_path, endpoint):
    (tmp_path / "password").write_text(PASSWORD)
    (tmp_path / "credentials").write_text(CREDENTIALS)
    ready.set(CAMERA_PASSWORD=None, CAMERA_PASSWORD_FILE=tmp_path / "password", **endpoint.as_s3(
        AWS_ACCESS_KEY_ID=None, AWS_SECRET_ACCESS_KEY=None, AWS_SHARED_CREDENTIALS_FILE=tmp_path / "credentials"))
    trace = tmp_path / "trace"
    ready.capture(prefix=("strace", "-f", "-qq", "-o", trace, "-e", "trace=clone,clone3,fork,vfork")).expect(0)
    assert "exit_signal=SIGCHLD" not in trace.read_text() and "|SIGCHLD" not in trace.read_text()

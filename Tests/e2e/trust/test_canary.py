"""No secret shows: not in arguments, output, files or errors, however a run ends and however talkative it is."""
from urllib.parse import quote

import pytest

from camera import Camera, http
from canary import forms
from credential_provider import CredentialProcess
from faultproxy import FaultProxy
from pictures import picture
from process import free_port
from receiver import Answer, Receiver, s3_error
from tls import self_signed
from watch import ProcessWatch

pytestmark = pytest.mark.asan

PASSWORD = "CanaryPw&1 é%/\\\"x"
SECRETS = {"CAMERA_PASSWORD": PASSWORD, "AWS_SECRET_ACCESS_KEY": "CanarySecretKey/+1234567890", "AWS_SESSION_TOKEN":
           "CanarySession+Token/12==", "HTTP_AUTH_TOKEN": "CanaryBearer.token-1", "WEB_TOKEN": "CanaryWebToken12345"}
URL_SECRETS = ("CanaryQuery", "CanaryPing")


def check(snapshot, watch, camera=None):
    """No secret is anywhere, and the camera's token only in files of mode 0600."""
    everything = [*snapshot.written(), *(("arguments", argv) for argv in watch.seen)]
    assert any(str(snapshot.binary).encode() in argv for argv in watch.seen), "the watch saw the run"
    everything = [(where, data) for where, data in everything if where != ".env"]
    for secret in [*SECRETS.values(), *URL_SECRETS]:
        for form in forms(secret):
            found = [where for where, data in everything if form in data]
            assert not found, f"{form} in {found}"
    for token in (camera.every_token if camera else ()):
        for where, data in everything:
            if token.encode() in data:
                path = snapshot.folder / where
                assert path.exists() and path.stat().st_mode & 0o777 == 0o600, f"token in {where}"


CAMERAS = {
    "works": {}, "error": {"raw": http(b'[{"cmd":"Snap","code":1,"error":{"rspCode":-48}}]')}, "html": {
        "raw": http(b"<html>no</html>")}, "nothing": {"raw": b""}, "401": {"raw": http(b"", "401 Unauthorized")},
    "echo": {"echo": True}, "refuses": {"password": "another"},
    "302": {"raw": http(b"", "302 Found", extra="Location: http://127.0.0.1:1/?password=x\r\n")},
}
STORES = {
    "filesystem": None, "http ok": (Answer(200), "http"), "http 401": (Answer(401), "http"), "http 500": (Answer(500), "http"),
    "http reset": (Answer(reset=True), "http"), "http hang": (Answer(wait=5), "http"), "s3 ok": (Answer(200), "s3"),
    "s3 denied": (Answer(403, {}, s3_error("SignatureDoesNotMatch", AWSAccessKeyId="AKIAFAKE", StringToSign="AWS4-HMAC")), "s3"),
    "s3 skew": (Answer(403, {}, s3_error("RequestTimeTooSkewed")), "s3"), "s3 301": (Answer(301, {}, s3_error("PermanentRedirect")), "s3"),
    "s3 500": (Answer(500, {}, s3_error("InternalError")), "s3"),
}


def run_all(snapshot, **settings):
    snapshot.set(**SECRETS, UPLOAD_DEADLINE="700ms", CAMERA_TIMEOUT="3s").set(**settings)
    with ProcessWatch() as watch:
        for arguments in (["capture", "--verbose"], ["capture", "--json"], ["capture", "--verbose"]):
            snapshot.run(*arguments)
        for form in ([], ["--json"], ["--nagios"], ["--prometheus"]):
            snapshot.run("health", *form)
    return watch


@pytest.mark.parametrize("auth", ["auto", "password"])
@pytest.mark.parametrize("fault", CAMERAS.values(), ids=CAMERAS)
def test_cameras(snapshot, fault, auth):
    with Camera(password=fault.get("password", PASSWORD)) as camera:
        camera.raw = fault.get("raw")
        camera.echo = fault.get("echo", False)
        watch = run_all(snapshot, CAMERA_IP=camera.address, CAMERA_AUTH=auth)
        assert camera.requests
        check(snapshot, watch, camera)


@pytest.mark.parametrize("store", STORES.values(), ids=STORES)
def test_stores(snapshot, store):
    with Camera(password=PASSWORD) as camera, Receiver() as endpoint:
        settings = {}
        if store:
            endpoint.always, kind = store
            settings = endpoint.as_http() if kind == "http" else endpoint.as_s3()
            settings = {k: v for k, v in settings.items() if k not in SECRETS}
            if kind == "http":
                settings["HTTP_UPLOAD_URL"] += "?key=CanaryQuery"
        watch = run_all(snapshot, CAMERA_IP=camera.address, PING_URL=f"http://127.0.0.1:{free_port()}/CanaryPing", **settings)
        assert camera.requests and (endpoint.received or not store)
        check(snapshot, watch, camera)


SHOWS = {
    "works": 'cat "$d/out"', "fails": 'cat "$d/out"; cat "$d/out" >&2; exit 1', "no JSON": 'tr -d "{}" <"$d/out"; tr -d "{}" <"$d/out" >&2',
    "says its argument": 'echo "$*"; echo "$*" >&2; exit 1', "too much": 'while cat "$d/out"; do :; done', "another version": 'sed s/1,/2,/ "$d/out"',
}


@pytest.mark.parametrize("answer", [Answer(200), Answer(400, {}, s3_error("ExpiredToken")), Answer(403, {}, s3_error("AccessDenied"))],
                         ids=["stored", "expired", "denied"])
@pytest.mark.parametrize("does", SHOWS.values(), ids=SHOWS)
def test_lent_keys(snapshot, tmp_path, does, answer):
    """They are in their 0600 file alone; what a program prints, and its arguments, are shown to nobody."""
    lend, secret, argument = CredentialProcess(tmp_path / "lend"), SECRETS["AWS_SECRET_ACCESS_KEY"], "CanaryArgument/1+x"
    lend.gives("ASIACANARY0000000001", 3600, SecretAccessKey=secret, SessionToken=SECRETS["AWS_SESSION_TOKEN"])
    lend.does(does)
    config = tmp_path / "aws.conf"
    config.write_text(lend.profile(command=f"{lend.path} --token {argument} --x='{argument}'"))
    with Camera(password=PASSWORD) as camera, Receiver() as endpoint:
        endpoint.always = answer
        settings = {k: v for k, v in endpoint.as_s3(AWS_CONFIG_FILE=config, CAMERA_IP=camera.address).items() if not k.startswith("AWS_") or k == "AWS_CONFIG_FILE"}
        snapshot.set(**settings, CAMERA_PASSWORD=PASSWORD, UPLOAD_DEADLINE="2s")
        with ProcessWatch() as watch:
            results = [snapshot.run(*a) for a in (["capture", "--verbose"], ["capture", "--json"], ["check", "--verbose"], ["drain", "--verbose"],
                                                  ["health"], ["health", "--json"], ["health", "--prometheus"], ["settings"])]
    assert lend.runs
    kept = snapshot.state_folder / "credentials.json"
    assert not kept.exists() or kept.stat().st_mode & 0o777 == 0o600
    if kept.exists():
        kept.unlink()
    check(snapshot, watch)
    for result in results:
        assert "CanaryArgument" not in result.stdout + result.stderr
    assert not [w for w, data in snapshot.written() if b"CanaryArgument" in data or b"ASIACANARY" in data]


@pytest.mark.parametrize("auth", ["none", "basic", "digest"])
@pytest.mark.parametrize("right", [True, False])
def test_camera_urls(snapshot, auth, right):
    with Camera(username="me", password=PASSWORD if right else "another", auth=auth) as camera:
        user = f"me:{quote(PASSWORD, safe='')}"
        watch = run_all(snapshot, CAMERA_URL=camera.still_url(user) + "?k=CanaryQuery")
        check(snapshot, watch, camera)


def test_rtsp_through_ffmpeg(snapshot):
    watch = run_all(snapshot, CAMERA_URL=f"rtsp://me:{quote(PASSWORD, safe='')}@127.0.0.1:{free_port()}/x?k=CanaryQuery")
    check(snapshot, watch)


def test_a_line_that_breaks(snapshot, tmp_path):
    with Camera(password=PASSWORD) as camera, FaultProxy(camera.port) as proxy:
        for mode in (("rst", 10), ("cut", 30), ("uprst", 20), ("refuse", 0), ("blackhole", 0)):
            proxy.set(*mode)
            watch = run_all(snapshot, CAMERA_IP=f"127.0.0.1:{proxy.port}", CAMERA_TIMEOUT="1s", CAMERA_AUTH="password")
            check(snapshot, watch, camera)


def test_a_stranger_with_another_key_learns_nothing(snapshot, tmp_path):
    first, second = self_signed(tmp_path, "a"), self_signed(tmp_path, "b")
    with Camera(password=PASSWORD, certificate=first) as camera:
        run_all(snapshot, CAMERA_IP=camera.address, CAMERA_USE_HTTPS="true")
    with Camera(password=PASSWORD, certificate=second, port=camera.port) as stranger:
        check(snapshot, run_all(snapshot), camera)
        assert not stranger.requests


@pytest.mark.parametrize("text", [
    f"CAMERA_PASSWORD='{SECRETS['WEB_TOKEN']}\n", f"CAMERA_PASSWORD {SECRETS['WEB_TOKEN']}\n",
    f"CAMERA_PASSWRD={SECRETS['WEB_TOKEN']}\n", f"CAMERA_PASSWORD=\x01{SECRETS['WEB_TOKEN']}\n",
    f"CAMERA_URL=http://me:{SECRETS['WEB_TOKEN']}@/\n",
    f"HTTP_UPLOAD_URL=ftp://me:{SECRETS['WEB_TOKEN']}@host/\nSTORAGE_BACKEND=http\n",
    f"S3_ENDPOINT_URL=me:{SECRETS['WEB_TOKEN']}@host\nSTORAGE_BACKEND=s3\n",
    f"AWS_SECRET_ACCESS_KEY={SECRETS['WEB_TOKEN']}\t\x7f\n", f"CAMERA_IP=admin:{SECRETS['WEB_TOKEN']}@192.0.2.1\n",
])
def test_settings_in_error(snapshot, tmp_path, text):
    (tmp_path / "p.jpg").write_bytes(picture())
    snapshot.set(CAMERA_URL=f"file:{tmp_path}/p.jpg") if "CAMERA_URL" not in text and "CAMERA_IP" not in text else None
    snapshot.dotenv(text)
    with ProcessWatch() as watch:
        for arguments in (["capture"], ["capture", "--verbose"], ["health"]):
            snapshot.run(*arguments)
    check(snapshot, watch)

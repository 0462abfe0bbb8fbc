"""Proxies of uploads, pings, keys and the relay's pipe: the way through them, around them, and what they refuse."""
import base64

import pytest

import credential_provider
import tls
from credential_provider import CredentialProvider
from process import free_port
from receiver import Answer, Receiver
from tunnel import Tunnel

pytestmark = pytest.mark.asan

LOGIN = "Basic " + base64.b64encode(b"user:s3cretpw").decode()


@pytest.fixture
def authority(tmp_path):
    return tls.Authority(tmp_path)


def secret_free(*results):
    return not any("s3cretpw" in r.stdout + r.stderr for r in results)


# Through them

@pytest.mark.parametrize("kind, path", [("http", "/up"), ("s3", "/snaps/snapshots/")])
@pytest.mark.parametrize("where", ["file", "environment"])
def test_a_proxy(ready, camera, endpoint, kind, path, where, tmp_path):
    """A proxy serves uploads and pings, also from the settings file, but never the camera. Its login is a secret."""
    settings = getattr(endpoint, f"as_{kind}")(PING_URL="HTTP://ping.invalid/x")
    settings["HTTP_UPLOAD_URL" if kind == "http" else "S3_ENDPOINT_URL"] = f"http://store.invalid{'/up' if kind == 'http' else ''}"
    proxy = f"http://user:s3cretpw@127.0.0.1:{endpoint.port}"
    ready.set(**settings)
    config = tmp_path / "proxy.env"
    config.write_text(f"HTTP_PROXY={proxy}\n" if where == "file" else "")
    if where == "environment":
        ready.set(HTTP_PROXY=proxy)
    results = [ready.run(command, "--config", config, *more) for command, *more in (["capture", "--verbose"], ["check"], ["settings"])]
    results[0].expect(0)
    assert secret_free(*results)
    upload = next(r for r in endpoint.received if r.method in ("PUT", "POST"))
    assert upload.path.startswith(f"http://store.invalid{path}")
    assert upload.headers["Proxy-Authorization"] == LOGIN
    assert any(r.path.lower().startswith("http://ping.invalid/") for r in endpoint.received)
    assert not any("127.0.0.1" in r.path for r in endpoint.received), "the camera"


@pytest.mark.parametrize("kind", ["http", "s3", "sts", "iot"])
def test_a_tunnel(ready, camera, authority, tmp_path, kind):
    """TLS goes through CONNECT end to end: both certificates are checked between us and the store, not by the proxy."""
    answer = credential_provider.sts() if kind == "sts" else credential_provider.iot()
    with Receiver(ssl=tls.server(authority, demands=kind == "http")) as endpoint, Tunnel() as proxy, \
            CredentialProvider(answer, ssl=tls.server(authority, demands=kind == "iot")) as keys:
        certificate, key = tls.client(authority, tmp_path)
        ready.set(HTTPS_PROXY=f"http://user:s3cretpw@127.0.0.1:{proxy.port}", SSL_CERT_FILE=authority.certificate)
        if kind == "http":
            ready.set(**endpoint.as_http(HTTP_CLIENT_CERT=certificate, HTTP_CLIENT_KEY=key))
        else:
            ready.set(**endpoint.as_s3(AWS_CA_BUNDLE=authority.certificate))
        if kind == "sts":
            (ready.folder / ".aws").mkdir()
            (ready.folder / ".aws/config").write_text(
                "[default]\nrole_arn = arn:aws:iam::1:role/a\nsource_profile = default\n"
                "aws_access_key_id = AKIAOWN\naws_secret_access_key = s\n")
            ready.set(AWS_ENDPOINT_URL_STS=keys.url)
        if kind == "iot":
            ready.set(AWS_IOT_CREDENTIAL_ENDPOINT=f"127.0.0.1:{keys.port}", AWS_IOT_ROLE_ALIAS="a", AWS_IOT_CERT=certificate,
                      AWS_IOT_KEY=key)
        if kind in ("sts", "iot"):
            ready.set(AWS_ACCESS_KEY_ID=None, AWS_SECRET_ACCESS_KEY=None)
        assert secret_free(ready.capture("--verbose").expect(0))
        assert (endpoint.last.file if kind == "http" else endpoint.last.body) == camera.last
        hosts = [f"127.0.0.1:{endpoint.port}"] + [f"127.0.0.1:{keys.port}"] * (kind in ("sts", "iot"))
        assert {head.split()[1] for head in proxy.heads} == set(hosts), proxy.heads
        assert all(f"Proxy-Authorization: {LOGIN}" in head and "CONNECT" in head for head in proxy.heads)


# Around them

def test_hosts_without_a_proxy(ready, endpoint):
    ready.set(**endpoint.as_http(HTTP_PROXY="127.0.0.1:9", UPLOAD_DEADLINE="1s")).capture().refuses(75)
    ready.set(NO_PROXY="example.org,127.0.0.1").capture().expect(0)
    assert endpoint.last.path == "/up"


@pytest.mark.parametrize("host, exceptions, is_direct", [
    ("127.0.0.1", "*", True), ("127.0.0.1", "10.0.0.0/8, 127.0.0.0/8", True), ("127.0.0.1", "10.0.0.0/8", False),
    ("127.0.0.1", "127.0.0.1:{port}", True), ("127.0.0.1", "127.0.0.1:1", False), ("localhost", "localhost:{port} x", True),
    ("cam.localhost", "localhost", True), ("cam.localhost", ".localhost", True), ("cam.localhost", "*.LOCALHOST", True),
    ("localhost", "alhost,xlocalhost", False)])
def test_each_form_of_an_exception(ready, endpoint, host, exceptions, is_direct):
    """As curl, Go and Python write them. No proxy listens, so only a direct upload arrives."""
    ready.set(**endpoint.as_http(
        HTTP_UPLOAD_URL=f"http://{host}:{endpoint.port}/up", HTTP_PROXY=f"127.0.0.1:{free_port()}", UPLOAD_ATTEMPTS=1,
        NO_PROXY=exceptions.replace("{port}", str(endpoint.port))))
    ready.capture(env={"no_proxy": "127.0.0.1,localhost"}).expect(0 if is_direct else 75)
    assert len(endpoint.received) == is_direct


# What they refuse

ANSWERS = {407: b'Proxy-Authenticate: Basic realm="x"\r\n', 403: b"", 502: b""}


@pytest.mark.parametrize("status", ANSWERS)
def test_a_proxy_that_opens_no_tunnel(ready, camera, status):
    """It is no refusal of the store's: nothing is held off, and the words say who it was."""
    with Tunnel(b"HTTP/1.1 %d No\r\n" % status + ANSWERS[status] + b"Content-Length: 0\r\n\r\n") as proxy:
        ready.set(STORAGE_BACKEND="http", HTTP_UPLOAD_URL="https://store.invalid/up", UPLOAD_ATTEMPTS=1,
                  HTTPS_PROXY=f"http://user:s3cretpw@127.0.0.1:{proxy.port}")
        for tries in (1, 2):
            told = ready.capture().refuses(75, "the proxy", f"HTTP status {status}")
            assert "HTTPS_PROXY" in told.hints[0] and len(proxy.heads) == tries
        checked = ready.run("check")
        assert "the proxy" in checked.stdout and secret_free(told, checked)
    assert ready.spooled_pictures() == camera.served[:2] and not ready.state["latches"]


def test_a_proxy_that_wants_a_login_over_plain_http(ready, camera, endpoint):
    """A 407 isn't a refusal of single pictures: all of them stay in the spool."""
    ready.set(**endpoint.as_http(
        HTTP_UPLOAD_URL="http://store.invalid/up", HTTP_PROXY=f"http://127.0.0.1:{endpoint.port}", UPLOAD_ATTEMPTS=1))
    endpoint.always = Answer(407, {"Proxy-Authenticate": 'Basic realm="x"'})
    for _ in range(3):
        told = ready.capture().refuses(75, "cannot reach store", "HTTP status 407")
        assert "HTTP_PROXY" in told.hints[0]
    endpoint.always = None
    ready.set(HTTP_PROXY=f"http://user:s3cretpw@127.0.0.1:{endpoint.port}").run("drain").expect(0)
    assert {r.file for r in endpoint.received[-3:]} == set(camera.served) and not ready.spooled_pictures()


@pytest.mark.parametrize("proxy, words", [("http://127.0.0.1:{port}", "Connection refused"), ("http://proxy.invalid:3128", "proxy")])
def test_a_proxy_that_is_not_there(ready, camera, proxy, words):
    ready.set(STORAGE_BACKEND="http", HTTP_UPLOAD_URL="http://store.invalid/up", UPLOAD_ATTEMPTS=1,
              HTTP_PROXY=proxy.replace("{port}", str(free_port())))
    assert "HTTP_PROXY" in ready.capture().refuses(75, words).hints[0]
    assert ready.spooled_pictures() == camera.served


@pytest.mark.parametrize("key", ["HTTP_PROXY", "HTTPS_PROXY"])
@pytest.mark.parametrize("value", [
    "ftp://proxy:1", "http://", "127.0.0.1:99999", "http://127.0.0.1:x", "http://user:s3cretpw@a@127.0.0.1:9", "http://u:a/s3cretpw@h:1",
    "pro xy", "socks6://h:1"])
def test_an_address_that_is_none(ready, camera, endpoint, key, value):
    result = ready.set(**endpoint.as_http(**{key: value})).capture().refuses(78, key, "proxy.example.org:3128")
    assert secret_free(result) and camera.snaps == 0


@pytest.mark.parametrize("value", ["127.0.0.1:{port}", "HTTP://127.0.0.1:{port}/", "http://us%40er:p%2Fw@127.0.0.1:{port}"])
def test_addresses_as_people_write_them(ready, endpoint, value):
    ready.set(**endpoint.as_http(HTTP_UPLOAD_URL="http://store.invalid/up", HTTP_PROXY=value.replace("{port}", str(endpoint.port))))
    ready.capture().expect(0)
    assert endpoint.last.path == "http://store.invalid/up"

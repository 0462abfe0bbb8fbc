"""What stores say beyond yes and no: when to come again, who is away, what is wrong with an address."""
import socket
import ssl
import threading
import time
from email.utils import formatdate

import pytest

import tls
from checking import Checked, settings_of, simulated  # noqa: F401
from process import free_port
from receiver import Answer, Receiver, s3_error
from scripted import Scripted

pytestmark = pytest.mark.asan

AWS = {"STORAGE_BACKEND": "s3", "S3_BUCKET": "snaps", "AWS_ACCESS_KEY_ID": "AKIAFAKE", "AWS_SECRET_ACCESS_KEY": "fakeSecret"}


@pytest.mark.parametrize("kind", ["as_http", "as_s3"])
@pytest.mark.parametrize("status, value", [(503, "600"), (429, "77"), (503, "date")])
def test_retry_after_holds_for_later_runs(ready, camera, endpoint, kind, status, value):
    value = formatdate(time.time() + 900, usegmt=True) if value == "date" else value
    endpoint.always = Answer(status, {"Retry-After": value})
    ready.set(**getattr(endpoint, kind)()).capture().refuses(75, str(status))
    endpoint.always = None
    ready.capture().refuses(75, "busy", "tried again in")
    ready.run("drain").refuses(75, "tried again in")
    ready.capture(env={"CAMERA_IP": "127.0.0.1:1"}).refuses(69)
    assert len(endpoint.received) == 1 and ready.spooled_pictures() == camera.served
    ready.capture(env={"HTTP_AUTH_TOKEN": "new", "AWS_SECRET_ACCESS_KEY": "new"}).expect(0)


def test_a_short_retry_after_is_over_soon(ready, endpoint):
    endpoint.always = Answer(503, {"Retry-After": "2"})
    ready.set(**endpoint.as_http(UPLOAD_ATTEMPTS=1)).capture().expect(75)
    endpoint.always = None
    ready.capture().expect(75)
    time.sleep(2.1)
    ready.capture().expect(0)
    assert not ready.spool()


def test_a_drain_that_is_asked_to_wait_tells_later_runs(ready, endpoint):
    ready.set(**endpoint.as_http())
    endpoint.always = Answer(500)
    ready.capture().expect(75)
    endpoint.always = Answer(503, {"Retry-After": "300"})
    ready.run("drain").expect(75)
    asked, endpoint.always = len(endpoint.received), None
    ready.capture().refuses(75, "tried again in")
    assert len(endpoint.received) == asked


@pytest.mark.parametrize("status", [520, 521, 522, 523, 524, 525, 526, 527, 530])
@pytest.mark.parametrize("kind", ["as_http", "as_s3"])
def test_a_store_behind_cloudflare_that_is_away(ready, camera, endpoint, status, kind):
    endpoint.answers = [Answer(status, {}, "error code: 1033")]
    ready.set(**getattr(endpoint, kind)()).capture().expect(0)
    assert len(endpoint.received) == 2
    endpoint.always = Answer(status, {}, "<html>Web server is down</html>")
    result = ready.capture().refuses(75, "reach", str(status))
    assert "reject" not in result.stderr and ready.spooled_pictures() == [camera.last]


@pytest.mark.parametrize("region, host", [
    ("cn-north-1", "s3.cn-north-1.amazonaws.com.cn"), ("cn-northwest-1", "s3.cn-northwest-1.amazonaws.com.cn"),
    ("eusc-de-east-1", "s3.eusc-de-east-1.amazonaws.eu"), ("us-gov-west-1", "s3.us-gov-west-1.amazonaws.com"),
    ("us-iso-east-1", "s3.us-iso-east-1.c2s.ic.gov"), ("eu-wset-1", "s3.eu-wset-1.amazonaws.com")])
def test_a_host_of_aws_is_named(ready, region, host):
    result = ready.set(**AWS, AWS_REGION=region, HTTPS_PROXY=f"http://127.0.0.1:{free_port()}").capture().refuses(75, host)
    assert host + "." not in result.stderr
    result = ready.set(HTTPS_PROXY=None, UPLOAD_DEADLINE="5s").capture().expect(75)
    assert host in result.stderr and "AWS_REGION" in result.stderr


@pytest.mark.parametrize("url, right", [
    ("https://snaps.s3.eu-central-1.amazonaws.com", "https://s3.eu-central-1.amazonaws.com"),
    ("https://snaps.fra1.digitaloceanspaces.com/", "https://fra1.digitaloceanspaces.com"),
    ("http://Snaps.localhost:9000", "http://localhost:9000"),
    ("http://127.0.0.1:9000/snaps", "http://127.0.0.1:9000"), ("http://127.0.0.1:9000/s3/snaps//", "http://127.0.0.1:9000/s3"),
    ("http://127.0.0.1:9000/%73naps/", "http://127.0.0.1:9000")])
@pytest.mark.parametrize("name", ["S3_ENDPOINT_URL", "AWS_ENDPOINT_URL"])
def test_a_bucket_in_the_endpoint_is_told(ready, url, right, name):
    result = ready.set(**AWS, **{name: url}).capture().refuses(78, name, "S3_BUCKET")
    assert right in result.hints[0]
    assert not Checked(ready.run("check", "--json"))["storage"]["found"].startswith("s3:")


def test_a_server_that_is_called_like_the_bucket(ready, endpoint):
    url = f"http://snaps.localhost:{endpoint.port}"
    assert "S3_ADDRESSING=path" in ready.set(**AWS, S3_ENDPOINT_URL=url).capture().refuses(78).hints[0]
    ready.set(S3_ADDRESSING="path").capture().expect(0)
    assert endpoint.last.path.startswith("/snaps/snapshots/")
    ready.set(S3_ADDRESSING=None, S3_ENDPOINT_URL="http://snaps.lan:9000", UPLOAD_DEADLINE="1s").capture().expect(75)
    for other in (f"http://localhost:{endpoint.port}/snapshots", f"http://localhost:{endpoint.port}/snaps/v1"):
        ready.set(S3_ENDPOINT_URL=other).capture().expect(0)


@pytest.mark.parametrize("kind, name", [("as_http", "HTTP_UPLOAD_URL"), ("as_s3", "S3_ENDPOINT_URL")])
def test_https_at_a_port_of_http(ready, endpoint, kind, name):
    settings = getattr(endpoint, kind)()
    settings[name] = settings[name].replace("http:", "https:")
    result = ready.set(**settings).capture().refuses(75, "doesn't speak TLS")
    assert "version number" not in result.stderr and name in result.hints[0] and "http://" in result.hints[0]


@pytest.mark.parametrize("kind", ["as_http", "as_s3"])
@pytest.mark.parametrize("setting, value", [("NO_PROXY", "127.0.0.1"), ("HTTP_PROXY", "127.0.0.1:9")])
def test_a_changed_proxy_ends_a_hold_off(ready, endpoint, kind, setting, value):
    endpoint.always = Answer(401, {}, s3_error("InvalidAccessKeyId"))
    ready.set(**getattr(endpoint, kind)(UPLOAD_ATTEMPTS=1)).capture().expect(77)
    ready.capture().refuses(77, "tried again in")
    told = ready.set(**{setting: value}).capture()
    assert "tried again in" not in told.stderr and told.code == (77 if setting == "NO_PROXY" else 75)


def test_denied_is_not_refused_credentials(ready, endpoint):
    endpoint.always = Answer(403, {}, s3_error("AccessDenied"))
    result = ready.set(**endpoint.as_s3(S3_PREFIX="yard/")).capture().refuses(77, "keys are right", "policy")
    assert "refuses credentials" not in result.stderr and "PutObject" in result.hints[0] and "snaps/yard/" in result.hints[0]
    ready.capture().expect(77)
    assert len(endpoint.received) == 1, "tried again only slowly"


@pytest.mark.parametrize("code", ["AccountProblem", "NotSignedUp", "UserSuspended", "AllAccessDisabled", "InvalidPayer"])
def test_a_closed_account_is_not_refused_credentials(ready, camera, endpoint, code):
    endpoint.always = Answer(403, {}, s3_error(code))
    told = ready.set(**endpoint.as_s3()).capture().refuses(77, "keys are right", "closed", code)
    assert "refuses credentials" not in told.stderr and "policy" not in told.stderr and "account" in told.hints[0]
    assert ready.spooled_pictures() == [camera.last]


@pytest.mark.parametrize("status, code, words", [
    (400, "XMinioAdminBucketQuotaExceeded", "quota"), (400, "EntityTooLarge", "limit on requests"), (400, "KeyTooLongError", "KEY_TEMPLATE"),
    (400, "InvalidStorageClass", "S3_STORAGE_CLASS"), (400, "KMS.DisabledException", "S3_SSE_KMS_KEY_ID")])
def test_the_hint_names_what_a_bucket_refuses(ready, camera, endpoint, status, code, words):
    endpoint.always = Answer(status, {}, s3_error(code))
    told = ready.set(**endpoint.as_s3()).capture().refuses(75, code)
    assert words in told.hints[0] and len(endpoint.received) == 1 and ready.spooled_pictures() == [camera.last]


def test_a_store_that_finds_our_clock_wrong_and_has_the_same_time(ready, camera, endpoint):
    """As behind a proxy that writes the Date: another signature would be refused as well."""
    endpoint.always = Answer(403, {}, s3_error("RequestTimeTooSkewed"))
    told = ready.set(**endpoint.as_s3()).capture().refuses(75, "the same time", "RequestTimeTooSkewed")
    assert len(endpoint.received) == 1 and "store's" in told.hints[0] and ready.spooled_pictures() == [camera.last]


@pytest.mark.parametrize("status", [421, 423, 425])
@pytest.mark.parametrize("kind", ["as_http", "as_s3"])
def test_statuses_that_pass(ready, endpoint, status, kind):
    """A connection for another host, a file that is locked, a request that comes too early."""
    endpoint.answers = [Answer(status)]
    ready.set(**getattr(endpoint, kind)(UPLOAD_DEADLINE="8s")).capture().expect(0)
    assert len(endpoint.received) == 2


@pytest.mark.parametrize("scheme, name", [("http", "HTTP_PROXY"), ("https", "HTTPS_PROXY")])
def test_a_proxy_that_is_no_way_to_the_store(ready, camera, scheme, name):
    store = {"STORAGE_BACKEND": "http", "HTTP_UPLOAD_URL": f"{scheme}://store.example.org/up", "UPLOAD_ATTEMPTS": 1}
    ready.set(**store)
    for proxy, words in ((f"http://127.0.0.1:{free_port()}", "connection refused"), ("http://proxy.invalid:3128", "proxy.invalid")):
        told = ready.set(**{name: proxy}).capture("--no-drain").refuses(75, words)
        assert name in told.hints[0] and "HTTP_UPLOAD_URL" not in told.hints[0], told
    with Scripted(lambda _: (407, {"Proxy-Authenticate": 'Basic realm="x"'}, b"")) as proxy:
        told = ready.set(**{name: f"http://127.0.0.1:{proxy.port}"}).capture("--no-drain").refuses(75, "cannot reach store", "407")
        assert name in told.hints[0] and "HTTP_UPLOAD_URL" not in told.hints[0], told
    assert ready.spooled_pictures() == camera.served


def test_what_answers_there_is_no_http(ready):
    with socket.create_server(("127.0.0.1", 0)) as server:
        def greet():
            while True:
                try:
                    with server.accept()[0] as client:
                        client.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
                        client.recv(65536)
                except OSError:
                    return
        threading.Thread(target=greet, daemon=True).start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}/up"
        ready.set(STORAGE_BACKEND="http", HTTP_UPLOAD_URL=url, UPLOAD_ATTEMPTS=1).capture().refuses(75, "doesn't speak HTTP")
        ready.capture(env={"CAMERA_IP": url.split("/")[2]}).refuses(69, "doesn't speak HTTP")


def test_denied_by_check(simulated, snapshot, endpoint):
    endpoint.always = Answer(403, {}, s3_error("AccessDenied"))
    found = Checked(snapshot.set(**settings_of(simulated), **endpoint.as_s3()).run("check", "--json"))
    assert found.code == 77 and "keys are right" in found["storage"]["found"], found["storage"]


@pytest.mark.parametrize("kind, name", [("as_http", "HTTP_UPLOAD_URL"), ("as_s3", "S3_ENDPOINT_URL")])
def test_http_at_a_port_of_https(ready, tmp_path, kind, name):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*tls.self_signed(tmp_path)[:2])
    with Receiver(ssl=context) as server:
        settings = getattr(server, kind)()
        settings[name] = settings[name].replace("https:", "http:")
        result = ready.set(**settings, UPLOAD_DEADLINE="2s").capture().refuses(75)
        assert f"set {name} to https://" in result.hints[0]


@pytest.mark.parametrize("kind, name", [("as_http", "HTTP_UPLOAD_URL"), ("as_s3", "S3_ENDPOINT_URL")])
@pytest.mark.parametrize("body", [
    "<html><head><title>400 The plain HTTP request was sent to HTTPS port</title></head></html>",
    "Client sent an HTTP request to an HTTPS server.\n", "Reason: You're speaking plain HTTP to an SSL-enabled server port.<br />"],
    ids=["nginx", "go", "apache"])
def test_a_port_of_https_that_says_so(ready, endpoint, kind, name, body):
    endpoint.always = Answer(400, {}, body)
    result = ready.set(**getattr(endpoint, kind)()).capture().refuses(75, "400")
    assert result.hints == [f"that port speaks TLS: set {name} to https://"] and len(endpoint.received) == 1


@pytest.mark.parametrize("status", [529, 540, 561, 598, 599])
@pytest.mark.parametrize("kind", ["as_http", "as_s3"])
def test_other_statuses_of_what_stands_before_a_store(ready, camera, endpoint, status, kind):
    endpoint.answers = [Answer(status)]
    ready.set(**getattr(endpoint, kind)(UPLOAD_DEADLINE="8s")).capture().expect(0)
    assert len(endpoint.received) == 2
    endpoint.always = Answer(status)
    assert "reject" not in ready.capture().refuses(75, str(status)).stderr


@pytest.mark.parametrize("value", ["7200", "99999999999", "31536000"])
def test_a_retry_after_is_bounded_and_in_the_record(ready, endpoint, value):
    endpoint.always = Answer(503, {"Retry-After": value})
    ready.set(**endpoint.as_s3()).capture().expect(75)
    assert ready.state["store_rest"]["delay_seconds"] == min(int(value), 86400)


@pytest.mark.parametrize("region", ["eu-centrl-1", "us-esat-1"])
def test_a_typo_in_the_region_names_the_host_that_was_asked(ready, region):
    result = ready.set(**AWS, AWS_REGION=region, UPLOAD_DEADLINE="3s").capture().expect(75)
    assert f"s3.{region}.amazonaws.com" in result.stderr and "AWS_REGION" in result.stderr


@pytest.mark.parametrize("status, more, names", [
    (405, {}, "HTTP_UPLOAD_METHOD"), (415, {}, "HTTP_UPLOAD_FORMAT"), (422, {}, "HTTP_UPLOAD_PART"), (400, {}, "HTTP_UPLOAD_FIELDS"),
    (404, {}, "HTTP_UPLOAD_URL"), (403, {}, "HTTP_AUTH_TOKEN"), (401, {"HTTP_UPLOAD_HEADERS": "X-Key: abc"}, "HTTP_UPLOAD_HEADERS"),
    (401, {"HTTP_UPLOAD_HEADERS": "X-Kind: abc", "HTTP_AUTH_TOKEN": "secret"}, "HTTP_AUTH_TOKEN")])
def test_the_hint_names_what_an_endpoint_refuses(ready, endpoint, status, more, names):
    endpoint.always = Answer(status)
    code = 77 if status in (401, 403) else 75
    ready.set(**endpoint.as_http(**more)).capture().refuses(code, str(status), "hint: check", names)

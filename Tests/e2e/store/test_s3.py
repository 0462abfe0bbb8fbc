"""S3 beyond the common contract: permissions, regions, clocks, credentials' sources, addressing, odd answers."""
import re
import secrets
import time

import pytest

import rgw
from process import free_port
from program import memory_limit
from receiver import Answer, Receiver, s3_error
from stores import S3_KINDS, sha256, store

pytestmark = pytest.mark.asan

FAKETIME = {"FAKETIME_DONT_FAKE_MONOTONIC": "1"}


@pytest.fixture(params=S3_KINDS)
def s3(request, tmp_path):
    with store(request.param, tmp_path) as s:
        yield s


@pytest.fixture
def swift(tmp_path):
    with store("swift", tmp_path) as s:
        yield s


def test_a_missing_bucket_is_told_in_plain_words_and_keeps_the_picture(ready, s3):
    ready.set(**s3.settings).set(S3_BUCKET="no-such-bucket-" + secrets.token_hex(3))
    if s3.server.get("bucket"):  # SeaweedFS: this identity may write to one bucket only, so ask as the owner
        ready.set(AWS_ACCESS_KEY_ID=s3.server["owner"][0], AWS_SECRET_ACCESS_KEY=s3.server["owner"][1])
    result = ready.capture().refuses(75, ready.settings["S3_BUCKET"])
    assert re.search("no such bucket|bucket does not exist", result.stderr)
    assert result.wall < 8 and result.hints and "<" not in result.stderr
    assert len(ready.spooled_pictures()) == 1


def test_missing_permission_is_told_apart_from_a_wrong_secret(ready, tmp_path):
    with store("rgw", tmp_path) as s:
        s.bucket.client.delete_bucket_policy(Bucket=s.bucket.name)
        result = ready.set(**s.settings).capture().refuses(77)
        assert re.search("denied|permi|allow", result.stderr.lower()) and "PutObject" in result.stderr, result.stderr
        assert len(ready.spooled_pictures()) == 1
        s.bucket.client.put_bucket_policy(Bucket=s.bucket.name, Policy=rgw.put_only(s.bucket.name))


def test_an_unverified_store_gets_nothing(ready, tmp_path):
    with store("rgw-tls", tmp_path) as s:
        ready.set(**s.settings).set(AWS_CA_BUNDLE=None, UPLOAD_DEADLINE="2s")
        result = ready.capture().refuses(75, "certificate")
        assert result.hints and not s.pictures() and len(ready.spooled_pictures()) == 1
        for name in ("SSL_CERT_FILE", "CURL_CA_BUNDLE"):
            ready.capture(env={name: s.server["ca"]}).expect(0)
        assert len(s.pictures()) == 3


@pytest.mark.parametrize("wrong", ["us-east-1", "ap-south-1"])
def test_a_wrong_region_is_signed_again_once_and_remembered(ready, swift, wrong):
    ready.set(**swift.settings).set(AWS_REGION=wrong).capture().expect(0)
    assert len(swift.pictures()) == 1
    before = swift.proxy.bytes_up
    ready.capture().expect(0)
    one = swift.proxy.bytes_up - before
    size = max(map(len, swift.pictures().values()))
    assert len(swift.pictures()) == 2 and one < size + 3000, "the second run sends the picture once"


@pytest.mark.preloads
@pytest.mark.parametrize("offset", ["+20m", "-20m", "+7h", "-3d", "+400d", "-15000d"])
@pytest.mark.parametrize("kind", ["rgw", "swift"])
def test_a_wrong_clock_is_corrected_from_the_stores_and_remembered(ready, tmp_path, kind, offset):
    with store(kind, tmp_path) as s:
        ready.set(**s.settings)
        prefix = ("faketime", "-f", offset)
        ready.capture(prefix=prefix, env=FAKETIME).expect(0)
        assert len(s.pictures()) == 1
        sent = s.proxy.bytes_up
        ready.capture(prefix=prefix, env=FAKETIME).expect(0)
        assert len(s.pictures()) == 2
        assert s.proxy.bytes_up - sent < max(map(len, s.pictures().values())) + 3000, "the offset was remembered"
        clock = ready.run("health", "--json", prefix=prefix, env=FAKETIME).json["clock"]
        assert abs(abs(clock["offset_seconds"]) - seconds(offset)) < 10, clock


def seconds(offset):
    return int(offset[1:-1]) * {"m": 60, "h": 3600, "d": 86400}[offset[-1]]


FAR = ["Tue, 01 Jan 2036 00:00:00 GMT", "Sun, 01 Jan 2090 00:00:00 GMT"]


def signed_days(endpoint):
    return {r.headers["X-Amz-Date"][:8] for r in endpoint.received}


def today():
    """And the day before and after: a test may run at midnight."""
    return {time.strftime("%Y%m%d", time.gmtime(time.time() + 86400 * day)) for day in (-1, 0, 1)}


@pytest.mark.parametrize("date", FAR)
def test_no_signature_for_a_day_that_is_far_away(ready, endpoint, date):
    """Whoever speaks for a store over plain http could use it when the day comes."""
    endpoint.always = Answer(403, {"Date": date}, s3_error("RequestTimeTooSkewed"))
    ready.set(**endpoint.as_s3())
    for _ in range(2):
        ready.capture().refuses(75, "differ too much")
    ready.run("drain").expect(75)
    assert ready.run("check", "--json").code == 75
    assert signed_days(endpoint) <= today()
    endpoint.always = None
    ready.capture().expect(0)
    assert not ready.spooled_pictures(), "the pictures were kept"


@pytest.mark.parametrize("date", FAR)
def test_a_far_date_in_an_acknowledgement_is_not_learned(ready, endpoint, date):
    endpoint.always = Answer(200, {"Date": date, "ETag": '"e"'})
    for _ in range(3):
        ready.set(**endpoint.as_s3()).capture().expect(0)
    assert signed_days(endpoint) <= today() and ready.health()["clock"]["offset_seconds"] == 0
    assert [time.strftime("/%Y/") in r.path for r in endpoint.received] == [True] * 3


@pytest.mark.preloads
def test_a_small_skew_needs_no_second_request(ready, tmp_path):
    with store("rgw", tmp_path) as s:
        ready.set(**s.settings).capture(prefix=("faketime", "-f", "+5m"), env=FAKETIME).expect(0)
        assert s.proxy.connections == 1


def test_temporary_credentials_carry_their_token(ready, tmp_path):
    with store("rgw", tmp_path) as s:
        access, secret, token = rgw.temporary_credentials(s.server)
        ready.set(**s.settings).set(S3_ENDPOINT_URL=s.server["sts"], AWS_ACCESS_KEY_ID=access,
                                    AWS_SECRET_ACCESS_KEY=secret, AWS_SESSION_TOKEN=token)
        ready.capture().expect(0)
        assert len(s.pictures()) == 1
        ready.set(AWS_SESSION_TOKEN=None).capture().expect(77)


@pytest.mark.parametrize("profile", ["default", "camera"])
def test_the_shared_credentials_file_and_its_profiles(ready, tmp_path, profile):
    with store("rgw", tmp_path) as s:
        ready.set(**s.settings).set(AWS_ACCESS_KEY_ID=None, AWS_SECRET_ACCESS_KEY=None)
        path = ready.folder / ".aws/credentials"
        path.parent.mkdir()
        path.write_text("\ufeff" + f"""# mine
[other]
aws_access_key_id = AKIAOTHER
aws_secret_access_key=nothing

[{profile}]
region = us-east-1
aws_access_key_id={s.server['camera'][0]}
aws_secret_access_key = {s.server['camera'][1]}
; end
""")
        if profile != "default":
            ready.capture().expect(78)
            ready.set(AWS_PROFILE=profile)
        ready.capture().expect(0)
        path.rename(ready.folder / "keys")
        ready.capture(env={"AWS_SHARED_CREDENTIALS_FILE": "keys"}).expect(0)
        assert len(s.pictures()) == 2


def test_no_credentials_is_a_matter_of_settings(ready, camera, endpoint):
    ready.set(**endpoint.as_s3()).set(AWS_SECRET_ACCESS_KEY=None)
    ready.capture().refuses(78, "AWS_SECRET_ACCESS_KEY")
    assert camera.snaps == 0 and not endpoint.received


def test_an_error_in_a_200_is_no_acknowledgement(ready, camera, endpoint):
    ready.set(**endpoint.as_s3(UPLOAD_DEADLINE="2s"))
    endpoint.always = Answer(200, {"Content-Type": "application/xml"}, s3_error("InternalError"))
    ready.capture().refuses(75)
    assert ready.spooled_pictures() == [camera.last]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(ready, endpoint, status):
    with Receiver() as elsewhere:
        endpoint.always = Answer(status, {"Location": elsewhere.url + "/x"}, "")
        ready.set(**endpoint.as_s3(UPLOAD_DEADLINE="1s")).capture().refuses(75, "redirects", str(status))
        assert not elsewhere.received and len(ready.spooled_pictures()) == 1


@pytest.mark.parametrize("answer", [
    Answer(301, {"x-amz-bucket-region": "eu-west-3"}, s3_error("PermanentRedirect")),
    Answer(400, {}, s3_error("AuthorizationHeaderMalformed", Region="eu-west-3")),
    Answer(307, {"x-amz-bucket-region": "eu-west-3", "Location": "http://127.0.0.1:9/"}, s3_error("TemporaryRedirect")),
], ids=lambda a: a.status)
def test_each_wrong_region_answer_is_understood(ready, endpoint, answer):
    endpoint.answers = [answer]
    ready.set(**endpoint.as_s3()).capture().expect(0)
    ready.capture().expect(0)
    regions = [re.search(r"Credential=AKIAFAKE/\d{8}/([^/]+)/s3", r.headers["Authorization"])[1] for r in endpoint.received]
    assert regions == ["us-east-1", "eu-west-3", "eu-west-3"]


def test_a_bucket_that_moves_back_is_found_there(ready, endpoint):
    ready.set(**endpoint.as_s3())
    for wanted in ("eu-west-3", "us-east-1"):
        endpoint.answers = [Answer(400, {}, s3_error("AuthorizationHeaderMalformed", Region=wanted))]
        ready.capture().expect(0)
    ready.capture().expect(0)
    assert len(endpoint.received) == 5, "the settings' region is asked for again, and at once"


def test_an_empty_prefix_is_none_wherever_it_is_said(ready, endpoint):
    ready.set(**endpoint.as_s3()).dotenv("S3_PREFIX=file/\n")
    ready.capture().expect(0)
    ready.capture(env={"S3_PREFIX": ""}).expect(0)
    ready.capture("--set", "S3_PREFIX=", env={"S3_PREFIX": "environment/"}).expect(0)
    assert [r.path.split("/")[2] for r in endpoint.received] == ["file", "front", "front"]


@pytest.mark.parametrize("change", [{"S3_PREFIX": "allowed/"}, {"AWS_REGION": "eu-west-3"}, {"AWS_SESSION_TOKEN": "new"}])
def test_what_may_end_a_refusal_ends_the_hold_off(ready, endpoint, change):
    endpoint.always = Answer(403, {}, s3_error("AccessDenied"))
    ready.set(**endpoint.as_s3()).capture().expect(77)
    ready.capture().expect(77)
    assert len(endpoint.received) == 1, "held off"
    endpoint.always = None
    ready.set(**change).capture().expect(0)


def test_a_store_that_repeats_a_secret_tells_it_to_nobody(ready, endpoint):
    token = "CanaryToken" + "x" * 300
    endpoint.always = Answer(400, {}, s3_error("Odd").replace("so it is", "a" * 150 + token))
    result = ready.set(**endpoint.as_s3(AWS_SESSION_TOKEN=token)).capture("--json").expect(75)
    assert "Canary" not in result.stdout + result.stderr and "Odd" in result.json["error"]


def test_a_region_answer_does_not_make_a_loop(ready, endpoint):
    endpoint.always = Answer(400, {}, s3_error("AuthorizationHeaderMalformed", Region="eu-west-3"))
    ready.set(**endpoint.as_s3()).capture().refuses(75, "AuthorizationHeaderMalformed")
    assert len(endpoint.received) == 2


@pytest.mark.parametrize("body", [
    b"", b"<", b"<Error>", b"\xff\xfe<Error><Code>x", b"<Error><Code>" + b"A" * 100_000, b"{}", b"<html>no</html>",
    b'<!DOCTYPE x [<!ENTITY a "aaaa">]><Error><Code>&a;</Code></Error>', b"<Error><Code>a\x1b[31mb\n\nc</Code></Error>",
], ids=range(9))
def test_hostile_error_bodies_are_read_safely(ready, endpoint, body):
    endpoint.always = Answer(400, {}, body)
    result = ready.set(**endpoint.as_s3()).capture().refuses(75)
    assert "\x1b" not in result.stderr and len(result.stderr) < 2000 and result.rss < memory_limit()
    assert len(ready.spooled_pictures()) == 1


def test_the_request_is_a_plain_signed_put(ready, camera, endpoint):
    ready.set(**endpoint.as_s3(AWS_SESSION_TOKEN="tok/en+1=")).capture().expect(0)
    r, = endpoint.received
    assert r.method == "PUT" and r.body == camera.last
    assert re.fullmatch(r"/snaps/snapshots/front/\d{4}/\d\d/\d\d/front_\d{8}T\d{6}\.\d{3}Z\.jpg", r.path)
    headers = {k.lower(): v for k, v in r.headers.items()}
    assert headers["x-amz-content-sha256"] == sha256(r.body) and headers["content-length"] == str(len(r.body))
    assert headers["x-amz-security-token"] == "tok/en+1="
    signed = re.search(r"SignedHeaders=([^,]+)", headers["authorization"])[1].split(";")
    assert {"host", "x-amz-date", "x-amz-content-sha256", "x-amz-security-token"} <= set(signed)
    assert all(h in signed for h in headers if h.startswith("x-amz-"))
    unwanted = [h for h in headers if "checksum" in h or h in ("if-none-match", "transfer-encoding", "content-encoding")]
    assert not unwanted


@pytest.mark.parametrize("addressing, host, path", [
    ("virtual", "snaps.localhost", "/snapshots/"), ("path", "localhost", "/snaps/snapshots/"),
    ("auto", "localhost", "/snaps/snapshots/")])
def test_addressing(ready, endpoint, addressing, host, path):
    ready.set(**endpoint.as_s3(S3_ADDRESSING=addressing, S3_ENDPOINT_URL=f"http://localhost:{endpoint.port}"))
    ready.capture().expect(0)
    assert endpoint.last.host == f"{host}:{endpoint.port}" and endpoint.last.path.startswith(path)


@pytest.mark.parametrize("prefix, path", [("", "/snaps/front_"), ("a//b", "/snaps/a//bfront_"), ("x/", "/snaps/x/front_")])
def test_the_prefix_is_put_before_the_key_as_it_is(ready, endpoint, prefix, path):
    ready.set(**endpoint.as_s3(S3_PREFIX=prefix, KEY_TEMPLATE="{camera}_{timestamp}.jpg")).capture().expect(0)
    assert endpoint.last.path.startswith(path)


@pytest.mark.parametrize("name", ["S3_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"])
def test_the_endpoint_by_each_of_its_names(ready, endpoint, name):
    ready.set(**endpoint.as_s3()).set(S3_ENDPOINT_URL=None).set(**{name: endpoint.url})
    ready.capture().expect(0)
    assert len(endpoint.received) == 1


def test_no_endpoint_listens(ready, endpoint):
    ready.set(**endpoint.as_s3(UPLOAD_DEADLINE="1s", S3_ENDPOINT_URL=f"http://127.0.0.1:{free_port()}"))
    assert ready.capture().refuses(75, "connect").wall < 8


@pytest.mark.parametrize("date", ["never", ""])
def test_a_wrong_clock_that_nobody_corrects_is_no_matter_of_credentials(ready, endpoint, date):
    endpoint.answers = [Answer(403, {"Date": date}, s3_error("RequestTimeTooSkewed"))]
    ready.set(**endpoint.as_s3()).capture().refuses(75, "clock")
    ready.capture().expect(0)
    assert len(endpoint.received) == 3, "nothing is held off, and the spooled picture follows"


@pytest.mark.parametrize("page", ["<!DOCTYPE html><title>Log in</title>", "\n <HTML><body>Welcome"])
def test_a_web_page_is_no_acknowledgement(ready, camera, endpoint, page):
    endpoint.answers = [Answer(200, {"Content-Type": "text/html"}, page)]
    ready.set(**endpoint.as_s3()).capture().refuses(75, "sign-in page", "S3_ENDPOINT_URL")
    assert ready.spooled_pictures() == [camera.last]


def test_the_status_that_is_told_is_the_one_that_came(ready, endpoint):
    ready.set(**endpoint.as_s3(UPLOAD_ATTEMPTS=1))
    for status, code, told in ((200, "InternalError", 75), (429, "SlowDown", 75), (400, "ExpiredToken", 77)):
        endpoint.always = Answer(status, body=s3_error(code))
        ready.capture().refuses(told, f"HTTP status {status}, {code}")

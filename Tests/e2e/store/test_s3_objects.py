"""What S3 is asked to do with each object: encryption, class, tags, ACL, metadata, never to overwrite."""
import json
import secrets
from urllib.parse import parse_qs, unquote

import pytest

import rgw
import shared
from bucket import Bucket
from checking import Checked, settings_of, simulated  # noqa: F401
from receiver import Answer, Receiver, s3_error

pytestmark = pytest.mark.asan

ALL = {
    "S3_SSE": "aws:kms", "S3_SSE_KMS_KEY_ID": "arn:aws:kms:eu-central-1:111122223333:key/1234abcd", "S3_BUCKET_KEY": "true",
    "S3_STORAGE_CLASS": "STANDARD_IA", "S3_TAGS": "site=north barn&cam={camera}&a%26b=1%3D2+3", "S3_ACL": "bucket-owner-full-control",
    "S3_METADATA": "Site=north  barn; File={filename}; free=x"}
HEADERS = {
    "X-Amz-Server-Side-Encryption": "aws:kms",
    "X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id": "arn:aws:kms:eu-central-1:111122223333:key/1234abcd",
    "X-Amz-Server-Side-Encryption-Bucket-Key-Enabled": "true", "X-Amz-Storage-Class": "STANDARD_IA",
    "X-Amz-Acl": "bucket-owner-full-control"}


def puts(receiver):
    return [r for r in receiver.received if r.method == "PUT"]


def signed(received):
    """The names in the signature of a request."""
    return set(received.headers["Authorization"].partition("SignedHeaders=")[2].partition(",")[0].split(";"))


def test_every_header_is_sent_and_signed(ready, camera, endpoint):
    """With new pictures and with spooled ones alike."""
    endpoint.always = Answer(503)
    ready.set(**endpoint.as_s3(**ALL, CAMERA_NAME="Tür & 1", UPLOAD_ATTEMPTS=1)).capture().expect(75)
    endpoint.always = None
    ready.run("drain").expect(0)
    first, again = puts(endpoint)
    for r in first, again:
        assert {n: r.headers[n] for n in HEADERS} == HEADERS
        tags = {k: v for k, v in parse_qs(r.headers["X-Amz-Tagging"], strict_parsing=True).items()}
        assert tags == {"site": ["north barn"], "cam": ["Tür & 1"], "a&b": ["1=2+3"]}
        assert r.headers["X-Amz-Meta-Site"] == "north  barn" and r.headers["X-Amz-Meta-Free"] == "x"
        assert unquote(r.headers["X-Amz-Meta-File"]) == unquote(r.path).rpartition("/")[2].rstrip("?") and r.headers["X-Amz-Meta-Camera"]
        names = {n.lower() for n in r.headers}
        assert signed(r) >= {n for n in names if n.startswith("x-amz-")}, "signed"
    assert {n: v for n, v in first.headers.items() if n.startswith("X-Amz-Meta")} == \
        {n: v for n, v in again.headers.items() if n.startswith("X-Amz-Meta")}


def test_nothing_of_it_is_sent_unasked(ready, endpoint):
    ready.set(**endpoint.as_s3()).capture().expect(0)
    names = {n.lower() for n in endpoint.last.headers}
    assert {n for n in names if n.startswith("x-amz-")} == {
        "x-amz-content-sha256", "x-amz-date", "x-amz-meta-camera", "x-amz-meta-captured-at", "x-amz-meta-sha256", "x-amz-meta-clock"}
    assert "if-none-match" not in names


@pytest.mark.parametrize("value, sent", [("AES256", "AES256"), ("aes256", "AES256"), ("aws:kms", "aws:kms"), ("aws:kms:dsse", "aws:kms:dsse")])
def test_kinds_of_encryption(ready, endpoint, value, sent):
    ready.set(**endpoint.as_s3(S3_SSE=value)).capture().expect(0)
    assert endpoint.last.headers["X-Amz-Server-Side-Encryption"] == sent


@pytest.mark.parametrize("settings, key, why", [
    ({"S3_SSE": "rot13"}, "S3_SSE", "AES256, aws:kms or aws:kms:dsse"),
    ({"S3_SSE_KMS_KEY_ID": "k"}, "S3_SSE_KMS_KEY_ID", "S3_SSE=aws:kms"),
    ({"S3_SSE_KMS_KEY_ID": "k", "S3_SSE": "AES256"}, "S3_SSE_KMS_KEY_ID", "S3_SSE=aws:kms"),
    ({"S3_SSE_KMS_KEY_ID": "a b", "S3_SSE": "aws:kms"}, "S3_SSE_KMS_KEY_ID", "spaces"),
    ({"S3_BUCKET_KEY": "true"}, "S3_BUCKET_KEY", "S3_SSE=aws:kms"),
    ({"S3_BUCKET_KEY": "true", "S3_SSE": "aws:kms:dsse"}, "S3_BUCKET_KEY", "S3_SSE=aws:kms"),
    ({"S3_BUCKET_KEY": "maybe", "S3_SSE": "aws:kms"}, "S3_BUCKET_KEY", "true"),
    ({"S3_STORAGE_CLASS": "a b"}, "S3_STORAGE_CLASS", "letters"),
    ({"S3_ACL": "everybody"}, "S3_ACL", "public-read"),
    ({"S3_TAGS": "=x"}, "S3_TAGS", "a=b&c=d"), ({"S3_TAGS": "a=1&a=2"}, "S3_TAGS", "unique"),
    ({"S3_TAGS": "&".join(f"k{i}=v" for i in range(11))}, "S3_TAGS", "ten"),
    ({"S3_TAGS": "a={nothing}"}, "S3_TAGS", "{nothing}"),
    ({"S3_METADATA": "a"}, "S3_METADATA", "name=value"), ({"S3_METADATA": "a b=c"}, "S3_METADATA", "letters"),
    ({"S3_METADATA": "Camera=c"}, "S3_METADATA", "camera"), ({"S3_METADATA": "a=1; A=2; a=3"}, "S3_METADATA", "twice")])
def test_refused_settings(ready, endpoint, settings, key, why):
    result = ready.set(**endpoint.as_s3(**settings)).capture()
    assert result.code == 78 and key in result.stderr and why in result.stderr, result.stderr
    assert not endpoint.received


def test_check_sends_what_captures_send(simulated, snapshot, endpoint):
    snapshot.set(**settings_of(simulated), **endpoint.as_s3(**ALL, S3_IF_NONE_MATCH="true")).run("check")
    snapshot.capture().expect(0)
    probe, picture = puts(endpoint)[0], puts(endpoint)[-1]
    assert {n for n in probe.headers} == {n for n in picture.headers}


def test_a_refusal_names_what_the_policy_may_demand(ready, endpoint):
    endpoint.always = Answer(403, {}, s3_error("AccessDenied"))
    hint = ready.set(**endpoint.as_s3(S3_SSE="AES256")).capture().refuses(77).hints[0]
    assert "s3:PutObject" in hint and "S3_ACL" in hint and "S3_SSE" not in hint


# Never to overwrite

class Slow(Receiver):
    """An S3 that keeps what it gets, and refuses a key that it has; the answers to the first `silent` objects get lost."""

    def __init__(self, silent=0):
        super().__init__()
        self.silent, self.objects = silent, {}

    def _take(self, _=None):
        from flask import request
        self.always = None
        if request.method == "PUT":
            body = request.get_data(cache=True)
            if request.path in self.objects:
                assert request.headers["If-None-Match"] == "*"
                self.always = Answer(412, {}, s3_error("PreconditionFailed"))
            else:
                self.objects[request.path] = body
                if len(self.objects) <= self.silent:
                    self.always = Answer(200, wait=4)
        return super()._take()


def test_a_repeat_of_the_same_picture_is_acknowledged(ready, camera):
    """A picture that was sent whole and never answered counts as stored when the next run repeats it."""
    with Slow(silent=1) as bucket:
        ready.set(**bucket.as_s3(S3_IF_NONE_MATCH="true", UPLOAD_DEADLINE="1s", UPLOAD_ATTEMPTS=1))
        ready.capture().expect(75)
        assert len(ready.spool()) == 1
        ready.set(UPLOAD_DEADLINE="5s").run("drain").expect(0)
        assert not ready.spool() and list(bucket.objects.values()) == camera.served


def test_another_object_is_not_overwritten(ready, camera):
    """The refusal is reported and the picture stays in the spool, however often it is tried."""
    with Slow() as bucket:
        ready.set(**bucket.as_s3(S3_IF_NONE_MATCH="true", KEY_TEMPLATE="{camera}/latest.jpg")).capture().expect(0)
        first = camera.last
        for _ in range(2):
            result = ready.capture()
            assert result.code == 75 and "S3_IF_NONE_MATCH" in result.stderr, result.stderr
        assert ready.run("drain").code == 75
        assert list(bucket.objects.values()) == [first] and ready.spool()


# Real servers

@pytest.fixture
def bucket():
    server = shared.server("rgw", rgw.start)
    return Bucket(server, f"objects-{secrets.token_hex(4)}")


def of(bucket):
    return {"STORAGE_BACKEND": "s3", "S3_BUCKET": bucket.name, "S3_ENDPOINT_URL": bucket.server["http"],
            "AWS_REGION": bucket.server["region"], "AWS_ACCESS_KEY_ID": bucket.server["owner"][0],
            "AWS_SECRET_ACCESS_KEY": bucket.server["owner"][1]}


def test_a_real_server_takes_them(ready, camera, bucket):
    """Ceph checks the signature, encrypts with its own stand-in for a key service, and tells what it keeps."""
    ready.set(**of(bucket), S3_SSE="aws:kms", S3_SSE_KMS_KEY_ID=rgw.KMS_KEY, S3_TAGS="site=north barn&cam={camera}",
              S3_METADATA="site=north  barn", S3_STORAGE_CLASS="STANDARD", S3_ACL="public-read").capture().expect(0)
    key, = bucket.keys()
    head = bucket.head(key)
    assert bucket.get(key) == camera.last and head["ServerSideEncryption"] == "aws:kms" and head["SSEKMSKeyId"] == rgw.KMS_KEY
    assert head["Metadata"]["site"].split() == ["north", "barn"]
    tags = bucket.client.get_object_tagging(Bucket=bucket.name, Key=key)["TagSet"]
    assert {t["Key"]: t["Value"] for t in tags} == {"site": "north barn", "cam": "front"}
    grants = bucket.client.get_object_acl(Bucket=bucket.name, Key=key)["Grants"]
    assert any(g["Grantee"].get("URI", "").endswith("AllUsers") and g["Permission"] == "READ" for g in grants)


def test_a_policy_that_demands_encryption(simulated, snapshot, bucket):
    """Refused without it, and `check` says what the policy may want."""
    allow = json.loads(rgw.put_only(bucket.name))
    put = next(s for s in allow["Statement"] if s["Action"] == ["s3:PutObject"])
    put["Condition"] = {"StringEquals": {"s3:x-amz-server-side-encryption": "aws:kms"}}
    bucket.client.put_bucket_policy(Bucket=bucket.name, Policy=json.dumps(allow))
    key, secret = bucket.server["camera"]
    snapshot.set(**settings_of(simulated), **of(bucket)).set(AWS_ACCESS_KEY_ID=key, AWS_SECRET_ACCESS_KEY=secret)
    assert "S3_SSE" in Checked(snapshot.run("check", "--json"))["storage"]["hint"]
    assert snapshot.capture().code == 77
    snapshot.set(S3_SSE="aws:kms", S3_SSE_KMS_KEY_ID=rgw.KMS_KEY)
    assert Checked(snapshot.run("check", "--json")).code == 0
    snapshot.capture().expect(0)

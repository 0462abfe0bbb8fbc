"""Buckets that want a checksum with every object, as those with Object Lock do."""
import base64
import hashlib
import secrets

import pytest

import rgw
import shared
from bucket import Bucket
from checking import Checked, settings_of, simulated  # noqa: F401
from receiver import Answer, Receiver, s3_error
from stores import store

pytestmark = pytest.mark.asan

AWS = ("InvalidRequest", "Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters")
OLD_AWS = ("InvalidRequest", "Content-MD5 HTTP header is required for Put Object requests with Object Lock parameters")
MINIO = ("MissingContentMD5", "Missing required header for this request: Content-Md5.")


class Lock(Receiver):
    """An S3 that takes no object without one of `headers`, and none that is wrong."""

    def __init__(self, refusal, *headers):
        super().__init__()
        code, message = refusal
        self.refusal, self.headers = Answer(400, {}, s3_error(code).replace("so it is", message)), headers

    def _take(self, _=None):
        from flask import request
        body, given = request.get_data(cache=True), [h for h in self.headers if h in request.headers]
        self.always = None
        if request.method == "PUT":
            digests = {"content-md5": hashlib.md5, "x-amz-checksum-sha256": hashlib.sha256}
            is_wrong = any(digests[h](body).digest() != base64.b64decode(request.headers[h]) for h in given) or \
                request.headers["x-amz-content-sha256"] != hashlib.sha256(body).hexdigest()
            self.always = self.refusal if not given else Answer(400, {}, s3_error("BadDigest")) if is_wrong else None
        return super()._take()

    @property
    def puts(self):
        return [r for r in self.received if r.method == "PUT"]


LOCKS = {"aws": (AWS, "content-md5", "x-amz-checksum-sha256"), "md5 alone": (OLD_AWS, "content-md5"),
         "minio": (MINIO, "content-md5"), "says both, takes md5": (AWS, "content-md5")}


@pytest.mark.parametrize("lock", LOCKS)
def test_a_checksum_is_sent_once_it_was_asked_for(ready, camera, lock):
    with Lock(*LOCKS[lock]) as bucket:
        ready.set(**bucket.as_s3()).capture().expect(0)
        assert 2 <= len(bucket.puts) <= 3 and bucket.puts[-1].body == camera.last
        del bucket.received[:]
        ready.capture().expect(0)
        assert len(bucket.puts) == 1, "remembered"


def test_spooled_pictures_get_theirs_too(ready, camera):
    with Lock(*LOCKS["aws"]) as bucket:
        ready.set(**bucket.as_s3(S3_CHECKSUM="none"))
        for _ in range(3):
            assert "S3_CHECKSUM=auto" in ready.capture().refuses(75, "Content-MD5").hints[0]
        ready.set(S3_CHECKSUM="auto").run("drain").expect(0)
        taken = [r.body for r in bucket.puts if set(bucket.headers) & {name.lower() for name in r.headers}]
        assert not ready.spool() and sorted(taken) == sorted(camera.served)


@pytest.mark.parametrize("kind", ["md5", "sha256"])
@pytest.mark.parametrize("server", ["rgw", "seaweed"])
def test_both_are_right_by_real_servers(ready, camera, tmp_path, kind, server):
    with store(server, tmp_path) as s:
        ready.set(**s.settings, S3_CHECKSUM=kind).capture().expect(0)
        assert list(s.pictures().values()) == [camera.last]
        s.down()
        ready.capture().expect(75)
        s.up()
        ready.run("drain").expect(0)
        assert sorted(s.pictures().values()) == sorted(camera.served)


def test_no_header_has_a_checksum_by_default(ready, endpoint):
    ready.set(**endpoint.as_s3()).capture().expect(0)
    assert not {"Content-Md5", "X-Amz-Checksum-Sha256"} & set(endpoint.last.headers)
    endpoint.always = Answer(400, {}, s3_error("InvalidRequest"))
    ready.capture().expect(75)
    assert len(endpoint.received) == 2, "another reason is no reason to send it again"


@pytest.mark.parametrize("kind, code", [("auto", 0), ("md5", 0), ("sha256", 0), ("none", 75)])
def test_check_says_what_captures_will_meet(simulated, snapshot, kind, code):
    with Lock(*LOCKS["aws"]) as bucket:
        snapshot.set(**settings_of(simulated), **bucket.as_s3(S3_CHECKSUM=kind))
        found = Checked(snapshot.run("check", "--json"))
        assert found.code == code, found["storage"]
        keys = {r.path for r in bucket.puts}
        names = {frozenset(n.lower() for n in r.headers) for r in bucket.puts[-1:]}
        del bucket.received[:]
        snapshot.capture().expect(code)
        assert not keys & {r.path for r in bucket.puts}
        assert names == {frozenset(n.lower() for n in r.headers) for r in bucket.puts[-1:]}, "the same headers"


def test_a_real_bucket_with_object_lock(simulated, snapshot):
    server = shared.server("rgw", rgw.start)
    bucket = Bucket(server, f"plain-{secrets.token_hex(4)}")
    name = f"lock-{secrets.token_hex(4)}"
    bucket.client.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    snapshot.set(**settings_of(simulated), STORAGE_BACKEND="s3", S3_BUCKET=name, S3_ENDPOINT_URL=server["http"],
                 AWS_REGION=server["region"], AWS_ACCESS_KEY_ID=server["owner"][0], AWS_SECRET_ACCESS_KEY=server["owner"][1])
    found = Checked(snapshot.run("check", "--json"))
    assert found.code == 0, found["storage"]
    snapshot.capture().expect(0)
    assert len(Bucket(server, name).keys()) == 1

"""`snapshot check` and the store: whether it takes pictures, found out without leaving anything there."""
import fcntl
import secrets

import rgw
import shared
import pytest

from bucket import Bucket, client
from checking import Checked, check, settings_of, simulated  # noqa: F401
from faultproxy import FaultProxy
from receiver import Answer, Receiver, s3_error

pytestmark = pytest.mark.asan


def test_without_a_state_nothing_on_the_machine_is_waited_for(simulated, snapshot, check):
    """Check doesn't wait for a lock on /dev/null, which any program may hold."""
    with open("/dev/null") as anybodys:
        fcntl.flock(anybodys, fcntl.LOCK_EX)
        assert check(**settings_of(simulated)).failed == []
        assert not snapshot.state_folder.exists()


def test_a_folder(simulated, snapshot, check):
    snapshot.set(**settings_of(simulated))
    (snapshot.folder / "snapshots").mkdir()
    before = (snapshot.folder / "snapshots")
    checked = Checked(snapshot.run("check", "--json"))
    assert "accepted a test file, which was removed again" in checked["storage"]["found"] and not list(before.iterdir())
    found = check(LOCAL_STORAGE_PATH="/proc/none")
    assert found.code == 75 and "/proc/none" in found["storage"]["found"]


def s3_settings(server, bucket, keys, **more):
    return {"STORAGE_BACKEND": "s3", "S3_BUCKET": bucket, "S3_ENDPOINT_URL": server["http"], "AWS_REGION": server["region"],
            "AWS_ACCESS_KEY_ID": keys[0], "AWS_SECRET_ACCESS_KEY": keys[1], **more}


def test_a_bucket(simulated, check):
    server = shared.server("rgw", rgw.start)
    bucket = Bucket(server, f"check-{secrets.token_hex(4)}")
    camera = settings_of(simulated)
    found = check(**camera, **s3_settings(server, bucket.name, server["owner"]))
    assert found.code == 0 and "accepted a test object, which was removed again" in found["storage"]["found"], found["storage"]
    assert bucket.name in found["storage"]["found"] and bucket.keys() == []
    assert "store's agrees" in found["clock"]["found"] and abs(found["clock"]["facts"]["offset_seconds"]) < 3

    found = check(AWS_SECRET_ACCESS_KEY="wrong" + server["owner"][1][5:])
    assert found.code == 77 and "AWS_SECRET_ACCESS_KEY" in found["storage"]["hint"], found["storage"]
    found = check(**s3_settings(server, "no-such-bucket", server["owner"]))
    assert found.code == 75 and "there is no such bucket" in found["storage"]["found"]
    found = check(**s3_settings(server, bucket.name, server["camera"]))
    assert found.code == 77 and "AccessDenied" in found["storage"]["found"] and bucket.keys() == []


def test_a_bucket_that_may_only_be_written(simulated, check):
    server = shared.server("rgw", rgw.start)
    name = f"check-{secrets.token_hex(4)}"
    bucket = Bucket(server, name, rgw.put_only(name))
    found = check(**settings_of(simulated), **s3_settings(server, name, server["camera"]))
    assert found.code == 0 and "and nothing was stored" in found["storage"]["found"] and bucket.keys() == []


def test_a_bucket_that_keeps_versions(simulated, check):
    server = shared.server("rgw", rgw.start)
    bucket = Bucket(server, f"check-{secrets.token_hex(4)}")
    owner = client(server)
    owner.put_bucket_versioning(Bucket=bucket.name, VersioningConfiguration={"Status": "Enabled"})
    found = check(**settings_of(simulated), **s3_settings(server, bucket.name, server["owner"]))
    assert found.code == 0 and "keeps versions" in found["storage"]["found"], found["storage"]
    left = owner.list_object_versions(Bucket=bucket.name)
    assert not left.get("Versions") and not left.get("DeleteMarkers")


def test_a_store_that_looks_at_no_digest(simulated, check, endpoint):
    found = check(**settings_of(simulated), **endpoint.as_s3())
    assert [r.method for r in endpoint.received] == ["PUT", "DELETE"] and "was removed again" in found["storage"]["found"]
    assert endpoint.received[0].path == endpoint.received[1].path
    endpoint.answers = [Answer(200), Answer(403, {}, s3_error("AccessDenied"))]
    found = check()
    assert found.code == 0 and "stays as snapshots/.snapshot-check" in found["storage"]["found"]


def test_a_wrong_region_is_told(simulated, check, endpoint):
    endpoint.answers = [Answer(400, {}, s3_error("AuthorizationHeaderMalformed", Region="eu-north-1"))]
    found = check(**settings_of(simulated), **endpoint.as_s3())
    assert found.code == 0 and "AWS_REGION=eu-north-1" in found["storage"]["hint"]


def test_an_endpoint_gets_no_picture(simulated, check):
    with Receiver(token="right token") as endpoint, FaultProxy(endpoint.port) as proxy:
        url = f"http://127.0.0.1:{proxy.port}/up"
        found = check(**settings_of(simulated), STORAGE_BACKEND="http", HTTP_UPLOAD_URL=url, HTTP_AUTH_TOKEN="right token")
        assert found.code == 0 and "none was sent" in found["storage"]["found"]
        found = check(HTTP_AUTH_TOKEN="wrong token")
        assert found.code == 77 and "HTTP_AUTH_TOKEN" in found["storage"]["hint"]
        assert "right token" not in found.result.stdout and "wrong token" not in found.result.stdout
        assert {r.method for r in endpoint.received} == {"HEAD"}
        proxy.set("refuse")
        assert check().code == 75
    with Receiver() as endpoint:
        for status, code, words in ((500, 75, "HTTP status 500"), (302, 75, "redirect"), (405, 0, "none was sent"),
                                    (404, 0, "none was sent")):
            endpoint.always = Answer(status)
            found = check(STORAGE_BACKEND="http", HTTP_UPLOAD_URL=endpoint.url + "/up")
            assert found.code == code and words in found["storage"]["found"], found["storage"]


def test_a_page_at_an_endpoint_is_no_good_sign(simulated, check):
    with Receiver() as endpoint:
        page = Answer(200, {"Content-Type": "text/html"}, "<html><head><title>Hotspot</title></head></html>")
        for answer, mark in ((page, "failed"), (Answer(200, {"Content-Type": "text/html"}, "picture service"), "passed")):
            endpoint.always = answer
            found = check(**settings_of(simulated), STORAGE_BACKEND="http", HTTP_UPLOAD_URL=endpoint.url + "/up")
            assert found["storage"]["result"] == mark and " was sent" in found["storage"]["found"], found["storage"]
        assert {r.method for r in endpoint.received} == {"HEAD", "GET"}

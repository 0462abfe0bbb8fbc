"""Each page of docs/recipes: its settings, as they stand there, against a server that plays the service's side."""
import base64
import hashlib
import hmac
import json
import re
import time
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from flask import Response

from receiver import Receiver

RECIPES = Path(__file__).resolve().parents[3] / "docs/recipes"


class Service(Receiver):
    """Answers as a service does: `answer` gets what came, and gives status, headers and body."""

    def __init__(self, answer):
        super().__init__()
        self.answer = answer

    def _take(self, _=None):
        received = self._describe(time.monotonic())
        self.received.append(received)
        status, headers, body = self.answer(received)
        return Response(body, status, headers)


def basic(received):
    kind, _, text = received.headers.get("Authorization", "").partition(" ")
    return base64.b64decode(text).decode() if kind == "Basic" else None


def prusa_connect(r):
    assert r.method == "PUT" and r.path == "/c/snapshot" and r.headers["Content-Type"] == "image/jpg"
    ok = r.headers["Token"] == "YOUR-TOKEN" and r.headers["Fingerprint"] == "YOUR-FINGERPRINT"
    return (204, {}, b"") if ok else (403, {}, b"")


def home_assistant(r):
    assert r.method == "POST" and r.path == "/api/webhook/YOUR-WEBHOOK-ID" and r.part == "image"
    return 200, {}, b""


def edge_impulse(r):
    assert r.path == "/api/training/files" and r.headers["X-Label"] == "YOUR-LABEL"
    ok = r.part == "data" and r.headers["X-Api-Key"] == "YOUR-KEY"
    entry = {"success": True, "sampleId": 1} if ok else {"success": False, "error": "no"}
    return 200, {}, json.dumps({"success": True, "files": [entry]}, separators=(",", ":"))


def camera_receiver(r):
    if basic(r) != "USER:PASSWORD":
        return 401, {"WWW-Authenticate": 'Basic realm="x"'}, b""
    assert re.fullmatch(r'attachment; filename="[^"]+\.jpg"', r.headers["Content-Disposition"])
    return 200, {}, b"OK"


def azure_blob(r):
    parts = urlsplit(r.path)
    ok = parse_qs(parts.query) == {"sv": ["YOUR-VERSION"], "sp": ["cw"], "sig": ["YOUR-SIGNATURE"]}
    if r.method != "PUT" or not ok or r.headers.get("X-Ms-Blob-Type") != "BlockBlob":
        return 403, {}, b"<?xml version='1.0'?><Error><Code>AuthenticationFailed</Code></Error>"
    assert re.fullmatch(r"/YOUR-CONTAINER/front/\d{4}/\d\d/\d\d/front_\S+\.jpg", parts.path)
    return 201, {"ETag": '"0x8D"'}, b""


def webdav(r):
    if basic(r) != "YOUR-USER:YOUR-APP-PASSWORD":
        return 401, {"WWW-Authenticate": 'Basic realm="Nextcloud"'}, b""
    assert r.method == "PUT" and re.fullmatch(r"/remote\.php/dav/files/YOUR-USER/Snapshots/front_\w+\.\w+\.jpg", unquote(r.path.rstrip("?")))
    return 201, {}, b""


def cloudflare_access(r):
    ok = r.headers.get("Cf-Access-Client-Id") == "YOUR-ID.access" and r.headers.get("Cf-Access-Client-Secret") == "YOUR-SECRET"
    return (200, {}, b"") if ok else (302, {"Location": "https://example.cloudflareaccess.com/"}, b"")


def api_gateway(r):
    got = json.loads(r.body)
    assert got["site"] == "YOUR-SITE" and base64.b64decode(got["image"]).startswith(b"\xff\xd8")
    return (200, {}, b"{}") if r.headers.get("X-Api-Key") == "YOUR-KEY" else (403, {}, b'{"message":"Forbidden"}')


def signed_webhook(r):
    signed = f"{r.headers['Webhook-Id']}.{r.headers['Webhook-Timestamp']}.".encode() + r.body
    mac = base64.b64encode(hmac.new(b"YOUR-SECRET-OF-24-BYTES", signed, hashlib.sha256).digest()).decode()
    return (204, {}, b"") if r.headers["Webhook-Signature"] == f"v1,{mac}" else (401, {}, b"")


def presigned_put(r):
    assert r.method == "PUT" and r.headers["Content-Type"] == "image/jpeg"
    ok = parse_qs(urlsplit(r.path).query).get("X-Amz-Signature") == ["abc"]
    return (200, {"ETag": '"1"'}, b"") if ok else (403, {}, b"<Error><Code>AccessDenied</Code></Error>")


SERVICES = [prusa_connect, home_assistant, edge_impulse, camera_receiver, azure_blob, webdav, cloudflare_access, api_gateway,
            signed_webhook, presigned_put]


def block(page):
    """The settings of a page, as they stand there."""
    return re.search(r"```sh\n(.*?)```", (RECIPES / page).read_text(), re.S)[1]


@pytest.mark.parametrize("service", SERVICES, ids=lambda s: s.__name__)
def test_a_recipe(ready, camera, service, tmp_path):
    page = service.__name__.replace("_", "-") + ".md"
    with Service(service) as there:
        # Only the host is another one.
        text = re.sub(r"https?://([^/@'\s]*@)?[^/'\s]+", lambda m: f"http://{m[1] or ''}127.0.0.1:{there.port}", block(page))
        if "HTTP_UPLOAD_URL_FILE" in text:
            url = tmp_path / "url"
            url.write_text(f"{there.url}/bucket/now.jpg?X-Amz-Signature=abc\n")
            text = re.sub(r"(?<=HTTP_UPLOAD_URL_FILE=).*", str(url), text)
        path = tmp_path / "recipe.env"
        path.write_text(text)
        ready.run("capture", "--config", str(path)).expect(0)
        last = there.received[-1]
        is_json = last.headers.get("Content-Type") == "application/json"
        got = last.file or (base64.b64decode(json.loads(last.body)["image"]) if is_json else last.body)
        assert got == camera.last and not ready.spool()


def test_edge_impulse_refuses_inside_a_200(ready, camera, tmp_path):
    """The picture is kept, and the refusal told."""
    def refuse(_):
        return 200, {}, '{"success":true,"files":[{"success":false,"error":"too many"}]}'

    with Service(refuse) as there:
        path = tmp_path / "recipe.env"
        path.write_text(block("edge-impulse.md").replace("https://ingestion.edgeimpulse.com", there.url))
        ready.run("capture", "--config", str(path)).refuses(75, "HTTP_UPLOAD_ACK")
    assert ready.spooled_pictures() == [camera.last]


SPEAK_S3 = re.findall(r"^\| ([^|]+?) \| `https://([^|]+)` \| ([^|]+?) \|", (RECIPES / "s3.md").read_text(), re.M)


@pytest.mark.parametrize("service, host, region", SPEAK_S3, ids=[row[0].split(" (")[0] for row in SPEAK_S3])
def test_what_speaks_like_s3(ready, camera, endpoint, service, host, region):
    """Each row of the page's table: path-style addresses and the service's region. A proxy takes the service's place."""
    host = host.replace("REGION", "eu-central-003")
    region = {"as in the endpoint": "eu-central-003", "`auto`": "auto", "as in its configuration": "garage"}.get(region)
    settings = endpoint.as_s3(S3_BUCKET="YOUR-BUCKET", S3_ENDPOINT_URL=f"http://{host}", AWS_REGION=region,
                              HTTP_PROXY=f"http://127.0.0.1:{endpoint.port}")
    ready.set(**settings).capture().expect(0)
    [upload] = endpoint.received
    assert upload.method == "PUT" and upload.path.startswith(f"http://{host}/YOUR-BUCKET/snapshots/") and upload.body == camera.last
    assert f"/{region or 'us-east-1'}/s3/aws4_request" in upload.headers["Authorization"]
    assert not {name.lower() for name in upload.headers} & {"x-amz-acl", "x-amz-tagging", "x-amz-storage-class", "expect"}
    assert not any("server-side" in name.lower() or "checksum" in name.lower() for name in upload.headers)


def test_all_that_speak_like_s3_are_in_the_table():
    assert [row[0].split()[0] for row in SPEAK_S3] == ["Cloudflare", "Backblaze", "Wasabi", "Google", "MinIO", "Garage"]


def test_every_page_is_listed_and_tested():
    pages = {p.name for p in RECIPES.glob("*.md")} - {"README.md"}
    assert pages == {s.__name__.replace("_", "-") + ".md" for s in SERVICES} | {"s3.md", "credentials.md"}
    listed = set(re.findall(r"\]\(([\w-]+\.md)\)", (RECIPES / "README.md").read_text()))
    assert listed == pages

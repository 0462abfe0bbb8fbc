"""Our signatures equal botocore's, byte for byte, over random requests."""
import base64
import datetime
import hashlib
import json
import random
import subprocess
from urllib.parse import quote

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from program import binary

COUNT = 1500
METHODS = ("GET", "PUT", "POST", "DELETE", "HEAD")
# Where encoders differ: reserved and unreserved ASCII, several bytes a character, combining marks, other planes.
ALPHABET = ("abcXYZ0189-._~ !\"#$%&'()*+,/:;<=>?@[\\]^`{|}" "éßжあ😀🇨🇭‮\u0301\u00a0\u2028\ufeff" "\x01\x7f\t")


# What describes an object: encryption, class, tags, ACL, checksums, and that nothing is overwritten.
OBJECT = {
    "x-amz-server-side-encryption": lambda rng: rng.choice(["AES256", "aws:kms", "aws:kms:dsse"]),
    "x-amz-server-side-encryption-aws-kms-key-id": lambda rng: f"arn:aws:kms:eu-west-1:1:key/{rng.randrange(10**9)}",
    "x-amz-server-side-encryption-bucket-key-enabled": lambda rng: rng.choice(["true", "false"]),
    "x-amz-storage-class": lambda rng: rng.choice(["STANDARD_IA", "GLACIER_IR", "INTELLIGENT_TIERING"]),
    "x-amz-tagging": lambda rng: "&".join(quote(text(rng, 9), safe="") + "=" + quote(text(rng, 9), safe="") for _ in range(rng.randrange(1, 11))),
    "x-amz-acl": lambda rng: rng.choice(["bucket-owner-full-control", "private", "public-read"]),
    "x-amz-checksum-sha256": lambda rng: base64.b64encode(rng.randbytes(32)).decode(),
    "content-md5": lambda rng: base64.b64encode(rng.randbytes(16)).decode(),
    "if-none-match": lambda rng: "*",
}


def text(rng, longest=30):
    return "".join(rng.choice(ALPHABET) for _ in range(rng.randrange(1, longest)))


def request(rng):
    """One request as the signing tool reads it."""
    host = rng.choice(["127.0.0.1:9000", "snaps.s3.eu-west-1.amazonaws.com", "localhost", "[::1]:9000", "minio.example:8443"])
    path = "/" + quote(text(rng, 60), safe=rng.choice(["/", "/", "/-._~"]))
    query = "&".join(quote(text(rng, 8), safe="") + "=" + quote(text(rng, 12), safe="") for _ in range(rng.randrange(4)))
    if rng.random() < 0.1:
        query = rng.choice(["acl=", "uploads=", "list-type=2&prefix=a%2Fb", "versionId=x&acl="])
    body = rng.randbytes(rng.randrange(200)) if rng.random() < 0.8 else b""
    headers = {}
    if rng.random() < 0.8:
        headers["Content-Type"] = rng.choice(["image/jpeg", "text/plain; charset=utf-8"])
    for _ in range(rng.randrange(4)):
        name = "x-amz-meta-" + "".join(rng.choice("abcdefgh-XYZ09") for _ in range(rng.randrange(1, 12)))
        if name.lower() in (h.lower() for h in headers):
            continue
        headers[name.lower() if rng.random() < 0.5 else name] = rng.choice(
            ["front", "a  b   c", "  lead and trail  ", "2026-01-21T10:30:45.123Z", quote(text(rng)), "a,b;c=d"])
    headers.update((name, value(rng)) for name, value in rng.sample(list(OBJECT.items()), rng.randrange(len(OBJECT) + 1)))
    date = datetime.datetime(1999, 1, 1) + datetime.timedelta(seconds=rng.randrange(10**9 * 2))
    return {
        "method": rng.choice(METHODS), "url": f"http://{host}{path}" + ("?" + query if query else ""), "headers": headers,
        "payload_sha256": hashlib.sha256(body).hexdigest(), "body": body.hex(),
        "access_key": "AKIA" + "".join(rng.choice("ABCDEFGHIJKLMNOP2345") for _ in range(16)),
        "secret_key": "".join(rng.choice("abcdefABCDEF0123+/=é") for _ in range(40)),
        "session_token": "".join(rng.choice("abcDEF012+/=") for _ in range(rng.randrange(8, 400))) if rng.random() < 0.4 else None,
        "region": rng.choice(["us-east-1", "eu-central-1", "auto", "cn-north-1", "garage"]),
        "service": rng.choice(["s3", "s3", "s3", "s3-object-lambda"]), "date": date.strftime("%Y%m%dT%H%M%SZ")}


def botocores(r, monkeypatch):
    moment = datetime.datetime.strptime(r["date"], "%Y%m%dT%H%M%SZ")
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda *_: moment)
    asked = AWSRequest(r["method"], r["url"], dict(r["headers"]), bytes.fromhex(r["body"]))
    signer = botocore.auth.S3SigV4Auth(Credentials(r["access_key"], r["secret_key"], r["session_token"]), r["service"], r["region"])
    signer.add_auth(asked)
    assert asked.headers["X-Amz-Date"] == r["date"] and asked.headers["X-Amz-Content-SHA256"] == r["payload_sha256"]
    return asked.headers["Authorization"]


def test_random_requests(monkeypatch):
    seed = random.randrange(2**32)
    rng = random.Random(seed)
    requests = [request(rng) for _ in range(COUNT)]
    theirs = [botocores(r, monkeypatch) for r in requests]
    lines = "".join(json.dumps({k: v for k, v in r.items() if v is not None and k != "body"}) + "\n" for r in requests)
    ours = subprocess.run([str(binary("sigv4-sign"))], input=lines.encode(), capture_output=True, check=True, timeout=60).stdout.decode().splitlines()
    assert len(ours) == COUNT
    wrong = [(r, a, b) for r, a, b in zip(requests, ours, theirs) if a != b]
    assert not wrong, f"{len(wrong)} of {COUNT} differ (seed {seed}); first: {json.dumps(wrong[0], indent=1)}"
    assert len(set(ours)) == COUNT


def test_the_known_vector(monkeypatch):
    """The one that Amazon's documentation gives for a GET with a Range header."""
    vector = {"method": "GET", "url": "http://examplebucket.s3.amazonaws.com/test.txt", "headers": {"Range": "bytes=0-9"},
              "payload_sha256": hashlib.sha256(b"").hexdigest(), "body": "", "access_key": "AKIAIOSFODNN7EXAMPLE",
              "secret_key": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "session_token": None, "region": "us-east-1",
              "service": "s3", "date": "20130524T000000Z"}
    expected = "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
    assert botocores(vector, monkeypatch).endswith(expected)
    line = json.dumps({k: v for k, v in vector.items() if v is not None and k != "body"}) + "\n"
    ours = subprocess.run([str(binary("sigv4-sign"))], input=line.encode(), capture_output=True, check=True).stdout
    assert ours.decode().strip().endswith(expected)

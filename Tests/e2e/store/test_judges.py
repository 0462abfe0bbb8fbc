"""The S3 servers, the receiver and the pictures of these tests do what the tests rely on."""
import socket
import subprocess
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

import shared
import swift_s3
from bucket import client
from faultproxy import FaultProxy
from pictures import picture
from receiver import Answer, Receiver
from stores import S3_KINDS, store


@pytest.mark.parametrize("kind", S3_KINDS)
def test_s3_servers_accept_the_right_secret_and_refuse_a_wrong_one(kind, tmp_path):
    with store(kind, tmp_path) as s:
        keys = (s.settings["AWS_ACCESS_KEY_ID"], s.settings["AWS_SECRET_ACCESS_KEY"])
        secure, data = kind == "rgw-tls", picture()
        name = s.prefix + "a b+c%é😀\"'.jpg"
        client(s.server, keys, secure).put_object(Bucket=s.bucket.name, Key=name, Body=data, Metadata={"camera": "x"})
        assert s.pictures() == {"a b+c%é😀\"'.jpg": data} and s.facts("a b+c%é😀\"'.jpg")["camera"] == "x"
        wrong = client(s.server, (keys[0], s.wrong_secret["AWS_SECRET_ACCESS_KEY"]), secure)
        with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
            wrong.put_object(Bucket=s.bucket.name, Key="x", Body=b"x")
        if kind != "swift":
            with pytest.raises(ClientError, match="403"):
                client(s.server, keys, secure).head_bucket(Bucket=s.bucket.name)


def test_swift_refuses_another_region():
    """By a plain request: boto3 itself would sign again."""
    server = shared.server("swift", swift_s3.start)
    asked = AWSRequest("PUT", server["http"] + "/any/key", data=b"x")
    S3SigV4Auth(Credentials(*server["owner"]), "s3", "us-east-1").add_auth(asked)
    with pytest.raises(HTTPError) as refused:
        urlopen(Request(asked.url, b"x", dict(asked.headers), method="PUT"))
    body = refused.value.read()
    assert refused.value.code == 400 and b"AuthorizationHeaderMalformed" in body and b"eu-central-1" in body


def test_receiver_and_proxy_do_as_they_are_told():
    def post(port):
        with socket.create_connection(("127.0.0.1", port)) as s:
            s.sendall(b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc")
            return s.recv(100)

    with Receiver() as receiver, FaultProxy(receiver.port) as proxy:
        receiver.answers += [Answer(503, {"Retry-After": "1"}), Answer(reset=True)]
        assert b" 503 " in post(proxy.port)
        with pytest.raises(ConnectionResetError):
            post(receiver.port)
        assert b" 200 " in post(proxy.port) and receiver.last.body == b"abc"
        proxy.set("refuse")
        with pytest.raises(ConnectionResetError):
            post(proxy.port)
        proxy.set("rst", 5)
        with pytest.raises(ConnectionResetError):
            assert len(post(proxy.port)) <= 5
            raise ConnectionResetError  # the first five bytes may still be read


def test_pictures_are_valid_and_differ(tmp_path):
    one, other = picture(), picture(size=1_000_000)
    assert one != other and len(other) > 900_000
    for data in (one, other):
        said = subprocess.run(["ffprobe", "-v", "error", "-f", "mjpeg", "-show_entries", "stream=width,height", "-of",
                               "csv=p=0", "-"], input=data, capture_output=True, check=True)
        assert said.stdout.split()[0].rstrip(b",") == b"640,360" and not said.stderr

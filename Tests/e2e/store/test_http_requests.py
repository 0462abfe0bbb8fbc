"""How an HTTP upload is made to fit a service: method, address, fields, headers, JSON, signature, client certificate."""
import base64
import contextlib
import datetime
import hashlib
import hmac
import json
import socket
import ssl
import struct
import threading

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

import tls
from pictures import picture
from receiver import Answer, Receiver
from stores import sha256
from tls import client, server

pytestmark = pytest.mark.asan


# Address and method

@pytest.mark.parametrize("method, settings, file", [
    ("POST", {}, True), ("PUT", {"HTTP_UPLOAD_METHOD": "PUT"}, False), ("PUT", {"HTTP_UPLOAD_METHOD": "put"}, False),
    ("PUT", {"HTTP_UPLOAD_METHOD": "PUT", "HTTP_UPLOAD_FORMAT": "multipart"}, True),
    ("POST", {"HTTP_UPLOAD_FORMAT": "raw"}, False)])
def test_the_method(ready, camera, endpoint, method, settings, file):
    """PUT sends the picture alone unless a form is asked for."""
    ready.set(**endpoint.as_http(**settings)).capture().expect(0)
    r, = endpoint.received
    assert r.method == method and (r.file if file else r.body) == camera.last


@pytest.mark.parametrize("path, expected", [
    ("/{camera}/{yyyy}/{filename}", "/T%C3%BCr%20%26%201/{yyyy}/{filename}"),
    ("/up/{key}", "/up/T%C3%BCr%20%26%201/{yyyy}/{filename}"),
    ("/up?name={key}&cam={camera}&at={timestamp}", "/up?name=T%C3%BCr%20%26%201/{yyyy}/{filename}&cam=T%C3%BCr%20%26%201&at={timestamp}"),
    ("/plain{}and{ }", "/plain{}and{ }".replace(" ", ""))])
def test_fields_in_the_address(ready, endpoint, path, expected):
    settings = endpoint.as_http(HTTP_UPLOAD_URL=endpoint.url + path.replace(" ", ""), HTTP_UPLOAD_FORMAT="raw")
    result = ready.set(CAMERA_NAME="Tür & 1", KEY_TEMPLATE="{camera}/{yyyy}/{timestamp}.jpg", **settings).capture().expect(0)
    r, = endpoint.received
    filename = r.headers["X-Snapshot-Key"].rpartition("/")[2]
    for name, value in {"yyyy": filename[:4], "filename": filename, "timestamp": filename.removesuffix(".jpg")}.items():
        expected = expected.replace("{%s}" % name, value)
    assert r.path == expected, result.stderr


def test_a_spooled_picture_is_sent_as_a_new_one_is(ready, camera, endpoint):
    """Its own camera, time and key stand in address, headers and fields."""
    endpoint.always = Answer(503)
    ready.set(**endpoint.as_http(
        HTTP_UPLOAD_URL=endpoint.url + "/{camera}/{filename}", HTTP_UPLOAD_FIELDS="when={timestamp}",
        HTTP_UPLOAD_HEADERS="X-File: {filename}", UPLOAD_ATTEMPTS=1, KEY_TEMPLATE="a/{timestamp}.jpg"))
    ready.capture().refuses(75)
    first, sent = endpoint.last, camera.last
    endpoint.always = None
    ready.set(CAMERA_NAME="another", UPLOAD_ATTEMPTS=None).run("drain").expect(0)
    again = endpoint.last
    assert again.path == first.path and again.file == sent and again.fields == first.fields
    assert again.headers["X-File"] == again.filename == first.filename
    assert again.fields["when"] == again.filename.removesuffix(".jpg")


# Form, JSON, headers

def test_the_form(ready, camera, endpoint):
    """More fields, another name of the part, and a field of the user's that replaces ours."""
    ready.set(**endpoint.as_http(
        HTTP_UPLOAD_PART="image", HTTP_UPLOAD_FIELDS='site = north barn ; meta={"cam": "{camera}"};key=k-{filename}; empty='))
    ready.capture().expect(0)
    r, = endpoint.received
    assert (r.part, r.file) == ("image", camera.last)
    assert r.fields["site"] == "north barn" and json.loads(r.fields["meta"]) == {"cam": "front"} and r.fields["empty"] == ""
    assert r.fields["key"] == f"k-{r.filename}" and r.fields["sha256"] == sha256(camera.last)


@pytest.mark.parametrize("size", [9000, 9001, 9002, 2_000_003])
def test_json(ready, camera, endpoint, size):
    """An object with the picture as base64, whatever its length."""
    camera.picture = lambda: picture(size=size)
    ready.set(**endpoint.as_http(
        HTTP_UPLOAD_FORMAT="json", HTTP_UPLOAD_FIELDS='site=a "b" \\ ü; n=1', CAMERA_NAME="Tür"))
    ready.capture().expect(0)
    r, = endpoint.received
    got = json.loads(r.body)
    assert r.headers["Content-Type"] == "application/json" and int(r.headers["Content-Length"]) == len(r.body)
    assert base64.b64decode(got["image"], validate=True) == camera.last
    assert got["content_type"] == "image/jpeg" and got["camera"] == "Tür" and got["site"] == 'a "b" \\ ü' and got["n"] == "1"
    assert got["sha256"] == sha256(camera.last) and got["key"].endswith(".jpg") and got["captured_at"].endswith("Z")


def test_the_name_of_the_picture_in_json(ready, camera, endpoint):
    ready.set(**endpoint.as_http(HTTP_UPLOAD_FORMAT="json", HTTP_UPLOAD_PART="payload", HTTP_UPLOAD_METHOD="PUT")).capture().expect(0)
    got = json.loads(endpoint.last.body)
    assert base64.b64decode(got["payload"]) == camera.last and "image" not in got


@pytest.mark.parametrize("way", ["escaped", "file", "windows"])
def test_headers(ready, camera, endpoint, way, tmp_path):
    """HTTP_UPLOAD_HEADERS has one header a line, also in a file, and replaces ours of the same name."""
    lines = ["Token: s3cret-token-1", "Content-Disposition: attachment; filename=\"{filename}\"", "idempotency-key:  mine ",
             "Content-Type: image/x-jpg", "X-Camera: {camera}", "X-JSON: {\"a\": {}}"]
    settings = endpoint.as_http(HTTP_UPLOAD_FORMAT="raw", CAMERA_NAME="Tür")
    if way == "escaped":
        settings["HTTP_UPLOAD_HEADERS"] = "\\n".join(lines)
    else:
        path = tmp_path / "headers"
        path.write_text({"file": "\n", "windows": "\r\n"}[way].join(lines) + "\n")
        settings["HTTP_UPLOAD_HEADERS_FILE"] = str(path)
    ready.set(**settings).capture().expect(0)
    r, = endpoint.received
    assert r.headers["Token"] == "s3cret-token-1" and r.headers["Idempotency-Key"] == "mine"
    assert r.headers["Content-Type"] == "image/x-jpg" and r.headers["X-Camera"] == "T%C3%BCr"
    assert json.loads(r.headers["X-Json"]) == {"a": {}} and r.body == camera.last
    name = r.headers["X-Snapshot-Key"].rpartition("/")[2]
    assert r.headers["Content-Disposition"] == f'attachment; filename="{name}"'


@pytest.mark.parametrize("form", ["raw", "multipart", "json"])
def test_two_headers_of_one_name(ready, endpoint, form):
    """Both are sent, in their order; ours of that name isn't."""
    ready.set(**endpoint.as_http(
        HTTP_UPLOAD_FORMAT=form, HTTP_UPLOAD_HEADERS="X-Tag: one\\nidempotency-key: a\\nX-Other: {camera}\\nx-tag: two\\nIdempotency-Key: b"))
    ready.capture().expect(0)
    sent = endpoint.last.headers
    assert (sent["X-Tag"], sent["Idempotency-Key"], sent["X-Other"]) == ("one,two", "a,b", "front"), "a server joins them so"


def test_a_server_that_repeats_what_was_sent_tells_no_secret(ready, endpoint):
    """Neither a header's, nor a field's; and a field that is refused isn't shown either."""
    endpoint.always = Answer(400, {}, "bad Token s3cret-token-1 and abcdefgh12345678, api_key fieldCanary12")
    ready.set(**endpoint.as_http(HTTP_UPLOAD_HEADERS="Token: s3cret-token-1\\nAuthorization: Key abcdefgh12345678",
                                 HTTP_UPLOAD_FIELDS="api_key=fieldCanary12; site=x"))
    secrets = ("s3cret", "abcdefgh12345678", "fieldCanary12")
    told = [ready.capture().expect(75), ready.run("check"), ready.run("settings"), ready.run("settings", "--json"),
            ready.run("capture", "--verbose"), ready.run("health")]
    told.append(ready.capture(env={"HTTP_UPLOAD_FIELDS": "api_key=fieldCanary12; api_key=2"}).refuses(78, "twice"))
    assert not [s for s in secrets for result in told if s in result.stdout + result.stderr]
    assert endpoint.received[0].headers["Authorization"] == "Key abcdefgh12345678"
    assert endpoint.received[0].fields["api_key"] == "fieldCanary12"
    assert not any(s.encode() in data for s in secrets for where, data in ready.written() if "spool" not in where)


def test_fields_from_a_file(ready, endpoint, tmp_path):
    (tmp_path / "http_upload_fields").write_text("api_key=fieldCanary12; site=x\n")
    ready.set(**endpoint.as_http(CREDENTIALS_DIRECTORY=tmp_path)).capture().expect(0)
    assert endpoint.last.fields["api_key"] == "fieldCanary12"


@pytest.mark.parametrize("settings, key, why", [
    ({"HTTP_UPLOAD_METHOD": "PATCH"}, "HTTP_UPLOAD_METHOD", "post or put"),
    ({"HTTP_UPLOAD_FORMAT": "xml"}, "HTTP_UPLOAD_FORMAT", "multipart, raw or json"),
    ({"HTTP_UPLOAD_URL": "http://127.0.0.1/{camrea}"}, "HTTP_UPLOAD_URL", "{camrea}"),
    ({"HTTP_UPLOAD_URL": "http://{camera}.example/"}, "HTTP_UPLOAD_URL", "host"),
    ({"HTTP_UPLOAD_FIELDS": "just text"}, "HTTP_UPLOAD_FIELDS", "name=value"),
    ({"HTTP_UPLOAD_FIELDS": "=v"}, "HTTP_UPLOAD_FIELDS", "name=value"),
    ({"HTTP_UPLOAD_FIELDS": "a=1; a=2"}, "HTTP_UPLOAD_FIELDS", "twice"),
    ({"HTTP_UPLOAD_FIELDS": "a={nothing}"}, "HTTP_UPLOAD_FIELDS", "{nothing}"),
    ({"HTTP_UPLOAD_FIELDS": "a=1", "HTTP_UPLOAD_FORMAT": "raw"}, "HTTP_UPLOAD_FIELDS", "multipart or json"),
    ({"HTTP_UPLOAD_HEADERS": "no colon"}, "HTTP_UPLOAD_HEADERS", "Name: value"),
    ({"HTTP_UPLOAD_HEADERS": "a b: c"}, "HTTP_UPLOAD_HEADERS", "Name: value"),
    ({"HTTP_UPLOAD_HEADERS": ": c"}, "HTTP_UPLOAD_HEADERS", "Name: value"),
    ({"HTTP_UPLOAD_HEADERS": "A: 1\\nHost: x"}, "HTTP_UPLOAD_HEADERS", "line 2 sets Host"),
    ({"HTTP_UPLOAD_HEADERS": "content-length: 5"}, "HTTP_UPLOAD_HEADERS", "content-length"),
    ({"HTTP_UPLOAD_HEADERS": "Transfer-Encoding: chunked"}, "HTTP_UPLOAD_HEADERS", "Transfer-Encoding"),
    ({"HTTP_UPLOAD_HEADERS": "Connection: close"}, "HTTP_UPLOAD_HEADERS", "Connection"),
    ({"HTTP_UPLOAD_HEADERS": "A: ü"}, "HTTP_UPLOAD_HEADERS", "ASCII"),
    ({"HTTP_UPLOAD_HEADERS": "A:"}, "HTTP_UPLOAD_HEADERS", "no value"),
    ({"HTTP_UPLOAD_HEADERS": "A: {x1}"}, "HTTP_UPLOAD_HEADERS", "{x1}"),
    ({"HTTP_UPLOAD_HEADERS": "Content-Type: a/b"}, "HTTP_UPLOAD_HEADERS", "boundary"),
    ({"HTTP_UPLOAD_HEADERS": "Authorization: a\\nX: y\\nauthorization: b"}, "HTTP_UPLOAD_HEADERS", "Authorization twice"),
    ({"HTTP_UPLOAD_HEADERS": "content-type: a/b\\nContent-Type: a/b", "HTTP_UPLOAD_FORMAT": "raw"}, "HTTP_UPLOAD_HEADERS", "Content-Type twice"),
    ({"HTTP_UPLOAD_HEADERS": "authorization: x", "HTTP_AUTH_TOKEN": "t"}, "HTTP_AUTH_TOKEN", "Authorization"),
    ({"HTTP_SIGNING_SECRET": "abc"}, "HTTP_SIGNING_SECRET", "raw or json"),
    ({"HTTP_SIGNING_SECRET": "whsec_!!", "HTTP_UPLOAD_FORMAT": "raw"}, "HTTP_SIGNING_SECRET", "base64"),
    ({"HTTP_CLIENT_CERT": "/nowhere/c.pem"}, "HTTP_CLIENT_CERT", "No such file"),
    ({"HTTP_CLIENT_KEY": "/nowhere/c.pem"}, "HTTP_CLIENT_KEY", "HTTP_CLIENT_CERT"),
    ({"HTTP_UPLOAD_PART": 'a"b'}, "HTTP_UPLOAD_PART", "quotes")])
def test_refused_settings(ready, endpoint, settings, key, why):
    """Each with its key and its rule, before anything is asked."""
    result = ready.set(**endpoint.as_http(**settings)).capture()
    assert result.code == 78 and key in result.stderr and why in result.stderr, result.stderr
    assert not endpoint.received


# Signature

@pytest.mark.parametrize("form", ["raw", "json"])
@pytest.mark.parametrize("secret", ["whsec_" + base64.b64encode(bytes(range(24))).decode(), "some text", "x" * 100])
def test_the_signature(ready, endpoint, form, secret):
    """As Standard Webhooks describes it: over the id, the time and the body."""
    ready.set(**endpoint.as_http(HTTP_SIGNING_SECRET=secret, HTTP_UPLOAD_FORMAT=form, CAMERA_NAME="Tür")).capture().expect(0)
    r, = endpoint.received
    key = base64.b64decode(secret.removeprefix("whsec_")) if secret.startswith("whsec_") else secret.encode()
    name, seconds = r.headers["Webhook-Id"], r.headers["Webhook-Timestamp"]
    mac = hmac.new(key, f"{name}.{seconds}.".encode() + r.body, hashlib.sha256).digest()
    assert r.headers["Webhook-Signature"] == "v1," + base64.b64encode(mac).decode()
    assert name == r.headers["Idempotency-Key"] and abs(int(seconds) - datetime.datetime.now().timestamp()) < 60


# Client certificates

@pytest.fixture
def authority(tmp_path):
    return tls.Authority(tmp_path)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("kind", ["ec", "rsa", "one file", "handed over"])
def test_a_client_certificate(ready, camera, authority, tmp_path, version, kind):
    key = rsa.generate_private_key(65537, 2048) if kind == "rsa" else None
    certificate, path = client(authority, tmp_path, key=key)
    settings = {"HTTP_CLIENT_CERT": certificate, "HTTP_CLIENT_KEY": path}
    if kind == "one file":
        certificate.write_bytes(certificate.read_bytes() + path.read_bytes())
        del settings["HTTP_CLIENT_KEY"]
    if kind == "handed over":
        path.rename(tmp_path / "http_client_key")
        settings.update(HTTP_CLIENT_KEY=None, CREDENTIALS_DIRECTORY=tmp_path)
    with Receiver(ssl=server(authority, version)) as endpoint:
        ready.set(**endpoint.as_http(SSL_CERT_FILE=authority.certificate, **settings)).capture().expect(0)
        assert endpoint.last.file == camera.last


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("case, words", [
    ("none", "HTTP_CLIENT_CERT"), ("expired", "expired"), ("of another authority", "client certificate"),
    ("another key", "doesn't belong"), ("passphrase", "passphrase"), ("no certificate", "no certificate in PEM")])
def test_a_client_certificate_that_is_no_good(ready, camera, authority, tmp_path, version, case, words):
    """The message says what is wrong with it, and the picture waits in the spool."""
    certificate, path = client(
        authority, tmp_path, days=(-10, -5) if case == "expired" else (-10, 10),
        issuer=ec.generate_private_key(ec.SECP256R1()) if case == "of another authority" else None)
    key = ec.generate_private_key(ec.SECP256R1())
    if case == "another key":
        tls._write(path, key=key)
    if case == "passphrase":
        path.write_bytes(key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"abc")))
    if case == "no certificate":
        certificate.write_text("something else\n")
    settings = {} if case == "none" else {"HTTP_CLIENT_CERT": certificate, "HTTP_CLIENT_KEY": path}
    with Receiver(ssl=server(authority, version)) as endpoint:
        ready.set(**endpoint.as_http(SSL_CERT_FILE=authority.certificate, UPLOAD_ATTEMPTS=1, **settings))
        result = ready.capture()
        assert words in result.stderr and "HTTP_CLIENT" in result.stderr, result.stderr
        # In TLS 1.2 the alert doesn't tell that a certificate is what was missing.
        # And a connection that just ends may have been ended by the line: no credentials are held off for that.
        unclear = case == "none" and version == ssl.TLSVersion.TLSv1_2 or "closes the connection" in result.stderr
        assert result.code == (75 if unclear else 77) and not endpoint.received
    assert ready.spooled_pictures() == [camera.last]


@pytest.mark.parametrize("has_certificate", [False, True])
def test_a_line_that_breaks_is_no_refusal(ready, camera, authority, tmp_path, has_certificate):
    """Connections that are reset behind the handshake, again and again: the next run tries at once."""
    context = server(authority, demands=False)
    certificate, key = client(authority, tmp_path)
    settings = {"HTTP_CLIENT_CERT": certificate, "HTTP_CLIENT_KEY": key} if has_certificate else {}
    with socket.create_server(("127.0.0.1", 0)) as listener:
        def reset():
            while True:
                try:
                    line, _ = listener.accept()
                except OSError:
                    return
                with contextlib.suppress(OSError):
                    tls_line = context.wrap_socket(line, server_side=True)
                    tls_line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    tls_line.close()
        threading.Thread(target=reset, daemon=True).start()
        url = f"https://127.0.0.1:{listener.getsockname()[1]}/up"
        ready.set(STORAGE_BACKEND="http", HTTP_UPLOAD_URL=url, SSL_CERT_FILE=authority.certificate, UPLOAD_ATTEMPTS=1, **settings)
        for _ in range(2):
            ready.capture().expect(75)
        listener.shutdown(socket.SHUT_RDWR)
    assert ready.spooled_pictures() == camera.served

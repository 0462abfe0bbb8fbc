"""What acknowledges a picture, and what only looks like it: pages that stand between this computer and the store."""
import gzip
import ssl
import zlib

import pytest

import tls
from process import wait_until
from receiver import Answer, Receiver
from relay import Relay
from rtsp import RTSPServer

pytestmark = pytest.mark.asan

NO_ETAG = {"ETag": None}
PAGES = {
    "doctype": "<!DOCTYPE html><title>Welcome</title>",
    "script": "<script>location='/login'</script>",
    "upper case": "<HEAD><META HTTP-EQUIV=refresh CONTENT='0; url=http://10.0.0.1/'></HEAD>",
    "comment": "<!-- hotel gateway 3.2 -->\n<html><body>Room number?</body></html>",
    "two comments": "\n<!--a--> <!--\n<x>\n-->\t<body>sign in</body>",
    "open comment": "<!-- " + "x" * 300,
    "xhtml": '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" '
             '"http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd">\n<html xmlns="http://www.w3.org/1999/xhtml"/>',
    "prolog": '<?xml version="1.0"?>\r\n\r\n<html/>',
    "bom": b"\xef\xbb\xbf<html lang=de>",
    "utf-16": "\ufeff <!doctype\n HTML >".encode("utf-16-le"),
    "utf-16 without a mark": "<html lang=en>".encode("utf-16-le"),
    "svg": "<svg xmlns='http://www.w3.org/2000/svg'/><form action=/login>",
    "pre": "<pre>Sign in at http://10.0.0.1/</pre>",
    "meta": "<meta http-equiv='refresh' content='0;url=https://wifi.example/'>",
    "form": " \n <form action=/guest method=post>",
}
OTHERS = {"text": "please sign in", "json": '{"login": "http://10.1.1.1/"}', "empty": "", "xml": "<WISPAccessGatewayParam/>"}
ACKNOWLEDGEMENTS = {"text": "ok", "json": '{"id": 7}', "empty": "", "xml": '<?xml version="1.0"?><response>ok</response>',
                    "html's neighbours": "<headers/>", "less": "a < b", "comment in xml": "<!-- x --><result/>"}


@pytest.mark.parametrize("etag", [True, False])
@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_no_s3(ready, camera, endpoint, page, etag):
    endpoint.always = Answer(200, {} if etag else NO_ETAG, PAGES[page])
    result = ready.set(**endpoint.as_s3()).capture().refuses(75, "a sign-in page answered instead of the store")
    assert result.hints and len(endpoint.received) == 1 and ready.spooled_pictures() == [camera.last]


@pytest.mark.parametrize("body", OTHERS)
@pytest.mark.parametrize("type_", ["text/html", "application/xml", None])
def test_what_names_no_object_is_no_s3(ready, camera, endpoint, body, type_):
    endpoint.always = Answer(200, {**NO_ETAG, "Content-Type": type_}, OTHERS[body])
    assert ready.set(**endpoint.as_s3()).capture().refuses(75, "ETag", "sign-in page").hints
    assert ready.spooled_pictures() == [camera.last]
    endpoint.always = None
    ready.capture().expect(0)
    assert not ready.spool(), "it came later"


@pytest.mark.parametrize("status", [401, 403, 511])
def test_a_page_refuses_no_credentials(ready, endpoint, status):
    endpoint.always = Answer(status, {}, PAGES["script"])
    for _ in range(2):
        ready.set(**endpoint.as_s3()).capture().refuses(75, "sign-in page")
    assert len(endpoint.received) == 2, "not held off"


@pytest.mark.parametrize("form", ["multipart", "raw"])
@pytest.mark.parametrize("page", PAGES)
def test_a_page_over_plain_http_acknowledges_no_upload(ready, camera, endpoint, page, form):
    endpoint.always = Answer(200, {"Content-Type": "application/json"}, PAGES[page])
    result = ready.set(**endpoint.as_http(HTTP_UPLOAD_FORMAT=form)).capture()
    assert result.refuses(75, "a sign-in page answered instead of the store").hints
    assert ready.spooled_pictures() == [camera.last]


@pytest.mark.parametrize("body", ACKNOWLEDGEMENTS)
def test_anything_else_acknowledges_an_upload(ready, endpoint, body):
    endpoint.always = Answer(200, {"Content-Type": "text/html; charset=utf-8"}, ACKNOWLEDGEMENTS[body])
    ready.set(**endpoint.as_http()).capture().expect(0)


@pytest.mark.parametrize("coding, compress", [("gzip", gzip.compress), ("X-GZIP", gzip.compress), ("deflate", zlib.compress)])
@pytest.mark.parametrize("kind", ["as_s3", "as_http"])
def test_a_compressed_answer_may_be_a_page(ready, camera, endpoint, kind, coding, compress):
    """The request doesn't ask for compression, and the program can't read such a body."""
    endpoint.always = Answer(200, {"Content-Encoding": coding}, compress(PAGES["doctype"].encode()))
    ready.set(**getattr(endpoint, kind)()).capture().refuses(75, "compressed", "sign-in page")
    assert ready.spooled_pictures() == [camera.last]
    endpoint.always = Answer(200, {"Content-Encoding": coding}, "")
    ready.capture().expect(0)


@pytest.mark.parametrize("coding", ["identity", "none", "UTF-8", ""])
def test_what_is_no_compression_is_read(ready, endpoint, coding):
    endpoint.always = Answer(200, {"Content-Encoding": coding}, "ok")
    ready.set(**endpoint.as_http()).capture().expect(0)


def test_over_tls_a_page_is_the_servers_own(ready, tmp_path):
    authority = tls.Authority(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue("127.0.0.1"))
    with Receiver(ssl=context) as endpoint:
        endpoint.always = Answer(200, {}, PAGES["doctype"])
        ready.set(**endpoint.as_http(SSL_CERT_FILE=authority.certificate)).capture().expect(0)


def test_the_text_of_an_acknowledgement_is_a_setting(ready, camera, endpoint):
    endpoint.always = Answer(200, {}, "<html>3 files saved</html>")
    ready.set(**endpoint.as_http(HTTP_UPLOAD_ACK="files saved")).capture().expect(0)
    run = ready.set(HTTP_UPLOAD_ACK="Datei gespeichert").capture().refuses(75, "sign-in page")
    assert "set HTTP_UPLOAD_ACK to what" in run.hints[0], run
    endpoint.always = Answer(201, {}, "disk full")
    run = ready.capture().refuses(75, "HTTP_UPLOAD_ACK")
    assert run.hints and "set HTTP_UPLOAD_ACK to what its answer to a stored picture says" in run.hints[0], run
    assert ready.spooled_pictures() == camera.served[1:]
    endpoint.always = Answer(200, {}, "<p>Datei gespeichert!")
    ready.capture().expect(0)
    assert not ready.spool()


@pytest.mark.parametrize("kind", ["as_s3", "as_http"])
def test_a_drain_stops_at_a_page(ready, endpoint, kind):
    ready.set(**getattr(endpoint, kind)())
    endpoint.always = Answer(503)
    for _ in range(3):
        ready.capture().expect(75)
    endpoint.always, endpoint.received[:] = Answer(200, {}, PAGES["bom"]), []
    ready.run("drain").refuses(75, "sign-in page")
    assert len(endpoint.received) == 1 and len(ready.spool()) >= 3
    endpoint.always = None
    ready.run("drain").expect(0)
    assert not ready.spool()


def test_a_recording_stays_where_a_page_answers(snapshot):
    with Receiver() as endpoint, RTSPServer("admin", "CanaryPassword") as camera:
        endpoint.always = Answer(200, {}, PAGES["comment"])
        with Relay(snapshot, camera.as_camera(), "record", SEGMENT_TIME="1s", RECORD_UPLOAD="true", **endpoint.as_http()) as relay:
            wait_until(lambda: "sign-in page" in relay.stderr, 30, "the page is told")
            assert len(relay.recordings) >= 1

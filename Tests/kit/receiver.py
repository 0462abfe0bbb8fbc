"""An HTTP endpoint that takes snapshots: Flask on Werkzeug, which parse requests by themselves.

It accepts any method on any path, so it can also be an S3 endpoint whose answers a test chooses. The answers that a
test has queued are sent in order; after the last one it acknowledges every request.
"""
import logging
import os
import socket
import struct
import threading
import time
from dataclasses import dataclass, field

from flask import Flask, Response, request
from werkzeug.serving import make_server

logging.getLogger("werkzeug").setLevel(logging.ERROR)


@dataclass
class Answer:
    status: int = 200
    headers: dict = field(default_factory=dict)
    body: bytes | str = b""
    wait: float = 0
    """Seconds before the answer; the wait ends when the receiver stops."""
    reset: bool = False
    """Reset the connection instead of answering, without reading the body."""


@dataclass
class Received:
    method: str
    path: str
    host: str
    headers: dict
    body: bytes
    """The raw body; empty for a multipart form, whose parts are in `file` and `fields`."""
    fields: dict
    file: bytes | None
    filename: str | None
    file_type: str | None
    part: str | None
    """The file's name in the form."""
    port: int
    """The client's port: tells connections apart."""
    at: float
    """When the request came, monotonic."""


class Receiver:
    def __init__(self, token=None, status=200, ssl=None, threaded=True):
        self.token, self.status = token, status
        self.received, self.answers = [], []
        self.always = None
        self.choking = set()
        """Keys that get a 500."""
        self._stopping = threading.Event()
        app = Flask("receiver")
        app.config["PROPAGATE_EXCEPTIONS"] = True
        app.add_url_rule("/", "root", self._take, methods=["GET", "POST", "PUT", "HEAD", "DELETE"])
        app.add_url_rule("/<path:_>", "any", self._take, methods=["GET", "POST", "PUT", "HEAD", "DELETE"])
        self._server = make_server("127.0.0.1", 0, app, threaded=threaded, ssl_context=ssl)
        self.port = self._server.port
        self.url = f"http{'s' if ssl else ''}://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self._stopping.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def last(self):
        return self.received[-1]

    def as_http(self, **more):
        """The settings that make it the program's HTTP store."""
        return {"STORAGE_BACKEND": "http", "HTTP_UPLOAD_URL": self.url + "/up", **more}

    def as_s3(self, **more):
        """The settings that make it the program's S3 store."""
        return {"STORAGE_BACKEND": "s3", "S3_BUCKET": "snaps", "S3_ENDPOINT_URL": self.url,
                "AWS_ACCESS_KEY_ID": "AKIAFAKE", "AWS_SECRET_ACCESS_KEY": "fakeSecret", **more}

    def _take(self, _=None):
        at, answer = time.monotonic(), self.always or (self.answers.pop(0) if self.answers else None)
        if answer and answer.reset:
            self.received.append(self._describe(at, read=False))
            return _reset()
        self.received.append(self._describe(at))
        if answer is None:
            if self.token and request.headers.get("Authorization") != f"Bearer {self.token}":
                return Response("no", 401)
            return _response(b"", 500 if self.last.fields.get("key") in self.choking else self.status, {})
        self._stopping.wait(answer.wait)
        return _response(answer.body, answer.status, answer.headers)

    def _describe(self, at, read=True):
        name, part = next(iter(request.files.items()), (None, None)) if read else (None, None)
        return Received(
            request.method, request.environ.get("RAW_URI", request.full_path), request.host, dict(request.headers),
            request.get_data() if read else b"", dict(request.form) if read else {},
            part.read() if part else None, part.filename if part else None, part.content_type if part else None, name,
            request.environ["REMOTE_PORT"], at)


def _response(body, status, headers):
    """With the ETag that every S3 gives a PUT, unless `headers` has another, or None."""
    etag = {"ETag": '"9b2cf535f27731c974343645a3985328"'} if request.method == "PUT" and 200 <= status < 300 else {}
    return Response(body, status, {k: v for k, v in {**etag, **headers}.items() if v is not None})


def _reset():
    """Ends the connection with a reset: what was not read is gone."""
    connection = request.environ["werkzeug.socket"]
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    os.close(connection.detach())  # close() would wait for the files that were made of it
    raise ConnectionAbortedError


def s3_error(code, **more):
    """The body of an S3 error answer."""
    extra = "".join(f"<{k}>{v}</{k}>" for k, v in more.items())
    return f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code><Message>so it is</Message>{extra}</Error>'

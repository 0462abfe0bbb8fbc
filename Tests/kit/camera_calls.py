"""The requests that a Reolink client makes, without such a client."""

import io
import json
import socket
import urllib.error
import urllib.parse
import urllib.request

from PIL import Image

PASSWORD = "s3cret !&%+é"


def snap_path(password=PASSWORD, **more):
    query = {"cmd": "Snap", "channel": 0, "rs": "x", "user": "admin", "password": password} | more
    query = {name: value for name, value in query.items() if value is not None}
    return "/cgi-bin/api.cgi?" + urllib.parse.urlencode(query, quote_via=urllib.parse.quote)


def fetch(camera, path, data=None, timeout=20):
    """Status, content type and body, also of error answers; redirects aren't followed."""

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *args):
            return None

    try:
        answer = urllib.request.build_opener(Stay).open(camera.url + path, data, timeout)
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        return answer.status, answer.headers["Content-Type"], answer.read()


def call(camera, cmd, param=None, token=None):
    query = f"cmd={cmd}" + (f"&token={token}" if token else "")
    body = json.dumps([{"cmd": cmd, "action": 0, "param": param or {}}]).encode()
    status, kind, answer = fetch(camera, f"/cgi-bin/api.cgi?{query}", body)
    assert (status, kind) == (200, "text/html")
    return json.loads(answer)[0]


def login(camera, password=PASSWORD, user="admin"):
    return call(camera, "Login", {"User": {"userName": user, "password": password}})


def token_of(camera, password=PASSWORD):
    return login(camera, password)["value"]["Token"]["name"]


def size_of(jpeg):
    image = Image.open(io.BytesIO(jpeg))
    image.load()
    return image.size


def rsp_code(body):
    return json.loads(body)[0]["error"]["rspCode"]


class Raw:
    """One request on a socket of our own, and the raw bytes that come back."""

    def __init__(self, camera, path, timeout=5):
        self.socket = socket.create_connection(("127.0.0.1", camera.http), timeout)
        self.socket.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.socket.close()

    def read(self, limit=1 << 20):
        """All that comes, up to the limit, and how it ended: eof, reset, timeout or more."""
        data = b""
        while len(data) < limit:
            try:
                part = self.socket.recv(65536)
            except ConnectionResetError:
                return data, "reset"
            except TimeoutError:
                return data, "timeout"
            if not part:
                return data, "eof"
            data += part
        return data, "more"


def split(data):
    head, _, body = data.partition(b"\r\n\r\n")
    fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    return fields, body

"""A second camera, independent of the simulator: the few Reolink calls that a snapshot needs, and plain stills.

A test may replace the answer to `Snap`, or to the still, by any bytes on the wire.
"""
import base64
import hashlib
import json
import re
import secrets
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from pictures import picture

REALM = "camera"


class Camera:
    """A still at /still.jpg (`auth`: none, basic, digest, or stale: every challenge is), and Reolink's API at /cgi-bin/api.cgi."""

    def __init__(self, username="admin", password="", auth="none", certificate=None, tokens=True, passwords=True, port=0):
        self.username, self.password, self.auth = username, password, auth
        self.tokens, self.passwords = tokens, passwords
        self.requests, self.served, self.sessions = [], [], {}
        self.logins = self.failed_logins = self.logouts = self.connections = 0
        self.raw = None
        """Bytes to send in place of a picture's whole HTTP answer; a list is used up in order."""
        self.raw_login = None
        """Bytes to send in place of the answer to `Login`."""
        self.picture = picture
        self.echo = False
        """Answer `Snap` and the still with the request itself, as chatty web servers do in their error pages."""
        self.every_token = []
        self.gate = threading.Event()
        """While it is clear, pictures wait."""
        self.gate.set()
        self.asked_at = []
        """When each picture was asked for, monotonic."""
        handler = type("Handler", (_Handler,), {"camera": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", port), handler)
        self._server.daemon_threads = True
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            # Cameras have keys of 1024 bits, which OpenSSL refuses to serve by default.
            context.set_ciphers("DEFAULT:@SECLEVEL=0")
            context.load_cert_chain(certificate[0], certificate[1])
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True,
                                                      do_handshake_on_connect=False)
        self.port = self._server.server_address[1]
        self.address = f"127.0.0.1:{self.port}"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()

    def settings(self):
        """What the program must know to use it as a Reolink camera."""
        return {"CAMERA_IP": self.address, "CAMERA_USERNAME": self.username, "CAMERA_PASSWORD": self.password}

    def still_url(self, user=None):
        return f"http://{user + '@' if user else ''}{self.address}/still.jpg"

    @property
    def snaps(self):
        """How often a picture was asked for."""
        return sum("cmd=Snap" in r or "still" in r for r in self.requests)

    @property
    def last(self):
        """The picture served last."""
        return self.served[-1]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    camera: Camera

    def setup(self):
        super().setup()
        self.camera.connections += 1

    def log_message(self, *_):
        pass

    def do_GET(self):
        self._route(b"")

    def do_POST(self):
        self._route(self.rfile.read(int(self.headers.get("Content-Length") or 0)))

    def _route(self, body):
        self.camera.requests.append(f"{self.command} {self.path}")
        url = urlsplit(self.path)
        if url.path == "/still.jpg":
            return self._still()
        query = {k: v[0] for k, v in parse_qs(url.query, keep_blank_values=True).items()}
        command = query.get("cmd")
        if url.path != "/cgi-bin/api.cgi" or command not in ("Login", "Logout", "Snap"):
            return self._answer(404, b"not here")
        getattr(self, "_" + command.lower())(query, body)

    def _login(self, query, body):
        camera = self.camera
        if camera.raw_login is not None:
            self.close_connection = True
            return self.wfile.write(camera.raw_login)
        user = json.loads(body)[0]["param"]["User"]
        if not camera.tokens:
            return self._answer(404, b"")
        if (user["userName"], user["password"]) != (camera.username, camera.password):
            camera.failed_logins += 1
            return self._refuse("Login", -7, "login failed")
        camera.logins += 1
        token = secrets.token_hex(6)
        camera.sessions[token] = True
        camera.every_token.append(token)
        self._json([{"cmd": "Login", "code": 0, "value": {"Token": {"leaseTime": 3600, "name": token}}}])

    def _logout(self, query, body):
        self.camera.logouts += 1
        self.camera.sessions.pop(query.get("token"), None)
        self._json([{"cmd": "Logout", "code": 0, "value": {"rspCode": 200}}])

    def _snap(self, query, body):
        camera = self.camera
        if "token" in query:
            if query["token"] not in camera.sessions:
                return self._refuse("Snap", -6, "please login first")
        elif not camera.passwords:
            return self._refuse("Snap", -6, "please login first")
        elif (query.get("user"), query.get("password")) != (camera.username, camera.password):
            camera.failed_logins += 1
            return self._refuse("Snap", -7, "login failed")
        self._picture()

    def _still(self):
        camera, sent = self.camera, self.headers.get("Authorization", "")
        if camera.auth == "basic" and not _basic(camera, sent):
            return self._answer(401, b"", {"WWW-Authenticate": f'Basic realm="{REALM}"'})
        if camera.auth == "stale":
            camera.asked_at.append(time.monotonic())
            return self._answer(401, b"", {
                "WWW-Authenticate": f'Digest realm="{REALM}", nonce="{secrets.token_hex(8)}", qop="auth", stale=true'})
        if camera.auth == "digest" and not _digest(camera, sent, self.command, self.path):
            nonce = secrets.token_hex(8)
            return self._answer(401, b"", {
                "WWW-Authenticate": f'Digest realm="{REALM}", nonce="{nonce}", qop="auth", algorithm=MD5'})
        self._picture()

    def _picture(self):
        self.camera.asked_at.append(time.monotonic())
        self.camera.gate.wait(60)
        raw = self.camera.raw
        if self.camera.echo:
            return self._answer(404, f"<html>not found: {self.requestline}\n{self.headers}</html>".encode())
        if isinstance(raw, list):
            raw = raw.pop(0) if raw else None
        if raw is not None:
            self.close_connection = True
            return self.wfile.write(raw)
        data = self.camera.picture()
        self.camera.served.append(data)
        self._answer(200, data, {"Content-Type": "image/jpeg"})

    def _json(self, value):
        self._answer(200, json.dumps(value).encode(), {"Content-Type": "text/html"})

    def _refuse(self, command, code, detail):
        self._json([{"cmd": command, "code": 1, "error": {"detail": detail, "rspCode": code}}])

    def _answer(self, status, body, headers=None):
        self.send_response(status)
        for k, v in (headers or {}).items():
            self.send_header(k, v)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def http(body, status="200 OK", kind="image/jpeg", length=None, extra=""):
    """A whole HTTP answer as bytes, for `Camera.raw`."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body) if length is None else length}\r\n"
    return (head + extra + "Connection: close\r\n\r\n").encode() + body


def refusal(code, detail="so it is", **more):
    """What a Reolink camera answers instead of a picture."""
    return json.dumps([{"cmd": "Snap", "code": 1, "error": {"detail": detail, "rspCode": code, **more}}]).encode()


def _basic(camera, sent):
    return sent == "Basic " + base64.b64encode(f"{camera.username}:{camera.password}".encode()).decode()


def _digest(camera, sent, method, path):
    if not sent.startswith("Digest "):
        return False
    said = {k: v.strip('"') for k, v in re.findall(r'(\w+)=("[^"]*"|[^,\s]+)', sent[7:])}

    def h(*parts):
        return hashlib.md5(":".join(parts).encode()).hexdigest()

    ha1, ha2 = h(camera.username, REALM, camera.password), h(method, said.get("uri", ""))
    return said.get("uri") == path and said.get("response") == h(
        ha1, said.get("nonce", ""), said.get("nc", ""), said.get("cnonce", ""), said.get("qop", ""), ha2)

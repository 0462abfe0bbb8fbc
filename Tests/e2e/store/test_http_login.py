"""User and password in the address of an HTTP upload: what goes out, and that a body goes out once."""
import base64
import hashlib
import re
import secrets
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

import tls
from checking import Checked, settings_of, simulated  # noqa: F401
from pictures import picture

USER, PASSWORD = "yard", "p@ss:wörd"


class Server:
    """Takes uploads with a login. `ways`: what it challenges with; `odd`: its answer to an empty body instead."""

    def __init__(self, *ways, context=None, odd=None, status=401):
        self.ways, self.odd, self.status, self.bodies, self.logins, self.taken = ways, odd, status, 0, [], []
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def _take(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                login = self.headers.get("Authorization", "")
                owner.bodies += len(body)
                owner.logins.append(login.partition(" ")[0])
                right = owner.accepts(login, self.command, self.path)
                status = owner.odd if owner.odd and not body and not right else 201 if right else owner.status
                self.send_response(status)
                if status == 401:
                    for way in owner.ways:
                        nonce = f', nonce="{secrets.token_hex(8)}", qop="auth", algorithm=MD5' if way == "Digest" else ""
                        self.send_header("WWW-Authenticate", f'{way} realm="box"{nonce}')
                self.send_header("Content-Length", "0")
                self.end_headers()
                if right and body:
                    owner.taken.append(body)

            do_POST = do_PUT = do_HEAD = do_OPTIONS = do_GET = _take

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if context:
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        scheme = "https" if context else "http"
        self.url = f"{scheme}://{USER}:p%40ss%3Aw%C3%B6rd@127.0.0.1:{self._server.server_address[1]}/up"

    def accepts(self, login, method, path):
        if login.startswith("Basic "):
            return "Digest" not in self.ways and base64.b64decode(login[6:]).decode() == f"{USER}:{PASSWORD}"
        if login.startswith("Digest "):
            f = dict(re.findall(r'(\w+)="?([^",]+)"?', login))
            def md5(text): return hashlib.md5(text.encode()).hexdigest()
            right = md5(f"{md5(f'{USER}:box:{PASSWORD}')}:{f['nonce']}:{f['nc']}:{f['cnonce']}:auth:{md5(f'{method}:{path}')}")
            return "Digest" in self.ways and f["response"] == right
        return False

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def secure(tmp_path):
    authority = tls.Authority(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue("127.0.0.1"))
    return context, authority.certificate


@pytest.mark.parametrize("form", ["multipart", "raw"])
@pytest.mark.parametrize("ways", [("Basic",), ("Digest",), ("Basic", "Digest"), ()], ids="-".join)
def test_a_body_is_sent_once(ready, camera, form, ways):
    camera.picture = lambda: picture(size=12 << 20)
    with Server(*ways) as server:
        ready.set(STORAGE_BACKEND="http", HTTP_UPLOAD_URL=server.url, HTTP_UPLOAD_FORMAT=form, UPLOAD_DEADLINE="30s")
        for run in (1, 2):
            ready.capture().expect(0)
            assert len(server.taken) == run and camera.last in server.taken[-1]
            assert server.bodies < run * (len(camera.last) + 4096)
        used = {"Digest"} if "Digest" in ways else {"Basic"}
        assert set(server.logins) <= used | {""}


def test_over_tls_basic_goes_at_once(ready, secure):
    with Server("Basic", context=secure[0]) as server:
        ready.set(STORAGE_BACKEND="http", HTTP_UPLOAD_URL=server.url, SSL_CERT_FILE=secure[1]).capture().expect(0)
        assert server.logins == ["Basic"]


def test_digest_over_tls_is_remembered(ready, camera, secure):
    with Server("Digest", context=secure[0]) as server:
        ready.set(STORAGE_BACKEND="http", HTTP_UPLOAD_URL=server.url, SSL_CERT_FILE=secure[1]).capture().expect(0)
        server.bodies = 0
        del server.logins[:]
        ready.capture().expect(0)
        assert "Basic" not in server.logins and server.bodies < len(camera.last) + 4096


@pytest.mark.parametrize("status", [400, 411, 422])
def test_a_server_that_dislikes_an_empty_body(ready, camera, status):
    with Server("Basic", odd=status) as server:
        ready.set(STORAGE_BACKEND="http", HTTP_UPLOAD_URL=server.url)
        for run in (1, 2):
            ready.capture().expect(0)
            assert len(server.taken) == run
        assert server.bodies < 3 * len(camera.last) + 8192, "twice the first time alone"


def test_a_server_that_refuses_without_a_challenge(ready):
    with Server(status=403) as server:
        ready.set(STORAGE_BACKEND="http", HTTP_UPLOAD_URL=server.url).capture().expect(0)
        assert server.logins == ["", "Basic"]


@pytest.mark.parametrize("before", ["Digest"])
def test_who_has_offered_digest_gets_no_password_over_http(ready, before):
    with Server(before) as server:
        ready.set(STORAGE_BACKEND="http", HTTP_UPLOAD_URL=server.url).capture().expect(0)
        server.ways = ("Basic",)
        ready.capture().refuses(77)
        assert "Basic" not in server.logins


@pytest.mark.parametrize("way", ["Basic", "Digest"])
def test_spooled_pictures_follow(ready, camera, way):
    with Server(way) as server:
        ready.set(STORAGE_BACKEND="http", HTTP_UPLOAD_URL=server.url, HTTP_UPLOAD_FORMAT="raw")
        server.status, ways, server.ways = 503, server.ways, ("Nobody",)
        for _ in range(4):
            ready.capture().expect(75)
        server.status, server.ways, server.bodies = 401, ways, 0
        ready.run("drain").expect(0)
        assert sorted(server.taken) == sorted(camera.served) and server.bodies == sum(map(len, camera.served))


@pytest.mark.parametrize("ways, code", [(("Basic",), 0), (("Digest",), 0), (("Basic", "Digest"), 0)])
def test_check_logs_in_as_captures_do(simulated, snapshot, ways, code):
    with Server(*ways) as server:
        snapshot.set(**settings_of(simulated), STORAGE_BACKEND="http", HTTP_UPLOAD_URL=server.url)
        assert Checked(snapshot.run("check", "--json")).code == code
        snapshot.set(HTTP_UPLOAD_URL=server.url.replace("p%40ss", "wrong"))
        assert Checked(snapshot.run("check", "--json")).code == 77

"""User and password in the address of an HTTP upload: what goes out, and that a body goes out once."""
import base64
import secrets
import ssl

import pytest

import tls
from checking import Checked, settings_of, simulated  # noqa: F401
from pictures import picture
from scripted import Scripted, is_digest_of

USER, PASSWORD = "yard", "p@ss:wörd"


class Server(Scripted):
    """Takes uploads with a login. `ways`: what it challenges with; `odd`: its answer to an empty body instead."""

    def __init__(self, *ways, context=None, odd=None, status=401):
        super().__init__(ssl=context)
        self.ways, self.odd, self.status, self.bodies, self.logins, self.taken = ways, odd, status, 0, [], []
        self.url = f"{self.url.replace('//', f'//{USER}:p%40ss%3Aw%C3%B6rd@')}/up"

    def answer(self, asked):
        self.bodies += len(asked.body)
        self.logins.append(asked.way)
        if self.accepts(asked):
            self.taken += [asked.body] if asked.body else []
            return 201, {}, b""
        status = self.odd if self.odd and not asked.body else self.status
        return status, [("WWW-Authenticate", self.challenge(way)) for way in self.ways if status == 401], b""

    def challenge(self, way):
        nonce = f', nonce="{secrets.token_hex(8)}", qop="auth", algorithm=MD5' if way == "Digest" else ""
        return f'{way} realm="box"{nonce}'

    def accepts(self, asked):
        if asked.way == "Basic":
            return "Digest" not in self.ways and base64.b64decode(asked.login[6:]).decode() == f"{USER}:{PASSWORD}"
        return "Digest" in self.ways and is_digest_of(asked, USER, PASSWORD)


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

"""Whom the login goes to: pins that outlive everything but a person's word, and logins that never get weaker."""
import base64
import json
import os
import socket
import ssl
import stat
import threading

import pytest

from camera import Camera, http
from disk import remount, small_disk
from process import free_port
from tls import KINDS, Authority, self_signed


class Listener:
    """A server that keeps all it is sent, does `talk` with each connection, and hangs up."""

    def __init__(self, talk, port=0):
        self.got, self.connections, self._talk = [], 0, talk
        self._socket = socket.create_server(("127.0.0.1", port))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _serve(self):
        while True:
            try:
                client = self._socket.accept()[0]
            except OSError:
                return
            self.connections += 1
            client.settimeout(5)
            try:
                self._talk(self, client)
            except OSError:
                pass
            finally:
                client.close()


def login_thief(certificate, port=0):
    """Takes the first request over TLS, and hangs up."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    # Old cameras have short keys.
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.load_cert_chain(certificate[0], certificate[1])

    def talk(self, client):
        with context.wrap_socket(client, server_side=True) as secure:
            data = secure.recv(4096)
            if data:
                self.got.append(data)
    return Listener(talk, port)


@pytest.fixture(params=["reolink", "still"])
def secure(request, snapshot, tmp_path):
    """Settings for a camera over HTTPS, by its port; the camera's certificate and another."""
    def settings(port, host="127.0.0.1", user="admin"):
        base = {"CAMERA_USERNAME": user, "CAMERA_PASSWORD": "right one"}
        if request.param == "reolink":
            return snapshot.set(CAMERA_IP=f"{host}:{port}", CAMERA_USE_HTTPS="true", CAMERA_URL=None, **base)
        return snapshot.set(CAMERA_URL=f"https://{host}:{port}/still.jpg", CAMERA_IP=None, **base)
    settings.auth = "none" if request.param == "reolink" else "basic"
    settings.first, settings.second = self_signed(tmp_path, "a"), self_signed(tmp_path, "b")
    settings.kind = request.param
    return settings


def camera(secure, certificate=None, port=0, username="admin"):
    return Camera(username, "right one", auth=secure.auth, certificate=certificate or secure.first, port=port)


def pins(snapshot):
    return json.loads((snapshot.state_folder / "pins.json").read_text())["pins"]


def is_refused(snapshot, secure, port, certificate=None):
    """A stranger in the camera's place gets a handshake, and not a byte more."""
    with login_thief(certificate or secure.second, port) as stranger:
        snapshot.capture().refuses(77, "TLS key isn't the one that is pinned", "check --forget-pin")
        assert stranger.connections and not stranger.got
    return True


@pytest.mark.parametrize("kind", KINDS)
def test_a_first_contact_that_takes_the_login_is_noticed(snapshot, secure, tmp_path, kind):
    thief_certificate = self_signed(tmp_path, "thief", kind)
    port = free_port()
    snapshot = secure(port)
    with login_thief(thief_certificate, port) as thief:
        snapshot.capture().refuses(69)
        assert thief.got, "it came first, and was trusted"
    assert pins(snapshot) == {f"127.0.0.1:{port}": thief_certificate[2]}
    with camera(secure, port=port) as real:
        snapshot.capture().refuses(77, "TLS key isn't the one that is pinned")
        assert not real.requests


def test_a_first_key_is_learned_by_a_handshake(snapshot, secure):
    """Nothing is ever sent to a server whose key isn't known."""
    with camera(secure) as real:
        secure(real.port).capture("--verbose").expect(0)
        file = snapshot.state_folder / "pins.json"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600 and pins(snapshot) == {f"127.0.0.1:{real.port}": secure.first[2]}
        before = real.connections
        snapshot.capture().expect(0)
        assert real.connections == before + 1, "a known key needs no handshake of its own"
        kept = file.stat().st_mtime_ns
        snapshot.capture().expect(0)
        assert file.stat().st_mtime_ns == kept


def test_a_pin_outlives_other_users_other_cameras_and_a_damaged_session(snapshot, secure, tmp_path):
    with camera(secure) as real, Camera("other", "right one", certificate=self_signed(tmp_path, "c"), auth="none") as other:
        secure(real.port).capture().expect(0)
        secure(other.port, user="other").capture().expect(0)
        secure(other.port, host="LOCALHOST", user="other").capture().expect(0)
        snapshot.set(CAMERA_TLS_VERIFY="off").capture().expect(0)
        snapshot.set(CAMERA_TLS_VERIFY=None)
        port = real.port
        assert set(pins(snapshot)) == {f"127.0.0.1:{port}", f"127.0.0.1:{other.port}", f"localhost:{other.port}"}
    assert is_refused(secure(port, user="nobody"), secure, port)
    assert is_refused(secure(port), secure, port)
    for damage in (b"", b"\0" * 100, b"{"):
        (snapshot.state_folder / "session.json").write_bytes(damage)
        assert is_refused(snapshot, secure, port)
    (snapshot.state_folder / "session.json").unlink()
    assert is_refused(secure(port, host="127.1"), secure, port)


def damage_folder(file):
    file.unlink()
    file.mkdir()


def damage_link(file):
    file.rename(file.with_name("elsewhere"))
    file.symlink_to("elsewhere")


def damage_dangling(file):
    file.unlink()
    file.symlink_to("nowhere")


def damage_pipe(file):
    file.unlink()
    os.mkfifo(file)


@pytest.mark.parametrize("damage", [
    lambda f: f.write_bytes(b""), lambda f: f.write_bytes(f.read_bytes()[:-4]), lambda f: f.write_bytes(b"\0" * 4096),
    lambda f: f.write_bytes(f.read_bytes().replace(b"sha256", b"sha255")), lambda f: f.write_text('{"version":2,"pins":{}}'),
    lambda f: f.write_bytes(f.read_bytes() + b" " * 40_000), damage_folder, damage_link, damage_dangling, damage_pipe,
], ids=["empty", "cut", "zeroes", "pin", "newer", "large", "folder", "link", "dangling", "pipe"])
def test_where_pins_cannot_be_read_nobody_is_trusted(snapshot, secure, damage):
    with camera(secure) as real:
        secure(real.port).capture().expect(0)
        asked, connections = len(real.requests), real.connections
        damage(snapshot.state_folder / "pins.json")
        for _ in range(2):
            hint = snapshot.capture().refuses(77, "pins.json").hints[0]
            assert "check --forget-pin" in hint
        assert (len(real.requests), real.connections) == (asked, connections), "it isn't even connected to"
        checked = snapshot.run("check", "--json")
        assert checked.code == 77 and len(real.requests) == asked
        snapshot.run("check", "--forget-pin").expect(0)
        snapshot.capture().expect(0)
        assert pins(snapshot) == {f"127.0.0.1:{real.port}": secure.first[2]}


def test_where_a_first_pin_cannot_be_kept_no_login_is_sent(snapshot, secure, tmp_path):
    with small_disk(tmp_path / "state") as disk, camera(secure) as real:
        secure(real.port).set(STATE_PATH=disk, STORAGE_BACKEND="filesystem")
        with Camera("admin", "right one") as plain:
            # A state that is there already: only the pin is new.
            snapshot.capture(env={"CAMERA_IP": plain.address, "CAMERA_USE_HTTPS": "false", "CAMERA_URL": ""}).expect(0)
        remount(disk, "ro")
        for _ in range(2):
            assert "cannot keep the camera's TLS key" in snapshot.capture().expect(74).stderr
        remount(disk, "rw")
        assert not real.requests
        snapshot.capture().expect(0)


def test_a_new_key_is_settled_by_a_person(snapshot, secure):
    with camera(secure) as real:
        secure(real.port).capture().expect(0)
        port = real.port
    with login_thief(secure.second, port) as stranger:
        found = {c["name"]: c for c in json.loads(snapshot.run("check", "--json").stdout)["checks"]}
        assert found["TLS key"]["facts"]["pin"] == secure.second[2]
        assert "snapshot check --forget-pin" in found["TLS key"]["hint"]
        assert stranger.connections and not stranger.got, "the key is told by a handshake"
    with camera(secure, secure.second, port) as real:
        snapshot.capture().expect(77)
        shown = snapshot.run("check", "--forget-pin").expect(0).stdout
        assert f"{secure.first[2]} of 127.0.0.1:{port} is forgotten" in shown
        assert f"{secure.second[2]}, seen for the first time: pinned now" in shown
        snapshot.capture().expect(0)
        assert pins(snapshot) == {f"127.0.0.1:{port}": secure.second[2]}
    assert is_refused(snapshot, secure, port, secure.first)


def test_nothing_is_forgotten_where_there_is_nothing(snapshot):
    with Camera("admin", "right one") as plain:
        snapshot.set(**plain.settings())
        assert "this camera isn't reached by TLS" in snapshot.run("check", "--forget-pin").expect(0).stdout
    with Camera("admin", "right one", certificate=None) as _:
        shown = snapshot.set(CAMERA_USE_HTTPS="true").run("check", "--forget-pin").stdout
        assert "has none in" in shown


@pytest.mark.parametrize("kind", KINDS)
def test_what_an_older_version_pinned_still_counts(snapshot, secure, tmp_path, kind):
    certificate = self_signed(tmp_path, "old", kind)
    port = free_port()
    place = {"reolink": f"reolink https 127.0.0.1:{port} admin", "still": f"http https://127.0.0.1:{port}/still.jpg"}
    snapshot.state_folder.mkdir()
    old = {"place": place[secure.kind], "pin": certificate[2], "auth": "token", "digestKey": "00" * 16}
    (snapshot.state_folder / "session.json").write_text(json.dumps(old))
    secure(port)
    assert is_refused(snapshot, secure, port)
    with Camera("admin", "right one") as plain:
        # A run by hand with another camera writes the session anew.
        snapshot.capture(env={"CAMERA_IP": plain.address, "CAMERA_USE_HTTPS": "false", "CAMERA_URL": ""}).expect(0)
    assert is_refused(snapshot, secure, port)
    with camera(secure, certificate, port) as real:
        snapshot.capture().expect(0)
        assert real.requests and pins(snapshot) == {f"127.0.0.1:{port}": certificate[2]}


def test_other_kinds_of_trust_need_no_pins(snapshot, secure, tmp_path):
    (snapshot.state_folder / "pins.json").mkdir(parents=True)
    authority = Authority(tmp_path)
    with camera(secure, authority.issue("127.0.0.1")) as real:
        secure(real.port).set(CAMERA_TLS_VERIFY="ca", SSL_CERT_FILE=authority.certificate).capture().expect(0)
    with camera(secure) as real:
        secure(real.port).set(CAMERA_TLS_VERIFY=secure.first[2], SSL_CERT_FILE=None).capture().expect(0)
        snapshot.set(CAMERA_TLS_VERIFY="off").capture().expect(0)
        asked = len(real.requests)
        snapshot.set(CAMERA_TLS_VERIFY=secure.second[2]).capture().refuses(77, "put its new pin into CAMERA_TLS_VERIFY")
        snapshot.set(CAMERA_TLS_VERIFY="ca").capture().refuses(69, "no TLS")
        assert len(real.requests) == asked


def test_runs_side_by_side_keep_both_pins(snapshot, secure, tmp_path):
    """Eight checks of two cameras at once: the pins of both are kept."""
    with camera(secure) as real, camera(secure, secure.second) as other:
        secure(real.port)
        second = {"reolink": {"CAMERA_IP": other.address}, "still": {"CAMERA_URL": f"https://{other.address}/still.jpg"}}
        runs = [snapshot.start("check", "--json", env=second[secure.kind] if i % 2 else {}) for i in range(8)]
        for run in runs:
            assert run.result().code == 0
        assert pins(snapshot) == {f"127.0.0.1:{real.port}": secure.first[2], f"127.0.0.1:{other.port}": secure.second[2]}


# Logins

DIGEST = b'WWW-Authenticate: Digest realm="cam", nonce="abc", qop="auth"\r\n'
PLAIN = b'WWW-Authenticate: Basic realm="cam"\r\n'
BASIC = b'WWW-Authenticate: Basic realm="cam, Digest nonce=1"\r\n'
"""Its realm contains what looks like a second challenge."""


def challenger(*challenges):
    """Answers each request with the next of `challenges`, the last one for ever."""
    left = list(challenges)

    def talk(self, client):
        while data := client.recv(65536):
            self.got.append(data)
            challenge = left.pop(0) if len(left) > 1 else left[0]
            client.sendall(b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n" + challenge + b"\r\n")
    return Listener(talk)


def sends_no_password(listener):
    sent = b"".join(listener.got)
    return b"Basic" not in sent and b"s3cret" not in sent and base64.b64encode(b"me:s3cret") not in sent


@pytest.mark.parametrize("second", [PLAIN, b"X-Filler: 1\r\n" * 90 + PLAIN, PLAIN.replace(b"WWW-", b"www-"), BASIC * 3])
def test_basic_behind_digest_gets_nothing(snapshot, second):
    with challenger(DIGEST, second) as impostor:
        snapshot.set(CAMERA_URL=f"http://127.0.0.1:{impostor.port}/s.jpg", CAMERA_USERNAME="me", CAMERA_PASSWORD="s3cret")
        snapshot.capture().refuses(77, "Digest")
        assert len(impostor.got) == 2 and b"Authorization: Digest" in impostor.got[1]
        assert sends_no_password(impostor)


@pytest.mark.parametrize("challenge", [PLAIN + DIGEST, DIGEST + PLAIN, PLAIN.rstrip() + b", " + DIGEST[18:]])
def test_digest_is_taken_where_both_are_offered(snapshot, challenge):
    with challenger(challenge) as both:
        snapshot.set(CAMERA_URL=f"http://127.0.0.1:{both.port}/s.jpg", CAMERA_USERNAME="me", CAMERA_PASSWORD="s3cret")
        snapshot.capture().refuses(77)
        assert sends_no_password(both) and b"Authorization: Digest" in both.got[1]


def test_digest_is_remembered_between_runs(snapshot):
    with Camera("me", "s3cret", auth="digest") as real:
        snapshot.set(CAMERA_URL=real.still_url(), CAMERA_USERNAME="me", CAMERA_PASSWORD="s3cret").capture().expect(0)
        port = real.port
    with Camera("me", "s3cret", auth="basic") as elsewhere:
        snapshot.capture(env={"CAMERA_URL": elsewhere.still_url()}).expect(0)
    with Camera("me", "s3cret", auth="digest", port=port) as real:
        snapshot.capture().expect(0)
    with Camera("me", "s3cret", auth="basic", port=port) as impostor:
        said = snapshot.set(CAMERA_URL=f"http://127.1:{port}/still.jpg?x").capture().refuses(77, "Digest")
        assert not impostor.served and "session.json" in said.hints[0]


def test_no_login_from_a_netrc(snapshot):
    """A password in ~/.netrc is sent neither to a camera nor to a host that it redirects to."""
    with Camera("me", "s3cret", auth="basic") as real, Camera("me", "s3cret", auth="none") as elsewhere:
        (snapshot.folder / ".netrc").write_text("machine 127.0.0.1 login me password s3cret\n")
        (snapshot.folder / ".netrc").chmod(0o600)
        home = {"HOME": snapshot.folder}
        snapshot.set(CAMERA_URL=real.still_url()).capture(env=home).expect(77)
        real.raw = http(b"", "302 Found", extra=f"Location: {elsewhere.still_url()}\r\n")
        snapshot.set(CAMERA_USERNAME="me", CAMERA_PASSWORD="s3cret").capture(env=home).expect(69)
        assert not elsewhere.requests and not real.served

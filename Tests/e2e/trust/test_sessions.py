"""TLS sessions that a run leaves to the next: resumed where the server can, and never where a whole handshake would refuse."""
import hashlib
import os
import shutil
import ssl
import stat
import struct
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

import parts
from process import free_port, listens, wait_until
from receiver import Receiver
from resuming import TLSServer
from tls import KINDS, Authority, self_signed

pytestmark = [pytest.mark.asan]
VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


@pytest.fixture
def ram():
    folder = tempfile.mkdtemp(dir="/dev/shm", prefix="snapshot-test-")
    yield Path(folder)
    shutil.rmtree(folder)


@pytest.fixture
def running(snapshot, ram):
    """The program as under systemd, whose runtime directory is in RAM."""
    return snapshot.set(RUNTIME_DIRECTORY=ram, CAMERA_NAME="front")


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path)


@pytest.fixture
def still(tmp_path):
    """An address of a picture without TLS."""
    from pictures import picture
    (tmp_path / "still.jpg").write_bytes(picture())
    return f"file://{tmp_path}/still.jpg"


def store(server, authority, still, **more):
    """Settings of a store that is verified by the authority."""
    return {"CAMERA_URL": still, "STORAGE_BACKEND": "http", "HTTP_UPLOAD_URL": server.url + "/up",
            "SSL_CERT_FILE": authority.certificate, **more}


def camera(server, verify):
    return {"CAMERA_URL": server.url + "/still.jpg", "CAMERA_TLS_VERIFY": verify}


def files(folder):
    return sorted((folder / ".tls").glob("*")) if (folder / ".tls").is_dir() else []


def only(folder):
    found = files(folder)
    assert len(found) == 1, found
    return found[0]


def shot(snapshot, server, **settings):
    """The handshakes that a good run made with the server."""
    before = len(server.handshakes)
    snapshot.set(**settings).capture().expect(0)
    return server.handshakes[before:]


@pytest.mark.parametrize("version", VERSIONS, ids=["tls12", "tls13"])
@pytest.mark.parametrize("kind", ["rsa2048", "p256"])
def test_store_resumes(running, ram, authority, still, version, kind):
    with TLSServer(authority.issue("127.0.0.1"), version=version) as server:
        settings = store(server, authority, still)
        assert [h.resumed for h in shot(running, server, **settings)] == [False]
        assert [h.resumed for h in shot(running, server)] == [True]
        assert [h.resumed for h in shot(running, server)] == [True]
    assert stat.S_IMODE((ram / ".tls").stat().st_mode) == 0o700
    assert stat.S_IMODE(only(ram).stat().st_mode) == 0o600
    assert len(server.bodies) == 3


@pytest.mark.parametrize("version", VERSIONS, ids=["tls12", "tls13"])
@pytest.mark.parametrize("verify", ["pin-first", "off", "pin", "ca"])
def test_camera_resumes(running, ram, tmp_path, authority, version, verify):
    certificate = self_signed(tmp_path, "a", "rsa1024" if verify == "off" else "p256")
    if verify == "ca":
        certificate = authority.issue("127.0.0.1")
        running.set(SSL_CERT_FILE=authority.certificate)
    with TLSServer(certificate, version=version) as server:
        settings = camera(server, certificate[2] if verify == "pin" else verify)
        # The first handshake of pin-first looks at the key alone.
        assert not any(h.offers for h in shot(running, server, **settings))
        assert [h.resumed for h in shot(running, server)] == [True]


def test_camera_and_store_resume_side_by_side(running, ram, tmp_path, authority):
    """Two servers, each with its own session."""
    from camera import Camera
    with TLSServer(authority.issue("127.0.0.1")) as one, TLSServer(self_signed(tmp_path, "b")) as two:
        settings = {**camera(two, "pin-first"), "STORAGE_BACKEND": "http", "HTTP_UPLOAD_URL": one.url + "/up",
                    "SSL_CERT_FILE": authority.certificate}
        running.set(**settings).capture().expect(0)
        running.capture().expect(0)
        assert one.last.resumed and two.last.resumed and len(files(ram)) == 2


def test_changed_pin_makes_a_whole_handshake_and_refuses(running, ram, tmp_path):
    certificate, other = self_signed(tmp_path, "a"), self_signed(tmp_path, "b")
    with TLSServer(certificate) as server:
        shot(running, server, **camera(server, certificate[2]))
        running.set(CAMERA_TLS_VERIFY=other[2]).capture().refuses(77, "TLS key")
        assert not server.last.offers
        # And back: the old session still counts, under its own pin.
        assert [h.resumed for h in shot(running, server, CAMERA_TLS_VERIFY=certificate[2])] == [True]


def test_stranger_in_the_cameras_place_is_refused(running, tmp_path):
    certificate, other = self_signed(tmp_path, "a"), self_signed(tmp_path, "b")
    with TLSServer(certificate) as server:
        shot(running, server, **camera(server, "pin-first"))
    with TLSServer(other, port=server.port) as stranger:
        running.capture().refuses(77, "TLS key isn't the one that is pinned")
        assert not any(h.resumed for h in stranger.handshakes) and not stranger.bodies


def test_changed_authority_makes_a_whole_handshake_and_refuses(running, tmp_path, authority, still):
    """The file of authorities keeps its name and gets another content."""
    (tmp_path / "other").mkdir()
    other = Authority(tmp_path / "other")
    with TLSServer(authority.issue("127.0.0.1")) as server:
        shot(running, server, **store(server, authority, still))
        trusted = authority.certificate.read_bytes()
        authority.certificate.write_bytes(other.certificate.read_bytes())
        made = len(server.handshakes)
        running.set(UPLOAD_ATTEMPTS=1).capture().refuses(75, "no TLS connection to store")
        # The authorities are asked about the session's certificate, and then about what the server shows now.
        assert [h.offers for h in server.handshakes[made:]] == [True, False] and len(server.bodies) == 1
        authority.certificate.write_bytes(trusted)
        assert shot(running, server)[-1].resumed is False


@pytest.mark.parametrize("before, after", [("off", "pin"), ("off", "pin-first"), ("pin", "ca"), ("pin", "off")])
def test_session_of_other_settings_is_not_offered(running, tmp_path, before, after):
    certificate = self_signed(tmp_path, "a")
    words = {"pin": certificate[2]}
    with TLSServer(certificate) as server:
        shot(running, server, **camera(server, words.get(before, before)))
        made = len(server.handshakes)
        running.set(CAMERA_TLS_VERIFY=words.get(after, after)).capture()
        assert server.handshakes[made:] and not any(h.offers for h in server.handshakes[made:])


def test_session_of_another_host_is_not_offered(running, ram, authority, still):
    certificate = authority.issue("127.0.0.1", "localhost")
    with TLSServer(certificate) as one, TLSServer(certificate) as two:
        settings = store(one, authority, still)
        shot(running, one, **settings)
        first = only(ram)
        assert not shot(running, two, HTTP_UPLOAD_URL=two.url + "/up")[0].offers
        # Nor under another name of the same server.
        assert not shot(running, one, HTTP_UPLOAD_URL=f"https://localhost:{one.port}/up")[0].offers
        # Nor where somebody put it into the other's place.
        second = next(f for f in files(ram) if f != first and two.address in f.read_bytes().decode("latin1"))
        second.write_bytes(first.read_bytes())
        assert not shot(running, two, HTTP_UPLOAD_URL=two.url + "/up")[0].offers


def test_session_of_another_client_key_is_not_offered(running, tmp_path, authority, still):
    def change(context):
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(authority.certificate)
    server_files = [Path(p).rename(tmp_path / f"own{Path(p).suffix}") for p in authority.issue("127.0.0.1")]
    client = tmp_path / "client.pem", tmp_path / "client.key"

    def renew():
        for made, path in zip(authority.issue("client"), client):
            path.write_bytes(made.read_bytes())
    renew()
    with TLSServer(server_files, change=change) as server:
        settings = store(server, authority, still, HTTP_CLIENT_CERT=client[0], HTTP_CLIENT_KEY=client[1])
        shot(running, server, **settings)
        assert shot(running, server)[0].resumed
        renew()
        assert not shot(running, server)[0].offers
        assert shot(running, server)[0].resumed


# What may stand in a session's place.

def rewrite(path, change):
    """Changes what a file's digest covers, and the digest with it."""
    data = path.read_bytes()
    head = data.index(b"\n") + 1
    content = bytearray(data[head + 32:])
    change(content)
    path.write_bytes(data[:head] + hashlib.sha256(content).digest() + content)


def proven(seconds_ago):
    def change(content):
        content[:8] = struct.pack("=q", int(time.time()) - seconds_ago)
    return lambda path: rewrite(path, change)


def flip(part):
    def change(path):
        data = bytearray(path.read_bytes())
        data[int(len(data) * part)] ^= 0x40
        path.write_bytes(data)
    return change


def cut(size):
    return lambda path: path.write_bytes(path.read_bytes()[:size])


def cut_inside(path):
    rewrite(path, lambda content: content.__delitem__(slice(60, None)))


def more_der(path):
    """Appends the first bytes of another DER element, whose rest is missing."""
    rewrite(path, lambda content: content.extend(b"\x30\x82\x01"))


def link(path):
    path.rename(path.parent.parent / "elsewhere")
    path.symlink_to(path.parent.parent / "elsewhere")


ODD = {
    "damaged-head": flip(0.01), "damaged-binding": flip(0.05), "damaged-key": flip(0.5), "damaged-end": flip(0.99),
    "empty": cut(0), "short": cut(100), "cut": cut(400), "der-cut": cut_inside, "der-more": more_der,
    "large": lambda path: path.write_bytes(path.read_bytes() + bytes(40000)),
    "day-old": proven(24 * 3600 + 5), "of-tomorrow": proven(-3600),
    "link": link, "shared": lambda path: path.chmod(0o640), "folder": lambda path: (path.unlink(), path.mkdir()),
    "pipe": lambda path: (path.unlink(), os.mkfifo(path, 0o600)),
    "strangers": lambda path: os.chown(path, 65534, 65534),
}


@pytest.mark.parametrize("change", ODD.values(), ids=ODD)
def test_odd_file_makes_a_whole_handshake(running, ram, authority, still, change, request):
    if request.node.callspec.id == "strangers" and os.geteuid() != 0:
        pytest.skip("only root makes a stranger's file")
    with TLSServer(authority.issue("127.0.0.1")) as server:
        shot(running, server, **store(server, authority, still))
        change(only(ram))
        handshake, = shot(running, server)
        assert not handshake.offers and not handshake.resumed
    if request.node.callspec.id == "link":
        assert (ram / "elsewhere").exists()


def test_untouched_rewrite_is_resumed(running, ram, authority, still):
    """What the cases above change is what makes the difference."""
    with TLSServer(authority.issue("127.0.0.1")) as server:
        shot(running, server, **store(server, authority, still))
        proven(3600)(only(ram))
        assert shot(running, server)[0].resumed
        # A resumed session doesn't prove the key anew.
        assert struct.unpack("=q", only(ram).read_bytes().split(b"\n", 1)[1][32:40])[0] < time.time() - 3000


@pytest.mark.parametrize("version", VERSIONS, ids=["tls12", "tls13"])
def test_server_that_rejects_the_session(running, authority, still, version):
    certificate = authority.issue("127.0.0.1")
    with TLSServer(certificate, version=version) as server:
        shot(running, server, **store(server, authority, still))
    with TLSServer(certificate, version=version, port=server.port) as restarted:
        handshake, = shot(running, restarted)
        assert handshake.offers and not handshake.resumed
        assert shot(running, restarted)[0].resumed


def test_server_that_fails_over_a_session(running, ram, authority, still):
    """It gets a whole handshake at once, in the same run."""
    with TLSServer(authority.issue("127.0.0.1")) as server:
        shot(running, server, **store(server, authority, still))
        server.breaks = "reset"
        result = running.set(UPLOAD_ATTEMPTS=1).capture().expect(0)
        assert [h.offers for h in server.handshakes[1:]] == [True, False] and not result.errors


AT_ONCE = {"reset", "hang", "close"}
"""The faults after which a question is asked again in the same run."""


@pytest.mark.parametrize("version", VERSIONS, ids=["tls12", "tls13"])
@pytest.mark.parametrize("fault", ["reset", "hang", "close", "silence", "421"])
def test_a_camera_that_fails_with_sessions_gets_none(running, tmp_path, fault, version):
    """Otherwise every second run would make a full handshake and leave a session with which the next run fails."""
    running.set(CAMERA_CONNECT_TIMEOUT="1s", CAMERA_TIMEOUT="2s")
    with TLSServer(self_signed(tmp_path, "rsa2048"), version=version) as server:
        shot(running, server, **camera(server, "pin-first"))
        server.breaks = fault
        codes = [running.capture().code for _ in range(8)]
        failed = [i for i, code in enumerate(codes) if code]
        assert len(failed) == (0 if fault in AT_ONCE else 3) and max(failed, default=0) < 6, codes
        assert not server.last.offers
        running.run("check").expect(0)


@pytest.mark.parametrize("more", [{}, {"UPLOAD_DEADLINE": "20s"}], ids=["", "deadline"])
@pytest.mark.parametrize("fault", ["reset", "hang", "close", "silence", "421"])
def test_a_store_that_fails_with_sessions_gets_none(running, authority, still, fault, more):
    with TLSServer(authority.issue("127.0.0.1")) as server:
        running.set(UPLOAD_STALL="1s", UPLOAD_ANSWER="1s", UPLOAD_ATTEMPTS=1, **more)
        shot(running, server, **store(server, authority, still))
        server.breaks = fault
        codes = [running.capture("--no-drain").code for _ in range(8)]
        failed = [i for i, code in enumerate(codes) if code]
        assert len(failed) <= (0 if fault in ("reset", "hang") else 3) and max(failed, default=0) < 6, codes
        assert not server.last.offers
        running.run("drain").expect(0)
        assert running.spool() == {}


def test_one_failure_costs_no_session(running, ram, authority, still):
    """A connection that breaks now and then, as connections do."""
    with TLSServer(authority.issue("127.0.0.1")) as server:
        running.set(UPLOAD_ATTEMPTS=1)
        shot(running, server, **store(server, authority, still))
        for _ in range(3):
            server.breaks = "reset"
            shot(running, server)
            server.breaks = None
            assert not shot(running, server)[0].offers
            assert shot(running, server)[0].resumed
        only(ram)


@pytest.mark.parametrize("settings", [{}, {"UPLOAD_DEADLINE": "20s"}], ids=["", "deadline"])
def test_a_drain_goes_on_without_sessions(running, authority, still, settings):
    with TLSServer(authority.issue("127.0.0.1")) as server:
        shot(running, server, **store(server, authority, still))
        running.set(UPLOAD_ATTEMPTS=1, HTTP_UPLOAD_URL="http://127.0.0.1:1/", **settings)
        for _ in range(5):
            running.capture().expect(75)
        server.breaks = "reset"
        running.set(HTTP_UPLOAD_URL=server.url + "/up").run("drain", "--transfers", "3").expect(0)
        assert len(server.bodies) == 6


def no_tickets(context):
    context.options |= ssl.OP_NO_TICKET
    context.num_tickets = 0


@pytest.mark.parametrize("version", VERSIONS, ids=["tls12", "tls13"])
def test_server_without_sessions(running, authority, still, version):
    with TLSServer(authority.issue("127.0.0.1"), version=version, change=no_tickets) as server:
        for handshake in [*shot(running, server, **store(server, authority, still)), *shot(running, server)]:
            assert not handshake.resumed


def test_plain_http_leaves_no_sessions(running, ram, still):
    with Receiver() as receiver:
        running.set(CAMERA_URL=still, **receiver.as_http()).capture().expect(0)
    assert not (ram / ".tls").exists()


def test_a_session_that_cannot_be_written_costs_nothing(running, ram, authority, still):
    (ram / ".tls").write_text("in the way")
    with TLSServer(authority.issue("127.0.0.1")) as server:
        result = running.set(**store(server, authority, still)).capture().expect(0)
        assert not result.stderr
        assert not shot(running, server)[0].offers


def test_cron_writes_a_session_once_an_hour(snapshot, authority, still):
    """Without a runtime directory the state may be on a card."""
    with TLSServer(authority.issue("127.0.0.1")) as server:
        settings = store(server, authority, still, CAMERA_NAME="front")
        shot(snapshot, server, **settings)
        kept = only(snapshot.state_folder)
        first = kept.read_bytes(), kept.stat().st_ino
        assert [shot(snapshot, server)[0].resumed for _ in range(3)] == [True] * 3
        assert (kept.read_bytes(), kept.stat().st_ino) == first
        hour_ago = time.time() - 3601
        os.utime(kept, (hour_ago, hour_ago))
        assert shot(snapshot, server)[0].resumed
        assert kept.read_bytes() != first[0]
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_few_files_are_kept(running, ram, authority, still):
    (ram / ".tls").mkdir(mode=0o700)
    for number in range(40):
        (ram / ".tls" / f"{number:032x}").write_bytes(b"old")
        os.utime(ram / ".tls" / f"{number:032x}", (number, number))
    with TLSServer(authority.issue("127.0.0.1")) as server:
        shot(running, server, **store(server, authority, still))
        assert len(files(ram)) == 16
        assert shot(running, server)[0].resumed


def test_drain_and_check(running, ram, authority, still):
    """Parallel transfers begin with the session too; a check tries the whole handshake."""
    with TLSServer(authority.issue("127.0.0.1")) as server:
        shot(running, server, **store(server, authority, still))
        port = free_port()
        for _ in range(4):
            running.set(HTTP_UPLOAD_URL=f"https://127.0.0.1:{port}/up", UPLOAD_ATTEMPTS=1).capture().expect(75)
        running.set(HTTP_UPLOAD_URL=server.url + "/up").run("drain").expect(0)
        assert len(server.bodies) == 5 and server.handshakes[1].resumed
        made = len(server.handshakes)
        running.run("check")
        assert server.handshakes[made:] and not any(h.offers for h in server.handshakes[made:])


@pytest.mark.parametrize("protocol", ["TLSv1.2", "TLSv1.3"])
@pytest.mark.parametrize("sessions", ["ssl_session_tickets on", "ssl_session_tickets off; ssl_session_cache shared:s:1m"],
                         ids=["tickets", "cache"])
def test_nginx(running, tmp_path, authority, still, protocol, sessions):
    parts.need("nginx")
    certificate, key = authority.issue("127.0.0.1")
    port, folder = free_port(), tmp_path / "nginx"
    (folder / "put").mkdir(parents=True)
    (folder / "put").chmod(0o777)
    folder.chmod(0o755)
    (folder / "nginx.conf").write_text(f"""
daemon off; user root; worker_processes 1; pid {folder}/pid; error_log stderr;
events {{ worker_connections 64; }}
http {{
  log_format tls "$ssl_session_reused $ssl_protocol $status"; access_log {folder}/log tls;
  client_body_temp_path {folder}/body; client_max_body_size 64m;
  server {{
    listen 127.0.0.1:{port} ssl; ssl_certificate {certificate}; ssl_certificate_key {key};
    ssl_protocols {protocol}; {sessions};
    root {folder}/put; location / {{ dav_methods PUT; create_full_put_path on; }}
  }}
}}""")
    process = subprocess.Popen(["/usr/sbin/nginx", "-c", folder / "nginx.conf", "-e", "stderr"])
    try:
        wait_until(lambda: listens(port), 10, "nginx")
        running.set(CAMERA_URL=still, STORAGE_BACKEND="http", HTTP_UPLOAD_METHOD="PUT", SSL_CERT_FILE=authority.certificate,
                    HTTP_UPLOAD_URL=f"https://127.0.0.1:{port}/{{key}}")
        for _ in range(3):
            running.capture().expect(0)
        seen = wait_until(lambda: (lines := (folder / "log").read_text().splitlines()) and len(lines) == 3 and lines,
                          10, "log")
        assert [line.split()[:2] for line in seen] == [[".", protocol], ["r", protocol], ["r", protocol]]
    finally:
        process.terminate()
        process.wait(10)

"""What a failed connection tells: an old TLS, another protocol, or another port that answers."""
import itertools
import os
import socket
import ssl
import threading

import pytest

from camera import Camera
from tls import self_signed

pytestmark = pytest.mark.asan

OLD = {"1.0": (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1), "1.1": (ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_1),
       "1.0 and 1.1": (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1)}


@pytest.fixture
def old_camera(tmp_path):
    made = []

    def make(versions, kind="rsa1024"):
        camera = Camera(password="pw", certificate=self_signed(tmp_path, kind=kind))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version, context.maximum_version = OLD[versions]
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.load_cert_chain(tmp_path / "reolink.pem", tmp_path / "reolink.key")
        camera._server.socket = context.wrap_socket(
            socket.socket(fileno=camera._server.socket.detach()), server_side=True, do_handshake_on_connect=False)
        made.append(camera.__enter__())
        return camera

    yield make
    for camera in made:
        camera.stop()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("versions", OLD)
@pytest.mark.parametrize("kind", ["rsa1024", "p256"])
@pytest.mark.parametrize("way", ["reolink", "url"])
def test_an_old_tls_is_spoken_where_nothing_is_verified(snapshot, old_camera, versions, kind, way):
    camera = old_camera(versions, kind)
    if way == "reolink":
        snapshot.set(**camera.settings(), CAMERA_USE_HTTPS="true")
    else:
        snapshot.set(CAMERA_URL=camera.still_url().replace("http:", "https:"))
    told = snapshot.capture().refuses(69, "old version of TLS")
    assert "CAMERA_TLS_VERIFY=off" in told.hints[0]
    for verify, words in (("ca", "SSL certificate problem"), ("sha256//" + "A" * 43 + "=", "old version of TLS")):
        snapshot.set(CAMERA_TLS_VERIFY=verify).capture().refuses(69, words)
    assert not camera.requests
    snapshot.set(CAMERA_TLS_VERIFY="off").capture().expect(0)


def test_http_at_a_port_of_https_and_back(snapshot, tmp_path):
    with Camera(password="pw", certificate=self_signed(tmp_path)) as camera:
        told = snapshot.set(**camera.settings()).capture().refuses(69)
        assert "CAMERA_USE_HTTPS=true" in told.hints[0]
    with Camera(password="pw") as camera:
        told = snapshot.set(**camera.settings(), CAMERA_USE_HTTPS="true").capture().refuses(69, "doesn't speak TLS")
        assert "CAMERA_USE_HTTPS=false" in told.hints[0]


@pytest.fixture
def host():
    """An address of this computer's own whose ports are all closed."""
    if os.geteuid() != 0:
        pytest.skip("ports below 1024 need root")
    return f"127.{os.getpid() % 200 + 20}.{next(_numbers) % 250 + 1}.{os.getpid() // 200 % 250 + 1}"


_numbers = itertools.count()


class Ports:
    def __init__(self, host, *ports):
        self._sockets = [socket.create_server((host, port)) for port in ports]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for one in self._sockets:
            one.close()


@pytest.mark.parametrize("ports, https, port, words", [
    ((443,), False, "", "443 answers: set CAMERA_USE_HTTPS=true"), ((443, 9000), False, "", "443 answers: set CAMERA_USE_HTTPS=true"),
    ((443,), False, ":8080", "443 answers: set CAMERA_USE_HTTPS=true, and CAMERA_IP without a port"),
    ((80, 9000), True, "", "80 answers: set CAMERA_USE_HTTPS=false"),
    ((9000,), False, "", "9000 answers: it is a Reolink with HTTP and HTTPS off"),
    ((9000,), True, "", "9000 answers: it is a Reolink with HTTP and HTTPS off"), ((), False, "", "is the camera on")])
@pytest.mark.parametrize("command", ["capture", "check"])
def test_a_closed_port_tells_what_else_answers(snapshot, host, ports, https, port, words, command):
    with Ports(host, *ports):
        snapshot.set(CAMERA_IP=host + port, CAMERA_PASSWORD="pw", CAMERA_USE_HTTPS=str(https).lower())
        result = snapshot.run(command)
    assert result.code == 69 and words in result.stdout + result.stderr, result.stdout + result.stderr
    if "9000" in words:
        assert "Network" in result.stdout + result.stderr

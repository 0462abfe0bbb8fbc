"""The way to a camera over RTSP: whom the login goes to, in which form, and who comes between ffmpeg and the gateway."""
import contextlib
import itertools
import os
import re
import socket
import socketserver
import subprocess
import threading
import time
from pathlib import Path

import pytest

from accepting import Accepting
from builds import is_emulated
from checking import PASSWORD as CHECKED
from checking import check, simulated  # noqa: F401
from process import wait_until
from relay import Relay, cpu
from rtp_camera import Camera
from rtsp import RTSPServer
from tls import KINDS, Authority, self_signed

pytestmark = pytest.mark.tsan

PASSWORD = "CanaryCam&1 é%/'x"
BASIC = 'Basic realm="camera"'
MD5 = 'Digest realm="a \\"camera\\"", nonce="NONCE"'
MD5_QOP = 'Digest realm="camera", nonce="NONCE", qop="auth,auth-int", opaque="x"'
SHA256 = 'Digest realm="camera", algorithm=SHA-256, nonce="NONCE", qop="auth"'
LOGIN = {"CAMERA_USERNAME": "admin", "CAMERA_PASSWORD": PASSWORD}


def impostor(tmp_path, port=0, kind="p256"):
    """One with a key of its own, who asks for the password as it is."""
    return Camera(tls=self_signed(tmp_path, "impostor", kind), challenges=[BASIC], password=PASSWORD, port=port)


def asks_nothing_of(camera):
    assert not camera.requests, camera.requests


# TLS

@pytest.mark.parametrize("kind", KINDS)
def test_rtsps_with_each_kind_of_key(snapshot, check, tmp_path, kind):  # noqa: F811
    """The first capture pins the key; capture, check and relay compare it. A server with another key gets no request."""
    key = self_signed(tmp_path, "camera", kind)
    with Camera(tls=key, challenges=[BASIC], password=PASSWORD) as camera:
        snapshot.set(CAMERA_URL=camera.url, **LOGIN)
        for _ in range(2):
            snapshot.capture().expect(0)
        assert key[2] in (snapshot.state_folder / "pins.json").read_text()
        snapshot.set(CAMERA_TLS_VERIFY=key[2]).capture().expect(0)
    with impostor(tmp_path, camera.port, kind) as other:
        for verification in (key[2], "pin-first"):
            told = snapshot.set(CAMERA_TLS_VERIFY=verification).capture().refuses(77, "TLS key", "pinned")
            assert told.hints
            found = check()
            assert found["camera"]["code"] == "camera-key-changed" and found["codec"]["result"] == "skipped"
        with Relay(snapshot, {}, "hls") as relay:
            relay.wait_state("refused", 10)
            assert relay.report["last_error"] == "camera-key-changed" and "forget-pin" in relay.stderr
        asks_nothing_of(other)


@pytest.mark.parametrize("verification", ["pin", "pin-first", "ca", "off"])
def test_relay_over_tls(snapshot, tmp_path, verification):
    """A GStreamer server with TLS: capture and relay work with each way to verify it."""
    authority = Authority(tmp_path)
    certificate, key = authority.issue("127.0.0.1") if verification == "ca" else self_signed(tmp_path)[:2]
    both = tmp_path / "both.pem"
    both.write_bytes(certificate.read_bytes() + key.read_bytes())
    pin = subprocess.run(
        f"openssl x509 -in {certificate} -noout -pubkey | openssl pkey -pubin -outform der | openssl dgst -sha256 -binary"
        " | base64", shell=True, capture_output=True, text=True, check=True).stdout.strip()
    with RTSPServer("admin", PASSWORD, tls=both) as camera:
        settings = {"CAMERA_URL": camera.url("h264Preview_01_main"), "SSL_CERT_FILE": authority.certificate,
                    "CAMERA_TLS_VERIFY": f"sha256//{pin}" if verification == "pin" else verification}
        snapshot.set(**settings).capture().expect(0)
        with Relay(snapshot, {}, "hls,record") as relay:
            relay.wait_running()
            wait_until(lambda: relay.recordings, 15, "a recording")
            # What comes goes on at once: nothing piles up between TLS and ffmpeg.
            assert relay.report["restarts"] == 0
            relay.stop()
        if verification == "ca":
            snapshot.set(SSL_CERT_FILE=None).capture().refuses(69, "TLS")


def test_a_certificate_of_another_host_is_no_authority(snapshot, tmp_path):
    authority = Authority(tmp_path)
    with Camera(tls=authority.issue("another.example"), challenges=[BASIC]) as camera:
        snapshot.set(CAMERA_URL=camera.url, CAMERA_TLS_VERIFY="ca", SSL_CERT_FILE=authority.certificate, **LOGIN)
        snapshot.capture().refuses(69, "TLS")
        asks_nothing_of(camera)


# Logins

@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize("https", [False, True])
@pytest.mark.parametrize("challenges, form", [
    ([BASIC], "Basic "), ([MD5], "Digest "), ([MD5_QOP], "Digest "), ([SHA256], "Digest "), ([BASIC, MD5], "Digest "),
    ([MD5_QOP, BASIC], "Digest "), ([f"{BASIC}, {SHA256}"], "Digest "), ([f"{MD5}, {BASIC}"], "Digest "),
    (["Negotiate", MD5], "Digest "), (['Digest realm="x", nonce="NONCE", algorithm=SHA-512-256', BASIC], None)])
def test_how_the_login_goes(snapshot, tmp_path, tls, https, challenges, form):
    key = self_signed(tmp_path) if tls else None
    with Camera(tls=key, challenges=challenges, password=PASSWORD) as camera:
        snapshot.set(CAMERA_URL=camera.url, CAMERA_USE_HTTPS=https, **LOGIN)
        result = snapshot.capture()
        if form is None:
            result.refuses(77, "login")
        elif form == "Basic " and https and not tls:
            told = result.refuses(69, "in the clear", "CAMERA_USE_HTTPS")
            assert "Digest" in told.hints[0] and "rtsps" in told.hints[0]
        else:
            result.expect(0)
        assert all(login.startswith(form or "-") for login in camera.logins), camera.logins
        assert not camera.logins if result.code else camera.logins
        assert "Canary" not in result.stderr


def test_check_and_relay_send_no_password_in_the_clear_beside_https(snapshot, check, simulated):  # noqa: F811
    """The picture comes over HTTPS with a pin; the video's port asks for the password as it is."""
    with Camera(challenges=[BASIC], password=PASSWORD) as video:
        port = {"CAMERA_RTSP_PORT": video.port, "CAMERA_USE_HTTPS": "true"}
        found = check(CAMERA_IP=simulated.https_address, CAMERA_PASSWORD=CHECKED, **port)
        assert found["picture"]["result"] == "passed" and "in the clear" in found["codec"]["found"]
        with Relay(snapshot, {}, "hls") as relay:
            wait_until(lambda: relay.report.get("last_error") == "camera-insecure-login", 10, f"{relay.report}")
            assert "Digest" in relay.stderr
        assert not video.logins and video.requests


def test_basic_is_never_sent_after_digest(snapshot):
    """A later run meets Basic where Digest was asked for before: the camera has changed, or it is an impostor."""
    with Camera(challenges=[MD5_QOP], password=PASSWORD) as camera:
        snapshot.set(CAMERA_URL=camera.url, **LOGIN).capture().expect(0)
        camera.challenges = [BASIC]
        logins = len(camera.logins)
        snapshot.capture().refuses(69, "in the clear", "digest")
        assert len(camera.logins) == logins


@pytest.mark.parametrize("challenges", [[BASIC], [MD5], [SHA256]])
def test_a_wrong_password_is_tried_once(snapshot, challenges):
    with Camera(challenges=challenges, password="right") as camera:
        snapshot.set(CAMERA_URL=camera.url, **LOGIN).capture().refuses(77, "refuses login")
        assert len(camera.logins) == 1


def test_nonces_for_one_request_each(snapshot):
    with Camera(challenges=[MD5_QOP], password=PASSWORD, once=True) as camera:
        snapshot.set(CAMERA_URL=camera.url, **LOGIN).capture().expect(0)


# Addresses

@pytest.mark.parametrize("answers", [
    {"DESCRIBE": "302 Moved\r\nLocation: {}"}, {"OPTIONS": "301 Moved\r\nLocation: {}"},
    {"SETUP": "305 Use Proxy\r\nLocation: {}"}, {"OPTIONS": "200 OK\r\nPublic: DESCRIBE\r\nLocation: {}"}])
def test_nobody_is_followed(snapshot, check, answers):  # noqa: F811
    with Camera(challenges=[BASIC], password=PASSWORD) as elsewhere, Camera() as camera:
        camera.answers = {method: line.format(elsewhere.url) for method, line in answers.items()}
        snapshot.set(CAMERA_URL=camera.url, **LOGIN)
        if "200" in str(answers):
            snapshot.capture().expect(0)
        else:
            snapshot.capture().refuses(69, "redirect")
            assert check().code == 69
            with Relay(snapshot, {}, "hls") as relay:
                wait_until(lambda: relay.report.get("last_error") == "camera-redirect", 10, f"{relay.report}")
        assert elsewhere.connections == 0


@pytest.mark.parametrize("base", ["rtsp://10.9.8.7:5554/inner/live/", "rtsp://camera.local/", None])
def test_the_camera_sees_its_own_addresses(snapshot, base):
    """Requests have the camera's address, or the one that its Content-Base gives; never the gateway's."""
    with Camera(base=base, challenges=[MD5], password=PASSWORD) as camera:
        snapshot.set(CAMERA_URL=camera.url + "?profile=1", **LOGIN).capture().expect(0)
        urls = {r["method"]: r["url"] for r in camera.requests}
        assert urls["DESCRIBE"] == camera.url + "?profile=1", urls
        assert urls["SETUP"].startswith(base or camera.url) and urls["SETUP"].endswith("/0"), urls
        ours = [r for r in camera.requests if str(camera.port) not in r["url"] and not (base and r["url"].startswith(base.rstrip("/")))]
        assert not ours, ours


# Strangers

def listening(pid):
    """The ports of loopback at which a process listens."""
    inodes = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # it may be closed meanwhile
            if found := re.match(r"socket:\[(\d+)\]", os.readlink(descriptor)):
                inodes.add(found[1])
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return [int(row[1].split(":")[1], 16) for row in rows if row[3] == "0A" and row[9] in inodes]


def ask(port, path, family=socket.AF_INET, method="ANNOUNCE"):
    """What a stranger gets who asks at a gateway; b"" if it hangs up."""
    with socket.socket(family) as line:
        line.settimeout(5)
        line.connect(("127.0.0.1" if family == socket.AF_INET else "::ffff:127.0.0.1", port))
        line.sendall(f"{method} rtsp://127.0.0.1:{port}/{path} RTSP/1.0\r\nCSeq: 7\r\n\r\n".encode())
        return line.recv(4096)


def test_strangers_at_the_gateways(snapshot):
    """They get 404, whatever they ask for, and change nothing while ffmpeg is pushing and pulling."""
    with RTSPServer("pusher", "CanaryPush@:/2") as central, RTSPServer("admin", PASSWORD) as camera, Relay(
            snapshot, camera.as_camera(), "republish,hls", OUTPUT_RTSP_URL=central.url("live/h264-aac")) as relay:
        relay.wait_running()
        wait_until(lambda: central.events("record"), 10, "push")
        ports, restarts = listening(relay.pid), relay.report["restarts"]
        assert len(ports) == 2
        clients = len(central.events("client")), len(camera.events("client"))
        for port in ports:
            for path in ("push", "push/streamid=0", "", "0" * 32, "../push"):
                for family in (socket.AF_INET, socket.AF_INET6):
                    for method in ("OPTIONS", "ANNOUNCE", "DESCRIBE"):
                        assert ask(port, path, family, method) == b"RTSP/1.0 404 Not Found\r\nCSeq: 7\r\n\r\n"
        # The path that stands in ffmpeg's arguments is no secret.
        pushed = re.search(rb"rtsp://127.0.0.1:(\d+)/(\w+)", b"".join(relay.arguments))
        assert b"404" in ask(int(pushed[1]), pushed[2].decode())
        time.sleep(2)
        assert clients == (len(central.events("client")), len(camera.events("client")))
        assert "failing" not in relay.report and relay.report["restarts"] == restarts


def test_strangers_who_say_nothing_hold_nobody_up(snapshot):
    """Forty connect to each port before ffmpeg's push succeeds, and say nothing; ffmpeg is let in all the same."""
    with RTSPServer() as central, RTSPServer() as camera:
        central.stop()
        with Relay(snapshot, camera.as_camera(), "republish,hls", OUTPUT_RTSP_URL=central.url("live/h264-aac")) as relay:
            relay.wait_running()
            restarts = relay.report["restarts"]
            lines = [socket.create_connection(("127.0.0.1", port)) for port in listening(relay.pid) for _ in range(40)]
            central.start()
            wait_until(lambda: central.events("record"), 15, f"push: {relay.report}")
            wait_until(lambda: "failing" not in relay.report, 10, f"{relay.report}")
            for line in lines:
                line.settimeout(5)
                line.recv(100)
                line.close()
            assert relay.report["restarts"] == restarts


def test_the_way_to_the_stream_is_in_no_argument(snapshot):
    """ffmpeg gets the gateway's URL through a pipe, and its messages don't show it."""
    with RTSPServer("admin", PASSWORD) as camera, Relay(snapshot, camera.as_camera(), "hls,record") as relay:
        relay.wait_running()
        camera.stop()
        wait_until(lambda: relay.report["restarts"] >= 2, 20, "another try")
        relay.stop()
        arguments = b"\n".join(relay.arguments)
        assert b"ffprobe" in arguments and b"ffmpeg" in arguments
        assert not re.search(rb"rtsps?://", arguments) and not re.search(rb"[0-9a-f]{32}", arguments), arguments
        assert not re.search("127.0.0.1:\\d+/[0-9a-f]{32}", relay.run.stderr)


# Amounts

class Babbler(Accepting):
    """A server that says the same again and again until nobody takes it any more."""
    def __init__(self, bytes_, piece=None):
        super().__init__()
        self.bytes, self.piece, self.most = bytes_, piece or len(bytes_), 0

    def connected(self, line):
        sent = 0
        with line, contextlib.suppress(OSError):
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            line.recv(1000)
            for at in itertools.cycle(range(0, len(self.bytes), self.piece)):
                sent += line.send(self.bytes[at:at + self.piece])
        self.most = max(self.most, sent)


ANSWER = "RTSP/1.0 200 OK\r\n"
BABBLE = {
    "breaks": (b"\r\n" * 16384, None),
    "text": (b"x" * 32768, None),
    "headers": (b"A: b\r\n" * 5000, None),
    "body": (f"{ANSWER}Content-Length: 999999\r\n\r\n".encode(), None),
    "answers": (f"{ANSWER}Content-Length: 4\r\n\r\nbody".encode() * 500, None),
    "answers-of-headers": ((ANSWER + "A:\r\n" * 4000 + "\r\n").encode() * 4, None),
    "requests": (b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n" * 500, None),
    "body-in-pieces": ((ANSWER + "A: b\r\n" * 120 + "Content-Length: 65536\r\n\r\n").encode() + bytes(65536), 1000),
}


@pytest.mark.parametrize("kind", BABBLE)
def test_a_server_that_talks_without_end(snapshot, kind):
    """What a camera or the server of `republish` sends without end is bounded in memory, time and bytes."""
    with Babbler(*BABBLE[kind]) as babbler:
        result = snapshot.set(CAMERA_URL=f"rtsp://127.0.0.1:{babbler.port}/x").capture()
        assert result.refuses(69).wall < 8 and result.rss < 80_000
        snapshot.set(CAMERA_URL=None)
        with RTSPServer() as camera, Relay(snapshot, camera.as_camera(), "republish,hls",
                                           OUTPUT_RTSP_URL=f"rtsp://127.0.0.1:{babbler.port}/x") as relay:
            relay.wait_running()
            restarts = relay.report["restarts"]
            wait_until(lambda: relay.report.get("failing") == {"republish": "push-lost"}, 60, "lost push")
            before, began = cpu(relay.pid), time.monotonic()
            time.sleep(4)
            assert (cpu(relay.pid) - before) / (time.monotonic() - began) < 0.1
            assert relay.report["restarts"] == restarts, relay.stderr
        # This includes what the kernel buffers on both sides.
        assert babbler.most < 16 << 20


HALF = {
    "refused": ("SETUP", b"RTSP/1.0 461 Unsupported Transport\r\nCSeq: %s\r\n\r\n", "push-rejected"),
    "closed": ("SETUP", None, "push-lost"),
    "without-transport": ("SETUP", b"RTSP/1.0 200 OK\r\nCSeq: %s\r\n\r\n", "push-rejected"),
    "over-udp": ("SETUP", b"RTSP/1.0 200 OK\r\nCSeq: %s\r\nTransport: RTP/AVP;unicast;client_port=1-2;server_port=3-4\r\n\r\n",
                 "push-rejected"),
    "two-ways": ("SETUP", b"RTSP/1.0 200 OK\r\nCSeq: %s\r\nTransport: RTP/AVP/TCP;interleaved=0-1,RTP/AVP\r\n\r\n", "push-rejected"),
    "real": ("SETUP", b"RTSP/1.0 200 OK\r\nCSeq: %s\r\nServer: WMServer/9\r\nRealChallenge1: 0\r\n\r\n", "push-rejected"),
    "babble": ("SETUP", b"%s\r\n" * 6000, "push-lost"),
    "not-recorded": ("RECORD", b"RTSP/1.0 500 No\r\nCSeq: %s\r\n\r\n", "push-rejected"),
    "closed-late": ("RECORD", None, "push-lost"),
}


class HalfServer(socketserver.ThreadingTCPServer):
    """Takes a push up to one request, which it answers otherwise, or by hanging up."""
    daemon_threads, allow_reuse_address = True, True

    def __init__(self, method, answer):
        super().__init__(("127.0.0.1", 0), type("Handler", (socketserver.StreamRequestHandler,), {"handle": self._handle}))
        self.method, self.answer, self.failed = method, answer, 0
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @staticmethod
    def _handle(handler):
        server = handler.server
        while start := handler.rfile.readline():
            headers = dict(line.decode().strip().split(": ", 1) for line in iter(handler.rfile.readline, b"\r\n"))
            handler.rfile.read(int(headers.get("Content-Length", 0)))
            number = headers["CSeq"].encode()
            if start.split()[0].decode() == server.method:
                server.failed += 1
                if not server.answer:
                    return
                handler.wfile.write(server.answer.replace(b"%s", number))
            else:
                transport = f"Transport: {headers['Transport']}\r\n" if "Transport" in headers else ""
                handler.wfile.write(b"RTSP/1.0 200 OK\r\nCSeq: %s\r\nSession: 1\r\n%s\r\n" % (number, transport.encode()))


@pytest.mark.parametrize("kind", HALF)
def test_a_server_that_takes_half_a_push_hurts_no_other_output(snapshot, kind):
    """ffmpeg 5.1 crashes at its second try after a push that failed between ANNOUNCE and RECORD."""
    method, answer, trouble = HALF[kind]
    with HalfServer(method, answer) as server, RTSPServer() as camera, Relay(
            snapshot, camera.as_camera(), "republish,hls", OUTPUT_RTSP_URL=f"rtsp://127.0.0.1:{server.server_address[1]}/x") as relay:
        relay.wait_running()
        restarts, ffmpeg = relay.report["restarts"], relay.ffmpeg
        wait_until(lambda: relay.report.get("failing") == {"republish": trouble}, 10, f"{relay.report}")
        wait_until(lambda: server.failed >= (2 if trouble == "push-rejected" else 4), 25, "more tries")
        assert relay.ffmpeg == ffmpeg and relay.report["restarts"] == restarts, relay.stderr
        assert relay.report["failing"] == {"republish": trouble}
        server.shutdown()


def test_strangers_among_very_many_connections(snapshot):
    """The relay asks the kernel for one socket, not for all connections of the machine: strangers could make thousands."""
    with socket.create_server(("127.0.0.1", 0)) as busy:
        for _ in range(5000):
            with socket.create_connection(busy.getsockname()):
                busy.accept()[0].close()
    with RTSPServer() as central, RTSPServer() as camera, Relay(
            snapshot, camera.as_camera(), "republish,hls", OUTPUT_RTSP_URL=central.url("live/h264-aac")) as relay:
        relay.wait_running()
        wait_until(lambda: central.events("record"), 10, "push")
        port = int(re.search(rb"rtsp://127.0.0.1:(\d+)/push", b"".join(relay.arguments))[1])
        before = cpu(relay.pid)
        for _ in range(300):
            assert b"404" in ask(port, "push")
        # QEMU passes on no question for a single socket (NETLINK_SOCK_DIAG), so that the list of all is read there.
        assert is_emulated() or cpu(relay.pid) - before < 1
        assert "failing" not in relay.report


def stream(tmp_path, size):
    """A picture of one colour as H.264: small to send, large to decode."""
    path = tmp_path / f"{size}.h264"
    encoder = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-x264-params", "level-idc=62:repeat-headers=1"]
    subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", f"color=c=gray:s={size}:d=0.2:r=15", "-frames:v", "3", *encoder,
                    "-g", "1", str(path)], check=True)
    return path.read_bytes()


@pytest.mark.parametrize("size, fits", [("8192x8192", False), ("16384x8192", False), ("7680x4320", True)])
def test_pictures_of_a_great_many_pixels(snapshot, tmp_path, size, fits):
    """Refused before they are decoded; 8K isn't."""
    with Camera(stream=stream(tmp_path, size)) as camera:
        snapshot.set(CAMERA_URL=camera.url, CAMERA_TIMEOUT="30s")
        snapshot.environment["PATH"] = f"{measured(tmp_path)}:{snapshot.environment['PATH']}"
        result = snapshot.capture()
        result.expect(0) if fits else result.refuses(69, "40 million pixels")
        if not fits:
            snapshot.run("check")
            peaks = [int(p) for p in (tmp_path / "peaks").read_text().split()]
            assert peaks and max(peaks) < 150_000, peaks


def measured(tmp_path):
    """A folder with ffmpeg and ffprobe that tell how much memory they needed, in KiB."""
    folder = tmp_path / "measured"
    folder.mkdir()
    for name in ("ffmpeg", "ffprobe"):
        (folder / name).write_text(
            f"#!/usr/bin/python3\nimport os, sys\npid = os.fork()\nif pid == 0: os.execv('/usr/bin/{name}', ['{name}', *sys.argv[1:]])\n"
            f"_, status, used = os.wait4(pid, 0)\nopen('{tmp_path}/peaks', 'a').write(f'{{used.ru_maxrss}}\\n')\n"
            "sys.exit(os.waitstatus_to_exitcode(status) & 255)\n")
        (folder / name).chmod(0o755)
    return folder

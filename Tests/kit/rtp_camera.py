"""An RTSP camera by hand, for what no proper server does: audio that is announced and never sent, clocks that are set."""
import base64
import contextlib
import functools
import hashlib
import os
import re
import socket
import ssl
import struct
import subprocess
import threading
import time

FPS = 15
AUDIO = {
    "ulaw": "m=audio 0 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n",
    "aac": "m=audio 0 RTP/AVP 97\r\na=rtpmap:97 MPEG4-GENERIC/16000/1\r\na=fmtp:97 streamtype=5;profile-level-id=1;"
           "mode=AAC-hbr;sizelength=13;indexlength=3;indexdeltalength=3;config=1408\r\n",
}


@functools.cache
def pictures(stream=None):
    """The NAL units of each picture of a stream."""
    found, units = [], []
    for unit in filter(None, re.split(b"\0\0\0?\1", stream or video())):
        units.append(unit)
        if unit[0] & 31 in (1, 5):
            found.append(units)
            units = []
    return found


@functools.cache
def video(size="320x180", every=1, seconds=10):
    """H.264 of that length, with a key frame each so many seconds."""
    encoder = ["-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-pix_fmt", "yuv420p", "-b:v", "300k",
               "-x264-params", f"keyint={every * FPS}:min-keyint={every * FPS}:scenecut=0:sliced-threads=0:threads=1"]
    return subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", f"testsrc=s={size}:r={FPS}:d={seconds}", *encoder,
                           "-f", "h264", "-"], capture_output=True, check=True).stdout


class Camera:
    """`audio`: what is announced besides the video, and sent only with `sounds`. `clock`: a function from
    the seconds since its start to what its clock shows; `pace`: one from a picture's time in the stream to when it is sent, in seconds.

    `tls`: paths of certificate and key. `challenges`: how it asks for the login of `user` and `password`; `NONCE` in
    them is a new one for each challenge, good for one request if `once`. `answers`: other status lines, by method. `base`: what it
    calls itself. `stream`: H.264 to send instead of its own. `udp`: media goes over UDP alone, and `line` says, given the packets of one
    picture, what to send in which order. `holds`: it has one session, which stays taken for so many seconds after
    its end; while `taken` is true, another client has it. `live`: a session begins with the picture of the moment,
    whatever that is, not with the first one. `sounds`: the audio that is announced is sent, too: silence in `ulaw`."""

    def __init__(self, audio=None, clock=lambda seconds: seconds, pace=lambda seconds: seconds, tls=None, challenges=(),
                 user="admin", password="", port=0, once=False, answers=None, base=None, stream=None,
                 udp=False, line=lambda packets: packets, holds=None, live=False, sounds=False):
        self.audio, self.clock, self.pace = audio, clock, pace
        self.challenges, self.user, self.password, self.once = challenges, user, password, once
        self.answers, self.base, self.stream = answers or {}, base, stream
        self.udp, self.line, self._ports = udp, line, None
        self.holds, self._free, self.live, self.taken, self.sounds = holds, 0, live, False, sounds
        self.requests, self.connections, self.nonces, self._open = [], 0, [], set()
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) if tls else None
        if tls:
            self._tls.set_ciphers("ALL:@SECLEVEL=0")
            self._tls.load_cert_chain(*tls[:2])
        self._listener = socket.create_server(("127.0.0.1", port))
        self.port = self._listener.getsockname()[1]
        self.url = f"rtsp{'s' if tls else ''}://127.0.0.1:{self.port}/live"

    @property
    def logins(self):
        """The logins that came, as they came."""
        return [r["authorization"] for r in self.requests if "authorization" in r]

    def send(self, stream):
        """Goes on with `stream` from its next key frame, within the session."""
        self._coming = pictures(stream)

    def cut(self):
        """Ends the present connections."""
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def __enter__(self):
        self._pictures = self._coming = pictures(self.stream)
        self._began = time.monotonic()
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        # Wakes the thread that waits in accept.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        lock, text, holder = threading.Lock(), b"", False
        self.connections += 1
        with contextlib.suppress(OSError):
            connection = self._tls.wrap_socket(connection, server_side=True) if self._tls else connection
        self._open.add(connection)
        with connection, contextlib.suppress(OSError):
            while data := connection.recv(65536):
                text += data
                # What the client says in RTCP is of no interest.
                while found := re.search(rb"([A-Z_]+) (\S+) RTSP/1.0\r\n(.*?)\r\n\r\n", text, re.S):
                    text = text[found.end():]
                    method, head = found[1].decode(), found[3].decode()
                    fields = {k.strip().lower(): v.strip() for k, v in (line.split(":", 1) for line in head.split("\r\n"))}
                    self.requests.append({"method": method, "url": found[2].decode(), **fields})
                    answer = self._answer(method, head)
                    if method == "SETUP" and self.holds is not None and not holder:
                        if self.taken or time.monotonic() < self._free:
                            answer = b"RTSP/1.0 453 Not Enough Bandwidth\r\nCSeq: " + fields["cseq"].encode() + b"\r\n\r\n"
                        else:
                            self._free, holder = float("inf"), True
                    with lock:
                        connection.sendall(answer)
                    if method == "PLAY" and b" 200 OK" in answer[:20]:
                        for stream in (self._play, self._sound)[:2 if self.sounds else 1]:
                            threading.Thread(target=stream, args=(connection, lock), daemon=True).start()
        self._open.discard(connection)
        if holder:
            self._free = time.monotonic() + self.holds

    def _may(self, request):
        """Whether the login is right, or none is wanted."""
        said = request.get("authorization", "")
        if not self.challenges:
            return True
        if said.startswith("Basic "):
            return base64.b64decode(said[6:]).decode() == f"{self.user}:{self.password}"
        f = {k: re.sub(r"\\(.)", r"\1", v[1:-1]) if v[0] == '"' else v for k, v in re.findall(r'(\w+)=("(?:[^"\\]|\\.)*"|[^, ]+)', said)}
        if f.get("nonce") not in self.nonces[-1:] or f["uri"] != request["url"] or f["username"] != self.user:
            return False

        def digest(text):
            return hashlib.new("sha256" if f.get("algorithm") == "SHA-256" else "md5", text.encode()).hexdigest()
        middle = f"{f['nonce']}:{f['nc']}:{f['cnonce']}:auth" if "qop" in f else f["nonce"]
        first, last = digest(f"{self.user}:{f['realm']}:{self.password}"), digest(f"{request['method']}:{f['uri']}")
        if self.once:
            self.nonces.append("used")
        return f["response"] == digest(f"{first}:{middle}:{last}")

    def _challenge(self, number, said):
        self.nonces.append(os.urandom(8).hex())
        stale = ", stale=true" if said and self.once else ""
        lines = [f"WWW-Authenticate: {c.replace('NONCE', self.nonces[-1])}{stale}" for c in self.challenges]
        return "\r\n".join(["RTSP/1.0 401 Unauthorized", number, *lines, "", ""]).encode()

    def _answer(self, method, head):
        number = "CSeq: " + re.search(r"CSeq: *(\d+)", head)[1]
        if method in self.answers:
            return "\r\n".join([f"RTSP/1.0 {self.answers[method]}", number, "", ""]).encode()
        if method != "OPTIONS" and not self._may(self.requests[-1]):
            return self._challenge(number, "authorization" in self.requests[-1])
        lines = ["RTSP/1.0 200 OK", number, "Session: 1"]
        body = ""
        if method == "OPTIONS":
            lines.append("Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN")
        elif method == "DESCRIBE":
            body = ("v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=camera\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"
                    f"a=fmtp:96 packetization-mode=1\r\na=control:{(self.base or '') + '0'}\r\n")
            body += AUDIO[self.audio] + "a=control:1\r\n" if self.audio else ""
            lines += ["Content-Type: application/sdp", f"Content-Base: {self.base or self.url + '/'}", f"Content-Length: {len(body)}"]
        elif method == "SETUP" and self.udp:
            ports = re.search(r"client_port=(\d+)-(\d+)", head)
            if not ports:
                return "\r\n".join(["RTSP/1.0 461 Unsupported Transport", number, "", ""]).encode()
            self._ports = int(ports[1]), int(ports[2])
            self._media = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self._media.bind(("127.0.0.1", 0))
            own = self._media.getsockname()[1]
            lines.append(f"Transport: RTP/AVP;unicast;client_port={ports[1]}-{ports[2]};server_port={own}-{own + 1}")
        elif method == "SETUP":
            lines.append("Transport: RTP/AVP/TCP;unicast;" + re.search(r"interleaved=\d+-\d+", head)[0])
        return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()

    def _play(self, connection, lock):
        begin, number = time.monotonic(), 0
        first = int((begin - self._began) * FPS) if self.live else 0
        with contextlib.suppress(OSError):
            for count in range(1 << 30):
                time.sleep(max(0, begin + self.pace(count / FPS) - time.monotonic()))
                stamp = int(self.clock(begin - self._began + count / FPS) * 90_000) & 0xFFFFFFFF
                if begins_anew(self._coming[(first + count) % len(self._coming)]):
                    self._pictures = self._coming
                payloads = [p for unit in self._pictures[(first + count) % len(self._pictures)] for p in split(unit)]
                packets = []
                for payload in payloads:
                    number += 1
                    mark = 0x80 if payload is payloads[-1] else 0
                    packets.append(struct.pack(">BBHII", 0x80, mark | 96, number & 0xFFFF, stamp, 1) + payload)
                if self.udp:
                    for packet in self.line(packets):
                        self._media.sendto(packet, ("127.0.0.1", self._ports[0]))
                    # That the client is gone shows on the connection alone.
                    connection.send(b"")
                    continue
                for packet in packets:
                    with lock:
                        connection.sendall(struct.pack(">sBH", b"$", 0, len(packet)) + packet)

    def _sound(self, connection, lock):
        """Silence, fifty packets a second, on the channel of what is set up second."""
        begin = time.monotonic()
        with contextlib.suppress(OSError):
            for count in range(1 << 30):
                time.sleep(max(0, begin + count / 50 - time.monotonic()))
                packet = struct.pack(">BBHII", 0x80, 0, count & 0xFFFF, count * 160 & 0xFFFFFFFF, 2) + b"\xff" * 160
                with lock:
                    connection.sendall(struct.pack(">sBH", b"$", 2, len(packet)) + packet)


def begins_anew(picture):
    """Whether it is a key frame."""
    return any(unit[0] & 31 == 5 for unit in picture)


def split(unit):
    """A NAL unit as it is, or in fragments (RFC 6184, FU-A)."""
    if len(unit) <= 1300:
        return [unit]
    pieces = [unit[i:i + 1300] for i in range(1, len(unit), 1300)]
    ends = [0x80] + [0] * (len(pieces) - 2) + [0x40]
    return [bytes([unit[0] & 0xE0 | 28, end | unit[0] & 31]) + piece for end, piece in zip(ends, pieces)]

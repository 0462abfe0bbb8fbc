"""An RTSP camera by hand, for what no proper server does: audio that is announced and never sent, clocks that are set."""
import contextlib
import functools
import re
import socket
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
def pictures():
    """The NAL units of each picture."""
    found, units = [], []
    for unit in filter(None, re.split(b"\0\0\0?\1", video())):
        units.append(unit)
        if unit[0] & 31 in (1, 5):
            found.append(units)
            units = []
    return found


@functools.cache
def video():
    """Ten seconds of H.264, a key frame a second."""
    encoder = ["-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-pix_fmt", "yuv420p", "-b:v", "300k",
               "-x264-params", f"keyint={FPS}:min-keyint={FPS}:scenecut=0:sliced-threads=0:threads=1"]
    return subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", f"testsrc=s=320x180:r={FPS}:d=10", *encoder,
                           "-f", "h264", "-"], capture_output=True, check=True).stdout


class Camera:
    """`audio`: what is announced besides the video, and never sent. `clock`: what the camera's clock shows, by how long
    it has been on, and `pace`: when a picture is sent, by its time in the stream; all in seconds."""

    def __init__(self, audio=None, clock=lambda seconds: seconds, pace=lambda seconds: seconds):
        self.audio, self.clock, self.pace = audio, clock, pace
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"rtsp://127.0.0.1:{self._listener.getsockname()[1]}/live"

    def __enter__(self):
        pictures()
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
        lock, text = threading.Lock(), b""
        with connection, contextlib.suppress(OSError):
            while data := connection.recv(65536):
                text += data
                # What the client says in RTCP is of no interest.
                while found := re.search(rb"([A-Z_]+) rtsp://\S+ RTSP/1.0\r\n(.*?)\r\n\r\n", text, re.S):
                    text = text[found.end():]
                    method, head = found[1].decode(), found[2].decode()
                    with lock:
                        connection.sendall(self._answer(method, head))
                    if method == "PLAY":
                        threading.Thread(target=self._play, args=(connection, lock), daemon=True).start()

    def _answer(self, method, head):
        lines = ["RTSP/1.0 200 OK", "CSeq: " + re.search(r"CSeq: *(\d+)", head)[1], "Session: 1"]
        body = ""
        if method == "OPTIONS":
            lines.append("Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN")
        elif method == "DESCRIBE":
            body = ("v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=camera\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"
                    "a=fmtp:96 packetization-mode=1\r\na=control:0\r\n")
            body += AUDIO[self.audio] + "a=control:1\r\n" if self.audio else ""
            lines += ["Content-Type: application/sdp", f"Content-Base: {self.url}/", f"Content-Length: {len(body)}"]
        elif method == "SETUP":
            lines.append("Transport: RTP/AVP/TCP;unicast;" + re.search(r"interleaved=\d+-\d+", head)[0])
        return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()

    def _play(self, connection, lock):
        begin, number = time.monotonic(), 0
        with contextlib.suppress(OSError):
            for count in range(1 << 30):
                time.sleep(max(0, begin + self.pace(count / FPS) - time.monotonic()))
                stamp = int(self.clock(begin - self._began + count / FPS) * 90_000) & 0xFFFFFFFF
                payloads = [p for unit in pictures()[count % len(pictures())] for p in split(unit)]
                for payload in payloads:
                    number += 1
                    mark = 0x80 if payload is payloads[-1] else 0
                    packet = struct.pack(">BBHII", 0x80, mark | 96, number & 0xFFFF, stamp, 1) + payload
                    with lock:
                        connection.sendall(struct.pack(">sBH", b"$", 0, len(packet)) + packet)


def split(unit):
    """A NAL unit as it is, or in fragments (RFC 6184, FU-A)."""
    if len(unit) <= 1300:
        return [unit]
    pieces = [unit[i:i + 1300] for i in range(1, len(unit), 1300)]
    ends = [0x80] + [0] * (len(pieces) - 2) + [0x40]
    return [bytes([unit[0] & 0xE0 | 28, end | unit[0] & 31]) + piece for end, piece in zip(ends, pieces)]

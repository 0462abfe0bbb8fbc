"""Where the fuzzer begins: for each reader a few inputs as they really occur."""
import json

from pictures import picture

DOTENV = b"""\xef\xbb\xbf# comment
export CAMERA_IP=192.168.1.20:8080   # hall
CAMERA_PASSWORD="a \\"b\\" $c"\r
CAMERA_NAME='T\xc3\xbcr 1'
CAPTURE_INTERVAL=10s
KEY_TEMPLATE={camera}/{yyyy}/{MM}/{dd}/{camera}_{timestamp}.jpg
SPOOL_MAX_BYTES=256M
PING_URL=https://hc.example/abc
STORAGE_BACKEND=s3
S3_BUCKET=snaps
S3_ENDPOINT_URL=http://[::1]:9000/base
AWS_ACCESS_KEY_ID=AKIA
AWS_SECRET_ACCESS_KEY=secret
"""
S3_ERRORS = [b"<Error><Code>%s</Code><Message>a &lt;b&gt; &amp; c</Message><Region>eu-west-1</Region></Error>" % code
             for code in (b"SlowDown", b"AuthorizationHeaderMalformed", b"RequestTimeTooSkewed")]
REOLINK = [
    [{"cmd": "Login", "code": 0, "value": {"Token": {"leaseTime": 3600, "name": "0123abcd"}}}],
    [{"cmd": "Snap", "code": 1, "error": {"detail": "please login first", "rspCode": -6}}],
    [{"cmd": "Login", "code": 1, "error": {"rspCode": -7, "remain_times": 4}}],
]
URLS = [b"rtsp://admin:p%40ss@[fe80::1%25eth0]:554/h264Preview_01_main?x=1#f", b"https://s3.example.org:443",
        b"http://10.0.0.9/still.jpg", b"fe80::1", b"camera.local:80"]
PROFILES = [b"[default]\r\naws_access_key_id = AKIA\naws_secret_access_key=abc+/=\n; c\n[profile other]\nregion=x\n"]
PROGRESS = b"frame=30\nfps=15.0\ntotal_size=N/A\nout_time_us=2000000\nspeed=1.01x\nprogress=continue\n"
STDERR = (b"[concat @ 0x55] Impossible to open 'rtsp://admin:S3cret%2F1@10.0.0.9:554/h264Preview_01_main'\n"
              b"rtsp://u:S3cret/1@h/x: Server returned 401 Unauthorized (authorization failed)\r\n" + b"x" * 1100 + b"\n")
FFPROBE = [
    {"streams": [{"codec_name": "hevc", "codec_type": "video", "width": 2560, "height": 1440}, {"codec_name": "aac", "codec_type": "audio"}]},
    {"error": {"code": -825242872, "string": "Server returned 401 Unauthorized"}}, {"streams": [{"codec_type": "data"}]},
]
PLAYLIST = b"""#EXTM3U
#EXT-X-VERSION:7
#EXT-X-TARGETDURATION:4
#EXT-X-MEDIA-SEQUENCE:1795378347
#EXT-X-DISCONTINUITY-SEQUENCE:2
#EXT-X-MAP:URI="init-20260121T103045Z.mp4"
#EXT-X-PROGRAM-DATE-TIME:2026-01-21T10:30:45.548+0000
#EXTINF:4.000,
1795378347682498.m4s
#EXT-X-DISCONTINUITY
#EXTINF:3.933,
1795378347682499.m4s
"""
MOMENT = {"at": "2026-01-21T10:30:45Z", "up": 900.5}
REPORT = {"state": "running", "modes": ["hls", "record"], "updated": MOMENT, "flowing_since": MOMENT, "boot": "b", "restarts": 3,
          "last_error": "camera-lost", "failing": {"pipe": "pipe-lost"}}
RTP = [b"".join(b"$\0" + (12 + len(unit)).to_bytes(2, "big") + b"\x80" + bytes([kind, 0, number]) + bytes(8) + unit
                for number, unit in enumerate(units)) for kind, units in (
    (96, [b"\x67\x42\xc0\x1e\x8a\x01", b"\x18\0\x06\x67\x42\xc0\x1e\x8b\x01\0\x02\x68\x01"]),
    (98, [b"\x42\x01\x01" + bytes(12) + b"\xa0\x01", b"\x60\x01\0\x11\x42\x01\x01" + bytes(12) + b"\xa0\x02"]))]
RTSP = [
    b"RTSP/1.0 401 Unauthorized\r\nCSeq: 1\r\nWWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\", opaque=\"o\"\r\n"
    b"WWW-Authenticate: Basic realm=\"r\"\r\n\r\n$\x00\x00\x04abcdRTSP/1.0 200 OK\r\nCSeq: 2\r\n\r\n",
    b"ANNOUNCE rtsp://127.0.0.1:5000/push RTSP/1.0\r\nCSeq: 2\r\nContent-Length: 5\r\n\r\nv=0\r\n",
]


def box(kind, content=b""):
    return (8 + len(content)).to_bytes(4, "big") + kind + content


def packet(identifier, head, content):
    """188 bytes of MPEG-TS."""
    return (b"\x47" + (0x4000 | identifier).to_bytes(2, "big") + head + content).ljust(188, b"\xff")


RECORDING = box(b"ftyp", b"isom") + box(b"moov", b"m") + 2 * (box(b"moof", b"f") + box(b"mdat", b"data"))
MPEGTS = (packet(0, b"\x10\x00", bytes.fromhex("00b00d0001c100000001e10000000000"))
          + packet(0x100, b"\x10\x00", bytes.fromhex("02b0120001c10000e101f0001be101f00000000000"))
          + packet(0x101, b"\x30\x07", b"\x50" + bytes(6) + b"key") + packet(0x101, b"\x10", b"more"))


def write(folder, ring, spooled):
    """A folder of seeds for each subject. `ring`: a state file; `spooled`: the facts behind a spool's pictures."""
    jpeg = picture(32, 32)
    slots = [ring[i:i + 4096] for i in range(0, 16384, 4096)]
    seeds = {
        "dotenv": [DOTENV], "settings": [DOTENV, DOTENV.replace(b"s3\n", b"http\nHTTP_UPLOAD_URL=http://h/\n")],
        "jpeg": [jpeg, jpeg[:2] + b"\xff" * 8 + jpeg[2:], jpeg + b"\0" * 64], "state": [*slots, ring[:8192]],
        "s3-error": S3_ERRORS, "reolink": [json.dumps(r).encode() for r in REOLINK], "url": URLS,
        "spool": spooled, "profile": PROFILES, "progress": [PROGRESS * 2], "stderr": [STDERR],
        "ffprobe": [json.dumps(f).encode() for f in FFPROBE], "playlist": [PLAYLIST],
        "relay-report": [json.dumps(REPORT).encode()], "recording": [RECORDING, b"20260121T103045Z-2.mp4"],
        "mpegts": [MPEGTS], "rtsp": RTSP, "rtp": RTP,
    }
    for subject, inputs in seeds.items():
        (folder / subject).mkdir(parents=True)
        for n, data in enumerate(inputs):
            (folder / subject / str(n)).write_bytes(data)
    return folder

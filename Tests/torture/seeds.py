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


def write(folder, ring, spooled):
    """A folder of seeds for each subject. `ring`: a state file; `spooled`: the facts behind a spool's pictures."""
    jpeg = picture(32, 32)
    slots = [ring[i:i + 4096] for i in range(0, 16384, 4096)]
    seeds = {
        "dotenv": [DOTENV], "settings": [DOTENV, DOTENV.replace(b"s3\n", b"http\nHTTP_UPLOAD_URL=http://h/\n")],
        "jpeg": [jpeg, jpeg[:2] + b"\xff" * 8 + jpeg[2:], jpeg + b"\0" * 64], "state": [*slots, ring[:8192]],
        "s3-error": S3_ERRORS, "reolink": [json.dumps(r).encode() for r in REOLINK], "url": URLS,
        "spool": spooled, "profile": PROFILES,
    }
    for subject, inputs in seeds.items():
        (folder / subject).mkdir(parents=True)
        for n, data in enumerate(inputs):
            (folder / subject / str(n)).write_bytes(data)
    return folder

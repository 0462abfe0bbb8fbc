"""The tables behind test_settings: settings files and values, good and bad."""

# name: (text of the file, camera name that it sets)
GOOD_FILES = {
    "plain": ("CAMERA_NAME=door", "door"),
    "export": ("export CAMERA_NAME=door\n", "door"),
    "export and tabs": ("\texport\t CAMERA_NAME=door\t\n", "door"),
    "double quotes": ('CAMERA_NAME="front door"\n', "front door"),
    "single quotes": ("CAMERA_NAME='front door'\n", "front door"),
    "hash in quotes": ('CAMERA_NAME="no #1"\n', "no #1"),
    "hash in single quotes": ("CAMERA_NAME='no #1' # comment\n", "no #1"),
    "hash without space": ("CAMERA_NAME=no#1\n", "no#1"),
    "inline comment": ("CAMERA_NAME=door # comment = with 'things\"\n", "door"),
    "inline comment behind a tab": ("CAMERA_NAME=door\t# comment\n", "door"),
    "inline comment behind quotes": ('CAMERA_NAME="door" # comment\n', "door"),
    "own line comments": ("# first\n   # second\nCAMERA_NAME=door\n#CAMERA_NAME=x\n", "door"),
    "CRLF": ("# x\r\nCAMERA_NAME=door\r\n\r\n", "door"),
    "CRLF and quotes": ('CAMERA_NAME="door"\r\n', "door"),
    "BOM": ("\ufeffCAMERA_NAME=door\n", "door"),
    "BOM and comment": ("\ufeff# x\nCAMERA_NAME=door\n", "door"),
    "spaces around": ("  CAMERA_NAME=door  \n", "door"),
    "blank lines": ("\n\n \t\nCAMERA_NAME=door\n\n", "door"),
    "equals in the value": ("CAMERA_NAME=a=b=c\n", "a=b=c"),
    "other quotes inside": ("CAMERA_NAME=\"it's\"\n", "it's"),
    "escaped quote": ('CAMERA_NAME="a \\"b\\""\n', 'a "b"'),
    "no expansion": ("CAMERA_NAME='$HOME `x`'\n", "$HOME `x`"),
    "UTF-8": ("CAMERA_NAME=Tür😀\n", "Tür😀"),
    "spaces inside": ("CAMERA_NAME=front door\n", "front door"),
}

# name: (text, where it must be said to be wrong, words that must be there)
BAD_FILES = {}


def _bad(name, text, line=None, words=()):
    BAD_FILES[name] = (text, f".env:{line}" if line else ".env", words)


# The same mistakes in front of, between and behind good lines, with each line ending.
_LINES = {
    "no equals": "CAMERA_NAME canary", "only a word": "canary", "colon": "CAMERA_NAME: canary", "no name": "=canary",
    "digit first": "1CAMERA=canary", "dash in name": "CAMERA-NAME=canary", "dot in name": "camera.name=canary",
    "space in name": "CAMERA NAME=canary", "open double quote": 'CAMERA_NAME="canary',
    "open single quote": "CAMERA_NAME='canary", "text behind quotes": 'CAMERA_NAME="canary"canary',
    "comment glued to quotes": 'CAMERA_NAME="canary"#canary', "two quoted": "CAMERA_NAME='canary' 'canary'",
    "export alone": "export", "export without value": "export CAMERA_NAME", "set": "set CAMERA_NAME=canary",
    "JSON": '{"CAMERA_NAME": "canary"}', "section": "[camera]", "escaped end": 'CAMERA_NAME="canary\\"',
    "name in quotes": '"CAMERA_NAME"=canary', "escape byte": "CAMERA_NAME=\x1b[31mcanary", "NUL": "CAMERA_NAME=can\0ary",
    "non-ASCII name": "CAMERA_NÄME=canary", "dollar": "$CAMERA_NAME=canary",
}
for _name, _line in _LINES.items():
    for _end in ("\n", "\r\n"):
        for _before, _after in ((0, 0), (1, 1), (4, 0)):
            _text = _end.join(["CAPTURE_INTERVAL=10"] * _before + [_line] + ["# end"] * _after) + _end
            _bad(f"{_name}, line {_before + 1}, {'CRLF' if _end != chr(10) else 'LF'}, {_after} behind", _text, _before + 1)
for _name, _bytes in {"Latin-1": b"CAMERA_NAME=T\xfcr\n", "UTF-16": "CAMERA_NAME=x\n".encode("utf-16"),
                      "overlong": b"CAMERA_NAME=\xc0\xaf\n", "surrogate": b"CAMERA_NAME=\xed\xa0\x80\n",
                      "cut character": b"CAMERA_NAME=x\xe2\x82\n", "binary": bytes(range(128, 256)) * 20}.items():
    for _before in (0, 2):
        _bad(f"{_name}, line {_before + 1}", b"# x\n" * _before + _bytes, _before + 1)
# A refused value in a file: where it stands is part of the message.
for _key, _value in (("CAPTURE_INTERVAL", "soon"), ("CAPTURE_INTERVAL", "-1"), ("CAMERA_USE_HTTPS", "maybe"),
                     ("STORAGE_BACKEND", "ftp"), ("CAMERA_CHANNEL", "one"), ("CAMERA_STREAM", "middle"),
                     ("CAMERA_AUTH", "none"), ("UPLOAD_ATTEMPTS", "0"), ("SPOOL_MAX_BYTES", "much"),
                     ("CAMERA_TIMEOUT", "10x"), ("CAMERA_NAME", "a/b"), ("KEY_TEMPLATE", "../{camera}.jpg")):
    for _form in ("{}={}", "{}='{}'", "export {}=\"{}\"", "{}={}  # comment"):
        _bad(f"{_key}={_value} as {_form}", "# x\n\n" + _form.format(_key, _value) + "\n", 3, (_key, _value))

_S3 = {"STORAGE_BACKEND": "s3", "S3_BUCKET": "b", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "s"}
_HTTP = {"STORAGE_BACKEND": "http"}
_IP = {"CAMERA_IP": "127.0.0.1"}

# key, value, what else must be set for it to count
BAD_VALUES = [
    *[("CAPTURE_INTERVAL", v, {}) for v in ("0", "-5", "ten", "10 s", "1e3", "10ss", "0x10", "999999999999999999999", "٣")],
    # Nothing is expanded.
    *[(key, v, {}) for key in ("LOCAL_STORAGE_PATH", "STATE_PATH")
      for v in ("~/pictures", "~pi/pictures", "$HOME/pictures", "${HOME}/pictures", "/srv/$USER", "/srv/$(hostname)/x", "%h/pictures",
                "/srv/cam-%i", "/srv/%i/x", "/srv/a%d/x", "/srv/`hostname`/x", "`pwd`",
                # No network share is mounted.
                "smb://nas/cam", "NFS://nas/cam", "file:///srv/cam", "sftp://nas/cam", "\\\\nas\\cam", "//nas/cam", "nas:/volume1/cam", "[fe80::1]:/srv", "C:\\cam", "d:/cam")],
    # What copied text brings along; a name may hold one inside.
    *[(key, v, more) for v, key, more in (("/srv/cam\u00a0", "LOCAL_STORAGE_PATH", {}), ("127.0.0.1\u00a0", "CAMERA_IP", {"CAMERA_IP": "1"}),
                                          ("\u2003door", "CAMERA_NAME", {}), ("10\u202f", "CAPTURE_INTERVAL", {}), ("bucket\u2009", "S3_BUCKET", _S3))],
    *[("CAMERA_URL", v, {}) for v in ("file:~/still.jpg", "file:$HOME/still.jpg", "http://$CAMERA/still.jpg",
                                      "http://${CAMERA}:80/still.jpg", "http://127.0.0.1:9/${NAME}/still.jpg")],
    *[("CAMERA_IP", v, {"CAMERA_IP": v}) for v in ("$CAMERA", "${CAMERA}", "%h")],
    *[("KEY_TEMPLATE", v, {}) for v in ("$HOME/{timestamp}.jpg", "${camera}/{timestamp}.jpg", "{camera}/%Y/%m/{timestamp}.jpg")],
    *[("CAMERA_TIMEOUT", v, {}) for v in ("0", "never", "5 minutes")],
    *[("CAMERA_FOLLOW", v, {}) for v in ("true", "host")],
    *[("UPLOAD_STALL", v, {}) for v in ("0", "500ms", "never")],
    *[("UPLOAD_ANSWER", v, {}) for v in ("0", "500ms", "11m")],
    *[("UPLOAD_DEADLINE", v, {}) for v in ("0", "-1s", "x")],
    *[("UPLOAD_ATTEMPTS", v, {}) for v in ("0", "-1", "many", "1.5", "1000000")],
    *[("CAMERA_USE_HTTPS", v, {}) for v in ("on!", "2", "ja")],
    *[("CAMERA_CHANNEL", v, {}) for v in ("-1", "x", "100000")],
    *[("CAMERA_STREAM", v, {}) for v in ("third", "0")],
    *[("CAMERA_AUTH", v, {}) for v in ("basic", "token,password")],
    *[("CAMERA_WIDTH", v, {}) for v in ("0", "wide", "-640")],
    *[("CAMERA_NAME", v, {}) for v in ("..", "a/b", "x" * 65, "ü" * 33, "../../etc/cron.d", ".")],
    *[("CAMERA_IP", v, {"CAMERA_IP": v}) for v in ("http://camera", "camera:port", "1.2.3.4:99999", "[::1", "a b", "camera:+80",
                                                   "user@host", "host/path", ":80", "host:", "1.2.3.4:0")],
    *[("CAMERA_TLS_VERIFY", v, _IP) for v in ("yes", "sha256//short", "sha256//" + "A" * 43, "sha1//AAAA")],
    *[("STORAGE_BACKEND", v, {}) for v in ("S4", "local", "s3,http")],
    *[("KEY_TEMPLATE", v, {}) for v in ("/abs/{timestamp}.jpg", "../{timestamp}.jpg", "a/../b_{timestamp}.jpg",
                                        "a/./{timestamp}.jpg", "{timestamp", "{unknown}.jpg", "{}",
                                        # A slash stays one with an accent behind it.
                                        "../\u0301{timestamp}.jpg", "a//\u0301{timestamp}.jpg")],
    *[("S3_BUCKET", v, {**_S3, "S3_BUCKET": v}) for v in ("a/b", "a b", "s3://bucket", "..")],
    *[("S3_ENDPOINT_URL", v, _S3) for v in ("minio:9000", "ftp://x", "http://", "http:///x", "http://a b")],
    *[("S3_ENDPOINT_URL", v, _S3) for v in ("http://$MINIO:9000", "https://${ENDPOINT}/")],
    *[("S3_PREFIX", v, _S3) for v in ("$USER/", "%H/")],
    *[("S3_ADDRESSING", v, _S3) for v in ("dns", "none")],
    *[("S3_CHECKSUM", v, _S3) for v in ("crc32", "yes", "sha-256")],
    *[("AWS_REGION", v, _S3) for v in ("eu/west", "a b")],
    *[("HTTP_UPLOAD_URL", v, _HTTP) for v in ("example.org/up", "file:///tmp/x", "https://", "http://a b/c")],
    *[("HTTP_UPLOAD_FORMAT", v, {**_HTTP, "HTTP_UPLOAD_URL": "http://x/"}) for v in ("xml", "form")],
    *[("SPOOL_MAX_BYTES", v, {}) for v in ("big", "-1", "1Q", "1.5G")],
    *[("SPOOL_MIN_FREE", v, {}) for v in ("-1M", "x")],
    *[("LOCAL_STORAGE_MAX_BYTES", v, {}) for v in ("10 apples", "-5")],
    *[("LOCAL_STORAGE_MAX_AGE", v, {}) for v in ("old", "-1d")],
    *[("FROZEN_AFTER", v, {}) for v in ("-1", "x")],
    *[("PING_URL", v, {}) for v in ("hc-ping.com/x", "ftp://x/")],
]

GOOD_VALUES = [
    *[("CAPTURE_INTERVAL", v) for v in ("10", "10s", "5m", "1h", " 10 ", "10 # comment", "10\t#c")],
    *[("CAMERA_USE_HTTPS", v) for v in ("true", "false", "yes", "no", "1", "0", "TRUE", "No")],
    *[("SPOOL_MAX_BYTES", v) for v in ("256M", "1G", "1048576", "500K")],
    *[("SPOOL_MIN_FREE", v) for v in ("0", "1M")],
    *[("UPLOAD_ATTEMPTS", v) for v in ("1", "10")],
    *[("UPLOAD_DEADLINE", v) for v in ("5", "500ms", "1m")],
    *[("CAMERA_NAME", v) for v in ("a", "x" * 64, "Tür 1", "a.b", "-x", "no#1", "front\u00a0door", "\U0001F3F3\uFE0F\u200D\U0001F308", "\U0001F3F4\U000E0067\U000E007F")],
    *[("KEY_TEMPLATE", v) for v in ("{timestamp}.jpg", "{camera}/{yyyy}/{MM}/{dd}/{timestamp}.jpg", "ü é/{timestamp}", "u\u0308/{timestamp}")],
    # Characters that have no special meaning here.
    *[("LOCAL_STORAGE_PATH", v) for v in ("share$", "50%", "50%off", "a%20b", "cost$5", "a~b", "a`b", "./a:/b", "://x", "a\\\\b")],
    *[("KEY_TEMPLATE", v) for v in ("{local_yyyy}/{local_MM}/{local_dd}/{local_HH}{local_mm}{local_ss}{offset}.jpg",)],
    *[("LOCAL_STORAGE_MAX_AGE", v) for v in ("30d", "12h", "3600")],
    *[("LOCAL_STORAGE_MAX_BYTES", v) for v in ("10G",)],
    *[("FROZEN_AFTER", v) for v in ("0", "12")],
]

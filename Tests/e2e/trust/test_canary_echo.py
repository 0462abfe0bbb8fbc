"""No form of a secret shows, whatever it is made of, when camera, store and endpoint repeat what they were asked."""
import base64
import html
import json
import quopri
import re
from urllib.parse import quote, quote_plus

import pytest

from camera import Camera, http, refusal
from echo import WAYS, Echo
from watch import ProcessWatch

PASSWORDS = {
    "one character": "§", "short": "a1", "short with a mark": "z%", "a word of ours": "wrong", "quotes": "it's \"so\"",
    "not ASCII": "pässwörd", "blanks": "my pass word", "percent": "50%off%41", "plus": "a+b+cde", "ampersand": "x&y=z;w",
    "backslash": "C:\\dir\\new", "31 characters": "Thirty-1/characters+of=this&pwd", "URL": "p@ss/w:rd?x#y",
    "JSON": '{"a":[1,"b"]}', "other scripts": "密码😀ключ",
}
TOKENS = {"short": "b7x", "a word of ours": "refused", "base64": "Zm9v+YmFy/cXV4==", "percent": "to%6Ben%2B1"}


def forms(secret):
    raw = secret.encode()
    lower = re.sub("%..", lambda m: m[0].lower(), quote(secret, safe=""))
    yield from {raw, quote(secret, safe="").encode(), lower.encode(), quote(secret, safe="!$'()*,/:;=?@").encode(),
                quote_plus(secret).encode(), json.dumps(secret)[1:-1].encode(), json.dumps(secret)[1:-1].replace("/", "\\/").encode(),
                json.dumps(secret, ensure_ascii=False)[1:-1].encode(), html.escape(secret).encode(), quopri.encodestring(raw).strip(),
                secret.encode("latin-1", "xmlcharrefreplace"), secret.encode("ascii", "xmlcharrefreplace"),
                *(base64.b64encode(f"{user}:{secret}".encode()) for user in ("me", "admin"))}


def check(snapshot, watch, secret):
    """No form of the secret is anywhere but in our own sentences."""
    assert any(str(snapshot.binary).encode() in argv for argv in watch.seen), "the watch saw the run"
    seen = watch.seen
    if len(secret) < 8:
        # A short word stands in the arguments of strangers, too: the watch sees the whole machine.
        seen = {argv for argv in seen if argv.startswith(str(snapshot.binary).encode())}
    for where, data in [*snapshot.written(), *(("arguments", argv) for argv in seen)]:
        for own in (b"wrong user or password", b"store refuses credentials", b"refused camera", b"refused body begins",
                    b"refused the credentials", b"credentials_refused", b"wrong clock", b"clock is wrong"):
            data = data.replace(own, b"")
        for form in forms(secret):
            # Digests and times may hold two letters by chance.
            found = re.search(rb"(?<![0-9A-Za-z])" + re.escape(form) + rb"(?![0-9A-Za-z])" if len(secret) < 4 else re.escape(form), data)
            assert not found, f"{form} in {where}: {data[max(0, found.start() - 200):found.end() + 50]}"


def run_all(snapshot):
    snapshot.set(UPLOAD_DEADLINE="300ms", UPLOAD_ATTEMPTS="1", CAMERA_TIMEOUT="3s")
    with ProcessWatch() as watch:
        results = [snapshot.run(*a) for a in (["capture", "--verbose"], ["capture", "--verbose", "--json"], ["check", "--verbose"],
                                              ["drain", "--verbose"], ["health"], ["health", "--json"], ["health", "--nagios"])]
    return watch, results


# Each password is repeated in three ways; each way but the last, `s3`, repeats several.
PAIRS = {f"{name}, {way}": (PASSWORDS[name], way) for i, name in enumerate(PASSWORDS) for way in list(WAYS)[i % 4::4][:3]}


@pytest.mark.parametrize("password, way", PAIRS.values(), ids=PAIRS)
def test_cameras(snapshot, password, way):
    with Echo(way, 200) as camera:
        for settings in ({"CAMERA_IP": camera.address, "CAMERA_PASSWORD": password, "CAMERA_AUTH": "password"},
                         {"CAMERA_IP": None, "CAMERA_URL": f"http://me:{quote(password, safe='')}@{camera.address}/still.jpg"}):
            camera.asked.clear()
            watch, results = run_all(snapshot.set(**settings))
            assert camera.asked, results[0].stderr
            check(snapshot, watch, password)
        assert any("***" in r.stderr or "not shown" in r.stderr for r in results), results[0].stderr


@pytest.mark.parametrize("way", ["raw", "json", "s3", "base64"])
@pytest.mark.parametrize("secret", TOKENS.values(), ids=TOKENS)
@pytest.mark.parametrize("backend", ["http", "s3"])
def test_stores(snapshot, backend, secret, way):
    with Echo(way, 403) as store, Camera(password="x§y") as camera:
        settings = {
            "http": {"HTTP_UPLOAD_URL": f"http://me:pw@{store.address}/in", "HTTP_AUTH_TOKEN": secret},
            "s3": {"S3_ENDPOINT_URL": f"http://{store.address}", "S3_BUCKET": "b", "AWS_ACCESS_KEY_ID": "AKIAX",
                   "AWS_SECRET_ACCESS_KEY": "CanarySecret", "AWS_SESSION_TOKEN": secret}}[backend]
        watch, _ = run_all(snapshot.set(**camera.settings(), STORAGE_BACKEND=backend, **settings))
        assert store.asked
        check(snapshot, watch, secret)


def test_a_password_in_the_path(snapshot):
    with Echo("raw", 200) as camera:
        path = "still/user=admin_password=Canary_pw1_channel=1.sdp"
        watch, results = run_all(snapshot.set(CAMERA_URL=f"http://{camera.address}/{path}"))
        assert camera.asked and camera.address in results[0].stderr
        check(snapshot, watch, "Canary_pw1")


@pytest.mark.parametrize("password", ["wrong", "a", "user", "password", "the", " "])
def test_our_own_words_stay(ready, camera, password):
    camera.raw_login = http(refusal(-7, f"bad {password}!"))
    error, = ready.set(CAMERA_PASSWORD=password, CAMERA_AUTH="token").capture().refuses(77).errors
    assert "camera refuses login" in error and "wrong user or password, or the login is locked" in error
    assert f"bad {password}!" not in error and ("not shown" in error or "***" in error)


@pytest.mark.parametrize("cut", range(100, 125, 3))
def test_a_secret_at_the_end_of_the_excerpt(ready, camera, cut):
    camera.raw = http(b"." * cut + b"Canary+Password%1 and more", kind="text/html")
    camera.password = "Canary Password%1"
    result = ready.set(CAMERA_PASSWORD=camera.password, CAMERA_AUTH="password").capture("--verbose").refuses(69)
    assert "refused body begins" in result.stderr and "Can" not in result.stderr

"""Who gets to see what the camera saw, and how much of it."""

import base64
import os
import re
import socket
import time
from urllib.parse import urljoin

import pytest
from web import Web, end, memory, most_memory, read_to_end, record, spawn_activated, write_relay, write_ring

pytestmark = pytest.mark.tsan

JPEG = b"\xff\xd8\xff\xe0PICTURE" + bytes(range(256)) * 40 + b"\xff\xd9"
SEGMENT = b"\x47SEGMENT" + bytes(range(256)) * 400
MOVIE = bytes(i * 7 % 251 for i in range(300_000))
SECRET = b"nobody may read this"
TOKEN = "a-long-enough-token"
# Where the relay of the instance `hall` writes.
HALL = "state/hall/stream_output"
ROUTES = ["/latest.jpg", "/latest/yard.jpg", "/live", "/live/", "/live/hls/stream.m3u8", "/live/hls/0.ts",
          "/live/hall", "/live/hall/", "/live/hall/hls/stream.m3u8", "/live/hall/hls/0.ts",
          "/recordings", "/recordings/", "/recordings/a.mp4", "/recordings/day/b.mp4", "/recordings/hall/c.mp4"]


@pytest.fixture
def home(tmp_path):
    """Pictures in all the places where they lie, and secrets beside them."""
    write_ring(tmp_path / "state", [record(1)])
    for folder in ["run/yard", "out/hls", "out/record/day", "out/record-private", HALL + "/hls", HALL + "/record"]:
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "run/latest.jpg").write_bytes(JPEG)
    (tmp_path / "run/yard/latest.jpg").write_bytes(JPEG[::-1])
    (tmp_path / "out/hls/stream.m3u8").write_text("#EXTM3U\n0.ts\n")
    (tmp_path / "out/hls/0.ts").write_bytes(SEGMENT)
    (tmp_path / HALL / "hls/stream.m3u8").write_text("#EXTM3U\n0.ts\n")
    (tmp_path / HALL / "hls/0.ts").write_bytes(SEGMENT[::-1])
    (tmp_path / HALL / "record/c.mp4").write_bytes(MOVIE[::-1])
    (tmp_path / "out/record/a.mp4").write_bytes(MOVIE)
    (tmp_path / "out/record/day/b.mp4").write_bytes(MOVIE[:1000])
    (tmp_path / "out/record/empty.mp4").write_bytes(b"")
    for secret in ["secret.mp4", "out/secret.mp4", "out/record-private/secret.mp4", "out/record/.hidden.mp4",
                   "out/record/notes.txt", "state/secret.jpg", "state/hall/secret.mp4", HALL + "/secret.mp4"]:
        (tmp_path / secret).write_bytes(SECRET)
    (tmp_path / "out/record/link.mp4").symlink_to(tmp_path / "secret.mp4")
    (tmp_path / "out/record/inner.mp4").symlink_to("a.mp4")
    (tmp_path / "out/record/linked").symlink_to(tmp_path / "out")
    os.mkfifo(tmp_path / "out/record/pipe.mp4")
    (tmp_path / "out/record/folder.mp4").mkdir()
    return tmp_path


def settings(home, **more):
    return {"OUTPUT_DIR": str(home / "out"), "RUNTIME_DIRECTORY": str(home / "run"), **more}


@pytest.fixture
def web(home):
    with Web(home / "state", home, **settings(home, WEB_IMAGES="true")) as running:
        yield running


def basic(password, user="anybody"):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


# Who


@pytest.mark.parametrize("switch", [{}, {"WEB_IMAGES": "false"}, {"WEB_TOKEN": TOKEN}, {"WEB_IMAGES": ""}])
def test_nothing_is_shown_unless_switched_on(home, switch):
    with Web(home / "state", home, **settings(home, **switch)) as web:
        for route in ROUTES:
            answer = web.get(route, Authorization=f"Bearer {TOKEN}")
            assert answer.status == 404 and b"WEB_IMAGES" in answer.body, route
            assert not any(piece in answer.body for piece in (b"\xff\xd8", b"PICTURE", b"SEGMENT", MOVIE[:20], b"0.ts"))
        page = web.get("/").text
        assert "latest" not in page and "/live/" not in page and "/recordings/" not in page


def test_what_is_shown(web):
    assert web.get("/latest.jpg").body == JPEG
    assert web.get("/latest.jpg").headers["Content-Type"] == "image/jpeg"
    assert web.get("/latest/yard.jpg").body == JPEG[::-1]
    assert web.get("/latest/attic.jpg").status == 404
    assert web.get("/live/hls/stream.m3u8").headers["Content-Type"] == "application/vnd.apple.mpegurl"
    assert web.get("/live/hls/0.ts").body == SEGMENT
    assert web.get("/recordings/a.mp4").body == MOVIE
    assert web.get("/recordings/day/b.mp4").body == MOVIE[:1000]
    assert web.get("/recordings/empty.mp4").body == b""
    assert web.get("/recordings").headers["Location"] == "recordings/"
    listed = re.findall(r'href="([^"]+\.mp4)"', web.get("/recordings/").text)
    assert sorted(listed) == ["a.mp4", "day/b.mp4", "empty.mp4", "hall/c.mp4"]
    assert '<img src="latest.jpg?' in web.get("/").text


def test_each_camera_has_a_live_view_of_its_own(home, web):
    assert web.get("/live/hall").headers["Location"] == "hall/"
    assert web.get("/live/hall/hls/0.ts").body == SEGMENT[::-1]
    assert web.get("/recordings/hall/c.mp4").body == MOVIE[::-1]
    own, other = web.get("/live/").text, web.get("/live/hall/").text
    assert 'href="../live/hls/stream.m3u8"' in own and 'href="../../live/hall/hls/stream.m3u8"' in other
    assert 'href="../live/" aria-current="page">yard<' in own and 'href="../../live/hall/" aria-current="page">hall<' in other
    assert 'href="../live/hall/">hall<' in own and 'href="../../live/">yard<' in other
    assert web.get("/live/attic/").status == web.get("/live/attic/hls/stream.m3u8").status == 404
    # If the unnamed camera has no stream, the instance's is shown, and a single one needs no choice.
    (home / "out/hls/stream.m3u8").unlink()
    time.sleep(0.3)  # A page is kept for a moment.
    first = web.get("/live/").text
    assert 'href="../live/hall/hls/stream.m3u8"' in first and 'aria-label="Cameras"' not in first


def test_the_newest_picture_counts(home, web):
    (home / "run/new").write_bytes(JPEG * 2)
    (home / "run/new").rename(home / "run/latest.jpg")
    assert web.get("/latest.jpg").body == JPEG * 2


@pytest.mark.parametrize("authorization", [
    None, "", "Bearer", "Bearer ", "Bearer x", f"Bearer {TOKEN[:-1]}", f"Bearer {TOKEN}x", f"Bearer {TOKEN}{TOKEN}",
    f"Token {TOKEN}", TOKEN, basic("x"), basic(""), basic(TOKEN + ":"), "Basic", "Basic ====",
    "Basic " + base64.b64encode(TOKEN.encode()).decode(), f"Bearer {TOKEN.upper()}", "Bearer \xff\xfe",
])
def test_wrong_tokens(home, authorization):
    """Also on loopback: a token that is set is asked for everywhere."""
    with Web(home / "state", home, **settings(home, WEB_IMAGES="true", WEB_TOKEN=TOKEN)) as web:
        headers = {} if authorization is None else {"Authorization": authorization}
        # Only every second route: after ten wrong tokens it refuses to look at more.
        for route in ROUTES[::2]:
            answer = web.get(route, **headers)
            assert answer.status == 401, route
            assert {value.split()[0] for value in answer.headers.get_all("WWW-Authenticate")} == {"Basic", "Bearer"}
            assert b"PICTURE" not in answer.body and b"SEGMENT" not in answer.body
        assert web.get("/health").status == 200
        # The page asks, too, and shows all but pictures to who doesn't know it.
        page = web.get("/", **headers)
        assert page.status == 401 and "Healthy" in page.text and "<img" not in page.text and page.headers["WWW-Authenticate"]


def test_the_page_shows_the_picture_to_who_knows_the_token(home):
    with Web(home / "state", home, **settings(home, WEB_IMAGES="true", WEB_TOKEN=TOKEN)) as web:
        for _ in range(3):  # Also while the other's page is kept.
            assert '<img src="latest.jpg?' in web.get("/", Authorization=basic(TOKEN)).text
            assert "<img" not in web.get("/").text and web.get("/").status == 401
        for _ in range(12):
            web.get("/", Authorization=basic("wrong"))
        assert web.get("/", Authorization=basic("wrong")).status == 429 and web.get("/health").status == 200


def test_an_old_picture_is_greyed_and_has_its_time(home):
    os.utime(home / "run/latest.jpg", (time.time() - 1500,) * 2)
    with Web(home / "state", home, **settings(home, WEB_IMAGES="true", TZ="Here-3:30")) as web:
        page = web.get("/").text
        assert re.search(r'<img [^>]*class="old"', page) and "<strong>25 min ago</strong>" in page
        assert re.search(r"\d\d\d\d-\d\d-\d\d \d\d:\d\d:\d\d Here</time>", page) and "UTC" not in page
        (home / "run/latest.jpg").touch()
        time.sleep(0.3)
        page = web.get("/").text
        assert 'class="old"' not in page and re.search(r"Here</time> · \d s ago", page)


def test_the_menu_has_only_pages_that_a_relay_fills(home, web):
    """The menu has only pages that a relay fills; the end of the status page links the others."""
    menu = lambda at="/": re.search(r"<nav aria-label=\"Pages\">.*?</nav>|$", web.get(at).text)[0]
    assert menu() == "" and 'href="live/">live video<' in web.get("/").text
    assert "Recordings" not in menu("/live/") and "Recordings" in menu("/recordings/")
    for modes, shown in ((["hls"], {"Live"}), (["record", "republish"], {"Recordings"}), (["hls", "record"], {"Live", "Recordings"})):
        write_relay(home / "state", modes=modes)
        time.sleep(0.3)
        assert {word for word in ("Live", "Recordings") if f">{word}<" in menu()} == shown


@pytest.mark.parametrize("name, unit", [("", "snapshot-relay"), ("yard", "snapshot-relay@yard")])
def test_live_without_a_relay_shows_the_picture_and_how_to_start_one(home, name, unit):
    (home / "out/hls/stream.m3u8").unlink()
    (home / HALL / "hls/stream.m3u8").unlink()
    write_ring(home / "state/yard", [record(1)])
    with Web(home / "state", home, **settings(home, WEB_IMAGES="true")) as web:
        path = f"/live/{name}/" if name else "/live/"
        page = web.get(path).text
        picture = re.search(r'<img src="([^"?]+)', page)[1]
        assert web.get(urljoin(path, picture)).body == (JPEG[::-1] if name else JPEG)
        choice = re.search(r'<nav class="choice".*?</nav>', page)[0]
        ways = [urljoin(path, one) for one in re.findall(r'href="([^"]+)"', choice)]
        assert ways == ["/live/", "/live/yard/"] and all(web.get(way).status == 200 for way in ways)
        assert f"systemctl enable --now {unit}<" in page and f"/etc/snapshot/{name or 'snapshot'}.env" in page and "<video" not in page
        # With a relay that is to make one there is a player, which waits.
        write_relay(home / "state" / name, modes=["hls"])
        time.sleep(0.3)
        assert "<video" in web.get(path).text


def test_right_tokens(home):
    with Web(home / "state", home, **settings(home, WEB_IMAGES="yes", WEB_TOKEN=TOKEN)) as web:
        users = [basic(TOKEN), basic(TOKEN, user=""), basic(TOKEN, user="ü")]
        for given in [f"Bearer {TOKEN}", f"bearer {TOKEN}", *users]:
            assert web.get("/latest.jpg", Authorization=given).body == JPEG


def test_a_token_from_a_file(home):
    (home / "token").write_text(TOKEN + "\n")
    with Web(home / "state", home, **settings(home, WEB_IMAGES="1", WEB_TOKEN_FILE=str(home / "token"))) as web:
        assert web.get("/latest.jpg").status == 401
        assert web.get("/latest.jpg", Authorization=f"Bearer {TOKEN}").body == JPEG


@pytest.mark.parametrize("address, family, token, code", [
    ("0.0.0.0", socket.AF_INET, None, b"403"), ("0.0.0.0", socket.AF_INET, TOKEN, b"200"),
    ("::", socket.AF_INET6, None, b"403"), ("::1", socket.AF_INET6, None, b"200"),
    ("127.0.0.7", socket.AF_INET, None, b"200"), ("unix", socket.AF_UNIX, None, b"200"),
])
def test_beyond_this_machine_a_token_is_a_must(home, address, family, token, code):
    if family == socket.AF_UNIX:
        listening = socket.socket(family)
        listening.bind(str(home / "web.sock"))
        listening.listen()
    else:
        listening = socket.create_server((address, 0), family=family)
    more = {"WEB_TOKEN": token} if token else {}
    process = spawn_activated(listening, home / "state", home, **settings(home, WEB_IMAGES="true", **more))
    try:
        with socket.socket(family) as client:
            client.settimeout(10)
            client.connect(listening.getsockname())
            client.sendall(f"GET /latest.jpg HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n"
                           "Connection: close\r\n\r\n".encode())
            answer = read_to_end(client)
        assert answer.startswith(b"HTTP/1.1 " + code)
        assert (JPEG in answer) == (code == b"200")
        assert code == b"200" or b"WEB_TOKEN" in answer
    finally:
        assert end(process) == 0
        listening.close()


@pytest.mark.parametrize("host, code", [
    ("127.0.0.1:8080", 200), ("localhost", 200), ("LOCALHOST:1", 200), ("[::1]:8080", 200), ("127.1.2.3", 200),
    ("evil.example", 403), ("127.0.0.1.evil.example", 403), ("localhost.evil.example:80", 403), ("127.0.0.1@evil", 403),
    ("[::2]", 200), ("", 403),
])
def test_names_that_other_sites_could_choose(web, host, code):
    """Without a token, a page from elsewhere must not read pictures by making its own name point here."""
    answer = web.get("/latest.jpg", Host=host)
    assert answer.status == code and (JPEG in answer.body) == (code == 200)


# How much


@pytest.mark.parametrize("path", [
    "/recordings/../secret.mp4", "/recordings/%2e%2e/secret.mp4", "/recordings/..%2fsecret.mp4",
    "/recordings/%2e%2e%2f%2e%2e%2fsecret.mp4", "/recordings/..%5csecret.mp4", "/recordings/....//secret.mp4",
    "/recordings/day/../../secret.mp4", "/recordings//secret.mp4", "/recordings/%2fetc%2fpasswd",
    "/recordings/a.mp4%00.jpg", "/recordings/%c0%ae%c0%ae/secret.mp4", "/recordings/%252e%252e/secret.mp4",
    "/recordings/link.mp4", "/recordings/inner.mp4", "/recordings/linked/secret.mp4", "/recordings/linked/record/a.mp4",
    "/recordings/.hidden.mp4", "/recordings/notes.txt", "/recordings/pipe.mp4", "/recordings/folder.mp4",
    "/recordings/folder.mp4/", "/recordings/a.mp4/", "/recordings/a.mp4/b.mp4", "/recordings/./a.mp4",
    "/recordings/day",
    "/recordings-private/secret.mp4", "/live/hls/../record/a.mp4", "/live/hls/%2e%2e/record/a.mp4", "/live/hls/",
    "/live/../secret.mp4", "/live/../hls/stream.m3u8", "/live/%2e%2e/hls/0.ts", "/live/%2e%2e%2fout/hls/0.ts",
    "/live/hall/hls/../secret.mp4", "/live/hall/hls/%2e%2e%2fsecret.mp4", "/live/hall/record/c.mp4",
    "/live/hall/stream_output/hls/0.ts", "/live//hls/0.ts", "/live/hall/secret.mp4", "/recordings/hall/../secret.mp4",
    "/recordings/hall/secret.mp4", "/recordings/hall//c.mp4", "/recordings/hall", "/live/.hall/hls/0.ts", "/latest/../../secret.jpg", "/latest/..%2fstate%2fsecret.jpg", "/latest/secret.jpg",
    "/latest/...jpg", "/latest/.jpg", "/" + "recordings/" * 60 + "a.mp4", "//recordings/a.mp4",
    "/recordings/" + "x" * 4000 + ".mp4", "/recordings/%", "/recordings/\xff.mp4",
])
def test_nothing_outside_is_reached(web, path):
    answer = web.raw(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode("latin-1"))
    assert re.match(rb"HTTP/1\.1 (400|404) ", answer), answer[:60]
    assert SECRET not in answer and MOVIE[:50] not in answer


@pytest.mark.parametrize("range_, code, content, body", [
    ("bytes=0-9", 206, "bytes 0-9/300000", MOVIE[:10]),
    ("bytes=299990-", 206, "bytes 299990-299999/300000", MOVIE[-10:]),
    ("bytes=-5", 206, "bytes 299995-299999/300000", MOVIE[-5:]),
    ("bytes=1000-200000", 206, "bytes 1000-200000/300000", MOVIE[1000:200001]),
    ("bytes=0-99999999999999999999999999", 206, "bytes 0-299999/300000", MOVIE),
    ("bytes=300000-", 416, "bytes */300000", None), ("bytes=-0", 416, "bytes */300000", None),
    ("bytes=99999999999999999999999999-", 416, "bytes */300000", None),
    ("bytes=5-2", 200, None, MOVIE), ("bytes=0-1,3-4", 200, None, MOVIE), ("bytes=" + "0-0," * 500, 200, None, MOVIE),
    ("chapters=1-2", 200, None, MOVIE), ("bytes=-9223372036854775809", 206, "bytes 0-299999/300000", MOVIE),
])
def test_ranges(web, range_, code, content, body):
    answer = web.get("/recordings/a.mp4", Range=range_)
    assert answer.status == code and answer.headers["Content-Range"] == content
    head = web.get("/recordings/a.mp4", "HEAD", Range=range_)
    assert head.status == code and head.body == b""
    assert head.headers["Content-Length"] == answer.headers["Content-Length"]
    if body is not None:
        assert answer.body == body and answer.headers["Accept-Ranges"] == "bytes"


def test_if_range(home, web):
    tag = web.get("/recordings/a.mp4", "HEAD").headers["ETag"]
    date = web.get("/recordings/a.mp4", "HEAD").headers["Last-Modified"]
    for validator in [tag, date]:
        assert web.get("/recordings/a.mp4", Range="bytes=0-9", If_Range=validator).status == 206
    (home / "out/record/a.mp4").write_bytes(MOVIE[::-1] + b"more")
    answer = web.get("/recordings/a.mp4", Range="bytes=0-9", If_Range=tag)
    assert answer.status == 200 and answer.body == MOVIE[::-1] + b"more"


def test_large_files_take_little_memory(home, web):
    """Eight readers ask for 60 MB each; seven stop after some bytes, one reads to the end."""
    with open(home / "out/record/big.mp4", "wb") as big:
        big.truncate(60_000_000)
    readers = [web.connect() for _ in range(8)]
    for reader in readers:
        reader.sendall(b"GET /recordings/big.mp4 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert len(reader.recv(1000)) > 0
    assert web.get("/health").status == 200
    for reader in readers[1:]:
        reader.close()
    received = 0
    while piece := readers[0].recv(1 << 20):
        received += len(piece)
    readers[0].close()
    assert received > 59_999_000
    assert memory(web.process.pid) < most_memory()


def test_a_file_that_shrinks_ends_the_connection(home, web):
    with open(home / "out/record/big.mp4", "wb") as big:
        big.truncate(100_000_000)
    with web.connect() as reader:
        reader.sendall(b"GET /recordings/big.mp4 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        reader.recv(1000)
        os.truncate(home / "out/record/big.mp4", 1000)
        assert len(read_to_end(reader)) < 100_000_000
    assert web.get("/health").status == 200


def test_requests_behind_a_file_are_answered(web):
    answer = web.raw(b"GET /recordings/a.mp4 HTTP/1.1\r\nHost: localhost\r\n\r\n"
                     b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert MOVIE in answer and answer.endswith(b"\r\n\r\nok\n")


def test_names_of_files_are_text(home, web):
    name = "<img src=x onerror=alert(1)>&\"' %41?#é\u202e.mp4"
    (home / "out/record" / name).write_bytes(MOVIE)
    page = web.get("/recordings/").text
    assert "<img" not in page and "\u202e" not in page
    links = re.findall(r'href="([^"/.][^"]*\.mp4)"', page)
    assert sum(web.get("/recordings/" + link).body == MOVIE for link in links) == 2

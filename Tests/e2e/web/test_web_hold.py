"""snapshot-web among clients that mean harm: none holds up another's /livez, guesses the token, or reads by a name of its own."""

import base64
import os
import socket
import subprocess
import time

import pytest
from process import wait_until
from web import Client, Web, binary, environment, read_to_end, record, sockets, spawn_activated, state, web, write_ring  # noqa: F401

pytestmark = pytest.mark.tsan

TOKEN = "sixteen-bytes-ok"
JPEG = b"\xff\xd8\xff\xe0PICTURE\xff\xd9"
PAGE = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


def livez_seconds(web):
    began = time.monotonic()
    assert web.get("/livez").status == 200
    return time.monotonic() - began


def processor_seconds(web):
    with open(f"/proc/{web.process.pid}/stat") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def descriptors(web):
    return len(os.listdir(f"/proc/{web.process.pid}/fd"))


# Work for one client


@pytest.mark.timing
@pytest.mark.parametrize("clients, requests, path", [(20, 1000, "/"), (3, 9000, "/"), (60, 300, "/metrics"), (5, 5000, "/livez")])
@pytest.mark.parametrize("reads", [False, True], ids=["deaf", "reading"])
def test_a_flood_of_requests_holds_up_nobody(state, web, clients, requests, path, reads):
    for name in ("yard", "hall", "attic"):
        write_ring(state / name, [record(seq) for seq in range(1, 65)])
    flood = f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode() * requests
    crowd = [web.connect() for _ in range(clients)]
    try:
        for one in crowd:
            one.setblocking(False)
        left = [flood] * clients
        worst, until = 0, time.monotonic() + 3
        while time.monotonic() < until:
            for index, one in enumerate(crowd):
                try:
                    left[index] = left[index][one.send(left[index][:65536]):]
                    while reads and one.recv(1 << 20):
                        pass
                except OSError:
                    pass
            worst = max(worst, livez_seconds(web))
        assert worst < 1
    finally:
        for one in crowd:
            one.close()


def test_a_page_is_made_a_few_times_a_second_at_most(state, web):
    write_ring(state, [record(1)])
    bodies = {web.get("/").body for _ in range(5)}
    assert len(bodies) < 5
    wait_until(lambda: web.get("/").body not in bodies, 5, "page made anew")


@pytest.fixture
def films(tmp_path, state):
    """A server with a recording of 50 MB."""
    write_ring(state, [record(1)])
    (tmp_path / "out/record").mkdir(parents=True)
    with open(tmp_path / "out/record/film.mp4", "wb") as film:
        film.truncate(50_000_000)
    with Web(state, tmp_path, WEB_IMAGES="true", OUTPUT_DIR=str(tmp_path / "out")) as running:
        yield running


FILM = b"GET /recordings/film.mp4 HTTP/1.1\r\nHost: localhost\r\n\r\n"


def rests(web):
    """Whether the loop has nothing to do, once what it may send is sent."""
    before = processor_seconds(web)
    time.sleep(0.5)
    return processor_seconds(web) - before < 0.1


@pytest.mark.timing
def test_readers_that_take_nothing_give_way(films):
    deaf = [films.connect() for _ in range(100)]
    for one in deaf:
        one.sendall(FILM)
    statuses = [one.recv(12) for one in deaf]
    assert statuses.count(b"HTTP/1.1 200") == 64 and statuses.count(b"HTTP/1.1 503") == 36
    assert livez_seconds(films) < 1 and descriptors(films) < 64 * 2 + 36 + 40
    wait_until(lambda: rests(films), 4, "an end of the spinning")
    # A new reader is given the place of one that has taken nothing for 5 s.
    wait_until(lambda: films.get("/recordings/film.mp4", Range="bytes=0-9").status == 206, 8, "a place")
    for one in deaf:
        one.close()
    wait_until(lambda: sockets(films.process.pid) == 1, 5, "all gone")


@pytest.mark.timing
@pytest.mark.parametrize("limit", [48, 64, 128])
def test_few_descriptors_are_enough_for_those_who_ask(state, tmp_path, limit):
    write_ring(state, [record(1)])
    with Web(state, tmp_path, prefix=["prlimit", f"--nofile={limit}:{limit}"]) as web:
        crowd = [web.connect() for _ in range(300)]
        for one in crowd[::3]:
            one.sendall(PAGE)
        for _ in range(5):
            assert livez_seconds(web) < 1 and web.get("/health").status == 200
        wait_until(lambda: rests(web), 4, "an end of the spinning")
        assert descriptors(web) <= limit
        for one in crowd:
            one.close()
        assert livez_seconds(web) < 1


@pytest.mark.timing
def test_a_process_without_descriptors_pauses(state, tmp_path):
    """With fewer descriptors than it plans for, accept fails, and the server pauses after each failure."""
    with Web(state, tmp_path, prefix=["prlimit", "--nofile=15:15"]) as web:
        crowd = [web.connect() for _ in range(40)]
        before = processor_seconds(web)
        time.sleep(1.5)
        assert processor_seconds(web) - before < 0.4, "the loop spins"
        for one in crowd:
            one.close()
        wait_until(lambda: answers(web), 10, "an answer")


def answers(web):
    try:
        return web.get("/livez").status == 200
    except OSError:
        return False


# The token


@pytest.mark.parametrize("token", ["x", "fifteen-bytes-x", "ü" * 7, "  spaces  "])
def test_a_short_token_is_refused_by_hand(state, tmp_path, token):
    (tmp_path / "token").write_text(token)
    done = subprocess.run(
        [binary()], cwd=tmp_path, env=environment(state, WEB_TOKEN_FILE=str(tmp_path / "token")), capture_output=True,
        text=True, timeout=10)
    assert done.returncode == 78 and "refused WEB_TOKEN=(secret): must have at least 16 bytes" in done.stderr
    assert "hint: " in done.stderr and (len(token) < 4 or token not in done.stderr)


@pytest.mark.parametrize("settings, told", [
    ("WEB_IMAGES=true\nWEB_TOKEN=short\n", "WEB_TOKEN"), ("WEB_IMAGES=perhaps\n", "WEB_IMAGES"), ("WEB_IMAGES\n", "web.env:1"),
    ("; a comment that systemd knows\nWEB_IMAGES=true\n", "web.env:1"),
])
def test_under_a_socket_wrong_settings_cost_the_pictures_alone(state, tmp_path, settings, told):
    write_ring(state, [record(1)])
    (tmp_path / "run").mkdir()
    (tmp_path / "run/latest.jpg").write_bytes(JPEG)
    (tmp_path / "web.env").write_text(settings)
    listening = socket.create_server(("127.0.0.1", 0))
    process = spawn_activated(
        listening, state, tmp_path, "--config", "web.env", RUNTIME_DIRECTORY=str(tmp_path / "run"))
    web = Client(listening.getsockname()[1])
    try:
        assert web.get("/health").status == 200
        refused = web.get("/latest.jpg", Authorization="Bearer short")
        assert refused.status == 403 and told in refused.text and JPEG not in refused.body
        page = web.get("/").text
        assert "Pictures are not shown." in page and told in page and "latest.jpg" not in page
    finally:
        process.terminate()
        errors = process.communicate(timeout=10)[1].decode()
        listening.close()
    assert process.returncode == 0 and "snapshot-web: error: " in errors and told in errors and "short" not in errors


@pytest.mark.timing
def test_wrong_tokens_are_slowed_and_hold_up_nothing_else(state, tmp_path):
    write_ring(state, [record(1)])
    (tmp_path / "run").mkdir()
    (tmp_path / "run/latest.jpg").write_bytes(JPEG)
    with Web(state, tmp_path, WEB_IMAGES="true", WEB_TOKEN=TOKEN, RUNTIME_DIRECTORY=str(tmp_path / "run")) as web:
        answered, until = 0, time.monotonic() + 2
        while time.monotonic() < until:
            guess = base64.b64encode(os.urandom(12)).decode()
            answer = web.get("/latest.jpg", Authorization=f"Bearer {guess}")
            answered += answer.status == 401
            assert answer.status in (401, 429)
        assert 10 <= answered <= 11
        # The right one isn't looked at either, or a guesser would soon know it; and nobody else notices.
        turned_away = web.get("/latest.jpg", Authorization=f"Bearer {TOKEN}")
        assert turned_away.status == 429 and int(turned_away.headers["Retry-After"]) < 10
        assert web.get("/health").status == 200 and livez_seconds(web) < 0.5
        assert web.get("/latest.jpg").status == 401
        wait_until(lambda: web.get("/latest.jpg", Authorization=f"Bearer {TOKEN}").body == JPEG, 10, "another try")


# Names and ways


def asked(web, *fields, target="/health", version="1.1"):
    lines = "".join(f"{field}\r\n" for field in fields)
    answer = web.raw(f"GET {target} HTTP/{version}\r\n{lines}Connection: close\r\n\r\n".encode())
    return int(answer.split()[1])


HOST = socket.gethostname()
OWN = ["127.0.0.1", "127.0.0.1:8080", "localhost", "LocalHost:1", "localhost.", "localhost.:80", "[::1]", "[::1]:8080",
       "[2001:db8::7]:80", "192.168.1.5:8080", "10.0.0.1", "[::ffff:127.0.0.1]", HOST, HOST.upper() + ":8080", HOST + "."]
OTHERS = ["evil.example", "evil.example:8080", "127.0.0.1.evil.example", "localhost.evil.example", "notlocalhost",
          "127.0.0.1@evil.example", "evil.example#localhost", "localhost:x", "[::1", "[::1]x", "[evil.example]", "..", ".",
          "localhost..", "0x7f.1", HOST + ".evil.example", ""]


@pytest.mark.parametrize("target", ["/", "/health", "/livez", "/metrics", "/nothing"])
def test_a_foreign_name_reads_nothing(web, target):
    for name in OWN:
        assert asked(web, f"Host: {name}", target=target) != 403, name
    for name in OTHERS:
        assert asked(web, f"Host: {name}", target=target) == 403, name


def test_every_place_of_a_name_counts(web):
    assert asked(web, version="1.0") == 503, "no name at all"
    assert asked(web, "Host: localhost", target="http://127.0.0.1:1/health") == 503
    assert asked(web, "Host: localhost", target="http://evil.example/health") == 403
    assert asked(web, "Host: evil.example", target="http://localhost/health") == 403
    assert asked(web, "Host: localhost", target="HTTP://evil.example:80/health") == 403
    assert asked(web, "Host: localhost", "Host: evil.example") == 400
    assert asked(web, "Host: localhost", "Host: localhost") == 400


def test_with_a_token_every_name_reads_health(state, tmp_path):
    write_ring(state, [record(1)])
    with Web(state, tmp_path, WEB_IMAGES="true", WEB_TOKEN=TOKEN) as web:
        for target in ("/health", "/livez", "/metrics"):
            assert asked(web, "Host: cameras.example", target=target) == 200
        for target in ("/", "/latest.jpg"):
            assert asked(web, "Host: cameras.example", target=target) == 401


@pytest.mark.parametrize("field", [
    "X-Forwarded-For: 203.0.113.9", "x-forwarded-for: 127.0.0.1", "Forwarded: for=203.0.113.9", "Via: 1.1 proxy",
    "X-Forwarded-Proto: https", "X-Real-IP: 203.0.113.9",
])
def test_a_proxy_on_this_machine_opens_no_picture(state, tmp_path, field):
    write_ring(state, [record(1)])
    (tmp_path / "run").mkdir()
    (tmp_path / "run/latest.jpg").write_bytes(JPEG)
    with Web(state, tmp_path, WEB_IMAGES="true", RUNTIME_DIRECTORY=str(tmp_path / "run")) as web:
        for target, status in (("/latest.jpg", 200), ("/live/", 200), ("/recordings/", 200)):
            assert asked(web, "Host: localhost", target=target) == status, target
            assert asked(web, "Host: localhost", field, target=target) == 403
        assert asked(web, "Host: localhost", field) == 200
        page = web.raw(f"GET / HTTP/1.1\r\nHost: localhost\r\n{field}\r\nConnection: close\r\n\r\n".encode())
        assert b"latest.jpg" not in page and b'live/"' not in page


# Files


def test_what_may_not_be_read_is_said(state, tmp_path):
    write_ring(state, [record(1)])
    for name in ("run/latest.jpg", "out/hls/stream.m3u8", "out/record/a.mp4"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(JPEG)
        (tmp_path / name).chmod(0o600)
        os.chown(tmp_path / name, 12345, 12345)
    (tmp_path / "out/record").chmod(0o700)
    os.chown(tmp_path / "out/record", 12345, 12345)
    rights = "-dac_override,-dac_read_search"
    plain = ["setpriv", f"--bounding-set={rights}", f"--inh-caps={rights}"]
    with Web(state, tmp_path, prefix=plain, WEB_IMAGES="true", RUNTIME_DIRECTORY=str(tmp_path / "run"),
             OUTPUT_DIR=str(tmp_path / "out")) as web:
        for path in ("/latest.jpg", "/live/hls/stream.m3u8", "/recordings/a.mp4"):
            answer = web.get(path)
            assert answer.status == 503 and "WEB_IMAGES=true" in answer.text, path
        for path in ("/", "/live/", "/recordings/"):
            assert "cannot be read" in web.get(path).text and "WEB_IMAGES=true" in web.get(path).text, path


def test_only_the_settings_that_are_named_are_obeyed(state, tmp_path):
    write_ring(state, [record(1)])
    (tmp_path / ".env").write_text("WEB_IMAGES=true\nSTATE_PATH=/nowhere\n")
    (tmp_path / "web.env").write_text("\n")
    with Web(state, tmp_path, arguments=["--config", str(tmp_path / "web.env")]) as web:
        assert web.get("/health").status == 200 and "not switched on" in web.get("/latest.jpg").text

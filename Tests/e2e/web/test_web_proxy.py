"""Behind a proxy, below a path and with the proxy's own login; in other sites' frames; and 304 for what hasn't changed."""
import base64
import re
import socket
import subprocess
from urllib.parse import urljoin

import pytest
from browser import browser, console_errors, look  # noqa: F401
from proxies import PASSWORD, PROXIES, Nginx
from web import Web, end, environment, binary, record, write_relay, write_ring

pytestmark = pytest.mark.tsan

JPEG = b"\xff\xd8\xff\xe0PICTURE\xff\xd9"
TOKEN = "a-long-enough-token"


@pytest.fixture
def home(tmp_path):
    write_ring(tmp_path / "state", [record(1)])
    write_relay(tmp_path / "state")
    for folder in ["run/yard", "out/hls", "out/record", "state/hall/stream_output/hls"]:
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "run/latest.jpg").write_bytes(JPEG)
    for folder in ["out", "state/hall/stream_output"]:
        (tmp_path / folder / "hls/stream.m3u8").write_text("#EXTM3U\n0.ts\n")
        (tmp_path / folder / "hls/0.ts").write_bytes(b"segment")
    (tmp_path / "out/record/20260121T103045Z.mp4").write_bytes(b"movie")
    return tmp_path


def web(home, **more):
    return Web(home / "state", home, OUTPUT_DIR=str(home / "out"), RUNTIME_DIRECTORY=str(home / "run"), WEB_IMAGES="true", **more)


def basic(password, user="anna"):
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


@pytest.mark.parametrize("kind", PROXIES)
def test_every_way_leads_on_below_a_path(home, tmp_path, kind):
    """All links, pictures and redirects that the pages have are followed, as a crawler would."""
    with web(home, WEB_TOKEN=TOKEN) as front, kind(tmp_path, front.url) as proxy:
        login, seen, todo = basic(TOKEN), {}, ["/cam/", "/cam/live", "/cam/live/hall", "/cam/recordings"]
        while todo:
            path = todo.pop()
            if path in seen:
                continue
            answer = proxy.get(path, **login)
            seen[path] = answer.status
            if answer.status in (301, 308):
                todo.append(urljoin(path, answer.headers["Location"]))
            elif answer.headers.get("Content-Type", "").startswith("text/html"):
                body = re.sub(r"<script.*?</script>", "", answer.text, flags=re.S)
                found = re.findall(r'(?:href|src)="([^"#][^"]*)"', body)
                todo += [urljoin(path, one).split("?")[0] for one in found if not one.startswith("data:")]
            elif path.endswith(".m3u8"):
                todo.append(urljoin(path, "0.ts"))
        assert all(path.startswith("/cam/") for path in seen), seen
        assert {p for p, status in seen.items() if status == 200} >= {
            "/cam/", "/cam/health", "/cam/metrics", "/cam/live/", "/cam/live/hall/", "/cam/live/hls/0.ts", "/cam/live/hall/hls/0.ts",
            "/cam/latest.jpg", "/cam/recordings/", "/cam/recordings/20260121T103045Z.mp4"}, seen
        assert set(seen.values()) <= {200, 308, 301}, seen


@pytest.mark.parametrize("kind", PROXIES)
def test_a_browser_below_a_path(home, tmp_path, browser, kind):
    with web(home, WEB_TRUST_PROXY="127.0.0.1") as front, kind(tmp_path, front.url, login=True) as proxy:
        look(browser)
        browser.get(f"http://anna:{PASSWORD}@127.0.0.1:{proxy.port}/cam/")
        assert console_errors(browser) == []
        assert browser.execute_script("return document.querySelector('img').src.includes('/cam/latest.jpg')")
        browser.find_element("link text", "Recordings").click()
        assert browser.current_url.endswith("/cam/recordings/")
        browser.find_element("link text", "Status").click()
        assert browser.current_url.endswith("/cam/")
        browser.get("about:blank")


@pytest.mark.parametrize("kind", PROXIES)
@pytest.mark.parametrize("trusts, login, sees", [
    ("", True, False), ("127.0.0.1", True, True), ("127.0.0.0/8, 10.1.2.3", True, True), ("10.0.0.0/8", True, False),
    ("::1,unix", True, False), ("127.0.0.1", False, False)])
def test_a_login_of_the_proxys(home, tmp_path, kind, trusts, login, sees):
    """It counts only from the addresses in WEB_TRUST_PROXY, and only if the proxy asked for a login."""
    with web(home, WEB_TRUST_PROXY=trusts) as front, kind(tmp_path, front.url, login=login) as proxy:
        given = basic(PASSWORD) if login else {}
        if login:
            assert proxy.get("/cam/latest.jpg").status == 401
        assert (proxy.get("/cam/latest.jpg", **given).status == 200) == sees
        assert ("latest.jpg" in proxy.get("/cam/", **given).text) == sees
        assert proxy.get("/cam/latest.jpg", X_Forwarded_User="root", Remote_User="root", **given).status == (200 if sees else 403)
        assert proxy.get("/cam/health", **given).status == 200


@pytest.mark.parametrize("kind", PROXIES)
def test_a_login_of_the_proxys_takes_the_place_of_the_token(home, tmp_path, kind):
    with web(home, WEB_TRUST_PROXY="127.0.0.1", WEB_TOKEN=TOKEN) as front:
        with kind(tmp_path, front.url, login=True) as proxy:
            assert proxy.get("/cam/latest.jpg", **basic(PASSWORD)).status == 200
        with kind(tmp_path, front.url) as proxy:
            assert proxy.get("/cam/latest.jpg").status == 401
            assert proxy.get("/cam/latest.jpg", **basic(TOKEN)).status == 200
        # Who comes without the proxy is believed nothing.
        assert front.get("/latest.jpg").status == 401 and front.get("/latest.jpg", X_Forwarded_User="").status == 401


@pytest.mark.parametrize("user, sees", [("anna", 200), ("", 403), ("-", 403), ("{http.auth.user.id}", 403), ("a-b", 200)])
def test_what_is_no_user(home, user, sees):
    """A proxy that has asked for no login sends an empty user or a placeholder, which gives no access."""
    with web(home, WEB_TRUST_PROXY="127.0.0.1") as front:
        for field in ("X_Forwarded_User", "Remote_User"):
            assert front.get("/latest.jpg", X_Forwarded_For="203.0.113.7", **{field: user}).status == sees


def test_a_proxy_by_another_name(home, tmp_path):
    for trusts, status in (("", 403), ("127.0.0.1", 200)):
        with web(home, WEB_TRUST_PROXY=trusts) as front, Nginx(tmp_path, front.url) as proxy:
            assert proxy.get("/cam/health", Host="cameras.example").status == status
            assert front.get("/health", Host="cameras.example").status == 403


def test_wrong_tokens_are_counted_by_client(home, tmp_path):
    """One client's guesses don't keep out others that come by the same proxy."""
    with web(home, WEB_TRUST_PROXY="127.0.0.1", WEB_TOKEN=TOKEN) as front:
        for _ in range(40):
            status = front.get("/latest.jpg", X_Forwarded_For="203.0.113.7", **basic("wrong")).status
        assert status == 429
        assert front.get("/latest.jpg", X_Forwarded_For="203.0.113.8", **basic(TOKEN)).status == 200


@pytest.mark.parametrize("key, value", [
    ("WEB_TRUST_PROXY", "proxy.example"), ("WEB_TRUST_PROXY", "10.0.0.0/33"), ("WEB_EMBED_ORIGINS", "home.example"),
    ("WEB_EMBED_ORIGINS", "https://a.example/path"), ("WEB_EMBED_ORIGINS", "*"), ("WEB_EMBED_ORIGINS", "https://*.example"),
    ("HEALTH_CHECK_ADDRESS", "localhost"), ("HEALTH_CHECK_ADDRESS", "1.2.3")])
def test_settings_that_are_no_addresses(home, key, value):
    run = subprocess.run([binary()], cwd=home, env=environment(home / "state", **{key: value}), capture_output=True, text=True, timeout=10)
    assert run.returncode == 78 and key in run.stderr, run.stderr


def test_other_sites_frame_only_what_they_may(home, tmp_path, browser):
    """A dashboard on another port shows the page in a frame and the picture beside it; a stranger gets neither."""
    from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
    import threading
    (tmp_path / "site").mkdir()
    real = subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc=size=320x240", "-frames:v", "1", "-f", "mjpeg", "-"],
                          capture_output=True, check=True).stdout
    (home / "run/latest.jpg").write_bytes(real)
    for allowed in (True, False):
        site = ThreadingHTTPServer(("127.0.0.1", 0), lambda *a: SimpleHTTPRequestHandler(*a, directory=tmp_path / "site"))
        threading.Thread(target=site.serve_forever, daemon=True).start()
        origin = f"http://127.0.0.1:{site.server_port}"
        with web(home, WEB_EMBED_ORIGINS=f"https://home.example:8123 {origin}" if allowed else "https://home.example") as front:
            other = front.url.replace("127.0.0.1", "localhost")
            (tmp_path / "site/index.html").write_text(f"<iframe src='{other}/'></iframe><img src='{other}/latest.jpg'>")
            look(browser)
            browser.get(origin + "/")
            shown = browser.execute_script("return document.querySelector('img').naturalWidth")
            assert (shown == 320) == allowed
            browser.switch_to.frame(browser.find_element("tag name", "iframe"))
            assert bool(browser.find_elements("tag name", "main")) == allowed
            browser.switch_to.default_content()
            browser.get("about:blank")
            answer = front.get("/latest.jpg", Origin=origin)
            assert (answer.headers.get("Access-Control-Allow-Origin") == origin) == allowed
            assert "Access-Control-Allow-Origin" not in front.get("/latest.jpg", Origin=origin + "0").headers
        site.shutdown()
        site.server_close()


@pytest.mark.parametrize("path", ["/latest.jpg", "/live/hls/0.ts", "/live/hls/stream.m3u8", "/recordings/20260121T103045Z.mp4"])
def test_what_has_not_changed_is_not_sent_again(home, path):
    with web(home) as front:
        first = front.get(path)
        tag, changed = first.headers["ETag"], first.headers["Last-Modified"]
        assert first.headers["Cache-Control"] == "private, no-cache"
        for known in ({"If_None_Match": tag}, {"If_None_Match": f'"x", W/{tag}'}, {"If_None_Match": "*"}, {"If_Modified_Since": changed}):
            answer = front.get(path, **known)
            assert (answer.status, answer.body) == (304, b"") and answer.headers["ETag"] == tag and "Content-Length" not in answer.headers
        for known in ({"If_None_Match": '"x"'}, {"If_None_Match": '"x"', "If_Modified_Since": changed},
                      {"If_Modified_Since": "Sat, 01 Jan 2000 00:00:00 GMT"}):
            assert front.get(path, **known).body == first.body
        # The judge is curl, which keeps the tag by itself.
        for expected in ("200", "304"):
            run = subprocess.run(["curl", "-s", "-o", home / "copy", "-w", "%{http_code}", "--etag-save", home / "tag", "--etag-compare",
                                  home / "tag", front.url + path], capture_output=True, text=True, check=True)
            assert run.stdout == expected


@pytest.mark.parametrize("address, shown", [("127.0.0.2", "127.0.0.2"), ("::1", "[::1]"), ("[::1]", "[::1]"), ("0.0.0.0", "0.0.0.0")])
def test_another_address_by_hand(home, address, shown):
    process = subprocess.Popen([binary()], cwd=home, env=environment(home / "state", HEALTH_CHECK_PORT="0", HEALTH_CHECK_ADDRESS=address),
                               stderr=subprocess.PIPE, text=True)
    try:
        line = process.stderr.readline()
        found = re.search(r"listening on (http://(.+):(\d+)/)", line)
        assert found and found[2] == shown, line
        reach = found[1].replace("0.0.0.0", "127.0.0.3")
        run = subprocess.run(["curl", "-s", "-g", "-o", "/dev/null", "-w", "%{http_code}", reach + "health"], capture_output=True, text=True)
        assert run.stdout == "200"
    finally:
        assert end(process) == 0


def test_a_taken_port_and_an_address_that_is_not_here(home):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        for more, words in (({"HEALTH_CHECK_PORT": str(taken.getsockname()[1])}, "HEALTH_CHECK_PORT"),
                            ({"HEALTH_CHECK_ADDRESS": "192.0.2.1"}, "HEALTH_CHECK_ADDRESS")):
            run = subprocess.run([binary()], cwd=home, env=environment(home / "state", **more), capture_output=True, text=True, timeout=10)
            assert run.returncode == 71 and words in run.stderr.split("hint: ")[1], run.stderr

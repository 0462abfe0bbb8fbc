"""The status page in a real browser: eight states, phone and desktop, light and dark."""

import os
import re
import shutil
import subprocess
import time

import pytest
from browser import SIZES, barriers, browser, console_errors, healthy, look, photograph, shots, texts  # noqa: F401
from process import wait_until
from web import Web, moment, record, write_relay, write_ring

pytestmark = pytest.mark.tsan


def degraded(state):
    def changes(seq):
        if seq < 40:
            return {}
        outcome = {"result": "spooled", "code": "store-timeout", "bytes": 412345, "camera_ms": 480 + seq,
                   "store_ms": 900}
        return {"outcome": outcome, "consecutive_failures": seq - 39, "last_upload": moment(253),
                "last_error": {"code": "store-timeout", "moment": moment(3)},
                "spool": {"count": seq - 39, "bytes": 412345 * (seq - 39), "oldest": moment(243), "dropped": 0}}

    write_ring(state, shots(changes))


def unhealthy(state):
    def changes(seq):
        outcome = {"result": "capture_failed", "code": "camera-credentials"}
        return {"outcome": outcome, "consecutive_failures": seq - 50, "last_capture": moment(160),
                "last_upload": moment(160), "last_error": {"code": "camera-credentials", "moment": moment(3)},
                "latches": {"camera": {"since": moment(90), "delay_seconds": 600, "settings": "00"}},
                } if seq > 50 else {}

    write_ring(state, shots(changes))


def never(state):
    state.mkdir(parents=True, exist_ok=True)


def relay(state):
    """Captures and the relay's uploads have temporary keys."""
    write_ring(state, shots(lambda _: {"lease": {"end": "2031-02-03T04:05:06Z"}}))
    write_relay(state, credentials={"end": "2032-02-03T04:05:06Z", "trouble": "the vault <is> sealed"})


def several(state):
    healthy(state / "garden")
    degraded(state / "hall")
    unhealthy(state / "yard")
    write_relay(state / "garden")


def outage(state):
    """The camera is unreachable, and the code is one that has a remedy."""
    def changes(seq):
        error = {"code": "camera-unreachable", "moment": moment(3), "since": moment(10 * (65 - 50)), "why": "No route to host"}
        common = {"goes_to": "s3://garden-pictures at s3.eu-central-1.amazonaws.com", "days": {"last": 20480, "shares": [9990] * 29 + [9300]}}
        if seq <= 50:
            return common
        return {**common, "outcome": {"result": "capture_failed", "code": "camera-unreachable", "camera_ms": 5000}, "consecutive_failures": seq - 50,
                "capture_failures": seq - 50, "last_capture": moment(143), "last_upload": moment(143), "last_error": error}

    write_ring(state, shots(changes))


def many(state):
    """Five cameras, four of them with a picture, one of which is old."""
    healthy(state / "garden")
    degraded(state / "hall")
    outage(state / "front door & <gate>")
    healthy(state / "barn")
    healthy(state / "a-camera-with-a-name-that-is-rather-long-and-has-no-spaces-at-all")
    write_relay(state / "garden")


def taken(folder, picture, age=3):
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(picture, folder / "latest.jpg")
    os.utime(folder / "latest.jpg", (time.time() - age,) * 2)


@pytest.fixture(scope="module")
def picture(tmp_path_factory):
    path = tmp_path_factory.mktemp("picture") / "latest.jpg"
    subprocess.run(["ffmpeg", "-nostdin", "-loglevel", "error", "-f", "lavfi", "-i", "mandelbrot=size=1280x720:start_scale=0.4", "-frames:v", "1", "-q:v", "3",
                    path], check=True)
    return path


PICTURED = {"healthy": {"": 3}, "outage": {"": 143}, "never": {}, "many": {"garden": 3, "hall": 3, "front door & <gate>": 143, "barn": 3}}


@pytest.mark.parametrize("name", PICTURED)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_with_pictures(browser, tmp_path, picture, name, size, scheme):
    """What a person sees who asks for the page on the machine itself."""
    globals()[name](tmp_path / "state")
    for camera, age in PICTURED[name].items():
        taken(tmp_path / "run" / camera, picture, age)
    with Web(tmp_path / "state", tmp_path, WEB_IMAGES="true", RUNTIME_DIRECTORY=str(tmp_path / "run")) as web:
        look(browser, size, scheme)
        browser.get(web.url + "/")
        shown = "return [...document.images].map(image => [image.naturalWidth, getComputedStyle(image).filter.includes('grayscale(1)')])"
        images = browser.execute_script(shown)
        wait_until(lambda: all(width == 1280 for width, _ in browser.execute_script(shown)), what="pictures")
        ages = list(PICTURED[name].values()) * (1 if len(PICTURED[name]) < 2 else 2)
        assert sorted(old for _, old in images) == sorted(age > 30 for age in ages)
        photograph(browser, f"page-{name}-{size}-{scheme}")
        assert console_errors(browser) == [] and barriers(browser) == []
        assert browser.execute_script("return document.documentElement.scrollWidth - innerWidth") <= 0
        main = browser.find_element("tag name", "main").text
        assert "Host" in main and not re.search(r"HTML\(|<(dl|div|p|ul|span)\b", main), "markup is shown as text"
        if name in ("outage", "many"):
            cause = texts(browser, ".cause")[0]
            assert cause.startswith("The camera hasn't answered since ") and cause.endswith("(no route to host)"), cause
            assert "Check that it is on, its address" in main and "min ago" in main
        if name == "many":
            names = [text for text in texts(browser, ".overview .gist strong") if "ago" not in text]
            assert names[:2] == ["front door & <gate>", "hall"] and len(names) == 5, names
        if name == "never":
            assert len(browser.find_elements("css selector", ".steps li .command")) == 3
        browser.get("about:blank")


STATES = {f.__name__: f for f in [degraded, unhealthy, relay, several]}
HEADINGS = {"degraded": "Degraded", "unhealthy": "Unhealthy", "relay": "Healthy", "several": "Healthy"}


@pytest.mark.parametrize("name", STATES)
def test_status_page(browser, tmp_path, name):
    with Web(tmp_path / "state", tmp_path) as web:
        for size in SIZES:
            for scheme in ["light", "dark"]:
                # Anew each time, so that no state grows old while it is looked at.
                STATES[name](tmp_path / "state")
                time.sleep(0.3)
                look(browser, size, scheme)
                browser.get(web.url + "/")
                photograph(browser, f"{name}-{size}-{scheme}")
                assert console_errors(browser) == []
                assert barriers(browser) == []
                width = browser.execute_script("return document.documentElement.scrollWidth - innerWidth")
                assert width <= 0, "the page is wider than the screen"
        text = browser.find_element("tag name", "main").text
        assert HEADINGS[name] in text
        if name == "relay":
            assert "Live" in text and re.search(r"Credentials\s+Temporary\s+until \S*2031", text), text
            assert re.search(r"temporary credentials until \S*2032.*, not renewed: the vault <is> sealed", text), text
        browser.get("about:blank")


def test_axe_would_find_something(browser, tmp_path):
    """axe finds an image without alt text, and grey on grey."""
    page = tmp_path / "bad.html"
    page.write_text("<html><title>x</title><main><img src=''><p style='color:#999;background:#aaa'>pale</p></main>")
    browser.get(page.as_uri())
    assert {"image-alt", "color-contrast", "html-has-lang"} <= {rule for rule, *_ in barriers(browser)}


HOSTILE = "<script>document.title='owned'</script><img src=x onerror=alert(1)>\"'&"


def test_hostile_strings_are_text(browser, tmp_path):
    state = tmp_path / "state"
    name = "<script>alert(1)<&\"'"
    value = record(1, camera=HOSTILE, last_error={"code": HOSTILE, "moment": moment(3)}, consecutive_failures=2)
    value["outcome"].update(code=HOSTILE, key=HOSTILE, result="spooled")
    value["written"]["at"] = value["last_capture"]["at"] = HOSTILE
    value["spool"].update(count=2, oldest={"at": HOSTILE, "up": None})
    write_ring(state, [value])
    write_ring(state / name.replace("/", ""), [record(1, camera=HOSTILE)])
    write_relay(state, state=HOSTILE, modes=[HOSTILE, "\u202Ehls"], last_error=HOSTILE)
    with Web(state, tmp_path) as web:
        look(browser)
        browser.get(web.url + "/")
        assert browser.title == "Cameras: unhealthy" or browser.title == "Cameras: degraded"
        assert browser.execute_script("return document.scripts.length") == 1
        assert browser.execute_script("return document.querySelectorAll('main img, main script').length") == 0
        assert "<script>document.title='owned'</script>" in browser.find_element("tag name", "main").text
        assert console_errors(browser) == []
        page = web.get("/").text
        assert "<script>document" not in page and "\u202E" not in page
        browser.get("about:blank")


def test_the_page_keeps_itself_up_to_date(browser, tmp_path):
    healthy(tmp_path / "state")
    web = Web(tmp_path / "state", tmp_path)
    with web:
        look(browser)
        browser.get(web.url + "/")
        # The page is refreshed when it becomes visible.
        again = "document.dispatchEvent(new Event('visibilitychange'))"
        main = lambda: browser.find_element("tag name", "main").text
        assert "Healthy" in main()
        (tmp_path / "state/state.jsonl").unlink()
        time.sleep(0.3)
        browser.execute_script(again)
        wait_until(lambda: "No picture has been captured yet" in main(), what="new state on the page")
        news = lambda: browser.find_element("class name", "news").text
        assert "unhealthy" in news()
        assert console_errors(browser) == []
    browser.execute_script(again)
    wait_until(lambda: "No answer since" in news(), what="word of the silence")
    browser.get("about:blank")
    browser.get_log("browser")


def test_the_page_without_scripts(browser, tmp_path):
    healthy(tmp_path / "state")
    with Web(tmp_path / "state", tmp_path) as web:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
        try:
            browser.get(web.url + "/")
            assert "Healthy" in browser.page_source and "UTC</time>" in browser.page_source
            assert 'http-equiv="refresh"' in browser.page_source
        finally:
            browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
            browser.get("about:blank")

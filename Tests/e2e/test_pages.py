"""The pages in a real browser: five states, phone and desktop, light and dark, and a live view that plays."""

import base64
import random
import subprocess
import time
from pathlib import Path

import axe_core_python
import pytest
from process import wait_until
from program import ROOT
from selenium import webdriver
from web import Web, moment, record, write_relay, write_ring

SCREENSHOTS = ROOT / "out/screenshots"
AXE = (Path(axe_core_python.__file__).parent / "axe.min.js").read_text()
SIZES = {"phone": (390, 844, 1), "desktop": (1200, 900, 1)}


@pytest.fixture(scope="module")
def browser():
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for argument in ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                     "--no-proxy-server", "--hide-scrollbars", "--disable-background-networking",
                     "--disable-component-update", "--autoplay-policy=no-user-gesture-required"]:
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService("/usr/bin/chromedriver"))
    driver.set_page_load_timeout(20)
    yield driver
    driver.quit()


def look(browser, size="desktop", scheme="light"):
    """Makes the browser a phone or a desktop, by day or by night."""
    width, height, scale = SIZES[size]
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
        "width": width, "height": height, "deviceScaleFactor": scale, "mobile": size == "phone"})
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {
        "features": [{"name": "prefers-color-scheme", "value": scheme}]})


def photograph(browser, name):
    """The whole page as an image file."""
    width = browser.execute_script("return innerWidth")
    height = browser.execute_script("return document.documentElement.scrollHeight")
    shot = browser.execute_cdp_cmd("Page.captureScreenshot", {
        "captureBeyondViewport": True, "clip": {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}})
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    (SCREENSHOTS / f"{name}.png").write_bytes(base64.b64decode(shot["data"]))


def complaints(browser):
    """What the console says against the page."""
    return [entry for entry in browser.get_log("browser") if entry["level"] in ("WARNING", "SEVERE")]


def barriers(browser):
    """What axe-core finds: rules and places, of any impact."""
    # Through the debugger, since the page's own policy lets no foreign script in.
    browser.execute_cdp_cmd("Runtime.evaluate", {"expression": AXE})
    found = browser.execute_async_script(
        "const done = arguments[0];"
        "axe.run({resultTypes: ['violations']}).then(done, error => done({error: `${error}`}))")
    assert "error" not in found, found
    return [(rule["id"], rule["impact"], node["target"], node.get("failureSummary"))
            for rule in found["violations"] for node in rule["nodes"]]


# States


def two_days(bad=()):
    """48 hours' figures; in hours `bad` (ago) nearly everything failed."""
    random.seed(4)
    present = int(time.time()) // 3600
    hours = []
    for ago in range(47, -1, -1):
        failures = 350 if ago in bad else random.choice([0, 0, 0, 1, 2])
        captures = 360 - failures if ago else 170
        hours.append([present - ago, captures, failures, captures, captures * random.randint(70, 160)])
    return hours


def shots(changes=lambda seq: {}, count=64, **common):
    """Runs every ten seconds, the last of them three seconds ago."""
    random.seed(7)
    records = []
    for seq in range(1, count + 1):
        age = 3 + 10 * (count - seq)
        value = record(seq, age, **common)
        value["outcome"].update(camera_ms=random.randint(380, 620), store_ms=random.randint(60, 190))
        value.update(changes(seq))
        records.append(value)
    records[-1].setdefault("hours", [])
    records[-1]["hours"] = two_days(bad=(20, 21, 22))
    return records


def healthy(state):
    write_ring(state, shots())


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
        outcome = {"result": "capture_failed", "code": "camera-refused"}
        return {"outcome": outcome, "consecutive_failures": seq - 50, "last_capture": moment(160),
                "last_upload": moment(160), "last_error": {"code": "camera-refused", "moment": moment(3)},
                "latches": {"camera": {"since": moment(90), "delay_seconds": 600, "settings": "00"}},
                } if seq > 50 else {}

    write_ring(state, shots(changes))


def never(state):
    state.mkdir(parents=True, exist_ok=True)


def relay(state):
    healthy(state)
    write_relay(state)


def several(state):
    healthy(state / "garden")
    degraded(state / "hall")
    unhealthy(state / "yard")
    write_relay(state / "garden")


STATES = {f.__name__: f for f in [healthy, degraded, unhealthy, never, relay, several]}
HEADINGS = {"healthy": "Healthy", "degraded": "Degraded", "unhealthy": "Unhealthy", "never": "Unhealthy",
            "relay": "Healthy", "several": "Healthy"}


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
                assert complaints(browser) == []
                assert barriers(browser) == []
                width = browser.execute_script("return document.documentElement.scrollWidth - innerWidth")
                assert width <= 0, "the page is wider than the screen"
        text = browser.find_element("tag name", "main").text
        assert HEADINGS[name] in text
        if name == "relay":
            assert "Live" in text
        browser.get("about:blank")


def test_axe_would_find_something(browser, tmp_path):
    """The judge itself: an unnamed picture and grey on grey are found."""
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
        assert complaints(browser) == []
        page = web.get("/").text
        assert "<script>document" not in page and "\u202E" not in page
        browser.get("about:blank")


def test_the_page_keeps_itself_up_to_date(browser, tmp_path):
    healthy(tmp_path / "state")
    web = Web(tmp_path / "state", tmp_path)
    with web:
        look(browser)
        browser.get(web.url + "/")
        # The page looks again as soon as somebody looks at it.
        again = "document.dispatchEvent(new Event('visibilitychange'))"
        main = lambda: browser.find_element("tag name", "main").text
        assert "Healthy" in main()
        (tmp_path / "state/state.jsonl").unlink()
        time.sleep(0.3)
        browser.execute_script(again)
        wait_until(lambda: "No snapshot has been captured yet" in main(), what="new state on the page")
        news = lambda: browser.find_element("class name", "news").text
        assert "unhealthy" in news()
        assert complaints(browser) == []
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


# Pictures


@pytest.fixture(scope="module")
def stream(tmp_path_factory):
    """A folder into which a live stream is written, as the relay does it."""
    folder = tmp_path_factory.mktemp("output")
    (folder / "hls").mkdir()
    (folder / "record").mkdir()
    source = ["-re", "-f", "lavfi", "-i", "testsrc2=size=640x360:rate=15"]
    encoder = ["-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", "15", "-pix_fmt", "yuv420p"]
    hls = ["-f", "hls", "-hls_time", "1", "-hls_list_size", "6", "-hls_flags", "delete_segments+temp_file+omit_endlist"]
    process = subprocess.Popen(
        ["ffmpeg", "-nostdin", "-nostats", "-loglevel", "error", *source, *encoder, *hls,
         str(folder / "hls/stream.m3u8")])
    subprocess.run(
        ["ffmpeg", "-nostdin", "-loglevel", "error", "-f", "lavfi", "-i", "testsrc2=size=640x360:rate=15:duration=4",
         *encoder, "-movflags", "+faststart", str(folder / "record/2026-01-21 10.30.mp4")], check=True)
    subprocess.run(
        ["ffmpeg", "-nostdin", "-loglevel", "error", "-f", "lavfi", "-i", "testsrc2=size=640x360", "-frames:v", "1",
         str(folder / "latest.jpg")], check=True)
    wait_until((folder / "hls/stream.m3u8").exists, 20, "stream")
    yield folder
    process.kill()
    process.wait()


# What the video shows at this moment: its time, and how bright and how varied its pixels are.
PLAYING = """
const video = document.querySelector('video'), canvas = document.createElement('canvas');
canvas.width = 64; canvas.height = 36;
const context = canvas.getContext('2d');
context.drawImage(video, 0, 0, 64, 36);
const bytes = [...context.getImageData(0, 0, 64, 36).data].filter((_, i) => i % 4 < 3);
return [video.currentTime, video.videoWidth, Math.max(...bytes), new Set(bytes).size]
"""


def playing(browser):
    return browser.execute_script(PLAYING)


@pytest.mark.parametrize("token", [None, "s3cret-token"], ids=["open", "token"])
def test_live_view_plays(browser, tmp_path, stream, token):
    healthy(tmp_path / "state")
    settings = {"WEB_TOKEN": token} if token else {}
    with Web(tmp_path / "state", tmp_path, WEB_IMAGES="true", OUTPUT_DIR=str(stream), RUNTIME_DIRECTORY=str(stream),
             **settings) as web:
        host = f"127.0.0.1:{web.port}"
        look(browser)
        browser.get(f"http://{'me:' + token + '@' if token else ''}{host}/live/")
        wait_until(lambda: playing(browser)[0] > 0, 20, "first frame")
        began, width, brightest, colours = playing(browser)
        assert width == 640 and brightest > 200 and colours > 50, "the frame is black"
        wait_until(lambda: playing(browser)[0] > began + 2, 15, "progress of the video")
        assert browser.find_element("id", "note").text == ""
        for size in SIZES:
            for scheme in ["light", "dark"]:
                look(browser, size, scheme)
                photograph(browser, f"live-{size}-{scheme}")
                assert barriers(browser) == []
        assert complaints(browser) == []
        browser.get("about:blank")


def test_live_view_of_several_cameras(browser, tmp_path, stream):
    healthy(tmp_path / "state")
    for name in ["garden", "front door & <gate>"]:
        healthy(tmp_path / "state" / name)
        (tmp_path / "state" / name / "stream_output").symlink_to(stream)
    with Web(tmp_path / "state", tmp_path, WEB_IMAGES="true", OUTPUT_DIR=str(stream)) as web:
        browser.get(web.url + "/live/")
        wait_until(lambda: playing(browser)[0] > 0, 20, "first frame")
        for size in SIZES:
            look(browser, size)
            photograph(browser, f"live-several-{size}-light")
            assert barriers(browser) == []
        browser.find_element("link text", "front door & <gate>").click()
        wait_until(lambda: playing(browser)[0] > 0, 20, "first frame")
        assert browser.find_element("css selector", ".choice [aria-current]").text == "front door & <gate>"
        browser.get(web.url + "/recordings/")
        photograph(browser, "recordings-several-desktop-light")
        assert len(browser.find_elements("partial link text", "10.30.mp4")) == 3
        assert complaints(browser) == []
        browser.get("about:blank")


def test_pictures_and_recordings(browser, tmp_path, stream):
    healthy(tmp_path / "state")
    with Web(tmp_path / "state", tmp_path, WEB_IMAGES="true", OUTPUT_DIR=str(stream),
             RUNTIME_DIRECTORY=str(stream)) as web:
        for size in SIZES:
            for scheme in ["light", "dark"]:
                look(browser, size, scheme)
                browser.get(web.url + "/")
                wait_until(lambda: browser.execute_script("return document.images[0].naturalWidth") == 640)
                photograph(browser, f"picture-{size}-{scheme}")
                assert barriers(browser) == [] and complaints(browser) == []
                browser.get(web.url + "/recordings/")
                photograph(browser, f"recordings-{size}-{scheme}")
                assert barriers(browser) == [] and complaints(browser) == []
        browser.find_element("partial link text", "10.30.mp4").click()
        wait_until(lambda: playing(browser)[0] > 0.5, 15, "the recording to play")
        browser.execute_script("document.querySelector('video').currentTime = 3")
        wait_until(lambda: playing(browser)[0] >= 3, 15, "the recording to play from elsewhere")
        assert playing(browser)[2] > 200
        browser.get("about:blank")
        browser.get_log("browser")


def test_live_view_without_a_stream(browser, tmp_path):
    healthy(tmp_path / "state")
    with Web(tmp_path / "state", tmp_path, WEB_IMAGES="true", OUTPUT_DIR=str(tmp_path / "none")) as web:
        look(browser, "phone", "light")
        browser.get(web.url + "/live/")
        note = browser.find_element("id", "note")
        wait_until(lambda: "No stream at the moment" in note.text or "no stream yet" in note.text)
        photograph(browser, "live-none-phone-light")
        assert barriers(browser) == []
        browser.get("about:blank")
        browser.get_log("browser")

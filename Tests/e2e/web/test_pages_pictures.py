"""Pictures in a real browser: the latest, recordings, and a live view that plays."""

import subprocess

import pytest
from browser import SIZES, barriers, browser, console_errors, healthy, look, photograph  # noqa: F401
from process import wait_until
from web import Web, write_relay

pytestmark = pytest.mark.tsan


@pytest.fixture(scope="module")
def stream(tmp_path_factory):
    """A folder into which a live stream is written, as the relay does it."""
    folder = tmp_path_factory.mktemp("output")
    (folder / "hls").mkdir()
    (folder / "record").mkdir()
    source = ["-re", "-f", "lavfi", "-i", "testsrc2=size=640x360:rate=15"]
    encoder = ["-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", "15", "-pix_fmt", "yuv420p"]
    hls = ["-f", "hls", "-hls_time", "1", "-hls_list_size", "6", "-hls_flags", "delete_segments+temp_file+omit_endlist",
           "-hls_segment_type", "fmp4"]
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


@pytest.mark.parametrize("token", [None, "s3cret-token-of-the-page"], ids=["open", "token"])
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
        assert console_errors(browser) == []
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
        assert console_errors(browser) == []
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
                assert barriers(browser) == [] and console_errors(browser) == []
                browser.get(web.url + "/recordings/")
                photograph(browser, f"recordings-{size}-{scheme}")
                assert barriers(browser) == [] and console_errors(browser) == []
        browser.find_element("partial link text", "10.30.mp4").click()
        wait_until(lambda: playing(browser)[0] > 0.5, 15, "the recording to play")
        browser.execute_script("document.querySelector('video').currentTime = 3")
        wait_until(lambda: playing(browser)[0] >= 3, 15, "the recording to play from elsewhere")
        assert playing(browser)[2] > 200
        browser.get("about:blank")
        browser.get_log("browser")


@pytest.mark.parametrize("has_picture", [True, False], ids=["picture", "nothing"])
def test_live_view_without_a_relay(browser, tmp_path, stream, has_picture):
    healthy(tmp_path / "state")
    run = stream if has_picture else tmp_path / "none"
    with Web(tmp_path / "state", tmp_path, WEB_IMAGES="true", OUTPUT_DIR=str(tmp_path / "none"), RUNTIME_DIRECTORY=str(run)) as web:
        for size in SIZES:
            for scheme in ["light", "dark"]:
                look(browser, size, scheme)
                browser.get(web.url + "/live/")
                if has_picture:
                    wait_until(lambda: browser.execute_script("return document.images[0].naturalWidth") == 640)
                photograph(browser, f"live-none-{'picture' if has_picture else 'nothing'}-{size}-{scheme}")
                assert "no live video yet" in browser.find_element("tag name", "main").text
                assert barriers(browser) == [] and console_errors(browser) == []
        browser.get("about:blank")


def test_live_view_without_a_stream(browser, tmp_path):
    """A relay with STREAM_MODE=hls hasn't written a stream yet."""
    healthy(tmp_path / "state")
    write_relay(tmp_path / "state", modes=["hls"])
    with Web(tmp_path / "state", tmp_path, WEB_IMAGES="true", OUTPUT_DIR=str(tmp_path / "none")) as web:
        look(browser, "phone", "light")
        browser.get(web.url + "/live/")
        note = browser.find_element("id", "note")
        wait_until(lambda: "No stream at the moment" in note.text or "no stream yet" in note.text)
        photograph(browser, "live-none-phone-light")
        assert barriers(browser) == []
        browser.get("about:blank")
        browser.get_log("browser")

"""A real browser, what it finds wrong with a page, and sample states for pages."""
import base64
import random
import time
from pathlib import Path

import pytest

import parts
from builds import ROOT
from web import record, write_ring

SCREENSHOTS = ROOT / "out/screenshots"
SIZES = {"phone": (390, 844, 1), "desktop": (1200, 900, 1)}


@pytest.fixture(scope="module")
def browser():
    parts.need("browser")
    from selenium import webdriver

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
    """Gives the browser a phone's or a desktop's size, and the light or the dark colour scheme."""
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


def texts(browser, selector):
    """The visible text of each element that matches `selector`, read in one call: the page may replace elements between calls."""
    return browser.execute_script(
        "return [...document.querySelectorAll(arguments[0])].filter(one => one.checkVisibility()).map(one => one.innerText)", selector)


def console_errors(browser):
    """The warnings and errors in the browser's console."""
    return [entry for entry in browser.get_log("browser") if entry["level"] in ("WARNING", "SEVERE")]


def barriers(browser):
    """What axe-core finds: rules and places, of any impact."""
    import axe_core_python

    axe = (Path(axe_core_python.__file__).parent / "axe.min.js").read_text()
    # Through the debugger, since the page's own policy lets no foreign script in.
    browser.execute_cdp_cmd("Runtime.evaluate", {"expression": axe})
    found = browser.execute_async_script(
        "const done = arguments[0];"
        "axe.run({resultTypes: ['violations']}).then(done, error => done({error: `${error}`}))")
    assert "error" not in found, found
    return [(rule["id"], rule["impact"], node["target"], node.get("failureSummary"))
            for rule in found["violations"] for node in rule["nodes"]]


def two_days(bad=()):
    """The figures of 48 hours; nearly all runs failed in the hours in `bad`, counted back from now."""
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

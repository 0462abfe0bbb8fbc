"""The page and the terminal say the same: the cause first and what to do, figures in units people say, local times."""
import html
import re
import subprocess

import builds
import pytest
from browser import shots, two_days
from web import Web, environment, moment, record, write_ring

pytestmark = pytest.mark.tsan

ZONE = "Here-5:45"


def outage(code, **more):
    def changes(seq):
        return {"consecutive_failures": seq, "last_capture": moment(160), "last_upload": moment(160), "outcome": {"result": "capture_failed", "code": code},
                "last_error": {"code": code, "moment": moment(3), "since": moment(3600), "why": "No route to host"},
                "goes_to": "s3://garden at s3.example", "days": {"last": 20480, "shares": [10000] * 11 + [5000]},
                "traffic": {"sent": 5 << 30, "received": 1 << 20, "camera_sent": 1 << 20, "camera_received": 5 << 30, "days": [[20479, 4 << 30, 900_000], [20480, 1 << 30, 100_000]]}, **more}
    return shots(changes)


# Made when they are looked at, so that none is older than it says.
STATES = {
    "camera unreachable": lambda: outage("camera-unreachable"),
    "login refused": lambda: outage("camera-credentials", latches={"camera": {"since": moment(90), "delay_seconds": 600, "settings": "00"}}),
    "store unreachable": lambda: outage("store-unreachable", last_capture=moment(3), spool={"count": 1234, "bytes": 17817 * 1024, "oldest": moment(900), "dropped": 2}),
    "clock": lambda: [record(1, clock={"synced": False, "offset_seconds": -2400, "latest_ms": 0})],
    "waiting": lambda: [record(1, due={"since": moment(60), "delay_seconds": 600, "reason": "camera-credentials"})],
    "healthy": lambda: shots(),
}


def terminal(state):
    return subprocess.run([str(builds.binary("snapshot")), "health"], env=environment(state, TZ=ZONE), cwd=state, capture_output=True, text=True).stdout


def words(page):
    main = re.search(r"<main>(.*)</main>", page, re.S)[1]
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", re.sub(r"</?(?:code|strong|time)[^>]*>", "", main))))


@pytest.mark.parametrize("name", STATES)
def test_the_same_words(tmp_path, name):
    write_ring(tmp_path / "state", STATES[name]())
    with Web(tmp_path / "state", tmp_path, TZ=ZONE) as web:
        page = words(web.get("/").text)
        text = terminal(tmp_path / "state")
    first, *lines = text.splitlines()
    status, _, summary = first.removeprefix("yard: ").partition(": ")
    figures = {line[2:14].strip(): line[14:] for line in lines}
    is_well = name in ("healthy", "waiting")
    assert is_well == ("to do" not in figures)
    if not is_well:
        cause = summary.split(", ")[0]
        assert cause[0].upper() + cause[1:] in page, page
        assert figures["to do"] in page
        # What to do stands before the figures.
        assert page.index(figures["to do"]) < page.index("Last 64 runs")
    if "line" in figures:
        assert figures["line"] in page and "yesterday 4.0 GB sent" in page
    told = {"healthy": {"uptime 24 h", "a day"}, "camera unreachable": {"uptime 12 d", "a day", "store"}}.get(name, set())
    assert told <= set(figures), list(figures)
    for figure in ("uptime 24 h", "uptime 12 d", "a day", "store"):
        for part in filter(None, [figures.get(figure, "").partition(", ")[0]]):
            assert part in page, (figure, part)
    assert re.search(r"last \d{4}-\d\d-\d\d \d\d:\d\d:\d\d Here$", figures["captured"]), figures
    if "since" in summary:
        clock = re.search(r"since (?:\S+ )?(\d\d:\d\d)", summary)[1]
        assert clock == subprocess.run(["date", "-d", "1 hour ago", "+%H:%M"], env={"TZ": ZONE}, capture_output=True, text=True).stdout.strip() or abs(
            int(clock[3:]) - int(subprocess.run(["date", "+%M"], env={"TZ": ZONE}, capture_output=True, text=True).stdout)) in (1, 59)


def test_figures_in_units_people_say(tmp_path):
    write_ring(tmp_path / "state", STATES["store unreachable"]())
    with Web(tmp_path / "state", tmp_path) as web:
        page = words(web.get("/").text)
    assert "1,234 waiting" in page and "17 MB" in page and "s3://garden at s3.example" in page
    assert "Uptime 12 d 95.8 %" in page and "8,640 pictures about 3.3 GB" in page
    assert not re.search(r"\d{5,} ?(bytes|ms|s)\b|KiB|MiB", page), page


@pytest.mark.parametrize("due, age, shown", [
    (None, 3, r"in [5-7] s"), (None, 12, "now"), (None, 400, r"overdue by 6 min"), (7260, 60, r"in (2 h|119 min)")])
def test_when_the_next_is_due(tmp_path, due, age, shown):
    more = {"due": {"reason": "camera-credentials", "since": moment(60), "delay_seconds": due}} if due else {}
    write_ring(tmp_path / "state", [record(1, age, **more)])
    with Web(tmp_path / "state", tmp_path) as web:
        assert re.search(rf"Next {shown} ", words(web.get("/").text))
    assert re.search(rf"next +{shown}, one is due every 10 s", terminal(tmp_path / "state"))


def test_the_share_taken_says_over_what_it_is(tmp_path):
    hours = two_days()
    for kept, words_ in ((hours, "Uptime 24 h"), (hours[-5:], "Uptime 3 h"), (hours[-1:], None)):
        write_ring(tmp_path / "state", [record(1, hours=kept)])
        with Web(tmp_path / "state", tmp_path) as web:
            page = words(web.get("/").text)
            assert (words_ in page) if words_ else "Uptime " not in page

"""A month of recordings: listed by day, hour and page, newest first, with their lengths; and nobody waits for that."""
import html
import re
import subprocess
import threading
import time
from datetime import datetime, timedelta, timezone
from urllib.parse import unquote, urljoin

import pytest
from process import wait_until
from web import Web, memory, most_memory, record, write_ring

pytestmark = pytest.mark.tsan

MONTH = 43_200  # 30 days of minutes
LAST = datetime(2026, 3, 31, 23, 59, 7, tzinfo=timezone.utc)


def name(moment):
    return moment.strftime("%Y%m%dT%H%M%SZ.mp4")


@pytest.fixture(scope="module")
def month(tmp_path_factory):
    home = tmp_path_factory.mktemp("month")
    folder = home / "out/record"
    folder.mkdir(parents=True)
    (folder / name(LAST)).write_bytes(b"x" * 2048)
    for minute in range(1, MONTH):
        (folder / name(LAST - timedelta(minutes=minute))).touch()
    write_ring(home / "state", [record(1)])
    return home


def web(home, **more):
    return Web(home / "state", home, OUTPUT_DIR=str(home / "out"), RUNTIME_DIRECTORY=str(home / "run"), WEB_IMAGES="true", **more)


def movies(page):
    return [one.rsplit("/", 1)[-1] for one in re.findall(r'href="([^"]+\.mp4)"', page)]


def ways(page, at):
    return {urljoin(at, one) for one in re.findall(r'href="([^"#:]+/)"', page)}


def test_the_newest_comes_first_and_the_oldest_is_reached(month):
    with web(month) as front:
        first = front.get("/recordings/").text
        assert movies(first)[:2] == [name(LAST), name(LAST - timedelta(minutes=1))] and len(movies(first)) == 120
        assert "1 to 120 of 43,200" in first and "2.0 KB" in first
        days = [one for one in ways(first, "/recordings/") if re.fullmatch(r"/recordings/2026-03-\d\d/", one)]
        assert len(days) == 30
        day = front.get("/recordings/2026-03-02/").text
        assert movies(day)[0] == "20260302T235907Z.mp4" and "1 to 120 of 1,440" in day
        hour = front.get("/recordings/2026-03-02/00/").text
        assert len(movies(hour)) == 60 and movies(hour)[-1] == name(LAST - timedelta(minutes=MONTH - 1))
        # By clicks alone: the oldest day, its oldest hour.
        assert "/recordings/2026-03-02/00/" in ways(day, "/recordings/2026-03-02/")
        # And page by page to the end of a day.
        at, seen = "/recordings/2026-03-15/", []
        while at:
            page = front.get(at).text
            seen += movies(page)
            older = re.search(r'href="([^"]+)">Older<', page)
            at = older and urljoin(at, older[1])
        assert seen == sorted(seen, reverse=True) and len(set(seen)) == 1440
        assert front.get(urljoin("/recordings/2026-03-15/page-3/", re.search(r'href="([^"]+\.mp4)"', front.get(
            "/recordings/2026-03-15/page-3/").text)[1])).status == 200


def test_days_are_the_machines(month):
    """Where it is 13 h 45 min later, an evening's recordings are the next day's."""
    with web(month, TZ="Far-13:45") as front:
        newest = front.get("/recordings/").text
        assert "2026-04-01 13:44:07 Far" in newest
        assert movies(front.get("/recordings/2026-03-15/00/").text)[-1] == "20260314T101507Z.mp4"


@pytest.mark.parametrize("path, status", [
    ("2026-03-15/25/", 200), ("1999-01-01/", 200), ("2026-03-15/page-999/", 200), ("page-999999/", 200), ("page-1000001/", 404),
    ("2026-99-99/page-2/x", 404)])
def test_places_that_are_not_there(month, path, status):
    with web(month) as front:
        answer = front.get("/recordings/" + path)
        assert answer.status == status and movies(answer.text) == []


def test_nobody_waits_for_a_list(month):
    """While the first list of a fresh process is made, others are answered many times."""
    with web(month) as front:
        done = threading.Event()
        lists = [threading.Thread(target=lambda day=day: (front.get(f"/recordings/2026-03-{day:02}/"), done.set())) for day in range(2, 14)]
        front.get("/livez")
        for one in lists:
            one.start()
        answered = {"/livez": 0, "/health": 0}
        while not done.is_set():
            for path in answered:
                assert front.get(path).status == 200
                answered[path] += not done.is_set()
        for one in lists:
            one.join()
        assert min(answered.values()) >= 3, answered


def test_many_lists_cost_one_look(month):
    """The folder is looked through now and then, not for everybody who asks."""
    with web(month) as front:
        began = time.monotonic()
        front.get("/recordings/")
        first = time.monotonic() - began
        began = time.monotonic()
        for day in range(2, 32):
            front.get(f"/recordings/2026-03-{day:02}/23/")
        assert time.monotonic() - began < max(30 * first / 3, 0.5)
        assert memory(front.process.pid) < most_memory()


@pytest.mark.parametrize("seconds, gop, more, told", [
    (30, 15, "frag_keyframe+empty_moov+default_base_moof", 30), (30, 150, "frag_keyframe+empty_moov+default_base_moof", 30),
    (12, 15, "faststart", 12), (200, 75, "frag_keyframe+empty_moov+default_base_moof", 200), (9, 3000, "frag_keyframe+empty_moov", None)])
def test_lengths(tmp_path, seconds, gop, more, told):
    """Lengths are in whole seconds; none is shown for a file that has a single fragment."""
    folder = tmp_path / "out/record"
    folder.mkdir(parents=True)
    write_ring(tmp_path / "state", [record(1)])
    movie = folder / "20260121T103045Z.mp4"
    subprocess.run(["ffmpeg", "-nostdin", "-loglevel", "error", "-f", "lavfi", "-i", f"testsrc2=size=64x64:rate=15:duration={seconds}",
                    "-c:v", "libx264", "-preset", "ultrafast", "-g", str(gop), "-sc_threshold", "0", "-movflags", "+" + more, movie], check=True)
    words = None if told is None else f"{told} s" if told < 120 else f"{told // 60}:{told % 60:02} min"
    with web(tmp_path) as front:
        line = re.search(r"<li>.*</li>", front.get("/recordings/").text)[0]
        assert (f"<span>{words} · " in line) if words else (" s · " not in line), line


def test_movies_that_are_none(tmp_path):
    """Whatever a file holds, it is listed, and no length is made up."""
    folder = tmp_path / "out/record"
    folder.mkdir(parents=True)
    write_ring(tmp_path / "state", [record(1)])
    box = lambda kind, body: (len(body) + 8).to_bytes(4, "big") + kind + body
    header = b"\0" * 12 + (1000).to_bytes(4, "big") + b"\0" * 80
    track = box(b"trak", box(b"mdia", box(b"mdhd", header)))
    head = box(b"ftyp", b"isom") + box(b"moov", box(b"mvhd", header) + track)
    contents = [b"", b"\0" * 7, b"\xff" * 5000, b"\0\0\0\x08moov" * 600, head, head + b"\xff" * 16,
                head + box(b"mfra", box(b"tfra", b"\1" + b"\xff" * 60) + box(b"mfro", b"\0" * 4 + (92).to_bytes(4, "big"))),
                head + box(b"mfro", b"\0" * 4 + (16).to_bytes(4, "big"))]
    for number, content in enumerate(contents):
        (folder / f"20260121T1030{number:02}Z.mp4").write_bytes(content)
    with web(tmp_path) as front:
        page = front.get("/recordings/").text
        assert len(movies(page)) == len(contents) and " s · " not in page and front.get("/livez").status == 200


def test_what_may_not_be_read_is_told(tmp_path):
    """Run by somebody else: a file of root's alone, then the whole folder."""
    folder = tmp_path / "out/record"
    folder.mkdir(parents=True)
    write_ring(tmp_path / "state", [record(1)])
    for at in [tmp_path, *tmp_path.parents[:3]]:
        at.chmod(at.stat().st_mode | 0o055)
    for second, mode in ((1, 0o644), (2, 0o600)):
        (folder / f"20260121T10304{second}Z.mp4").write_bytes(b"x")
        (folder / f"20260121T10304{second}Z.mp4").chmod(mode)
    with web(tmp_path, prefix=("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")) as front:
        page = front.get("/recordings/").text
        assert movies(page) == ["20260121T103041Z.mp4"] and page.count("cannot be read") == 1
        folder.chmod(0o700)
        # The index is kept for 20 times as long as it took to make, which on a busy machine is seconds.
        wait_until(lambda: movies(front.get("/recordings/").text) == [], what="new index")
        page = front.get("/recordings/").text
        assert page.count("cannot be read") == 1 and "There are no recordings" not in page
        folder.chmod(0o755)


def test_whatever_is_listed_is_served(tmp_path):
    """Names as people and programs give them; one that no request can name isn't listed."""
    names = ["20260121T103045Z.mp4", "20260121T103045Z-2.mp4", "a b.mp4", "50%.mkv", "a%2Fb.mp4", "käfer 🐞.ts", "what?.mp4", "#1.mp4", "it's \"x\" & <y>.mp4",
             "2026-01-21/14/x.mp4", "2026-01-21/page-2.mp4", "hall/é/1/+.mp4", "-.mp4", "~.mp4", "a;b=c.mp4", "x" * 251 + ".mp4"]
    hidden = ["a\\b.mp4", "a\nb.mp4", "\x7f.mp4", "c\\d/x.mp4", "\t/x.mp4", "20260121T103046Z.MP4", ".x.mp4", "a/b/c/d/x.mp4"]
    folders = [tmp_path / "out/record", tmp_path / "state/gate/stream_output/record", tmp_path / "state/odd\\name/stream_output/record"]
    for folder in folders:
        for name in names + hidden:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(name.encode())
        (folder / "20260121T103047Z.mp4").symlink_to("/etc/passwd")
        with open(bytes(folder) + b"/\xff.mp4", "wb"):
            pass
    write_ring(tmp_path / "state/gate", [record(1)])
    with web(tmp_path) as front:
        page = front.get("/recordings/").text
        links = [html.unescape(one) for one in re.findall(r'<li><a href="([^"]+)"', page)]
        got = {unquote(link): front.get(urljoin("/recordings/", link)) for link in links}
    assert {answer.status for answer in got.values()} == {200}, {link: a.status for link, a in got.items()}
    assert sorted(got) == sorted(names + [f"gate/{name}" for name in names])
    assert all(answer.body.decode() == link.removeprefix("gate/") for link, answer in got.items())

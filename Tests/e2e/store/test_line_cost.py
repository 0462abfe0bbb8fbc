"""What a line carries: bytes are counted, an upload rate is kept by all transfers together, a full spool may be thinned."""
import json
import re
import signal
import time

import pytest

from builds import is_emulated
from faultproxy import FaultProxy
from line import Line
from pictures import picture
from process import free_port, wait_until
from receiver import Receiver

pytestmark = [pytest.mark.asan]


@pytest.fixture
def still(tmp_path, snapshot):
    """Sets a camera whose picture has about so many bytes."""
    def make(size):
        (tmp_path / "still.jpg").write_bytes(picture(size=size))
        snapshot.set(CAMERA_URL=f"file://{tmp_path}/still.jpg", CAMERA_NAME="front")
        return (tmp_path / "still.jpg").stat().st_size
    return make


STORES = {
    "multipart": lambda r: r.as_http(),
    "raw": lambda r: r.as_http(HTTP_UPLOAD_FORMAT="raw"),
    "json": lambda r: r.as_http(HTTP_UPLOAD_FORMAT="json"),
    "s3": lambda r: r.as_s3(),
}


@pytest.mark.parametrize("store", STORES)
def test_rate(snapshot, endpoint, still, store):
    size = still(150_000) * (4 / 3 if store == "json" else 1)
    snapshot.set(**STORES[store](endpoint), UPLOAD_RATE="60K")
    result = snapshot.capture().expect(0)
    expected = size / (60 << 10)
    assert expected - 0.9 < result.wall < expected + 2, (expected, result.wall)
    assert snapshot.set(UPLOAD_RATE="20M").capture().expect(0).wall < 1.5


@pytest.mark.parametrize("store", ["multipart", "raw"])
def test_slow_by_choice_is_no_stall(snapshot, endpoint, still, store):
    """At 6 KB a second libcurl's smallest buffer lasts longer than UPLOAD_STALL."""
    still(36_000)
    result = snapshot.set(**STORES[store](endpoint), UPLOAD_RATE="6K", UPLOAD_STALL="1s").capture().expect(0)
    assert result.wall > 3 and len(endpoint.received) == 1


def test_rate_is_that_of_all_transfers_together(snapshot, endpoint, still):
    size = still(80_000)
    snapshot.set(**endpoint.as_http(HTTP_UPLOAD_URL=f"http://127.0.0.1:{free_port()}/up"), UPLOAD_ATTEMPTS=1)
    for _ in range(4):
        snapshot.capture("--no-drain").expect(75)
    snapshot.set(HTTP_UPLOAD_URL=endpoint.url + "/up", UPLOAD_RATE="80K")
    result = snapshot.run("drain").expect(0)
    expected = 4 * size / (80 << 10)
    assert expected - 1 < result.wall < expected + 3, (expected, result.wall)
    assert len(endpoint.received) == 4


@pytest.mark.parametrize("store", ["raw", "s3"])
def test_a_stop_lets_the_picture_that_is_on_its_way_arrive(snapshot, endpoint, still, store):
    """Nothing waits for the rate in the two seconds that are left: what is cut short would be sent again as a whole."""
    still(120_000)
    with FaultProxy(endpoint.port) as proxy:
        address = {"raw": "HTTP_UPLOAD_URL", "s3": "S3_ENDPOINT_URL"}[store]
        snapshot.set(**STORES[store](endpoint) | {address: f"http://127.0.0.1:{proxy.port}"}, UPLOAD_RATE="10K")
        run = snapshot.start("capture")
        wait_until(lambda: proxy.bytes_up > 5_000, what="upload")
        run.signal(signal.SIGTERM)
        result = run.result()
    assert result.wall < 7 and len(endpoint.received) == 1 and not snapshot.spooled_pictures(), result


@pytest.mark.parametrize("value", ["0", "100", "fast", "-1K"])
def test_rate_has_a_rule(snapshot, endpoint, still, value):
    still(20_000)
    snapshot.set(**endpoint.as_http(), UPLOAD_RATE=value).capture().refuses(78, "UPLOAD_RATE")


def numbers(snapshot):
    """The numbers of the pictures in the spool."""
    return sorted(int(re.match(r"(\d+)-", f.name)[1]) for f in (snapshot.state_folder / "spool").glob("*/*-*"))


@pytest.mark.parametrize("keep", ["newest", "thin", None])
def test_full_spool(snapshot, still, keep):
    size = still(20_000)
    snapshot.set(STORAGE_BACKEND="http", HTTP_UPLOAD_URL=f"http://127.0.0.1:{free_port()}/up", UPLOAD_ATTEMPTS=1,
                 SPOOL_MAX_BYTES=int(size * 8.5), SPOOL_KEEP=keep)
    for _ in range(16):
        snapshot.capture().expect(75)
    left = numbers(snapshot)
    if keep != "thin":
        assert left == list(range(9, 17))
    else:
        assert len(left) == 8 and left[0] == 1 and left[-2:] == [15, 16]
        gaps = [b - a for a, b in zip(left, left[1:])]
        assert max(gaps) <= 4 and sum(gaps[:3]) > sum(gaps[-3:])
    health = json.loads(snapshot.run("health", "--json").stdout)
    assert health["spool"]["dropped"] == 8 and health["spool"]["count"] == 8 and health["total_captures"] == 16
    assert health["reasons"].count("spool_dropped") == 1
    with Receiver() as store:
        snapshot.set(HTTP_UPLOAD_URL=store.url + "/up").run("drain").expect(0)
        assert len(store.received) == 8 and numbers(snapshot) == []


def counted(snapshot, outcome):
    """Whether the kernel tells how many bytes a connection carried. QEMU cuts its answer short, and then nothing is told."""
    if not is_emulated():
        return True
    assert outcome.get("sent_bytes") is None and outcome.get("received_bytes") is None
    assert "traffic" not in snapshot.ring.newest and "  traffic " not in snapshot.run("health").stdout
    return False


def test_bytes_are_told(snapshot, endpoint, still, tmp_path):
    size = still(120_000)
    with Line(endpoint.port, keeps=True) as line:
        snapshot.set(**endpoint.as_http(HTTP_UPLOAD_URL=f"http://127.0.0.1:{line.port}/up"))
        one = snapshot.capture("--json").expect(0).json
        two = snapshot.capture("--json").expect(0).json
    if not counted(snapshot, one):
        return
    # The request's line, headers and form, then what TCP and IP put round it.
    assert size + 500 < one["sent_bytes"] < size * 1.05 + 3000
    assert 200 < one["received_bytes"] < 20_000
    record = snapshot.ring.newest
    assert record["outcome"]["sent"] == two["sent_bytes"]
    assert record["traffic"]["sent"] == one["sent_bytes"] + two["sent_bytes"]
    health = json.loads(snapshot.run("health", "--json").stdout)
    assert health["traffic"]["sent_bytes"] == record["traffic"]["sent"]
    assert health["traffic"]["days"][-1]["sent_bytes"] > 0
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", health["traffic"]["days"][-1]["day"])
    metrics = snapshot.run("health", "--prometheus").stdout
    assert f'snapshot_sent_bytes_total{{camera="front"}} {record["traffic"]["sent"]}\n' in metrics
    assert re.search(r"\n  traffic +today .* sent, .* received \(UTC\)", snapshot.run("health").stdout)


def test_bytes_of_the_camera_are_counted_apart(ready, endpoint):
    outcome = ready.set(**endpoint.as_http()).capture("--json").expect(0).json
    if not counted(ready, outcome):
        return
    traffic = ready.ring.newest["traffic"]
    assert traffic["camera_received"] > outcome["bytes"] and traffic["camera_sent"] < 10_000
    assert traffic["sent"] == outcome["sent_bytes"] > outcome["bytes"]


def test_drains_and_failures_are_counted(snapshot, endpoint, still):
    size = still(50_000)
    endpoint.status = 500
    snapshot.set(**endpoint.as_http(), UPLOAD_ATTEMPTS=1)
    failed = snapshot.capture("--json").expect(75).json
    if not counted(snapshot, failed):
        return
    assert failed["sent_bytes"] > size
    before = snapshot.ring.newest["traffic"]["sent"]
    endpoint.status = 200
    snapshot.run("drain").expect(0)
    assert snapshot.ring.newest["traffic"]["sent"] > before + size


def test_folder_sends_nothing(snapshot, still):
    still(20_000)
    outcome = snapshot.capture("--json").expect(0).json
    assert "sent_bytes" not in outcome or outcome["sent_bytes"] is None
    assert "traffic" not in snapshot.ring.newest
    assert "  traffic " not in snapshot.run("health").stdout

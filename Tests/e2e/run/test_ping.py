"""PING_URL: a dead man's switch gets a request at most once a minute, and none has an effect on a run."""
import pytest

from pictures import picture
from process import free_port
from receiver import Answer, Receiver

pytestmark = pytest.mark.asan


@pytest.fixture
def switch():
    with Receiver() as r:
        yield r


def test_success_is_sent_at_most_once_a_minute(ready, camera, switch):
    ready.set(PING_URL=switch.url + "/uuid")
    for _ in range(3):
        ready.capture().expect(0)
    assert [r.path for r in switch.received] == ["/uuid"]


def test_failure(ready, camera, switch):
    camera.raw = b"nothing"
    ready.set(PING_URL=switch.url + "/uuid").capture().expect(69)
    assert [r.path for r in switch.received] == ["/uuid/fail"]


def test_a_query_stays_behind_the_path(ready, camera, switch):
    camera.raw = b"nothing"
    ready.set(PING_URL=switch.url + "/key/slug?create=1").capture().expect(69)
    assert [r.path for r in switch.received] == ["/key/slug/fail?create=1"]


@pytest.mark.parametrize("fault", ["500", "hang", "nobody", "reset"])
def test_its_own_failures_are_ignored(ready, switch, fault):
    url = f"http://127.0.0.1:{free_port()}/x" if fault == "nobody" else switch.url
    switch.always = {"500": Answer(500), "hang": Answer(wait=60), "reset": Answer(reset=True)}.get(fault)
    result = ready.set(PING_URL=url).capture().expect(0)
    assert result.wall < 8 and not result.errors


def test_it_is_no_traffic_of_the_next_run(snapshot, tmp_path, switch):
    (tmp_path / "still.jpg").write_bytes(picture())
    snapshot.set(CAMERA_URL=f"file://{tmp_path}/still.jpg", PING_URL=switch.url + "/uuid")
    snapshot.run("capture", "--every", "1s", "--for", "3s", timeout=40).expect(0)
    assert len(switch.received) == 1 and snapshot.ring.newest["total_captures"] > 1
    assert "traffic" not in snapshot.ring.newest

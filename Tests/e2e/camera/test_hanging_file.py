"""CAMERA_URL=file: in a folder that stops answering: the run ends in time, and later ones work again."""

import pytest

from pictures import picture
from process import wait_until, working_in

pytestmark = pytest.mark.asan


@pytest.fixture
def net(net):
    (net.behind / "a b").mkdir()
    (net.behind / "a b/still.jpg").write_bytes(picture())
    return net


def left_behind(snapshot):
    return working_in(snapshot.folder, snapshot.binary)


@pytest.mark.parametrize("form, calls", [
    ("file:{}/a b/still.jpg", "all"), ("file://{}/a%20b/still.jpg", "all"), ("file:{}/a b/still.jpg", "read"),
    ("file:{}/a b/still.jpg", "getattr")])
def test_a_picture_in_a_folder_that_hangs(snapshot, net, form, calls):
    snapshot.set(CAMERA_URL=form.format(net.path), CAMERA_TIMEOUT="1s")
    snapshot.capture().expect(0)
    net.hang(calls)
    for _ in range(2):
        snapshot.capture(timeout=10).refuses(69, "hangs", f"check whether the server or disk of {net.path}")
    assert len(left_behind(snapshot)) <= 1
    snapshot.run("health", timeout=10)
    net.answer()
    wait_until(lambda: not left_behind(snapshot), 10)
    snapshot.capture().expect(0)
    assert len(snapshot.stored()) == 2


def test_its_failures_are_told_as_of_any_file(snapshot, net):
    snapshot.set(CAMERA_URL=f"file:{net.path}/gone.jpg").capture().refuses(69, "gone.jpg", "No such file")
    snapshot.set(CAMERA_URL=f"file:{net.path}/a b").capture().refuses(69, "isn't a regular file")
    (net.behind / "large.jpg").write_bytes(picture(size=200_000))
    snapshot.set(CAMERA_URL=f"file:{net.path}/large.jpg", CAMERA_MAX_BYTES="100K").capture().refuses(69, "large.jpg")
    snapshot.set(CAMERA_MAX_BYTES="1M").capture().expect(0)

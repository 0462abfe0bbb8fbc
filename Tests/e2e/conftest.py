import pytest

import session
from camera import Camera
from disk import HangingFolder
from parts import need
from program import Snapshot
from receiver import Receiver
from session import pytest_unconfigure, reports  # noqa: F401 hooks and fixtures


def pytest_configure(config):
    session.begin(config, "e2e")


@pytest.fixture
def snapshot(tmp_path):
    """The program in a folder of its own, without settings."""
    one = Snapshot(tmp_path / "home")
    yield one
    one.stop()


@pytest.fixture
def camera():
    """A Reolink camera that works."""
    with Camera(password="pässwörd &+%=?#/\\\"'") as c:
        yield c


@pytest.fixture
def ready(snapshot, camera):
    """The program with a camera that works, storing into ./snapshots."""
    return snapshot.set(**camera.settings(), CAMERA_NAME="front")


@pytest.fixture
def endpoint():
    """A store of HTTP or S3 that answers what a test tells it."""
    with Receiver() as r:
        yield r


@pytest.fixture
def net(tmp_path):
    """A folder that stops answering when a test says so, like one of the network."""
    need("fuse")
    with HangingFolder(tmp_path) as folder:
        yield folder

import os
import shutil
import tempfile

import pytest

import builds
import parts
import shared
from camera import Camera
from program import Snapshot
from receiver import Receiver


def pytest_configure(config):
    config.pluginmanager.register(parts)
    if not hasattr(config, "workerinput"):
        os.environ[shared.FOLDER] = tempfile.mkdtemp(prefix="snapshot-e2e-")
        os.environ[shared.CONTROLLER] = str(os.getpid())
        # What the shell exports for its own clients is not for ours.
        for name in [n for n in os.environ if n.startswith(("AWS_", "CURL_", "SSL_CERT_"))]:
            del os.environ[name]


def pytest_unconfigure(config):
    if not hasattr(config, "workerinput") and shared.FOLDER in os.environ:
        shared.stop_all()
        shutil.rmtree(os.environ[shared.FOLDER], ignore_errors=True)


@pytest.fixture(autouse=True)
def reports():
    """What a sanitizer reports fails the test in which it happened."""
    yield
    found = builds.take_reports()
    assert not found, found


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

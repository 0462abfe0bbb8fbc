"""Equipment that not every test needs, such as Ceph and a browser: installed when a test first asks for it."""
import functools
import subprocess
from pathlib import Path

import pytest

INSTALL = Path(__file__).resolve().parents[1] / "install"

NAMES = ("browser", "firefox", "fuse", "promtool", "proxies", "rgw", "rtsp", "seaweed", "swift")

_running = None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    global _running
    _running = item
    return (yield)


@functools.cache
def need(part):
    """Sees to it that a part of Tests/install is there."""
    with subprocess.Popen([INSTALL, part]) as installer:
        try:
            installer.wait(10)
        except subprocess.TimeoutExpired:
            # A download may take longer than this test's timeout, so the timeout is cancelled.
            if _running and hasattr(_running, "cancel_timeout"):
                _running.cancel_timeout()
        assert installer.wait() == 0, f"Tests/install {part} failed"

"""What one run of pytest shares: a folder, servers that tests start once, and what sanitizers report."""
import os
import shutil
import tempfile

import pytest

import builds
import parts
import shared


def begin(config, name):
    """To be called by `pytest_configure`."""
    config.pluginmanager.register(parts)
    if not hasattr(config, "workerinput"):
        os.environ[shared.FOLDER] = tempfile.mkdtemp(prefix=f"snapshot-{name}-")
        os.environ[shared.CONTROLLER] = str(os.getpid())
        # Variables that the shell exports for other clients must have no effect here.
        for variable in [n for n in os.environ if n.startswith(("AWS_", "CURL_", "SSL_CERT_"))]:
            del os.environ[variable]


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

"""Short and long form, and the table of what was measured."""
import os
import shutil
import tempfile

import pytest

import builds
import parts
import shared


def pytest_addoption(parser):
    parser.addoption("--long", action="store_true", help="every case instead of a sample")


def pytest_configure(config):
    config.pluginmanager.register(parts)
    if config.getoption("--long"):
        config._inicache["timeout"] = "14400"
    if not hasattr(config, "workerinput"):
        os.environ[shared.FOLDER] = tempfile.mkdtemp(prefix="snapshot-torture-")
        os.environ[shared.CONTROLLER] = str(os.getpid())
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
def long(request):
    return request.config.getoption("--long")


@pytest.fixture
def figure(record_property, request):
    """`figure("cases", 360)`: a measured number for the table."""
    return lambda name, value: record_property(name, value)


def pytest_terminal_summary(terminalreporter):
    rows = [(r.head_line, r.outcome, r.user_properties)
            for kind in ("passed", "failed") for r in terminalreporter.getreports(kind) if r.when == "call"]
    if not rows:
        return
    terminalreporter.section("measured")
    width = max(len(name) for name, _, _ in rows)
    for name, outcome, figures in sorted(rows):
        terminalreporter.write_line(f"{name:<{width}}  {outcome:<6}  " + ", ".join(f"{k} {v}" for k, v in figures))

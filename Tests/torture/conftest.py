"""Short and long form, and the table of what was measured."""
import pytest

import session
from session import pytest_unconfigure, reports  # noqa: F401 hooks and fixtures


def pytest_addoption(parser):
    parser.addoption("--long", action="store_true", help="every case instead of a sample")


def pytest_configure(config):
    if config.getoption("--long"):
        config._inicache["timeout"] = "14400"
    session.begin(config, "torture")


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

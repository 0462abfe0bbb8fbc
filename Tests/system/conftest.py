import os
import pathlib
import shutil

import pytest

from installed import Installed

REPOSITORY = pathlib.Path(__file__).parents[2]


def pytest_addoption(parser):
    parser.addoption("--form", choices=["short", "long"], default="short")


@pytest.fixture(scope="session")
def is_long(pytestconfig) -> bool:
    return pytestconfig.getoption("form") == "long"


@pytest.fixture(scope="session")
def package() -> pathlib.Path:
    """The built Debian package."""
    (found,) = (REPOSITORY / "out").glob("snapshot_*.deb")
    return found


@pytest.fixture(scope="session")
def simulator() -> pathlib.Path:
    return REPOSITORY / os.environ.get("SNAPSHOT_BIN_DIR", ".build/release") / "reolink-simulator"


@pytest.fixture(scope="module")
def machine(request, package, simulator):
    """A booted machine with the package installed by apt and a camera on 127.0.0.1:8000."""
    with_simulator = Installed(request.module.__name__.replace("_", "-"))
    try:
        shutil.copy(simulator, with_simulator.root / "usr/local/bin")
        with_simulator.boot()
        with_simulator.install(package)
        with_simulator.start_camera()
        yield with_simulator
    finally:
        with_simulator.stop()

import os
import pathlib
import shutil
import signal
import subprocess
import sys

import pytest

from installed import Installed

REPOSITORY = pathlib.Path(__file__).parents[2]


def pytest_addoption(parser):
    parser.addoption("--form", choices=["short", "long"], default="short")


def pytest_configure(config):
    # Machines must also be taken down if make or CI ends this process.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


@pytest.fixture(scope="session")
def is_long(pytestconfig) -> bool:
    return pytestconfig.getoption("form") == "long"


@pytest.fixture(scope="session")
def package() -> pathlib.Path:
    """The Debian package that was just built; those of other versions and architectures may lie beside it."""
    architecture = subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True, check=True).stdout.strip()
    return max((REPOSITORY / "out").glob(f"snapshot_*_{architecture}.deb"), key=lambda path: path.stat().st_mtime)


@pytest.fixture(scope="session")
def simulator() -> pathlib.Path:
    return REPOSITORY / os.environ.get("SNAPSHOT_BIN_DIR", ".build/release") / "reolink-simulator"


def booted(name, package, simulator):
    machine = Installed(name)
    try:
        shutil.copy(simulator, machine.root / "usr/local/bin")
        (machine.root / "var/lib/man-db/auto-update").unlink(missing_ok=True)
        machine.boot()
        machine.install(package)
        machine.start_camera()
        yield machine
    finally:
        machine.stop()


@pytest.fixture(scope="session")
def machine(package, simulator):
    """A booted machine with the package installed by apt and a camera on 127.0.0.1:8000."""
    yield from booted("shared", package, simulator)


@pytest.fixture(scope="module")
def fresh(package, simulator):
    """Another such machine, for the tests that remove the package."""
    yield from booted("fresh", package, simulator)

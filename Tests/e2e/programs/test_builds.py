"""A build with a sanitizer can fail a test: it is instrumented, and what it reports is found."""
import re
import subprocess
from pathlib import Path

import pytest

import builds
from process import wait_until

pytestmark = [pytest.mark.asan, pytest.mark.tsan, pytest.mark.skipif(not builds.is_sanitized(), reason="needs a build with a sanitizer")]


@pytest.mark.parametrize("name", [name for name in ("snapshot", "snapshot-web") if builds.is_sanitized(name)])
def test_it_is_instrumented(name):
    assert f"__{builds.kind(name)}_init".encode() in builds.binary(name).read_bytes()


def log_path(name):
    """Where reports go; each process puts a dot and its pid behind that."""
    return re.search(r"log_path=([^:]+)", builds.environment()[name])[1]


@pytest.mark.parametrize("name", ["ASAN_OPTIONS", "TSAN_OPTIONS"])
def test_what_it_reports_is_found(name):
    Path(log_path(name) + ".4711").write_text("ERROR: something")
    assert builds.take_reports() == "ERROR: something" and not builds.take_reports()


@pytest.mark.skipif(builds.kind() != "tsan", reason="needs a build with ThreadSanitizer")
def test_a_race_in_either_process_of_a_service_is_found(snapshot, tmp_path):
    """Under systemd a relay is two processes, of which the second is forked from the first."""
    race = tmp_path / "race.so"
    subprocess.run(["clang", "-shared", "-fPIC", "-o", race, builds.ROOT / "Tests/Tools/race.c"], check=True)
    snapshot.set(NOTIFY_SOCKET="@nobody-listens", LD_PRELOAD=f"{builds.environment()['LD_PRELOAD']} {race}",
                 CAMERA_URL="rtsp://127.0.0.1:9/none", STREAM_MODE="record")
    reports = Path(log_path("TSAN_OPTIONS"))
    relay = snapshot.start("relay")
    wait_until(lambda: sum("data race (pid=" in one.read_text() for one in reports.parent.glob(f"{reports.name}.*")) == 2,
               what="report of each process")
    relay.kill()
    assert builds.take_reports().count("data race (pid=") == 2

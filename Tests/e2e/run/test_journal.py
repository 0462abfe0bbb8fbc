"""What is said where standard error is the journal: a failure when it begins, once an hour, and when it is over."""
import os
import subprocess

import pytest
from process import free_port

pytestmark = pytest.mark.asan


@pytest.fixture
def journal(ready, tmp_path):
    """Runs a capture as systemd does; returns what it said and how it ended."""
    path = tmp_path / "journal"

    def run(code, *prefix):
        with open(path, "wb") as file:
            facts = os.fstat(file.fileno())
            done = subprocess.run(
                [*prefix, ready.binary, "capture"], cwd=ready.folder, stdin=subprocess.DEVNULL, stdout=file, stderr=file,
                env={**ready.environment, **ready.settings, "JOURNAL_STREAM": f"{facts.st_dev}:{facts.st_ino}"}, timeout=60)
        assert done.returncode == code
        return path.read_text().splitlines()
    return run


@pytest.mark.preloads
def test_a_failure_is_told_when_it_begins_hourly_and_at_its_end(camera, ready, journal):
    assert journal(0) == []
    ready.set(CAMERA_IP=f"127.0.0.1:{free_port()}")
    begin = journal(69)
    assert begin[0].startswith("<3>snapshot: error: cannot reach camera")
    for later in ("+10s", "+59m"):
        assert journal(69, "faketime", "-f", later) == [], later
    assert journal(69, "faketime", "-f", "+61m")[0] == begin[0]
    assert journal(69, "faketime", "-f", "+62m") == []
    ready.set(**camera.settings())
    assert journal(0, "faketime", "-f", "+63m") == ["<3>snapshot: good again after 5 failed runs"]
    assert journal(0, "faketime", "-f", "+64m") == []


def test_another_failure_is_told_at_once(ready, journal):
    ready.set(LOCAL_STORAGE_PATH="/proc/none")
    assert "cannot write /proc/none" in journal(75)[0]
    assert journal(75) == []
    ready.set(CAMERA_IP=f"127.0.0.1:{free_port()}")
    assert "cannot reach camera" in journal(69)[0]


def test_a_reader_that_has_left_costs_no_picture(ready, camera):
    """`snapshot --verbose 2>&1 | head -1`, with a store that is away."""
    ready.set(STORAGE_BACKEND="http", HTTP_UPLOAD_URL=f"http://127.0.0.1:{free_port()}/")
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as gone:
        done = subprocess.run([ready.binary, "capture", "--verbose"], cwd=ready.folder, stdout=gone, stderr=gone,
                              env={**ready.environment, **ready.settings}, timeout=60)
    assert done.returncode == 75 and ready.spooled_pictures() == [camera.last]

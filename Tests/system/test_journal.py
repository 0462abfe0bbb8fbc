"""What a service that fails again and again leaves in the journal: its reason when it begins, and its end."""

import pytest

RUNS = 20


@pytest.fixture
def settled(machine):
    machine.settings()
    machine.run("systemctl start snapshot.service")
    yield machine
    machine.settings()
    machine.run("systemctl start snapshot.service")


def told_in(machine, runs: int) -> list[str]:
    """What the whole machine's journal gets from so many runs of snapshot.service."""
    cursor = machine.cursor()
    machine.run(f"for _ in $(seq {runs}); do systemctl start snapshot.service; done", check=False)
    return machine.whole_journal(cursor)


def test_refused_credentials_are_told_once(settled):
    settled.write("/etc/snapshot/credentials/camera_password", "not this one", 0o600)
    lines = told_in(settled, RUNS)
    assert len(lines) == 2 and "camera refuses login" in lines[0] and "hint:" in lines[1], lines
    assert settled.health()["reasons"][:1] == ["camera_credentials_refused"]
    settled.settings()
    (line,) = told_in(settled, RUNS)
    assert f"good again after {RUNS} failed runs" in line


def test_a_store_that_is_away_is_told_once(settled):
    settled.settings(STORAGE_BACKEND="http", HTTP_UPLOAD_URL="http://127.0.0.1:1/", UPLOAD_ATTEMPTS="1")
    lines = told_in(settled, RUNS)
    assert 1 <= len(lines) <= 2 and "cannot reach store" in lines[0], lines
    settled.settings()
    (line,) = told_in(settled, 1)
    assert "good again after" in line

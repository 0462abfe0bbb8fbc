"""promtool, Prometheus' own checker, finds nothing wrong in our metrics."""
import subprocess

import builds
import parts
import pytest
from browser import healthy
from web import Web, environment, moment, record, write_relay, write_ring

pytestmark = pytest.mark.tsan

HOSTILE = 'yard "\\ {x="1"} \u202e\nü'


def never(state):
    state.mkdir()


def hostile(state):
    write_ring(state, [record(1, camera=HOSTILE, last_error={"code": HOSTILE, "moment": moment(3)}, consecutive_failures=2)])
    write_relay(state, modes=["hls", HOSTILE], state=HOSTILE, failing={"hls": HOSTILE})


def several(state):
    for name in ("garden", "front door & <gate>"):
        healthy(state / name)
        write_relay(state / name)
    healthy(state)


@pytest.mark.parametrize("made", [never, healthy, hostile, several])
def test_promtool_finds_nothing(tmp_path, made):
    parts.need("promtool")
    made(tmp_path / "state")
    with Web(tmp_path / "state", tmp_path) as web:
        served = web.get("/metrics").body
    told = subprocess.run([builds.binary("snapshot"), "health", "--prometheus"], env=environment(tmp_path / "state"), cwd=tmp_path,
                          capture_output=True).stdout
    for metrics in (served, told):
        check = subprocess.run(["promtool", "check", "metrics"], input=metrics, capture_output=True)
        assert check.returncode == 0 and check.stdout == check.stderr == b"", (check, metrics.decode())


def test_promtool_would_find_something(tmp_path):
    parts.need("promtool")
    check = subprocess.run(["promtool", "check", "metrics"], input=b"snapshot_x{camera=\"a} 1\n", capture_output=True)
    assert check.returncode != 0

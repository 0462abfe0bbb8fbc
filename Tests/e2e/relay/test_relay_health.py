"""The relay in health: each output counts, in text, JSON, for Nagios, Prometheus and over HTTP; alone and beside captures."""
import json
import os
import subprocess

import pytest
from prometheus_client.parser import text_string_to_metric_families

from process import wait_until
from relay import STALL, Relay
from rtsp import RTSPServer
from web import Web, moment, record, write_relay, write_ring

pytestmark = pytest.mark.tsan

IDLE = {"state": "backing-off", "flowing_since": None, "last_error": "camera-unreachable", "stall_timeout_seconds": 20}
FAILS = {"failing": {"record": "folder-full"}, "failing_since": {"record": moment(500)}}


def cases():
    """relay.json's members, whether captures run, status, reasons. Made at each call, since moments are relative to now."""
    return {
        "flows": ({}, True, "healthy", []),
        "flows alone": ({}, False, "healthy", []),
        "one output fails": (FAILS, True, "degraded", ["relay_output_failing"]),
        "one output fails, alone": (FAILS, False, "degraded", ["relay_output_failing"]),
        "all fail": ({"failing": {"hls": "folder-full", "record": "folder-full"}, "failing_since": {"hls": moment(500), "record": moment(90)}},
                     True, "unhealthy", ["relay_down"]),
        "the last has just failed": ({"failing": {"hls": "folder-full", "record": "folder-full"},
                                      "failing_since": {"hls": moment(500), "record": moment(30)}}, True, "degraded", ["relay_interrupted"]),
        "camera unreachable": ({**IDLE, "idle_since": moment(100)}, True, "unhealthy", ["relay_down"]),
        "camera unreachable, alone": ({**IDLE, "idle_since": moment(100)}, False, "unhealthy", ["relay_down"]),
        "camera just gone": ({**IDLE, "idle_since": moment(70)}, True, "degraded", ["relay_interrupted"]),
        "patient": ({**IDLE, "idle_since": moment(100), "stall_timeout_seconds": 60}, True, "degraded", ["relay_interrupted"]),
        "by an older version": ({**IDLE, "stall_timeout_seconds": None}, True, "degraded", ["relay_interrupted"]),
        "killed": ({"updated": moment(400)}, True, "unhealthy", ["relay_down"]),
        "stopped on purpose": ({"state": "stopped", "flowing_since": None, "idle_since": moment(900)}, True, "healthy", []),
        "stopped, alone": ({"state": "stopped", "flowing_since": None, "idle_since": moment(900)}, False, "unhealthy", ["relay_down"]),
    }


@pytest.mark.parametrize("name", cases())
def test_what_the_relay_says_counts(snapshot, name):
    report, captures, status, reasons = cases()[name]
    if captures:
        write_ring(snapshot.state_folder, [record(1)])
    write_relay(snapshot.state_folder, **report)
    code = {"healthy": 0, "degraded": 0, "unhealthy": 1}[status]
    found = snapshot.run("health", "--json").expect(code)
    health = json.loads(subprocess.run(["jq", "."], input=found.stdout, capture_output=True, text=True, check=True).stdout)
    assert (health["status"], health["reasons"]) == (status, reasons)
    assert (health["last_capture"] is None) == (not captures)

    plugin = snapshot.run("health", "--nagios")
    assert plugin.code == {"healthy": 0, "degraded": 1, "unhealthy": 2}[status] and len(plugin.stdout.splitlines()) == 1
    text = snapshot.run("health").stdout
    assert ("captured" in text) == captures
    if reasons:
        assert "video" in text.splitlines()[0] and ("no video has flowed" in text) == (reasons != ["relay_output_failing"])
    elif not captures:
        assert "video flows to hls, record for 15 min" in text.splitlines()[0]

    families = {f.name: f for f in text_string_to_metric_families(snapshot.run("health", "--prometheus").stdout)}
    up = {s.labels["output"]: s.value for s in families["snapshot_relay_output_up"].samples}
    state = report.get("state", "running")
    lives = state == "running" and name != "killed"
    assert up == {o: float(lives and o not in report.get("failing", {})) for o in ("hls", "record")}
    assert {s.labels["camera"] for s in families["snapshot_relay_output_up"].samples} == {"yard" if captures else "camera"}


def test_an_instance_that_only_relays_is_shown(snapshot):
    """It is shown beside a camera with pictures: in JSON, for Nagios and Prometheus, and on the web."""
    snapshot.set(STATE_PATH=snapshot.folder / "all")
    write_ring(snapshot.folder / "all/garden", [record(1)])
    write_relay(snapshot.folder / "all/gate", **FAILS)
    health = snapshot.run("health", "--json").expect(0).json
    assert set(health["cameras"]) == {"garden", "gate"} and health["cameras"]["gate"]["reasons"] == ["relay_output_failing"]
    assert "gate: the relay's video doesn't reach record (folder-full)" in snapshot.run("health", "--nagios").stdout
    assert 'relay_output_up{camera="gate",output="record"} 0' in snapshot.run("health", "--prometheus").stdout
    with Web(snapshot.folder / "all", snapshot.folder) as web:
        assert web.get("/health").status == 200 and web.get("/health/gate").json()["status"] == "degraded"
        write_relay(snapshot.folder / "all/gate", **IDLE, idle_since=moment(200))
        wait_until(lambda: web.get("/health").status == 503, 10, "an unhealthy relay")
        page = web.get("/").text
        assert "No video has flowed since" in page and "gate" in page and "never" not in page.lower().split("<main>")[1]


@pytest.mark.preloads
def test_a_real_relay_from_good_to_bad_and_back(snapshot):
    """The camera goes away, and one output alone fails: health follows, with and without captures."""
    with RTSPServer("admin", "secret") as camera, Relay(snapshot, camera.as_camera(), modes="hls,record") as relay:
        relay.wait_running()
        health = snapshot.run("health", "--json").expect(0).json
        assert (health["status"], health["reasons"]) == ("healthy", [])
        assert health["relay"]["stall_timeout_seconds"] == STALL and "idle_since" not in health["relay"]
        assert "video flows to hls, record" in snapshot.run("health").stdout
        camera.stop()
        relay.wait_state("backing-off")
        health = snapshot.run("health", "--json").expect(0).json
        assert (health["status"], health["reasons"]) == ("degraded", ["relay_interrupted"])
        soon = ("faketime", "-f", f"+{STALL + 65}s")
        os.environ.pop("FAKETIME", None)
        late = snapshot.run("health", "--json", prefix=soon)
        assert late.code == 1 and late.json["reasons"] == ["relay_down"], late.stdout
        camera.start()
        relay.wait_running(40)
        assert snapshot.run("health", "--json").expect(0).json["status"] == "healthy"
    assert snapshot.run("health", "--json").json["relay"]["state"] == "stopped"

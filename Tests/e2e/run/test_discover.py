"""`snapshot discover`: cameras on a network of its own, among hosts that answer what no camera would."""
import re
import sys
from pathlib import Path

import pytest

from builds import most_memory
from lan import CAMERAS, HERE, Lan
from process import wait_until

pytestmark = pytest.mark.asan

HOSTILE = Path(__file__).parent / "hostile_answers.py"


@pytest.fixture
def lan():
    with Lan() as one:
        yield one


def discover(snapshot, lan, *arguments, code=0):
    return snapshot.run("discover", *arguments, prefix=lan.enter()).expect(code)


def found(result):
    return {device["address"]: device for device in result.json["devices"] if "address" in device}


@pytest.mark.parametrize("forms", [("old",), ("new",), ("old", "new", "onvif")])
def test_a_reolink_is_found_in_each_of_its_ways(snapshot, lan, forms):
    lan.camera(CAMERAS[0], "--model", "RLC-1224A", "--mac", "ec:71:db:12:34:56", "--uid", "95270ABC", forms=forms)
    result = discover(snapshot, lan, "--json")
    (device,) = found(result).values()
    assert device["address"] == CAMERAS[0] and "reolink" in device["kinds"]
    assert (device.get("mac"), device.get("model")) == ("ec:71:db:12:34:56", "RLC-1224A")
    if "new" in forms:
        assert device["uid"] == "95270ABC"
    assert ("onvif" in device["kinds"]) == ("onvif" in forms)
    assert result.json["interfaces"] == [f"eth0 ({HERE}/24)"]
    assert result.wall < 3
    assert "ACCESSKEY" not in result.stdout + result.stderr


def test_several_are_told_apart_reolinks_first(snapshot, lan):
    lan.camera(CAMERAS[0], "--name", "Hof & Tor", "--model", "IPC-5", forms=["onvif"])
    lan.camera(CAMERAS[1], "--mac", "ec:71:db:00:00:02", forms=["old"])
    lan.camera(CAMERAS[2], "--mac", "ec:71:db:00:00:03")
    result = discover(snapshot, lan)
    assert [line.split()[0] for line in result.stdout.splitlines() if line[0] != "/"] == [CAMERAS[1], CAMERAS[2], CAMERAS[0]]
    assert 'ONVIF camera IPC-5 "Hof & Tor"' in result.stdout
    assert "ACCESSKEY" not in result.stdout


def test_hosts_that_answer_anything_do_no_harm(snapshot, lan):
    lan.camera(CAMERAS[0], forms=["old"])
    lan.start(sys.executable, HOSTILE, *CAMERAS[1:])
    result = discover(snapshot, lan, "--json")
    devices = found(result)
    assert devices[CAMERAS[0]]["mac"] == "ec:71:db:00:00:01"
    # Only addresses that have answered are listed, whatever an answer says.
    assert set(devices) <= {CAMERAS[0], *CAMERAS[1:]}
    assert result.rss < most_memory(60_000, 60_000) and result.wall < 4
    shown = discover(snapshot, lan).stdout
    assert "\x1b" not in shown and all(len(line) < 400 for line in shown.splitlines())


@pytest.mark.parametrize("count, is_cut", [(64, False), (65, True), (90, True)])
def test_more_than_are_listed_are_said(snapshot, lan, count, is_cut):
    lan.own("10.77.0.128/25")
    lan.start(sys.executable, HOSTILE, "--many", "10.77.0.130", count)
    result = discover(snapshot, lan, "--json")
    assert len(found(result)) == 64 and result.json["more"] is is_cut
    shown = discover(snapshot, lan).stdout
    assert bool(re.search(r"^and more: only the first \d+ are shown\n\Z", shown, re.M)) == is_cut, shown


def test_why_nothing_is_found(snapshot, lan):
    result = discover(snapshot, lan, code=69)
    assert f"nothing answered on eth0 ({HERE}/24)" in result.stderr and "VLAN" in result.stderr
    assert result.stdout == ""
    lan.cable(False)
    result = discover(snapshot, lan, code=69)
    assert "no network interface that is up" in result.stderr


def test_a_camera_beyond_broadcasts_is_asked_by_its_address(snapshot, lan):
    # It hears what is sent to its own address alone.
    lan.start(sys.executable, HOSTILE, "--unicast", CAMERAS[0])
    assert found(discover(snapshot, lan, "--json", code=69)) == {}
    assert set(found(discover(snapshot, lan, "--json", CAMERAS[0]))) == {CAMERAS[0]}


def test_what_is_no_address_is_refused(snapshot):
    snapshot.run("discover", "camera.example").refuses(64, "IPv4")


def test_check_says_where_a_camera_is_whose_address_changed(snapshot, lan):
    lan.camera(CAMERAS[1], "--mac", "ec:71:db:0a:0b:0c")
    lan.camera(CAMERAS[2], "--mac", "ec:71:db:00:00:09")
    snapshot.set(CAMERA_IP=CAMERAS[0], CAMERA_PASSWORD="x", CAMERA_MAC="EC-71-DB-0A-0B-0C")

    def camera():
        checks = snapshot.run("check", "--json", prefix=lan.enter()).json["checks"]
        return next(c for c in checks if c["name"] == "camera")
    # Answers are datagrams, for which a check waits 2 s: on a busy machine they may be late.
    told = wait_until(lambda: (found := camera()).get("facts") and found, 40, "the camera")
    assert f"sees it at {CAMERAS[1]} now" in told["hint"] and told["facts"] == {"seen_at": CAMERAS[1]}
    # A camera with another hardware address isn't taken for ours.
    snapshot.set(CAMERA_MAC="ec:71:db:99:99:99")
    assert "sees it" not in camera()["hint"]


def test_a_hardware_address_that_is_none_is_refused(snapshot, lan):
    snapshot.set(CAMERA_IP=CAMERAS[0], CAMERA_MAC="here")
    result = snapshot.run("check", prefix=lan.enter())
    assert "refused CAMERA_MAC='here'" in result.stdout

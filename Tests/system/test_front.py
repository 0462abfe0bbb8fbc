"""What the web front's user may reach on a real system: the state, and pictures where they are switched on; no more."""

import shutil

import pytest

from installed import wait_for
from test_relay import SERVER, URL
from test_web import ask

STATE = "/var/lib/snapshot"
HEALTH = {f"{STATE}/state.jsonl", f"{STATE}/relay.json", f"{STATE}/yard/state.jsonl", f"{STATE}/yard/relay.json"}
UNITS = "snapshot-relay.service snapshot-relay@yard.service"


def use(box, **more):
    """Both cameras take pictures and stream with settings that have `more`."""
    video = {"CAMERA_URL": URL, "CAMERA_IP": "", "STREAM_MODE": "hls,record", "HLS_SEGMENT_TIME": "1s", "SEGMENT_TIME": "2s",
             "CAPTURE_INTERVAL": "1h", **more}
    for instance in ("", "yard"):
        box.settings(instance, **video)
    box.run(f"systemctl restart {UNITS}", timeout=120)
    box.run("systemctl start snapshot.service snapshot@yard.service", timeout=120)
    for folder in (STATE, f"{STATE}/yard"):
        wait_for(lambda: box.out(f"find {folder}/stream_output/record -maxdepth 1 -name '*.mp4'", check=False), 40, "a recording")
        wait_for(lambda: box.run(f"test -e {folder}/stream_output/hls/stream.m3u8", check=False).returncode == 0, 20, "a stream")
        wait_for(lambda: box.run(f"test -e {folder}/relay.json", check=False).returncode == 0, 20, "a report")


@pytest.fixture(scope="module")
def box(machine):
    """Two cameras, one an instance, with pictures, streams and recordings, and the front before them."""
    shutil.copy(SERVER, machine.root / "root/rtsp_server.py")
    machine.run("systemd-run --collect --unit=rtsp-camera /usr/bin/python3 /root/rtsp_server.py --port=8554")
    wait_for(lambda: machine.run("ffprobe -v error -rtsp_transport tcp " + URL, check=False).returncode == 0, 20, "a stream")
    use(machine)
    machine.run("systemctl start snapshot-web.socket")
    yield machine
    machine.run(f"systemctl stop {UNITS} snapshot-web.socket snapshot-web.service rtsp-camera.service")
    machine.run(f"rm -rf /etc/snapshot/web.env /etc/snapshot/yard.env {STATE}/yard {STATE}/relay.json {STATE}/stream_output /run/snapshot/*")
    machine.settings()


def reached(box, right: str, user: str = "snapshot-web") -> set[str]:
    """All files and folders of ours that a user has a right to."""
    places = f"{STATE} /run/snapshot /etc/snapshot"
    kind = "-type f" if right == "readable" else ""
    return set(box.out(f"runuser -u {user} -- find {places} {kind} -{right} 2>/dev/null", check=False).split())


def front(box, text: str):
    box.write("/etc/snapshot/web.env", text, 0o640)
    box.run("systemctl stop snapshot-web.service")


def test_it_has_a_group_of_its_own_and_no_other(box):
    assert box.out("id -Gn snapshot-web") == "snapshot-web"
    assert "snapshot-web" not in box.out("getent group snapshot").split(":")[3].split(",")
    ask(box)
    pid = box.property("snapshot-web.service", "MainPID")
    groups = box.out(f"grep -E '^(Gid|Groups)' /proc/{pid}/status").split()
    assert set(groups) - {"Gid:", "Groups:"} == {box.out("getent group snapshot-web").split(":")[2]}


def test_it_reads_the_state_and_nothing_else_and_writes_nothing(box):
    assert reached(box, "readable") == HEALTH
    assert reached(box, "writable") == set()
    assert reached(box, "readable", "nobody") == set()
    status = ask(box, "/metrics")[1].decode()
    assert 'camera="yard"' in status


@pytest.mark.parametrize("lock", ["lock", "relay.lock", "yard/lock", "yard/relay.lock", "stream_output/.relay.lock"])
def test_it_cannot_hold_a_lock(box, lock):
    for kind in ("--shared", "--exclusive"):
        done = box.run(f"runuser -u snapshot-web -- flock --nonblock {kind} {STATE}/{lock} true", check=False)
        assert done.returncode != 0 and "Permission denied" in done.stderr, done.stderr


def test_a_state_of_an_older_version_is_closed_by_the_next_run(box):
    for folder in (STATE, f"{STATE}/yard"):
        box.run(f"cd {folder} && chmod 640 lock relay.lock && cp state.jsonl s && chown snapshot: s && chmod 640 s && mv s state.jsonl")
    assert reached(box, "readable") < HEALTH
    box.run("systemctl start snapshot.service snapshot@yard.service")
    box.run(f"systemctl restart {UNITS}")
    assert reached(box, "readable") == HEALTH
    for lock in ("lock", "relay.lock", "yard/lock", "yard/relay.lock"):
        assert box.out(f"stat -c %a {STATE}/{lock}") == "600"


def test_pictures_made_by_hand_are_private_too(box):
    box.run(f"runuser -u snapshot -- sh -c 'umask 022; cd {STATE}; snapshot capture --set LOCAL_STORAGE_PATH={STATE}/byhand"
            " --config /etc/snapshot/snapshot.env'")
    assert box.out(f"find {STATE}/byhand -name '*.jpg'")
    assert reached(box, "readable") == HEALTH and reached(box, "readable", "nobody") == set()
    box.run(f"rm -r {STATE}/byhand")


def test_what_only_the_front_switches_on_is_not_shown_and_said(box):
    front(box, "WEB_IMAGES=true\n")
    assert ask(box, "/latest.jpg")[0] == 404
    for path in ("/live/hls/stream.m3u8", "/live/yard/hls/stream.m3u8"):
        status, body = ask(box, path)
        assert status == 503 and b"WEB_IMAGES=true" in body, path
    assert b"cannot be read" in ask(box, "/recordings/")[1]
    assert reached(box, "readable") == HEALTH


def test_what_all_switch_on_is_shown(box):
    use(box, WEB_IMAGES="true")
    front(box, "WEB_IMAGES=true  # for everybody on this machine\n")
    shown = reached(box, "readable") - HEALTH
    names = {name.rpartition("/")[2] for name in shown}
    assert {"/run/snapshot/latest.jpg", "/run/snapshot/yard/latest.jpg", f"{STATE}/stream_output/hls/stream.m3u8",
            f"{STATE}/yard/stream_output/hls/stream.m3u8"} <= shown
    assert all(name.endswith((".jpg", ".m3u8", ".ts", ".m4s", ".mp4")) for name in names), names
    assert not any("/snapshots/" in name or "/spool/" in name or "/." in name for name in shown), shown
    assert reached(box, "writable") == set() and reached(box, "readable", "nobody") == set()
    for path in ("/latest.jpg", "/latest/yard.jpg"):
        assert ask(box, path)[1][:2] == b"\xff\xd8", path
    for camera, instance in (("", ""), ("yard/", "yard/")):
        status, playlist = ask(box, f"/live/{camera}hls/stream.m3u8")
        assert status == 200
        segment = [line for line in playlist.decode().splitlines() if not line.startswith("#")][-1]
        assert ask(box, f"/live/{camera}hls/{segment}")[0] == 200
        # Also one from before it was switched on.
        folder = f"{STATE}/{instance}stream_output/record"
        for name in box.out(f"find {folder} -maxdepth 1 -name '*.mp4' -printf '%f\\n' | sort").split()[:3]:
            status, film = ask(box, f"/recordings/{camera}{name}")
            assert status == 200 and film[4:8] == b"ftyp", name
    assert b"cannot be read" not in ask(box, "/recordings/")[1]


def test_what_is_switched_off_again_is_taken_back(box):
    use(box)
    assert reached(box, "readable") == HEALTH
    assert ask(box, "/latest.jpg")[0] == 404 and ask(box, "/live/hls/stream.m3u8")[0] == 503


def test_it_obeys_no_settings_of_the_services_user(box):
    box.run("rm /etc/snapshot/web.env; systemctl stop snapshot-web.service")
    for folder in (STATE, "/run/snapshot"):
        box.run(f"runuser -u snapshot -- sh -c 'echo WEB_IMAGES=true >{folder}/.env'")
    assert b"not switched on" in ask(box, "/latest.jpg")[1]
    assert ask(box, "/health")[0] == 200
    box.run(f"rm {STATE}/.env /run/snapshot/.env")
    # The unit names its settings file, so it reads no ./.env.
    assert "--config" in box.property("snapshot-web.service", "ExecStart")


def test_settings_that_are_wrong_cost_no_health(box):
    front(box, "WEB_IMAGES=true\nWEB_TOKEN=short\n")
    cursor = box.cursor()
    status, body = ask(box, "/latest.jpg")
    assert status == 403 and b"WEB_TOKEN" in body and b"short" not in body
    assert ask(box, "/health")[0] == 200 and b"16 bytes" in ask(box, "/")[1]
    assert any("WEB_TOKEN" in line for line in box.whole_journal(cursor))
    box.run("rm /etc/snapshot/web.env; systemctl stop snapshot-web.service")

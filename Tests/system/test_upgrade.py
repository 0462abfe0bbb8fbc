"""0.2.2 with all that people set up on it is replaced by the package that was just built, and put back again."""

import re
import shutil
import time

import pytest

from field import HOME_CAM, STATE, STORE, TOKEN, Field
from installed import PASSWORD, Installed, wait_for
from released import released

RESIDENT = ("snapshot.timer", "snapshot@front.timer", "snapshot-web.socket", "snapshot-relay.service")


@pytest.fixture(scope="module")
def field(package, simulator, is_long):
    """The box after the upgrade, with what was noted of it before."""
    old = released(may_build=is_long)
    if old is None:
        pytest.skip("no package of 0.2.2 in .build-0.2.2: the long form builds it, in a clone with its history")
    box = Installed("upgrade")
    try:
        shutil.copy(simulator, box.root / "usr/local/bin")
        (box.root / "var/lib/man-db/auto-update").unlink(missing_ok=True)
        box.boot()
        box.install(old)
        shutil.copy(old, box.root / "root/old.deb")
        shutil.copy(package, box.root / "root/new.deb")
        field = Field(box)
        field.set_up()
        upgrade(field)
        yield field
    finally:
        box.stop()


def upgrade(field: Field):
    """Replaces the package while a capture and the relay run; notes what was before, and what was said."""
    box = field.box
    field.before = {camera: field.health(camera) for camera in ("door", "front", "yard")}
    field.stored = field.sums()
    field.spooled = field.spool()
    field.units = unit_states(box)
    field.relay = box.property("snapshot-relay.service", "MainPID")
    field.cursor = box.cursor()
    box.run("curl -s -X POST 'http://127.0.0.1:8000/simulator/fault?name=slow:4000&count=1'")
    box.run("systemctl start --no-block snapshot@yard.service")
    wait_for(lambda: box.property("snapshot@yard.service", "ActiveState") == "activating", 5, "a running capture")
    field.began = time.time()
    done = box.run("dpkg -i /root/new.deb", timeout=120)
    field.ended = time.time()
    field.said = done.stdout + done.stderr


def unit_states(box) -> dict[str, str]:
    told = box.out("systemctl list-unit-files --no-legend --plain 'snapshot*'").splitlines()
    return {line.split()[0]: line.split()[1] for line in told}


def as_front(box, command: str):
    return box.run(["runuser", "-u", "snapshot-web", "--", "sh", "-c", command], check=False)


def captured(field: Field, camera: str, more: int):
    """Waits for further pictures of a timer, and returns its health."""
    count = field.health(camera)["total_captures"]
    wait_for(lambda: field.health(camera)["total_captures"] >= count + more, 30, f"{more} pictures of {camera}")
    return field.health(camera)


def test_what_was_stored_is_still_there(field):
    assert field.stored <= field.sums()


@pytest.mark.parametrize("camera", ["door", "front"])
def test_no_timer_leaves_out_a_picture(field, camera):
    health = captured(field, camera, 3)
    assert health["total_captures"] > field.before[camera]["total_captures"]
    assert health["capture_failures"] == field.before[camera]["capture_failures"]
    assert health["total_captures"] == health["total_uploads"] == len(field.pictures(camera))
    # Health may rightly complain of other things, such as this machine's clock.
    assert not {"state_reset", "camera_credentials_refused", "frozen"} & set(health["reasons"])
    times = [one for one in field.times(camera) if one > field.began - 5]
    assert max(later - earlier for earlier, later in zip(times, times[1:])) < 5, times


def test_what_is_resident_runs_on_in_its_new_version(field):
    box = field.box
    for unit in RESIDENT:
        assert box.property(unit, "ActiveState") == "active", unit
    assert box.out("systemctl list-units --state=failed --no-legend --plain 'snapshot*'") == ""
    process = box.property("snapshot-relay.service", "MainPID")
    assert process != field.relay
    assert box.out(f"readlink /proc/{process}/exe") == "/usr/bin/snapshot"
    wait_for(lambda: field.health("door")["relay"]["state"] == "running", 20, "video")
    assert field.front("/health")[0] in (200, 503)
    assert field.front("/livez")[0] == 200


def test_no_recording_is_torn_by_the_restart(field):
    before = set(field.recordings())
    wait_for(lambda: len(set(field.recordings()) - before) >= 2, 30, "recordings of the new version")
    for recording in field.recordings():
        assert field.box.run(f"ffmpeg -v error -i {recording} -f null -").stderr == "", recording


def test_a_capture_that_was_running_ends_well(field):
    wait_for(lambda: field.box.property("snapshot@yard.service", "ActiveState") == "inactive", 20, "its end")
    assert field.health("yard")["total_captures"] == field.before["yard"]["total_captures"] + 1


def test_people_find_their_choices_as_they_made_them(field):
    """Drop-ins, what is enabled, disabled and masked, and nothing else started."""
    box = field.box
    states = unit_states(box)
    assert {unit: state for unit, state in states.items() if unit in field.units} == field.units
    assert states["snapshot@away.timer"] == "masked"
    for unit in ("snapshot@spare.timer", "snapshot@away.timer", "snapshot@yard.timer", "snapshot-relay@front.service"):
        assert box.property(unit, "ActiveState") == "inactive", unit
    assert "*:*:00/2 UTC" in box.property("snapshot.timer", "TimersCalendar")
    assert "*:*:00/2 UTC" in box.property("snapshot@front.timer", "TimersCalendar")
    assert "/mnt/pictures" in box.property("snapshot.service", "ReadWritePaths")


def test_groups_and_modes_are_the_new_ones(field):
    box = field.box
    captured(field, "front", 1)
    assert box.out("id -Gn snapshot-web").split() == ["snapshot-web"]
    assert box.out("id -gn snapshot") == "snapshot"
    assert box.out("stat -c '%A %U:%G' /etc/snapshot") == "drwxr-x--- root:snapshot"
    assert box.out("find /etc/snapshot -type f -perm /007") == ""
    for file in ("snapshot.env", "front.env", "by-hand.env"):
        assert box.run(f"runuser -u snapshot -- cat /etc/snapshot/{file}").stdout, file
    private = [f"{STATE}/{name}" for name in (
        "session.json", "front/session.json", "front/stored.log", "yard/spool", "front/snapshots")]
    for path in (*private, "/mnt/pictures/door", "/etc/snapshot/front.env", "/etc/snapshot/web.env"):
        done = as_front(box, f"ls {path}/ || cat {path}")
        assert done.returncode != 0 and done.stdout == "", path
    for state in (f"{STATE}/", f"{STATE}/front/"):
        assert "seq" in as_front(box, f"cat {state}state.jsonl").stdout
        lock = as_front(box, f"flock --nonblock --shared {state}lock true")
        assert lock.returncode != 0 and "Permission denied" in lock.stderr, lock.stderr
    assert "running" in as_front(box, f"cat {STATE}/relay.json").stdout


def test_the_front_still_shows_all_cameras(field):
    status, body = field.front("/metrics")
    assert status == 200
    for camera in ("front", "yard"):
        assert f'camera="{camera}"' in body


def test_a_token_that_is_too_short_is_told_everywhere(field):
    box = field.box
    assert re.search(r"WEB_TOKEN.*/etc/snapshot/web\.env.*16 bytes", field.said), field.said
    assert TOKEN not in field.said
    status, page = field.front("/")
    assert "WEB_TOKEN" in page and "16" in page, (status, page)
    assert field.front("/latest.jpg", TOKEN)[0] == 403
    told = "\n".join(box.journal("snapshot-web", f"--after-cursor={field.cursor}"))
    assert "WEB_TOKEN" in told and "16" in told, told
    check = box.run("snapshot check --config /etc/snapshot/snapshot.env", check=False)
    assert "WEB_TOKEN" in check.stdout + check.stderr, check.stdout
    # A token as long as the message asks for works.
    box.write("/etc/snapshot/web.env", "WEB_IMAGES=true\nWEB_TOKEN=0123456789abcdef\n", 0o640)
    box.run("systemctl try-restart snapshot-web.service")
    captured(field, "door", 1)
    assert field.front("/latest.jpg", "0123456789abcdef")[0] == 200
    assert field.front("/live/hls/stream.m3u8", "0123456789abcdef")[0] == 200
    assert field.front("/latest.jpg", "0123456789abcdee")[0] == 401


def test_state_that_root_has_left_is_told(field):
    told = re.search(rf"can't write what is root's in {STATE}/attic: (chown .*)", field.said)
    assert told, field.said
    field.box.run(told[1] + " && systemctl start snapshot@attic.service")
    assert field.health("attic")["total_captures"] == 2


def test_settings_of_a_users_folder_under_roots_cron_are_told(field):
    box = field.box
    assert re.search(rf"{HOME_CAM}/\.env.*--config", field.said), field.said
    before = field.pictures("home")
    told = box.run(f"cd {HOME_CAM} && snapshot capture", check=False)
    assert ".env is not used" in told.stderr and "--config" in told.stderr, told.stderr
    # The settings of the service take its place, with the service's credentials: no camera is to lock an account.
    assert "refuse" not in told.stderr, told.stderr
    assert field.pictures("home") == before
    # What the message advises works.
    box.run(f"cd {HOME_CAM} && snapshot capture --config {HOME_CAM}/.env")
    assert len(field.pictures("home")) == len(before) + 1


def test_settings_of_the_user_whose_cron_it_is_are_obeyed_as_before(field):
    assert "/home/pi/own" not in field.said
    told = field.box.run("runuser -u pi -- sh -c 'cd /home/pi/own && snapshot capture'")
    assert told.stderr == "" and "stored" in told.stdout, told.stdout


def test_the_spool_empties_itself_into_a_store_that_is_back(field):
    box = field.box
    box.write("/root/store.py", STORE)
    box.run("mkdir -p /root/store && systemd-run --unit=store python3 /root/store.py 8090 /root/store")
    def empty():
        box.run("systemctl start snapshot@yard.service")
        return field.health("yard")["spool"]["count"] == 0
    wait_for(empty, 60, "an empty spool")
    health = field.health("yard")
    assert health["total_captures"] == health["total_uploads"] + health["spool"]["dropped"]
    got = {path.read_bytes() for path in (box.root / "root/store").iterdir()}
    # The oldest may have made room for the picture that was under way.
    missing = [number for number, picture in sorted(field.spooled.items()) if picture not in got]
    dropped = health["spool"]["dropped"] - field.before["yard"]["spool"]["dropped"]
    assert missing == sorted(field.spooled)[:dropped], missing


def test_the_pin_is_taken_over(field):
    """The pinned camera is trusted and another key refused, also after session.json was removed."""
    box = field.box
    captured(field, "door", 1)
    box.run("systemctl stop snapshot.timer secure-camera")
    box.run("openssl req -x509 -newkey rsa:2048 -nodes -days 9 -subj /CN=impostor -keyout /root/other.key -out /root/other.crt 2>&1"
            "&& cat /root/other.key /root/other.crt >/root/other.pem")
    field.start_secure_camera("/root/other.pem", log="/root/impostor.log")
    for throw_away in ("true", f"rm {STATE}/session.json"):
        box.run(throw_away)
        box.run("systemctl start snapshot.service")
        assert box.property("snapshot.service", "ExecMainStatus") == "77"
        assert "pinned" in "\n".join(box.journal("snapshot", "-n", "5"))
    assert box.out("cat /root/impostor.log", check=False) == ""
    box.run("systemctl stop secure-camera")
    field.start_secure_camera("/root/camera.pem")
    box.run("systemctl start snapshot.service snapshot.timer")
    captured(field, "door", 2)


def test_the_version_before_can_be_put_back(field):
    box = field.box
    before = {camera: field.health(camera)["total_captures"] for camera in ("door", "front")}
    stored = field.sums()
    # 0.2.2 can't be set up beside a unit that was enabled and then masked.
    box.run("systemctl unmask snapshot@away.timer && systemctl disable snapshot@away.timer && dpkg -i /root/old.deb", timeout=120)
    for camera, count in before.items():
        health = captured(field, camera, 2)
        assert health["total_captures"] > count and "state_reset" not in health["reasons"], health
    assert stored <= field.sums()
    for unit in RESIDENT:
        assert box.property(unit, "ActiveState") == "active", unit
    assert field.front("/health")[0] in (200, 503) and '"total_captures":0' not in field.front("/health/front")[1]
    wait_for(lambda: field.health("door")["relay"]["state"] == "running", 20, "video")
    for state in ("", "front/"):
        assert box.out(f"find {STATE}/{state} -maxdepth 1 -name 'state.jsonl.bad*'") == ""

"""snapshot check as people run it on a machine with the package: whoever they are, it speaks for the service."""

import json
import shutil

import pytest

SETTINGS = "--config /etc/snapshot/snapshot.env"
AS_SERVICE = "runuser -u snapshot -- "


@pytest.fixture
def ready(machine):
    machine.settings()
    yield machine
    machine.settings()


def check(machine, code: int, before: str = "") -> dict[str, list[dict]]:
    """What check says, by name."""
    done = machine.run(f"{before}snapshot check --json {SETTINGS}", check=False)
    assert done.returncode == code, done.stdout + done.stderr
    found = {}
    for line in json.loads(done.stdout)["checks"]:
        found.setdefault(line["name"], []).append(line)
    return found


def strangers(machine) -> str:
    return machine.out("find /var/lib/snapshot /run/snapshot ! -user snapshot")


def test_root_checks_with_the_units_secrets_and_the_services_rights(ready):
    found = check(ready, 0)
    assert all(line["result"] == "passed" for name in ("settings", "camera", "login", "picture", "state", "storage")
               for line in found[name]), found
    assert strangers(ready) == ""
    ready.run("install -d -m 755 /srv/pictures")
    ready.settings(LOCAL_STORAGE_PATH="/srv/pictures")
    (storage,) = check(ready, 75)["storage"]
    assert "Read-only file system" in storage["found"], "root itself could write there"


def test_the_services_user_is_told_who_may_read_its_password(ready):
    found = check(ready, 78, AS_SERVICE)
    told = next(line for line in found["settings"] if line["result"] == "failed")
    assert "no password: it may be in /etc/snapshot/credentials" in told["found"]
    # What the hint says is what works; these machines have no sudo, and root needs none.
    command = told["hint"].removeprefix("sudo ")
    assert ready.run(command).stdout.endswith("all that is necessary works\n")


def test_the_services_user_needs_nobody_where_the_settings_have_the_password(ready):
    password = (ready.root / "etc/snapshot/credentials/camera_password").read_text()
    ready.settings(CAMERA_PASSWORD=f'"{password}"')
    shutil.rmtree(ready.root / "etc/snapshot/credentials")
    try:
        assert check(ready, 0, AS_SERVICE)["login"][0]["result"] == "passed"
    finally:
        ready.run("install -d -m 700 /etc/snapshot/credentials")


def test_a_folder_that_the_confined_service_may_not_write(ready):
    ready.run("install -d -o snapshot -g snapshot -m 755 /srv/pictures")
    ready.settings(LOCAL_STORAGE_PATH="/srv/pictures")
    remark = next(line for line in check(ready, 75)["units"] if "isn't allowed to write" in line["found"])
    ready.run("systemctl start snapshot.service")
    assert "spooling" in ready.health()["reasons"], "check was right"
    # What the hint says is what works; these machines have no sudo, and root needs none.
    ready.run(remark["hint"].replace("sudo ", ""))
    assert not any("isn't allowed to write" in line["found"] for line in check(ready, 0)["units"])
    ready.run("systemctl start snapshot.service")
    assert ready.health()["status"] == "healthy" and list((ready.root / "srv/pictures").rglob("*.jpg"))
    ready.run("rm -r /etc/systemd/system/snapshot.service.d && systemctl daemon-reload")


def test_a_hold_off_that_root_ends_leaves_the_state_to_the_service(ready):
    ready.run("systemctl start snapshot.service")
    ready.write("/etc/snapshot/credentials/camera_password", "not this one", 0o600)
    ready.run("systemctl start snapshot.service")
    assert ready.health()["reasons"][:1] == ["camera_credentials_refused"]
    # The camera's password is changed to what the settings say.
    unit = ready.root / "etc/systemd/system/camera.service"
    kept = unit.read_text()
    unit.write_text(kept[:kept.index("--password")] + '--password "not this one"\n')
    ready.run("systemctl daemon-reload && systemctl restart camera")
    try:
        assert any("takes the credentials again" in line["found"] for line in check(ready, 0)["hold-off"])
        assert strangers(ready) == ""
        ready.run("systemctl start snapshot.service")
        assert ready.health()["status"] == "healthy"
    finally:
        unit.write_text(kept)
        ready.run("systemctl daemon-reload && systemctl restart camera")


def test_an_instance_is_checked_with_its_own(ready):
    ready.settings("yard", CAMERA_NAME="yard", STATE_PATH="/var/lib/snapshot/yard")
    ready.run("systemctl enable --now snapshot@yard.timer && systemctl start snapshot@yard.service")
    try:
        done = ready.run("snapshot check --config /etc/snapshot/yard.env")
        assert "✓ units     snapshot@yard.timer runs every 10s, as CAPTURE_INTERVAL says" in done.stdout
        assert "/var/lib/snapshot/yard can be written" in done.stdout
    finally:
        ready.run("systemctl disable --now snapshot@yard.timer; rm -r /etc/snapshot/yard.env /var/lib/snapshot/yard")

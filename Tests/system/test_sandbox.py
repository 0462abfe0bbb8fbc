"""What the service's sandbox forbids: `snapshot check`, typed by root, has the same result as the next capture."""

import json

import pytest

SETTINGS = "--config /etc/snapshot/snapshot.env"
DROP_IN = "/etc/systemd/system/snapshot.service.d/sandbox.conf"
OWNED = "install -d -o snapshot -g snapshot -m 755 "
PICTURE = "install -d -m 755 /home/pi && cp /var/lib/snapshot/still.jpg /home/pi/still.jpg && chmod 644 /home/pi/still.jpg"

LENT = {"STORAGE_BACKEND": "s3", "S3_BUCKET": "pictures", "S3_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_CONFIG_FILE": "/etc/snapshot/aws.conf"}
LENDER = """#!/bin/sh
[ "$1" = "two words" ] && echo '{"Version":1,"AccessKeyId":"ASIA","SecretAccessKey":"secretsecret"}'
"""
PROFILE = "printf '[default]\\ncredential_process={} \"two words\"\\n' >/etc/snapshot/aws.conf"

CASES = {
    "as packaged": (0, {}, "", "true"),
    "a folder of its own, that the sandbox keeps read-only": (75, {"LOCAL_STORAGE_PATH": "/srv/out"}, "", OWNED + "/srv/out"),
    "the same, allowed": (0, {"LOCAL_STORAGE_PATH": "/srv/out"}, "ReadWritePaths=-/srv/out", OWNED + "/srv/out"),
    "a folder below /mnt that isn't there": (75, {"LOCAL_STORAGE_PATH": "/mnt/disk/out"}, "ReadWritePaths=-/mnt/disk", "true"),
    "a folder in the service's own /tmp": (78, {"LOCAL_STORAGE_PATH": "/tmp/out"}, "", OWNED + "/tmp/out"),
    "a state in the service's own /var/tmp": (78, {"STATE_PATH": "/var/tmp/out"}, "", OWNED + "/var/tmp/out"),
    "a folder in everybody's /tmp": (
        0, {"LOCAL_STORAGE_PATH": "/tmp/out"}, "PrivateTmp=no\nReadWritePaths=-/tmp/out", OWNED + "/tmp/out"),
    "a path that the sandbox insists on": (78, {}, "ReadWritePaths=/mnt/gone", "true"),
    "another that it insists on": (78, {}, "BindPaths=/mnt/gone:/srv", "true"),
    "a folder in a home": (75, {"LOCAL_STORAGE_PATH": "/home/pi/out"}, "", OWNED + "/home/pi/out"),
    "a folder in a home, read-only": (75, {"LOCAL_STORAGE_PATH": "/home/pi/out"}, "ProtectHome=read-only", OWNED + "/home/pi/out"),
    "a folder in a home, allowed": (
        0, {"LOCAL_STORAGE_PATH": "/home/pi/out"}, "ProtectHome=read-only\nReadWritePaths=-/home/pi/out", OWNED + "/home/pi/out"),
    "a picture in a home": (69, {"CAMERA_IP": "", "CAMERA_URL": "file:/home/pi/still.jpg"}, "", PICTURE),
    "a picture in everybody's /tmp": (
        78, {"CAMERA_IP": "", "CAMERA_URL": "file:/tmp/out/still.jpg"}, "", OWNED + "/tmp/out && cp /var/lib/snapshot/still.jpg /tmp/out/"),
    "a picture in a home, allowed": (
        0, {"CAMERA_IP": "", "CAMERA_URL": "file:/home/pi/still.jpg"}, "ProtectHome=read-only", PICTURE),
    "a program in a home": (
        69, {"CAMERA_IP": "", "CAMERA_URL": "exec:/home/pi/camera"}, "",
        PICTURE + " && printf '#!/bin/sh\\ncat /home/pi/still.jpg\\n' >/home/pi/camera && chmod 755 /home/pi/camera"),
    "a program that wants to write beside itself": (
        69, {"CAMERA_IP": "", "CAMERA_URL": "exec:/opt/camera"}, "",
        "printf '#!/bin/sh\\nset -e\\necho >/opt/log\\ncat /var/lib/snapshot/still.jpg\\n' >/opt/camera && chmod 755 /opt/camera "
        "&& install -o snapshot -m 644 /dev/null /opt/log"),
    "another user's credentials": (
        78, {"STORAGE_BACKEND": "s3", "S3_BUCKET": "pictures", "S3_ENDPOINT_URL": "http://127.0.0.1:9",
             "AWS_SHARED_CREDENTIALS_FILE": "/home/pi/.aws/credentials"}, "",
        "install -d -m 755 /home/pi/.aws && printf '[default]\\naws_access_key_id=AKIAEXAMPLE\\naws_secret_access_key=secretsecret\\n' "
        ">/home/pi/.aws/credentials"),
    "a program that gives keys, in a home": (
        77, LENT, "", "install -D -m 755 /usr/local/bin/lend /home/pi/lend && " + PROFILE.format("/home/pi/lend")),
    "a program that gives keys": (75, LENT, "", PROFILE.format("/usr/local/bin/lend")),
    "no network at all": (69, {}, "RestrictAddressFamilies=none\nRestrictAddressFamilies=AF_UNIX", "true"),
}

NAMES = {0: [], 69: ["camera"], 75: ["storage"], 77: ["storage"], 78: ["units"]}
"""What `snapshot check` names for each exit code."""


@pytest.fixture
def ready(machine):
    machine.settings()
    machine.run("systemctl start snapshot.service; f=$(find /var/lib/snapshot/snapshots -name '*.jpg' | head -1); "
                "cp \"$f\" /var/lib/snapshot/still.jpg && chmod 644 /var/lib/snapshot/still.jpg")
    machine.write("/usr/local/bin/lend", LENDER, 0o755)
    yield machine
    machine.run(f"systemctl stop snapshot.service; rm -rf {DROP_IN} /srv/out /tmp/out /var/tmp/out /home/pi /opt/camera /opt/log /usr/local/bin/lend /etc/snapshot/aws.conf /var/lib/snapshot/credentials.json /var/lib/snapshot/still.jpg; systemctl daemon-reload; "
                "systemctl reset-failed snapshot.service", check=False)
    machine.settings()


@pytest.mark.parametrize("case", CASES)
def test_check_comes_to_what_a_capture_comes_to(ready, case):
    code, settings, lines, prepare = CASES[case]
    ready.run(prepare)
    ready.settings(**settings)
    # Without RemainAfterExit= systemd forgets at once the exit code of a run that counts as successful.
    ready.write(DROP_IN, f"[Service]\nRemainAfterExit=yes\n{lines}\n")
    ready.run("systemctl daemon-reload")
    done = ready.run(f"snapshot check --json {SETTINGS}", check=False)
    assert done.returncode == code, done.stdout + done.stderr
    ready.run("systemctl start snapshot.service", check=False)
    status = int(ready.out("systemctl show --property=ExecMainStatus --value snapshot.service"))
    assert status == code or (status, code) == (226, 78), ready.journal("snapshot.service")[-5:]
    failed = [line["name"] for line in json.loads(done.stdout)["checks"] if line["result"] == "failed" and line["necessary"]]
    assert failed == (["settings"] if code == 78 and settings else NAMES[code]), failed
    # Nothing of it is left.
    assert ready.out("find /run -name 'snapshot-check*'; systemctl list-units --all --plain --no-legend 'snapshot-check*'") == ""


def test_it_prints_as_it_goes_and_for_people(ready):
    ready.run(OWNED + "/home/pi/out")
    ready.settings(LOCAL_STORAGE_PATH="/home/pi/out")
    done = ready.run(f"snapshot check {SETTINGS}", check=False)
    assert done.returncode == 75 and "✗ storage" in done.stdout and "ProtectHome=read-only" in done.stdout, done.stdout
    assert done.stdout.endswith("not ready: storage\n") and "\\u{" not in done.stdout


def test_an_instance_has_its_own_sandbox(ready):
    ready.run(OWNED + "/srv/out")
    ready.settings("yard", CAMERA_NAME="yard", STATE_PATH="/var/lib/snapshot/yard", LOCAL_STORAGE_PATH="/srv/out")
    ready.write("/etc/systemd/system/snapshot@yard.service.d/out.conf", "[Service]\nReadWritePaths=-/srv/out\n")
    ready.run("systemctl daemon-reload")
    try:
        ready.run("snapshot check --config /etc/snapshot/yard.env")
        assert ready.run(f"snapshot check --set LOCAL_STORAGE_PATH=/srv/out {SETTINGS}", check=False).returncode == 75
    finally:
        ready.run("rm -r /etc/snapshot/yard.env /var/lib/snapshot/yard /etc/systemd/system/snapshot@yard.service.d; systemctl daemon-reload")

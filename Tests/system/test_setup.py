"""`snapshot setup` on a fresh machine with systemd and the camera on its network: from the first key to the stored picture."""
import json
import stat
import sys
import time
from pathlib import Path

import pytest

from installed import PASSWORD, wait_for

sys.path.insert(0, str(Path(__file__).parents[1] / "kit"))
from dialogue import Dialogue  # noqa: E402

SETTINGS = "/etc/snapshot/snapshot.env"


@pytest.fixture
def machine(fresh):
    """A machine with a network, a camera that answers discovery, and nothing set up."""
    if fresh.run("ip link show lan0", check=False).returncode != 0:
        fresh.run("ip link add lan0 type veth peer name lan1 && ip addr add 10.9.0.2/24 dev lan0 && ip link set lan0 up && ip link set lan1 up")
        fresh.write(
            "/etc/systemd/system/found.service",
            "[Service]\nExecStart=/usr/local/bin/reolink-simulator --bind 10.9.0.2 --port 80 --discovery old --discovery new "
            f'--model RLC-823A --password "{PASSWORD.replace("%", "%%")}"\n')
        fresh.run("systemctl daemon-reload; systemctl start found")
        wait_for(lambda: fresh.run("curl -s -o /dev/null http://10.9.0.2/", check=False).returncode == 0, 20, "the camera")
    yield fresh
    fresh.run("systemctl disable --now snapshot.timer 'snapshot@yard.timer' snapshot-web.socket; systemctl stop snapshot-web.service", check=False)
    fresh.run("rm -rf /etc/systemd/system/snapshot* /etc/snapshot/*.env* /etc/snapshot/credentials/* /var/lib/snapshot/* /srv/pictures; "
              f"install -m 640 -g snapshot /usr/share/snapshot/snapshot.env {SETTINGS}; systemctl daemon-reload")


def facts(machine, path):
    file = (machine.root / path.lstrip("/")).stat()
    return oct(stat.S_IMODE(file.st_mode)), machine.out(["stat", "-c", "%U:%G", path])


def password_file(machine):
    machine.write("/root/password", PASSWORD + "\n", 0o600)
    return "/root/password"


def setup(machine, *arguments, code=0):
    done = machine.run(["snapshot", "setup", "--yes", "--json", *arguments], check=False, timeout=90)
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    return json.loads(done.stdout)


def test_played_through_a_terminal_in_under_a_minute(machine):
    begun = time.monotonic()
    with Dialogue(machine.argv(["snapshot", "setup"])) as it:
        it.expect(r"1  10\.9\.0\.2  Reolink RLC-823A")
        it.answer(r"number, address or URL \[10\.9\.0\.2\]", "1")
        it.answer("user", "")
        it.secret("password", PASSWORD)
        it.expect("picture +640×360")
        it.answer("1, 2 or 3", "")
        it.answer(r"folder \[/var/lib/snapshot/snapshots\]", "/srv/pictures")
        it.expect("/srv/pictures is made for user snapshot")
        it.answer("interval", "2s")
        it.answer("open it to the network", "")
        assert machine.run("systemctl is-enabled snapshot.timer", check=False).returncode != 0
        assert not (machine.root / "srv/pictures").exists()
        it.answer("Enter writes this", "")
        text = it.end()
    assert time.monotonic() - begun < 60
    picture = text.split("first picture: ")[1].split("\n")[0]
    assert picture.startswith("/srv/pictures/") and (machine.root / picture[1:]).read_bytes()[:2] == b"\xff\xd8"
    assert PASSWORD not in text
    assert facts(machine, SETTINGS) == ("0o640", "root:snapshot") == facts(machine, SETTINGS + ".bak")
    assert facts(machine, "/etc/snapshot/credentials/camera_password") == ("0o600", "root:root")
    assert facts(machine, "/etc/snapshot/credentials") == ("0o700", "root:root")
    assert facts(machine, "/srv/pictures")[1] == "snapshot:snapshot"
    assert PASSWORD not in (machine.root / SETTINGS[1:]).read_text()
    assert machine.out("systemctl is-enabled snapshot.timer") == "enabled"
    assert "every 2s, as CAPTURE_INTERVAL says" in machine.run("snapshot check", check=False).stdout


def test_by_options_and_again(machine):
    report = setup(machine, "--camera", "10.9.0.2", "--password-file", password_file(machine), "--every", "1m")
    assert report["changed"] and report["timer"] == "snapshot.timer"
    assert (machine.root / report["picture"][1:]).exists()
    again = setup(machine, "--camera", "10.9.0.2", "--password-file", password_file(machine), "--every", "1m")
    assert not again["changed"] and again["ok"]
    password = "/etc/snapshot/credentials/camera_password"
    machine.run(f"chmod 644 {password}; chown :snapshot {password}; chmod 666 {SETTINGS}")
    assert setup(machine, "--every", "1m")["written"] == [password, SETTINGS]
    assert facts(machine, password) == ("0o600", "root:root") and facts(machine, SETTINGS) == ("0o640", "root:snapshot")
    setup(machine, "--every", "5s")
    assert "*:*:00/5" in machine.property("snapshot.timer", "TimersCalendar")
    assert "CAPTURE_INTERVAL=5s" in (machine.root / SETTINGS[1:]).read_text()


def test_the_only_camera_is_taken_and_an_instance_has_its_own(machine):
    report = setup(machine, "--instance", "yard", "--password-file", password_file(machine), "--every", "3s", "--folder", "/home/ann/pictures dir")
    assert report["timer"] == "snapshot@yard.timer"
    assert report["picture"].startswith("/home/ann/pictures dir/yard/")
    assert "CAMERA_IP=10.9.0.2" in (machine.root / "etc/snapshot/yard.env").read_text()
    assert facts(machine, "/etc/snapshot/credentials/yard/camera_password") == ("0o600", "root:root")


def test_a_wrong_password_changes_nothing(machine):
    machine.write("/root/wrong", "nonsense\n", 0o600)
    before = (machine.root / SETTINGS[1:]).read_text()
    report = setup(machine, "--camera", "10.9.0.2", "--password-file", "/root/wrong", code=77)
    assert report["code"] == "camera-credentials" and "left" in report["error"]
    assert (machine.root / SETTINGS[1:]).read_text() == before
    assert not (machine.root / "etc/snapshot/credentials/camera_password").exists()
    assert not (machine.root / "etc/systemd/system/snapshot.timer.d").exists()


def test_the_page_is_opened_and_closed(machine):
    setup(machine, "--camera", "10.9.0.2", "--password-file", password_file(machine), "--every", "2s")
    page = setup(machine, "--web")["page"]
    assert page["address"] == "http://10.9.0.2:8080/" and len(page["password"]) >= 16
    assert facts(machine, "/etc/snapshot/web.env") == ("0o640", "root:snapshot")
    seen = f"curl -s -o /dev/null -w '%{{http_code}}' -u :{page['password']} {page['address']}"
    wait_for(lambda: machine.out(f"{seen}latest.jpg") == "200", 20, "the picture")
    assert machine.out(f"curl -s -o /dev/null -w '%{{http_code}}' {page['address']}latest.jpg") in ("401", "403")
    assert setup(machine, "--web")["page"] == page and not setup(machine, "--web")["changed"]
    setup(machine, "--no-web")
    for path in ("/etc/snapshot/web.env", SETTINGS):
        assert "WEB_IMAGES=\n" in (machine.root / path[1:]).read_text(), path
    assert machine.run(["curl", "-s", "--max-time", "5", page["address"]], check=False).returncode != 0
    assert machine.run("curl -s http://127.0.0.1:8080/livez", check=False).returncode == 0
    machine.write("/etc/systemd/system/snapshot-web.socket.d/own.conf", "[Socket]\nListenStream=10.9.0.2:8081\n")
    machine.run("systemctl daemon-reload")
    report = setup(machine, "--no-web", code=78)
    assert "cannot close the page at 10.9.0.2:8081" in report["error"] and "systemctl cat" in report["hint"]


def test_a_camera_with_another_address_is_told_and_taken_over(machine):
    setup(machine, "--camera", "10.9.0.2", "--password-file", password_file(machine), "--every", "2s")
    assert "CAMERA_MAC=ec:71:db:00:00:01" in (machine.root / SETTINGS[1:]).read_text()
    machine.run("ip addr add 10.9.0.77/24 dev lan0 && sed -i 's/10.9.0.2 /10.9.0.77 /' /etc/systemd/system/found.service && "
                "systemctl daemon-reload && systemctl restart found")
    try:
        wait_for(lambda: "10.9.0.77" in machine.run("snapshot discover", check=False).stdout, 20, "the camera")
        assert "discovery sees it at 10.9.0.77 now" in machine.run("snapshot check", check=False).stdout
        with Dialogue(machine.argv(["snapshot", "setup"])) as it:
            it.expect("answers from 10.9.0.77")
            it.expect("1 camera +10.9.0.77")
            it.answer("Enter writes this", "")
            it.end()
        assert "CAMERA_IP=10.9.0.77\n" in (machine.root / SETTINGS[1:]).read_text()
        assert (machine.root / "etc/snapshot/credentials/camera_password").read_text().strip() == PASSWORD
    finally:
        machine.run("sed -i 's/10.9.0.77 /10.9.0.2 /' /etc/systemd/system/found.service; systemctl daemon-reload; "
                    "systemctl restart found; ip addr del 10.9.0.77/24 dev lan0")


@pytest.mark.parametrize("folder", ["/", "/home/alice/pics/new/..", "/var/lib/snapshot/../x", "/home/alice/./pics", "/home/alice/pics", "//",
                                    "/proc/pictures", "/root/made-by-setup/pictures"])
def test_no_folder_of_somebody_elses_is_given_to_the_service(machine, folder):
    machine.run("mkdir -p /home/alice/pics && touch /home/alice/pics/holiday.jpg && chown -R daemon: /home/alice && chmod 700 /home/alice/pics /root")
    owners = ["/", "/root", "/home", "/home/alice", "/home/alice/pics", "/var/lib", "/usr"]
    before = machine.out(["stat", "-c", "%n %U %a", *owners])
    done = machine.run(["snapshot", "setup", "--yes", "--json", "--camera", "10.9.0.2", "--password-file", password_file(machine), "--folder", folder],
                       check=False, timeout=90)
    assert done.returncode != 0, done.stdout
    assert machine.out(["stat", "-c", "%n %U %a", *owners]) == before and not (machine.root / "root/made-by-setup").exists()
    assert {"/proc/pictures": "pseudo file system", "/root/made-by-setup/pictures": "user snapshot may not enter /root"}.get(folder, "") in done.stdout
    assert machine.run("systemctl is-active snapshot.timer", check=False).stdout.strip() != "active"


def test_what_a_failed_step_has_made_is_removed(machine):
    machine.run(f"mkdir -p /srv/empty {SETTINGS}.bak")
    before = (machine.root / SETTINGS[1:]).read_text()
    for folder in ("/srv/new/pictures", "/srv/empty"):
        report = setup(machine, "--camera", "10.9.0.2", "--password-file", password_file(machine), "--folder", folder, code=74)
        assert f"{SETTINGS}.bak" in report["error"] and "nothing has been changed" in report["error"]
    assert not (machine.root / "srv/new").exists() and facts(machine, "/srv/empty")[1] == "root:root"
    assert (machine.root / SETTINGS[1:]).read_text() == before
    assert not (machine.root / "etc/snapshot/credentials/camera_password").exists()
    assert not (machine.root / "etc/systemd/system/snapshot.timer.d").exists()

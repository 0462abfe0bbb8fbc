"""Commands typed by root: they work as the service's user, and leave nothing that the service can't use."""

import hashlib
import json
import zlib


def owners(machine, folder: str) -> set[str]:
    """Who owns what lies in a folder, the folder itself included."""
    return set(machine.out(f"find {folder} -printf '%u:%g\\n'").split())


def anew(machine, **settings):
    """No state, no pictures, as on a board on which the package was just installed."""
    machine.run("rm -rf /var/lib/snapshot")
    machine.settings(LOCAL_STORAGE_PATH="/var/lib/snapshot/snapshots", **settings)


def test_the_service_goes_on_where_root_began(machine):
    anew(machine)
    first = machine.run(["snapshot", "capture"])
    assert first.returncode == 0 and first.stdout.startswith("stored ")
    assert owners(machine, "/var/lib/snapshot") == {"snapshot:snapshot"}
    machine.run("systemctl start snapshot.service")
    assert len(machine.shots()) == 2
    assert machine.health()["total_uploads"] == 2
    assert owners(machine, "/var/lib/snapshot") == {"snapshot:snapshot"}


def test_a_check_by_root_leaves_nothing_of_roots(machine):
    anew(machine)
    machine.run(["snapshot", "check"], check=False)
    machine.run("systemctl start snapshot.service")
    assert len(machine.shots()) == 1
    assert owners(machine, "/var/lib/snapshot") == {"snapshot:snapshot"}


def test_a_unit_of_ones_own_without_a_user_becomes_the_owner(machine):
    anew(machine)
    for _ in range(2):
        machine.run(["systemd-run", "-q", "--wait", "/usr/bin/snapshot", "capture"])
    assert len(machine.shots()) == 2
    assert owners(machine, "/var/lib/snapshot") == {"snapshot:snapshot"}


def test_a_planted_entry_leads_root_nowhere(machine):
    """The service's user plants a spooled picture with a key of its choice, and a link in the folder of pictures."""
    anew(machine)
    machine.run("systemctl start snapshot.service")
    content = b"/root/evil.so\n"
    facts = json.dumps(
        {"key": "etc/ld.so.preload", "captured_at_ms": 1795835101294, "camera": "camera",
         "sha256": hashlib.sha256(content).hexdigest(), "clock": "synced", "content_type": "image/jpeg",
         "length": len(content), "boot": "x", "up": 1.0}, separators=(",", ":")).encode()[:-1]
    entry = content + facts + b',"crc":"%08x"}\n' % zlib.crc32(facts)
    spool = machine.root / "var/lib/snapshot/spool"
    (spool / "000000000000").mkdir(parents=True, exist_ok=True)
    (spool / f"000000000000/000000000099-{len(content)}.jpg").write_bytes(entry)
    (spool / "dirty").touch()
    machine.run("rm -rf /var/lib/snapshot/snapshots && ln -s / /var/lib/snapshot/snapshots")
    machine.run("chown -Rh snapshot:snapshot /var/lib/snapshot")
    for command in (["snapshot", "drain"], ["snapshot", "capture"]):
        machine.run(command, check=False)
    assert machine.run("test -e /etc/ld.so.preload", check=False).returncode != 0
    assert "root" not in {one.split(":")[0] for one in owners(machine, "/var/lib/snapshot")}
    anew(machine)

"""The package and `make install`: what they put where, what they keep, what they remove."""

import pathlib
import re
import subprocess

REPOSITORY = pathlib.Path(__file__).parents[2]


def test_lintian_finds_no_error(package):
    told = subprocess.run(["lintian", "--allow-root", "--fail-on=error", package], capture_output=True, text=True)
    assert told.returncode == 0, told.stdout


def test_depends_on_what_the_programs_link(package):
    depends = subprocess.run(["dpkg-deb", "-f", package, "Depends"], capture_output=True, text=True).stdout
    names = re.findall(r"(?:^|, )([a-z0-9.+-]+)", depends)
    assert {"libc6", "libcurl4", "libssl3", "ca-certificates"} <= set(names), depends
    assert "ffmpeg" in subprocess.run(["dpkg-deb", "-f", package, "Recommends"], capture_output=True, text=True).stdout


def test_nothing_is_enabled_or_started_unasked(machine):
    states = machine.out("systemctl list-unit-files --no-legend --plain 'snapshot*'").splitlines()
    assert len(states) == 8
    assert {line.split()[1] for line in states} == {"disabled", "static"}
    assert machine.out("systemctl list-units --no-legend --plain 'snapshot*'") == ""


def test_manuals_and_completions_are_there(machine):
    assert "snapshot \\- " not in machine.out("man snapshot")
    for name in ("snapshot", "snapshot-capture", "snapshot-health", "snapshot-schedule"):
        assert name in machine.out(["man", name])
        assert machine.run(f"man --warnings -E UTF-8 -l $(man -w {name}) >/dev/null").stderr == ""
    for shell, file in (("bash", "bash-completion/completions/snapshot"), ("zsh", "zsh/vendor-completions/_snapshot"),
                        ("fish", "fish/vendor_completions.d/snapshot.fish")):
        assert "health" in machine.out(["cat", f"/usr/share/{file}"]), shell
    machine.run("bash -n /usr/share/bash-completion/completions/snapshot")


def test_settings_and_state_outlive_removal_and_end_with_purge(machine, package):
    machine.settings(LOCAL_STORAGE_PATH="/var/lib/snapshot/snapshots", CAMERA_NAME="kept")
    machine.run("systemctl enable --now snapshot.timer && snapshot schedule 5s && systemctl start snapshot.service")
    machine.run("systemctl stop snapshot.timer snapshot.service")
    state = machine.out("sha256sum /var/lib/snapshot/state.jsonl")
    shots = machine.shots()
    assert shots

    machine.apt("remove", "snapshot")
    assert machine.run("command -v snapshot", check=False).returncode != 0
    assert machine.out("systemctl is-active snapshot.timer", check=False) == "inactive"
    assert machine.out("sha256sum /var/lib/snapshot/state.jsonl") == state
    assert "kept" in machine.out("cat /etc/snapshot/snapshot.env")

    machine.apt("install", "/root/snapshot.deb")
    assert "kept" in machine.out("cat /etc/snapshot/snapshot.env")
    # It had been enabled before, so it goes on.
    assert machine.out("systemctl is-active snapshot.timer") == "active"
    machine.run("systemctl stop snapshot.timer && systemctl start snapshot.service")
    assert set(shots) < set(machine.shots())
    assert machine.health()["total_captures"] > len(shots)

    machine.apt("purge", "snapshot")
    left = machine.out("find / -xdev '(' -path /proc -o -path /sys -o -path /root -o -path /usr/share/doc -o -path /work ')' "
                       "-prune -o -path '*/snapshot/*' -newer /root/snapshot.deb -print", check=False)
    for gone in ("/var/lib/snapshot", "/run/snapshot", "/etc/snapshot", "/etc/systemd/system/snapshot.timer.d",
                 "/etc/systemd/system/timers.target.wants/snapshot.timer"):
        assert machine.run(["test", "-e", gone], check=False).returncode != 0, gone
    del left
    machine.apt("install", "/root/snapshot.deb")


def test_make_install_is_idempotent_and_keeps_settings(tmp_path):
    def make(target):
        subprocess.run(
            ["make", "--no-print-directory", "-C", REPOSITORY, target, f"DESTDIR={tmp_path}/root", "PREFIX=/opt/snap",
             f"OUT={tmp_path}/out"], check=True, capture_output=True)
        return {path.relative_to(tmp_path / "root"): path.read_bytes()
                for path in (tmp_path / "root").rglob("*") if path.is_file()}

    settings = tmp_path / "root/etc/snapshot/snapshot.env"
    first = make("install")
    assert settings.stat().st_mode & 0o777 == 0o640
    assert make("install") == first
    settings.write_text("CAMERA_IP=192.0.2.1\n")
    make("install")
    assert settings.read_text() == "CAMERA_IP=192.0.2.1\n"
    assert b"ExecStart=/opt/snap/bin/snapshot capture" in first[pathlib.Path("opt/snap/lib/systemd/system/snapshot.service")]
    assert set(make("uninstall")) == {pathlib.Path("etc/snapshot/snapshot.env")}


def test_make_install_works_on_a_running_machine(machine):
    """Under /usr/local, beside nothing: units, users and folders are there, and the service runs."""
    machine.apt("purge", "snapshot")
    machine.run(["make", "--no-print-directory", "-C", REPOSITORY, "install", "OUT=/tmp/out"], timeout=120)
    machine.settings()
    machine.run("systemctl start snapshot.service && snapshot health")
    assert machine.property("snapshot.service", "FragmentPath") == "/usr/local/lib/systemd/system/snapshot.service"
    machine.run(["make", "--no-print-directory", "-C", REPOSITORY, "uninstall", "OUT=/tmp/out"])
    assert machine.run("command -v snapshot", check=False).returncode != 0
    assert machine.shots()

"""The package and `make install`: what they put where, what they keep, what they remove."""

import os
import pathlib
import re
import subprocess

import pytest

REPOSITORY = pathlib.Path(__file__).parents[2]
BIN = "BIN=" + os.environ.get("SNAPSHOT_BIN_DIR", ".build/release")


def test_lintian_finds_nothing(package):
    """In no package of this version, also not in one for another architecture if it was built."""
    version = package.stem.split("_")[1]
    for one in package.parent.glob(f"snapshot_{version}_*.deb"):
        told = subprocess.run(["lintian", "--allow-root", "--fail-on=error,warning", one], capture_output=True, text=True)
        assert (told.returncode, told.stdout) == (0, ""), told.stdout


def test_depends_on_what_the_programs_need(package):
    depends = subprocess.run(["dpkg-deb", "-f", package, "Depends"], capture_output=True, text=True).stdout
    names = re.findall(r"(?:^|, )([a-z0-9.+-]+)", depends)
    assert {"libc6", "libcurl4", "libssl3", "ca-certificates"} <= set(names), depends
    # Packed relocations and one of libcurl's options need these.
    assert "libc6 (>= 2.36)" in depends and "libcurl4 (>= 7.85)" in depends
    assert "ffmpeg" in subprocess.run(["dpkg-deb", "-f", package, "Recommends"], capture_output=True, text=True).stdout


def test_conflicts_with_the_other_program_of_its_name(package):
    assert subprocess.run(["dpkg-deb", "-f", package, "Conflicts"], capture_output=True, text=True).stdout.strip() == "gnome-snapshot"


def test_no_upgrade_asks_about_settings_that_somebody_edited(fresh, package):
    assert "conffiles" not in subprocess.run(["dpkg-deb", "-I", package], capture_output=True, text=True).stdout
    assert fresh.out("stat -c '%a %U:%G' /etc/snapshot/snapshot.env") == "640 root:snapshot"
    fresh.run("rm /etc/snapshot/snapshot.env && dpkg -i /root/snapshot.deb")
    assert fresh.run("test -e /etc/snapshot/snapshot.env", check=False).returncode != 0
    fresh.apt("purge", "snapshot")
    assert "snapshot: next, as root: snapshot setup" in fresh.out("dpkg -i /root/snapshot.deb 2>&1")
    assert "CAMERA_IP=" in fresh.out("runuser -u snapshot -- cat /etc/snapshot/snapshot.env")


@pytest.mark.parametrize("broken", ["exit 2", "echo misc:Depends=nothing"], ids=["fails", "finds nothing"])
def test_no_package_without_what_its_programs_need(tmp_path, broken):
    finder = tmp_path / "bin/dpkg-shlibdeps"
    finder.parent.mkdir()
    finder.write_text(f"#!/bin/sh\n{broken}\n")
    finder.chmod(0o755)
    done = subprocess.run(
        ["make", "--no-print-directory", "-C", REPOSITORY, "deb", BIN, f"OUT={tmp_path}/out"], capture_output=True, text=True,
        env={**os.environ, "PATH": f"{finder.parent}:{os.environ['PATH']}"})
    assert done.returncode != 0, done.stdout
    assert list(tmp_path.glob("out/*.deb")) == []


def test_nothing_is_enabled_or_started_unasked(fresh):
    states = fresh.out("systemctl list-unit-files --no-legend --plain 'snapshot*'").splitlines()
    assert len(states) == 8
    assert {line.split()[1] for line in states} == {"disabled", "static"}
    assert fresh.out("systemctl list-units --no-legend --plain 'snapshot*'") == ""


def test_the_installation_says_what_is_next_and_no_more(fresh):
    again = fresh.run(["/var/lib/dpkg/info/snapshot.postinst", "configure", ""])
    assert (again.stdout + again.stderr).splitlines() == ["snapshot: next, as root: snapshot setup"]


def test_manuals_and_completions_are_there(fresh):
    pages = fresh.out("dpkg -L snapshot | sed -n 's|^/usr/share/man/man./||p'").split()
    assert {"snapshot.7.gz", "snapshot.env.5.gz", "snapshot-web.1.gz", "snapshot-capture.1.gz"} <= set(pages)
    for name in (page.removesuffix(".gz") for page in pages):
        title, _, section = name.rpartition(".")
        assert title in fresh.out(["man", section, title])
        assert fresh.run(f"man --warnings -E UTF-8 -l $(man -w {section} {title}) >/dev/null").stderr == ""
    for program, word in (("snapshot", "health"), ("snapshot-web", "idle-exit")):
        for file in (f"bash-completion/completions/{program}", f"zsh/vendor-completions/_{program}", f"fish/vendor_completions.d/{program}.fish"):
            assert word in fresh.out(["cat", f"/usr/share/{file}"])
        fresh.run(f"bash -n /usr/share/bash-completion/completions/{program}")


def test_settings_and_state_outlive_removal_and_end_with_purge(fresh, package):
    fresh.settings(LOCAL_STORAGE_PATH="/var/lib/snapshot/snapshots", CAMERA_NAME="kept")
    fresh.run("systemctl enable --now snapshot.timer && snapshot schedule 5s && systemctl start snapshot.service")
    fresh.run("systemctl stop snapshot.timer snapshot.service")
    state = fresh.out("sha256sum /var/lib/snapshot/state.jsonl")
    shots = fresh.shots()
    assert shots

    fresh.apt("remove", "snapshot")
    assert fresh.run("command -v snapshot", check=False).returncode != 0
    assert fresh.out("systemctl is-active snapshot.timer", check=False) == "inactive"
    assert fresh.out("sha256sum /var/lib/snapshot/state.jsonl") == state
    assert "kept" in fresh.out("cat /etc/snapshot/snapshot.env")

    fresh.apt("install", "/root/snapshot.deb")
    assert "kept" in fresh.out("cat /etc/snapshot/snapshot.env")
    # It had been enabled before, so it goes on.
    assert fresh.out("systemctl is-active snapshot.timer") == "active"
    fresh.run("systemctl stop snapshot.timer && systemctl start snapshot.service")
    assert set(shots) < set(fresh.shots())
    assert fresh.health()["total_captures"] > len(shots)

    # As `snapshot setup` leaves them for a folder elsewhere, for a camera at this machine, and for the status page.
    fresh.run("mkdir /etc/systemd/system/snapshot-web.socket.d && cd /etc/systemd/system"
              " && touch snapshot.service.d/pictures.conf snapshot.service.d/camera.conf snapshot-web.socket.d/open-web.conf")
    fresh.apt("purge", "snapshot")
    for gone in ("/run/snapshot", "/etc/snapshot", "/etc/systemd/system/snapshot.timer.d", "/etc/systemd/system/snapshot.service.d",
                 "/etc/systemd/system/snapshot-web.socket.d", "/etc/systemd/system/timers.target.wants/snapshot.timer"):
        assert fresh.run(["test", "-e", gone], check=False).returncode != 0, gone
    fresh.apt("install", "/root/snapshot.deb")


# Below /var/lib/snapshot: what a camera gave, also where its names are like those of the state.
KEPT = {
    "snapshots/door/2026/11/28/a.jpg", "snapshots/hls/2026/b.jpg", "front/snapshots/flat", "archive/old/lock",
    "front/spool/000000000000/000000000007-9.jpg", "stream_output/record/20261128T052145Z.mp4",
    "stream_output/record/.writing/20261128T052149Z.mp4",
}
STATE = {
    "stream_output/hls/stream.m3u8", "stream_output/hls/.live-1.m3u8", "stream_output/hls/1.ts", "stream_output/.relay.lock",
    "front/spool/dirty", "front/spool/tmp/8", "front/.tls/8", "front/state.jsonl.bad-2", "front/relay.lock",
}


def test_purge_keeps_pictures_and_recordings_and_says_where(fresh):
    fresh.settings(LOCAL_STORAGE_PATH='"/srv/pictures of it" # the disk')
    fresh.run("mkdir '/srv/pictures of it' && chown snapshot '/srv/pictures of it'")
    fresh.drop_in("snapshot.service", '[Service]\nReadWritePaths="/srv/pictures of it"\n')
    fresh.run("rm -rf /var/lib/snapshot/snapshots; systemctl start snapshot.service; systemctl start snapshot-relay.service", check=False)
    for name in KEPT | STATE:
        fresh.write("/var/lib/snapshot/" + name, "something")
    # Root must not follow a link that the service's user has made.
    fresh.write("/root/elsewhere/state.jsonl", "not ours")
    fresh.run("ln -s /root/elsewhere /var/lib/snapshot/link; chown -Rh snapshot:snapshot /var/lib/snapshot")

    said = fresh.apt("purge", "snapshot")
    for folder in ("/var/lib/snapshot", "/srv/pictures of it"):
        assert f"pictures and recordings stay in {folder} (" in said, said
    assert set(fresh.out("cd /var/lib/snapshot && find . -type f -printf '%P\\n'").splitlines()) == KEPT
    assert fresh.out("cat /root/elsewhere/state.jsonl") == "not ours"
    assert fresh.out("find '/srv/pictures of it' -name '*.jpg'") != ""
    fresh.run("rm -r /var/lib/snapshot /etc/systemd/system/snapshot.service.d")
    fresh.apt("install", "/root/snapshot.deb")


def test_make_install_is_idempotent_and_keeps_settings(tmp_path):
    def make(target):
        subprocess.run(
            ["make", "--no-print-directory", "-C", REPOSITORY, target, f"DESTDIR={tmp_path}/root", "PREFIX=/opt/snap",
             BIN, f"OUT={tmp_path}/out"], check=True, capture_output=True)
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


def test_make_install_works_on_a_running_machine(fresh):
    """Under /usr/local, without the package: units, users and folders are there, and the service runs."""
    fresh.apt("purge", "snapshot")
    fresh.run(["make", "--no-print-directory", "-C", REPOSITORY, "install", BIN, "OUT=/tmp/out"], timeout=120)
    fresh.settings()
    fresh.run("systemctl start snapshot.service && snapshot health")
    assert fresh.property("snapshot.service", "FragmentPath") == "/usr/local/lib/systemd/system/snapshot.service"
    fresh.run(["make", "--no-print-directory", "-C", REPOSITORY, "uninstall", "OUT=/tmp/out"])
    assert fresh.run("command -v snapshot", check=False).returncode != 0
    assert fresh.shots()

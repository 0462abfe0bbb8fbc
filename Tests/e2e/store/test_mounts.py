"""A folder on disks that are mounted in other ways: on demand, over a network, as a container's volume."""
import json
import os
import subprocess
from contextlib import ExitStack, contextmanager

import pytest

from autofs import Automount
from disk import HangingFolder, small_disk
from parts import need
from pictures import picture


def files(folder):
    return sorted(p for p in folder.rglob("*") if p.is_file())


def test_an_automount_is_asked_for_its_disk(ready, tmp_path, camera):
    mount, behind = tmp_path / "auto", tmp_path / "behind"
    with small_disk(behind, "size=4M"):
        (behind / "cam").mkdir()

        def bind(path):
            subprocess.run(["mount", "--bind", str(behind), str(path)], check=True)

        ready.set(LOCAL_STORAGE_PATH=mount / "cam")
        with Automount(mount, bind) as automount:
            ready.capture().expect(0)
            assert automount.asked == 1 and len(files(behind)) == 1
        # Its disk doesn't come.
        with Automount(mount) as automount:
            ready.capture().refuses(75, "no disk is mounted", str(mount))
            ready.run("check", timeout=40).expect(75)
            assert automount.asked >= 2 and "store_away" in ready.health()["reasons"]
        # The automount itself is away.
        ready.capture("--no-drain").refuses(75, "no disk is mounted", str(mount))
        assert not files(mount)
        with Automount(mount, bind):
            ready.capture().expect(0)
        assert len(files(behind)) == 4 and ready.health()["status"] == "healthy"


@contextmanager
def mounted_with_another_number(net, number, tmp_path):
    """Mounts `net` until its device number is another one; other disks take the numbers between."""
    with ExitStack() as others:
        for n in range(20):
            with net:
                if os.stat(net.path).st_dev != number:
                    return (yield)
            others.enter_context(small_disk(tmp_path / f"other-{n}"))
        raise AssertionError("always the same number")


def test_a_network_folder_that_is_mounted_again(ready, tmp_path, camera):
    """It has another device number then, and other inodes: through FUSE, as over NFS or SMB."""
    need("fuse")
    camera.picture = lambda: picture(size=100_000)
    net = HangingFolder(tmp_path)
    ready.set(LOCAL_STORAGE_PATH=net.path / "cam", KEY_TEMPLATE="{timestamp}.jpg", LOCAL_STORAGE_MAX_BYTES="600K")
    with net:
        first = os.stat(net.path).st_dev
        for _ in range(3):
            ready.capture().expect(0)
    for _ in range(2):
        ready.capture().refuses(75, "no disk is mounted", str(net.path))
    assert not files(net.path)
    with mounted_with_another_number(net, first, tmp_path):
        ready.capture().expect(0)
        assert len(files(net.path)) in (5, 6) and ready.health()["spool"]["count"] == 0
        for _ in range(3):
            ready.capture().expect(0)
        left = [p.name for p in files(net.path)]
        assert 5 <= len(left) <= 6 and left == sorted(left), "the oldest went"
        assert left[-1] == os.path.basename(ready.state["outcome"]["key"])
        assert ready.health()["status"] == "healthy"


def contained(ready, layers, name, volumes, *arguments):
    """Runs the program in a container of its own: a new overlay over this system, with volumes."""
    root, upper, work = (layers / name / part for part in ("root", "upper", "work"))
    for path in (root, upper, work):
        path.mkdir(parents=True)
    # What is mounted over this system isn't part of the overlay: the libraries of another processor, for one.
    places = {"/usr/lib": "/usr/lib", **volumes}
    binds = "".join(f'mkdir -p "{root}{there}" && mount --bind "{here}" "{root}{there}" && ' for here, there in places.items())
    line = (f'mount -t overlay overlay -o lowerdir=/,upperdir="{upper}",workdir="{work}" "{root}" && '
            f'mount -t proc proc "{root}/proc" && {binds} exec chroot "{root}" "$@"')
    done = subprocess.run(["unshare", "-m", "--propagation", "private", "sh", "-c", line, "sh", str(ready.binary), *arguments],
                          env={**ready.environment, **ready.settings}, cwd="/", text=True, capture_output=True, timeout=60)
    return done, upper


@pytest.mark.parametrize("folder", ["/pictures", "/data/cam"])
def test_a_container_with_and_without_its_volume(ready, tmp_path, folder):
    state, pictures = tmp_path / "state", tmp_path / "pictures"
    for path in (state, pictures):
        path.mkdir()
    ready.set(STATE_PATH="/volume/state", LOCAL_STORAGE_PATH=folder)
    volumes = {state: "/volume/state"}
    mount = "/" + folder.split("/")[1]
    with small_disk(tmp_path / "layers", "size=64M") as layers:
        # Without a volume: each container has an overlay of its own, with another device number.
        for name in ("one", "two"):
            done, upper = contained(ready, layers, name, volumes, "capture")
            assert done.returncode == 0 and files(upper / folder[1:]), done.stderr
        with_pictures = {**volumes, pictures: mount}
        done, upper = contained(ready, layers, "three", with_pictures, "capture")
        assert done.returncode == 0 and len(files(pictures)) == 1, done.stderr
        # A start without the volume that was there before.
        done, upper = contained(ready, layers, "four", volumes, "capture")
        assert done.returncode == 75 and f"no disk is mounted at {mount}" in done.stderr, done.stderr
        assert not files(upper / folder[1:]) if (upper / folder[1:]).exists() else True
        done, _ = contained(ready, layers, "five", with_pictures, "capture")
        assert done.returncode == 0 and len(files(pictures)) == 3, done.stderr
        # Without the volume on purpose.
        done, _ = contained(ready, layers, "six", volumes, "check", "--accept-folder")
        done, upper = contained(ready, layers, "seven", volumes, "capture")
        assert done.returncode == 0 and len(files(upper / folder[1:])) == 1, done.stderr
        done, _ = contained(ready, layers, "eight", volumes, "health", "--json")
        assert json.loads(done.stdout)["spool"]["count"] == 0

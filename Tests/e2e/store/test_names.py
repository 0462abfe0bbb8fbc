"""Disks that don't take every name: told by check as by captures, and nothing stays stuck."""
import json
import subprocess

import pytest

from disk import loop_of
from parts import need


@pytest.fixture
def stick(tmp_path):
    """A stick with exFAT, through FUSE."""
    need("fuse")
    image, path = tmp_path / "stick", tmp_path / "usb"
    image.write_bytes(b"")
    with open(image, "wb") as file:
        file.truncate(16 << 20)
    subprocess.run(["mkfs.exfat", str(image)], check=True, capture_output=True)
    path.mkdir()
    device = loop_of(image)
    subprocess.run(["mount.exfat-fuse", device, str(path)], check=True, capture_output=True)
    try:
        yield path
    finally:
        subprocess.run(["umount", str(path)], check=True)
        subprocess.run(["losetup", "-d", device], check=True)


def storage(ready):
    found = ready.run("check", "--json", timeout=40)
    line, = [line for line in json.loads(found.stdout)["checks"] if line["name"] == "storage" and line["necessary"]]
    return found.code, line


@pytest.mark.parametrize("template, good", [
    ("{camera}/{HH}:{mm}:{ss}_{timestamp}.jpg", "{camera}/{HH}-{mm}-{ss}_{timestamp}.jpg"),
    ("{camera}/{yyyy}:{MM}/{timestamp}.jpg", "{camera}/{yyyy}/{MM}/{timestamp}.jpg"),
    ("{camera}/what?_{timestamp}.jpg", "{camera}/what_{timestamp}.jpg")])
def test_a_name_that_the_disk_does_not_take(ready, stick, camera, template, good):
    ready.set(LOCAL_STORAGE_PATH=stick / "cam", KEY_TEMPLATE=good)
    code, line = storage(ready)
    assert code == 0 and "isn't there yet" in line["found"] and not list(stick.iterdir()), "check leaves nothing"
    ready.capture().expect(0)
    ready.set(KEY_TEMPLATE=template)
    code, line = storage(ready)
    assert code == 75 and "KEY_TEMPLATE" in line["hint"]
    sent = []
    for _ in range(2):
        ready.capture().refuses(75, "KEY_TEMPLATE")
        sent.append(camera.last)
    ready.set(KEY_TEMPLATE=good)
    assert storage(ready)[0] == 0
    ready.capture().expect(0)
    assert ready.health()["spool"]["count"] == 0, "what had waited has its place under the corrected template"
    stored = {p.read_bytes() for p in stick.rglob("*.jpg")}
    assert set(sent) < stored and len(stored) == 4
    assert not [p for p in stick.rglob(".*") if p.is_file()] and not list(stick.rglob("*.~*"))


def test_drain_renames_as_well(ready, stick, camera):
    ready.set(LOCAL_STORAGE_PATH=stick, KEY_TEMPLATE="{timestamp}|.jpg")
    ready.capture().expect(75)
    ready.set(KEY_TEMPLATE="{timestamp}.jpg").run("drain").expect(0)
    assert [p.read_bytes() for p in stick.rglob("*.jpg")] == [camera.last]


def test_the_probe_touches_no_picture(ready, camera):
    """`latest.jpg` is the key that captures use; the probe lies beside it."""
    ready.set(KEY_TEMPLATE="{camera}/latest.jpg").capture().expect(0)
    before = ready.stored()
    assert storage(ready)[0] == 0 and ready.stored() == before
    # Check fails where captures do.
    folder = ready.folder / "snapshots/front"
    folder.rename(folder.with_name("other"))
    folder.write_text("a file stands there")
    code, line = storage(ready)
    assert code == 75 and ready.capture().code == 75

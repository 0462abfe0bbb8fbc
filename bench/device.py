"""What a run writes to the storage itself, file system journal included: the state on an ext4 of its own."""
import os
import subprocess
from pathlib import Path

from report import Section, Target

RUNS = 20


def measure(rig, options):
    title = "Device writes"
    if os.geteuid() != 0:
        return [Section(title, "Not measured: mounting needs root.")]
    image, place = rig.folder / "ext4.img", rig.folder / "ext4"
    place.mkdir()
    with open(image, "wb") as file:
        file.truncate(64 << 20)
    subprocess.run(["mkfs.ext4", "-q", image], check=True)
    subprocess.run(["mount", "-o", "loop", image, place], check=True)
    try:
        device = subprocess.run(["findmnt", "-n", "-o", "SOURCE", place], check=True, capture_output=True, text=True)
        stat = Path("/sys/block") / Path(device.stdout.strip()).name / "stat"
        command = rig.snapshot("capture", home="device", STATE_PATH=str(place / "state"))
        rig.meter.cost(command)
        before = written(place, stat)
        for _ in range(RUNS):
            rig.meter.cost(command)
        per_run = (written(place, stat) - before) / RUNS
    finally:
        subprocess.run(["umount", place], check=True)
    section = Section(title, f"State on an ext4 with a journal, {RUNS} good runs, synced before and after: "
                             f"{per_run / 1024:.1f} KiB a run reached the device.")
    section.targets = [Target("device bytes written per good run", 8, per_run / 1024, "KiB")]
    return [section]


def written(place, stat):
    """Bytes that have been written to the device so far, after a sync."""
    subprocess.run(["sync", "-f", place], check=True)
    return int(stat.read_text().split()[6]) * 512

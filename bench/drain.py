"""`snapshot drain` beside `rclone copy`: as many pictures, as many transfers, the same bucket."""
import os
import shutil
from pathlib import Path

import states
from measuring import Command
from report import Section, Target
from rig import BUCKET

TRANSFERS = 4


def server_cpu(rig):
    """Seconds that the S3 server's processes have taken so far. It runs on the same processors as what is measured."""
    fields = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in rig.server["pids"]]
    return sum(int(f[11]) + int(f[12]) for f in fields) / os.sysconf("SC_CLK_TCK")


def measure(rig, options):
    picture = rig.pictures["small"].read_bytes()
    ours = rig.snapshot("drain", "--transfers", TRANSFERS, home="drain", S3_PREFIX="drained/", SPOOL_MAX_BYTES="100G")
    states.fill_spool(ours.folder / "state", options.spooled, picture)
    before = server_cpu(rig)
    cost = rig.meter.cost(ours)
    beside_ours = server_cpu(rig) - before
    sent = rig.count_objects("drained/")
    assert sent == options.spooled, f"drain stored {sent} of {options.spooled}"
    rig.empty_bucket()

    source = rig.folder / "rclone"
    for number in range(options.spooled):
        path = source / f"{number // 1000:03}" / f"{number:06}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(picture)
    before = server_cpu(rig)
    rclone = rig.meter.cost(copy_command(rig, source))
    beside_rclone = server_cpu(rig) - before
    assert rig.count_objects("rclone/") == options.spooled
    shutil.rmtree(source)

    section = Section(
        "Drain", f"{options.spooled} pictures of {len(picture)} bytes over HTTPS, {TRANSFERS} transfers at once. "
        "`drain` checks every picture's digest before it sends it, signs that digest, and removes what is stored.",
        ["", "wall s", "CPU s", "peak MiB", "the server's CPU s"],
        [[name, f"{c.wall:.1f}", f"{c.cpu:.1f}", f"{c.rss / 1024:.1f}", f"{beside:.1f}"]
         for name, c, beside in (("snapshot drain", cost, beside_ours), ("rclone copy", rclone, beside_rclone))])
    section.targets = [Target("drain / rclone, wall", 0.6, cost.wall / rclone.wall),
                       Target("drain / rclone, CPU", 0.5, cost.cpu / rclone.cpu)]
    return [section]


def copy_command(rig, source):
    access, secret = rig.server["owner"]
    remote = {"TYPE": "s3", "PROVIDER": "Ceph", "ENDPOINT": rig.server["https"], "ACCESS_KEY_ID": access,
              "SECRET_ACCESS_KEY": secret, "REGION": rig.server["region"], "NO_CHECK_BUCKET": "true"}
    environment = rig.environment | {f"RCLONE_CONFIG_STORE_{name}": value for name, value in remote.items()}
    return Command(["rclone", "copy", "--config", "/dev/null", "--ca-cert", rig.server["ca"],
                    "--transfers", str(TRANSFERS), str(source), f"store:{BUCKET}/rclone"], environment, rig.folder)

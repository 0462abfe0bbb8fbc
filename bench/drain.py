"""`snapshot drain` beside `rclone copy`: as many pictures, as many transfers, the same bucket."""
import shutil

import states
from measuring import Command
from report import Section, Target
from rig import BUCKET

TRANSFERS = 4


def measure(rig, options):
    picture = rig.pictures["small"].read_bytes()
    ours = rig.snapshot("drain", "--transfers", TRANSFERS, home="drain", S3_PREFIX="drained/", SPOOL_MAX_BYTES="100G")
    states.fill_spool(ours.folder / "state", options.spooled, picture)
    rig.settle()
    cost = rig.meter.cost(ours)
    sent = rig.count_objects("drained/")
    assert sent == options.spooled, f"drain stored {sent} of {options.spooled}"
    rig.empty_bucket()

    source = rig.folder / "rclone"
    for number in range(options.spooled):
        path = source / f"{number // 1000:03}" / f"{number:06}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(picture)
    rig.settle()
    rclone = rig.meter.cost(copy_command(rig, source))
    assert rig.count_objects("rclone/") == options.spooled
    shutil.rmtree(source)

    section = Section(
        "Drain", f"{options.spooled} pictures of {len(picture)} bytes over HTTPS, {TRANSFERS} transfers at once. "
        "`drain` checks every picture's digest before it sends it, signs that digest, and removes what is stored.",
        ["", "wall s", "CPU s", "peak MiB"],
        [[name, f"{c.wall:.1f}", f"{c.cpu:.1f}", f"{c.rss / 1024:.1f}"]
         for name, c in (("snapshot drain", cost), ("rclone copy", rclone))])
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

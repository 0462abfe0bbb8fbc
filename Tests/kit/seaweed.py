"""SeaweedFS with its S3 gateway, in one process; identities: the owner, and a camera that may only write into BUCKET."""
import json
import sys
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from bucket import client
from process import free_ports, listens, start_server, wait_until

OWNER = ("AKIASEAOWNER", "seaOwnerSecret0123456789")
CAMERA = ("AKIASEACAMERA", "seaCameraSecret0123456789")
BUCKET = "snaps-sea"


def start(folder, parent=None):
    s3, master, volume, filer, *grpc = free_ports(8)

    def identity(name, keys, actions):
        return {"name": name, "credentials": [{"accessKey": keys[0], "secretKey": keys[1]}], "actions": actions}

    (folder / "data").mkdir(parents=True, exist_ok=True)
    (folder / "s3.json").write_text(json.dumps({"identities": [
        identity("owner", OWNER, ["Admin", "Read", "Write", "List", "Tagging"]),
        identity("camera", CAMERA, [f"Write:{BUCKET}"])]}))
    weed = Path(sys.executable).with_name("weed")
    pid = start_server(
        [weed, "server", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-dir={folder}/data",
         f"-master.port={master}", f"-master.port.grpc={grpc[0]}", "-master.volumeSizeLimitMB=64",
         f"-volume.port={volume}", f"-volume.port.grpc={grpc[1]}", "-volume.max=100",
         "-filer", f"-filer.port={filer}", f"-filer.port.grpc={grpc[2]}",
         "-s3", f"-s3.port={s3}", f"-s3.port.grpc={grpc[3]}", f"-s3.config={folder}/s3.json",
         # Two more ports with fixed numbers, which a second server would find in use.
         "-s3.port.iceberg=0", "-s3.port.lance=0", "-s3.autoCreateBucket=false"],
        folder / "weed.log", cwd=folder, parent=parent)
    wait_until(lambda: listens(s3), 60, "SeaweedFS")
    server = {"pids": [pid], "http": f"http://127.0.0.1:{s3}", "port": s3, "owner": OWNER, "camera": CAMERA,
              "region": "us-east-1", "bucket": BUCKET}
    owner = client(server)

    def has_bucket():
        # It listens before it has found its filer, and refuses what comes meanwhile.
        try:
            owner.create_bucket(Bucket=BUCKET)
        except owner.exceptions.BucketAlreadyExists:
            return True
        except (BotoCoreError, ClientError):
            return False
        return True

    wait_until(has_bucket, 30, "SeaweedFS's bucket")
    # Its first object takes seconds, since the volumes are made then.
    owner.put_object(Bucket=BUCKET, Key="first", Body=b"")
    return server

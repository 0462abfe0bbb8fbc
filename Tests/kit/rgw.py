"""Ceph RGW by hand on loopback: one monitor, one OSD in memory, one radosgw with an HTTP and an HTTPS port.

A second radosgw of the same cluster issues temporary credentials. The first doesn't, since a radosgw that does reports a wrong
secret like a missing permission. Users: `owner` creates buckets, `camera` may do what a bucket's policy allows, and `borrower`
gets temporary credentials. `start(folder)` needs root but no systemd, and returns what a client must know.
"""
import json
import subprocess
import uuid

from bucket import client
from process import free_ports, listens, start_server, wait_until
from tls import Authority

OWNER = ("AKIAOWNER0000000001", "ownerSecret/0123456789+abcdefghijklmnopq")
CAMERA = ("AKIACAMERA000000001", "cameraSecret/0123456789+abcdefghijklmnop")
BORROWER = ("AKIABORROWER0000001", "borrowerSecret/0123456789+abcdefghijklmn")

KMS_KEY = "testkey-1"
"""The one key that its stand-in for a key service has."""

CONFIG = """
[global]
fsid = {fsid}
mon host = {mons}
public addr = 127.0.0.1
cluster addr = 127.0.0.1
auth cluster required = none
auth service required = none
auth client required = none
ms mon client mode = crc secure
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pgp num = 1
osd crush chooseleaf type = 0
osd heartbeat grace = 60
osd objectstore = memstore
memstore device bytes = {memory}
mon allow pool size one = true
mon max pg per osd = 1000
mon data avail crit = 1
mon data = {folder}/mon
osd data = {folder}/osd
run dir = {folder}
admin socket = {folder}/$name.asok
log file = {folder}/$name.log
pid file = {folder}/$name.pid
keyring = {folder}/keyring
# The monitor gathers changes for a second by default: most of the time that a start takes.
paxos propose interval = 0.05
paxos min wait = 0.01
[client.rgw]
rgw data = {folder}
rgw frontends = beast endpoint=127.0.0.1:{http} ssl_endpoint=127.0.0.1:{https} ssl_certificate={cert} ssl_private_key={key}
rgw s3 auth use keystone = false
rgw crypt require ssl = false
rgw crypt s3 kms backend = testing
rgw crypt s3 kms encryption keys = {kms}=YmluCmJvb3N0CmJvb3N0LWJ1aWxkCmNlcGguY29uZgo=
[client.sts]
rgw data = {folder}
rgw frontends = beast endpoint=127.0.0.1:{sts}
rgw s3 auth use keystone = false
rgw s3 auth use sts = true
rgw sts key = 0123456789abcdef
"""


def start(folder, parent=None, memory="512M"):
    v2, v1, http, https, sts = free_ports(5)
    for d in ("mon", "osd"):
        (folder / d).mkdir(parents=True, exist_ok=True)
    authority = Authority(folder)
    cert, key = authority.issue("127.0.0.1", "localhost")
    fsid = str(uuid.uuid4())
    mons = f"[v2:127.0.0.1:{v2}/0,v1:127.0.0.1:{v1}/0]"
    conf = folder / "ceph.conf"
    conf.write_text(CONFIG.format(folder=folder, fsid=fsid, mons=mons, http=http, https=https, sts=sts, cert=cert, key=key,
                                  memory=memory, kms=KMS_KEY))
    pids = []

    def run(*command):
        done = subprocess.run([str(c) for c in command], capture_output=True, text=True, cwd=folder, timeout=60)
        assert done.returncode == 0, f"{command}: {done.stderr}"
        return done.stdout

    def serve(*command):
        pids.append(start_server(command, folder / "daemons.log", cwd=folder, parent=parent))

    keyring = folder / "keyring"
    run("ceph-authtool", "--create-keyring", keyring, "--gen-key", "-n", "mon.", "--cap", "mon", "allow *")
    run("ceph-authtool", keyring, "--gen-key", "-n", "client.admin",
        "--cap", "mon", "allow *", "--cap", "osd", "allow *", "--cap", "mgr", "allow *")
    run("monmaptool", "--create", "--clobber", "--fsid", fsid, "--addv", "a", mons, folder / "monmap")
    run("ceph-mon", "-c", conf, "--mkfs", "-i", "a", "--monmap", folder / "monmap", "--keyring", keyring)
    serve("ceph-mon", "-c", conf, "-i", "a", "-f")
    run("ceph", "-c", conf, "--connect-timeout", "20", "-s")
    run("ceph", "-c", conf, "osd", "new", fsid)
    run("ceph-osd", "-c", conf, "-i", "0", "--mkfs", "--osd-uuid", fsid)
    serve("ceph-osd", "-c", conf, "-i", "0", "-f")
    serve("radosgw", "-c", conf, "-n", "client.rgw", "-f")
    wait_until(lambda: listens(http) and listens(https), 60, "radosgw")
    serve("radosgw", "-c", conf, "-n", "client.sts", "-f")  # not earlier: both would make the pools
    for uid, (access, secret) in (("owner", OWNER), ("camera", CAMERA), ("borrower", BORROWER)):
        run("radosgw-admin", "-c", conf, "user", "create", "--uid", uid, "--display-name", uid,
            "--access-key", access, "--secret-key", secret)
    run("radosgw-admin", "-c", conf, "caps", "add", "--uid", "owner", "--caps", "user-policy=*;roles=*")
    wait_until(lambda: listens(sts), 60, "second radosgw")
    return {"pids": pids, "http": f"http://127.0.0.1:{http}", "https": f"https://127.0.0.1:{https}",
            "ca": str(authority.certificate), "owner": OWNER, "camera": CAMERA, "region": "us-east-1",
            "port": http, "https_port": https, "sts": f"http://127.0.0.1:{sts}"}


def temporary_credentials(server):
    """(access key, secret key, session token), good for an hour at server["sts"].

    Their user may put objects into every bucket. It isn't `camera`, which tests deny that right."""
    at = {**server, "http": server["sts"]}
    client(at, service="iam").put_user_policy(UserName="borrower", PolicyName="sts", PolicyDocument=json.dumps({
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": ["sts:GetSessionToken", "s3:PutObject"], "Resource": ["*"]}]}))
    made = client(at, BORROWER, service="sts").get_session_token()["Credentials"]
    return made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"]


def role(server, name):
    """The ARN of a role that `borrower` may assume, and that may put objects into every bucket. Its policies have no blanks,
    which this RGW doesn't decode there."""
    def policy(**statement):
        return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]}, separators=(",", ":"))
    at = client({**server, "http": server["sts"]}, service="iam")
    made = at.create_role(RoleName=name, AssumeRolePolicyDocument=policy(
        Principal={"AWS": ["arn:aws:iam:::user/borrower"]}, Action=["sts:AssumeRole"]))
    at.put_role_policy(RoleName=name, PolicyName="put", PolicyDocument=policy(Action=["s3:PutObject"], Resource=["*"]))
    return made["Role"]["Arn"]


def put_only(bucket):
    """A bucket policy under which the user `camera` may put objects and do nothing else.

    The owner is named too: an object belongs to who put it, and its ACL knows nobody else.
    """
    def allow(user, action):
        return {"Effect": "Allow", "Principal": {"AWS": [f"arn:aws:iam:::user/{user}"]}, "Action": [action],
                "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]}
    return json.dumps({"Version": "2012-10-17", "Statement": [allow("camera", "s3:PutObject"), allow("owner", "s3:*")]})

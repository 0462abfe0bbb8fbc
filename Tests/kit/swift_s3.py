"""OpenStack Swift with its S3 API: one replica on one device, four processes. It alone checks the region."""
import subprocess
import sys
from pathlib import Path

from process import free_ports, listens, start_server, wait_until

OWNER = ("cam:writer", "swiftWriterSecret0123456789")
REGION = "eu-central-1"

COMMON = """[swift-hash]
swift_hash_path_prefix = test
swift_hash_path_suffix = test
[storage-policy:0]
name = one
default = yes
"""

SERVER = """[DEFAULT]
swift_dir = {etc}
devices = {devices}
mount_check = false
bind_ip = 127.0.0.1
bind_port = {port}
workers = 0
user = root
log_level = WARNING
log_address = /nonexistent
fallocate_reserve = 0
[pipeline:main]
pipeline = {name}-server
[app:{name}-server]
use = egg:swift#{name}
"""

PROXY = """[DEFAULT]
swift_dir = {etc}
bind_ip = 127.0.0.1
bind_port = {port}
workers = 0
user = root
log_address = /nonexistent
[pipeline:main]
pipeline = {pipeline} proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
allow_account_management = true
{filters}
"""

# Each filter of the proxy's pipeline, in its order, with its options.
FILTERS = {
    "catch_errors": {}, "gatekeeper": {}, "healthcheck": {},
    "cache": {"use": "egg:swift#memcache", "memcache_servers": "127.0.0.1:1"},
    "listing_formats": {},
    "s3api": {"location": REGION, "dns_compliant_bucket_names": "true", "check_bucket_owner": "false",
              "allowable_clock_skew": "900"},
    "tempauth": {"user_" + OWNER[0].replace(":", "_"): OWNER[1] + " .admin"},
    "copy": {}, "slo": {}, "dlo": {},
}


def start(folder, parent=None):
    programs = Path(sys.prefix) / "swift/bin"
    etc, devices = folder / "etc", folder / "devices"
    etc.mkdir(parents=True)
    (devices / "d1").mkdir(parents=True)
    (etc / "swift.conf").write_text(COMMON)
    ports = free_ports(4)
    pids = []

    def serve(name, config):
        path = etc / f"{name}.conf"
        path.write_text(config)
        pids.append(start_server([programs / f"swift-{name}-server", path], folder / f"{name}.log",
                                 env={"SWIFT_DIR": str(etc), "PATH": "/usr/bin:/bin"}, parent=parent))

    for name, port in zip(("account", "container", "object"), ports):
        for step in (("create", "4", "1", "1"), ("add", f"r1z1-127.0.0.1:{port}/d1", "1"), ("rebalance",)):
            subprocess.run([programs / "swift-ring-builder", f"{name}.builder", *step], cwd=etc, capture_output=True)
        assert (etc / f"{name}.ring.gz").exists()
        serve(name, SERVER.format(etc=etc, devices=devices, port=port, name=name))
    filters = "".join(f"[filter:{name}]\n" + "".join(
        f"{k} = {v}\n" for k, v in {"use": f"egg:swift#{name}", **options}.items()) for name, options in FILTERS.items())
    serve("proxy", PROXY.format(etc=etc, port=ports[3], pipeline=" ".join(FILTERS), filters=filters))
    wait_until(lambda: all(map(listens, ports)), 60, "Swift")
    return {"pids": pids, "http": f"http://127.0.0.1:{ports[3]}", "port": ports[3], "owner": OWNER, "camera": OWNER,
            "region": REGION}

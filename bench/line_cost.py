"""What a shot costs on a line: bytes beside the picture, and time behind 80 ms of delay."""
import json
import re
import statistics
import subprocess
import time

from measuring import Command, ratio
from report import Section, Target
from rig import BUCKET, PASSWORD  # first, since rig adds Tests/kit to sys.path

from process import wait_until
from simulator import binary
from tls import chain
from wire import FAR, Wire

PORT = 8443
VERSIONS = {"TLS 1.2": "TLSv1.2", "TLS 1.3": "TLSv1.3"}
TURNS = 5


class Ends:
    """One line: the camera and the programs at its near end, a store at the far one."""

    def __init__(self, rig, wire, version, folder):
        self.rig, self.wire, self.folder = rig, wire, folder
        folder.mkdir()
        self.authority, certificate, key = chain(folder, FAR)
        self._start_store(version, certificate, key)
        camera = wire.start(binary("reolink-simulator"), "--password", PASSWORD, "--max-sessions", 1000, "--picture",
                            rig.pictures["small"], stdout=subprocess.PIPE)
        self.camera = f"127.0.0.1:{json.loads(camera.stdout.readline())['http']}"
        self.environment = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "AWS_ACCESS_KEY_ID": "AKIAFAKE",
                            "AWS_SECRET_ACCESS_KEY": "fakeSecret"}

    def _start_store(self, version, certificate, key):
        """nginx takes what is put, and answers as S3 does."""
        (self.folder / "put").mkdir(mode=0o777)
        temporary = "".join(f"{kind}_temp_path {self.folder}/{kind};" for kind in
                            ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        (self.folder / "nginx.conf").write_text(f"""
daemon off; user root; worker_processes 1; pid {self.folder}/pid; error_log {self.folder}/error.log;
events {{ worker_connections 64; }}
http {{
  log_format tls "$ssl_session_reused"; access_log {self.folder}/log tls; {temporary} client_max_body_size 64m;
  server {{
    listen {FAR}:{PORT} ssl; ssl_certificate {certificate}; ssl_certificate_key {key};
    ssl_protocols {version}; root {self.folder}/put;
    location / {{ dav_methods PUT; create_full_put_path on; add_header ETag '"9b2cf535f27731c974343645a3985328"' always; }}
  }}
}}""")
        self.wire.start("/usr/sbin/nginx", "-c", self.folder / "nginx.conf", far=True, stderr=subprocess.DEVNULL)
        wait_until(lambda: (self.folder / "pid").exists() and (self.folder / "pid").read_text(), 10, "nginx")

    def snapshot(self, home):
        folder = self.folder / home
        folder.mkdir(exist_ok=True)
        settings = {"CAMERA_IP": self.camera, "CAMERA_PASSWORD": PASSWORD, "CAMERA_NAME": "bench", "STORAGE_BACKEND": "s3",
                    "S3_BUCKET": BUCKET, "S3_ENDPOINT_URL": f"https://{FAR}:{PORT}", "AWS_REGION": "us-east-1",
                    "AWS_CA_BUNDLE": str(self.authority), "STATE_PATH": str(folder / "state")}
        return Command([*self.wire.enter(), str(self.rig.installed("snapshot")), "capture", "--json"],
                       self.environment | settings, folder)

    def others(self):
        here = self.rig.others()
        url = f"http://{self.camera}/cgi-bin/api.cgi?cmd=Snap&channel=0&rs=bench&user=admin&password={PASSWORD}"
        facts = [url, f"{FAR}:{PORT}", BUCKET, str(self.authority)]
        return {name: Command([*self.wire.enter(), *here[name].arguments[:-4], *facts], self.environment, self.folder)
                for name in ("C on libcurl", "curl script")}

    def bytes_beside(self, command):
        """What TCP carried, and what IP sent and received, beside the picture; medians."""
        return medians([self.once_beside(command) for _ in range(TURNS)])

    def once_beside(self, command):
        self.wire.reset()
        self.rig.meter.cost(command)
        time.sleep(0.1)  # for the ends of connections
        size, wire = self.rig.pictures["small"].stat().st_size, self.wire
        return wire.carried - size, wire.sent - size, wire.received

    def resumed(self):
        return re.findall(r"^(.)$", (self.folder / "log").read_text(), re.M)


def measure(rig, options):
    return [bytes_section(rig), delay_section(rig, options)]


def bytes_section(rig):
    section = Section(
        "Bytes beside the picture",
        "What one run and a store with RSA keys, whose chain has three certificates, send each other beside the picture's own "
        f"bytes; medians of {TURNS} runs. \"Resumed\" is every run but the first of a day. The columns \"as IP\" also count "
        "the headers of IP and TCP, those of the picture's own packets included.",
        ["", *(f"{name}: {what}" for name in VERSIONS for what in ("carried by TCP", "sent as IP", "received as IP"))])
    rows, shares = {}, []
    for name, version in VERSIONS.items():
        with Wire() as wire:
            ends = Ends(rig, wire, version, rig.folder / f"line-{version}")
            again = ends.snapshot("again")
            found = {"snapshot, first run": first_run(ends)}
            rig.meter.cost(again)
            found["snapshot, resumed"] = ends.bytes_beside(again)
            assert ends.resumed()[-TURNS:] == ["r"] * TURNS, "nothing was resumed"
            found |= {who: ends.bytes_beside(command) for who, command in ends.others().items()}
        for who, figures in found.items():
            rows.setdefault(who, []).append(figures)
        shares.append((name, found["snapshot, resumed"][0] / found["C on libcurl"][0]))
    for who, figures in rows.items():
        section.rows.append([who, *(f"{value:.0f}" for three in figures for value in three)])
    section.targets = [Target(f"bytes beside the picture, resumed / C reference, {name}", 0.55, share)
                       for name, share in shares]
    return section


def first_run(ends):
    """The bytes of a run that has no TLS session to offer: each has a new state."""
    return medians([ends.once_beside(ends.snapshot(f"whole-{turn}")) for turn in range(TURNS)])


def medians(found):
    return tuple(statistics.median(one) for one in zip(*found))


def delay_section(rig, options):
    section = Section("Behind 80 ms of delay", "The same over a line that takes 40 ms each way; wall time, medians.",
                      ["", *VERSIONS])
    rows = {}
    for name, version in VERSIONS.items():
        with Wire(delay=0.04) as wire:
            ends = Ends(rig, wire, version, rig.folder / f"delay-{version}")
            commands = {"snapshot, resumed": ends.snapshot("home"), **ends.others()}
            costs = rig.meter.interleaved(commands, max(5, options.runs // 6))
        for who, cost in costs.items():
            rows.setdefault(who, []).append(f"{1000 * statistics.median(c.wall for c in cost):.0f} ms")
        section.targets.append(Target(f"wall behind 80 ms of delay / C reference, {name}", 0.8, ratio(
            costs["snapshot, resumed"], costs["C on libcurl"], "wall")))
    section.rows = [[who, *values] for who, values in rows.items()]
    return section

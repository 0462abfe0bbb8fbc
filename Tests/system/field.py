"""A box as 0.2.2 left it in the field, with all that people set up on it, and what is noted of it before an upgrade."""

import json
import pathlib
import re

from installed import PASSWORD, Installed, taken, wait_for

KIT = pathlib.Path(__file__).parents[1] / "kit"
STATE = "/var/lib/snapshot"
PICTURES = "/mnt/pictures"
HOME_CAM = "/home/pi/cam"
TOKEN = "k1tchen"

# A store that takes everything.
STORE = """
import http.server, pathlib, sys
class Store(http.server.BaseHTTPRequestHandler):
    def do_PUT(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        name = pathlib.Path(sys.argv[2], self.headers["X-Snapshot-Key"].replace("/", "_"))
        name.write_bytes(body)
        self.send_response(200); self.send_header("Content-Length", "0"); self.end_headers()
    do_POST = do_PUT
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Store).serve_forever()
"""


class Field:
    """What of the box has to outlive the upgrade."""

    def __init__(self, box: Installed):
        self.box = box

    def set_up(self):
        box = self.box
        self._cameras()
        # The door's pictures lie on another disk, which a drop-in of the user's lets the service write.
        box.run(f"install -d -o snapshot -g snapshot -m 750 {PICTURES}")
        for unit in ("snapshot.service", "snapshot-relay.service"):
            box.write(f"/etc/systemd/system/{unit}.d/override.conf", f"[Service]\nReadWritePaths={PICTURES}\n")
        box.settings(
            CAMERA_IP="127.0.0.1:8443", CAMERA_USE_HTTPS="true", CAMERA_RTSP_PORT="8554", CAPTURE_INTERVAL="2s",
            LOCAL_STORAGE_PATH=f"{PICTURES}/door", WEB_IMAGES="true",
            STREAM_MODE="hls,record", SEGMENT_TIME="4s", HLS_SEGMENT_TIME="2s", OUTPUT_DIR=f"{STATE}/stream_output")
        instances = {"front": {"CAPTURE_INTERVAL": "2s"}, "spare": {}, "away": {}, "attic": {}, "yard": {
            "STORAGE_BACKEND": "http", "HTTP_UPLOAD_URL": "http://127.0.0.1:8090/", "HTTP_UPLOAD_FORMAT": "raw",
            "UPLOAD_ATTEMPTS": "1", "SPOOL_MAX_BYTES": "300K"}}
        for name, values in instances.items():
            box.settings(
                name, CAMERA_NAME=name, STATE_PATH=f"{STATE}/{name}", LOCAL_STORAGE_PATH=f"{STATE}/{name}/snapshots", **values)
        # As the README of 0.2.2 had it, and as an editor makes it: readable by everybody.
        box.write("/etc/snapshot/by-hand.env", "CAMERA_IP=192.0.2.1\n", 0o644)
        box.write("/etc/snapshot/web.env", f"WEB_IMAGES=true\nWEB_TOKEN={TOKEN}\n", 0o644)
        box.run("systemctl daemon-reload; snapshot schedule 2s; snapshot schedule 2s --instance front")
        # One that was enabled and then masked; one that was never enabled.
        box.run("systemctl enable snapshot@away.timer && systemctl mask snapshot@away.timer")
        box.run("systemctl enable --now snapshot.timer snapshot@front.timer snapshot-web.socket snapshot-relay.service")
        self._full_spool()
        self._cron()
        # As `sudo snapshot capture` left a fresh box.
        box.run("systemctl start snapshot@attic.service")
        box.run(f"chown root:root {STATE}/attic/lock {STATE}/attic/state.jsonl {STATE}/attic/session.json")
        wait_for(lambda: len(self.pictures("door")) >= 2 and len(self.pictures("front")) >= 2, 20, "pictures of both timers")
        wait_for(self.recordings, 30, "a finished recording")
        self.front("/health")

    def _cameras(self):
        box = self.box
        box.run("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 99 -subj /CN=camera "
                "-keyout /root/camera.key -out /root/camera.crt 2>&1 && cat /root/camera.key /root/camera.crt >/root/camera.pem")
        self.pin = box.out(
            "openssl x509 -in /root/camera.crt -pubkey -noout | openssl pkey -pubin -outform der "
            "| openssl dgst -sha256 -binary | base64")
        box.write("/root/rtsp_server.py", (KIT / "rtsp_server.py").read_text())
        box.run("systemd-run --collect --unit=rtsp-camera /usr/bin/python3 /root/rtsp_server.py --port=8554")
        self.start_secure_camera("/root/camera.pem")
        box.start_camera()

    def start_secure_camera(self, certificate: str, log: str = "/dev/null"):
        self.box.write("/root/password", PASSWORD, 0o600)
        self.box.run(["systemd-run", "--unit=secure-camera", "/usr/local/bin/reolink-simulator", "--https-port=8443",
                      "--password-file=/root/password", f"--certificate={certificate}", f"--log={log}"])
        wait_for(lambda: self.box.run("echo | openssl s_client -connect 127.0.0.1:8443", check=False).returncode == 0, 10, "TLS")

    def _full_spool(self):
        """The yard's store is away, so long that the spool gave pictures up."""
        def shoot():
            self.box.run("systemctl start snapshot@yard.service")
            return self.box.health("yard")["spool"]["dropped"] >= 1
        wait_for(shoot, 60, "a picture given up")

    def _cron(self):
        """Tables of root's and a user's that take pictures in folders of the user's, with the settings that lie there."""
        box = self.box
        box.run(f"useradd -m pi && install -d -o pi -g pi {HOME_CAM}")
        box.write(f"{HOME_CAM}/.env", f"CAMERA_IP=127.0.0.1:8000\nCAMERA_PASSWORD='{PASSWORD}'\nCAMERA_NAME=home\n", 0o600)
        box.write("/home/pi/own/.env", f"CAMERA_IP=127.0.0.1:8000\nCAMERA_PASSWORD='{PASSWORD}'\n", 0o664)
        box.run(f"chown -R pi:pi {HOME_CAM}/.env /home/pi/own && cd {HOME_CAM} && snapshot capture")
        box.write("/var/spool/cron/crontabs/pi", "*/5 * * * * cd /home/pi/own; exec snapshot capture >/dev/null\n", 0o600)
        box.write("/var/spool/cron/crontabs/root", f"*/5 * * * * cd {HOME_CAM} && /usr/bin/snapshot capture\n", 0o600)

    def folder(self, camera: str) -> pathlib.Path:
        place = {"door": f"{PICTURES}/door", "home": f"{HOME_CAM}/snapshots"}.get(camera, f"{STATE}/{camera}/snapshots")
        return self.box.root / place.lstrip("/")

    def pictures(self, camera: str) -> set[str]:
        return {path.name for path in self.folder(camera).rglob("*.jpg")}

    def recordings(self) -> list[str]:
        return self.box.out(f"find {STATE}/stream_output/record -name '*.mp4' -not -path '*/.*' | sort", check=False).split()

    def sums(self) -> set[str]:
        """Every stored picture, finished recording and settings file, by content."""
        return set(self.box.out(
            f"find {PICTURES} {STATE} {HOME_CAM} /etc/snapshot /etc/systemd/system/snapshot* -type f "
            r"\( -name '*.jpg' -o -name '*.mp4' -o -name '*.env' -o -name '*.conf' -o -name camera_password \) "
            "-not -path '*/spool/*' -not -path '*/hls/*' -not -path '*/.*' -o -path '*/.env' | xargs sha256sum").splitlines())

    def times(self, camera: str) -> list[float]:
        """When each stored picture was taken."""
        return sorted(filter(None, map(taken, self.pictures(camera))))

    def spool(self) -> dict[int, bytes]:
        """The yard's spooled pictures by number; their facts stand behind them."""
        folder = self.box.root / STATE.lstrip("/") / "yard/spool"
        parts = {path: re.fullmatch(r"(\d+)-(\d+)", path.stem) for path in folder.rglob("*.jpg")}
        return {int(part[1]): path.read_bytes()[:int(part[2])] for path, part in parts.items()}

    def health(self, camera: str) -> dict:
        if camera != "door":
            return self.box.health(camera)
        # With instances below it, health is that of the worst camera: so this reads a copy of the door's own state.
        copies = f"cp {STATE}/state.jsonl {STATE}/relay.json /run/door/; STATE_PATH=/run/door snapshot health --json"
        return json.loads(self.box.run("mkdir -p /run/door; " + copies, check=False).stdout)

    def front(self, path: str, token: str = "") -> tuple[int, str]:
        login = ["-H", f"Authorization: Bearer {token}"] if token else []
        told = self.box.run(["curl", "-s", "-w", "\n%{http_code}", *login, f"http://127.0.0.1:8080{path}"], errors="replace")
        body, _, status = told.stdout.rpartition("\n")
        return int(status), body


"""Cameras that want the password within the path: it stands in no line, state or report, however it is written there."""
import json
import os
import signal

import pytest

from canary import forms
from camera import Camera
from process import wait_until
from rtsp import RTSPServer

PASSWORD = "hunter2secret"
PATHS = [f"user=admin_password={PASSWORD}_channel=1_stream=0.sdp", f"user=admin&password={PASSWORD}&channel=1&stream=1.sdp",
         f"cam/user:admin/password:{PASSWORD}", f"live/admin/password/{PASSWORD}/ch1"]


@pytest.mark.parametrize("path", PATHS)
def test_a_password_in_a_path_is_a_secret(snapshot, path):
    with RTSPServer() as server, Camera() as still:
        for url in (f"rtsp://127.0.0.1:{server.port}/{path}", f"rtsp://127.0.0.1:9/{path}", f"http://{still.address}/{path}"):
            snapshot.set(CAMERA_URL=url, STREAM_MODE="hls")
            said = snapshot.capture("--verbose").stderr + snapshot.run("check").stdout + first(snapshot.run("health"))
            said += json.dumps(snapshot.run("settings", "--json", "CAMERA_URL").json)
            if url.startswith("rtsp"):
                run = snapshot.start("relay")
                wait_until(lambda: "no video from" in run.stderr or "relaying" in run.stderr, 30, "word of the relay")
                os.kill(run.pid, signal.SIGTERM)
                said += run.result().stderr
            for form in forms(PASSWORD):
                assert form not in said.encode(), said
                assert not [where for where, data in snapshot.written() if form in data], url


def first(result):
    return result.stdout

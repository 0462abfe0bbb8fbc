"""What the tests of `snapshot check` share."""
import pytest

from process import free_port
from simulator import Simulator

PASSWORD = "pässword &+%=?#"


class Checked:
    """What one run of `check --json` said."""

    def __init__(self, result):
        self.result, self.code = result, result.code
        self.all = result.expect(result.code).json["checks"]
        assert result.json["exit"] == result.code and result.json["ok"] == (result.code == 0)
        assert result.wall < 20 and result.stderr == ""

    def __getitem__(self, name):
        return next(c for c in self.all if c["name"] == name)

    def __contains__(self, name):
        return any(c["name"] == name for c in self.all)

    @property
    def failed(self):
        """The necessary steps that failed."""
        return [c["name"] for c in self.all if c["result"] == "failed" and c["necessary"]]


@pytest.fixture
def check(snapshot):
    """Runs `check --json`, and asserts that it changes no file; only STATE_PATH and the pins in it may be new."""
    def run(*arguments, **settings):
        pins = {snapshot.state_folder / name for name in ("", "pins.json", "pins.lock")}

        def left():
            return {p: p.is_file() and p.stat().st_mtime_ns for p in snapshot.folder.rglob("*") if p not in pins}
        before = left()
        checked = Checked(snapshot.set(**settings).run("check", "--json", *arguments))
        assert left() == before
        return checked
    return run


@pytest.fixture
def simulated():
    with Simulator("--https-port", 0, "--password", PASSWORD) as camera:
        yield camera


def settings_of(camera, **more):
    return {"CAMERA_IP": camera.address, "CAMERA_PASSWORD": PASSWORD, "CAMERA_RTSP_PORT": free_port(), **more}

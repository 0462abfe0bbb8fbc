"""Every fault of the simulated camera: the documented exit code, one clear line, nothing stored, in time, in little memory."""
import json
import time

import pytest

from process import wait_until
from program import memory_limit
from simulator import Simulator

pytestmark = pytest.mark.asan

TIMEOUT = 4
MARGIN = 10
"""Seconds beyond TIMEOUT that a busy machine may take; `test_the_deadline_holds` allows one."""

# fault: (exit code, words of the error line)
FAULTS = {
    "json-error": (69, ()), "rsp-49": (69, ("channel",)), "rsp-12": (69, ()), "truncated": (69, ()), "short": (69, ()),
    "html": (69, ("html",)), "empty": (69, ("empty",)), "tiny": (69, ()), "drip": (69, ()), "drip-header": (69, ()),
    "hang": (69, ()), "endless": (69, ()), "endless-lengthless": (69, ()), "huge-length": (69, ()), "reset": (69, ()),
    "reset-mid": (69, ()), "500": (69, ("500",)), "404": (69, ("404",)), "302": (69, ("302",)),
    "300": (69, ("https",)), "401": (77, ()), "max-session": (69, ("session",)), "locked": (77, ("lock",)),
    "login-frequent": (69, ()), "hang-connect": (69, ()),
}
LOGIN_FAULTS = ("login-frequent", "locked")
HARMLESS = ["mistyped", "no-jfif", "padded", "login-404", "token-refused:1", "slow:500", "wrong-length", "short-length", "open", "mjpeg"]


@pytest.fixture
def simulated(snapshot):
    """The program beside a simulated camera that `start` starts with some fault."""
    with Started(snapshot) as started:
        yield started


class Started:
    def __init__(self, snapshot):
        self.snapshot, self.simulator = snapshot, None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.simulator:
            self.simulator.stop()

    def start(self, *arguments, password="pässword &+%=?#"):
        self.simulator = Simulator("--https-port", 0, "--password", password, *arguments).__enter__()
        self.snapshot.set(CAMERA_IP=f"127.0.0.1:{self.simulator.http}", CAMERA_PASSWORD=password,
                          CAMERA_TIMEOUT=f"{TIMEOUT}s")
        return self.simulator


@pytest.mark.parametrize("auth", ["token", "password"])
@pytest.mark.parametrize("fault", FAULTS)
def test_faults(simulated, fault, auth):
    code, words = FAULTS[fault]
    if auth == "password" and fault in LOGIN_FAULTS:
        pytest.skip("a fault of the login")
    simulated.start().fault(fault)
    snapshot = simulated.snapshot.set(CAMERA_AUTH=auth)
    result = snapshot.capture("--json").refuses(code, *words)
    assert not snapshot.stored() and not snapshot.spool()
    assert result.wall < TIMEOUT + MARGIN and result.rss < memory_limit()
    assert len(result.stderr.splitlines()) <= 2 and result.json["result"] != "stored"
    health = snapshot.health()
    assert health["capture_failures"] == 1 and health["status"] == "unhealthy"


@pytest.mark.timing
@pytest.mark.parametrize("fault", ["hang", "drip", "hang-connect", "login-hang", "login-drip"])
def test_the_deadline_holds(simulated, fault):
    simulated.start().fault(fault)
    assert simulated.snapshot.set(CAMERA_AUTH="token").capture().refuses(69).wall < TIMEOUT + 1


@pytest.mark.parametrize("fault", ["login-html", "login-empty", "login-hang", "login-drip", "login-reset", "login-500",
                                   "login-endless", "login-truncated", "login-wrong-length"])
def test_faults_of_the_login(simulated, fault):
    """If the camera seems to have no login, the password goes into the request for the picture; any other fault is an error."""
    simulated.start("--fault", fault)
    is_unknown = fault in ("login-html", "login-empty")
    result = simulated.snapshot.capture().expect(0 if is_unknown else 69)
    assert len(result.errors) == (not is_unknown), result.stderr
    assert result.wall < TIMEOUT + MARGIN and result.rss < memory_limit()
    assert len(simulated.snapshot.stored()) == is_unknown


def test_no_free_session_is_told_though_the_password_alone_is_refused_too(simulated):
    """A hub that takes only tokens refuses the password, too: the message must name the taken sessions, not that refusal."""
    simulated.start("--auth", "token", "--fault", "login-rsp-5:1")
    simulated.snapshot.capture().refuses(69, "all its sessions are taken", "close its app")
    simulated.snapshot.capture().expect(0)


@pytest.mark.parametrize("fault", HARMLESS)
def test_oddities_that_do_no_harm(simulated, fault):
    simulated.start("--fault", fault)
    for _ in range(2):
        simulated.snapshot.capture().expect(0)
    assert len(simulated.snapshot.stored()) == 2


def test_recovery_from_each_fault_needs_no_hand(simulated):
    camera = simulated.start()
    for n, fault in enumerate(("json-error", "truncated", "reset", "500", "html", "empty")):
        camera.fault(fault, 1)
        simulated.snapshot.capture().expect(69)
        simulated.snapshot.capture().expect(0)
        assert len(simulated.snapshot.stored()) == n + 1


@pytest.mark.long
def test_a_hundred_one_shots_open_at_most_two_sessions(simulated):
    camera = simulated.start()
    for _ in range(100):
        simulated.snapshot.capture().expect(0)
    assert camera.stats()["logins"] <= 2 and len(simulated.snapshot.stored()) == 100


def test_expiring_leases_are_renewed(simulated):
    """With leases of two seconds and room for two sessions, every run still works."""
    camera = simulated.start("--lease", "2", "--max-sessions", "2")
    end = time.monotonic() + 7
    while time.monotonic() < end:
        simulated.snapshot.capture().expect(0)
        mark = time.monotonic() + 0.5
        wait_until(lambda: time.monotonic() > mark, what="half a second")
    assert camera.stats()["logins"] >= 2


def test_three_runs_with_a_wrong_password_make_at_most_three_logins(simulated):
    camera = simulated.start()
    simulated.snapshot.set(CAMERA_PASSWORD="wrong")
    for _ in range(3):
        simulated.snapshot.capture().refuses(77)
    assert 1 <= camera.stats()["failed_logins"] <= 3
    simulated.snapshot.set(CAMERA_PASSWORD="pässword &+%=?#").capture().expect(0)


@pytest.mark.parametrize("accepts", ["both", "token", "password"])
def test_what_a_camera_accepts_is_found_out(simulated, accepts):
    simulated.start("--auth", accepts)
    for _ in range(2):
        simulated.snapshot.capture().expect(0)


def test_https(simulated):
    camera = simulated.start()
    simulated.snapshot.set(CAMERA_IP=f"127.0.0.1:{camera.https}", CAMERA_USE_HTTPS="true")
    for _ in range(2):
        simulated.snapshot.capture().expect(0)


def test_logins_that_are_too_frequent_are_left_alone_for_a_while(simulated):
    simulator = simulated.start()
    simulator.fault("login-frequent")
    snapshot = simulated.snapshot.set(CAMERA_AUTH="token")
    for _ in range(3):
        snapshot.capture().refuses(69, "too many logins")
    assert len(simulator.requests("Login")) == 1
    simulator.fault("none")
    snapshot.capture().refuses(69, "too many logins")
    session = snapshot.state_folder / "session.json"
    memory = json.loads(session.read_text())
    memory["login_pause"]["until"] -= 61
    session.write_text(json.dumps(memory))
    snapshot.capture().expect(0)
    snapshot.capture().expect(0)
    assert len(simulator.requests("Login")) == 2 and "login_pause" not in json.loads(session.read_text())

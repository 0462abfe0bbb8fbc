"""Slow lines and slow servers: what moves isn't cut, and what stalls is given up."""
import time

import pytest

from faultproxy import FaultProxy
from line import Line
from pictures import picture
from process import wait_until
from receiver import Answer

RATE = 175_000
"""1.4 Mbit/s, in bytes a second."""


def slow(endpoint, rate=RATE):
    return FaultProxy(endpoint.port, "throttle", rate, buffer=65536)


def through(proxy, endpoint, kind="http", **more):
    if kind == "s3":
        return endpoint.as_s3(S3_ENDPOINT_URL=f"http://127.0.0.1:{proxy.port}", **more)
    return endpoint.as_http(HTTP_UPLOAD_URL=f"http://127.0.0.1:{proxy.port}/up", **more)


@pytest.mark.parametrize("kind", ["http", "s3"])
def test_two_megabytes_at_1400_kilobits(ready, camera, endpoint, kind):
    camera.picture = lambda: picture(size=2_000_000)
    with slow(endpoint) as proxy:
        run = ready.set(**through(proxy, endpoint, kind)).start("capture")
        wait_until(lambda: proxy.bytes_up > 100_000, 20, "it is sending")
        tick = ready.capture()
        assert tick.expect(0).wall < 3 and "another run" in tick.stderr and camera.snaps == 1
        result = run.result(60).expect(0)
        assert result.wall > 9 and proxy.connections == 1 and proxy.bytes_up < 2_100_000
    assert len(endpoint.received) == 1 and not ready.spool()
    health = ready.health()
    assert health["status"] == "degraded" and health["reasons"] == ["line_slow"]
    assert "CAMERA_STREAM=sub" in ready.health("--nagios").stdout and "CAMERA_STREAM=sub" in ready.run("health").stdout
    camera.picture = picture
    ready.set(**endpoint.as_http()).capture().expect(0)
    assert ready.health()["status"] == "healthy"


@pytest.mark.parametrize("kind", ["as_http", "as_s3"])
@pytest.mark.parametrize("wait", [6, 10])
def test_a_server_that_thinks(ready, endpoint, kind, wait):
    endpoint.answers = [Answer(wait=wait)]
    result = ready.set(**getattr(endpoint, kind)(CAPTURE_INTERVAL="5s")).capture().expect(0)
    assert wait <= result.wall < wait + 5 and len(endpoint.received) == 1
    assert ready.health()["reasons"] == ["line_slow"]


@pytest.mark.parametrize("deadline", [1, 3])
def test_a_deadline_that_is_set_bounds_the_waiting(ready, camera, endpoint, deadline):
    endpoint.always = Answer(wait=20)
    result = ready.set(**endpoint.as_http(UPLOAD_DEADLINE=f"{deadline}s")).capture().refuses(75, "no answer")
    assert deadline <= result.wall < deadline + 3 and ready.spooled_pictures() == [camera.last]


@pytest.mark.parametrize("answer", [1, 3])
def test_an_answer_is_waited_for_as_long_as_is_set(ready, camera, endpoint, answer):
    endpoint.always = Answer(wait=20)
    ready.set(**endpoint.as_http(UPLOAD_ANSWER=f"{answer}s", UPLOAD_ATTEMPTS=1))
    result = ready.capture().refuses(75, "no answer", f"{answer} s")
    assert "raise UPLOAD_ANSWER" in result.hints[0], result
    assert answer <= result.wall < answer + 3 and ready.spooled_pictures() == [camera.last]


@pytest.mark.parametrize("thinks", [0, 1])
def test_a_deadline_that_is_set_cuts_no_transfer(ready, camera, endpoint, thinks):
    camera.picture = lambda: picture(size=1_200_000)
    endpoint.always = Answer(wait=thinks)
    with slow(endpoint) as proxy:
        result = ready.set(**through(proxy, endpoint, UPLOAD_DEADLINE="4s")).capture().expect(0)
        assert result.wall > 5 and proxy.connections == 1


@pytest.mark.parametrize("stall", [1, 3])
def test_a_transfer_that_stands_still_is_left(ready, camera, endpoint, stall):
    camera.picture = lambda: picture(size=6_000_000)
    with Line(endpoint.port) as line:
        line.starts_frozen = True
        ready.set(**endpoint.as_http(HTTP_UPLOAD_URL=f"http://127.0.0.1:{line.port}/up", UPLOAD_STALL=f"{stall}s", UPLOAD_ATTEMPTS=1))
        result = ready.capture().refuses(75, "UPLOAD_STALL", f"{stall} s")
        assert stall <= result.wall < stall + 4 and ready.spooled_pictures() == [camera.last]
        assert 0 < ready.state["standstill"]["seconds"] < stall + 3
        line.starts_frozen = False
        ready.capture().expect(0)
    assert not ready.spool() and "standstill" not in ready.state


@pytest.mark.long
def test_a_store_that_stood_still_for_a_minute_costs_no_more_than_the_deadline(ready, endpoint):
    endpoint.always = Answer(wait=90)
    ready.set(**endpoint.as_http(CAPTURE_INTERVAL="5s"))
    assert 60 <= ready.capture(timeout=90).refuses(75, "60 s").wall < 66
    assert ready.capture().refuses(75, "no answer").wall < 9
    endpoint.always = Answer(500)
    ready.capture().refuses(75, "500")
    endpoint.always, endpoint.answers = None, [Answer(wait=9)]
    assert ready.capture().expect(0).wall >= 9


def test_a_drain_over_a_slow_line_sends_each_picture_once(ready, camera, endpoint):
    camera.picture = lambda: picture(size=500_000)
    endpoint.always = Answer(500)
    ready.set(**endpoint.as_http(UPLOAD_ATTEMPTS=1, CAPTURE_INTERVAL="1s"))
    for _ in range(4):
        ready.capture("--no-drain").expect(75)
    endpoint.always, endpoint.received[:] = None, []
    with slow(endpoint) as proxy:
        proxy.bytes_up = 0
        begun = time.monotonic()
        ready.set(**through(proxy, endpoint)).run("drain", timeout=90).expect(0)
        assert time.monotonic() - begun > 5 and proxy.bytes_up < 2_200_000
    assert sorted(r.file for r in endpoint.received) == sorted(camera.served) and not ready.spool()

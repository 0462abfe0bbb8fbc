"""`capture --every`: one process, an absolute schedule, connections kept, an orderly end."""
import signal
import time

import pytest

from process import wait_until

pytestmark = [pytest.mark.long, pytest.mark.asan]


@pytest.mark.timing
def test_the_schedule_is_absolute_and_connections_are_kept(ready, camera):
    result = ready.capture("--every", "1s", "--for", "5s").expect(0)
    assert len(ready.stored()) == 5 and 3.9 <= result.wall <= 5.6
    offsets = [at - camera.asked_at[0] for at in camera.asked_at]
    assert all(abs(offset - k) < 0.2 for k, offset in enumerate(offsets)), offsets
    assert camera.connections == 1 and camera.logins == 1
    assert ready.health()["total_captures"] == 5 and ready.ring.check()["seq"] == 5


@pytest.mark.timing
def test_a_slow_shot_skips_slots_and_does_not_shift_the_rest(ready, camera):
    run = ready.start("capture", "--every", "1s", "--for", "6s")
    wait_until(lambda: len(camera.asked_at) == 2, what="second shot")
    camera.gate.clear()
    wait_until(lambda: len(camera.asked_at) == 3, what="third shot")
    end = camera.asked_at[2] + 1.5
    wait_until(lambda: time.monotonic() > end, what="a slow answer")
    camera.gate.set()
    run.result().expect(0)
    offsets = [at - camera.asked_at[0] for at in camera.asked_at]
    assert [round(o) for o in offsets] == [0, 1, 2, 4, 5], offsets
    assert all(abs(o - round(o)) < 0.2 for o in offsets), offsets


def test_sigterm_ends_it_after_the_current_shot(ready, camera):
    run = ready.start("capture", "--every", "1s")
    wait_until(lambda: len(camera.served) == 1, what="first shot")
    camera.gate.clear()
    wait_until(lambda: len(camera.asked_at) == 2, what="second shot")
    run.signal(signal.SIGTERM)
    camera.gate.set()
    run.result(5).expect(0)
    assert len(ready.stored()) == 2


def test_sigterm_between_shots_ends_it_at_once(ready, camera):
    run = ready.start("capture", "--every", "60s")
    wait_until(lambda: ready.stored(), what="first shot")
    run.signal(signal.SIGTERM)
    assert run.result(3).expect(0).wall < 10


def test_failures_do_not_end_it(ready, camera):
    camera.raw = [None, b"nothing"]
    result = ready.capture("--every", "1s", "--for", "3s")
    assert len(ready.stored()) == 2 and len(camera.asked_at) == 3 and len(result.errors) == 1, result.stderr

"""The cadence, with everything that can go wrong beside it: four timers in one stretch of time."""

import datetime
import os
import re
import statistics
import threading
import time

import pytest

from installed import wait_for

# Unit instances: "" is snapshot.timer as it comes, every 10 s.
ONLY, TWO, HANGS, OFF = "", "two", "hangs", "off"


def unit(instance: str, kind: str) -> str:
    return f"snapshot@{instance}.{kind}" if instance else f"snapshot.{kind}"


def slots(shots: list[float], interval: float) -> list[int]:
    """The number of the interval in which each shot was taken, counted from the first one's."""
    # The phase is the median distance from a grid that the first shot fixes.
    offsets = [(shot - shots[0] + interval / 2) % interval - interval / 2 for shot in shots]
    phase = shots[0] + statistics.median(offsets)
    return [round((shot - phase) / interval) for shot in shots]


def drift(triggers: list[float], interval: float) -> float:
    """How far the timer's phase moved between the first and the last half, in seconds.

    A half's phase is that of its earliest moment within an interval: a busy machine is late, never early."""
    offsets = [(moment - triggers[0] + interval / 2) % interval - interval / 2 for moment in triggers]
    half = len(offsets) // 2
    return abs(min(offsets[half:]) - min(offsets[:half]))


class Triggers(threading.Thread):
    """Notes when the timers fire, as systemd tells it, until `stop` is called."""

    def __init__(self, machine, timers: list[str]):
        super().__init__(daemon=True)
        self.machine = machine
        self.of = {timer: [] for timer in timers}
        self._ended = threading.Event()
        self.start()

    def run(self):
        while not self._ended.wait(0.8):
            told = self.machine.out(["systemctl", "show", "--timestamp=us+utc", "-p", "LastTriggerUSec", *self.of])
            for timer, moment in zip(self.of, re.findall(r"LastTriggerUSec=(?:\w+ (.*) UTC)?", told)):
                if moment:
                    at = datetime.datetime.fromisoformat(moment + "+00:00").timestamp()
                    if self.of[timer][-1:] != [at]:
                        self.of[timer].append(at)

    def stop(self):
        self._ended.set()
        self.join()


@pytest.fixture(scope="module")
def stretch(machine, is_long):
    """Runs the timers for a while; returns what is to be judged."""
    length = 600 if is_long else 65
    machine.settings()
    machine.settings(TWO, CAPTURE_INTERVAL="2s")
    machine.settings(HANGS, CAPTURE_INTERVAL="2s")
    machine.settings(OFF, CAPTURE_INTERVAL="1s", CAMERA_IP="127.0.0.1:8001")
    machine.start_camera("camera-off", 8001)
    for instance in (TWO, HANGS, OFF):
        machine.run(["snapshot", "schedule", "--instance", instance])
    machine.drop_in(unit(HANGS, "service"), "[Service]\nTimeoutStartSec=3s\nTimeoutStopSec=1s\n")
    machine.run(["systemctl", "start", *(unit(one, "timer") for one in (ONLY, TWO, HANGS, OFF))])
    begin = time.time()
    facts = {"cursor": machine.cursor(), "triggers": Triggers(machine, [unit(ONLY, "timer"), unit(TWO, "timer")])}

    wait_for(lambda: len(machine.shots(HANGS)) >= 2, 15, "the first shots")
    facts["hang"] = hang(machine)
    machine.run("systemctl stop camera-off")
    failures = machine.health(OFF)["capture_failures"]
    wait_for(lambda: machine.health(OFF)["capture_failures"] >= failures + 30, 60, "30 failures")
    machine.run("systemctl start camera-off")
    facts["back"] = time.time()
    time.sleep(max(0, begin + length - time.time()))
    facts["triggers"].stop()
    machine.run(["systemctl", "stop", *(unit(one, "timer") for one in (ONLY, TWO, HANGS, OFF))])
    facts["begin"], facts["end"] = begin, time.time()
    yield facts
    for instance in (TWO, HANGS, OFF):
        machine.run(f"rm -r /var/lib/snapshot/{instance} /etc/snapshot/{instance}.env")


def hang(machine) -> float:
    """Makes the next run of HANGS wait for a file that never ends; returns when that began."""
    settings = machine.root / f"etc/snapshot/{HANGS}.env"
    pipe = machine.root / "etc/snapshot/pipe"
    os.mkfifo(pipe)
    pipe.chmod(0o644)
    text = settings.read_text()
    settings.write_text(text + "HTTP_AUTH_TOKEN_FILE=/etc/snapshot/pipe\nSTORAGE_BACKEND=http\nHTTP_UPLOAD_URL=http://127.0.0.1:1\n")
    began = wait_for(lambda: stuck(machine), 15, "a run that hangs")
    settings.write_text(text)
    return began


def stuck(machine) -> float | None:
    """When the present run of HANGS began, if that is a while ago."""
    if machine.property(unit(HANGS, "service"), "ActiveState") != "activating":
        return None
    since = machine.property(unit(HANGS, "service"), "InactiveExitTimestampMonotonic")
    age = time.clock_gettime(time.CLOCK_MONOTONIC) - int(since) / 1e6
    return time.time() - age if age > 1.5 else None


@pytest.mark.timeout(900)
@pytest.mark.parametrize("instance, interval", [(ONLY, 10), (TWO, 2)])
def test_every_slot_is_hit_once_and_nothing_drifts(machine, stretch, instance, interval):
    shots = [one for one in machine.shots(instance) if stretch["begin"] <= one <= stretch["end"]]
    hit = slots(shots, interval)
    expected = hit[-1] - hit[0] + 1
    # The first may be a run at the timer's start, off the timer's grid.
    moved = drift(stretch["triggers"].of[unit(instance, "timer")][1:], interval)
    print(f"{interval} s: {len(hit)} of {expected} slots, drift {moved * 1000:.0f} ms")
    assert expected >= (stretch["end"] - stretch["begin"]) / interval - 2
    assert len(set(hit)) == len(hit), "two shots in one slot"
    assert len(hit) >= 0.99 * expected
    assert moved < 0.050


def test_a_run_that_hangs_is_ended_and_the_next_tick_fires(machine, stretch):
    after = [shot for shot in machine.shots(HANGS) if shot > stretch["hang"]]
    # 3 s until it is ended, a second more until it is killed, then the next tick.
    assert after and after[0] - stretch["hang"] < 3 + 1 + 2 * 2
    assert len(after) >= (stretch["end"] - after[0]) / 2 - 2


def test_a_camera_that_was_off_is_back_at_the_next_tick(machine, stretch):
    after = [shot for shot in machine.shots(OFF) if shot > stretch["back"]]
    assert after and after[0] - stretch["back"] < 3
    assert machine.property(unit(OFF, "timer"), "Result") == "success"


def test_an_outage_is_told_once(machine, stretch):
    lines = machine.journal(unit(OFF, "service"), f"--after-cursor={stretch['cursor']}")
    assert 1 <= len(lines) <= 4, lines


def test_good_runs_write_no_line(machine, stretch):
    machine.run(["snapshot", "schedule", "1s", "--instance", TWO])
    machine.run(["systemctl", "start", unit(TWO, "timer")])
    cursor, before = machine.cursor(), len(machine.shots(TWO))
    wait_for(lambda: len(machine.shots(TWO)) >= before + 20, 60, "20 good runs")
    lines = machine.whole_journal(cursor)
    machine.run(["systemctl", "stop", unit(TWO, "timer")])
    assert lines == []

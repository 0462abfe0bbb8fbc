"""Clocks that are wrong, jump, and are put right: no key is used again, an unknown time is marked as such, and the
store's time corrects it."""
from datetime import datetime, timedelta, timezone

import pytest

import builds
from rig import rig

pytestmark = pytest.mark.skipif(builds.is_sanitized(), reason="a sanitizer doesn't work with faketime's library")

# A machine without a time service, whether or not the one that runs the test has one.
UNKEPT = ("unshare", "-m", "sh", "-c", 'mount -t tmpfs none /run && exec "$@"', "sh", "strace", "-f", "-qq", "-o",
          "/dev/null", "-e", "trace=clock_adjtime", "-e", "inject=clock_adjtime:error=EPERM")
SHIFTS = {"2020": "@2020-02-03 04:05:06", "last month": "-31d", "an hour back": "-1h"}


def shifted(shift):
    """The wall clock is moved; the time since boot is the kernel's."""
    return (*UNKEPT, "env", "FAKETIME_DONT_FAKE_MONOTONIC=1", "faketime", "-f", shift)


def taken(request):
    return request.fields["captured_at"], request.fields.get("clock", "synced"), request.fields["key"]


def is_now(text):
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return abs(moment - datetime.now(timezone.utc)) < timedelta(seconds=30)


@pytest.mark.parametrize("shift", SHIFTS.values(), ids=SHIFTS)
def test_a_clock_that_went_back(tmp_path, shift):
    with rig(tmp_path, "http") as r:
        assert r.run("capture", prefix=UNKEPT).code == 0
        assert taken(r.store.receiver.last)[1] == "synced"
        for n in range(3):
            done = r.run("capture", prefix=shifted(shift))
            assert done.code == 0, done
            at, quality, _ = taken(r.store.receiver.last)
            # The store has told the time once in this boot: by how much the clock was set since is known.
            assert quality == "corrected", (n, at, quality)
            assert is_now(at), (n, at)
        assert len(r.check_pictures()) == 4, "a key was used again"
        keys = [taken(q)[2] for q in r.store.receiver.received]
        assert keys == sorted(keys)
        assert "clock_unsynced" in r.health()["reasons"]
        assert r.run("capture", prefix=UNKEPT).code == 0
        at, quality, _ = taken(r.store.receiver.last)
        assert is_now(at), (at, quality)
        assert r.run("capture", prefix=UNKEPT).code == 0
        assert taken(r.store.receiver.last)[1] == "synced" and r.health()["status"] == "healthy"


def test_pictures_of_a_wrong_clock_get_the_right_time_before_they_are_sent(tmp_path):
    with rig(tmp_path, "http") as r:
        r.store.down()
        for _ in range(3):
            assert r.run("capture", prefix=shifted("@2020-02-03 04:05:06")).code == 75
        assert all("2020" in key for key in r.spooled())
        r.store.up()
        assert r.run("capture", prefix=shifted("@2020-02-03 04:05:06")).code == 0
        told = [taken(q) for q in r.store.receiver.received]
        assert len(told) == 4 and not r.spooled()
        assert told[0][1] == "unsynced"
        assert all(quality == "corrected" and is_now(at) for at, quality, _ in told[1:]), told
        assert [at for at, _, _ in told[1:]] == sorted(at for at, _, _ in told[1:])
        r.check_pictures()
        r.check_counters()


def test_a_drain_gives_the_right_time_once_the_store_has_told_it(tmp_path):
    with rig(tmp_path, "http") as r:
        r.store.down()
        for _ in range(3):
            assert r.run("capture", prefix=shifted("@2020-02-03 04:05:06")).code == 75
        r.store.up()
        assert r.run("drain", prefix=shifted("@2020-02-03 04:05:06")).code == 0
        told = [taken(q) for q in r.store.receiver.received]
        assert [quality for _, quality, _ in told] == ["unsynced", "corrected", "corrected"] and not r.spooled()
        assert all(is_now(at) for at, _, _ in told[1:]) and len({key for _, _, key in told}) == 3, told


@pytest.mark.parametrize("shift", ["+1d", "-1d", "+1000d"])
def test_ages_survive_a_jump(tmp_path, shift):
    with rig(tmp_path, "http") as r:
        r.good()
        done = r.run("health", "--json", prefix=shifted(shift))
        assert done.code == 0 and '"age_seconds":' in done.stdout, done
        age = int(done.stdout.split('"age_seconds":')[1].split(",")[0].split("}")[0])
        assert 0 <= age < 30, done.stdout

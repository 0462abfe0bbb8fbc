"""Keys in local time, compared with Python's own reading of the same time zones."""
import re
from datetime import datetime, timezone
from zoneinfo import ZoneInfo

import pytest

from pictures import picture

pytestmark = [pytest.mark.asan, pytest.mark.preloads]

TEMPLATE = "{local_yyyy}-{local_MM}-{local_dd}T{local_HH}-{local_mm}-{local_ss}{offset}/{timestamp}.jpg"
# In UTC: nights when summer time begins or ends, a year's end and a leap day.
MOMENTS = ["2026-10-25 00:59:58", "2026-10-25 01:00:02", "2026-03-29 00:59:58", "2026-03-29 01:00:02", "2026-12-31 18:20:00",
           "2026-11-01 04:29:58", "2026-11-01 04:30:02", "2028-02-29 23:59:58"]
ZONES = ["Europe/Berlin", "Asia/Kathmandu", "America/St_Johns", "Pacific/Apia", "Australia/Lord_Howe", "UTC", "Etc/GMT+9"]


@pytest.fixture
def still(snapshot, tmp_path):
    path = tmp_path / "still.jpg"
    path.write_bytes(picture())
    return snapshot.set(CAMERA_URL=f"file:{path}", KEY_TEMPLATE=TEMPLATE)


@pytest.mark.parametrize("zone", ZONES)
def test_local_fields_are_those_of_the_zone(still, zone):
    for moment in MOMENTS:
        # Each moment has a state of its own, since in one state the time must not go back.
        result = still.capture("--json", env={"TZ": zone, "STATE_PATH": still.folder / moment.replace(" ", "_")},
                               prefix=("faketime", "-f", f"@{moment}")).expect(0)
        found = result.json["key"]
        local, stamp = re.fullmatch(r"(.*)/(.*)\.jpg", found).groups()
        then = datetime.strptime(stamp, "%Y%m%dT%H%M%S.%fZ").replace(tzinfo=timezone.utc)
        assert local == then.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%dT%H-%M-%S%z"), (moment, found)


def test_a_rule_in_tz_needs_no_zone_file(still):
    key = still.capture("--json", env={"TZ": "<+0545>-5:45", "TZDIR": "/nowhere"}).expect(0).json["key"]
    assert "+0545/" in key


@pytest.mark.parametrize("zone", ["Europe/Berlinn", "Mars", ":Nowhere/Else"])
def test_a_zone_that_the_system_does_not_know_is_no_utc(still, zone):
    still.capture(env={"TZ": zone}).refuses(78, "KEY_TEMPLATE", zone, "tzdata")
    still.capture(env={"TZ": zone, "KEY_TEMPLATE": "{timestamp}.jpg"}).expect(0)


@pytest.mark.parametrize("zone, template, warns", [
    ("Europe/Berlin", "{local_yyyy}{local_MM}{local_dd}{local_HH}{local_mm}{local_ss}.jpg", True),
    ("Europe/Berlin", "{local_yyyy}{local_MM}{local_dd}{local_HH}{local_mm}{local_ss}{offset}.jpg", False),
    ("Europe/Berlin", "{local_yyyy}/{local_MM}/{local_dd}/{timestamp}.jpg", False),
    ("Asia/Kathmandu", "{local_yyyy}{local_MM}{local_dd}{local_HH}{local_mm}{local_ss}.jpg", False)])
def test_an_hour_that_comes_twice_is_warned_about(still, zone, template, warns):
    result = still.capture(env={"TZ": zone, "KEY_TEMPLATE": template}).expect(0)
    assert [("twice" in w and "{offset}" in w) for w in result.warnings] == [True] * warns
    assert ("comes twice" in still.run("check", env={"TZ": zone, "KEY_TEMPLATE": template}).stdout) == warns


def test_the_spool_keeps_to_the_local_time_of_the_capture(still):
    still.set(TZ="America/St_Johns")
    blocked = still.folder / "blocked"
    blocked.write_text("")
    still.capture(env={"LOCAL_STORAGE_PATH": blocked}).expect(75)
    still.run("drain").expect(0)
    (key,) = still.stored()
    assert re.search(r"-0[23]30/", key), key

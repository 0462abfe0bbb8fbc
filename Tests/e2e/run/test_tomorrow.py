"""A state and a spool that a later version wrote: this one reads them, and keeps what it doesn't know."""
import re
import zlib

import pytest

from receiver import Answer
from web import write_ring

pytestmark = pytest.mark.asan

NEWS = {"plan": {"windows": ["08:00-12:00"]}, "told_to": ["a", None, 3.5]}


def rewrite(program, change):
    """The newest record as `change` makes it, alone in the ring."""
    newest = {name: value for name, value in program.state.items() if name != "crc"}
    change(newest)
    write_ring(program.state_folder, [newest])


def test_a_record_of_tomorrow_counts_and_what_is_new_in_it_stays(ready):
    ready.capture().expect(0)

    def tomorrow(record):
        record.update(NEWS, version="9.0.0", schema=2)
        record["outcome"].update(result="postponed", code="camera-asleep", weather="rain")
        record["clock"]["source"] = "gps"
        record["last_error"] = {"code": "moon-too-bright", "moment": record["written"]}

    rewrite(ready, tomorrow)
    health = ready.run("health", "--json").expect(0).json
    assert (health["total_captures"], health["last_error"]) == (1, "moon-too-bright")
    for n in (2, 3):
        result = ready.capture().expect(0)
        assert not result.stderr
        assert ready.state["total_captures"] == n and ready.state["outcome"]["result"] == "stored"
    assert {name: ready.state[name] for name in NEWS} == NEWS and ready.state["clock"]["source"] == "gps"
    assert not list(ready.state_folder.glob("*.bad*"))


def test_a_spooled_picture_of_tomorrow_is_sent(ready, endpoint, camera):
    endpoint.always = Answer(500)
    ready.set(**endpoint.as_http(UPLOAD_ATTEMPTS=1, UPLOAD_DEADLINE="5s")).capture().expect(75)
    path, = [p for p in (ready.state_folder / "spool").rglob("*") if p.is_file()]
    facts = re.search(rb'\{"key":.*(?=,"crc":"\w{8}"\}\n$)', path.read_bytes())[0]
    news = facts.replace(b'"clock":"synced"', b'"clock":"gps"') + b',"store":{"kind":"sftp","host":"h"},"trigger":"motion"'
    assert b'"gps"' in news
    path.write_bytes(camera.last + news + b',"crc":"%08x"}\n' % zlib.crc32(news))
    endpoint.always, endpoint.received[:] = None, []
    result = ready.run("drain").expect(0)
    assert "damaged" not in result.stderr
    assert [(r.file, r.fields["clock"]) for r in endpoint.received] == [(camera.last, "gps")]
    assert ready.health()["spool"] == {**ready.health()["spool"], "count": 0, "dropped": 0}


def test_a_capture_that_waits_says_until_when(ready, camera):
    ready.capture().expect(0)
    assert "due" not in ready.state
    ready.set(CAMERA_PASSWORD="wrong", CAMERA_AUTH="token")
    for _ in range(2):
        ready.capture().expect(77)
    due = ready.state["due"]
    assert due["reason"] == "camera-credentials" and 500 < due["delay_seconds"] <= 600
    assert ready.state["outcome"]["result"] == "latched", "the word that version 0.2.2 understands"

    def hours_ago(record):
        for name in ("last_capture", "last_upload"):
            record[name] = {"at": "2026-01-01T00:00:00Z"}

    rewrite(ready, hours_ago)
    assert ready.health()["reasons"] == ["camera_credentials_refused"], "a capture that isn't due isn't late"
    ready.set(CAMERA_PASSWORD=camera.password, CAMERA_AUTH=None).capture().expect(0)
    assert "due" not in ready.state and ready.health()["status"] == "healthy"

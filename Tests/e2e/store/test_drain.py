"""`snapshot drain`: the whole spool at once, into every kind of store."""
import hashlib
import os
import re
import signal
import subprocess
import time
from email.utils import formatdate

import pytest

from pictures import picture
from process import wait_until
from receiver import Answer, Receiver, s3_error
from stores import sha256, store

pytestmark = pytest.mark.asan


@pytest.fixture
def spooled(ready, camera):
    """The program with twelve pictures of all sizes in its spool, and what they are: {key: digest}."""
    sizes = iter(range(20_000, 400_000, 30_000))
    camera.picture = lambda: picture(size=next(sizes))
    ready.set(STORAGE_BACKEND="http", HTTP_UPLOAD_URL="http://127.0.0.1:1/", UPLOAD_ATTEMPTS=1)
    told = [ready.capture("--json").expect(75).json for _ in range(12)]
    ready.spooled = {t["key"]: t["sha256"] for t in told}
    return ready.set(STORAGE_BACKEND=None, HTTP_UPLOAD_URL=None)


def test_into_a_folder_each_picture_comes_under_its_own_key(spooled):
    result = spooled.set(LOCAL_STORAGE_MAX_BYTES="1G").run("drain").expect(0)
    assert result.stdout == "sent 12, 0 left in the spool\n"
    stored = {k: hashlib.sha256(d).hexdigest() for k, d in spooled.stored().items()}
    assert stored == spooled.spooled and not spooled.spooled_pictures()
    health = spooled.health()
    assert (health["total_captures"], health["total_uploads"], health["spool"]["count"]) == (12, 12, 0)
    # Retention knows them all.
    spooled.set(LOCAL_STORAGE_MAX_BYTES="1K").capture().expect(0)
    assert len(spooled.stored()) == 1


@pytest.mark.parametrize("form", ["multipart", "raw"])
def test_over_http_each_picture_comes_once_under_its_own_key(spooled, form):
    with Receiver() as receiver:
        spooled.set(**receiver.as_http(HTTP_UPLOAD_FORMAT=form)).run("drain").expect(0)
        taken = {(r.fields.get("key") or r.headers["X-Snapshot-Key"]): hashlib.sha256(r.file or r.body).hexdigest()
                 for r in receiver.received}
        assert taken == spooled.spooled and len(receiver.received) == 12
        assert len({r.port for r in receiver.received}) > 1, "several at once"


def test_a_store_that_is_away_is_told_and_costs_nothing(spooled):
    spooled.set(STORAGE_BACKEND="http", HTTP_UPLOAD_URL="http://127.0.0.1:1/").run("drain").refuses(75, "cannot reach store")
    assert len(spooled.spooled_pictures()) == 12


def test_one_that_the_store_dislikes_holds_up_no_other(spooled):
    with Receiver() as receiver:
        receiver.answers = [Answer(413)]
        result = spooled.set(**receiver.as_http()).run("drain").refuses(75, "413")
        assert result.stdout == "sent 11, 1 left in the spool\n" and len(spooled.spooled_pictures()) == 1
        assert spooled.run("drain").expect(0).stdout == "sent 1, 0 left in the spool\n"
    assert spooled.health()["total_uploads"] == 12


def test_those_that_the_store_chokes_on_hold_up_no_other(spooled):
    with Receiver() as receiver:
        receiver.choking = set(sorted(spooled.spooled)[:2])
        result = spooled.set(**receiver.as_http(UPLOAD_ATTEMPTS=2)).run("drain").refuses(75, "500")
        assert result.stdout == "sent 10, 2 left in the spool\n" and len(receiver.received) == 14


def test_a_store_that_chokes_on_all_is_left_alone(spooled):
    with Receiver(status=500) as receiver:
        spooled.set(**receiver.as_http()).run("drain").refuses(75, "500")
        assert len(receiver.received) == 3 and len(spooled.spooled_pictures()) == 12


def test_a_line_that_several_share_takes_as_long_for_each(spooled):
    with Receiver(threaded=False) as receiver:
        receiver.always = Answer(wait=0.3)
        spooled.set(**receiver.as_http(UPLOAD_DEADLINE="1s")).run("drain", "--transfers", "6").expect(0)
        assert len(receiver.received) == 12


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_asked_to_end_it_finishes_what_is_under_way_and_counts_it(spooled, number):
    with Receiver() as receiver:
        receiver.always = Answer(200, wait=0.5)
        run = spooled.set(**receiver.as_http()).start("drain", "--transfers", "2")
        wait_until(lambda: len(receiver.received) >= 3, what="some uploads")
        os.kill(run.pid, number)
        result = run.result()
        sent = len(receiver.received)
        assert result.code != 0 and 3 <= sent <= 6 and result.stdout == f"sent {sent}, {12 - sent} left in the spool\n"
        health = spooled.health()
        assert (health["total_uploads"], health["spool"]["count"]) == (sent, 12 - sent)
        receiver.always = None
        spooled.run("drain").expect(0)
        keys = [r.fields["key"] for r in receiver.received]
        assert sorted(keys) == sorted(spooled.spooled), "none twice"


@pytest.mark.parametrize("kind", ["rgw-tls", "seaweed"])
def test_connections_are_kept_and_are_no_more_than_asked_for(spooled, kind, tmp_path):
    with store(kind, tmp_path) as s:
        spooled.set(**s.settings).run("drain", "--transfers", "3").expect(0)
        assert {key: sha256(data) for key, data in s.pictures().items()} == spooled.spooled
        assert 1 < s.proxy.connections <= 3


@pytest.mark.parametrize("answer", [Answer(503), Answer(500), Answer(reset=True)], ids=["busy", "failed", "reset"])
def test_a_picture_gets_its_attempts_beside_the_others(spooled, answer):
    with Receiver() as receiver:
        receiver.answers = [Answer(), answer, answer, Answer(), answer]
        spooled.set(**receiver.as_http(UPLOAD_ATTEMPTS=4)).run("drain").expect(0)
        taken = {r.fields["key"]: hashlib.sha256(r.file).hexdigest() for r in receiver.received if r.file}
        assert taken == spooled.spooled and not spooled.spooled_pictures()
    health = spooled.health()
    assert (health["total_uploads"], health["failed_uploads"]) == (12, 12)


def test_refused_credentials_cost_one_request(spooled):
    with Receiver() as receiver:
        receiver.always = Answer(403)
        spooled.set(**receiver.as_http(HTTP_AUTH_TOKEN="wrong")).run("drain").refuses(77, "403")
        assert len(receiver.received) == 1 and len(spooled.spooled_pictures()) == 12


def test_credentials_that_are_refused_beside_another_failure_are_held_off(spooled):
    with Receiver() as receiver:
        receiver.answers = [Answer(), Answer(403), Answer(503, wait=1)]
        spooled.set(**receiver.as_http()).run("drain", "--transfers", "2").refuses(77, "403")
        spooled.run("drain").refuses(77, "earlier")
        assert len(receiver.received) == 3


def test_asked_to_end_it_waits_for_no_answer_that_does_not_come(spooled):
    with Receiver() as receiver:
        receiver.always = Answer(wait=60)
        run = spooled.set(**receiver.as_http(UPLOAD_DEADLINE="50s")).start("drain")
        wait_until(lambda: receiver.received, what="an upload")
        os.kill(run.pid, signal.SIGTERM)
        result = run.result(timeout=20)
        assert result.code == -signal.SIGTERM and "a stop was requested" in result.stderr
        assert result.stdout == "sent 0, 12 left in the spool\n" and len(spooled.spooled_pictures()) == 12


def test_on_a_terminal_progress_and_warnings_share_no_line(spooled):
    damaged = sorted((spooled.state_folder / "spool").rglob("*.jpg"))[5]
    damaged.write_bytes(damaged.read_bytes()[:5000])
    with Receiver() as receiver:
        spooled.set(**receiver.as_http())
        ours, theirs = os.openpty()
        run = subprocess.Popen([spooled.binary, "drain"], stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs,
                               env={**spooled.environment, **spooled.settings}, cwd=spooled.folder)
        assert run.wait(30) == 0
        shown = os.read(ours, 65536).decode()
        os.close(ours), os.close(theirs)
    assert "10 of 12 sent" in shown
    # Each warning and the summary begin at the left.
    assert re.search(r"[\r\n]snapshot: warning", shown) and re.search(r"\r\x1b\[Ksent 11, 0 left", shown), repr(shown)


def test_another_region_is_asked_for_once(spooled, tmp_path):
    with store("swift", tmp_path) as s:
        spooled.set(**s.settings).set(AWS_REGION="ap-south-1").run("drain").expect(0)
        assert {key: sha256(data) for key, data in s.pictures().items()} == spooled.spooled
        # It is remembered: the next picture needs one request.
        assert spooled.capture("--json").expect(0).json["attempts"] == 1


def test_a_store_that_refuses_the_clock_gets_the_right_time(spooled):
    with Receiver() as receiver:
        tomorrow = formatdate(time.time() + 86400, usegmt=True)
        receiver.answers = [Answer(403, {"Date": tomorrow}, s3_error("RequestTimeTooSkewed"))]
        receiver.answers += [Answer(headers={"Date": tomorrow})] * 12
        spooled.set(**receiver.as_s3()).run("drain").expect(0)
        assert len(receiver.received) == 13 and not spooled.spooled_pictures()
        signed = {r.headers["X-Amz-Date"][:8] for r in receiver.received[1:]}
        assert signed == {time.strftime("%Y%m%d", time.gmtime(time.time() + 86400))}


def test_a_store_that_never_answers_ends_by_its_deadline(spooled):
    with Receiver() as receiver:
        receiver.always = Answer(wait=60)
        result = spooled.set(**receiver.as_http(UPLOAD_DEADLINE="1s")).run("drain").refuses(75, "no answer")
        assert result.wall < 10 and len(spooled.spooled_pictures()) == 12


def test_a_refusal_met_by_the_spool_holds_off_too(ready, camera, endpoint):
    """The camera is away, so that nothing but the spool goes to the store."""
    ready.set(STORAGE_BACKEND="http", HTTP_UPLOAD_URL="http://127.0.0.1:1/", UPLOAD_ATTEMPTS=1).capture().expect(75)
    camera.raw = b"nothing"
    endpoint.always = Answer(403)
    ready.set(**endpoint.as_http())
    for _ in range(3):
        ready.capture().expect(69)
    assert len(endpoint.received) == 1 and ready.state["latches"]["store"]["delay_seconds"] == 600
    assert "store_credentials_refused" in ready.health()["reasons"]
    endpoint.always = None
    ready.set(HTTP_AUTH_TOKEN="new").capture().expect(69)
    assert not ready.spooled_pictures() and ready.state["latches"]["store"]["past"]
    assert "store_credentials_refused" not in ready.health()["reasons"]


def test_the_time_of_a_store_that_cannot_know_it_is_not_believed(ready, endpoint):
    endpoint.always = Answer(200, {"Date": formatdate(1000, usegmt=True)})
    ready.set(**endpoint.as_http())
    for _ in range(2):
        ready.capture().expect(0)
    assert [r.fields["captured_at"][:4] for r in endpoint.received] == [time.strftime("%Y")] * 2
    assert ready.health()["clock"]["synced"]

"""Retries: which answers are tried again, when, how often, on which connection, and never past the deadline."""
import pytest

from faultproxy import FaultProxy
from pictures import picture
from receiver import Answer, s3_error

pytestmark = pytest.mark.asan

S3_AGAIN = [Answer(500, {}, s3_error("InternalError")), Answer(503, {}, s3_error("SlowDown")), Answer(429),
            Answer(408), Answer(502), Answer(504), Answer(400, {}, s3_error("RequestTimeout"))]
S3_FINAL = [(Answer(400, {}, s3_error("InvalidRequest")), 75), (Answer(403, {}, s3_error("AccessDenied")), 77),
            (Answer(403, {}, s3_error("SignatureDoesNotMatch")), 77), (Answer(403, {}, s3_error("InvalidAccessKeyId")), 77),
            (Answer(401, {}, s3_error("Unauthorized")), 77), (Answer(404, {}, s3_error("NoSuchBucket")), 75),
            (Answer(403, {}, s3_error("ExpiredToken")), 77), (Answer(400, {}, s3_error("ExpiredToken")), 77)]


@pytest.mark.parametrize("answer", S3_AGAIN, ids=lambda a: a.status)
def test_transient_s3_answers_are_tried_again(ready, camera, endpoint, answer):
    endpoint.answers = [answer]
    ready.set(**endpoint.as_s3()).capture().expect(0)
    assert [r.body for r in endpoint.received] == [camera.last] * 2
    assert len({r.path for r in endpoint.received}) == 1, "one key"


@pytest.mark.parametrize("answer, code", S3_FINAL, ids=str)
def test_final_s3_answers_are_not(ready, camera, endpoint, answer, code):
    endpoint.always = answer
    result = ready.set(**endpoint.as_s3()).capture().refuses(code)
    assert len(endpoint.received) == 1 and result.wall < 8
    assert ready.spooled_pictures() == [camera.last]


@pytest.mark.parametrize("status, code, tries", [
    (500, 75, 3), (503, 75, 3), (429, 75, 3), (408, 75, 3), (400, 75, 1), (404, 75, 1), (401, 77, 1), (403, 77, 1),
    (302, 75, 1), (413, 75, 1)])
def test_http_answers(ready, camera, endpoint, status, code, tries):
    endpoint.always = Answer(status, {"Location": "/elsewhere"})
    ready.set(**endpoint.as_http(UPLOAD_DEADLINE="8s")).capture().refuses(code, str(status))
    assert 1 <= len(endpoint.received) <= tries and (tries == 1 or len(endpoint.received) > 1)
    assert {r.path for r in endpoint.received} == {"/up"}
    assert ready.spooled_pictures() == [camera.last]


def test_retries_carry_the_same_idempotency_key_and_body(ready, camera, endpoint):
    endpoint.answers = [Answer(500), Answer(502)]
    ready.set(**endpoint.as_http()).capture().expect(0)
    assert {r.headers["Idempotency-Key"] for r in endpoint.received} == {endpoint.last.fields["key"]}
    assert [r.file for r in endpoint.received] == [camera.last] * 3


@pytest.mark.parametrize("attempts", [1, 2, 5])
def test_the_number_of_attempts_is_a_setting(ready, endpoint, attempts):
    endpoint.always = Answer(500)
    ready.set(**endpoint.as_http(UPLOAD_ATTEMPTS=attempts, UPLOAD_DEADLINE="9s")).capture().expect(75)
    assert len(endpoint.received) == attempts


@pytest.mark.parametrize("kind", ["as_http", "as_s3"])
def test_retry_after_is_honoured(ready, endpoint, kind):
    endpoint.answers = [Answer(503, {"Retry-After": "2"})]
    ready.set(**getattr(endpoint, kind)()).capture().expect(0)
    first, second = endpoint.received
    assert second.at - first.at >= 2


def test_a_retry_after_beyond_the_deadline_ends_the_run_at_once(ready, endpoint):
    endpoint.always = Answer(503, {"Retry-After": "3600"})
    result = ready.set(**endpoint.as_http(UPLOAD_DEADLINE="30s")).capture().expect(75)
    assert len(endpoint.received) == 1 and result.wall < 8


@pytest.mark.parametrize("value", ["-1", "soon", "Wed, 21 Oct 2015 07:28:00 GMT", "1e3"])
def test_an_odd_retry_after_is_none(ready, endpoint, value):
    endpoint.answers = [Answer(503, {"Retry-After": value})]
    ready.set(**endpoint.as_http(UPLOAD_DEADLINE="6s")).capture().expect(0)
    assert len(endpoint.received) == 2


def test_a_retry_after_beyond_all_numbers_is_beyond_the_deadline(ready, endpoint):
    endpoint.answers = [Answer(503, {"Retry-After": "99999999999999999999"})]
    ready.set(**endpoint.as_http(UPLOAD_DEADLINE="6s")).capture().expect(75)
    assert len(endpoint.received) == 1


def test_a_reset_is_tried_again_on_a_new_connection(ready, camera, endpoint):
    endpoint.answers = [Answer(reset=True)]
    camera.picture = lambda: picture(size=1_500_000)
    ready.set(**endpoint.as_http()).capture().expect(0)
    assert endpoint.last.file == camera.last
    assert len({r.port for r in endpoint.received}) == 2


def test_a_reset_mid_upload_is_tried_again(ready, camera, endpoint):
    camera.picture = lambda: picture(size=2_000_000)
    with FaultProxy(endpoint.port, "uprst", 100_000) as proxy:
        ready.set(**endpoint.as_http(HTTP_UPLOAD_URL=f"http://127.0.0.1:{proxy.port}/up", UPLOAD_DEADLINE="3s"))
        ready.capture().refuses(75)
        assert proxy.connections == 3 and ready.spooled_pictures() == [camera.last]
        proxy.set("pass")
        ready.capture().expect(0)
    assert sorted(r.file for r in endpoint.received if r.file) == sorted(camera.served)


@pytest.mark.timing
@pytest.mark.parametrize("fault", [("blackhole", 0), ("stall", 5)], ids=lambda f: f[0])
@pytest.mark.parametrize("deadline", [1, 2.5])
def test_the_deadline_holds_to_100_ms(ready, camera, endpoint, fault, deadline):
    camera.picture = lambda: picture(size=1_000_000)
    with FaultProxy(endpoint.port, *fault) as proxy:
        ready.set(**endpoint.as_http(HTTP_UPLOAD_URL=f"http://127.0.0.1:{proxy.port}/up",
                                     UPLOAD_DEADLINE=f"{int(deadline * 1000)}ms"))
        ready.capture().refuses(75)
        assert deadline - 0.1 <= proxy.busy() <= deadline + 0.2, "100 ms, and as much for the machine"


def test_a_failing_store_is_not_hammered_by_run_after_run(ready, endpoint):
    """The retry quota lives across runs: later runs of an outage try once."""
    endpoint.always = Answer(500)
    ready.set(**endpoint.as_http())
    counts = []
    for _ in range(12):
        before = len(endpoint.received)
        ready.capture().expect(75)
        counts.append(len(endpoint.received) - before)
    assert counts[0] == 3 and counts[-1] == 1, counts


def test_while_the_store_is_down_a_run_makes_one_attempt(ready, camera, endpoint):
    endpoint.always = Answer(503)
    ready.set(**endpoint.as_http(UPLOAD_ATTEMPTS=3, UPLOAD_DEADLINE="20s")).capture().expect(75)
    assert len(endpoint.received) == 3
    for attempts in (4, 5):
        ready.capture().expect(75)
        assert len(endpoint.received) == attempts
    endpoint.always = None
    ready.capture().expect(0)
    # Once it is back the attempts are, too.
    endpoint.answers, endpoint.received[:] = [Answer(503), Answer(503)], []
    ready.capture().expect(0)
    assert len(endpoint.received) == 3

"""What the relay keeps and what it gives away: retention of recordings, and their upload."""
import base64
import hashlib
import json
import os
import re
import shutil
import time

import pytest

import media
from builds import most_memory
from credential_provider import CredentialProcess
from disk import small_disk
from process import wait_until
from receiver import Answer, Receiver, s3_error
from relay import Relay, in_time
from rtsp import RTSPServer
from stores import store

pytestmark = pytest.mark.tsan


@pytest.fixture(scope="module")
def camera():
    with RTSPServer("admin", "CanaryPassword") as server:
        yield server


def test_retention_by_bytes_spares_what_is_not_ours(snapshot, camera):
    with Relay(snapshot, camera.as_camera(), "record", SEGMENT_TIME="2s", RECORD_MAX_BYTES="500K") as relay:
        relay.record.mkdir(parents=True, exist_ok=True)
        other = relay.record / "holiday.mp4"
        other.write_bytes(bytes(600_000))
        # Has the name of a recording, and isn't one.
        folder = relay.record / "20200101T000000Z.mp4"
        folder.mkdir()
        relay.wait_running()
        first = wait_until(lambda: [p for p in relay.recordings if p.is_file()][:1], 15, "recording", every=0.1)[0]
        wait_until(lambda: not first.exists(), 20, "retention")
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            assert size(relay.record) <= 600_000 + (500 << 10)
            time.sleep(0.2)
        assert other.exists() and folder.is_dir()


def test_retention_by_free_space(snapshot, camera, tmp_path):
    """The oldest recordings are deleted in time, and nothing else; recording goes on."""
    with small_disk(tmp_path / "disk", "size=2M") as disk, Relay(
            snapshot, camera.as_camera(), "record", SEGMENT_TIME="1s", RECORD_MIN_FREE="1M", OUTPUT_DIR=str(disk)) as relay:
        relay.record.mkdir(parents=True, exist_ok=True)
        others = [relay.record / name for name in ("holiday.mp4", "20200101T000000Z.txt", "20200101T000000Z.mp4.part")]
        for other in others:
            other.write_bytes(bytes(250_000))
        relay.wait_running()
        first = wait_until(lambda: relay.recordings[:1], 15, "recording", every=0.1)[0]
        wait_until(lambda: not first.exists(), 20, "retention")
        seen, now = set(), []

        def two_more_have_gone():
            nonlocal now
            # The recording that is being written may use some of that space.
            assert shutil.disk_usage(disk).free >= (1 << 20) - 200_000
            now = relay.recordings
            seen.update(now)
            return len(now) >= 2 and len(seen) >= len(now) + 2

        wait_until(two_more_have_gone, 20, "older recordings to make room", every=0.1)
        every = sorted(seen, key=in_time)
        assert every[-len(now):] == now, (every, now)
        assert all(other.stat().st_size == 250_000 for other in others)
        relay.stop()
        assert "failing" not in relay.report and relay.report["restarts"] == 0


def test_a_bound_that_keeps_nothing_is_told(snapshot, camera):
    with Relay(snapshot, camera.as_camera(), "record", SEGMENT_TIME="2s", RECORD_MAX_BYTES="50K") as relay:
        wait_until(lambda: "RECORD_MAX_BYTES" in relay.stderr, 20, "warning")
        time.sleep(3)
        assert relay.stderr.count("deleted as soon as they are finished") == 1, relay.stderr
        assert "hint: raise RECORD_MAX_BYTES" in relay.stderr


def test_room_that_cannot_be_made_is_told(snapshot, camera):
    with Relay(snapshot, camera.as_camera(), "record", SEGMENT_TIME="1s", RECORD_MIN_FREE="900T") as relay:
        wait_until(lambda: "RECORD_MIN_FREE asks for more than is free" in relay.stderr, 20, "warning")


def test_recordings_grow_old_while_the_camera_is_away(snapshot):
    with RTSPServer("admin", "CanaryPassword") as camera, \
            Relay(snapshot, camera.as_camera(), "record", SEGMENT_TIME="2s", RECORD_MAX_AGE="20s") as relay:
        relay.wait_running()
        wait_until(lambda: len(relay.recordings) >= 2, 15, "recordings")
        camera.stop()
        relay.wait_state("backing-off", 10)
        assert relay.recordings
        wait_until(lambda: not relay.recordings, 90, f"retention: {relay.recordings}", every=0.5)


def size(folder):
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except FileNotFoundError:
            continue
    return total


@pytest.mark.parametrize("kind", ["filesystem", "http", "seaweed"])
def test_segments_go_to_the_store(snapshot, camera, tmp_path, kind):
    """Each is uploaded whole, as video, under a key like a picture's, and is then deleted from the disk."""
    with store(kind, tmp_path) as target:
        with Relay(snapshot, camera.as_camera(), "record,hls", SEGMENT_TIME="2s", RECORD_UPLOAD="true", CAMERA_NAME="front",
                   **target.settings) as relay:
            relay.wait_running()
            wait_until(lambda: len(videos(target)) >= 3, 25, f"uploads: {relay.stderr}")
            assert relay.memory < most_memory(20 * 1024, debug=30 * 1024)
            relay.stop()
        got = videos(target)
        for key, data in got.items():
            path = tmp_path / "one.mp4"
            path.write_bytes(data)
            media.decode(path)
            assert key.split("front/", 1)[1].count("/") == 3 and "/front_2" in key, key
            assert kind == "filesystem" or target.facts(key)["content_type"] == "video/mp4"
        left = {p.read_bytes() for p in relay.recordings}
        assert not left & set(got.values()), "uploaded and still there"
        assert len(left) <= 2


def test_only_files_in_the_folder_itself_are_uploaded(snapshot, camera, tmp_path):
    """Neither a link with a recording's name, nor a pipe, nor a folder."""
    planted = {f"2026010{day}T000000Z.mp4": plant for day, plant in enumerate((
        lambda path: path.symlink_to(tmp_path / "secret"), os.mkfifo, lambda path: path.mkdir()), 1)}
    (tmp_path / "secret").write_bytes(b"secret")
    with store("filesystem", tmp_path) as target:
        relay = Relay(snapshot, camera.as_camera(), "record", SEGMENT_TIME="1s", RECORD_UPLOAD="true", **target.settings)
        relay.record.mkdir(parents=True)
        for name, plant in planted.items():
            plant(relay.record / name)
        with relay:
            wait_until(lambda: len(videos(target)) >= 2, 25, f"uploads: {relay.stderr}")
            relay.stop()
        assert not [key for key, data in videos(target).items() if "20260101" in key or "2026/01/0" in key or len(data) < 1000]
        assert all(os.path.lexists(relay.record / name) for name in planted)


PER_OBJECT = {
    "s3": ({"S3_SSE": "aws:kms", "S3_SSE_KMS_KEY_ID": "key-1", "S3_BUCKET_KEY": "true", "S3_STORAGE_CLASS": "STANDARD_IA", "S3_ACL": "private",
            "S3_TAGS": "cam={camera}", "S3_METADATA": "file={filename}", "S3_CHECKSUM": "sha256", "S3_IF_NONE_MATCH": "true"},
           {"X-Amz-Server-Side-Encryption": "aws:kms", "X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id": "key-1",
            "X-Amz-Server-Side-Encryption-Bucket-Key-Enabled": "true", "X-Amz-Storage-Class": "STANDARD_IA", "X-Amz-Acl": "private",
            "X-Amz-Tagging": "cam=front", "X-Amz-Meta-File": "{name}", "X-Amz-Checksum-Sha256": "{sha256}", "If-None-Match": "*"}),
    "http": ({"HTTP_UPLOAD_FORMAT": "raw", "HTTP_UPLOAD_METHOD": "PUT", "HTTP_UPLOAD_HEADERS": "Token: abcdefgh1\\nX-File: {filename}"},
             {"Token": "abcdefgh1", "X-File": "{name}"})}


@pytest.mark.parametrize("kind", PER_OBJECT)
def test_segments_carry_what_is_set_for_each_object(snapshot, camera, endpoint, kind):
    """Uploads of recordings have the headers that pictures get, and S3 signs those that begin with X-Amz-."""
    settings, headers = PER_OBJECT[kind]
    with Relay(snapshot, camera.as_camera(), "record", SEGMENT_TIME="1s", RECORD_UPLOAD="true", CAMERA_NAME="front",
               **getattr(endpoint, f"as_{kind}")(**settings)) as relay:
        wait_until(lambda: len(endpoint.received) >= 2, 25, f"uploads: {relay.stderr}")
        relay.stop()
    for r in endpoint.received:
        values = {"{name}": r.path.rpartition("/")[2] if kind == "s3" else r.headers["X-Snapshot-Key"].rpartition("/")[2],
                  "{sha256}": base64.b64encode(hashlib.sha256(r.body).digest()).decode()}
        assert {n: r.headers.get(n) for n in headers} == {n: values.get(v, v) for n, v in headers.items()}
        signed = r.headers.get("Authorization", "").partition("SignedHeaders=")[2].partition(",")[0].split(";")
        assert kind == "http" or {n.lower() for n in headers if n.startswith("X-Amz-")} <= set(signed)
        assert values["{name}"].endswith(".mp4") and len(r.body) > 1000


def shown_end(snapshot, process):
    """Whether health shows the end of the keys that the process gave last."""
    lent = json.loads((process.folder / "out").read_text())
    return (snapshot.health()["relay"].get("credentials") or {}).get("end") == lent["Expiration"]


def test_uploads_of_recordings_keep_to_the_rate(snapshot, camera, endpoint):
    """A second of video is more than a second's worth of UPLOAD_RATE, so one upload follows the other without a pause."""
    with Relay(snapshot, camera.as_camera(), "record", SEGMENT_TIME="1s", RECORD_UPLOAD="true", UPLOAD_RATE="16K",
               **endpoint.as_http(HTTP_UPLOAD_FORMAT="raw")) as relay:
        relay.wait_running()
        wait_until(lambda: len(endpoint.received) >= 4, 60, f"uploads: {relay.stderr}")
    *earlier, last = endpoint.received[:4]
    took = last.at - earlier[0].at
    sent = sum(len(one.body) for one in earlier)
    assert sent / len(earlier) > 2 * (16 << 10), "a second of video is too small to show it"
    assert sent / took < 1.3 * (16 << 10), (sent, took)


def test_segments_are_signed_with_borrowed_keys(snapshot, camera, tmp_path):
    """One run of the program serves many segments; one more where the store calls its keys expired."""
    process, config = CredentialProcess(tmp_path / "process"), tmp_path / "aws.conf"
    config.write_text(process.profile())
    with Receiver() as endpoint:
        settings = {k: v for k, v in endpoint.as_s3(AWS_CONFIG_FILE=config).items() if not k.startswith("AWS_") or "CONFIG" in k}
        with Relay(snapshot, camera.as_camera(), "record", SEGMENT_TIME="1s", RECORD_UPLOAD="true", **settings) as relay:
            wait_until(lambda: len(endpoint.received) >= 2, 25, f"uploads: {relay.stderr}")
            assert process.runs == 1
            wait_until(lambda: shown_end(snapshot, process), 10, "the keys' end")
            assert re.search(r"relay +running.*temporary credentials until \S", snapshot.run("health").stdout)
            assert re.search(r"^snapshot_relay_credentials_end_timestamp_seconds\{camera=\"\w+\"\} 1\d{9}$",
                             snapshot.run("health", "--prometheus").stdout, re.M)
            process.gives("ASIASECOND0000000001", 7200)
            endpoint.answers.append(Answer(400, {}, s3_error("ExpiredToken")))
            wait_until(lambda: "ASIASECOND" in endpoint.last.headers["Authorization"], 15, f"other keys: {relay.stderr}")
            assert process.runs == 2
            wait_until(lambda: shown_end(snapshot, process), 10, "the other keys' end")
            kept, = snapshot.state_folder.rglob("credentials.json")
            assert kept.stat().st_mode & 0o777 == 0o600
            relay.stop()
            assert snapshot.health()["relay"].get("credentials") is None, "a relay that has stopped uses none"
    assert not [w for w, data in snapshot.written() if b"ASIASECOND" in data and not w.endswith("credentials.json")]


def videos(target):
    return {k: v for k, v in target.pictures().items() if k.endswith(".mp4")}


def test_segments_wait_for_the_store_in_order(snapshot, camera):
    """Nothing is removed without an acknowledgement; afterwards they come oldest first."""
    with Receiver() as endpoint, Relay(
            snapshot, camera.as_camera(), "record", SEGMENT_TIME="2s", RECORD_UPLOAD="true", UPLOAD_ATTEMPTS="1",
            HTTP_UPLOAD_FORMAT="raw", **endpoint.as_http()) as relay:
        endpoint.always = Answer(500)
        relay.wait_running()
        waiting = wait_until(lambda: len(relay.recordings) >= 3 and relay.recordings, 20, "recordings")
        assert endpoint.received and {r.headers["X-Snapshot-Key"] for r in endpoint.received} == \
            {endpoint.received[0].headers["X-Snapshot-Key"]}, "others were tried before the oldest"
        sizes = [p.stat().st_size for p in waiting]
        endpoint.always = None
        fixed = len(endpoint.received)
        wait_until(lambda: not any(p.exists() for p in waiting), 70, "uploads")
        taken = endpoint.received[fixed:]
        assert [len(r.body) for r in taken[:len(sizes)]] == sizes
        assert all(r.headers["Content-Type"] == "video/mp4" for r in taken)
        keys = [r.headers["X-Snapshot-Key"] for r in taken]
        assert keys == sorted(keys) and len(set(keys)) == len(keys)


def test_segments_that_wait_are_bounded(snapshot, camera):
    with Receiver() as endpoint, Relay(
            snapshot, camera.as_camera(), "record", SEGMENT_TIME="1s", RECORD_UPLOAD="true", RECORD_MAX_BYTES="300K",
            UPLOAD_ATTEMPTS="1", **endpoint.as_http()) as relay:
        endpoint.always = Answer(503)
        relay.wait_running()
        wait_until(lambda: "deleted before the store took them" in relay.stderr, 30, "bound")
        assert size(relay.record) <= 400 << 10
        assert relay.recordings


def test_what_the_store_rejects_is_sent_ever_less_often(snapshot, camera):
    """A wrong address rejects each recording with 404; a rejected one is tried again after growing waits."""
    with Receiver() as endpoint, Relay(
            snapshot, camera.as_camera(), "record", SEGMENT_TIME="1s", RECORD_UPLOAD="true", UPLOAD_ATTEMPTS="1",
            HTTP_UPLOAD_FORMAT="raw", **endpoint.as_http()) as relay:
        endpoint.always = Answer(404)
        wait_until(lambda: endpoint.received, 25, f"uploads: {relay.stderr}")
        first = endpoint.received[0].headers["X-Snapshot-Key"]

        def times():
            return [r.at for r in endpoint.received if r.headers["X-Snapshot-Key"] == first]
        # After 0, 1, 3 and 7 s, and not each second.
        wait_until(lambda: len(times()) >= 4, 40, "the fourth try")
        assert times()[3] - times()[2] > 3.5
        tried, endpoint.always = len(times()), None
        wait_until(lambda: len(times()) > tried, 30, "the first, once more")
        wait_until(lambda: not [p for p in relay.recordings if first.endswith(p.name)], 10, "its end here")
        relay.stop()

"""A camera with every fault there is, drawn at random, and a store that stumbles, dies for a stretch of runs, and comes
back: every picture that was captured arrives, oldest first, byte for byte."""
import hashlib
import json
import random

import pytest

from pictures import picture
from receiver import Answer
from rig import rig
from simulator import Simulator

# No answer that refuses a single picture: such a picture is passed over and comes later, out of order.
STUMBLES = [Answer(500), Answer(503, {"Retry-After": "0"}), Answer(429), Answer(reset=True), Answer(502)]


@pytest.mark.parametrize("backend", ["http", "s3"])
def test_soak(tmp_path, backend, long, figure):
    runs = 500 if long else 30
    draw = random.Random(20260121)
    pictures = []
    for n in range(7):
        (tmp_path / f"{n}.jpg").write_bytes(picture(320, 192))
        pictures += ["--picture", tmp_path / f"{n}.jpg"]
    with rig(tmp_path / "rig", backend) as r, \
            Simulator("--password", "soak", "--fault", "random", "--fault-rate", "0.25", *pictures) as camera:
        r.settings.update(CAMERA_IP=camera.address, CAMERA_PASSWORD="soak", CAMERA_TIMEOUT="1s", CAPTURE_INTERVAL="3s",
                          UPLOAD_DEADLINE="2s", FROZEN_AFTER="0")
        captured, spooled, codes = [], [], {}

        def shoot():
            done = r.run("capture", "--json")
            codes[done.code] = codes.get(done.code, 0) + 1
            assert done.code in (0, 69, 75, 77), done
            if done.code == 77:
                # After a 401 the credentials are held off until the settings change: use the other name of the same host.
                host, port = r.settings["CAMERA_IP"].split(":")
                r.settings["CAMERA_IP"] = f"{'localhost' if host == '127.0.0.1' else '127.0.0.1'}:{port}"
            said = json.loads(done.stdout)
            if "sha256" in said:
                captured.append((said["key"], said["sha256"]))
                if said["result"] == "spooled":
                    spooled.append(said["key"])

        for n in range(runs):
            (r.store.down if runs // 4 <= n < runs // 2 else r.store.up)()
            r.store.receiver.always = draw.choice(STUMBLES) if draw.random() < 0.15 else None
            shoot()
        r.store.up()
        r.store.receiver.always = None
        camera.fault("none")
        for _ in range(20):
            shoot()
            if not r.spooled():
                break
        asked = [q for q in r.store.receiver.received if "Expect" in q.headers]
        assert not asked, "small bodies go at once: servers that never answer 100 would cost a second each"
        first = {}
        answered = [a for a in arrivals(r) if a[2]]
        for key, data, _ in answered:
            assert first.setdefault(key, data) == data, f"{key} came with other bytes"
        lost = [key for key, digest in captured if key not in first or hashlib.sha256(first[key]).hexdigest() != digest]
        assert len(captured) >= runs // 2 and len(spooled) >= runs // 8, codes
        assert not lost and not r.spooled(), f"{len(lost)} of {len(captured)} lost: {lost[:3]}"
        health = r.health()
        assert health["total_captures"] == health["total_uploads"] == len(captured), health
        assert health["spool"]["dropped"] == 0
        order = [key for key in dict.fromkeys(key for key, _, _ in reversed(answered)) if key in spooled]
        assert order[::-1] == sorted(spooled, key=[k for k, _ in captured].index), "not oldest first"
        figure("runs", runs)
        figure("captured", len(captured))
        figure("of them spooled", len(spooled))
        figure("lost", len(lost))
        figure("exit codes", " ".join(f"{k}×{v}" for k, v in sorted(codes.items())))


def arrivals(r):
    """(key, bytes, whether it was read whole) of every request."""
    for q in r.store.receiver.received:
        if r.backend == "http":
            yield q.fields.get("key"), q.file, q.file is not None
        else:
            yield q.path.split("/", 2)[2].rstrip("?"), q.body, bool(q.body)

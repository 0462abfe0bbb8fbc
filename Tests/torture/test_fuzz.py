"""Coverage-guided random input to everything that reads what others wrote (Tests/Fuzz). Nothing may trap."""
import os
import re
import subprocess
import time

import pytest

import seeds
import shared
from builds import ROOT
from rig import parts, rig

SUBJECTS = {"dotenv": 4096, "settings": 4096, "jpeg": 8192, "state": 8192, "s3-error": 2048, "reolink": 2048, "url": 512,
            "spool": 2048, "profile": 4096, "progress": 2048, "stderr": 4096, "ffprobe": 2048, "playlist": 4096,
            "relay-report": 2048, "recording": 2048, "mpegts": 2048, "rtsp": 4096, "rtp": 2048}
SHORT, LONG = 20_000, 1_000_000


def build(folder, parent):
    """The fuzzer, and seeds from a real run; once for all workers."""
    done = subprocess.run([ROOT / "Tests/Fuzz/build"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    with rig(folder / "rig", "http") as r:
        r.good()
        r.store.down()
        for _ in range(2):
            assert r.run("capture").code == 75
        spooled = [p.read_bytes()[len(parts(p)[0]):] for p in r.state.glob("spool/[0-9]*/*")]
        seeds.write(folder / "seeds", (r.state / "state.jsonl").read_bytes(), spooled)
    return {"pids": [], "seeds": str(folder / "seeds")}


@pytest.mark.parametrize("subject", SUBJECTS)
def test_fuzz(tmp_path, subject, long, figure):
    made = shared.server("fuzz", build)
    (tmp_path / "corpus").mkdir()
    runs = LONG if long else SHORT
    begin = time.monotonic()
    done = subprocess.run(
        [ROOT / "out/fuzz/fuzz", f"-runs={runs}", "-seed=20260121", f"-max_len={SUBJECTS[subject]}", "-timeout=10",
         "-rss_limit_mb=2048", f"-artifact_prefix={tmp_path}/", tmp_path / "corpus", f"{made['seeds']}/{subject}"],
        env={**os.environ, "FUZZ_SUBJECT": subject}, cwd=tmp_path, capture_output=True)
    said = done.stderr.decode(errors="replace")
    crashes = [p for kind in ("crash", "timeout", "oom") for p in tmp_path.glob(f"{kind}-*")]
    assert done.returncode == 0 and not crashes, (said[-3000:], [p.read_bytes()[:2000] for p in crashes])
    executed = int(re.search(r"Done (\d+) runs", said)[1])
    assert executed >= runs
    figure("executions", executed)
    figure("crashes", 0)
    figure("a second", round(executed / (time.monotonic() - begin)))

"""Ten runs at once, as a timer, cron and a person may start them."""
import subprocess

from process import wait_until
from ring import Ring
from rig import rig


def start(r, count, folder):
    found = []
    for n in range(count):
        with open(folder / f"{n}.out", "wb") as out, open(folder / f"{n}.err", "wb") as err:
            found.append(subprocess.Popen([r.program, "capture"], cwd=r.home, env=r.environment(),
                                          stdin=subprocess.DEVNULL, stdout=out, stderr=err))
    return found


def test_one_of_ten_runs(tmp_path, figure):
    with rig(tmp_path / "rig", "filesystem") as r:
        r.camera.gate.clear()
        runs = start(r, 10, tmp_path)
        wait_until(lambda: sum(p.poll() is not None for p in runs) == 9, 30, "nine that leave")
        r.camera.gate.set()
        assert [p.wait(30) for p in runs] == [0] * 10
        said = [(tmp_path / f"{n}.err").read_text() for n in range(10)]
        assert sum("another run holds the lock" in text for text in said) == 9, said
        assert len(r.camera.served) == 1 and len(r.check_pictures()) == 1
        assert r.check_counters()["total_captures"] == 1
        figure("left quietly", 9)


def test_storms(tmp_path, long, figure):
    """A run that finds the lock free captures, the others leave, and every capture is counted."""
    with rig(tmp_path / "rig", "filesystem") as r:
        captured = locked = 0
        for _ in range(100 if long else 5):
            runs = start(r, 10, tmp_path)
            assert [p.wait(60) for p in runs] == [0] * 10
            captured += sum((tmp_path / f"{n}.out").read_text().startswith("stored ") for n in range(10))
            locked += sum("another run holds the lock" in (tmp_path / f"{n}.err").read_text() for n in range(10))
            Ring(r.state / "state.jsonl").check()
        health = r.check_counters()
        assert health["total_captures"] == health["total_uploads"] == captured == len(r.check_pictures())
        assert captured + locked == (1000 if long else 50)
        figure("captured", captured)
        figure("left quietly", locked)

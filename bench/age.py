"""Whether a run's cost grows with the age of its state or the length of its spool."""
import states
from measuring import median, ratio
from report import Section, Target

RUNS = SPOOLED = 100_000
SIZE = 177_000


def measure(rig, options):
    commands = {}
    for old in (False, True):
        for full in (False, True):
            name = f"{'after 100,000 runs' if old else 'new'}, {'100,000' if full else 'none'} spooled"
            home = f"age-{int(old)}{int(full)}"
            command = rig.snapshot("capture", "--no-drain", home=home, SPOOL_MAX_BYTES="100G", SPOOL_MIN_FREE="1M")
            state = command.folder / "state"
            rig.meter.cost(command)
            if old:
                states.age(state, RUNS)
            if full:
                states.fill_spool(state, SPOOLED, b"", SIZE)
                rig.meter.cost(command)
                assert states.newest(state)["spool"]["count"] == SPOOLED
            commands[name] = command
    costs = rig.meter.interleaved(commands, options.runs)
    names = list(commands)
    section = Section(
        "Age", f"`snapshot capture --no-drain` on states of different histories, {options.runs} interleaved runs.",
        ["", "CPU ms", "wall ms", "peak MiB", "CPU / the first row's"],
        [[n, f"{1000 * median(costs[n], 'cpu'):.1f}", f"{1000 * median(costs[n], 'wall'):.1f}",
          f"{median(costs[n], 'rss') / 1024:.1f}", f"{ratio(costs[n], costs[names[0]]):.2f}"] for n in names])
    section.targets = [Target("run at age 100,000 with 100,000 spooled / fresh, CPU", 1.2,
                              ratio(costs[names[-1]], costs[names[0]]))]
    return [section]

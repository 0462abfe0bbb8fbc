"""`capture --every`: what a shot costs on average in one process that takes many, its start included."""
import statistics

from report import Section, Target

SHOTS = 40


def measure(rig, options):
    one, row = rig.snapshot("capture", home="single"), rig.snapshot(
        "capture", "--every", "1s", "--for", f"{SHOTS}s", home="row")
    before = rig.count_objects()
    rig.meter.cost(one)
    long = rig.meter.cost(row)
    shots = rig.count_objects() - before - 1
    single = statistics.median(rig.meter.cost(one).cpu for _ in range(options.runs // 2))
    section = Section(
        "Repeating in one process",
        f"`snapshot capture --every 1s --for {SHOTS}s`, its start included, beside runs of one shot each.",
        ["", "CPU ms a shot"], [[f"--every, {shots} shots", f"{1000 * long.cpu / shots:.1f}"],
                                ["one shot", f"{1000 * single:.1f}"]])
    section.targets = [Target("`--every` CPU per shot / one-shot", 0.25, long.cpu / shots / single)]
    return [section]

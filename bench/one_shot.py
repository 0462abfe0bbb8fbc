"""One picture, one process: `snapshot capture` beside the same job in C, shell and Python."""
from measuring import instructions, median, quartiles, ratio, system_calls
from report import Section, Target


def measure(rig, options):
    commands = {"snapshot capture": rig.snapshot("capture"), **rig.others()}
    costs = rig.meter.interleaved(commands, options.runs)
    ours = costs["snapshot capture"]
    section = Section(
        "One shot", f"A new process each time: {rig.pictures['small'].stat().st_size} bytes of JPEG from the camera "
        f"over HTTP, then PUT over HTTPS with a signature; {options.runs} interleaved runs, medians (quartiles).",
        ["", "CPU ms", "wall ms", "peak MiB", "KiB written", "million instructions", "system calls",
         "snapshot's CPU / this row's"])
    for name, command in commands.items():
        c = costs[name]
        spread = "{:.1f}–{:.1f}".format(*(1000 * q for q in quartiles(c, "cpu")))
        section.rows.append([
            name, f"{1000 * median(c, 'cpu'):.1f} ({spread})", f"{1000 * median(c, 'wall'):.1f}",
            f"{median(c, 'rss') / 1024:.1f}", f"{median(c, 'written') / 1024:.0f}",
            f"{instructions(command) / 1e6:.1f}", sum(system_calls(command).values()), f"{ratio(ours, c):.2f}"])
    section.targets = [
        Target("one-shot CPU / C reference", 1.0, ratio(ours, costs["C on libcurl"])),
        Target("one-shot CPU / curl script", 0.75, ratio(ours, costs["curl script"])),
        Target("one-shot CPU / Python", 1 / 25, ratio(ours, costs["Python"])),
        Target("peak memory / C reference, small picture", 1.5, ratio(ours, costs["C on libcurl"], "rss")),
    ]
    return [section, large_picture(rig, options, ours)]


def large_picture(rig, options, small):
    size = rig.pictures["large"].stat().st_size
    commands = {"snapshot capture": rig.snapshot("capture", home="large", picture="large"),
                "C on libcurl": rig.others("large")["C on libcurl"]}
    costs = rig.meter.interleaved(commands, max(5, options.runs // 4))
    growth = (median(costs["snapshot capture"], "rss") - median(small, "rss")) * 1024 / size
    section = Section(
        "A large picture", f"The same with {size} bytes of JPEG.", ["", "CPU ms", "wall ms", "peak MiB"],
        [[name, f"{1000 * median(c, 'cpu'):.1f}", f"{1000 * median(c, 'wall'):.1f}", f"{median(c, 'rss') / 1024:.1f}"]
         for name, c in costs.items()])
    section.targets = [Target(f"growth of peak memory with a picture of {size / 1e6:.1f} MB", 1.1, growth, "× the picture")]
    return section

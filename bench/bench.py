"""Measures everything and writes RESULTS.md beside this file; `bench/run --help` lists the options."""
import argparse
import sys
from pathlib import Path

import age
import device
import drain
import every
import health
import line_cost
import link_order
import one_shot
import relay_watch
import small_boards
from report import render
from rig import Rig

SECTIONS = {"one-shot": one_shot, "device": device, "every": every, "health": health, "age": age, "drain": drain,
            "line": line_cost, "relay": relay_watch, "small-boards": small_boards}


def main():
    parser = argparse.ArgumentParser(prog="bench/run", description=__doc__)
    parser.add_argument("--runs", type=int, default=60, help="runs of each short command")
    parser.add_argument("--spooled", type=int, default=10_000, help="pictures to drain")
    parser.add_argument("--seconds", type=int, default=300, help="how long the relay is watched")
    parser.add_argument("--only", action="append", choices=SECTIONS, help="measure this alone; again for more")
    parser.add_argument("--output", type=Path, default=Path(__file__).with_name("RESULTS.md"))
    parser.add_argument("--link-order", action="store_true", help="measure nothing, but write packaging/link/order")
    options = parser.parse_args()
    sections = []
    with Rig() as rig:
        if options.link_order:
            link_order.write(rig)
            return
        for name in options.only or SECTIONS:
            print(f"measuring {name}", file=sys.stderr, flush=True)
            sections += SECTIONS[name].measure(rig, options)
            rig.empty_bucket()
            rig.settle()
            # After each, so that an interrupted run leaves what it has.
            options.output.write_text(render(sections))
    print(options.output.read_text())


if __name__ == "__main__":
    main()

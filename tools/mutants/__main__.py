"""The command: one line a mutant as it is judged, a summary, and the exit status."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Sequence

import tools.mutants
from tools.mutants import drawn, planted
from tools.mutants.project import Mutant, Project
from tools.mutants.run import run


def main(arguments: Sequence[str] | None = None) -> int:
    """Judge the mutants that are asked for; 1 if one survives unexplained or is broken."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.mutants",
        description=tools.mutants.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("kind", nargs="?", choices=("planted", "drawn"), default="planted")
    parser.add_argument("--seed", type=int, default=0, help="of the draw")
    parser.add_argument("--count", type=int, default=100, help="how many are drawn")
    parser.add_argument("--only", default="", help="a text in the file's or the fault's name")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="how many at once")
    parser.add_argument("--timeout", type=float, default=120.0, help="seconds for the tests of one")
    options = parser.parse_args(arguments)

    project = Project()
    found: Sequence[Mutant]
    if options.kind == "planted":
        found = [planted.plant(project, fault) for fault in planted.faults()]
    else:
        found = drawn.draw(project, seed=options.seed, count=options.count)
    chosen = [mutant for mutant in found if options.only in f"{mutant.file}: {mutant.name}"]
    explained = drawn.explanations()
    count: Counter[str] = Counter()
    start = time.perf_counter()
    print(f"{len(chosen)} mutants; first their tests without any fault …", flush=True)
    for number, (mutant, verdict) in enumerate(run(project, chosen, jobs=options.jobs, timeout=options.timeout), 1):
        change = mutant.change if isinstance(mutant, drawn.Drawn) else None
        outcome, detail = verdict.outcome, verdict.detail
        if outcome == "survived" and change in explained:
            outcome, detail = "explained", explained[change]
        count[outcome] += 1
        print(f"{number:3}/{len(chosen)} {verdict.seconds:5.1f} s  {outcome:9} {mutant.file}: {mutant.name}", end="")
        print(f"  [{detail}]" if detail else "", flush=True)
        if outcome == "survived" and change is not None:
            print(f"    - {change.line}\n    + {change.becomes}", flush=True)
    summary = ", ".join(f"{count[outcome]} {outcome}" for outcome in ("killed", "explained", "survived", "broken"))
    print(f"{summary}, in {time.perf_counter() - start:.0f} s")
    return int(count["survived"] + count["broken"] > 0)


if __name__ == "__main__":
    sys.exit(main())

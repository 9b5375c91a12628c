"""The command: one line a fault and a seed as they are judged, the results stored, and the exit status."""

from __future__ import annotations

import argparse
import datetime
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import tools.faults
from diffusion_teach import claims
from tools.faults import planted, results
from tools.faults.run import run

SEEDS = range(10)


def main(arguments: Sequence[str] | None = None) -> int:
    """Plant what is asked for; 1 if a claim lets its fault through, or does not hold for a seed."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.faults",
        description=tools.faults.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("chapters", nargs="*", help="such as 00_ink; all without one")
    parser.add_argument("--only", default="", help="a text in the claim's or the fault's name")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="how many faults or seeds at once")
    parser.add_argument("--no-faults", action="store_true", help="only the seeds")
    parser.add_argument("--no-seeds", action="store_true", help="only the faults")
    options = parser.parse_args(arguments)
    unknown = set(options.chapters) - set(planted.chapters())
    if unknown:
        parser.error(
            f"no faults are listed for {', '.join(sorted(unknown))}; there are {', '.join(planted.chapters())}."
        )
    bad = 0
    for chapter in options.chapters or planted.chapters():
        if not options.no_faults:
            bad += plant(chapter, options.only, options.jobs)
        if not options.no_seeds and not options.only:
            bad += seeds(chapter, options.jobs)
    return int(bad > 0)


def plant(chapter: str, only: str, jobs: int) -> int:
    """Plant a chapter's faults and store what became of them; how many are wrong."""
    code = planted.cells(planted.ROOT / "notebooks" / f"{chapter}.ipynb")
    chosen = [fault for fault in planted.faults(chapter) if only in f"{fault.claim}: {fault.name}"]
    print(f"{chapter}: {len(chosen)} faults …", flush=True)
    _, found = run(code, chosen, jobs=jobs)
    today = datetime.date.today().isoformat()
    outcomes = []
    for fault, finding in zip(chosen, found, strict=True):
        seconds = finding.pop("seconds")
        stamp = results.fault_hash(code, fault, claims.TABLE[fault.claim].bounds)
        outcome = results.Outcome(fault.claim, fault.name, **finding, date=today, hash=stamp)
        outcomes.append(outcome)
        detail = outcome.error or "; ".join(outcome.failures)
        sizes = f"caught {outcome.caught}, passed {outcome.passed}"
        print(f"{seconds:6.1f} s  {outcome.verdict:7} {fault.claim}: {fault.name}: {sizes}  [{detail}]", flush=True)
    stored = results.read(chapter)
    if not only:
        stored.faults = []  # those that are no longer listed go
    stored.replace(outcomes)
    results.write(chapter, stored)
    return sum(outcome.verdict != "caught" for outcome in outcomes)


def seeds(chapter: str, jobs: int) -> int:
    """Run a chapter for every seed and store what its claims measured; how many failures there were."""
    code = planted.cells(planted.ROOT / "notebooks" / f"{chapter}.ipynb")
    found: dict[str, dict[str, dict[str, list[float]]]] = {}
    bad = 0
    with ThreadPoolExecutor(jobs) as pool:  # a thread waits for the process of its seed
        runs = pool.map(lambda seed: run(code, seed=seed), SEEDS)
        for seed, (whole, _) in zip(SEEDS, runs, strict=True):
            failed = {claim: "; ".join(one["failures"]) for claim, one in whole["found"].items() if one["failures"]}
            bad += len(failed) + bool(whole["error"])
            print(f"{chapter}, seed {seed}: {whole['error'] or failed or 'all claims hold'}", flush=True)
            found[str(seed)] = {
                claim: {name: [float(f"{v:.6g}") for v in values] for name, values in one["figures"].items()}
                for claim, one in whole["found"].items()
            }
    stored = results.read(chapter)  # as late as that: its faults may have been planted meanwhile
    stored.seeds, stored.date, stored.hash = found, datetime.date.today().isoformat(), results.chapter_hash(code)
    results.write(chapter, stored)
    return bad


if __name__ == "__main__":
    sys.exit(main())

"""Measure everything, or the parts named, and write the page: python -m benchmarks [--only PART …] [--quick]"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import torch

from benchmarks import quality, results, roofline, sampling, scaling, speed

Measure = Callable[[Path, bool], None]


def parts() -> dict[str, Measure]:
    """The parts by name, in the order in which they run."""

    def whole(name: str, measure: Callable[..., dict[str, object]]) -> Measure:
        return lambda path, quick: results.store(name, measure(quick=quick), path)

    def trained(contender: str) -> Measure:
        part = results.quality_part(contender)
        return lambda path, quick: quality.measure(
            contender, lambda measured: results.store(part, measured, path), quick=quick
        )

    found = {"roofline": whole("roofline", roofline.measure), "speed": whole("speed", speed.measure)}
    found |= {results.quality_part(name): trained(name) for name in quality.PARTS}
    found |= {"sampling": whole("sampling", sampling.measure), "scaling": whole("scaling", scaling.measure)}
    return found


def main() -> None:
    """The command."""
    known = parts()
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure the book beside its peers.")
    parser.add_argument(
        "--only",
        action="append",
        metavar="PART",
        help=f"one of {', '.join(known)}, or the beginning of several, such as quality; may be repeated",
    )
    parser.add_argument("--threads", type=int, default=2, help="threads (2)")
    parser.add_argument("--results", type=Path, default=results.PATH, help="where the figures are kept")
    parser.add_argument("--quick", action="store_true", help="try that everything runs; the figures mean nothing")
    arguments = parser.parse_args()
    if arguments.quick and arguments.results.resolve() == results.PATH:
        parser.error("--quick measures nothing worth keeping: name another file with --results.")
    wanted = [name for name in known if not arguments.only or any(name.startswith(only) for only in arguments.only)]
    if not wanted:
        parser.error(f"--only must begin one of {', '.join(known)}; got {', '.join(arguments.only)}.")
    torch.set_num_threads(arguments.threads)
    for name in wanted:
        begin = time.perf_counter()
        print(f"{name} ...", end=" ", flush=True)
        known[name](arguments.results, arguments.quick)
        results.took(name, time.perf_counter() - begin, arguments.results)
        print(f"{time.perf_counter() - begin:.0f} s", flush=True)
    if arguments.results.resolve() == results.PATH:
        from benchmarks import report

        report.write()


if __name__ == "__main__":
    main()

"""Measure the scoreboard again, or some of its rows: python -m diffusion_teach.studies.scoreboard [--only NAME]."""

from __future__ import annotations

import argparse
from pathlib import Path

from diffusion_teach import _checks
from diffusion_teach.studies import stored
from diffusion_teach.studies.scoreboard.measure import CONTENDERS, RESULTS, measure


def main(arguments: list[str] | None = None) -> None:
    """Measure the contenders, or those that are named, and store them one by one."""
    parser = argparse.ArgumentParser(prog="python -m diffusion_teach.studies.scoreboard")
    parser.add_argument("--only", action="append", metavar="NAME", help="a contender; may be repeated")
    parser.add_argument("--results", type=Path, default=RESULTS, help="where the rows are kept")
    asked = parser.parse_args(arguments)
    for name in asked.only or CONTENDERS:
        row = measure(CONTENDERS[_checks.choice("--only", name, CONTENDERS)])
        stored.keep(asked.results, name, row, CONTENDERS)
        print(f"{name}: {row['times_floor']:.1f} times the floor", flush=True)


if __name__ == "__main__":
    main()

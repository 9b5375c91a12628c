"""Run a part of the study again: python -m diffusion_teach.studies.stacked_digits search, or count."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from diffusion_teach import _checks
from diffusion_teach.studies import stored
from diffusion_teach.studies.stacked_digits import count, search


def main(arguments: list[str] | None = None) -> None:
    """Search settings, or count modes, and store what was found one by one."""
    parser = argparse.ArgumentParser(prog="python -m diffusion_teach.studies.stacked_digits")
    parser.add_argument("part", choices=("search", "count"), help="what to measure")
    parser.add_argument("--only", action="append", metavar="NAME", help="a recipe or a contender; may be repeated")
    parser.add_argument("--results", type=Path, help="where the rows are kept (default: beside the code)")
    asked = parser.parse_args(arguments)
    part = search if asked.part == "search" else count
    known: Mapping[str, Any] = search.TRIALS if part is search else count.CONTENDERS
    for name in asked.only or known:
        _checks.choice("--only", name, known)
        row = search.trials(name) if part is search else count.count(count.CONTENDERS[name])
        stored.keep(asked.results or part.RESULTS, name, row, known)


if __name__ == "__main__":
    main()

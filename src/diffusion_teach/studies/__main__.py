"""Measure a study again, or some of its rows: python -m diffusion_teach.studies PART [--only NAME] [--results FILE].

A part is a module with what it stores: `RESULTS`, the file, `ROWS`, the names of its rows in their order, and
`row(name)`, which measures one.
"""

from __future__ import annotations

import argparse
import importlib
from pathlib import Path
from typing import Any

from diffusion_teach import _checks
from diffusion_teach.studies import stored

PARTS = (
    "ablation.measure",
    "ablation.pace",
    "canvas_codes.bill",
    "canvas_codes.obedience",
    "canvas_codes.terms",
    "denoising_gan.measure",
    "duel2d.search",
    "duel2d.seeds",
    "duel2d.longer",
    "equal_terms.search",
    "equal_terms.measure",
    "guidance.measure",
    "guidance.learned_from",
    "judges.measure",
    "latent_levels.measure",
    "sampling.measure",
    "schedules.measure",
    "scoreboard.canvases",
    "scoreboard.measure",
    "stacked_digits.search",
    "stacked_digits.count",
    "two_names.measure",
)


def main(arguments: list[str] | None = None) -> None:
    """Measure the rows of a part, and store them one by one."""
    parser = argparse.ArgumentParser(prog="python -m diffusion_teach.studies")
    parser.add_argument("part", choices=PARTS, help="what to measure")
    parser.add_argument("--only", action="append", metavar="NAME", help="a row; may be repeated")
    parser.add_argument("--results", type=Path, help="where the rows are kept (default: beside the code)")
    asked = parser.parse_args(arguments)
    part: Any = importlib.import_module(f"diffusion_teach.studies.{asked.part}")
    for name in asked.only or part.ROWS:
        row = part.row(_checks.choice("--only", name, part.ROWS))
        stored.keep(asked.results or part.RESULTS, name, row, part.ROWS)


if __name__ == "__main__":
    main()

"""Run a part of the study again: python -m diffusion_teach.studies.duel2d search, or seeds."""

from __future__ import annotations

import argparse
from pathlib import Path

from diffusion_teach.studies.duel2d import search, seeds

PARTS = {"search": search, "seeds": seeds}


def main(arguments: list[str] | None = None) -> None:
    """Measure a part of the study and store what was found."""
    parser = argparse.ArgumentParser(prog="python -m diffusion_teach.studies.duel2d")
    parser.add_argument("part", choices=tuple(PARTS), help="what to measure")
    parser.add_argument("--file", type=Path, help="where to write (default: beside the code)")
    asked = parser.parse_args(arguments)
    part = PARTS[asked.part]
    part.store(asked.file or part.RESULTS)


if __name__ == "__main__":
    main()

"""Where a project keeps its modules and their tests, and what a mutant of a module is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# A module's own tests are found by its name, metrics/mmd.py by tests/metrics/test_mmd.py, but for these.
ELSEWHERE = {
    **{f"schedules/{name}.py": "schedules/test_schedules.py" for name in ("schedule", "paths")},
    "metrics/spoilt.py": "metrics/test_features.py",
    "objectives/gradient_penalties.py": "objectives/test_adversarial.py",
    "papers/song2019.py": "papers/test_song2019_2020.py",
    "papers/song2020.py": "papers/test_song2019_2020.py",
    **{f"studies/ablation/{name}.py": "studies/test_ablation.py" for name in ("measure", "pace")},
    **{f"studies/equal_terms/{name}.py": "studies/test_equal_terms.py" for name in ("contenders", "measure", "search")},
    "studies/canvas_codes/bill.py": "studies/test_canvas_codes.py",
    "studies/scoreboard/canvases.py": "studies/test_scoreboard.py",
    "studies/judges/measure.py": "studies/test_judges.py",
    "studies/schedules/measure.py": "studies/test_schedules.py",
    "studies/two_names/measure.py": "studies/test_two_names.py",
    "studies/stacked_digits/search.py": "studies/test_stacked_digits.py",
    "studies/duel2d/contenders.py": "studies/test_duel2d.py",
}


@dataclass(frozen=True)
class Mutant:
    """A module with one fault in it.

    Args:
        file: the module, below the package's folder.
        name: the fault in some words.
        text: the whole module with the fault.
    """

    file: str
    name: str
    text: str


@dataclass(frozen=True)
class Project:
    """A package in src/ whose tests mirror it in tests/."""

    root: Path = ROOT
    package: str = "diffusion_teach"
    elsewhere: Mapping[str, str] = field(default_factory=lambda: ELSEWHERE)

    @property
    def folder(self) -> Path:
        """The package's folder."""
        return self.root / "src" / self.package

    def read(self, file: str) -> str:
        """A module as it is."""
        return (self.folder / file).read_text(encoding="utf-8")

    def tests_of(self, file: str) -> Path:
        """The file of a module's own tests, below the root.

        Raises:
            FileNotFoundError: where a module has none.
        """
        module = Path(file)
        tests = Path("tests") / self.elsewhere.get(file, str(module.with_name(f"test_{module.name}")))
        if not (self.root / tests).is_file():
            raise FileNotFoundError(f"{file} has no tests of its own: {tests} does not exist.")
        return tests

    def module_of(self, file: str) -> str:
        """A module's dotted name."""
        return ".".join([self.package, *Path(file).with_suffix("").parts])

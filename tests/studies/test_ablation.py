"""The ablation: each row changes one thing, and what is stored is of today's settings."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import ablation_table
import pytest
import torch

from diffusion_teach.studies.ablation import measure, pace
from diffusion_teach.studies.ablation.measure import BASE, ROWS, Change
from tests.metrics.test_evaluation import Forger


def test_each_row_changes_one_thing() -> None:
    usual = Change("")
    for name, change in ROWS.items():
        recipe = change.changed()
        different = [f.name for f in dataclasses.fields(BASE) if getattr(recipe, f.name) != getattr(BASE, f.name)]
        different += [key for key in ("step", "grid") if getattr(change, key) != getattr(usual, key)]
        expected = {"base": 0, "simple": 2, "eps": 2}.get(name, 1)  # L_simple is a weight at times drawn evenly
        assert len(different) == expected, (name, different)


def test_a_row_holds_means_and_spread_over_the_seeds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "COUNT", 250)
    asked: list[Any] = []

    def trained(recipe: Any, *, steps: int, seed: int) -> Any:
        asked.append((recipe.batch, steps, seed))
        return Forger()

    monkeypatch.setattr(measure.run, "trained", trained)
    row = measure.row("batch-256")
    assert asked == [(256, 625, seed) for seed in (0, 1, 2)]
    assert row["classifier"]["times_floor"] == pytest.approx(1, abs=0.5)
    assert row["encoder"]["std"] >= 0
    assert row["illegible"] < 0.05
    assert row["parameters"] > 10**6


def test_the_grid_is_the_row_s() -> None:
    seen: list[float] = []

    class Watched(Forger):
        def __call__(self, x_t: torch.Tensor, t: torch.Tensor) -> Any:
            seen.append(float(self.schedule.log_snr(t)))
            return super().__call__(x_t, t)

    measure.ROWS["coarse-end"].samples(Watched(), 0)
    last = max(seen)
    seen.clear()
    measure.ROWS["base"].samples(Watched(), 0)
    assert last < 2 < max(seen)


def test_what_is_stored_is_of_today_s_settings() -> None:
    rows = measure.rows()
    assert list(rows) == list(ROWS)
    for name, row in rows.items():
        model = ROWS[name].changed().model()
        assert (row["label"], row["images"]) == (ROWS[name].label, measure.IMAGES)
        assert row["parameters"] == sum(weight.numel() for weight in model.parameters()), f"measure {name} anew"


def test_a_step_of_the_base_takes_as_long_as_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "STEPS", 2)
    monkeypatch.setitem(pace.CHANGES, "itself", Change("as it is"))
    row = pace.row("itself")
    assert row["quartiles"][0] <= row["times_base"] <= row["quartiles"][1]
    assert 0.5 < row["times_base"] < 2


def test_the_page_has_a_line_for_each_change() -> None:
    lines = ablation_table.markdown(measure.rows(), pace.rows()).splitlines()
    assert len(lines) == 2 + len(ROWS)
    assert lines[2].startswith("| as it is | ")
    assert lines[2].endswith("| 1 |")
    assert all("×" in line for line in lines if "blocks" in line or "channels" in line)
    assert ablation_table.PLACE in (Path(__file__).parents[2] / "book" / "fast.md").read_text(encoding="utf-8")

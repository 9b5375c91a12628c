"""The ablation: each row changes one thing, and what is stored is of today's settings."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import ablation_table
import pytest
import torch
from scoreboard import NARROW

from diffusion_teach import samplers
from diffusion_teach.studies import stored
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


def test_every_row_is_trained_as_it_says_and_holds_means_and_spread(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    drawn: list[tuple[Change, int]] = []

    def trained(recipe: Any, *, steps: int, seed: int) -> str:
        asked.append((recipe, steps, seed))
        return f"model {seed}"

    def samples(change: Change, model: str, seed: int) -> str:
        drawn.append((change, seed))
        return model

    def judged(images: str, *, seed: int) -> dict[str, Any]:
        assert images == f"model {seed}"
        besides = {"illegible": 0.1 + seed, "ink": 2.0 + seed}
        return {"classifier": {"times_floor": 4.0 + seed**2}, "encoder": {"times_floor": 9.0 - seed}, **besides}

    monkeypatch.setattr(measure.run, "trained", trained)
    monkeypatch.setattr(Change, "samples", samples)
    monkeypatch.setattr(measure, "evaluate_images", judged)
    for name, change in ROWS.items():
        asked.clear()
        drawn.clear()
        row = measure.row(name)
        recipe = change.changed()
        assert asked == [(recipe, 160_000 // recipe.batch, seed) for seed in (0, 1, 2)]
        assert drawn == [(change, 1000 + seed) for seed in (0, 1, 2)]
        assert row["classifier"] == pytest.approx({"times_floor": 4 + 5 / 3, "std": (13 / 3) ** 0.5})
        assert row["encoder"] == pytest.approx({"times_floor": 8, "std": 1})
        assert (row["illegible"], row["ink"]) == pytest.approx((1.1, 3))
        assert row["parameters"] == sum(weight.numel() for weight in recipe.model().parameters())
        assert row["recipe"] == recipe.settings()


def test_samples_are_drawn_by_the_row_s_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "COUNT", 4)
    usual, other = ROWS["base"].samples(Forger(), 0), ROWS["ode"].samples(Forger(), 0)
    assert usual.shape == (4, 1, 28, 28)
    steps = []

    def step(*arguments: Any, **more: Any) -> torch.Tensor:
        steps.append(arguments)
        return samplers.dpm_solver(*arguments, **more)

    torch.testing.assert_close(Change("", step=step).samples(Forger(), 0), other)
    assert len(steps) == 15
    assert ROWS["ode"].step is samplers.dpm_solver


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
        assert row["recipe"] == ROWS[name].changed().settings(), f"measure {name} anew"
        assert row["judges"] == stored.judges(), f"measure {name} anew: a judge has changed"


class Clock:
    """Stands still but for the sessions that take turns: a step of each takes as long as it says."""

    def __init__(self, batch: int, seconds: float, now: list[float]) -> None:
        self.recipe, self.seconds, self.now = SimpleNamespace(batch=batch), seconds, now

    def try_out(self, steps: int, report: Any) -> None:
        self.now[0] += steps * self.seconds


def test_a_pace_is_seconds_an_image_over_the_base_s(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    seconds = {id(BASE): (64, 0.1), "other": (256, 0.3)}

    def session(recipe: Any) -> Clock:
        return Clock(*seconds[id(BASE) if recipe is BASE else "other"], now)

    monkeypatch.setattr(pace, "_session", session)
    monkeypatch.setattr(pace.time, "perf_counter", lambda: now[0])
    row = pace.row("batch-256")
    assert row["times_base"] == 0.75
    assert row["quartiles"] == [0.75, 0.75]


def test_a_step_of_the_base_takes_as_long_as_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "STEPS", 2)
    monkeypatch.setitem(pace.CHANGES, "itself", Change("as it is"))
    row = pace.row("itself")
    assert row["quartiles"][0] <= row["times_base"] <= row["quartiles"][1]


def test_the_page_has_a_line_for_each_change() -> None:
    rows, paces = measure.rows(), pace.rows()
    lines = [line.replace(NARROW, " ") for line in ablation_table.markdown(rows, paces).splitlines()]
    assert len(lines) == 2 + len(ROWS)
    for name, line in zip(ROWS, lines[2:], strict=True):
        row = rows[name]
        judged = (f"{row[judge]['times_floor']:.1f} ± {row[judge]['std']:.1f}" for judge in ("classifier", "encoder"))
        time = f"{paces[name]['times_base']:.1f} ×" if name in pace.ROWS else "1"
        cells = (row["label"], *judged, f"{100 * row['illegible']:.0f} %", time)
        assert line == f"| {' | '.join(cells)} |"
    assert ablation_table.PLACE in (Path(__file__).parents[2] / "book" / "fast.md").read_text(encoding="utf-8")

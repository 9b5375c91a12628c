"""The study of schedules: equal budgets, ten seeds, two ways of drawing, and what is stored is of today's settings."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import torch

from diffusion_teach.metrics.features import JUDGES
from diffusion_teach.recipes.diffusion import make_schedule
from diffusion_teach.studies import schedules as study
from diffusion_teach.studies import stored
from diffusion_teach.studies.schedules import measure
from diffusion_teach.studies.schedules.measure import BASE, ROWS, Row
from tests.metrics.test_evaluation import Forger

LOSS = {"schedule", "target", "weight", "times"}


def test_rows_differ_in_the_schedule_and_its_loss_alone() -> None:
    recipes = {name: row.changed() for name, row in ROWS.items()}
    for recipe in recipes.values():
        fields = {f.name for f in dataclasses.fields(BASE) if getattr(recipe, f.name) != getattr(BASE, f.name)}
        assert fields <= LOSS
        assert dict(recipe.architecture()["network"]) == dict(BASE.architecture()["network"])
    plain = [name for name in ROWS if name not in ("even v", "edm")]
    for name in plain:
        assert (recipes[name].weight, recipes[name].times, recipes[name].target) == ("simple", "time", "v")
    ends = {name: make_schedule(recipe.schedule) for name, recipe in recipes.items()}
    assert len({type(schedule).__name__ + str(schedule.log_snr(torch.tensor(0.5))) for schedule in ends.values()}) == 7
    assert float(ends["zero-snr"].alpha(torch.tensor(1.0))) == 0


def test_a_row_is_ten_trainings_drawn_in_two_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    drawn: list[Any] = []

    def trained(recipe: Any, *, steps: int, seed: int, device: str) -> str:
        assert device == "auto"
        asked.append((recipe, steps, seed))
        return f"model {seed}"

    def samples(row: Row, model: str, seed: int, way: str) -> tuple[str, str]:
        drawn.append((seed, way))
        return model, way

    def judged(images: tuple[str, str], *, seed: int) -> dict[str, Any]:
        assert images[0] == f"model {seed}"
        more = images[1] == "own"
        return {judge: {"times_floor": 4.0 + seed + more} for judge in JUDGES} | {"illegible": 0.01 * seed}

    monkeypatch.setattr(measure.run, "trained", trained)
    monkeypatch.setattr(Row, "samples", samples)
    monkeypatch.setattr(measure, "evaluate_images", judged)
    row = measure.row("cosine")
    assert asked == [(ROWS["cosine"].changed(), 600, seed) for seed in range(10)]
    assert drawn == [(1000 + seed, way) for seed in range(10) for way in ("own", "common")]
    for judge in JUDGES:
        assert row["own"][judge] == [5.0 + seed for seed in range(10)]
        assert row["common"][judge] == [4.0 + seed for seed in range(10)]
    assert row["own"]["illegible"] == [0.01 * seed for seed in range(10)]
    assert (row["images"], row["evaluations"], row["judges"]) == (38_400, 15, stored.judges())


def test_the_two_ways_are_the_schedule_s_own_steps_and_those_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "COUNT", 2)
    seen: list[float] = []

    class Watched(Forger):
        def __call__(self, x_t: torch.Tensor, t: torch.Tensor) -> Any:
            seen.append(float(t))
            return super().__call__(x_t, t)

    assert ROWS["linear"].samples(Watched(), 0, "own").shape == (2, 1, 28, 28)
    torch.testing.assert_close(torch.tensor(seen), torch.linspace(1, 1 / 15, 15))
    seen.clear()
    ROWS["linear"].samples(Watched(), 0, "common")
    assert len(seen) == 15
    assert max(b - a for a, b in zip(seen[1:], seen[:-1], strict=True)) > 0.15


def test_what_is_stored_is_of_today_s_settings() -> None:
    rows = study.rows()
    assert list(rows) == list(ROWS)
    for name, row in rows.items():
        assert row["recipe"] == ROWS[name].changed().settings(), f"measure {name} anew"
        assert row["judges"] == stored.judges(), f"measure {name} anew: a judge has changed"
        assert all(len(row[way][judge]) == 10 for way in measure.SPACINGS for judge in JUDGES)


def test_the_figure_shows_means_and_deviations_of_both_ways() -> None:
    way = {judge: [10.0 * (k + 1), 10.0 * (k + 3)] for k, judge in enumerate(JUDGES)}
    rows = {"a": {"label": "A", "own": way, "common": way}, "b": {"label": "B", "own": way, "common": way}}
    fig = study.figure(rows)
    for k, ax in enumerate(fig.axes):
        assert [list(line.get_xdata()) for line in ax.lines[:2]] == [[10.0 * (k + 2)] * 2] * 2  # type: ignore[arg-type]
    assert [text.get_text() for text in fig.axes[0].get_yticklabels()] == ["A", "B"]

"""The study of samplers: each pays what it says, draws what it is, and what is stored is of today's settings."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from diffusion_teach import checkpoints
from diffusion_teach.denoisers import Exact
from diffusion_teach.exact import Empirical
from diffusion_teach.schedules import Discrete, linear_betas
from diffusion_teach.studies import sampling, stored
from diffusion_teach.studies.sampling import measure
from diffusion_teach.studies.sampling.measure import EVALUATIONS, METHODS, ROWS

FEW = Exact(Empirical(torch.linspace(-1, 1, 3 * 784).view(3, 1, 28, 28)), Discrete(linear_betas(1000)))


def test_rows_are_all_methods_at_equal_evaluations() -> None:
    assert len(ROWS) == len(METHODS) * len(EVALUATIONS)
    assert {row.evaluations for row in ROWS.values()} == set(EVALUATIONS)


@pytest.mark.parametrize("method", METHODS)
def test_each_asks_as_often_as_it_says(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "COUNT", 4)
    for evaluations in EVALUATIONS[:2]:
        images, asked, seconds = measure.draw(ROWS[f"{method}, {evaluations}"], FEW, 0)
        assert images.shape == (4, 1, 28, 28)
        assert asked == evaluations
        assert seconds > 0


def test_a_row_holds_means_and_spread(monkeypatch: pytest.MonkeyPatch) -> None:
    def judged(images: int, *, seed: int) -> dict[str, Any]:
        assert images == seed
        of = {"classifier": {"times_floor": 4.0 + seed**2}, "encoder": {"times_floor": 9.0 - seed}}
        return {**of, "illegible": 0.1 + seed, "illegible_real": 0.01, "ink": 2.0 + seed}

    monkeypatch.setattr(measure, "draw", lambda row, model, seed: (seed, row.evaluations, 5.0 - seed))
    monkeypatch.setattr(measure, "evaluate_images", judged)
    row = measure.row("2M, 9")
    assert row["classifier"] == pytest.approx({"times_floor": 4 + 5 / 3, "std": (13 / 3) ** 0.5})
    assert row["encoder"] == pytest.approx({"times_floor": 8, "std": 1})
    assert (row["illegible"], row["ink"], row["seconds"]) == pytest.approx((1.1, 3, 3))
    assert row["model"] == checkpoints.card("ddpm-mnist")["sha256"]


def test_the_figure_draws_what_is_there() -> None:
    one = {"classifier": {"times_floor": 2.0}, "encoder": {"times_floor": 3.0}, "seconds": 1.5}
    fig = sampling.figure({"2M, 9": one, "2M, 15": one, "Heun, 9": one})
    assert len(fig.axes) == 4
    assert sum(len(line.get_xdata()) for line in fig.axes[0].lines[:-1]) == 3  # type: ignore[arg-type]


@pytest.mark.skipif(
    not measure.RESULTS.exists(), reason="not measured yet: python -m diffusion_teach.studies sampling.measure"
)
def test_what_is_stored_is_of_today_s_settings() -> None:
    rows = measure.rows()
    assert list(rows) == list(ROWS)
    for name, row in rows.items():
        assert row["model"] == checkpoints.card("ddpm-mnist")["sha256"], f"measure {name} anew"
        assert row["judges"] == stored.judges(), f"measure {name} anew: a judge has changed"

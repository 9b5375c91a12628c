"""Levels of latents: a row is ten trainings at the cost of one level, and what is stored is of today's settings."""

from __future__ import annotations

import pytest
import torch

from diffusion_teach.metrics import cost
from diffusion_teach.networks.hierarchical_vae import HierarchicalVAE
from diffusion_teach.studies import latent_levels, stored
from diffusion_teach.studies.latent_levels import measure


def test_a_row_is_a_training_for_each_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def trained(model: measure.Model, seed: int) -> dict[str, float]:
        assert model == measure.ROWS["two levels"]
        asked.append(seed)
        return {"bound": -100.0 - seed, "multiplications": 7}

    monkeypatch.setattr(measure, "_trained", trained)
    row = measure.row("two levels")
    assert asked == list(range(10))
    assert row["bound"] == [-100.0 - seed for seed in range(10)]
    assert (row["multiplications"], row["steps"], row["judges"]) == (7, 4000, stored.judges())


def test_a_training_gives_bounds_prices_and_the_distance_of_its_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"STEPS": 30, "BATCH": 32, "DRAWS": 5, "DIGITS": 200, "SAMPLES": 300}.items():
        monkeypatch.setattr(measure, name, value)
    found, again = (measure._trained(measure.Model((3, 2), 16), 1) for _ in range(2))
    assert found == again
    assert len(found["kl"]) == 2
    assert -210 < found["bound"] < found["bound_of_50_draws"] < -120
    assert found["frechet"] > 10
    assert found["multiplications"] == cost.counted(HierarchicalVAE((3, 2), 16), torch.zeros(1, 784))[1].multiplications


def test_a_level_that_is_not_heard_changes_nothing_below() -> None:
    torch.manual_seed(0)
    heard, deaf = (measure.Model((3, 2), 16, heard=heard).make() for heard in (True, False))
    z = torch.randn(4, 2)
    for model in (heard, deaf):
        torch.nn.init.normal_(model.above[0].layers[-1].weight)
    assert heard.above[0](z).std(0).min() > 0
    assert torch.equal(deaf.above[0](z), deaf.above[0](torch.zeros(4, 2)))


def test_what_is_stored_is_of_today_s_settings_and_of_no_greater_cost() -> None:
    rows = latent_levels.rows()
    assert list(rows) == list(latent_levels.ROWS)
    for name, row in rows.items():
        model = measure.ROWS[name]
        counted = cost.counted(model.make(), torch.zeros(1, 784))[1].multiplications
        assert row["multiplications"] == counted <= rows["one level"]["multiplications"]
        assert row["steps"] == measure.STEPS
        assert row["judges"] == stored.judges(), f"measure {name} anew: a judge has changed"
        assert {len(row[key]) for key in ("bound", "bound_of_50_draws", "kl", "frechet")} == {10}
        assert all(len(prices) == len(model.latents) for prices in row["kl"])

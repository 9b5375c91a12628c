"""The search that all contenders have: where it goes, where it ends, and that settings reach a recipe."""

from __future__ import annotations

import math
from typing import Any

import pytest

from diffusion_teach import recipes
from diffusion_teach.studies import tuning
from diffusion_teach.studies.equal_terms import measure
from diffusion_teach.studies.tuning import climb, search, tuned

GRID = {"lr": (1.0, 2.0, 3.0, 4.0, 5.0), "gamma": (0.1, 0.2, 0.3, 0.4, 0.5)}


@pytest.mark.parametrize("peak", [(2, 2), (1, 2), (3, 3)])
def test_the_search_finds_a_valley_inside_and_says_so(peak: tuple[int, int]) -> None:
    calls = []

    def score(place: tuple[int, int]) -> float:
        calls.append(place)
        return math.dist(place, peak)

    tried, inside = climb(score, (5, 5), trials=12)
    assert min(tried, key=lambda p: tried[p]) == peak
    assert inside
    assert calls == list(tried)  # each place once


def test_a_winner_at_the_edge_or_out_of_trials_is_no_valley() -> None:
    tried, inside = climb(lambda place: -place[0], (5, 5), trials=20)
    assert min(tried, key=lambda p: tried[p])[0] == 4
    assert not inside
    tried, inside = climb(lambda place: -place[0] - place[1], (99, 99), trials=6)
    assert len(tried) == 6
    assert not inside


def test_a_row_holds_the_best_settings_and_all_trials() -> None:
    row = search(GRID, lambda chosen: {"score": abs(chosen["lr"] - 2) + abs(chosen["gamma"] - 0.2), "seen": 1})
    assert row["best"] == {"lr": 2.0, "gamma": 0.2}
    assert not row["inside"]  # two of its neighbours were not tried
    assert row["trials"][0] == {"lr": 3.0, "gamma": 0.3, "score": pytest.approx(1.1), "seen": 1}
    assert len(row["trials"]) <= tuning.TRIALS


def test_a_trial_that_diverges_has_failed_and_the_search_goes_on() -> None:
    def trial(chosen: dict[str, float]) -> dict[str, float]:
        if chosen["lr"] > 3:
            raise FloatingPointError
        return {"score": abs(chosen["lr"] - 3) + abs(chosen["gamma"] - 0.3)}

    row = search(GRID, trial)
    assert row["best"] == {"lr": 3.0, "gamma": 0.3}
    assert row["inside"]
    assert [one["score"] for one in row["trials"] if one["lr"] == 4.0] == [tuning.FAILED]


def test_trials_have_a_seed_that_nothing_reports() -> None:
    shipped = {recipe.seed for recipe in map(recipes.get, recipes.names())}
    assert tuning.SEED not in shipped | set(measure.SEEDS) | set(range(10))


def test_settings_reach_the_recipe() -> None:
    penalised: Any = tuned(recipes.get("rpgan-mnist"), {"lr": 1e-3, "gamma": 2.0}, seed=5)  # type: ignore[arg-type]
    assert (penalised.lr, penalised.r1, penalised.r2, penalised.seed) == (1e-3, 2.0, 2.0, 5)
    plain: Any = tuned(recipes.get("gan-mnist"), {"lr": 1e-3, "beta1": 0.25})  # type: ignore[arg-type]
    assert (plain.r1, plain.r2, plain.betas) == (0, 0, (0.25, 0.99))
    assert tuned(recipes.get("vae-mnist"), {"latents": 12}).network["latents"] == 12  # type: ignore[arg-type]

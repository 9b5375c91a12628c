"""The study on equal terms: its terms are equal, its search is one, and what is stored is of today's settings."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import scoreboard as page

from diffusion_teach.studies import scoreboard
from diffusion_teach.studies.equal_terms import contenders, measure, search
from diffusion_teach.studies.equal_terms.contenders import CONTENDERS
from diffusion_teach.studies.equal_terms.search import climb


def test_contenders_have_as_many_weights_whatever_is_tuned() -> None:
    sizes = {}
    for name, contender in CONTENDERS.items():
        for k in (0, 2, 4):
            recipe = contender.tuned({key: values[k] for key, values in contender.settings.items()})
            assert recipe.batch == contenders.BATCH
            sizes[name, k] = sum(weight.numel() for weight in recipe.model().parameters())
    middle = (max(sizes.values()) * min(sizes.values())) ** 0.5
    assert all(abs(size / middle - 1) < 0.03 for size in sizes.values()), sizes


def test_settings_reach_the_recipe() -> None:
    penalised: Any = CONTENDERS["gan-penalised"].tuned({"lr": 1e-3, "gamma": 2.0})
    assert (penalised.game, penalised.lr, penalised.r1, penalised.r2) == ("non-saturating", 1e-3, 2.0, 2.0)
    plain: Any = CONTENDERS["gan"].tuned({"lr": 1e-3, "beta1": 0.25})
    assert (plain.r1, plain.r2, plain.betas) == (0, 0, (0.25, 0.99))
    assert CONTENDERS["vae"].tuned({"lr": 1e-3, "latents": 12}).network["latents"] == 12


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


def test_a_training_that_diverges_is_a_trial_that_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    def scores(contender: object, chosen: dict[str, float], seed: int, repeats: int) -> dict[str, Any]:
        assert (seed, repeats) == (search.SEED, 1)
        if chosen["muon"] > 0.025:
            raise FloatingPointError
        return {"classifier": {"times_floor": 4.0}, "encoder": {"times_floor": chosen["muon"] * 360}}

    monkeypatch.setattr(contenders.Contender, "scores", scores)
    row = search.row("ddpm")
    assert row["trials"][0] == {"muon": 0.025, "adamw": 3e-3, "score": 6.0, "classifier": 4.0, "encoder": 9.0}
    assert row["best"]["muon"] == 0.00625
    assert not row["inside"]
    assert any(trial["score"] == 1e9 for trial in row["trials"])


def test_rows_are_means_over_trainings(monkeypatch: pytest.MonkeyPatch) -> None:
    def scores(contender: object, chosen: dict[str, float], seed: int, repeats: int) -> dict[str, Any]:
        assert chosen == {"lr": 1e-3, "beta1": 0.5}
        judged = {key: float(seed) for key in ("frechet", "floor", *measure.SHARES)} | {"times_floor": 2.0 + seed}
        judged |= {f"{key}_real": 1.0 for key in measure.SHARES}
        besides = dict.fromkeys(("illegible", "ink", "label_kl", "illegible_real"), 0.5)
        return {"classifier": judged, "encoder": judged, "evaluations": 1, **besides}

    monkeypatch.setattr(contenders.Contender, "scores", scores)
    stored = {"gan": {"best": {"lr": 1e-3, "beta1": 0.5}, "trials": [{}] * 7}}
    monkeypatch.setattr(measure.search, "results", lambda: stored)
    row = measure.row("gan")
    assert row["classifier"]["times_floor"] == 3.0
    assert row["classifier"]["times_floor_std"] == 1.0
    assert (row["trials"], row["images"], row["seeds"]) == (7, 192_000, 3)


def test_what_is_stored_is_of_today_s_settings() -> None:
    found, rows = search.results(), measure.rows()
    assert list(found) == list(rows) == list(CONTENDERS)
    for name, contender in CONTENDERS.items():
        trials, row = found[name]["trials"], rows[name]
        settings = [{key: trial[key] for key in contender.settings} for trial in trials]
        assert settings[0] == {key: values[len(values) // 2] for key, values in contender.settings.items()}
        assert all(chosen[key] in values for chosen in settings for key, values in contender.settings.items())
        assert len(trials) <= search.TRIALS
        assert found[name]["inside"], f"the winner of {name} lies at the edge of what was tried"
        assert row["settings"] == found[name]["best"]
        assert (row["label"], row["trials"]) == (contender.label, len(trials))
        model = contender.tuned(row["settings"]).model()
        assert row["parameters"] == sum(weight.numel() for weight in model.parameters())
        assert (row["images"], row["seeds"], row["sets"]) == (contenders.BATCH * contenders.STEPS, 3, 5)


def test_the_page_shows_each_beside_the_best_of_its_kind() -> None:
    lines = page.equal_terms(measure.rows(), scoreboard.rows(), contenders.SHIPPED).splitlines()
    assert len(lines) == 2 + len(CONTENDERS)
    assert len({line.count("|") for line in lines}) == 1
    best = scoreboard.rows()["rpgan"]["classifier"]["times_floor"]
    assert f"| {best:.1f}{page.NARROW}/" in next(line for line in lines if line.startswith("| RpGAN"))
    assert page.EQUAL_PLACE in (Path(__file__).parents[2] / "book" / "scoreboard.md").read_text(encoding="utf-8")

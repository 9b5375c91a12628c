"""The study on equal terms: its terms are equal, its search is one, and what is stored is of today's settings."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import scoreboard as page

from diffusion_teach.generate import Sampling
from diffusion_teach.metrics.features import JUDGES
from diffusion_teach.studies import scoreboard, stored, tuning
from diffusion_teach.studies.equal_terms import contenders, measure, search
from diffusion_teach.studies.equal_terms.contenders import CONTENDERS


def test_contenders_have_as_many_weights_whatever_is_tuned() -> None:
    sizes = {}
    for name, contender in CONTENDERS.items():
        for k in (0, 2, 4):
            recipe = contender.tuned({key: values[k] for key, values in contender.settings.items()})
            assert recipe.batch == contenders.BATCH
            sizes[name, k] = sum(weight.numel() for weight in recipe.model().parameters())
    middle = (max(sizes.values()) * min(sizes.values())) ** 0.5
    assert all(abs(size / middle - 1) < 0.03 for size in sizes.values()), sizes


def test_the_penalised_gan_is_the_relativistic_one_with_the_loss_of_2014() -> None:
    penalised: Any = CONTENDERS["gan-penalised"].tuned({"lr": 1e-3, "gamma": 2.0})
    assert (penalised.game, penalised.lr, penalised.r1, penalised.r2) == ("non-saturating", 1e-3, 2.0, 2.0)


def test_a_contender_is_trained_as_tuned_and_judged_on_sets_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    trained: list[Any] = []
    drawn: list[tuple[Sampling, int]] = []

    def train(recipe: Any, *, steps: int, seed: int) -> str:
        trained.append((recipe, steps, seed))
        return "the model"

    def judge(model: str, how: Sampling, *, count: int, progress: bool) -> dict[str, Any]:
        assert model == "the model"
        drawn.append((how, count))
        return {name: {"frechet": 4.0, "floor": 2.0, "times_floor": 2.0} for name in JUDGES}

    monkeypatch.setattr(contenders.run, "trained", train)
    monkeypatch.setattr(contenders, "evaluate", judge)
    for name, contender in CONTENDERS.items():
        trained.clear()
        drawn.clear()
        chosen = {key: values[1] for key, values in contender.settings.items()}
        found = contender.scores(chosen, seed=2, repeats=3)
        assert trained == [(contender.tuned(chosen), 3000, 2)]
        how = Sampling("sde_dpm_solver", 15) if name == "ddpm" else Sampling()
        assert drawn == [(dataclasses.replace(how, seed=2000 + k), 2000) for k in range(3)]
        assert found["training_seconds"] >= 0


def test_a_trial_is_a_mean_of_both_judges_on_a_seed_that_is_not_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    def scores(contender: object, chosen: dict[str, float], seed: int, repeats: int) -> dict[str, Any]:
        assert seed not in measure.SEEDS
        assert repeats == 1
        if chosen["muon"] > 0.025:
            raise FloatingPointError
        encoder = {"frechet": 7.0, "times_floor": chosen["muon"] * 360}
        return {"classifier": {"frechet": 8.0, "times_floor": 4.0}, "encoder": encoder}

    monkeypatch.setattr(contenders.Contender, "scores", scores)
    row = search.row("ddpm")
    assert row["trials"][0] == {"muon": 0.025, "adamw": 3e-3, "score": 6.0, "classifier": 4.0, "encoder": 9.0}
    assert row["best"]["muon"] == 0.00625
    assert not row["inside"]
    assert len(row["trials"]) <= 9
    assert any(trial["score"] == tuning.FAILED for trial in row["trials"])


def test_rows_are_means_over_trainings_and_spreads(monkeypatch: pytest.MonkeyPatch) -> None:
    def judged(offset: float, seed: int) -> dict[str, float]:
        keys = ("frechet", "floor", *measure.SHARES)
        scores = {key: offset + k + seed for k, key in enumerate(keys)} | {"times_floor": offset + 100 + seed**2}
        return scores | {f"{key}_real": offset + 50 for key in measure.SHARES}

    def scores(contender: object, chosen: dict[str, float], seed: int, repeats: int) -> dict[str, Any]:
        assert (chosen, repeats) == ({"lr": 1e-3, "beta1": 0.5}, 5)
        besides = {"illegible": seed, "ink": 2 + seed, "label_kl": 4 + seed, "illegible_real": 6 + seed}
        both = {"classifier": judged(0, seed), "encoder": judged(1000, seed)}
        return {**both, "evaluations": 1, "training_seconds": 10.0 + 3 * seed, **besides}

    monkeypatch.setattr(contenders.Contender, "scores", scores)
    searched = {"gan": {"best": {"lr": 1e-3, "beta1": 0.5}, "trials": [{}] * 7}}
    monkeypatch.setattr(measure.search, "results", lambda: searched)
    row = measure.row("gan")
    for offset, judge in zip((0, 1000), ("classifier", "encoder"), strict=True):
        found = row[judge]
        assert found["times_floor"] == pytest.approx(offset + 100 + 5 / 3)
        assert found["times_floor_std"] == pytest.approx(13**0.5 / 3**0.5)  # of 0, 1, 4
        assert [found[key] for key in ("frechet", "floor", "precision", "recall", "density", "coverage")] == [
            offset + 1 + k for k in range(6)
        ]
        assert found["coverage_std"] == 1
        assert found["recall_real"] == offset + 50
    assert [row[key] for key in ("illegible", "ink", "label_kl", "illegible_real")] == [1, 3, 5, 7]
    assert (row["trials"], row["images"], row["seeds"], row["training_seconds"]) == (7, 192_000, 3, 13)


def test_what_is_stored_is_of_today_s_settings() -> None:
    found, rows = search.results(), measure.rows()
    assert list(found) == list(rows) == list(CONTENDERS)
    for name, contender in CONTENDERS.items():
        trials, row = found[name]["trials"], rows[name]
        settings = [{key: trial[key] for key in contender.settings} for trial in trials]
        assert settings[0] == {key: values[len(values) // 2] for key, values in contender.settings.items()}
        assert all(chosen[key] in values for chosen in settings for key, values in contender.settings.items())
        assert len(trials) <= tuning.TRIALS
        assert found[name]["inside"], f"the winner of {name} lies at the edge of what was tried"
        assert row["settings"] == found[name]["best"]
        assert (row["label"], row["trials"]) == (contender.label, len(trials))
        model = contender.tuned(row["settings"]).model()
        assert row["parameters"] == sum(weight.numel() for weight in model.parameters())
        assert row["recipe"] == contender.tuned(row["settings"]).settings(), f"measure {name} anew"
        assert row["judges"] == stored.judges(), f"measure {name} anew: a judge has changed"
        assert (row["images"], row["seeds"], row["sets"]) == (contenders.BATCH * contenders.STEPS, 3, 5)
    assert len({row["machine"] for row in rows.values()}) == 1


def test_what_stands_beside_is_shipped_and_drawn_alike() -> None:
    for name, line in contenders.SHIPPED.items():
        contender, other = CONTENDERS[name], scoreboard.measure.CONTENDERS[line]
        assert other.checkpoint == contender.recipe.name
        assert (other.sampler, other.steps) == (contender.sampling.sampler, contender.sampling.steps or 1)
    assert set(CONTENDERS) - set(contenders.SHIPPED) == {"gan-penalised"}


def test_the_page_shows_each_beside_what_is_shipped() -> None:
    judged = {
        "classifier": {"times_floor": 4.44, "times_floor_std": 0.21},
        "encoder": {"times_floor": 1.75, "times_floor_std": 0.12},
    }
    row = {"label": "a GAN", "illegible": 0.161, "illegible_real": 0.5, "evaluations": 15, "training_seconds": 104}
    row |= {"settings": {"lr": 0.004, "gamma": 2.0}, "trials": 8}
    other = {"classifier": {"times_floor": 3.2}, "encoder": {"times_floor": 1.6}}
    text = page.equal_terms({"a": row | judged, "b": row | judged}, {"it": other}, {"a": "it"}).replace(
        page.NARROW, " "
    )
    found, means = (part.splitlines() for part in text.split("\n\n"))
    assert found[2:] == [
        "| a GAN | 4.4 ± 0.2 | 1.8 ± 0.1 | 16 % | 3.2 / 1.6 |",
        "| a GAN | 4.4 ± 0.2 | 1.8 ± 0.1 | 16 % | – |",
    ]
    assert means[2:] == ["| a GAN | rate 0.004, γ 2 | 8 | 104 | 15 |"] * 2
    assert [lines[0].count("|") for lines in (found, means)] == [6, 6]
    assert page.EQUAL_PLACE in (Path(__file__).parents[2] / "book" / "scoreboard.md").read_text(encoding="utf-8")

"""Stacked digits on equal terms: equal budgets, the search, and counts that are not stale."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch

from diffusion_teach import checkpoints, recipes
from diffusion_teach.datasets import mnist
from diffusion_teach.datasets import stacked_mnist as data
from diffusion_teach.metrics.stacked_modes import SAMPLES, numbers
from diffusion_teach.recipes.diffusion import DiffusionRecipe
from diffusion_teach.recipes.gan import AdversarialRecipe
from diffusion_teach.studies import __main__
from diffusion_teach.studies.stacked_digits import count, search
from diffusion_teach.training import run

NAMES = tuple(search.TRIALS)


def parameters(name: str) -> int:
    return sum(p.numel() for p in recipes.get(name).model().parameters())


@pytest.mark.parametrize("name", NAMES)
def test_the_contenders_have_the_same_budget(name: str) -> None:
    recipe, first = recipes.get(name), recipes.get(NAMES[0])
    assert (recipe.steps, recipe.batch, recipe.ema) == (first.steps, first.batch, first.ema)
    assert parameters(name) / parameters(NAMES[0]) == pytest.approx(1, abs=0.05)
    assert len(search.TRIALS[name]) == len(search.TRIALS[NAMES[0]])
    assert len({json.dumps(trial, sort_keys=True) for trial in search.TRIALS[name]}) == len(search.TRIALS[name])


def test_the_gans_are_a_plain_and_a_penalised_one() -> None:
    plain, other = (recipes.get(name) for name in ("gan-stacked", "rpgan-stacked"))
    assert isinstance(plain, AdversarialRecipe)
    assert isinstance(other, AdversarialRecipe)
    assert (plain.game, plain.r1, plain.r2) == ("non-saturating", 0, 0)
    assert other.game == "relativistic"
    assert other.r1 == other.r2 > 0


@pytest.mark.parametrize("name", NAMES)
def test_a_step_draws_stacks_of_independent_digits(name: str) -> None:
    recipe = dataclasses.replace(recipes.get(name), batch=300)
    assert isinstance(recipe, (AdversarialRecipe, DiffusionRecipe))
    x, *_ = recipe.draw(recipe.data(torch.device("cpu")), torch.Generator().manual_seed(2))
    assert x.shape == (300, 3, 28, 28)
    images = mnist.load("train")[0]
    assert all((mnist.to_model(images) == channel).flatten(1).all(1).any() for channel in x[0])
    digits = torch.stack([numbers(x) // 100, numbers(x) // 10 % 10, numbers(x) % 10])
    together = (digits[:, None] == digits[None]).double().mean(-1)
    chance = float(data.shares().view(10, 10, 10).sum((0, 1)).square().sum())
    for pair in ((0, 1), (0, 2), (1, 2)):
        assert float(together[pair]) == pytest.approx(chance, abs=5 * math.sqrt(chance / 300))


@pytest.mark.parametrize("name", NAMES)
def test_the_recipes_have_the_settings_that_won_the_search(name: str) -> None:
    trials = search.results()[name]
    asked = ("covered", "kl_uniform")
    tried = [{key: value for key, value in trial.items() if key not in asked} for trial in trials]
    assert tried == json.loads(json.dumps(search.TRIALS[name]))
    best = max(trials, key=search.judge)
    settings = recipes.get(name).settings()
    assert {key: settings[key] for key in best if key not in asked} == {
        key: value for key, value in best.items() if key not in asked
    }


def test_no_row_is_stale() -> None:
    rows = count.rows()
    assert list(rows) == list(count.CONTENDERS)
    for name, contender in count.CONTENDERS.items():
        row = rows[name]
        about = json.loads(json.dumps(dataclasses.asdict(contender) | count.hashes(contender)))
        assert {key: row[key] for key in about} == about, f"count {name} again"
        counts = count.counts(row)
        assert (counts.shape, int(counts.sum()), int(counts.min()) >= 0) == ((1000,), SAMPLES, True)


def test_real_stacks_score_what_theory_says_of_them() -> None:
    """The row of real stacks is drawn from the test split, whose digits are not quite as frequent."""
    score = count.modes_of(count.rows()["real"])
    assert score.covered == 1000
    assert score.kl_uniform == pytest.approx(score.kl_uniform_real, abs=0.005)


def test_a_control_is_real_stacks_of_fewer_pixels() -> None:
    real, coarse = (count.draw(count.CONTENDERS[name], 4, seed=3) for name in ("real", "coarse"))
    blocks = [x.view(4, 3, 7, 4, 7, 4) for x in (real, coarse)]
    assert torch.allclose(blocks[1].mean((3, 5)), blocks[0].mean((3, 5)), atol=1e-6)
    assert torch.equal(blocks[1].amax((3, 5)), blocks[1].amin((3, 5)))


def test_counts_are_the_same_for_parts_of_any_number(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    contender = count.CONTENDERS["real"]
    row = count.count(contender, 50)
    images = count.draw(contender, 50, seed=0)
    assert torch.equal(count.counts(row), torch.bincount(numbers(images), minlength=1000))
    monkeypatch.setattr(count, "PART", 30)
    expected = torch.cat([numbers(count.draw(contender, n, seed=k)) for k, n in enumerate((30, 20))])
    assert torch.equal(count.counts(count.count(contender, 50)), torch.bincount(expected, minlength=1000))
    with pytest.raises(ValueError, match="samples must be at least 1"):
        count.count(contender, 0)


def test_rows_are_stored_one_by_one_in_their_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "rows.json"
    monkeypatch.setattr(count, "count", lambda contender: {"label": contender.label})
    __main__.main(["stacked_digits.count", "--only", "real", "--results", str(path)])
    __main__.main(["stacked_digits.count", "--only", "gan", "--results", str(path)])
    assert list(count.rows(path)) == ["gan", "real"]
    with pytest.raises(ValueError, match="Did you mean 'rpgan'"):
        __main__.main(["stacked_digits.count", "--only", "rpgn", "--results", str(path)])
    monkeypatch.setattr(search, "try_out", lambda name, trial: {**trial, "covered": 1, "kl_uniform": 2.0})
    __main__.main(["stacked_digits.search", "--only", "ddpm-stacked", "--results", str(tmp_path / "search.json")])
    assert len(search.results(tmp_path / "search.json")["ddpm-stacked"]) == len(search.TRIALS["ddpm-stacked"])


def test_a_trial_that_diverges_has_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    def diverge(*arguments: Any, **named: Any) -> Path:
        raise FloatingPointError

    monkeypatch.setattr(run, "train", diverge)
    row = search.try_out("gan-stacked", {"lr": 1.0})
    assert (row["covered"], row["lr"]) == (0, 1.0)
    assert search.judge(row) < search.judge({"covered": 1, "kl_uniform": 6.9})


@pytest.mark.parametrize("name", NAMES)
def test_what_is_shipped_says_what_it_scores(name: str) -> None:
    card = checkpoints.card(name)
    assert card["metrics"]["count"] == 2500
    assert 0 < card["metrics"]["covered_real"] < 1000
    assert card["bytes"] < 1_300_000
    assert card["parameters"] == parameters(name)

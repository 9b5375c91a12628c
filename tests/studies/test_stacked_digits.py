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
from diffusion_teach.studies import __main__, tuning
from diffusion_teach.studies.stacked_digits import count, search
from diffusion_teach.training import run

NAMES = tuple(search.SETTINGS)


def parameters(name: str) -> int:
    return sum(p.numel() for p in recipes.get(name).model().parameters())


@pytest.mark.parametrize("name", NAMES)
def test_the_contenders_have_the_same_budget(name: str) -> None:
    recipe, first = recipes.get(name), recipes.get(NAMES[0])
    assert (recipe.steps, recipe.batch, recipe.ema) == (first.steps, first.batch, first.ema)
    assert parameters(name) / parameters(NAMES[0]) == pytest.approx(1, abs=0.05)
    assert [len(values) for values in search.SETTINGS[name].values()] == [5, 5]


def test_the_gans_are_a_plain_a_penalised_and_a_relativistic_one() -> None:
    plain, penalised, relativistic = (recipes.get(name) for name in NAMES[:3])
    assert isinstance(plain, AdversarialRecipe)
    assert isinstance(penalised, AdversarialRecipe)
    assert isinstance(relativistic, AdversarialRecipe)
    assert (plain.game, plain.r1, plain.r2) == ("non-saturating", 0, 0)
    assert (penalised.game, relativistic.game) == ("non-saturating", "relativistic")
    assert penalised.r1 == penalised.r2 > 0
    assert relativistic.r1 == relativistic.r2 > 0
    assert penalised.network == relativistic.network


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
    found, settings = search.results()[name], search.SETTINGS[name]
    trials = found["trials"]
    tried = [{key: trial[key] for key in settings} for trial in trials]
    assert tried[0] == {key: values[len(values) // 2] for key, values in settings.items()}
    assert all(chosen[key] in values for chosen in tried for key, values in settings.items())
    assert len(trials) <= tuning.TRIALS
    assert found["inside"], f"the winner of {name} lies at the edge of what was tried"
    assert found["best"] == tried[min(range(len(trials)), key=lambda k: float(trials[k]["score"]))]
    recipe: Any = recipes.get(name)
    assert tuning.tuned(recipe, found["best"]).settings() == recipe.settings()


def test_a_trial_is_a_whole_training_on_a_seed_that_is_not_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    trained: list[Any] = []

    def train(recipe: Any, folder: str, **named: Any) -> Path:
        trained.append(recipe)
        assert "steps" not in named
        return Path(folder) / f"{recipe.r1}.safetensors"

    def card(path: Path) -> dict[str, Any]:
        return {"metrics": {"covered": 600.0, "kl_uniform": float(path.stem)}}

    monkeypatch.setattr(run, "train", train)
    monkeypatch.setattr(checkpoints, "card", card)
    row = search.row("rpgan-stacked")
    assert row["trials"][0] == {"lr": 4e-3, "gamma": 8.0, "score": 8.0, "covered": 600}
    assert row["best"]["gamma"] == 8.0 / 16  # the smallest divergence wins
    shipped: Any = recipes.get("rpgan-stacked")
    assert all(recipe.seed == tuning.SEED != shipped.seed for recipe in trained)
    assert all(recipe.steps == shipped.steps and recipe.r1 == recipe.r2 for recipe in trained)


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


@pytest.mark.parametrize("name", NAMES)
def test_what_is_shipped_says_what_it_scores(name: str) -> None:
    card = checkpoints.card(name)
    assert card["metrics"]["count"] == 2500
    assert 0 < card["metrics"]["covered_real"] < 1000
    assert card["bytes"] < 1_300_000
    assert card["parameters"] == parameters(name)

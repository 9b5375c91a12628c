"""The recipes of the diffusion models: what they draw, that their loss is L_simple, and that they train."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from diffusion_teach import checkpoints, recipes
from diffusion_teach.datasets import mnist
from diffusion_teach.parameterizations import add_noise
from diffusion_teach.recipes.diffusion import (
    DDPM_MNIST,
    DDPM_MNIST_CONDITIONAL,
    NCSN_MNIST,
    DiffusionRecipe,
    make_schedule,
)
from diffusion_teach.schedules import Cosine, Discrete
from diffusion_teach.training import run
from tests.processes import together

SMALL = {"width": (8, 16), "dense": 16}
CPU = torch.device("cpu")


def small(recipe: DiffusionRecipe, **changes: Any) -> DiffusionRecipe:
    """A recipe with a network that trains in no time."""
    network = SMALL | ({"classes": recipe.classes} if recipe.classes else {})
    return dataclasses.replace(recipe, **({"network": network, "batch": 8, "precision": "float32"} | changes))


def draw(recipe: DiffusionRecipe, seed: int = 0) -> tuple[Tensor, ...]:
    return recipe.draw(recipe.data(CPU), torch.Generator().manual_seed(seed))


def test_what_is_drawn() -> None:
    recipe = dataclasses.replace(DDPM_MNIST_CONDITIONAL, batch=4000)
    x0, t, eps, labels = draw(recipe)
    images, truth = mnist.load("train")
    where = {bytes(image.numpy()): int(label) for image, label in zip(images, truth, strict=True)}
    kept = labels < 10
    assert 0 <= float(kept.double().mean()) - (1 - recipe.label_dropout) + 0.025 <= 0.05  # 4.4 standard errors
    named = [where[bytes(image.numpy())] for image in mnist.to_uint8(x0)]
    assert torch.equal(labels[kept], torch.tensor(named)[kept])
    assert set(labels[~kept].tolist()) == {10}
    assert len({bytes(image.numpy()) for image in mnist.to_uint8(x0)}) > 3800
    assert abs(float(eps.mean())) < 5 / eps.numel() ** 0.5
    assert float(eps.var()) == pytest.approx(1, abs=5 * (2 / eps.numel()) ** 0.5)
    assert float(t.min()) > 0
    assert float(t.max()) <= 1
    torch.testing.assert_close(t * 1000, (t * 1000).round(), rtol=0, atol=1e-3)


@pytest.mark.parametrize("recipe", [DDPM_MNIST, DDPM_MNIST_CONDITIONAL, NCSN_MNIST], ids=lambda recipe: recipe.name)
def test_a_step_is_decided_by_its_generator_alone(recipe: DiffusionRecipe) -> None:
    first, again, other = draw(recipe), draw(recipe), draw(recipe, seed=1)
    assert len(first) == (4 if recipe.classes else 3)
    assert all(len(part) == recipe.batch for part in first)
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not any(torch.equal(a, b) for a, b in zip(first, other, strict=True))


@pytest.mark.parametrize("target", ["x0", "eps", "v", "score"])
@pytest.mark.parametrize("schedule", ["linear", "cosine", "continuous-cosine"])
def test_the_simple_weight_makes_every_target_the_error_of_the_noise(target: str, schedule: str) -> None:
    recipe = small(DDPM_MNIST, target=target, schedule=schedule, weight="simple")
    torch.manual_seed(0)
    model = recipe.model()
    x0, _, eps = draw(recipe)
    t = torch.linspace(0.1, 0.9, recipe.batch)
    x_t = add_noise(model.schedule, t, x0, eps)
    expected = (model(x_t, t).eps - eps).square().mean()
    torch.testing.assert_close(recipe.loss(model, x0, t, eps), expected, rtol=1e-4, atol=1e-5)
    plain = dataclasses.replace(recipe, weight="none").loss(model, x0, t, eps)
    assert bool(torch.isclose(plain, expected, rtol=1e-3)) == (target == "eps")


@torch.no_grad()
def test_the_loss_is_the_mean_over_rows_and_the_label_counts() -> None:
    recipe = small(DDPM_MNIST_CONDITIONAL)
    torch.manual_seed(0)
    model = recipe.model()
    for parameter in model.parameters():
        parameter.normal_(std=0.1)
    drawn = draw(recipe)
    halves = [recipe.loss(model, *(part[rows] for part in drawn)) for rows in (slice(0, 4), slice(4, 8))]
    torch.testing.assert_close(recipe.loss(model, *drawn), (halves[0] + halves[1]) / 2)
    other = (*drawn[:3], (drawn[3] + 1) % 11)
    assert abs(float(recipe.loss(model, *drawn) - recipe.loss(model, *other))) > 1e-6


def test_schedules_by_name() -> None:
    linear, cosine = make_schedule("linear"), make_schedule("cosine")
    assert isinstance(linear, Discrete)
    assert isinstance(cosine, Discrete)
    assert linear.steps == cosine.steps == 1000
    assert float(linear.betas[-1]) == pytest.approx(0.02)
    assert isinstance(make_schedule("continuous-cosine"), Cosine)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: small(DDPM_MNIST, weight="simpel"), "Did you mean 'simple'"),
        (lambda: small(DDPM_MNIST, schedule="linaer"), "Did you mean 'linear'"),
        (lambda: small(DDPM_MNIST, target="noise"), "target must be one of"),
        (lambda: small(DDPM_MNIST, label_dropout=1.5), "label_dropout must be at least 0 and at most 1"),
        (lambda: small(DDPM_MNIST, label_dropout=0.1), "label_dropout needs labels"),
        (lambda: small(DDPM_MNIST, sampler="ancestrl"), "Did you mean 'ancestral'"),
        (lambda: small(DDPM_MNIST, sampler_steps=0), "steps must be at least 1"),
        (lambda: dataclasses.replace(DDPM_MNIST, network={"image_channels": 2}), "must be 1, or 3 for stacked digits"),
    ],
)
def test_bad_fields_are_named(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("recipe", [DDPM_MNIST, DDPM_MNIST_CONDITIONAL], ids=lambda recipe: recipe.name)
def test_a_recipe_trains_and_its_checkpoint_becomes_a_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recipe: DiffusionRecipe
) -> None:
    losses: list[float] = []
    tiny = small(recipe, batch=32, warmup=0)
    monkeypatch.setattr(DiffusionRecipe, "measure", lambda self, model, how, **_: {})
    monkeypatch.setitem(recipes._RECIPES, recipe.name, tiny)
    path = run.train(tiny, tmp_path, steps=40, on_step=lambda k, loss: losses.append(loss))
    assert sum(losses[-10:]) < 0.7 * sum(losses[:10])
    model = checkpoints.model(path)
    x0, t, eps, *labels = draw(tiny, seed=5)
    with torch.no_grad():
        assert float(tiny.loss(model, x0, t, eps, *labels)) < losses[0]


def _train(out: Path) -> None:
    DiffusionRecipe.measure = lambda self, model, how, **_: {}  # type: ignore[method-assign]
    run.train(small(DDPM_MNIST_CONDITIONAL), out, steps=5, progress=False)


def test_two_processes_train_what_one_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The U-Net itself too: all its weights get a gradient, in memory as they lie. Stored in half precision: 5e-4."""
    monkeypatch.setattr(DiffusionRecipe, "measure", lambda self, model, how, **_: {})
    assert together(2, _train, tmp_path / "two") == [None, None]
    one = checkpoints.load(run.train(small(DDPM_MNIST_CONDITIONAL), tmp_path / "one", steps=5))
    two = checkpoints.load(tmp_path / "two" / "ddpm-mnist-conditional.safetensors")
    assert one.keys() == two.keys()
    for name, value in one.items():
        torch.testing.assert_close(two[name], value, rtol=2e-3, atol=1e-4)


def test_ncsn_is_ddpm_with_another_schedule_and_fewer_means() -> None:
    """The same loss and rates: what differs is the noise, the unit it brings, and what a shorter training wants."""
    ddpm, ncsn = DDPM_MNIST.settings(), NCSN_MNIST.settings()
    shorter = {"network", "widths", "batch", "warmup", "decay", "precision"}
    assert {name for name in ddpm if ddpm[name] != ncsn[name]} == {"schedule", "unit_variance"} | shorter
    schedule = make_schedule("ve")
    assert schedule.alpha(torch.ones(())) == 1
    assert float(schedule.sigma(torch.ones(()))) == pytest.approx(33, rel=1e-5)


def test_with_growing_noise_the_simple_loss_is_the_error_of_the_noise() -> None:
    recipe = small(NCSN_MNIST, weight="simple")
    torch.manual_seed(0)
    model = recipe.model()
    x0, t, eps = draw(recipe)
    x_t = add_noise(make_schedule("ve"), t, x0, eps)
    expected = (model(x_t, t).eps - eps).square().mean()
    torch.testing.assert_close(recipe.loss(model, x0, t, eps), expected, rtol=1e-3, atol=0)

"""The recipes of the one-step students: where they begin, whose loss is whose, and that a stop costs nothing."""

from __future__ import annotations

import dataclasses
import os
import signal
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

import pytest
import torch

from diffusion_teach import checkpoints, recipes
from diffusion_teach.denoisers import Distilled, Learned
from diffusion_teach.generate import Sampling, generate
from diffusion_teach.networks.unet import UNet
from diffusion_teach.recipes.adversarial_distillation import ADD_MNIST, AdversarialDistillationRecipe
from diffusion_teach.recipes.consistency import CONSISTENCY_MNIST, ConsistencyRecipe
from diffusion_teach.recipes.distillation import DistillationRecipe, Pupil, begin_as
from diffusion_teach.training import run

SMALL = MappingProxyType({"width": (8, 16), "blocks": 1, "dense": 16, "embedding": 8})
CPU = torch.device("cpu")


class _Unmeasured:
    def measure(self, model: Any, sampling: Any, **_: Any) -> dict[str, Any]:
        return {"most": model.most}


@dataclasses.dataclass(frozen=True, kw_only=True)
class QuickConsistency(_Unmeasured, ConsistencyRecipe):  # type: ignore[misc]
    """Without the measuring."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class QuickAdversarial(_Unmeasured, AdversarialDistillationRecipe):  # type: ignore[misc]
    """Without the measuring."""


WORDS = {"name": "quick", "summary": "a test", "intended_use": "tests", "network": SMALL, "kept": None}
NUMBERS: dict[str, Any] = {"batch": 4, "steps": 5, "ema": 0.9, "precision": "float32"}
QUICK: dict[str, DistillationRecipe] = {
    "consistency": QuickConsistency(**WORDS, **NUMBERS, stop=1e-3, most=8, levels=4),
    "adversarial": QuickAdversarial(**WORDS, **NUMBERS, judge=MappingProxyType({"width": (4, 6), "dense": 8})),
}
each = pytest.mark.parametrize("name", QUICK)


def drawn(recipe: DistillationRecipe, seed: int = 1) -> tuple[torch.Tensor, ...]:
    return recipe.draw(recipe.data(CPU), torch.Generator().manual_seed(seed))


def test_the_student_begins_nearly_as_its_teacher() -> None:
    """With half of the blocks the answer is off by less than 1.5 % of v's mean square; without any care by more."""
    teacher = cast(Learned, checkpoints.model("ddpm-mnist"))
    x_t = torch.randn(16, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    t = torch.linspace(0.3, 1, 16)
    with torch.no_grad():
        wanted = teacher.network(x_t, t)
        off = {}
        for kept in ((0, 3, 7, 8), (0, 1, 2, 3)):
            student = cast(UNet, CONSISTENCY_MNIST.student(teacher).network)
            if kept == (0, 3, 7, 8):
                off[kept] = float((student(x_t, t) - wanted).square().mean() / wanted.square().mean())
            else:
                with pytest.raises(ValueError, match="cannot begin"):
                    begin_as(UNet(width=(8, 16)), cast(UNet, teacher.network), kept)
    assert off[(0, 3, 7, 8)] < 0.015


def test_of_a_teacher_as_deep_the_student_keeps_all() -> None:
    torch.manual_seed(0)
    teacher, student = (UNet((8, 16), blocks=8, dense=16, embedding=8) for _ in range(2))
    begin_as(student, teacher, (0, 1, 2, 3, 5, 6, 7, 8))
    assert all(torch.equal(a, b) for a, b in zip(student.parameters(), teacher.parameters(), strict=True))


def test_a_consistency_step_draws_neighbours_of_the_grid() -> None:
    recipe = cast(ConsistencyRecipe, dataclasses.replace(QUICK["consistency"], batch=300))
    grid = recipe.grid().float()
    x0, t, s, eps = drawn(recipe)
    assert grid[0] == 1
    assert float(grid[-1]) == pytest.approx(1e-3)
    places = {float(time): n for n, time in enumerate(grid)}
    assert [places[float(time)] + 1 for time in t] == [places[float(time)] for time in s]
    assert set(t.tolist()) == set(grid[:-1].tolist())
    assert x0.shape == eps.shape == (300, 1, 28, 28)


def test_the_aim_is_an_average_of_the_student() -> None:
    recipe = cast(ConsistencyRecipe, QUICK["consistency"])
    torch.manual_seed(0)
    pupil = cast(Pupil, recipe.model())
    with torch.no_grad():
        for weight in pupil.student.parameters():
            weight.add_(1.0)
    before = [weight.clone() for weight in pupil.other.parameters()]
    recipe.loss(pupil, *drawn(recipe)).backward()
    for weight, old, new in zip(pupil.student.parameters(), before, pupil.other.parameters(), strict=True):
        torch.testing.assert_close(new, 0.95 * old + 0.05 * weight)
    assert all(weight.grad is None for part in (pupil.other, pupil.teacher) for weight in part.parameters())
    assert any(bool(weight.grad.any()) for weight in pupil.student.parameters() if weight.grad is not None)


def test_each_turn_of_the_adversarial_student_moves_its_player_alone() -> None:
    recipe = cast(AdversarialDistillationRecipe, QUICK["adversarial"])
    for turn, (player, other) in enumerate((("other", "student"), ("student", "other"))):
        torch.manual_seed(0)
        pupil = recipe.model()
        recipe.losses()[turn](pupil, *drawn(recipe)).backward()
        assert any(p.grad is not None and bool(p.grad.any()) for p in getattr(pupil, player).parameters())
        assert all(p.grad is None for p in getattr(pupil, other).parameters())
        assert all(p.grad is None for p in cast(Pupil, pupil).teacher.parameters())
        (group,) = recipe.optimizers(pupil)[turn].param_groups
        assert {id(p) for p in group["params"]} == {id(p) for p in getattr(pupil, player).parameters()}


def test_the_teachers_word_has_its_weight() -> None:
    recipe = cast(AdversarialDistillationRecipe, QUICK["adversarial"])
    torch.manual_seed(0)
    pupil, parts = recipe.model(), drawn(recipe)
    none, one, two = (
        float(dataclasses.replace(recipe, distillation=weight).student_loss(pupil, *parts).detach())
        for weight in (0, 1, 2)
    )
    assert one > none
    assert two - one == pytest.approx(one - none, rel=1e-4)


def train(recipe: DistillationRecipe, out: Path, stop: int | None = None, **arguments: Any) -> str:
    def on_step(step: int, loss: float) -> None:
        if step + 1 == stop:
            os.kill(os.getpid(), signal.SIGTERM)

    try:
        run.train(recipe, out, on_step=on_step, progress=False, **arguments)
    except run.Interrupted:
        return "interrupted"
    return "done"


@each
def test_a_stopped_training_goes_on_to_the_same_weights_and_ships_the_student_alone(name: str, tmp_path: Path) -> None:
    recipe = QUICK[name]
    assert train(recipe, tmp_path / "whole") == "done"
    assert train(recipe, tmp_path / "parts", stop=2) == "interrupted"
    assert train(recipe, tmp_path / "parts", resume=True) == "done"
    whole, parts = (checkpoints.load(tmp_path / place / "quick.safetensors") for place in ("whole", "parts"))
    assert all(torch.equal(whole[key], parts[key]) for key in whole)
    assert all(key.startswith("network.") for key in whole)
    model = checkpoints.model(tmp_path / "whole" / "quick.safetensors")
    assert isinstance(model, Distilled)
    assert model.most == {"consistency": 8, "adversarial": 1}[name]
    assert generate(model, 2, Sampling(seed=1)).shape == (2, 1, 28, 28)


@pytest.mark.parametrize("recipe", [CONSISTENCY_MNIST, ADD_MNIST], ids=lambda recipe: recipe.name)
def test_the_books_recipes(recipe: DistillationRecipe) -> None:
    assert recipes.get(recipe.name) is recipe
    pupil = recipe.model()
    assert sum(p.numel() for p in recipe.shipped(pupil).parameters()) < 1_300_000


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"levels": 1}, "levels must be at least 2"), ({"aim": 1.0}, "aim must be"), ({"stop": 0.0}, "stop must be")],
)
def test_bad_settings_are_named(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(CONSISTENCY_MNIST, **changes)
    with pytest.raises(ValueError, match="distillation must be at least 0"):
        dataclasses.replace(ADD_MNIST, distillation=-1.0)

"""GAN recipes: what they draw, whose loss is whose, and that turns survive a stop and are shared by processes."""

from __future__ import annotations

import dataclasses
import os
import signal
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
import torch
from torch import Tensor

from diffusion_teach import checkpoints, recipes
from diffusion_teach.datasets import mnist
from diffusion_teach.recipes.gan import AdversarialRecipe
from diffusion_teach.training import run
from tests.processes import together

STEPS = 8


@dataclasses.dataclass(frozen=True, kw_only=True)
class Quick(AdversarialRecipe):
    """Without the measuring, which takes longer than the training."""

    def measure(self, model: Any, sampling: Any, **_: Any) -> dict[str, Any]:
        return {"latent": self.latent}


QUICK = Quick(
    name="quick",
    summary="a test",
    intended_use="tests",
    network=MappingProxyType({"latent": 5, "width": (4, 6), "dense": 8}),
    r1=0.5,  # and no relativistic loss: it does not depend on the last bias, whose rounding errors Adam would blow up
    r2=0.5,
    batch=6,
    steps=STEPS,
    ema=0.9,
    precision="float32",
)


@pytest.fixture(autouse=True)
def _one_thread() -> Any:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def close(found: dict[str, Tensor], expected: dict[str, Tensor]) -> bool:
    return all(torch.allclose(found[key], expected[key], rtol=1e-3, atol=1e-5) for key in expected)


def train(out: Path, stop: int | None = None, **arguments: Any) -> str:
    def on_step(step: int, loss: float) -> None:
        if step + 1 == stop:
            os.kill(os.getpid(), signal.SIGTERM)

    try:
        run.train(QUICK, out, on_step=on_step, progress=False, **arguments)
    except run.Interrupted:
        return "interrupted"
    return "done"


def test_what_a_step_draws() -> None:
    data = QUICK.data(torch.device("cpu"))
    x, z_d, z_g, u = QUICK.draw(data, torch.Generator().manual_seed(1))
    assert (x.shape, z_d.shape, z_g.shape, u.shape) == ((6, 1, 28, 28), (6, 5), (6, 5), (6,))
    assert not torch.equal(z_d, z_g)
    images, _ = mnist.load("train")
    assert all((mnist.to_model(images) == row).flatten(1).all(1).any() for row in x[:2])


@pytest.mark.parametrize(("player", "other"), [("discriminator", "generator"), ("generator", "discriminator")])
def test_each_turn_moves_its_player_alone(player: str, other: str) -> None:
    model = QUICK.model()
    drawn = QUICK.draw(QUICK.data(torch.device("cpu")), torch.Generator().manual_seed(1))
    turn = {"discriminator": 0, "generator": 1}[player]
    QUICK.losses()[turn](model, *drawn).backward()
    assert any(p.grad is not None and bool(p.grad.any()) for p in getattr(model, player).parameters())
    assert all(p.grad is None for p in getattr(model, other).parameters())
    (group,) = QUICK.optimizers(model)[turn].param_groups
    assert {id(p) for p in group["params"]} == {id(p) for p in getattr(model, player).parameters()}


def test_a_stopped_training_goes_on_to_the_same_weights(tmp_path: Path) -> None:
    assert train(tmp_path / "whole") == "done"
    assert train(tmp_path / "parts", stop=3) == "interrupted"
    assert train(tmp_path / "parts", resume=True) == "done"
    whole, parts = (checkpoints.load(tmp_path / name / "quick.safetensors") for name in ("whole", "parts"))
    assert all(torch.equal(whole[key], parts[key]) for key in whole)


def test_two_processes_reach_the_weights_of_one(tmp_path: Path) -> None:
    assert train(tmp_path / "one") == "done"
    assert together(2, train, tmp_path / "two") == ["done", "done"]
    assert close(*(checkpoints.load(tmp_path / name / "quick.safetensors") for name in ("two", "one")))


@pytest.mark.parametrize("name", ["gan-mnist", "rpgan-mnist"])
def test_the_books_gans_have_the_same_budget(name: str) -> None:
    recipe, plain = recipes.get(name), recipes.get("gan-mnist")
    assert isinstance(recipe, AdversarialRecipe)
    assert (recipe.steps, recipe.batch) == (plain.steps, plain.batch)
    sizes = [sum(p.numel() for p in one.model().parameters()) for one in (recipe, plain)]
    assert sizes[0] / sizes[1] == pytest.approx(1, abs=0.05)


def test_wrong_settings_are_named() -> None:
    with pytest.raises(ValueError, match="Did you mean 'relativistic'"):
        dataclasses.replace(QUICK, game="relativist")
    with pytest.raises(ValueError, match="r1 must be at least 0, got -1"):
        dataclasses.replace(QUICK, r1=-1.0)

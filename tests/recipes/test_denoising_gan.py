"""The recipe of the denoising diffusion GAN: what it draws, whose loss is whose, and that a stop costs nothing."""

from __future__ import annotations

import dataclasses
import os
import signal
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
import torch

from diffusion_teach import checkpoints, recipes
from diffusion_teach.denoisers import DenoisingGAN
from diffusion_teach.generate import Sampling, generate
from diffusion_teach.recipes.denoising_gan import DDGAN_MNIST, DenoisingGANRecipe, Players
from diffusion_teach.training import run

SMALL = {"width": (8, 16), "blocks": 1, "dense": 16, "embedding": 8, "latent": 5}
CPU = torch.device("cpu")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Quick(DenoisingGANRecipe):
    """Without the measuring, which takes longer than the training."""

    def measure(self, model: Any, sampling: Any, **_: Any) -> dict[str, Any]:
        return {"steps": model.steps}


QUICK = Quick(
    name="quick",
    summary="a test",
    intended_use="tests",
    network=MappingProxyType(SMALL),
    judge=MappingProxyType({"width": (4, 6), "dense": 8}),
    game="relativistic",
    r1=0.5,
    r2=0.5,
    batch=6,
    steps=6,
    ema=0.9,
    precision="float32",
)


def drawn(recipe: DenoisingGANRecipe = QUICK, seed: int = 1) -> tuple[torch.Tensor, ...]:
    return recipe.draw(recipe.data(CPU), torch.Generator().manual_seed(seed))


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
    x0, k, *noise = drawn(dataclasses.replace(QUICK, batch=400))
    assert x0.shape == (400, 1, 28, 28)
    assert set(k.tolist()) == {1, 2, 3, 4}
    assert [tuple(part.shape[1:]) for part in noise] == [(1, 28, 28)] * 2 + [(5,), (1, 28, 28)] * 2
    assert all(abs(float(part.mean())) < 5 / part.numel() ** 0.5 for part in noise)
    assert all(not torch.equal(a, b) for a, b in ((noise[0], noise[1]), (noise[2], noise[4]), (noise[3], noise[5])))


def test_a_real_pair_is_of_the_noising() -> None:
    denoiser = checkpoints.build(QUICK.architecture())
    assert isinstance(denoiser, DenoisingGAN)
    x0 = torch.full((4000, 1, 2, 2), 0.5)
    eps, more = torch.randn(2, *x0.shape, generator=torch.Generator().manual_seed(0))
    for k in (1, 4):
        x_s, x_t = denoiser.pair(x0, torch.full((4000,), k), eps, more)
        for x, time in ((x_s, (k - 1) / 4), (x_t, k / 4)):
            t = torch.tensor(time)
            assert float(x.mean()) == pytest.approx(0.5 * float(denoiser.schedule.alpha(t)), abs=0.05)
            assert float(x.std()) == pytest.approx(float(denoiser.schedule.sigma(t)), abs=0.03)


@pytest.mark.parametrize(("player", "other"), [("discriminator", "generator"), ("generator", "discriminator")])
def test_each_turn_moves_its_player_alone(player: str, other: str) -> None:
    torch.manual_seed(0)
    model = QUICK.model()
    turn = {"discriminator": 0, "generator": 1}[player]
    QUICK.losses()[turn](model, *drawn()).backward()
    assert any(p.grad is not None and bool(p.grad.any()) for p in getattr(model, player).parameters())
    assert all(p.grad is None for p in getattr(model, other).parameters())
    (group,) = QUICK.optimizers(model)[turn].param_groups
    assert {id(p) for p in group["params"]} == {id(p) for p in getattr(model, player).parameters()}


def test_the_judge_is_paid_for_telling_the_two_apart() -> None:
    """One that reads the step's x_s right has less to pay than one that reads it the wrong way round."""
    torch.manual_seed(0)
    model = QUICK.model()
    assert isinstance(model, Players)
    plain = dataclasses.replace(QUICK, r1=0.0, r2=0.0)
    losses = []
    for sign in (1, -1):
        with torch.no_grad():
            for p in model.discriminator.parameters():
                p.zero_()
            # real digits have more paper, −1, than a fresh generator's grey
            model.discriminator.inward.bias += 1.0  # type: ignore[union-attr, operator]
            model.discriminator.inward.weight[:, :4] = -0.1  # type: ignore[index]
            model.discriminator.down.weight.fill_(0.1)  # type: ignore[union-attr, operator]
            model.discriminator.join.weight.fill_(0.1)  # type: ignore[union-attr, operator]
            model.discriminator.last.weight.fill_(0.1 * sign)  # type: ignore[union-attr, operator]
        losses.append(float(plain.loss(model, *drawn()).detach()))
    assert losses[0] < losses[1]


def test_a_stopped_training_goes_on_to_the_same_weights_and_ships_the_generator_alone(tmp_path: Path) -> None:
    assert train(tmp_path / "whole") == "done"
    assert train(tmp_path / "parts", stop=3) == "interrupted"
    assert train(tmp_path / "parts", resume=True) == "done"
    whole, parts = (checkpoints.load(tmp_path / name / "quick.safetensors") for name in ("whole", "parts"))
    assert all(torch.equal(whole[key], parts[key]) for key in whole)
    assert all(key.startswith("network.") for key in whole)
    model = checkpoints.model(tmp_path / "whole" / "quick.safetensors")
    assert isinstance(model, DenoisingGAN)
    assert generate(model, 3, Sampling(seed=1)).shape == (3, 1, 28, 28)
    assert checkpoints.card(tmp_path / "whole" / "quick.safetensors")["metrics"] == {"steps": 4}


def test_the_books_recipe() -> None:
    recipe = recipes.get("ddgan-mnist")
    assert recipe is DDGAN_MNIST
    model = recipe.model()
    size = sum(p.numel() for p in recipe.shipped(model).parameters())
    assert size < 500_000
    with pytest.raises(ValueError, match="Did you mean 'relativistic'"):
        dataclasses.replace(DDGAN_MNIST, game="relativist")

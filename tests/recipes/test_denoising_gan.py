"""The recipe of the denoising diffusion GAN: what it draws, whose loss is whose, and that a stop costs nothing."""

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
from diffusion_teach.denoisers import DenoisingGAN, Learned
from diffusion_teach.generate import Sampling, generate
from diffusion_teach.parameterizations import one_step_back
from diffusion_teach.recipes.denoising_gan import DDGAN_MNIST, DenoisingGANRecipe, Players
from diffusion_teach.schedules import transitions
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
    kept=None,
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
    assert [tuple(part.shape[1:]) for part in noise] == [(1, 28, 28)] * 2 + [(5,)] * 2
    assert all(abs(float(part.mean())) < 5 / part.numel() ** 0.5 for part in noise)
    assert all(not torch.equal(a, b) for a, b in ((noise[0], noise[1]), (noise[2], noise[3])))


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


def test_a_guess_is_judged_as_the_x_s_that_it_makes_with_the_noise_of_the_real_one() -> None:
    """The real x₀ makes the real x_s, and what another makes has the law q(x_s|x_t, x₀) of `one_step_back`."""
    torch.manual_seed(0)
    model = QUICK.model()
    assert isinstance(model, Players)
    denoiser = cast(DenoisingGAN, model.generator)
    x0, _, eps, more, *_ = drawn(dataclasses.replace(QUICK, batch=3000))
    for k in (1, 2, 3, 4):
        step = torch.full((3000,), k)
        judge, x_t, t = QUICK._step(model, x0, step, eps, more)
        x_s, same_x_t = denoiser.pair(x0, step, eps, more)
        assert torch.equal(x_t, same_x_t)
        assert float(t[0]) == k / 4
        torch.testing.assert_close(judge.share * x0 + judge.rest, x_s)
        guess = x0.roll(1, 0)
        made = judge.share * guess + judge.rest
        wanted = one_step_back(denoiser.schedule, t - 0.25, t, x_t, guess, torch.zeros_like(eps))
        noise, std = made - wanted, float(transitions.backward(denoiser.schedule, t[0] - 0.25, t[0])[2])
        assert abs(float(noise.mean())) <= 5 * std / noise.numel() ** 0.5 + 1e-6
        assert float(noise.std()) == pytest.approx(std, abs=0.01 * std + 1e-6)
        assert abs(float((noise * x_t).mean())) <= 5 * std * float(x_t.std()) / noise.numel() ** 0.5 + 1e-6
    with torch.no_grad():
        logits = judge(torch.cat([x0[:3000], guess]))
        torch.testing.assert_close(logits[:3000], model.discriminator(x_s, x_t, step))


def test_each_step_pays_for_the_slope_in_the_guess() -> None:
    """A judge of one slope in x_s pays b² of what it pays at the last step, where x_s is the guess itself."""
    torch.manual_seed(0)
    model = QUICK.model()
    assert isinstance(model, Players)
    x0, _, eps, more, *_ = drawn()
    paid = []
    for k in (1, 2, 3, 4):
        judge, _, _ = QUICK._step(model, x0, torch.full((6,), k), eps, more)
        judge.judge = Slope()  # type: ignore[assignment]
        _, penalty = QUICK.rules().discriminator_turn(judge, x0, x0.roll(1, 0), torch.zeros(6))
        paid.append(float(penalty.detach() / judge.share[0].square()))
    assert paid == pytest.approx([paid[0]] * 4)


class Slope(torch.nn.Module):
    """Logits that are the sum of a picture."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.flatten(1).sum(1, keepdim=True)


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


def test_the_books_generator_begins_nearly_as_the_denoiser_whatever_its_noise() -> None:
    assert recipes.get("ddgan-mnist") is DDGAN_MNIST
    model = DDGAN_MNIST.model()
    generator = cast(DenoisingGAN, cast(Players, model).generator)
    teacher = cast(Learned, checkpoints.model("ddpm-mnist"))
    x0, k, *noise, z, _ = drawn(dataclasses.replace(DDGAN_MNIST, batch=16))
    x_t, t = generator.pair(x0, k, *noise)[1], k / 4
    with torch.no_grad():
        mean, answer = teacher(x_t, t).x0, generator(x_t, t, z)
        assert float((answer - mean).square().mean()) < 0.03 * float(mean.square().mean())
        assert not torch.equal(answer, mean)
        assert torch.equal(answer, generator(x_t, t, -z))


def test_a_wrong_game_is_told() -> None:
    with pytest.raises(ValueError, match="Did you mean 'relativistic'"):
        dataclasses.replace(DDGAN_MNIST, game="relativist")

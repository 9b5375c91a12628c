"""The VAE's recipe: what a step draws, that its loss is the ELBO of the paper, and that it falls."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch

from diffusion_teach import recipes
from diffusion_teach.papers import kingma2013
from diffusion_teach.recipes.vae import VAE_MNIST, VAERecipe
from diffusion_teach.training import run

CPU = torch.device("cpu")


def test_a_step_draws_binary_digits_and_the_codes_noise() -> None:
    x, eps = VAE_MNIST.draw(VAE_MNIST.data(CPU), torch.Generator().manual_seed(0))
    assert x.shape == (64, 784)
    assert set(x.unique().tolist()) == {0.0, 1.0}
    assert eps.shape == (64, 20)
    assert 0.05 < float(x.mean()) < 0.25


def test_the_loss_is_minus_the_papers_estimator() -> None:
    torch.manual_seed(0)
    vae = VAE_MNIST.model()
    x, eps = VAE_MNIST.draw(VAE_MNIST.data(CPU), torch.Generator().manual_seed(0))
    paper = kingma2013.L_B(x, vae.encode, vae.decode, eps[None])
    torch.testing.assert_close(VAE_MNIST.loss(vae, x, eps), -paper.mean())


def test_it_has_as_many_weights_as_the_gans() -> None:
    sizes = [sum(p.numel() for p in recipes.get(name).model().parameters()) for name in ("vae-mnist", "rpgan-mnist")]
    assert sizes[0] / sizes[1] == pytest.approx(1, abs=0.05)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Quick(VAERecipe):
    """Without the measuring, which takes longer than the training."""

    def measure(self, model: Any, sampling: Any, **_: Any) -> dict[str, Any]:
        return {}


def test_the_loss_falls(tmp_path: Path) -> None:
    losses: list[float] = []
    settings = {field.name: getattr(VAE_MNIST, field.name) for field in dataclasses.fields(VAE_MNIST)}
    quick = Quick(**(settings | {"name": "quick", "network": {"width": 32}}))
    run.train(quick, tmp_path, steps=150, on_step=lambda step, loss: losses.append(loss), progress=False)
    assert sum(losses[-20:]) / 20 < 0.9 * sum(losses[:20]) / 20

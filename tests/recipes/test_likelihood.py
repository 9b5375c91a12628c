"""The recipe of the model whose bits are measured: its noise levels, its units, and that its loss is the bound."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from diffusion_teach import checkpoints, recipes
from diffusion_teach.datasets import mnist
from diffusion_teach.denoisers import Exact, Learned
from diffusion_teach.exact import GaussianMixture
from diffusion_teach.generate import Sampling
from diffusion_teach.parameterizations import add_noise
from diffusion_teach.recipes import likelihood
from diffusion_teach.recipes.diffusion import make_schedule
from diffusion_teach.recipes.likelihood import LIKELIHOOD_MNIST
from diffusion_teach.training import run

CPU = torch.device("cpu")
TINY = dataclasses.replace(
    LIKELIHOOD_MNIST,
    network={"width": (8, 16), "dense": 16, "fourier": (7, 8)},
    batch=8,
    warmup=0,
    precision="float32",
)


def draw(seed: int = 0, batch: int = 8) -> tuple[Tensor, ...]:
    recipe = dataclasses.replace(TINY, batch=batch)
    return recipe.draw(recipe.data(CPU), torch.Generator().manual_seed(seed))


def test_what_is_drawn() -> None:
    x0, t, eps = draw(batch=400)
    images = {bytes(image.numpy()) for image in mnist.load("train")[0]}
    cells = ((x0.double() + 1) * 128).floor().clamp(max=255).to(torch.uint8)
    assert sum(bytes(cell.numpy()) in images for cell in cells) > 390  # rounding takes a pixel across an edge, rarely
    inside = (x0.double() + 1) * 128 - cells
    assert float(inside.mean()) == pytest.approx(0.5, abs=4 * (1 / 12 / inside.numel()) ** 0.5)
    log_snr = make_schedule("ve-fine").log_snr(t.double()).sort().values
    assert float(log_snr[0]) == pytest.approx(-6.9, abs=0.1)
    assert float(log_snr[-1]) == pytest.approx(13.3, abs=0.1)
    torch.testing.assert_close(log_snr.diff(), torch.full((399,), 20.2 / 400).double(), rtol=0, atol=1e-3)
    assert float(eps.var()) == pytest.approx(1, abs=0.01)
    assert not torch.equal(draw()[0], draw(1)[0])
    assert all(torch.equal(a, b) for a, b in zip(draw(), draw(), strict=True))


def test_a_cell_is_wider_than_the_least_noise() -> None:
    assert math.exp(-13.3 / 2) < (likelihood.HIGH - likelihood.LOW) / 256 / 5


def test_the_loss_is_the_error_of_the_noise_at_all_log_snrs_alike() -> None:
    torch.manual_seed(0)
    model = TINY.model()
    nn.init.normal_(model.network.head.weight, std=0.1)
    x0, t, eps = draw()
    found = model(add_noise(model.schedule, t, x0, eps), t).eps
    torch.testing.assert_close(TINY.loss(model, x0, t, eps), (found - eps).square().mean(), rtol=1e-3, atol=1e-5)


class Gaussian(Learned):
    """The best denoiser of pictures whose pixels are independent, N(0, 1/4)."""

    def __init__(self) -> None:
        super().__init__(nn.Identity(), make_schedule("ve-fine"))
        one = GaussianMixture(torch.ones(1), torch.zeros(1, 1).double(), torch.tensor([0.25]).double())
        self.exact = Exact(one, self.schedule)

    def forward(self, x_t: Tensor, t: Tensor, cond: Tensor | None = None):  # type: ignore[no-untyped-def, override]
        flat = x_t.reshape(-1, 1)
        times = t if t.ndim == 0 else t.repeat_interleave(x_t[0].numel())
        return type(self.exact(flat, times))(*(part.reshape(x_t.shape) for part in self.exact(flat, times)))


def test_bits_of_a_model_whose_density_is_known() -> None:
    """Independent pixels of deviation 1/2: −log p of a grey picture, in bits of cells of 1/128, to the prior's 33."""
    grey = torch.full((3, 28, 28), 160, dtype=torch.uint8)
    flow, bound = likelihood.bits(Gaussian(), grey, largest=9.0, steps=500, generator=torch.Generator().manual_seed(0))
    x = 160.5 / 128 - 1
    exact = (0.5 * (x / 0.5) ** 2 + math.log(0.5 * math.sqrt(2 * math.pi)) - math.log(1 / 128)) / math.log(2)
    assert flow.mean().item() == pytest.approx(exact, abs=0.03)
    assert bound.shape == (3,)
    assert -0.02 < float(bound.mean()) - exact < 0.2


def test_it_trains_and_its_checkpoint_has_bits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    losses: list[float] = []
    monkeypatch.setattr(likelihood, "IMAGES", 2)
    monkeypatch.setattr(likelihood, "STEPS", 5)
    monkeypatch.setitem(recipes._RECIPES, TINY.name, TINY)
    path = run.train(TINY, tmp_path, steps=30, on_step=lambda k, loss: losses.append(loss))
    assert sum(losses[-8:]) < sum(losses[:8])
    metrics = checkpoints.card(path)["metrics"]
    assert metrics["images"] == 2
    assert 1 < metrics["bits_per_dimension"] < 60
    assert (metrics["low"], metrics["high"], metrics["largest_log_snr"]) == (-1, 1, 13.3)
    assert checkpoints.model(path).network.fourier == (7, 8)


def test_it_draws_no_pictures_to_measure() -> None:
    with pytest.raises(ValueError, match="draws no images"):
        TINY.measure(TINY.model(), Sampling(steps=3))


def test_the_shipped_architecture_fits_its_file() -> None:
    parameters = sum(p.numel() for p in LIKELIHOOD_MNIST.model().parameters())
    assert 2 * parameters < 4e6  # half precision

"""One and two levels of latents on binarised MNIST: bounds in nats, and how near the samples come.

Every row is ten trainings, seeds 0 to 9, of as many steps on as many pictures, with hidden layers so wide that none
costs more multiplications than one level does. In the control the second level is there and is not heard: what remains
is that the prior of the first has a mean and a width that are learned. The rows lie in `results.json` beside this file.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from diffusion_teach import training
from diffusion_teach.datasets import mnist
from diffusion_teach.metrics import cost, frechet
from diffusion_teach.metrics.features import predict, pretrained
from diffusion_teach.networks.hierarchical_vae import HierarchicalVAE
from diffusion_teach.objectives import variational
from diffusion_teach.studies import stored

RESULTS = Path(__file__).with_name("results.json")
STEPS, BATCH, RATE, SEEDS = 4000, 128, 1e-2, range(10)
DRAWS, DIGITS, SAMPLES = 50, 1000, 2000


class Model(NamedTuple):
    """The latents of each level, from the pixels up, units of its widest layers, and whether upper levels are heard."""

    latents: tuple[int, ...]
    width: int
    heard: bool = True

    def make(self, ink: Tensor | None = None) -> HierarchicalVAE:
        """The network before it is trained."""
        model = HierarchicalVAE(self.latents, self.width, ink=ink)
        for network in () if self.heard else model.above:
            network.register_forward_pre_hook(lambda _, inputs: (0 * inputs[0],))
        return model


ROWS = {
    "one level": Model((20,), 200),
    "a second, not heard": Model((20, 10), 188, heard=False),
    "two levels": Model((20, 10), 188),
}


def row(name: str) -> dict[str, Any]:
    """What the ten trainings of a row end with, a list each, and what a picture costs."""
    found = [_trained(ROWS[name], seed) for seed in SEEDS]
    same = {"multiplications": found[0].pop("multiplications"), "steps": STEPS, "judges": stored.judges()}
    return {key: [one[key] for one in found] for key in found[0]} | same


def _trained(of: Model, seed: int) -> dict[str, Any]:
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    images, _ = mnist.load("train")
    test = mnist.binarise(mnist.load("test")[0], generator=generator)
    model = of.make(ink=images.float().mean(0).flatten() / 255)

    def loss() -> Tensor:
        chosen = torch.randint(len(images), (BATCH,), generator=generator)
        return -model(mnist.binarise(images[chosen], generator=generator), generator=generator).value.mean()

    training.fit(model, loss, steps=STEPS, lr=RATE, warmup=20)
    model.requires_grad_(False)
    levels, counted = cost.counted(model, test, generator=generator)
    log_w = torch.stack([model(test[:DIGITS], generator=generator).log_weight for _ in range(DRAWS)])
    drawn = torch.bernoulli(model.decode(model.codes(SAMPLES, generator=generator)).sigmoid(), generator=generator)
    return {
        "bound": round(float(levels.value.mean()), 3),
        "kl": [round(nats, 3) for nats in levels.kl.mean(0).tolist()],
        "bound_of_50_draws": round(float(variational.iwae_bound(log_w).mean()), 3),
        "frechet": round(float(frechet.frechet_distance(*_fit(drawn), *_fit(test))), 2),
        "multiplications": counted.multiplications // len(test),
    }


def _fit(pixels: Tensor) -> frechet.Gaussian:
    return frechet.gaussian_fit(predict(pretrained(), 2 * pixels.view(-1, 1, 28, 28) - 1, features=True))


def rows(path: Path = RESULTS) -> dict[str, dict[str, Any]]:
    """What is stored, in the order of `ROWS`."""
    return stored.rows(path, ROWS)

"""What two networks see in the same noisy digits, and how far that lies apart, at each log-SNR.

Each row is a pair: the shipped NCSN with a DDPM that was trained for as many steps, and with itself of another seed.
The distance is ‖x̂₀ᵃ − x̂₀ᵇ‖²/‖x̂₀ᵇ − mean digit‖² over 1,000 test digits, each in one draw of noise. The rows lie in
`results.json` beside this file; each costs a training, on the fastest device that there is.
No two share a seed.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor

from diffusion_teach import checkpoints
from diffusion_teach.datasets import mnist
from diffusion_teach.denoisers import Denoiser
from diffusion_teach.parameterizations import add_noise
from diffusion_teach.recipes.diffusion import NCSN_MNIST, SHORT
from diffusion_teach.studies import stored
from diffusion_teach.training import run

RESULTS = Path(__file__).with_name("results.json")
LEVELS = (-6.0, -4.0, -2.0, -1.0, 0.0, 1.0, 2.0, 4.0)
DIGITS = 1000
STEPS = NCSN_MNIST.steps

ROWS: dict[str, Callable[[], Any]] = {
    "NCSN and DDPM, trained as long": lambda: run.trained(SHORT, steps=STEPS, seed=2, device="auto").cpu(),
    "NCSN, two seeds": lambda: run.trained(NCSN_MNIST, steps=STEPS, seed=1, device="auto").cpu(),
}
"""By name: what stands beside the shipped NCSN, of seed 0."""


def row(name: str) -> dict[str, Any]:
    """The distance of a pair at each of the log-SNRs."""
    ncsn = cast(Denoiser, checkpoints.model("ncsn-mnist"))
    other = cast(Denoiser, ROWS[name]())
    digits = mnist.to_model(mnist.load("test")[0][:DIGITS])
    noise = torch.randn(digits.shape, generator=torch.Generator().manual_seed(0))
    mean = mnist.to_model(mnist.load("train")[0]).mean(0)
    share = [apart(sight(ncsn, level, digits, noise), sight(other, level, digits, noise), mean) for level in LEVELS]
    return {"log_snr": list(LEVELS), "apart": share, "steps": STEPS, "digits": DIGITS}


@torch.no_grad()
def sight(denoiser: Denoiser, level: float, x0: Tensor, eps: Tensor) -> Tensor:
    """What a denoiser sees in x0 and eps (B, ...) at a log-SNR, noised by its own schedule."""
    t = denoiser.schedule.time_of(torch.tensor(level))
    return torch.cat(
        [
            denoiser(add_noise(denoiser.schedule, t, a, b), t).x0
            for a, b in zip(x0.split(250), eps.split(250), strict=True)
        ]
    )


def apart(a: Tensor, b: Tensor, mean: Tensor) -> float:
    """‖a − b‖² in units of what lies between b and the mean."""
    return float((a - b).square().sum() / (b - mean).square().sum())


def rows() -> dict[str, Any]:
    """What is stored, by row."""
    return stored.rows(RESULTS, ROWS)

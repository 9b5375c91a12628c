r"""Inpainting with a model that was not trained for it: a second distribution multiplies every reverse step.

To draw from p(x₀)·r(x₀) instead of p(x₀), Sohl-Dickstein et al. (2015, section 2.5) multiply each reverse kernel,

    p̃(x_s|x_t) ∝ p(x_s|x_t)·r(x_s).

For inpainting r fixes the known pixels and leaves the others free. As the kernel is a Gaussian with a diagonal
covariance, the product is simple: the known pixels are put in, the others are drawn as before. What is put in at noise
level s is a choice:

- "clean": the known pixels as they are, r the same at all levels, as the paper does;
- "noised": a fresh draw α_s·y + σ_s·ε of them, so that the network sees what it was trained on (Song et al. 2021).

Neither draws exactly from p(x₀|known): a step's kernel does not look ahead to the known pixels of the levels below.
Walking each step several times, forward again after each, makes the two parts agree better (after RePaint, Lugmayr et
al. 2022, algorithm 1, which noises the known part up with the rest; here it is drawn anew).
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor

from diffusion_teach import _checks
from diffusion_teach.denoisers import Denoiser, check_denoiser
from diffusion_teach.samplers.ddim_family import ancestral
from diffusion_teach.samplers.walk import Noise, Step, check_step, check_times, clock, noise_of

KNOWN = ("noised", "clean")
MULTISTEP = "step must remember nothing: a multistep solver does. Use ancestral or ddim(0.0)."


def inpaint(
    denoiser: Denoiser,
    y: Tensor,
    known: Tensor,
    times: Tensor,
    *,
    step: Step = ancestral,
    put_in: str = "noised",
    repeats: int = 1,
    noise: Noise | None = None,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Complete y (B, ...) where it is not known; known places return as they came.

    Args:
        denoiser: a model of whole images (or points).
        y: what is known; the values elsewhere are not used, and may be NaN.
        known: bool, of a shape that broadcasts to y's.
        times: (N + 1,) falling, from 1 to 0, as `samplers.time_grid` gives.
        step: of a sampler of one step. A multistep solver would lose its memory at each
            put-in, and is refused.
        put_in: "noised" or "clean", see above.
        repeats: how often each step is walked, but the last, to data, once; between two
            walks the noise of the step is added again.
        noise: all that is drawn; by default N(0, I) from the generator.
        generator: the shorthand for it.

    Raises:
        TypeError: for a mask that is not bool, or a step that is none.
        ValueError: for a mask of another shape, times that do not fall from 1 to 0, an
            unknown way to put in, or a multistep solver.
    """
    y, known = _known(y, known)
    check_denoiser("denoiser", denoiser)
    check_step(step)
    _check_ends(times)
    put_in = _checks.choice("put_in", put_in, KNOWN)
    repeats = _checks.integer("repeats", repeats)
    draw, schedule = noise_of(noise, generator), denoiser.schedule

    def multiplied(x: Tensor, s: Tensor) -> Tensor:
        level = y
        if put_in == "noised":
            level = schedule.alpha(s) * y + schedule.sigma(s) * draw(y)
        return torch.where(known, level, x)

    times = times.to(y.device, clock(y))
    x = multiplied(schedule.sigma(times[0]) * draw(y), times[0])
    for t, s in pairwise(times):
        for walk in range(1 if s == 0 else repeats):
            if walk:  # back up: x_t = (α_t/α_s)·x_s + √(σ_t² − (α_t/α_s)²·σ_s²)·ε
                share = schedule.alpha(t) / schedule.alpha(s)
                variance = schedule.sigma(t) ** 2 - share**2 * schedule.sigma(s) ** 2
                x = multiplied(share * x + variance.sqrt() * draw(y), t)
            with torch.no_grad():
                x, state = step(denoiser, x, t, s, None, draw)
            if state is not None:
                raise ValueError(MULTISTEP)
            x = multiplied(x, s)
    return x


def _check_ends(times: Tensor) -> None:
    if check_times(times)[0] != 1 or times[-1] != 0:
        raise ValueError(f"times must fall from 1 to 0, got {times.tolist()[:6]}. Make them with samplers.time_grid.")


def _known(y: Tensor, known: Tensor) -> tuple[Tensor, Tensor]:
    """y with 0 where it is not known, and the mask in its shape."""
    _checks.tensor("y", y, finite=False)
    _checks.tensor("known", known, floating=False)
    if known.dtype != torch.bool:
        raise TypeError(f"known must be a bool tensor, True where y is known, got {_checks.describe(known)}.")
    try:
        known = known.expand_as(y)
    except RuntimeError:
        raise ValueError(f"known must broadcast to y's shape {tuple(y.shape)}, got {tuple(known.shape)}.") from None
    return _checks.tensor("y where it is known", torch.where(known, y, 0)), known

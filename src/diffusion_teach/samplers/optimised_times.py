"""A schedule of steps for one model: times moved so that a walk of few steps ends where a walk of many does."""

from __future__ import annotations

import torch
from torch import Tensor

from diffusion_teach import _checks
from diffusion_teach.denoisers import Denoiser, check_denoiser
from diffusion_teach.samplers.walk import Step, check_step, check_times, clock, gaussian


def optimise_times(
    denoiser: Denoiser,
    step: Step,
    x: Tensor,
    target: Tensor,
    times: Tensor,
    *,
    rounds: int = 200,
    rate: float = 0.1,
) -> Tensor:
    """Move the inner times of a walk downhill on the squared distance of its end.

    A sampler is a function of its times, which has a gradient. The gaps between them
    are a softmax, so that they stay positive and fill the walk; its logits follow Adam.
    What it gains must be measured on other noise than x.

    Args:
        denoiser: whose answer can be differentiated, an exact one or a network.
        step: one that draws nothing, such as `dpm_solver`.
        x: (B, ...) at the first of the times.
        target: (B, ...) where each should end, say by many steps from the same x.
        times: (N + 1,) falling, to begin with; the first and the last stay.
        rounds: of gradient descent.
        rate: of Adam.

    Returns:
        (N + 1,) falling times, float64: of all rounds those of the least distance.
    """
    check_denoiser("denoiser", denoiser)
    check_step(step)
    _checks.tensor("x", x)
    _checks.same_shape("target", _checks.tensor("target", target), "x", x)
    rounds = _checks.integer("rounds", rounds)
    rate = _checks.number("rate", rate, above=0)
    first, last = check_times(times)[[0, -1]].double()
    logits = (-times.double().diff()).log().requires_grad_(True)
    adam = torch.optim.Adam([logits], lr=rate)
    best, least = times.double(), torch.inf
    with torch.enable_grad():
        for _ in range(rounds):
            shares = logits.softmax(0).cumsum(0)[:-1]
            inner = first - (first - last) * shares
            moved = torch.cat([first[None], inner, last[None]])
            if not (moved.diff() < 0).all():
                break  # two times have met: the rate is too high
            end = _end(denoiser, step, x, moved)
            distance = (end - target).square().mean()
            if (found := distance.item()) < least:
                best, least = moved.detach().clone(), found
            adam.zero_grad()
            distance.backward()
            adam.step()
    return best


def _end(denoiser: Denoiser, step: Step, x: Tensor, times: Tensor) -> Tensor:
    """The end of a walk, with its graph."""
    told, state = times.to(x.device, clock(x)), None
    for k in range(len(told) - 1):
        x, state = step(denoiser, x, told[k], told[k + 1], state, gaussian())
    return x

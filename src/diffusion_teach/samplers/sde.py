r"""The reverse-time SDE, and a corrector after any step.

The forward SDE dx = f·x dt + g dw has many ways back that share its marginals q_t. For every k,

    dx = [f·x − ½(1 + k²)·g²·∇log q_t(x)] dt + k·g dw̄,      dt < 0,

leads from q_1 to q_0: k = 1 is the reversal of the process itself (Anderson 1982), k = 0 the probability flow, without
chance (Song et al. 2021, eqs. 6 and 13). Of one walker's places at two times only k = 1 has the right law.

`euler_maruyama` takes the plain steps of this equation, with h = t − s,

    x_s = x_t − [f·x_t − ½(1 + k²)·g²·∇log q_t(x_t)]·h + k·g·√h·z.

Its moments err in first order of h, and its paths, too, as the noise does not depend on x. The forward chains of DDPM
and SMLD are exact transitions, whatever their steps.

Times may end at t_min > 0: then the noise σ(t_min) stays in the points. A step to σ_s = 0 is told by its s: it returns
α_s·x̂₀ and adds no noise, as in every sampler here.
"""

from __future__ import annotations

from torch import Tensor

from diffusion_teach import _checks
from diffusion_teach.denoisers import Denoiser
from diffusion_teach.samplers import langevin
from diffusion_teach.samplers.walk import Noise, State, Step, check_move, check_step


def euler_maruyama(k: float = 1.0) -> Step:
    """A step of the reverse SDE with the noise k·g and the drift that belongs to it.

    Args:
        k: 1 for Anderson's, 0 for the probability flow; from 0 on.

    Raises:
        ValueError: for a negative k; later where f or g² is infinite, as at α = 0.
    """
    k = _checks.number("k", k, least=0)

    def step(denoiser: Denoiser, x_t: Tensor, t: Tensor, s: Tensor, state: State, noise: Noise) -> tuple[Tensor, State]:
        check_move(denoiser, x_t, t, s)
        _checks.function("noise", noise, "Use samplers.gaussian(generator).")
        x0, eps = denoiser(x_t, t)
        schedule = denoiser.schedule
        if schedule.sigma(s) == 0:
            return schedule.alpha(s) * x0, None
        g2, h = schedule.g2(t), t - s
        score = -eps / schedule.sigma(t)
        x_s = x_t - (schedule.f(t) * x_t - 0.5 * (1 + k**2) * g2 * score) * h
        return (x_s + k * (g2 * h).sqrt() * noise(x_t) if k else x_s), None

    return step


def predictor_corrector(step: Step, *, corrections: int = 1, ratio: float = langevin.RATIO) -> Step:
    """Any step, and at the level where it arrives Langevin steps towards q_s (Song et al. 2021, algorithm 1).

    The predictor changes the noise level, the corrector mends the distribution at that
    level. After a step to σ_s = 0 there is nothing to correct.

    Args:
        step: the predictor.
        corrections: Langevin steps after each, an evaluation each.
        ratio: r of their size h = r·σ_s².
    """
    check_step(step)
    corrections = _checks.integer("corrections", corrections)
    ratio = _checks.number("ratio", ratio, above=0, below=2)

    def both(denoiser: Denoiser, x_t: Tensor, t: Tensor, s: Tensor, state: State, noise: Noise) -> tuple[Tensor, State]:
        x_s, state = step(denoiser, x_t, t, s, state, noise)
        if denoiser.schedule.sigma(s) == 0:
            return x_s, state
        return langevin.correct(denoiser, x_s, s, steps=corrections, ratio=ratio, noise=noise), state

    return both

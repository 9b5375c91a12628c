"""`ddim-step`: one step of the family from DDIM to DDPM."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Generator, Tensor

from diffusion_teach.exercises.examining import Wrong, diagnose, same, within
from diffusion_teach.exercises.exercise import Answer, Exercise, Mistake
from diffusion_teach.exercises.trials import Law, Trial, uniform

SHAPE = (20_000, 2)
_near = within(0.01, 0.01)


def ddim_step(
    x: Tensor,
    eps: Tensor,
    bar_t: float,
    bar_s: float,
    eta: float,
    generator: Generator,
) -> Tensor:
    """x_s from x = x_t and the noise eps in it, ᾱ being bar_t there and bar_s here."""
    x0 = (x - (1 - bar_t) ** 0.5 * eps) / bar_t**0.5
    tau = eta * ((1 - bar_s) / (1 - bar_t) * (1 - bar_t / bar_s)) ** 0.5
    z = torch.randn(x.shape, dtype=x.dtype, generator=generator)
    return bar_s**0.5 * x0 + (1 - bar_s - tau**2) ** 0.5 * eps + tau * z


def _parts(bar_t: float, bar_s: float, eta: float) -> tuple[float, float, float]:
    """The shares of x and ε in a step, and the deviation of what it draws."""
    tau = eta * ((1 - bar_s) / (1 - bar_t) * (1 - bar_t / bar_s)) ** 0.5
    of_x = (bar_s / bar_t) ** 0.5
    return of_x, (1 - bar_s - tau**2) ** 0.5 - of_x * (1 - bar_t) ** 0.5, tau


def _split(value: Tensor, x: Tensor, eps: Tensor) -> tuple[tuple[float, float], Tensor]:
    """How much of x and of ε a value holds, by least squares, and what is left over."""
    columns = torch.stack([x.flatten(), eps.flatten()], dim=1)
    found = torch.linalg.lstsq(columns, value.flatten().unsqueeze(1)).solution
    return (float(found[0]), float(found[1])), value - (columns @ found).view(value.shape)


def _examine(answer: Answer) -> None:
    g = torch.Generator().manual_seed(1)
    x, eps = torch.randn(SHAPE, generator=g), torch.randn(SHAPE, generator=g)
    bar_t, bar_s = 0.2, 0.5
    for eta in (0.0, 0.8):
        value = answer(x, eps, bar_t, bar_s, eta, torch.Generator().manual_seed(2))
        same(value, x)  # a tensor of the right shape, and finite
        found, rest = _split(value.detach().to(x), x, eps)
        of_x, of_eps, tau = _parts(bar_t, bar_s, eta)
        if eta == 0 and float(rest.std()) > 0.02:
            raise Wrong("with η = 0 your step should not draw, and does: the whole of τ has the factor η.")
        if eta == 0:
            _examine_shares(found, (of_x, of_eps), bar_t, bar_s)
            continue
        spread = float(rest.std())
        share = (1 - bar_t / bar_s) ** 0.5
        named = {
            "nothing is drawn though η > 0: add τ·z.": 0.0,
            "you scale z by τ², its variance. A draw is scaled by the deviation τ.": tau**2,
            "the deviation is that of σ̂² = β, √(1 − ᾱ_t/ᾱ_s). The family's has one more factor, "
            "√((1 − ᾱ_s)/(1 − ᾱ_t)).": eta * share,
            "η is a share of the deviation, not of the variance: τ has the factor η, not √η.": tau / eta**0.5,
        }
        if abs(spread - tau) > 0.01:
            diagnose(
                spread,
                named.items(),
                f"at η = {eta:g} what you draw deviates by {spread:.3f}; τ is {tau:.3f}.",
                near=lambda value, wrong: abs(value - wrong) < 0.01,
            )
        if not _near(found, (of_x, of_eps)):
            kept = (1 - bar_s) ** 0.5 - of_x * (1 - bar_t) ** 0.5
            named_shares = {
                "what is drawn comes on top: the variance at s grows by τ². Keep √(1 − ᾱ_s − τ²) of ε.": (of_x, kept),
                "of ε you keep √(1 − ᾱ_s) − τ. Variances add, deviations do not: √(1 − ᾱ_s − τ²).": (of_x, kept - tau),
                "of ε you keep √(1 − ᾱ_s) − τ²: the root is of all of it, √(1 − ᾱ_s − τ²).": (of_x, kept - tau**2),
            }
            diagnose(
                found,
                named_shares.items(),
                f"at η = {eta:g} your step holds {found[0]:.3f} of x and {found[1]:.3f} of ε besides what it draws; "
                f"expected {of_x:.3f} and {of_eps:.3f}.",
                near=_near,
            )


def _examine_shares(found: tuple[float, float], right: tuple[float, float], bar_t: float, bar_s: float) -> None:
    if _near(found, right):
        return
    a, s, a_s, s_s = bar_t**0.5, (1 - bar_t) ** 0.5, bar_s**0.5, (1 - bar_s) ** 0.5
    named = {
        "you return x̂₀ itself. Put it back on the line at s: √ᾱ_s·x̂₀ + √(1 − ᾱ_s)·ε.": (1 / a, -s / a),
        "the noise is missing at s: √ᾱ_s·x̂₀ is where the mean of x_s lies, and √(1 − ᾱ_s)·ε belongs to it.": (
            a_s / a,
            -a_s * s / a,
        ),
        "your shares lack their roots: ᾱ is α². The line is x = √ᾱ·x₀ + √(1 − ᾱ)·ε.": (
            bar_s / bar_t,
            1 - bar_s - bar_s * (1 - bar_t) / bar_t,
        ),
        "the sign of ε in x̂₀ is turned: x̂₀ is x less its noise.": (a_s / a, a_s * s / a + s_s),
        "ᾱ_t and ᾱ_s are swapped: x lies at t, and you want it at s.": (a / a_s, s - a * s_s / a_s),
    }
    diagnose(
        found,
        named.items(),
        f"at η = 0 your step holds {found[0]:.3f} of x and {found[1]:.3f} of ε; expected {right[0]:.3f} and "
        f"{right[1]:.3f}.",
        near=_near,
    )


def _step(
    mean: Callable[[Tensor, Tensor, float, float, float], Tensor],
    deviation: Callable[[float, float, float], float],
    draw: Callable[..., Tensor] = torch.randn,
) -> Answer:
    def answer(x: Tensor, eps: Tensor, bar_t: float, bar_s: float, eta: float, generator: Generator) -> Tensor:
        tau = deviation(bar_t, bar_s, eta)
        return mean(x, eps, bar_t, bar_s, tau) + tau * draw(x.shape, generator=generator)

    return answer


def _tau(bar_t: float, bar_s: float, eta: float) -> float:
    return _parts(bar_t, bar_s, eta)[2]


def _mean(x: Tensor, eps: Tensor, bar_t: float, bar_s: float, tau: float) -> Tensor:
    return bar_s**0.5 * (x - (1 - bar_t) ** 0.5 * eps) / bar_t**0.5 + (1 - bar_s - tau**2) ** 0.5 * eps


def _trial(g: torch.Generator) -> Trial:
    bar_t = uniform(g, 0.1, 0.4)
    bar_s, eta = uniform(g, bar_t + 0.1, 0.8), uniform(g, 0.4, 1.0)
    x, eps = (3 * torch.randn(5000, 2, generator=g) for _ in range(2))
    tau = _tau(bar_t, bar_s, eta)
    return Trial((x, eps, bar_t, bar_s, eta), Law(_mean(x, eps, bar_t, bar_s, tau), torch.tensor(tau)))


EXERCISE = Exercise(
    id="ddim-step",
    chapter="09_fast_sampling",
    examine=_examine,
    solution=ddim_step,
    mistakes=(
        Mistake(_step(lambda x, e, t, s, tau: (x - (1 - t) ** 0.5 * e) / t**0.5, _tau), "x̂₀ itself"),
        Mistake(
            _step(lambda x, e, t, s, tau: (s / t) ** 0.5 * (x - (1 - t) ** 0.5 * e), _tau), "noise is missing at s"
        ),
        Mistake(_step(lambda x, e, t, s, tau: s * (x - (1 - t) * e) / t + (1 - s) * e, _tau), "lack their roots"),
        Mistake(
            _step(
                lambda x, e, t, s, tau: (s / t) ** 0.5 * (x + (1 - t) ** 0.5 * e) + (1 - s - tau**2) ** 0.5 * e,
                _tau,
            ),
            "sign of ε",
        ),
        Mistake(_step(lambda x, e, t, s, tau: _mean(x, e, s, t, tau), _tau), "swapped"),
        Mistake(_step(lambda x, e, t, s, tau: _mean(x, e, t, s, 0.0), _tau), "comes on top"),
        Mistake(
            _step(
                lambda x, e, t, s, tau: (s / t) ** 0.5 * (x - (1 - t) ** 0.5 * e) + ((1 - s) ** 0.5 - tau) * e,
                _tau,
            ),
            "Variances add",
        ),
        Mistake(
            _step(
                lambda x, e, t, s, tau: (s / t) ** 0.5 * (x - (1 - t) ** 0.5 * e) + ((1 - s) ** 0.5 - tau**2) * e,
                _tau,
            ),
            "of all of it",
        ),
        Mistake(_step(_mean, lambda t, s, eta: eta * (1 - t / s) ** 0.5 * 0.6), "τ is"),
        Mistake(lambda x, e, t, s, eta, g: _mean(x, e, t, s, _tau(t, s, eta)), "nothing is drawn"),
        Mistake(
            lambda x, e, t, s, eta, g: (
                _mean(x, e, t, s, _tau(t, s, eta)) + _tau(t, s, eta) ** 2 * torch.randn(x.shape, generator=g)
            ),
            "by τ², its variance",
        ),
        Mistake(
            lambda x, e, t, s, eta, g: (
                _mean(x, e, t, s, _tau(t, s, eta)) + eta * (1 - t / s) ** 0.5 * torch.randn(x.shape, generator=g)
            ),
            "σ̂² = β",
        ),
        Mistake(
            lambda x, e, t, s, eta, g: (
                _mean(x, e, t, s, _tau(t, s, eta)) + _tau(t, s, eta**0.5) * torch.randn(x.shape, generator=g)
            ),
            "not √η",
        ),
        Mistake(lambda x, e, t, s, eta, g: ddim_step(x, e, t, s, 1.0, g), "the whole of τ"),
        Mistake(
            lambda x, e, t, s, eta, g: ddim_step(x, e, t, s, eta, torch.Generator().manual_seed(0)),
            "another generator",
        ),
    ),
    praise="one line from chance to certainty: at η = 0 the same noise always ends in the same picture.",
    trial=_trial,
)

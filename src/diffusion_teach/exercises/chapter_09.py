"""The exercises of chapter 09."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Generator, Tensor

from diffusion_teach.exercises.exercise import (
    Answer,
    Exercise,
    Law,
    Mistake,
    Trial,
    Wrong,
    diagnose,
    same,
    uniform,
    within,
)

CHAPTER = "09_fast_sampling"
Field = Callable[[Tensor, float], Tensor]

# DDIM -----------------------------------------------------------------------------------------------------------------

SHAPE = (20_000, 2)
_near = within(0.01, 0.01)


def ddim_step(x: Tensor, eps: Tensor, bar_t: float, bar_s: float, eta: float, generator: Generator) -> Tensor:
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


def _examine_ddim_step(answer: Answer) -> None:
    g = torch.Generator().manual_seed(1)
    x, eps = torch.randn(SHAPE, generator=g), torch.randn(SHAPE, generator=g)
    bar_t, bar_s = 0.2, 0.65
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


def _try_ddim_step(g: torch.Generator) -> Trial:
    bar_t = uniform(g, 0.1, 0.4)
    bar_s, eta = uniform(g, bar_t + 0.1, 0.8), uniform(g, 0.4, 1.0)
    x, eps = (3 * torch.randn(5000, 2, generator=g) for _ in range(2))
    tau = _tau(bar_t, bar_s, eta)
    return Trial((x, eps, bar_t, bar_s, eta), Law(_mean(x, eps, bar_t, bar_s, tau), torch.tensor(tau)))


# Heun -----------------------------------------------------------------------------------------------------------------


def heun_step(x: Tensor, sigma: float, sigma_next: float, eps: Field) -> Tensor:
    """One step of dx/dσ = eps(x, σ) from sigma to sigma_next."""
    first = eps(x, sigma)
    guess = x + (sigma_next - sigma) * first
    return x + (sigma_next - sigma) * (first + eps(guess, sigma_next)) / 2


def _bent(x: Tensor, sigma: float) -> Tensor:
    return torch.sin(2 * x) / (0.3 + sigma) + sigma**2


def _examine_heun_step(answer: Answer) -> None:
    x = torch.linspace(-2, 2, 9, dtype=torch.float64)
    sigma, after = 0.9, 0.4
    value = answer(x, sigma, after, _bent)
    expected = heun_step(x, sigma, after, _bent)
    if same(value, expected):
        return
    h, first = after - sigma, _bent(x, sigma)
    guess = x + h * first
    named = {
        "that is Euler's step: one look at the start. Look again where it ends, and take the mean of the two.": guess,
        "the sum of both looks lacks its half.": x + h * (first + _bent(guess, after)),
        "you take the second look alone. The mean of both is of second order.": x + h * _bent(guess, after),
        "your second look is at the old point x. It belongs to the point that the first look leads to.": (
            x + h * (first + _bent(x, after)) / 2
        ),
        "your second look is at the old σ. It belongs to σ_next.": x + h * (first + _bent(guess, sigma)) / 2,
        "you go uphill in σ: the step is σ_next − σ, which is negative.": (
            x - h * (first + _bent(x - h * first, after)) / 2
        ),
        "you begin the second half at Euler's point: both looks start from x.": (
            guess + h * (first + _bent(guess, after)) / 2
        ),
        "that is the midpoint rule, also of second order: Heun looks at both ends.": (
            x + h * _bent(x + h / 2 * first, (sigma + after) / 2)
        ),
    }
    worst = int((value.detach().to(x) - expected).abs().argmax())
    diagnose(
        value,
        named.items(),
        f"from x = {float(x[worst]):.2f} your step ends at {float(value[worst]):.4f}; expected "
        f"{float(expected[worst]):.4f}.",
    )


def _try_heun_step(g: torch.Generator) -> Trial:
    bend, drift = uniform(g, 1.0, 2.0), uniform(g, 0.5, 1.5)

    def field(x: Tensor, sigma: float) -> Tensor:
        return torch.cos(bend * x) * sigma + drift / (1 + sigma)

    x = torch.randn(7, 2, generator=g, dtype=torch.float64)
    return Trial((x, uniform(g, 1.0, 2.0), uniform(g, 0.2, 0.8), field))


# The memory of 2M -----------------------------------------------------------------------------------------------------


def look_ahead(x0: Tensor, x0_before: Tensor, before: float, now: float, then: float) -> Tensor:
    """x̂₀ in the middle of the step; the times are log-SNRs, before < now < then."""
    slope = (x0 - x0_before) / (now - before)
    return x0 + slope * (then - now) / 2


def _examine_look_ahead(answer: Answer) -> None:
    g = torch.Generator().manual_seed(4)
    x0, x0_before = torch.randn(6, generator=g), torch.randn(6, generator=g)
    before, now, then = -1.5, -0.3, 1.7
    value = answer(x0, x0_before, before, now, then)
    change, h, h_before = x0 - x0_before, then - now, now - before
    named = {
        "you look ahead to the end of the step. 2M takes the answer in its middle.": x0 + change * h / h_before,
        "you look back: the change goes on in the direction in which it went.": x0 - change * h / (2 * h_before),
        "you add half of the last change, as if both steps were equally long.": x0 + change / 2,
        "the ratio of the two steps is turned over: a longer step ahead takes more of the change.": (
            x0 + change * h_before / (2 * h)
        ),
        "your line starts at the older answer. It goes through both, and on from x̂₀ of now.": (
            x0_before + change * h / (2 * h_before)
        ),
        "that is the mean of the two answers, which lies behind you.": (x0 + x0_before) / 2,
    }
    if same(value, look_ahead(x0, x0_before, before, now, then)):
        return
    diagnose(
        value, named.items(), "for two equal answers yours should be that answer, and for a line its value halfway."
    )


def _try_look_ahead(g: torch.Generator) -> Trial:
    before = uniform(g, -4.0, -2.0)
    now = before + uniform(g, 0.3, 2.0)
    x0, x0_before = (torch.randn(5, 2, generator=g) for _ in range(2))
    return Trial((x0, x0_before, before, now, now + uniform(g, 0.3, 2.0)))


# EDM's ladder ---------------------------------------------------------------------------------------------------------


def rho_grid(largest: float, smallest: float, steps: int, rho: float) -> Tensor:
    """σ₀ = largest, …, σ_steps = smallest, even in σ^(1/ρ), shape (steps + 1,)."""
    share = torch.arange(steps + 1) / steps
    return (largest ** (1 / rho) + share * (smallest ** (1 / rho) - largest ** (1 / rho))) ** rho


def _examine_rho_grid(answer: Answer) -> None:
    largest, smallest, steps, rho = 80.0, 0.02, 6, 5.0
    value = answer(largest, smallest, steps, rho)
    if isinstance(value, Tensor) and value.shape == (steps,):
        raise Wrong(f"a level is missing: {steps} steps go through {steps + 1} of them, both ends among them.")
    if isinstance(value, Tensor) and value.shape == (steps + 2,):
        raise Wrong(f"a level too many: {steps} steps go through {steps + 1}, and the last is `smallest`, not 0.")
    expected = rho_grid(largest, smallest, steps, rho)
    named = {
        "your grid runs from data to noise: begin with the largest.": expected.flip(0),
        "that is even in σ itself: take the root of order ρ first.": torch.linspace(largest, smallest, steps + 1),
        "your levels are still roots: raise them to the power ρ.": expected ** (1 / rho),
        "ρ and 1/ρ are swapped: be even in σ^(1/ρ), and raise to the power ρ.": torch.linspace(
            largest**rho, smallest**rho, steps + 1
        )
        ** (1 / rho),
        "that is even in log σ, which is ρ → ∞.": torch.logspace(1.90309, -1.69897, steps + 1),
        "ρ is fixed in your function at EDM's 7.": rho_grid(largest, smallest, steps, 7.0),
    }
    if same(value, expected):
        # relative to each level: the small ones count as much
        off = (value.detach().to(expected) / expected - 1).abs()
        if float(off.max()) > 1e-2:
            k = int(off.argmax())
            raise Wrong(f"level {k} should be {float(expected[k]):.4g}; yours is {float(value[k]):.4g}.")
        return
    diagnose(
        value,
        named.items(),
        f"your levels are {[round(float(v), 3) for v in value.flatten()[:7]]}; the second "
        f"should be {float(expected[1]):.3f}.",
    )


def _try_rho_grid(g: torch.Generator) -> Trial:
    steps = int(torch.randint(3, 9, (), generator=g))
    return Trial((uniform(g, 20.0, 90.0), uniform(g, 0.5, 2.0), steps, uniform(g, 2.0, 6.0)))


EXERCISES: tuple[Exercise, ...] = (
    Exercise(
        "ddim-step",
        CHAPTER,
        _examine_ddim_step,
        ddim_step,
        (
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
        "one line from chance to certainty: at η = 0 the same noise always ends in the same picture.",
        _try_ddim_step,
    ),
    Exercise(
        "heun-step",
        CHAPTER,
        _examine_heun_step,
        heun_step,
        (
            Mistake(lambda x, s, n, f: x + (n - s) * f(x, s), "Euler's step"),
            Mistake(lambda x, s, n, f: x + (n - s) * (f(x, s) + f(x + (n - s) * f(x, s), n)), "lacks its half"),
            Mistake(lambda x, s, n, f: x + (n - s) * f(x + (n - s) * f(x, s), n), "second look alone"),
            Mistake(lambda x, s, n, f: x + (n - s) * (f(x, s) + f(x, n)) / 2, "old point x"),
            Mistake(lambda x, s, n, f: x + (n - s) * (f(x, s) + f(x + (n - s) * f(x, s), s)) / 2, "old σ"),
            Mistake(lambda x, s, n, f: x + (s - n) * (f(x, s) + f(x + (s - n) * f(x, s), n)) / 2, "uphill"),
            Mistake(
                lambda x, s, n, f: x + (n - s) * f(x, s) + (n - s) * (f(x, s) + f(x + (n - s) * f(x, s), n)) / 2,
                "both looks start from x",
            ),
            Mistake(lambda x, s, n, f: x + (n - s) * f(x + (n - s) / 2 * f(x, s), (s + n) / 2), "midpoint rule"),
        ),
        "two looks a step, and the error falls with the square of the step.",
        _try_heun_step,
    ),
    Exercise(
        "look-ahead",
        CHAPTER,
        _examine_look_ahead,
        look_ahead,
        (
            Mistake(lambda a, b, p, n, t: a + (a - b) * (t - n) / (n - p), "to the end"),
            Mistake(lambda a, b, p, n, t: a - (a - b) * (t - n) / (2 * (n - p)), "you look back"),
            Mistake(lambda a, b, p, n, t: a + (a - b) / 2, "equally long"),
            Mistake(lambda a, b, p, n, t: a + (a - b) * (n - p) / (2 * (t - n)), "turned over"),
            Mistake(lambda a, b, p, n, t: b + (a - b) * (t - n) / (2 * (n - p)), "older answer"),
            Mistake(lambda a, b, p, n, t: (a + b) / 2, "behind you"),
        ),
        "an answer that was paid for before makes this step one of second order, for nothing.",
        _try_look_ahead,
    ),
    Exercise(
        "rho-grid",
        CHAPTER,
        _examine_rho_grid,
        rho_grid,
        (
            Mistake(lambda a, b, n, r: rho_grid(a, b, n, r).flip(0), "from data to noise"),
            Mistake(lambda a, b, n, r: torch.linspace(a, b, n + 1), "even in σ itself"),
            Mistake(lambda a, b, n, r: rho_grid(a, b, n, r) ** (1 / r), "still roots"),
            Mistake(lambda a, b, n, r: torch.linspace(a**r, b**r, n + 1) ** (1 / r), "swapped"),
            Mistake(lambda a, b, n, r: a * (b / a) ** (torch.arange(n + 1) / n), "ρ → ∞"),
            Mistake(lambda a, b, n, r: rho_grid(a, b, n, 7.0), "fixed in your function"),
            Mistake(lambda a, b, n, r: rho_grid(a, b, n - 1, r), "a level is missing"),
            Mistake(lambda a, b, n, r: torch.cat([rho_grid(a, b, n, r), torch.zeros(1)]), "a level too many"),
        ),
        "one number moves the steps from noise towards data.",
        _try_rho_grid,
    ),
)

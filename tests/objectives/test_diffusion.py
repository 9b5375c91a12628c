"""The regression of every diffusion model: its minimum is the posterior mean, its times cover all noise levels."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from diffusion_teach.denoisers import Exact, Learned
from diffusion_teach.exact import GaussianMixture
from diffusion_teach.objectives.diffusion import ImportanceTimes, diffusion_loss, sample_times
from diffusion_teach.parameterizations import TARGETS, row, target
from diffusion_teach.schedules import EDM, VP, Cosine, Discrete, FlowMatching, Schedule, linear_betas

COVARIANCE = torch.tensor([[1.0, 0.6, -0.2], [0.6, 0.8, 0.1], [-0.2, 0.1, 0.5]], dtype=torch.float64)
PRECISION = torch.linalg.inv(COVARIANCE)
GAUSSIAN = GaussianMixture(torch.ones(1), torch.zeros(1, 3), COVARIANCE[None])


def _draw(n: int, seed: int) -> Tensor:
    return torch.randn(n, 3, dtype=torch.float64, generator=_seeded(seed)) @ torch.linalg.cholesky(COVARIANCE).mT


def _seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("low_discrepancy", [True, False])
def test_training_times_are_uniform(seed: int, low_discrepancy: bool) -> None:
    g = _seeded(seed)
    t = torch.stack([sample_times(VP(), (16,), low_discrepancy=low_discrepancy, generator=g) for _ in range(500)])
    assert float(t.min()) >= 1e-4
    assert float(t.max()) <= 1
    for entry in (0, 7, 15):  # each one by itself, not only the batch
        moments = torch.stack([t[:, entry].mean() - 0.5, t[:, entry].square().mean() - 1 / 3])
        limit = 4.5 * torch.tensor([math.sqrt(1 / 12 / 500), math.sqrt(4 / 45 / 500)])  # standard errors
        assert (moments.abs() < limit + 1e-4).all()
    if low_discrepancy:
        assert (t.sort(1).values.diff(dim=1) - 1 / 16).abs().max() < 1e-4


def test_training_times_of_a_table_are_its_steps() -> None:
    t = sample_times(Discrete(linear_betas(50)), (200, 50), generator=_seeded(0))
    steps = (t * 50).round()
    torch.testing.assert_close(steps / 50, t)
    torch.testing.assert_close(steps.sort(1).values, torch.arange(1.0, 51).expand(200, 50))


@pytest.mark.parametrize("schedule", [VP(), Discrete(linear_betas(1000))])
@pytest.mark.parametrize("seed", range(3))
def test_logistic_times_have_a_logistic_log_snr_of_two_widths(schedule: Schedule, seed: int) -> None:
    t = sample_times(schedule, (40_000,), spacing="logistic", low_discrepancy=False, generator=_seeded(seed))
    off = schedule.log_snr(t) + 2.0
    u = torch.sigmoid(off / (1.3 + 0.9 * (off > 0))).sort().values
    largest = (u - (torch.arange(40_000) + 0.5) / 40_000).abs().max()  # Kolmogorov and Smirnov's distance
    # Its 0.1 % point, and what a table's first step, at λ = 9, stands for.
    assert float(largest) < 1.95 / math.sqrt(40_000) + (0.01 if isinstance(schedule, Discrete) else 0.005)
    if isinstance(schedule, Discrete):
        torch.testing.assert_close((t * 1000).round() / 1000, t)


@pytest.mark.parametrize("schedule", [EDM(), VP()])
def test_edm_s_times_have_a_normal_log_sigma(schedule: Schedule) -> None:
    t = sample_times(schedule, (20_000,), spacing="edm", low_discrepancy=False, generator=_seeded(0))
    log_sigma = -schedule.log_snr(t.double()) / 2
    assert float(log_sigma.mean()) == pytest.approx(-1.2, abs=4.5 * 1.2 / math.sqrt(20_000))
    assert float(log_sigma.std()) == pytest.approx(1.2, abs=4.5 * 1.2 / math.sqrt(40_000))
    assert float((log_sigma > 0).double().mean()) == pytest.approx(0.1587, abs=4.5 * 0.366 / math.sqrt(20_000))


class Answer(nn.Module):
    """The exact posterior mean of a target, plus an error."""

    def __init__(self, schedule: Schedule, name: str, error: float = 0.0) -> None:
        super().__init__()
        self.exact, self.name, self.error = Exact(GAUSSIAN, schedule), name, error

    def forward(self, x_t: Tensor, t: Tensor, cond: Tensor | None = None) -> Tensor:
        if self.name == "edm":  # it is fed x_t/N
            x_t = x_t * torch.hypot(self.exact.schedule.alpha(t), self.exact.schedule.sigma(t))
        return target(self.name, self.exact.schedule, t, *self.exact(x_t, t)) + self.error


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize("schedule", [VP(), Cosine(), FlowMatching()], ids=["vp", "cosine", "linear"])
def test_the_posterior_mean_minimises_the_regression_on_every_row(name: str, schedule: Schedule) -> None:
    """And its loss is the variance of the target given x_t: D²/σ²·Var[x₀|x_t], summed over the axes."""
    x0, g = _draw(60_000, 3), _seeded(30)
    t = torch.tensor(0.4, dtype=torch.float64)
    alpha, sigma = float(schedule.alpha(t)), float(schedule.sigma(t))
    p, q = (float(value) for value in row(name, schedule, t))
    inverse = torch.linalg.inv(PRECISION + (alpha / sigma) ** 2 * torch.eye(3, dtype=torch.float64))
    expected = (alpha * q / sigma - p) ** 2 * float(inverse.trace()) / 3
    loss = float(diffusion_loss(Learned(Answer(schedule, name), schedule, name), x0, t=t, generator=g))
    assert loss == pytest.approx(expected, rel=4.5 * math.sqrt(2 / 60_000))  # standard errors
    for error in (-0.3, 0.3):
        worse = Learned(Answer(schedule, name, error), schedule, name)
        assert float(diffusion_loss(worse, x0, t=t, generator=_seeded(4))) > loss + 0.05


def test_the_noise_may_be_given() -> None:
    x0, learned, g = _draw(8, 0), Learned(Answer(VP(), "eps"), VP()), _seeded(5)
    t, eps = torch.full((8,), 0.5, dtype=torch.float64), torch.randn(8, 3, generator=_seeded(6), dtype=torch.float64)
    assert diffusion_loss(learned, x0, t=t, eps=eps) == diffusion_loss(learned, x0, t=t, generator=_seeded(6))
    before = g.get_state()
    diffusion_loss(learned, x0, t=t, eps=eps, generator=g)
    assert torch.equal(g.get_state(), before)


def test_weights_multiply_the_error_at_their_time() -> None:
    x0, learned = _draw(64, 0), Learned(Answer(VP(), "eps"), VP())
    t = torch.linspace(0.1, 0.9, 64, dtype=torch.float64)
    single = torch.stack(
        [diffusion_loss(learned, x0[i : i + 1], t=t[i : i + 1], generator=_seeded(i)) for i in range(64)]
    )
    weighted = torch.stack(
        [
            diffusion_loss(learned, x0[i : i + 1], t=t[i : i + 1], weight=lambda u: u**2, generator=_seeded(i))
            for i in range(64)
        ]
    )
    torch.testing.assert_close(weighted, t**2 * single)
    plain = diffusion_loss(learned, x0, t=t, generator=_seeded(0))
    torch.testing.assert_close(diffusion_loss(learned, x0, t=t, weight=torch.ones_like, generator=_seeded(0)), plain)


class Narrow(nn.Module):
    def forward(self, x_t: Tensor, t: Tensor, cond: Tensor | None = None) -> Tensor:
        return x_t[:, :1]


X = _draw(4, 0)
LEARNED = Learned(Answer(VP(), "eps"), VP())


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (lambda: sample_times(VP(), ()), TypeError, "shape must be a tuple of sizes"),
        (lambda: sample_times(VP(), (3,), spacing="logistc"), ValueError, "Did you mean 'logistic'"),
        (lambda: sample_times(VP(), (3,), smallest=1.0), ValueError, "smallest must be at least 0 and below 1"),
        (lambda: diffusion_loss(LEARNED, X[0]), ValueError, r"x0 must have shape \(B, \.\.\.\)"),
        (lambda: diffusion_loss(LEARNED, X, t=0.5), TypeError, "t must be a torch.Tensor"),
        (lambda: diffusion_loss(LEARNED, X, t=torch.rand(3)), ValueError, "leading shape of x, got"),
        (lambda: diffusion_loss(LEARNED, X, t=torch.tensor(7.0)), ValueError, r"t must lie in \[0, 1\]"),
        (lambda: diffusion_loss(LEARNED, X, eps=X[:2]), ValueError, "eps and x0 must have the same shape"),
        (lambda: diffusion_loss(LEARNED, X.byte()), TypeError, r"x0 must hold floating-point numbers"),
        (lambda: diffusion_loss(Learned(Narrow(), VP()), X), ValueError, r"network's answer and x0 .*\(4, 1\)"),
    ],
)
def test_bad_input_is_named(make: Callable[[], object], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        make()


DENSITY = torch.tensor([1.0, 5.0, 0.5, 2.0])


@pytest.mark.parametrize("low_discrepancy", [True, False])
def test_important_times_fall_where_the_density_is_and_their_weights_make_up_for_it(low_discrepancy: bool) -> None:
    times, n = ImportanceTimes(DENSITY), 40_000
    t = times.sample((n,), low_discrepancy=low_discrepancy, generator=_seeded(0))
    assert t.dtype == torch.float64
    assert times.sample((3, 2), generator=_seeded(0)).shape == (3, 2)
    counts = torch.histc(t.float(), 4, 0, 1) / n
    error = 4.5 * torch.sqrt(DENSITY / 8.5 * (1 - DENSITY / 8.5) / n)
    assert ((counts - DENSITY / 8.5).abs() < error).all()
    within = (4 * t) % 1
    assert float(within.mean()) == pytest.approx(0.5, abs=4.5 / math.sqrt(12 * n))
    found = times.weight(t) * torch.cos(t)
    assert float(found.mean()) == pytest.approx(math.sin(1), abs=4.5 * float(found.std()) / math.sqrt(n))


def test_the_best_density_leaves_the_least_spread() -> None:
    """With p ∝ √E[h²] the second moment is (∫√E[h²])², and with p ∝ h of a certain h nothing is left to chance."""
    height = torch.tensor([1.0, 3.0, 0.2, 8.0]).double()
    times = ImportanceTimes(height)
    t = times.sample((1000,), generator=_seeded(2))
    torch.testing.assert_close(times.weight(t) * height[(4 * t).long()], height.mean().expand(1000))


def test_a_density_must_be_positive() -> None:
    with pytest.raises(ValueError, match="density must be positive everywhere, got 0"):
        ImportanceTimes(torch.tensor([0.0, 1.0]))
    with pytest.raises(ValueError, match=r"t must lie in \[0, 1\]"):
        ImportanceTimes(DENSITY).weight(torch.tensor(2.0))
    assert ImportanceTimes(DENSITY).weight(torch.tensor(1.0)) == pytest.approx(8.5 / 4 / 2)

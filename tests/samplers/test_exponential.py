"""Exponential integrators: exact where the answer is a polynomial in ℓ, of the order they are said to be elsewhere."""

from __future__ import annotations

import math

import pytest
import torch
from scipy.integrate import quad
from torch import Tensor

from diffusion_teach.datasets import toy2d
from diffusion_teach.denoisers import Denoiser, Exact
from diffusion_teach.exact import GaussianMixture, gaussian_flow
from diffusion_teach.parameterizations import Prediction, expand
from diffusion_teach.samplers import Step, ddim, gaussian, heun, multistep, sample, singlestep, time_grid
from diffusion_teach.samplers.exponential import step_means, weights
from diffusion_teach.schedules import VE, VP, Cosine, Discrete, FlowMatching, Schedule, SubVP, linear_betas

SCHEDULES: dict[str, Schedule] = {
    "vp": VP(),
    "sub-vp": SubVP(),
    "ve": VE(0.01, 9.0),
    "cosine": Cosine(),
    "linear": FlowMatching(),
    "ddpm": Discrete(linear_betas(100)),
}
every = pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES)
GAUSSIAN = GaussianMixture(
    torch.ones(1).double(), torch.tensor([[0.7, -0.3]]).double(), torch.tensor([[[0.25, 0.12], [0.12, 0.15]]]).double()
)
START, STOP = 0.98, 1e-3


def _time(value: float) -> Tensor:
    return torch.tensor(value, dtype=torch.float64)


def _points(count: int = 20) -> Tensor:
    return torch.randn(count, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("of", ["x0", "eps"])
@pytest.mark.parametrize("h", [0.02, 0.7, 4.0, 60.0])
def test_means_are_integrals(of: str, h: float) -> None:
    sign = 1 if of == "x0" else -1
    found = step_means(_time(h), 3, of)
    for k in range(3):
        top, below = (quad(lambda u, n=n: u**n * math.exp(sign * h * u - max(sign * h, 0)), 0, 1)[0] for n in (k, 0))
        assert float(found[k]) == pytest.approx(top / below, rel=1e-7)
    assert found.tolist() == pytest.approx([1, 1 / 2, 1 / 3], abs=h)


def test_weights_give_polynomials_their_mean() -> None:
    places = torch.tensor([0.0, -0.4, -1.7], dtype=torch.float64)
    means = step_means(_time(0.8), 3)
    w = weights(places, means)
    for coefficients in ((1.0, 0.0, 0.0), (2.0, -3.0, 0.5)):
        values = sum(c * places**k for k, c in enumerate(coefficients))
        expected = sum(c * means[k] for k, c in enumerate(coefficients))
        torch.testing.assert_close((w * values).sum(), torch.as_tensor(expected))


class Told(Denoiser):
    """A denoiser whose answer is a polynomial in ℓ = log(α/σ) and looks at x only for the other answer."""

    def __init__(self, schedule: Schedule, of: str, coefficients: tuple[float, ...]) -> None:
        self.schedule, self.of, self.coefficients = schedule, of, coefficients

    def answer(self, t: Tensor) -> Tensor:
        ell = self.schedule.log_snr(t) / 2
        return torch.stack([c * ell**k for k, c in enumerate(self.coefficients)]).sum(0)

    def __call__(self, x_t: Tensor, t: Tensor) -> Prediction:
        told = expand(self.answer(t), x_t).expand(x_t.shape)
        alpha, sigma = self.schedule.alpha(t), self.schedule.sigma(t)
        if self.of == "x0":
            return Prediction(told, (x_t - alpha * told) / sigma)
        return Prediction((x_t - sigma * told) / alpha, told)

    def carried(self, x_t: Tensor, t: Tensor, s: Tensor) -> Tensor:
        """x_s by quadrature of d(x/σ) = x̂₀ d(α/σ), or of d(x/α) = ε̂ d(σ/α)."""
        sign = 1 if self.of == "x0" else -1
        ends = [float(self.schedule.log_snr(u)) / 2 for u in (t, s)]
        change = quad(
            lambda ell: sum(c * ell**k for k, c in enumerate(self.coefficients)) * sign * math.exp(sign * ell), *ends
        )[0]
        of = self.schedule.sigma if self.of == "x0" else self.schedule.alpha
        return of(s) * (x_t / of(t) + change)


@every
@pytest.mark.parametrize("of", ["x0", "eps"])
@pytest.mark.parametrize("order", [1, 2, 3])
def test_multistep_is_exact_on_polynomials_of_lower_degree(schedule: Schedule, of: str, order: int) -> None:
    told = Told(schedule, of, (0.7, -0.4, 0.3)[:order])
    step, x, state = multistep(order, of=of), _points(4), None
    times = [_time(t) for t in (0.9, 0.8, 0.55, 0.4)]
    for k in range(3):
        expected = told.carried(x, times[k], times[k + 1])
        x, state = step(told, x, times[k], times[k + 1], state, gaussian())
        if k >= order - 1:  # after its start
            torch.testing.assert_close(x, expected, rtol=1e-8, atol=1e-8)


@every
def test_dpm_solver_3_is_exact_on_a_straight_line(schedule: Schedule) -> None:
    told, x = Told(schedule, "eps", (0.7, -0.4)), _points(4)
    moved = singlestep(3)(told, x, _time(0.8), _time(0.5))[0]
    torch.testing.assert_close(moved, told.carried(x, _time(0.8), _time(0.5)), rtol=1e-8, atol=1e-8)


ONE = [multistep(1), multistep(1, of="eps"), singlestep(1)]


@every
@pytest.mark.parametrize("step", ONE, ids=["x0", "eps", "single"])
def test_order_1_is_ddim(schedule: Schedule, step: Step) -> None:
    exact, x, times = Exact(GAUSSIAN, schedule), _points(), time_grid(schedule, 7, start=START)
    expected = sample(exact, ddim(0.0), x, times)
    torch.testing.assert_close(sample(exact, step, x, times), expected, rtol=1e-8, atol=1e-8)


ORDERS = {
    "dpm_solver_2": (singlestep(2), 2),
    "dpm_solver_3": (singlestep(3), 3),
    "x0, 2": (multistep(2), 2),
    "eps, 2": (multistep(2, of="eps"), 2),
    "x0, 3": (multistep(3), 3),
    "eps, 3": (multistep(3, of="eps"), 3),
}


def _slope(errors: list[float], counts: list[int]) -> float:
    return -math.log(errors[-1] / errors[0]) / math.log(counts[-1] / counts[0])


@pytest.mark.parametrize("schedule", [VP(), Cosine(), VE(0.01, 9.0)], ids=["vp", "cosine", "ve"])
@pytest.mark.parametrize("name", ["dpm_solver_2", "x0, 2", "eps, 2"])
def test_second_order_on_a_gaussian(schedule: Schedule, name: str) -> None:
    (step, order), x, counts = ORDERS[name], _points(), [40, 120]
    target = gaussian_flow(GAUSSIAN, schedule, x, _time(START), _time(STOP))
    errors = []
    for count in counts:
        times = time_grid(schedule, count, start=START, stop=STOP, spacing="log_snr")
        errors.append(float((sample(Exact(GAUSSIAN, schedule), step, x, times) - target).square().mean().sqrt()))
    assert _slope(errors, counts) == pytest.approx(order, abs=0.15)


@pytest.fixture(scope="module")
def fine() -> tuple[Tensor, Tensor]:
    """Points, and where the flow of a mixture carries them: 800 steps of third order."""
    x, exact = _points(), Exact(toy2d.mixture(), VP())
    return x, sample(exact, multistep(3), x, time_grid(VP(), 800, start=START, stop=STOP, spacing="log_snr"))


@pytest.mark.parametrize(("name", "counts"), [("dpm_solver_3", [10, 20]), ("x0, 3", [40, 160]), ("eps, 3", [40, 160])])
def test_third_order_on_a_mixture(name: str, counts: list[int], fine: tuple[Tensor, Tensor]) -> None:
    """On a Gaussian it looks like more: its leading error cancels there."""
    (step, order), (x, target), exact = ORDERS[name], fine, Exact(toy2d.mixture(), VP())
    errors = []
    for count in counts:
        times = time_grid(VP(), count, start=START, stop=STOP, spacing="log_snr")
        errors.append(float((sample(exact, step, x, times) - target).square().mean().sqrt()))
    assert _slope(errors, counts) == pytest.approx(order, abs=0.35)


@pytest.mark.parametrize("step", [multistep(3), multistep(2, of="eps"), singlestep(2), singlestep(3)])
@pytest.mark.parametrize("schedule", [Cosine(), VP(), FlowMatching(), VE()])
def test_a_walk_from_pure_noise_to_data_is_finite(schedule: Schedule, step: Step) -> None:
    """α = 0 at the start and σ = 0 at the end make a step infinitely long in ℓ."""
    x = float(schedule.sigma(_time(1.0))) * _points(500).float()
    made = sample(Exact(GAUSSIAN, schedule), step, x, time_grid(schedule, 20, spacing="logistic"))
    assert torch.isfinite(made).all()
    assert float((made.double().mean(0) - GAUSSIAN.mean).abs().max()) < 0.1
    # the last step is DDIM's: it returns x̂₀
    exact = Exact(GAUSSIAN, schedule)
    t, s = _time(0.1).float(), _time(0.0).float()
    torch.testing.assert_close(step(exact, x, t, s, None, gaussian())[0], exact(x, t).x0)


def test_evaluations_are_what_is_paid_for() -> None:
    asked: list[float] = []

    class Counting(Exact):
        def __call__(self, x_t: Tensor, t: Tensor) -> Prediction:
            asked.append(float(t))
            return super().__call__(x_t, t)

    times = time_grid(VP(), 6, start=START)
    for step, each in ((multistep(3), 1), (heun, 2), (singlestep(2), 2), (singlestep(3), 3)):
        asked.clear()
        sample(Counting(GAUSSIAN, VP()), step, _points(), times)
        assert len(asked) == 5 * each + 1  # the last step, to data, is one


def test_what_is_refused() -> None:
    with pytest.raises(ValueError, match="order"):
        multistep(4)
    with pytest.raises(ValueError, match="order"):
        singlestep(4)
    with pytest.raises(ValueError, match="'eps'"):
        multistep(2, of="epsilon")
    with pytest.raises(ValueError, match="positive length"):
        step_means(_time(-0.1), 2)
    with pytest.raises(ValueError, match="all different"):
        weights(torch.tensor([0.0, 0.0]), torch.tensor([1.0, 0.5]))

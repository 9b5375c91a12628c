"""Denoisers: exact and learned are the same to a sampler, and the score is refused where it is none."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from diffusion_teach.denoisers import Exact, Guided, Learned, as_time, classes, score
from diffusion_teach.exact import Empirical, GaussianMixture
from diffusion_teach.networks.unet import UNet
from diffusion_teach.parameterizations import TARGETS, Prediction, add_noise, row, target
from diffusion_teach.schedules import VE, VP, Cosine, Linear, Schedule, SubVP

SCHEDULES = {"vp": VP(), "sub-vp": SubVP(), "ve": VE(0.01, 9.0), "cosine": Cosine(), "linear": Linear()}
MIXTURE = GaussianMixture(
    torch.tensor([1.0, 2.0]), torch.tensor([[-1.0, 0.5], [1.0, 0.0]]), torch.tensor([[[0.5, 0.3], [0.3, 0.4]]] * 2)
)
X = torch.randn(6, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


class Oracle(nn.Module):
    """A network that answers with the exact posterior mean of its target."""

    def __init__(self, schedule: Schedule, name: str) -> None:
        super().__init__()
        self.exact, self.name = Exact(MIXTURE, schedule), name

    def forward(self, x_t: Tensor, t: Tensor, cond: Tensor | None = None) -> Tensor:
        return target(self.name, self.exact.schedule, t, *self.exact(x_t, t))


@pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES)
@pytest.mark.parametrize("t", [torch.tensor(0.3), torch.linspace(0.05, 0.95, 6)], ids=["one", "each"])
def test_the_exact_score_is_that_of_the_noised_mixture(schedule: Schedule, t: Tensor) -> None:
    t = t.double()
    expected = MIXTURE.score(X, schedule.alpha(t), schedule.sigma(t))
    torch.testing.assert_close(score(Exact(MIXTURE, schedule), X, t), expected)
    for name in TARGETS:
        learned = Learned(Oracle(schedule, name), schedule, name)
        torch.testing.assert_close(score(learned, X, t), expected)
        torch.testing.assert_close(learned(X, t).x0, Exact(MIXTURE, schedule)(X, t).x0)


def test_x0_and_eps_lie_on_the_line() -> None:
    t = torch.linspace(0.05, 1.0, 6, dtype=torch.float64)
    for schedule in SCHEDULES.values():
        for distribution in (MIXTURE, Empirical(X + 1)):
            x0, eps = Exact(distribution, schedule)(X, t)
            torch.testing.assert_close(schedule.alpha(t)[:, None] * x0 + schedule.sigma(t)[:, None] * eps, X)


def test_pure_noise_says_the_mean() -> None:
    x0, eps = Exact(MIXTURE, Linear())(X, torch.tensor(1.0, dtype=torch.float64))
    torch.testing.assert_close(x0, MIXTURE.mean.expand(6, 2))
    torch.testing.assert_close(eps, X)


def test_the_exact_denoiser_works_on_a_batch_of_batches() -> None:
    t = torch.rand(2, 3, dtype=torch.float64) * 0.9 + 0.05
    exact = Exact(MIXTURE, VP())
    torch.testing.assert_close(exact(X.reshape(2, 3, 2), t).x0.reshape(6, 2), exact(X, t.flatten()).x0)


class Generator:
    """A generator passes points off as x₀: no posterior mean."""

    schedule = VP()
    is_posterior_mean = False

    def __call__(self, x_t: Tensor, t: Tensor, cond: Tensor | None = None) -> Prediction:
        return Prediction(x_t, x_t)


def test_what_is_no_posterior_mean_has_no_score() -> None:
    with pytest.raises(ValueError, match=r"Generator does not return E\[x0 \| x_t\]"):
        score(Generator(), X, torch.tensor(0.5))


class Labelled:
    """The exact denoiser of two Gaussians, told which one, or with the label 2 of their mixture."""

    is_posterior_mean = True

    def __init__(self, schedule: Schedule) -> None:
        self.schedule, self.calls = schedule, 0
        one, other = (GaussianMixture(torch.ones(1), MIXTURE.means[k : k + 1], MIXTURE.covariances[:1]) for k in (0, 1))
        self.parts = [Exact(distribution, schedule) for distribution in (one, other, MIXTURE)]

    def __call__(self, x_t: Tensor, t: Tensor, cond: Tensor | None = None) -> Prediction:
        self.calls += 1
        assert cond is not None
        answers = [part(x_t, t) for part in self.parts]
        rows = torch.arange(len(x_t))
        x0, eps = (torch.stack(list(parts))[cond, rows] for parts in zip(*answers, strict=True))
        return Prediction(x0, eps)


LABELS = torch.tensor([0, 1, 1, 0, 0, 1])


@pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES)
@pytest.mark.parametrize("t", [torch.tensor(0.3), torch.linspace(0.05, 0.95, 6)], ids=["one", "each"])
def test_guidance_adds_the_score_of_the_label_given_x(schedule: Schedule, t: Tensor) -> None:
    # ∇log p(x|c) + w·(∇log p(x|c) − ∇log p(x)) = ∇log p(x|c) + w·∇log p(c|x), by differentiating log p(c|x_t).
    t, w = t.double(), 1.7
    alpha, sigma = schedule.alpha(t), schedule.sigma(t)
    x = X.clone().requires_grad_(True)
    parts = [part.distribution for part in Labelled(schedule).parts]
    log_p = torch.stack([part.log_prob(x, alpha, sigma) for part in parts])
    given_label = log_p[LABELS, torch.arange(6)]
    (expected,) = torch.autograd.grad((given_label + w * (given_label - log_p[2])).sum(), x)
    guided = Guided(Labelled(schedule), w, no_label=2)
    x0, eps = guided(X, t, LABELS)
    torch.testing.assert_close(-eps / sigma.expand(6)[:, None], expected)
    torch.testing.assert_close(alpha.expand(6)[:, None] * x0 + sigma.expand(6)[:, None] * eps, X)


def test_guidance_calls_once_and_is_no_score() -> None:
    half = torch.tensor(0.5, dtype=torch.float64)
    denoiser = Labelled(VP())
    guided, plain = Guided(denoiser, 2.0, no_label=2), Guided(denoiser, 0.0, no_label=2)
    guided(X, half, LABELS)
    assert denoiser.calls == 1
    assert not guided.is_posterior_mean
    with pytest.raises(ValueError, match="Guided does not return"):
        score(guided, X, half)
    assert plain.is_posterior_mean
    for one, other in zip(plain(X, half, LABELS), denoiser(X, half, LABELS), strict=True):
        assert torch.equal(one, other)
    # The label "none" is not pulled anywhere.
    none = torch.full((6,), 2)
    torch.testing.assert_close(guided(X, half, none).x0, denoiser(X, half, none).x0)


def test_guidance_of_a_network_knows_its_label_for_none() -> None:
    torch.manual_seed(0)
    network = UNet((8, 8), blocks=1, dense=0, embedding=8, classes=3)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    denoiser = Learned(network, VP(), "v").eval().requires_grad_(False)
    assert classes(denoiser) == 3
    x, t = torch.randn(2, 1, 28, 28), torch.tensor(0.6)
    with_label, without = denoiser(x, t, torch.tensor([0, 2])), denoiser(x, t, None)
    for found, one, none in zip(Guided(denoiser, 0.5)(x, t, torch.tensor([0, 2])), with_label, without, strict=True):
        assert not torch.allclose(one, none, atol=1e-3)
        torch.testing.assert_close(found, 1.5 * one - 0.5 * none, atol=1e-4, rtol=1e-4)


def test_guidance_that_cannot_be_is_refused() -> None:
    unconditional = Learned(UNet((8, 8), blocks=1, dense=0, embedding=8), VP())
    assert classes(unconditional) == classes(Exact(MIXTURE, VP())) == 0
    with pytest.raises(ValueError, match="takes no labels.*ddpm-mnist-conditional"):
        Guided(unconditional, 1.0)
    with pytest.raises(ValueError, match="guidance must be at least 0, got -1"):
        Guided(Labelled(VP()), -1.0, no_label=2)
    guided = Guided(Labelled(VP()), 1.0, no_label=2)
    with pytest.raises(ValueError, match="guidance pulls towards a label: pass cond"):
        guided(X, torch.tensor(0.5))
    with pytest.raises(ValueError, match=r"cond must have shape \(6\)"):
        guided(X, torch.tensor(0.5), LABELS[:5])


def test_bad_input_is_named() -> None:
    exact, half = Exact(MIXTURE, VP()), torch.tensor(0.5, dtype=torch.float64)
    zero = torch.zeros(())
    with pytest.raises(ValueError, match="no noise to tell from the data where sigma = 0"):
        exact(X, zero)
    with pytest.raises(ValueError, match="score is infinite where sigma = 0"):
        score(exact, X, zero)
    with pytest.raises(ValueError, match="takes no condition"):
        exact(X, half, torch.zeros(6))
    with pytest.raises(ValueError, match=r"alpha must be a number or have the leading shape of x.*\(5,\)"):
        exact(X, half.expand(5))
    with pytest.raises(ValueError, match=r"t must lie in \[0, 1\]"):
        score(exact, X, 2 * torch.ones(()))
    with pytest.raises(ValueError, match="Did you mean 'velocity'"):
        Learned(nn.Identity(), VP(), "velocty")
    with pytest.raises(TypeError, match="schedule must be a Schedule, got <class"):
        Learned(nn.Identity(), VP)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="schedule must be a Schedule, got 'vp'"):
        Exact(MIXTURE, "vp")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"network must be a torch\.nn\.Module"):
        Learned(lambda x, t, cond: x, VP())  # type: ignore[arg-type]
    for bad in (X[:, :1], X[0], None):
        broken = nn.Module()
        broken.forward = lambda x, t, cond, bad=bad: bad  # type: ignore[assignment]
        with pytest.raises((ValueError, TypeError), match="^y (and x_t )?must"):
            Learned(broken, VP())(X, half)


def test_as_time() -> None:
    assert as_time(0.25, X).dtype == torch.float64
    for bad in (math.nan, -0.1, 1.5):
        with pytest.raises(ValueError, match="t must"):
            as_time(bad, X)


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize("schedule", [VE(0.02, 30.0), VP()], ids=lambda s: type(s).__name__)
def test_unit_variance_scales_what_the_network_sees_and_says(name: str, schedule: Schedule) -> None:
    """For data of unit variance both have unit variance, and the prediction is what it is without."""
    data = GaussianMixture(torch.ones(1), torch.zeros(1, 2), torch.ones(1))
    seen: list[Tensor] = []

    class Network(nn.Module):
        def __init__(self, scaled: bool) -> None:
            super().__init__()
            self.scaled = scaled

        def forward(self, x: Tensor, t: Tensor, cond: None = None) -> Tensor:
            seen.append(x)
            x_t = x * torch.hypot(schedule.alpha(t), schedule.sigma(t)) if self.scaled else x
            x0, eps = Exact(data, schedule)(x_t, t)
            y = target(name, schedule, t, x0, eps)
            return y / torch.hypot(*row(name, schedule, t)) if self.scaled else y

    g = torch.Generator().manual_seed(0)
    for level in (0.1, 0.5, 0.9):
        t = torch.tensor(level, dtype=torch.float64)
        x0, eps = (torch.randn(20_000, 2, dtype=torch.float64, generator=g) for _ in range(2))
        x_t = add_noise(schedule, t, x0, eps)
        plain = Learned(Network(False), schedule, name)
        scaled = Learned(Network(True), schedule, name, unit_variance=True)
        torch.testing.assert_close(tuple(scaled(x_t, t)), tuple(plain(x_t, t)))
        assert float(seen[-2].std()) == pytest.approx(1, abs=0.03)
        unit = scaled.unit(t)
        assert float((target(name, schedule, t, x0, eps) / unit).std()) == pytest.approx(1, abs=0.03)
        assert plain.unit(t) == 1


def test_a_score_takes_a_condition() -> None:
    class Shifted(Exact):
        def __call__(self, x_t: Tensor, t: Tensor, cond: Tensor | None = None) -> Prediction:
            assert cond is not None
            x0, eps = super().__call__(x_t - cond, t)
            return Prediction(x0 + cond, eps)

    t = torch.tensor(0.4, dtype=torch.float64)
    exact = Exact(MIXTURE, VE())
    torch.testing.assert_close(score(Shifted(MIXTURE, VE()), X + 2, t, torch.full_like(X, 2.0)), score(exact, X, t))

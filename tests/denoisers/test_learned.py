"""Learned denoisers: a network's answer in any target's words, in unit variance, with a condition bound."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from diffusion_teach.denoisers import Exact, Learned, score
from diffusion_teach.exact import GaussianMixture
from diffusion_teach.networks.mlp import TimeMLP
from diffusion_teach.networks.unet import UNet
from diffusion_teach.parameterizations import TARGETS, add_noise, row, target
from diffusion_teach.schedules import VE, VP, Schedule
from tests.denoisers.two_gaussians import LABELS, MIXTURE, SCHEDULES, X, labelled


class Oracle(nn.Module):
    """A network that answers with the exact posterior mean of its target."""

    def __init__(self, schedule: Schedule, name: str) -> None:
        super().__init__()
        self.exact, self.name = Exact(MIXTURE, schedule), name

    def forward(self, x_t: Tensor, t: Tensor, cond: Tensor | None = None) -> Tensor:
        return target(self.name, self.exact.schedule, t, *self.exact(x_t, t))


@pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES)
@pytest.mark.parametrize("t", [torch.tensor(0.3), torch.linspace(0.05, 0.95, 6)], ids=["one", "each"])
def test_whatever_its_target_it_is_the_exact_denoiser_to_a_sampler(schedule: Schedule, t: Tensor) -> None:
    t, exact = t.double(), Exact(MIXTURE, schedule)
    for name in TARGETS:
        learned = Learned(Oracle(schedule, name), schedule, name)
        learned.unit_variance = False  # the oracle knows x_t as it is; "edm" would feed it x_t/N
        torch.testing.assert_close(learned(X, t).x0, exact(X, t).x0)
        torch.testing.assert_close(score(learned, X, t), score(exact, X, t))


@pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES)
def test_edm_s_row_is_its_preconditioning(schedule: Schedule) -> None:
    """x̂₀ = c_skip·x + c_out·F(c_in·x) on x = x_t/α with σ/α for σ (Karras et al. 2022, table 1)."""
    t, s = torch.linspace(0.05, 0.95, 6, dtype=torch.float64), 0.5

    class Sine(nn.Module):
        def forward(self, x: Tensor, t: Tensor, cond: Tensor | None = None) -> Tensor:
            return torch.sin(3 * x)

    alpha, sigma = schedule.alpha(t)[:, None], (schedule.sigma(t) / schedule.alpha(t))[:, None]
    total = sigma**2 + s**2
    x = X / alpha
    expected = s**2 / total * x + sigma * s / total.sqrt() * torch.sin(3 * x / total.sqrt())
    learned = Learned(Sine(), schedule, "edm", data_std=s)
    torch.testing.assert_close(learned(X, t).x0, expected)
    torch.testing.assert_close(alpha * learned(X, t).x0 + schedule.sigma(t)[:, None] * learned(X, t).eps, X)
    assert learned.unit(t).eq(1).all()


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize("schedule", [VE(0.02, 30.0), VP()], ids=lambda s: type(s).__name__)
def test_unit_variance_scales_what_the_network_sees_and_says(name: str, schedule: Schedule) -> None:
    """For data of unit variance both have unit variance, and the prediction is what it is without."""
    data = GaussianMixture(torch.ones(1), torch.zeros(1, 2), torch.ones(1))
    seen: list[Tensor] = []

    class Scaled(nn.Module):
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
        plain = Learned(Scaled(False), schedule, name)
        scaled = Learned(Scaled(True), schedule, name, unit_variance=True)
        torch.testing.assert_close(tuple(scaled(x_t, t)), tuple(plain(x_t, t)))
        assert float(seen[-2].std()) == pytest.approx(1, abs=0.03)
        unit = scaled.unit(t)
        assert float((target(name, schedule, t, x0, eps) / unit).std()) == pytest.approx(1, abs=0.03)
        assert plain.unit(t) == 1


def test_what_it_says_of_itself() -> None:
    plain = Learned(nn.Identity(), VP())
    assert (plain.shape, plain.classes, plain.members) == (None, 0, None)
    points = Learned(TimeMLP(3, width=8, members=5), VP())
    assert (points.shape, points.members) == ((3,), 5)
    bound = labelled(VP()).given(LABELS)
    assert (bound.shape, bound.classes) == ((2,), 0)
    assert Learned(UNet((8, 8), blocks=1, dense=0, embedding=8), VP()).classes == 0


def test_conditions_that_cannot_be_are_refused() -> None:
    unconditional, denoiser = Learned(UNet((8, 8), blocks=1, dense=0, embedding=8), VP()), labelled(VP())
    with pytest.raises(ValueError, match="takes no labels.*ddpm-mnist-conditional"):
        unconditional.given(LABELS)
    with pytest.raises(ValueError, match="cond must lie in 0 … 2, got 0 to 3"):
        denoiser.given(torch.tensor([0, 3]))
    with pytest.raises(TypeError, match="cond must hold whole numbers"):
        denoiser.given(torch.zeros(3))


@pytest.mark.parametrize("rows", [4, 8])
def test_a_condition_of_other_rows_is_no_condition_of_these(rows: int) -> None:
    half, denoiser = torch.tensor(0.5, dtype=torch.float64), labelled(VP())
    other = denoiser.given(LABELS.repeat(2)[:rows])
    with pytest.raises(ValueError, match=f"bound for {rows} rows, and x_t has 6. Bind one for each row"):
        other(X, half)


def test_bad_input_is_named() -> None:
    half = torch.tensor(0.5, dtype=torch.float64)
    with pytest.raises(ValueError, match="Did you mean 'velocity'"):
        Learned(nn.Identity(), VP(), "velocty")
    with pytest.raises(TypeError, match="schedule must be a Schedule, got <class"):
        Learned(nn.Identity(), VP)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"network must be a torch\.nn\.Module"):
        Learned(lambda x, t, cond: x, VP())  # type: ignore[arg-type]
    for bad in (X[:, :1], X[0], None):
        broken = nn.Module()
        broken.forward = lambda x, t, cond, bad=bad: bad  # type: ignore[assignment]
        with pytest.raises((ValueError, TypeError), match="^y (and x_t )?must"):
            Learned(broken, VP())(X, half)

"""Tables of betas against their papers' printed figures and the path that they stand for."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from diffusion_teach import devices
from diffusion_teach.denoisers import Exact, Learned
from diffusion_teach.exact import GaussianMixture
from diffusion_teach.schedules import (
    Discrete,
    cosine_betas,
    linear_betas,
    stable_diffusion_betas,
    zero_terminal_snr,
)


def alpha_bar(table: Discrete) -> torch.Tensor:
    """ᾱ₀ … ᾱ_T."""
    return table.alpha(torch.arange(table.steps + 1, dtype=torch.float64) / table.steps) ** 2


def test_a_table_has_an_entry_for_clean_data() -> None:
    betas = torch.tensor([0.1, 0.2, 0.5], dtype=torch.float64)
    table = Discrete(betas)
    assert table.steps == 3
    assert alpha_bar(table).tolist() == pytest.approx([1, 0.9, 0.72, 0.36])
    assert alpha_bar(table)[0] == 1


@pytest.mark.parametrize("steps", [21, 30, 100, 1000, 4000])
def test_a_step_number_finds_its_own_entry_in_single_precision(steps: int) -> None:
    k = torch.arange(steps + 1)
    for table in (Discrete(linear_betas(steps)), Discrete(cosine_betas(steps))):
        entries = torch.cat([torch.ones(1, dtype=torch.float64), (1 - table.betas).cumprod(0)])
        torch.testing.assert_close(table.alpha(k / steps).double() ** 2, entries, rtol=3e-6, atol=0)
        torch.testing.assert_close(table.sigma(k / steps).double() ** 2, 1 - entries, rtol=3e-6, atol=1e-15)


def test_a_table_is_the_continuous_path_with_beta_constant_within_a_step() -> None:
    table = Discrete(torch.tensor([0.1, 0.4], dtype=torch.float64))
    t = torch.tensor([0.25, 0.75], dtype=torch.float64)
    torch.testing.assert_close(table.alpha(t) ** 2, torch.tensor([0.9**0.5, 0.9 * 0.6**0.5], dtype=torch.float64))
    # Within a step f = −β/2 with ∫β = −log(1 − β_k) over a step of length 1/2.
    torch.testing.assert_close(table.g2(t), -2 * torch.log(1 - table.betas))


class NoFloat64(TorchDispatchMode):
    """Fails where something computes in float64, as Apple's GPUs do."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        assert not isinstance(result, torch.Tensor) or result.dtype != torch.float64, func
        return result


def test_a_table_needs_no_float64_where_the_device_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    t = torch.cat([torch.arange(1001) / 1000, torch.rand(500, generator=torch.Generator().manual_seed(0))])
    for betas in (linear_betas(1000), cosine_betas(1000), cosine_betas(7)):
        table = Discrete(betas)
        inner = t[1:] if len(betas) == 7 else t
        expected = table.alpha(inner), table.sigma(inner)
        with monkeypatch.context() as patch, NoFloat64():
            patch.setattr(devices, "widest", lambda device: torch.float32)
            found = table.alpha(inner), table.sigma(inner)
        for a, b in zip(found, expected, strict=True):
            torch.testing.assert_close(a, b, rtol=2e-5, atol=1e-7)
    with pytest.raises(AssertionError, match="aten"), NoFloat64():
        table.alpha(t)


@pytest.mark.parametrize("steps", [10, 20, 50, 100, 300, 1000])
def test_exactly_one_cosine_beta_is_clipped(steps: int) -> None:
    betas = cosine_betas(steps)
    assert betas.shape == (steps,)
    assert (betas == 0.999).sum() == 1
    assert betas[-1] == 0.999
    # What is not clipped has the product of Nichol & Dhariwal's eq. 17.
    k = torch.arange(steps, dtype=torch.float64)
    f = torch.cos((k / steps + 0.008) / 1.008 * math.pi / 2) ** 2
    torch.testing.assert_close(alpha_bar(Discrete(betas))[:-1], f / f[0])


def test_the_printed_figures_of_the_two_schedules() -> None:
    linear, cosine = Discrete(linear_betas(1000)), Discrete(cosine_betas(1000))
    assert float(alpha_bar(linear)[-1]) == pytest.approx(4.04e-5, rel=2e-3)
    assert float(alpha_bar(linear)[500]) == pytest.approx(0.079, abs=5e-4)
    assert float(alpha_bar(cosine)[500]) == pytest.approx(0.494, abs=5e-4)
    assert int((alpha_bar(linear)[1:] < 0.01).sum()) == 327
    assert int((alpha_bar(cosine)[1:] < 0.01).sum()) == 65


@pytest.mark.parametrize("steps", [100, 250, 2000])
def test_linear_betas_reach_noise_at_every_number_of_steps(steps: int) -> None:
    assert float(alpha_bar(Discrete(linear_betas(steps)))[-1]) == pytest.approx(4e-5, rel=0.6)
    assert float(linear_betas(1000).max()) == 0.02
    assert linear_betas().shape == cosine_betas().shape == (1000,)  # as in both papers
    unscaled = torch.linspace(1e-4, 0.02, 100, dtype=torch.float64)
    assert float(alpha_bar(Discrete(unscaled))[-1]) == pytest.approx(0.36, abs=0.01)


@pytest.mark.parametrize("steps", [1, 10, 20])
def test_linear_betas_of_few_steps_are_an_error(steps: int) -> None:
    with pytest.raises(ValueError, match="at least 21 steps, or cosine_betas"):
        linear_betas(steps)


def test_steps_must_be_whole() -> None:
    with pytest.raises(TypeError, match="steps must be a whole number, got 10.0"):
        cosine_betas(10.0)  # type: ignore[arg-type]


def test_stable_diffusion_s_roots_rise_evenly_and_stop_short_of_noise() -> None:
    betas = stable_diffusion_betas()
    roots = betas.sqrt().diff()
    torch.testing.assert_close(roots, roots[:1].expand(999), rtol=1e-9, atol=0)
    assert [float(betas[0]), float(betas[-1])] == pytest.approx([0.00085, 0.012])
    assert float(alpha_bar(Discrete(betas))[-1]) == pytest.approx(0.00466, abs=5e-6)
    assert float(alpha_bar(Discrete(stable_diffusion_betas(250)))[-1]) == pytest.approx(0.0047, abs=5e-4)


@pytest.mark.parametrize("betas", [stable_diffusion_betas(), linear_betas(30), torch.tensor([0.2, 0.1, 0.4])])
def test_zero_terminal_snr_shifts_and_scales_the_roots(betas: torch.Tensor) -> None:
    """Lin et al. 2024, algorithm 1: √ᾱ'_k = c·(√ᾱ_k − √ᾱ_T), with the first entry as before and the last 0."""
    old, new = alpha_bar(Discrete(betas)).sqrt()[1:], alpha_bar(Discrete(zero_terminal_snr(betas))).sqrt()[1:]
    assert zero_terminal_snr(betas)[-1] == 1
    assert new[-1] == 0
    torch.testing.assert_close(new[0], old[0])
    torch.testing.assert_close(new, (old - old[-1]) * old[0] / (old[0] - old[-1]), rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(zero_terminal_snr(zero_terminal_snr(betas)), zero_terminal_snr(betas))


def test_a_last_beta_of_1_ends_in_noise_along_a_straight_line() -> None:
    table = Discrete(torch.tensor([0.2, 0.1, 1.0], dtype=torch.float64))
    before = 0.72**0.5
    t = torch.tensor([2 / 3, 0.75, 5 / 6, 1.0], dtype=torch.float64)
    torch.testing.assert_close(table.alpha(t), before * torch.tensor([1, 0.75, 0.5, 0], dtype=torch.float64))
    torch.testing.assert_close(table.alpha(t).square() + table.sigma(t).square(), torch.ones(4, dtype=torch.float64))
    one = t[-1]
    assert [float(table.alpha(one)), float(table.sigma(one)), float(table.log_snr(one))] == [0, 1, -math.inf]
    assert [float(rate) for rate in table.rates(one)] == pytest.approx([-3 * before, 0])
    # Within it the process is still variance preserving: g² = −dλ/dt·σ².
    torch.testing.assert_close(table.f(t[1:3]), -3 / torch.tensor([0.75, 0.5], dtype=torch.float64))
    assert float(Discrete(table.betas.float()).alpha(one.float())) == 0


def test_pure_noise_can_be_denoised_from_v_and_not_from_eps() -> None:
    table = Discrete(zero_terminal_snr(linear_betas(50)))
    gaussian = GaussianMixture(torch.ones(1), torch.full((1, 2), 0.3), torch.ones(1))
    x, one = torch.randn(4, 2, generator=torch.Generator().manual_seed(0)).double(), torch.ones((), dtype=torch.float64)
    torch.testing.assert_close(Exact(gaussian, table)(x, one).x0, torch.full((4, 2), 0.3).double())

    class Minus(torch.nn.Module):
        def forward(self, x_t: torch.Tensor, t: torch.Tensor, cond: None = None) -> torch.Tensor:
            return torch.full_like(x_t, -0.3)

    torch.testing.assert_close(Learned(Minus(), table, "v")(x, one).x0, torch.full((4, 2), 0.3).double())
    with pytest.raises(ValueError, match="does not determine x0 and eps where D = 0"):
        Learned(Minus(), table, "eps")(x, one)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Discrete(torch.tensor([1.0, 0.1])), "strictly between 0 and 1, of which only the last may be 1"),
        (lambda: Discrete(torch.tensor([0.1, 1.1])), "strictly between 0 and 1"),
        (lambda: Discrete(torch.tensor([0.0, 0.1])), "strictly between 0 and 1"),
        (lambda: Discrete(torch.zeros(2, 2)), r"shape \(steps\)"),
        (lambda: Discrete(torch.empty(0)), "betas is empty"),
        (lambda: Discrete(torch.tensor([0.1, math.nan])), "must be finite"),
        (lambda: linear_betas(0), "steps must be at least 1"),
        (lambda: stable_diffusion_betas(12), "reach 1, but must stay below 1: use at least 13 steps"),
        (lambda: cosine_betas(10, largest=1.0), "largest must be above 0 and below 1"),
        (lambda: zero_terminal_snr(torch.tensor([0.1])), "at least 2 steps"),
        (lambda: zero_terminal_snr(torch.tensor([0.1, 2.0])), "strictly between 0 and 1"),
    ],
)
def test_tables_that_are_none(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()

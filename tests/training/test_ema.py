"""The moving average of weights against its closed form."""

from __future__ import annotations

import pytest
import torch

from diffusion_teach.training.ema import EMA
from tests.training.point import Point


@pytest.mark.parametrize("decay", [0.5, 0.9, 0.99])
def test_the_average_of_a_ramp_lags_by_the_closed_form(decay: float) -> None:
    """θ_n = n gives θ̄_n = n − d·(1 − dⁿ)/(1 − d): in the long run a lag of d/(1 − d) steps."""
    model = Point()
    average = EMA(model, decay, warmup=False)
    for n in range(1, 201):
        with torch.no_grad():
            model.theta.fill_(n)
            model.count.fill_(n)
        average.update()
        assert average.model.theta.item() == pytest.approx(n - decay * (1 - decay**n) / (1 - decay))
        assert int(average.model.count) == n
    assert model.theta.item() == 200


def test_the_warmed_up_average_forgets_where_it_began() -> None:
    forgotten, kept = Point(1e6), Point(1e6)
    averages = EMA(forgotten, 0.999), EMA(kept, 0.999, warmup=False)
    for model, average in zip((forgotten, kept), averages, strict=True):
        with torch.no_grad():
            model.theta.zero_()
        for _ in range(100):
            average.update()
    assert abs(averages[0].model.theta.item()) < 1
    assert averages[1].model.theta.item() == pytest.approx(1e6 * 0.999**100)


def test_the_average_is_a_model_of_its_own_that_is_not_trained() -> None:
    model = Point()
    average = EMA(model, 0.9)
    assert average.model is not model
    assert not average.model.training
    assert not any(p.requires_grad for p in average.model.parameters())
    assert model.theta.requires_grad


def test_bad_input_is_named() -> None:
    with pytest.raises(ValueError, match="decay must be at least 0 and below 1, got 1"):
        EMA(Point(), 1.0)
    with pytest.raises(TypeError, match=r"model must be a torch\.nn\.Module"):
        EMA(Point().theta)  # type: ignore[arg-type]


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_the_average_of_16_bits_moves(dtype: torch.dtype) -> None:
    """From 1 to 2 with d = .999 over 3,000 steps: 2 − d³⁰⁰⁰ = 1.950, where 16 bits would stay at 1."""
    model = Point(1.0).to(dtype)
    average = EMA(model, 0.999, warmup=False)
    with torch.no_grad():
        model.theta.fill_(2.0)
    for _ in range(3000):
        average.update()
    assert average.model.theta.item() == pytest.approx(2 - 0.999**3000, abs=1e-3)
    assert average.model.theta.dtype == torch.float32

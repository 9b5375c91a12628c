"""Modes of stacked digits: real stacks score what is printed beside, and a collapse shows."""

from __future__ import annotations

import math

import pytest
import torch

from diffusion_teach.datasets import stacked_mnist
from diffusion_teach.metrics.stacked_modes import SAMPLES, histogram, modes, numbers


def drawn(count: int, seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.multinomial(stacked_mnist.shares(), count, replacement=True, generator=generator)


def test_the_classifier_reads_nearly_every_real_stack() -> None:
    images, expected = stacked_mnist.draw(300, "test", generator=torch.Generator().manual_seed(0))
    assert float((numbers(images) == expected).double().mean()) > 0.94
    assert torch.equal(numbers(1.5 * images), numbers((1.5 * images).clamp(-1, 1)))


@pytest.mark.parametrize("count", [1000, 2500, SAMPLES])
def test_real_stacks_score_what_is_printed_beside(count: int) -> None:
    found = torch.tensor([modes(drawn(count, seed)) for seed in range(40)], dtype=torch.float64)
    error = found.std(dim=0) / math.sqrt(len(found))
    for place in (0, 2, 4):
        expected = float(found[0, place + 1])
        assert float(found[:, place].mean()) == pytest.approx(expected, abs=4.5 * float(error[place]) + 1e-6)


def test_the_floors_of_the_protocol() -> None:
    real = modes(drawn(SAMPLES, 0))
    assert real.covered_real == pytest.approx(1000, abs=1e-6)
    assert real.kl_uniform_real == pytest.approx(0.0236, abs=5e-5)
    assert real.kl_data_real == pytest.approx(0.0193, abs=5e-5)
    assert modes(drawn(2500, 0)).covered_real == pytest.approx(915.9, abs=0.05)


def test_a_model_that_writes_one_digit_thrice_covers_ten_modes() -> None:
    collapsed = torch.arange(10).repeat(100) * 111
    found = modes(collapsed)
    assert found.covered == 10
    assert found.kl_uniform == pytest.approx(math.log(100))


def test_a_histogram_holds_all_that_the_modes_need() -> None:
    found = drawn(500, 1)
    counts = histogram(found)
    assert counts.shape == (1000,)
    assert modes(torch.arange(1000).repeat_interleave(counts)) == pytest.approx(modes(found))


def test_bad_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match="images must have shape"):
        numbers(torch.zeros(2, 1, 28, 28))
    with pytest.raises(ValueError, match="found must lie in 0 … 999"):
        modes(torch.tensor([1000]))
    with pytest.raises(ValueError, match="found must have shape"):
        modes(torch.zeros(2, 2, dtype=torch.int64))

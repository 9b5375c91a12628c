"""Mode coverage: the protocol, its ceiling and its floor."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from diffusion_teach.datasets import toy2d
from diffusion_teach.metrics.modes import SAMPLES, high_quality_ceiling, kl_floor, mode_coverage

SQUARE = torch.tensor([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0], [10.0, 10.0]])


def test_a_mode_counts_from_its_first_sample_of_high_quality_on() -> None:
    samples = SQUARE[[0, 0, 0, 1, 2, 3]].clone()
    samples[3, 0] += 2.99  # inside the three standard deviations of mode 1
    samples[4, 0] += 3.01  # outside those of mode 2
    samples[5] = torch.tensor([torch.inf, 5.0])
    found = mode_coverage(samples, SQUARE, 1.0)
    assert int(found.covered) == 2
    assert float(found.high_quality) == pytest.approx(4 / 6)


@given(st.lists(st.integers(0, 30), min_size=4, max_size=4).filter(sum))
def test_the_reverse_kl_is_that_of_the_histogram(counts: list[int]) -> None:
    samples = SQUARE.repeat_interleave(torch.tensor(counts), dim=0)
    total = sum(counts)
    expected = sum(count / total * math.log(4 * count / total) for count in counts if count)
    found = mode_coverage(samples, SQUARE, 0.1)
    assert float(found.reverse_kl) == pytest.approx(expected, abs=1e-12)
    assert int(found.covered) == sum(count > 0 for count in counts)
    assert float(found.high_quality) == 1


@given(st.integers(0, 1000), st.integers(1, 4))
def test_members_at_once_are_members_one_by_one(seed: int, members: int) -> None:
    samples = 12 * torch.rand(members, 30, 2, generator=torch.Generator().manual_seed(seed))
    together = mode_coverage(samples, SQUARE, 1.0)
    for member in range(members):
        alone = mode_coverage(samples[member], SQUARE, 1.0)
        for value, expected in zip(together, alone, strict=True):
            assert value.shape == (members,)
            torch.testing.assert_close(value[member], expected)


@pytest.mark.parametrize(("mixture", "std"), [(toy2d.ring(), 0.01), (toy2d.grid(), 0.05)], ids=["ring", "grid"])
def test_the_data_themselves_score_the_ceiling_and_the_floor(mixture: toy2d.GaussianMixture, std: float) -> None:
    repeats = 100
    generator = torch.Generator().manual_seed(0)
    samples = mixture.sample(repeats * SAMPLES, generator=generator).view(repeats, SAMPLES, 2)
    found = mode_coverage(samples, mixture.means, std)
    assert (found.covered == len(mixture.means)).all()
    for values, expected in (
        (found.high_quality, high_quality_ceiling()),
        (found.reverse_kl, kl_floor(len(mixture.means))),
    ):
        error = float(values.std()) / repeats**0.5
        assert float(values.mean()) == pytest.approx(expected, abs=4.5 * error)


def test_the_ceiling_in_closed_form() -> None:
    assert high_quality_ceiling() == pytest.approx(1 - math.exp(-9 / 2), rel=1e-12)
    assert high_quality_ceiling(1) == pytest.approx(math.erf(3 / 2**0.5), rel=1e-12)


def test_the_floors_of_the_protocol() -> None:
    assert kl_floor(25) == pytest.approx(0.0048)
    assert kl_floor(8) == pytest.approx(0.0014)
    assert kl_floor(1) == 0


@pytest.mark.parametrize(
    ("samples", "centres", "std", "message"),
    [
        (torch.zeros(5, 3), SQUARE, 1.0, "samples must have shape"),
        (torch.zeros(2, 2, 5, 2), SQUARE, 1.0, "samples must have shape"),
        (torch.zeros(2), SQUARE, 1.0, "samples must have shape"),
        (torch.zeros(0, 2), SQUARE, 1.0, "samples is empty"),
        (torch.full((5, 2), torch.nan), SQUARE, 1.0, "samples must hold no NaN"),
        (torch.zeros(5, 2), SQUARE[0], 1.0, "centres must have shape"),
        (torch.zeros(5, 2), SQUARE, 0.0, "std must be above 0"),
    ],
)
def test_bad_input_is_refused(samples: torch.Tensor, centres: torch.Tensor, std: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        mode_coverage(samples, centres, std)

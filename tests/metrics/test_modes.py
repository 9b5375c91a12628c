"""Mode coverage: the protocol, its ceiling and its floor."""

from __future__ import annotations

import itertools
import math
import re

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import entropy

from diffusion_teach.datasets import toy2d
from diffusion_teach.metrics.modes import (
    SAMPLES,
    expected_covered,
    expected_kl,
    high_quality_ceiling,
    kl_floor,
    label_coverage,
    mode_coverage,
)

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


WEIGHTS = st.lists(st.integers(1, 9), min_size=2, max_size=5)


@given(st.lists(st.integers(0, 4), min_size=1, max_size=40), WEIGHTS.filter(lambda w: len(w) == 5))
def test_labels_are_counted_and_compared_with_the_reference(labels: list[int], weights: list[int]) -> None:
    counts = [labels.count(k) for k in range(5)]
    for reference, shares in ((weights, torch.tensor(weights)), ([1] * 5, 5)):
        found = label_coverage(torch.tensor(labels), shares)
        assert int(found.covered) == len(set(labels))
        assert float(found.reverse_kl) == pytest.approx(entropy(counts, reference), abs=1e-12)


def test_labels_of_members_at_once_are_those_one_by_one() -> None:
    labels = torch.randint(7, (3, 50), generator=torch.Generator().manual_seed(0))
    together = label_coverage(labels, 7)
    for member in range(3):
        for value, expected in zip(together, label_coverage(labels[member], 7), strict=True):
            assert value.shape == (3,)
            torch.testing.assert_close(value[member], expected)


def test_a_label_that_the_reference_lacks_makes_the_divergence_infinite() -> None:
    shares = torch.tensor([1.0, 0.0, 3.0])
    assert float(label_coverage(torch.tensor([0, 1]), shares).reverse_kl) == math.inf
    assert math.isfinite(float(label_coverage(torch.tensor([0, 2]), shares).reverse_kl))
    assert expected_kl(torch.tensor([1.0, 1.0, 1.0]), 5, shares) == math.inf


@given(WEIGHTS, st.integers(1, 4))
def test_the_expectations_are_those_over_every_sequence_of_labels(weights: list[int], samples: int) -> None:
    p = torch.tensor(weights, dtype=torch.float64) / sum(weights)
    covered = own = uniform = 0.0
    for labels in itertools.product(range(len(weights)), repeat=samples):
        chance = math.prod(float(p[label]) for label in labels)
        drawn = torch.tensor(labels)
        covered += chance * int(label_coverage(drawn, p).covered)
        own += chance * float(label_coverage(drawn, p).reverse_kl)
        uniform += chance * float(label_coverage(drawn, len(weights)).reverse_kl)
    assert expected_covered(p, samples) == pytest.approx(covered, rel=1e-9)
    assert expected_kl(p, samples) == pytest.approx(own, rel=1e-9, abs=1e-12)
    assert expected_kl(p, samples, len(weights)) == pytest.approx(uniform, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(("labels", "samples"), [(10, 20_000), (100, 100_000)])
def test_the_floor_is_the_leading_order_of_the_expectation(labels: int, samples: int) -> None:
    gap = expected_kl(labels, samples) - kl_floor(labels, samples)
    # The next term, (Σ 1/p − 1) / 12 N², of Harris (1975)
    assert gap == pytest.approx((labels**2 - 1) / (12 * samples**2), rel=0.05)


def test_expectations_at_their_edges() -> None:
    one = torch.tensor([0.0, 2.0])
    assert expected_kl(one, 7) == pytest.approx(0, abs=1e-12)
    assert expected_kl(one, 7, 2) == pytest.approx(math.log(2))
    assert expected_covered(one, 7) == 1
    assert expected_kl(1, 10**6) == pytest.approx(0, abs=1e-12)
    assert expected_covered(1000, 1) == pytest.approx(1)


@pytest.mark.parametrize(
    ("labels", "shares", "message"),
    [
        (torch.tensor([0, 3]), 3, "labels must lie in 0 … 2, got 0 to 3"),
        (torch.tensor([-1, 0]), 3, "labels must lie in 0 … 2, got -1 to 0"),
        (torch.zeros(1, 1, 1, dtype=torch.int64), 3, "labels must have shape (N,) or (M, N)"),
        (torch.zeros(0, dtype=torch.int64), 3, "labels is empty"),
        (torch.tensor([0]), 0, "shares must be at least 1"),
        (torch.tensor([0]), torch.tensor([1.0, -0.5]), "shares must not be negative"),
        (torch.tensor([0]), torch.zeros(2), "shares must not be negative nor all zero"),
        (torch.tensor([0]), torch.ones(2, 2), "shares must have shape"),
    ],
)
def test_bad_labels_are_refused(labels: torch.Tensor, shares: torch.Tensor | int, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        label_coverage(labels, shares)

"""The classification accuracy score: real images reach its ceiling, wrong labels and missing kinds do not."""

from __future__ import annotations

import pytest
import torch

from diffusion_teach.datasets import mnist
from diffusion_teach.metrics.classification_accuracy import classification_accuracy_score

IMAGES, LABELS = (part[torch.randperm(60_000, generator=torch.Generator().manual_seed(5))] for part in mnist.load())


def score(rows: torch.Tensor, labels: torch.Tensor | None = None, steps: int = 50) -> tuple[float, float]:
    given = LABELS[rows] if labels is None else labels
    return classification_accuracy_score(mnist.to_model(IMAGES[rows]), given, steps=steps, seed=2)


def test_other_real_images_reach_the_ceiling() -> None:
    found, ceiling = score(torch.arange(1000))
    assert found == pytest.approx(ceiling, abs=0.05)
    assert ceiling > 0.8


def test_what_is_missing_or_wrong_is_not_learned() -> None:
    few = torch.nonzero(LABELS < 5).flatten()[:1000]
    found, ceiling = score(few)
    assert found < 0.52 < ceiling  # 5,139 of the test images show 0 to 4
    shifted, _ = score(torch.arange(1000), (LABELS[:1000] + 1) % 10)
    assert shifted < 0.1


def test_it_is_the_same_twice_and_leaves_global_randomness_alone() -> None:
    state = torch.get_rng_state()
    first, second = (score(torch.arange(200), steps=2) for _ in range(2))
    assert first == second
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        (torch.zeros(99, 1, 28, 28), torch.zeros(99, dtype=torch.int64), "between 100 and 60000, got 99"),
        (torch.zeros(100, 28, 28), torch.zeros(100, dtype=torch.int64), "images must have shape"),
        (torch.zeros(100, 1, 28, 28), torch.zeros(99, dtype=torch.int64), "labels must have shape"),
        (torch.zeros(100, 1, 28, 28), torch.full((100,), 10), "labels must lie in 0 … 9"),
    ],
)
def test_bad_sets_are_refused(images: torch.Tensor, labels: torch.Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        classification_accuracy_score(images, labels)

"""The two judges: what they see, and that they tell real digits from spoilt ones, in the order of the damage."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from diffusion_teach import checkpoints
from diffusion_teach.datasets import mnist
from diffusion_teach.metrics import evaluation, frechet, stacked_modes
from diffusion_teach.metrics.features import JUDGES, in_batches, of_training_images, seen_by
from diffusion_teach.metrics.spoilt import (
    SPOILT,
    blurred,
    memorised,
    mixed_with_noise,
    noised,
    overlaid,
    shifted,
    thicker,
    thinner,
)
from diffusion_teach.studies import judges

IMAGES, LABELS = mnist.load("test")
X = mnist.to_model(IMAGES[:200])


def test_whitened_features_of_the_test_images_are_standard() -> None:
    z = seen_by("encoder", mnist.to_model(IMAGES)).double()
    torch.testing.assert_close(z.mean(0), torch.zeros(64, dtype=torch.float64), rtol=0, atol=1e-4)
    torch.testing.assert_close(torch.cov(z.T), torch.eye(64, dtype=torch.float64), rtol=0, atol=1e-3)


@pytest.mark.parametrize("judge", JUDGES)
def test_values_beyond_the_range_are_cut_off_and_batches_change_nothing(judge: str) -> None:
    torch.testing.assert_close(seen_by(judge, 1.5 * X), seen_by(judge, (1.5 * X).clamp(-1, 1)))
    parts = torch.cat([seen_by(judge, part) for part in X.split(70)])
    torch.testing.assert_close(parts, seen_by(judge, X), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("judge", JUDGES)
def test_training_images_are_remembered_as_they_are_seen(judge: str) -> None:
    rows = torch.tensor([5, 59_999, 7, 5])
    expected = seen_by(judge, mnist.to_model(mnist.load()[0][rows]))
    for _ in range(2):
        torch.testing.assert_close(of_training_images(judge, rows), expected, rtol=1e-3, atol=1e-3)


def test_unknown_judges_are_named() -> None:
    with pytest.raises(ValueError, match="Did you mean 'encoder'"):
        seen_by("encodr", X)
    with pytest.raises(ValueError, match="batch"):
        in_batches(torch.nn.Identity(), X, 0)


def test_what_is_spoilt_is_spoilt_as_it_says() -> None:
    g = torch.Generator().manual_seed(0)
    assert torch.equal(blurred(torch.ones(1, 1, 5, 5)), torch.ones(1, 1, 5, 5))
    dot = torch.full((1, 1, 5, 5), -1.0)
    dot[..., 2, 2] = 1
    assert float(blurred(dot)[..., 2, 2]) == pytest.approx(-1 + 2 / 9)
    assert torch.equal(shifted(dot, 2)[..., 2, 4], torch.ones(1, 1))
    assert (thicker(dot, 1.0) == 1).sum() == 9
    assert float(thicker(dot, 0.3)[..., 1, 1]) == pytest.approx(-1 + 0.6)
    assert (thinner(thicker(dot, 1.0), 1.0) == dot).all()
    grain = noised(torch.zeros(50, 1, 28, 28), g, 0.3)
    assert float(grain.std()) == pytest.approx(0.3, abs=0.01)
    some = overlaid(X, g, 0.05)
    changed = (some != X).flatten(1).any(1)
    assert changed.sum() == 10
    assert (some >= X).all()
    assert len(memorised(X, g, 5).unique(dim=0)) == 5
    noisy = mixed_with_noise(X, g, 0.02)
    assert (noisy != X).flatten(1).any(1).sum() == round(0.02 * len(X))
    assert noisy[0].std() > 0.5
    assert noisy.abs().max() == 1


def test_both_judges_order_what_must_be_ordered() -> None:
    """Of 1,000 images each; what is told apart lies at least four deviations of the floor apart."""
    g = torch.Generator().manual_seed(1)
    x = mnist.to_model(mnist.load()[0][torch.randperm(60_000, generator=g)[:1000]])
    for judge in JUDGES:
        floor = frechet.floor(1000, 20, judge=judge, generator=g)
        times = {name: frechet.frechet_to_test(spoil(x, g), judge) / floor.mean for name, spoil in SPOILT.items()}
        room = 4 * floor.std / floor.mean
        hidden = {"5 % overlaid", "shifted by one pixel", "500 images, copied", "noise .1"}
        hidden |= {"1 % pure noise"} if judge == "classifier" else set()
        assert all(times[name] > 1 + room for name in set(times) - hidden), (judge, times)
        for less, more in (
            ("noise .1", "noise .3"),
            ("shifted by one pixel", "shifted by two pixels"),
            ("5 % overlaid", "25 % overlaid"),
            ("500 images, copied", "100 images, copied"),
        ):
            assert times[less] < times[more], (judge, less, more)


def test_the_stored_study_is_of_the_shipped_judges_and_shows_the_order() -> None:
    rows = judges.rows()
    assert list(rows) == list(judges.measure.ROWS)
    for judge in JUDGES:
        times = {name: row[judge]["times_floor"] for name, row in rows.items()}
        assert times["real"] == pytest.approx(1, abs=0.2)
        assert all(row["judges"][judge] == checkpoints.card(judge)["sha256"] for row in rows.values())
        spoilt = set(times) - {"real", "5 % overlaid"} - ({"1 % pure noise"} if judge == "classifier" else set())
        assert all(times[name] > 1.3 for name in spoilt)
        assert times["5 % overlaid"] < 1.3  # hidden from both, and seen by who reads:
    assert rows["5 % overlaid"]["illegible"] > 1.5 * rows["real"]["illegible"]
    noise = rows["1 % pure noise"]  # of which the classifier is sure, and which the encoder cannot miss
    assert noise["illegible"] < 1.3 * rows["real"]["illegible"]
    assert noise["encoder"]["times_floor"] > 10


@pytest.mark.parametrize("name", ["real", "no 8", "thicker"])
def test_a_row_of_the_study_is_measured_as_it_says(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judges.measure, "DRAWS", 2)
    row, known = judges.measure.row(name), judges.rows()[name]
    for judge in JUDGES:
        assert row[judge]["times_floor"] == pytest.approx(known[judge]["times_floor"], rel=0.25)


def test_images_on_another_scale_are_refused_by_every_measure_of_them() -> None:
    images = torch.rand(6, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    measures: tuple[Callable[[torch.Tensor], object], ...] = (
        frechet.frechet_to_test,
        evaluation.shares,
        evaluation.ink,
        lambda x: stacked_modes.numbers(x.view(2, 3, 28, 28)),
    )
    for measure in measures:
        with pytest.raises(ValueError, match=r"images must lie in \[−1, 1\], with paper at −1, got values from"):
            measure(images)
        measure(2 * images - 1)

"""The study of guidance: rows guide as they say, judges see all sets, and what is stored is of today's settings."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from diffusion_teach.datasets import mnist
from diffusion_teach.denoisers import ClassifierGuided, Guided
from diffusion_teach.networks.classifier import Classifier
from diffusion_teach.studies.guidance import learned_from, measure
from diffusion_teach.studies.guidance.measure import EARLY, LATE, MIDDLE, ROWS, SCORES


def test_the_three_parts_of_the_walk_are_the_whole() -> None:
    assert EARLY[1] == MIDDLE[0]
    assert MIDDLE[1] == LATE[0]
    assert (EARLY[0], LATE[1]) == (float("-inf"), float("inf"))


@pytest.mark.parametrize("name", ["w = 0", "middle, w = 4", "weak by weaker, w = 0.5", "by weak, w = 0.5"])
def test_a_row_guides_as_it_says(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "WEAK_STEPS", {"weak": 2, "weaker": 1})
    measure.labelled.cache_clear()
    row, labels = ROWS[name], torch.tensor([3, 1])
    found = measure.denoiser(row)(labels)
    measure.labelled.cache_clear()
    assert isinstance(found, Guided)
    assert (found.guidance, found.between) == (row.w, row.between)
    assert torch.equal(found.towards.labels(2), labels)  # type: ignore[attr-defined]
    one, other = found.towards.source, getattr(found.away, "source", found.away)  # type: ignore[attr-defined]
    assert (one is other) == (row.away == "none" or row.w == 0)


def test_a_classifier_pulls_to_the_label_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "CLASSIFIER_STEPS", 1)
    measure.noise_aware.cache_clear()
    labels = torch.tensor([3, 1])
    found = measure.denoiser(ROWS["noise-aware classifier, w = 4"])(labels)
    measure.noise_aware.cache_clear()
    assert isinstance(found, ClassifierGuided)
    assert found.scale == 5
    x = torch.randn(2, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    assert (found.log_p(x, torch.tensor(0.5)) < 0).all()


def test_draws_are_as_many_as_the_labels_of_training_images(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "COUNT", 3)
    images, labels = measure.draw(ROWS["2M, w = 4"], 1)
    assert images.shape == (3, 1, 28, 28)
    assert float(images.abs().max()) <= 1
    real, same = measure.draw(ROWS["real"], 1)
    assert torch.equal(labels, same)
    rows = measure.chosen(1, 3)
    assert torch.equal(real, mnist.to_model(mnist.load("train")[0][rows]))


def test_a_row_stores_every_set(monkeypatch: pytest.MonkeyPatch) -> None:
    def judged(images: int, *, seed: int) -> dict[str, Any]:
        assert images == seed
        of = {judge: {key: k + seed for k, key in enumerate(SCORES)} for judge in measure.JUDGES}
        return {**of, "ink": 1.0 + seed, "illegible": 0.1 * seed}

    monkeypatch.setattr(measure, "draw", lambda row, seed: (seed, "labels"))
    monkeypatch.setattr(measure, "evaluate_images", judged)
    monkeypatch.setattr(measure, "label_accuracy", lambda judge, images, labels: 0.5 + 0.1 * images)
    row = measure.row("w = 1")
    assert row["encoder"]["recall"] == [2, 3, 4, 5]
    assert row["classifier"]["label_accuracy"] == [0.5, 0.6, 0.7, 0.8]
    assert row["ink"] == [1, 2, 3, 4]
    assert row["models"] == measure.about()["models"]


def test_a_classifier_learns_from_the_row_s_digits_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    images, labels = learned_from.training_set("real, 250", 0)
    assert images.shape == (250, 1, 28, 28)
    more, _ = learned_from.training_set("real, 500", 0)
    assert torch.equal(more[:250], images)
    means, of = learned_from.training_set("mean pictures", 0)
    assert len(torch.unique(means.flatten(1), dim=0)) == 10
    assert torch.equal(means[of == 4][0], means[of == 4][1])
    monkeypatch.setattr(learned_from, "TRAINING_STEPS", 100)
    assert 0.5 < learned_from.accuracy_from(images, labels, 0) < 0.95

    def nothing(model: Classifier, x: Tensor) -> Tensor:
        return torch.nn.functional.one_hot(torch.zeros(len(x), dtype=torch.int64), 10)

    monkeypatch.setattr(learned_from, "predict", nothing)
    assert learned_from.accuracy_from(images, labels, 0) == pytest.approx(0.098)


@pytest.mark.parametrize("part", [measure, learned_from], ids=["measure", "learned_from"])
def test_what_is_stored_is_of_today_s_settings(part: Any) -> None:
    if not part.RESULTS.exists():
        pytest.skip(f"not measured yet: python -m {part.__name__.replace('studies.', 'studies ')}")
    rows = part.rows()
    assert list(rows) == list(part.ROWS)
    for name, row in rows.items():
        assert {key: row[key] for key in measure.about()} == measure.about(), f"measure {name} anew"

"""What the judges see: how a row is measured, and that what is stored is of today's judges."""

from __future__ import annotations

from statistics import fmean, stdev
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor

from diffusion_teach.datasets import mnist
from diffusion_teach.metrics.spoilt import SPOILT
from diffusion_teach.studies import judges, stored
from diffusion_teach.studies.judges import measure


def test_a_row_is_ten_sets_over_the_floor_of_as_many(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    seen: list[Tensor] = []
    distances = {"classifier": list(range(10, 20)), "encoder": [30 + 2 * k for k in range(10)]}

    def floor(count: int, draws: int, *, judge: str, generator: torch.Generator) -> Any:
        asked.append((count, draws, judge))
        return SimpleNamespace(mean={"classifier": 2.0, "encoder": 4.0}[judge])

    def distance(images: Tensor, judge: str) -> float:
        seen.append(images)
        return distances[judge][(len(seen) - 1) // 2]

    monkeypatch.setattr(measure.frechet, "floor", floor)
    monkeypatch.setattr(measure.frechet, "frechet_to_test", distance)
    monkeypatch.setattr(measure, "predict", lambda classifier, images: images)
    monkeypatch.setattr(measure, "illegible", lambda images: float(len(seen)))
    row = measure.row("real")
    assert asked == [(2000, 20, "classifier"), (2000, 20, "encoder")]
    for judge, over in (("classifier", 2.0), ("encoder", 4.0)):
        times = [value / over for value in distances[judge]]
        assert row[judge] == pytest.approx({"times_floor": fmean(times), "std": stdev(times)})
    assert row["illegible"] == 9  # of 0, 2, … 18
    assert row["judges"] == stored.judges()
    assert {tuple(images.shape) for images in seen} == {(2000, 1, 28, 28)}
    assert not torch.equal(seen[0], seen[2])


def test_rows_are_of_training_digits() -> None:
    known = {picture.numpy().tobytes() for picture in mnist.load("train")[0]}
    for name in ("real", "no 1", "no 8"):
        made = measure.ROWS[name](torch.Generator().manual_seed(3))
        assert {picture.numpy().tobytes() for picture in mnist.to_uint8(made)[:200].squeeze(1)} <= known


def test_a_digit_that_is_missing_is_missing() -> None:
    images, labels = mnist.load("train")
    eights = {picture.numpy().tobytes() for picture in images[labels == 8]}
    made = measure.ROWS["no 8"](torch.Generator().manual_seed(3))
    assert not eights & {picture.numpy().tobytes() for picture in mnist.to_uint8(made).squeeze(1)}


def test_what_is_stored_is_of_today_s_judges() -> None:
    rows = judges.rows()
    assert list(rows) == list(measure.ROWS)
    assert set(SPOILT) < set(rows)
    for name, row in rows.items():
        assert (row["count"], row["draws"]) == (2000, 10)
        assert row["judges"] == stored.judges(), f"measure {name} anew: a judge has changed"

"""The study of the denoising GAN of digits: what it draws, and that rows are of today's recipe."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from diffusion_teach import checkpoints
from diffusion_teach.denoisers import DenoisingGAN
from diffusion_teach.recipes.denoising_gan import DDGAN_MNIST
from diffusion_teach.studies import denoising_gan, stored
from diffusion_teach.studies.denoising_gan import measure


def test_the_generator_begins_without_a_use_for_its_noise() -> None:
    model = measure.generator("start")
    x_t, z = torch.randn(3, 1, 28, 28, generator=torch.Generator().manual_seed(0)), torch.ones(3, 64)
    assert torch.equal(model(x_t, torch.tensor(0.5), z), model(x_t, torch.tensor(0.5), -z))


def test_the_other_row_is_the_recipe_s(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def trained(recipe: Any, *, device: str) -> DenoisingGAN:
        asked.append((recipe, device))
        return measure.generator("start")

    monkeypatch.setattr(measure.run, "trained", trained)
    monkeypatch.setattr(measure, "COUNT", 100)
    monkeypatch.setattr(measure, "REPEATS", 2)
    row = measure.row("ddgan")
    assert asked == [(DDGAN_MNIST, "auto")]
    assert (row["count"], row["repeats"], row["evaluations"]) == (100, 2, 4)
    assert row["label"] == "denoising GAN, 4 steps"


def test_what_is_stored_is_of_today_s_recipe() -> None:
    rows = denoising_gan.rows()
    assert list(rows) == list(measure.ROWS)
    for name, row in rows.items():
        assert row["recipe"] == DDGAN_MNIST.settings(), f"measure {name} anew"
        assert row["teacher"] == checkpoints.card("ddpm-mnist")["sha256"], (
            f"measure {name} anew: its teacher has changed"
        )
        assert row["judges"] == stored.judges(), f"measure {name} anew: a judge has changed"
        assert (row["count"], row["repeats"], row["evaluations"]) == (measure.COUNT, measure.REPEATS, 4)

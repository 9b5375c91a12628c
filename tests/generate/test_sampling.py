"""How images are drawn: what it costs, what the model fills in, and what cannot be."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import numpy as np
import pytest
import torch

from diffusion_teach import _checks, _names
from diffusion_teach.denoisers import Learned
from diffusion_teach.generate import SAMPLERS, Sampling, generate, path
from diffusion_teach.networks.classifier import Classifier
from diffusion_teach.networks.gan import GAN
from diffusion_teach.networks.mlp import TimeMLP
from tests.generate.one_picture import SCHEDULE, model


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_the_evaluations_are_those_of_the_literature(sampler: str) -> None:
    denoiser, how = model(10), Sampling(sampler, steps=6, batch=3)
    generate(denoiser, 4, how)
    evaluations = how.evaluations(denoiser)
    assert denoiser.network.rows == 4 * evaluations
    assert evaluations == {"heun": 11, "annealed_langevin": 31}.get(sampler, 6)
    if sampler != "annealed_langevin":  # which has no score to follow where it is guided
        guided, denoiser = dataclasses.replace(how, guidance=1.0), model(10)
        generate(denoiser, 4, guided, labels=3)
        assert denoiser.network.rows == 4 * guided.evaluations(denoiser) == 8 * evaluations
        some, denoiser = dataclasses.replace(guided, between=(-3.0, 0.0)), model(10)
        generate(denoiser, 4, some, labels=3)
        assert denoiser.network.rows == 4 * some.evaluations(denoiser)
        assert evaluations < some.evaluations(denoiser) < 2 * evaluations


def test_a_sampling_is_filled_by_the_model() -> None:
    assert (Sampling().of(model()).sampler, Sampling().of(model()).steps) == ("ancestral", 50)
    assert Sampling(steps=3).of(model(), "ddim", 9) == Sampling("ddim", 3)
    assert tuple(SAMPLERS) == _names.SAMPLERS


def test_numbers_of_other_libraries_become_plain_ones() -> None:
    how = Sampling("ddim", np.int64(5), np.float32(0.5), np.uint8(3), np.int32(2))  # type: ignore[arg-type]
    assert how == Sampling("ddim", 5, 0.5, 3, 2)
    assert json.loads(json.dumps(dataclasses.asdict(how)))["steps"] == 5
    with pytest.raises(TypeError, match="steps must be a whole number, got 5.0"):
        Sampling(steps=5.0)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("settings", "arguments", "message"),
    [
        ({"sampler": "dimm"}, {}, "Did you mean 'ddim'"),
        ({}, {"count": 0}, "count must be at least 1"),
        ({"steps": 0}, {}, "steps must be at least 1"),
        ({"seed": -1}, {}, "seed must be between 0 and"),
        ({"batch": 0}, {}, "batch must be at least 1"),
        ({}, {"labels": 10}, "labels must be between 0 and 9, got 10"),
        ({}, {"labels": torch.tensor([1, 10])}, r"labels must lie in 0 … 9, got 1 to 10"),
        ({}, {"labels": torch.tensor([1, 2, 3])}, r"labels must have shape \(2\)"),
        ({"guidance": 1.0}, {}, "guidance = 1 pulls towards a label: pass labels too"),
        ({"guidance": -1.0}, {"labels": 1}, "guidance must be at least 0"),
        ({"sampler": "one step"}, {}, "a denoiser needs a sampler, one of ancestral"),
        ({"seed": 2**63}, {}, "seed must be between 0 and"),
        (
            {"sampler": "annealed_langevin", "guidance": 1.0},
            {"labels": 1},
            "follows a score, and what is guided is none",
        ),
    ],
)
def test_what_cannot_be_is_refused(settings: dict[str, Any], arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        generate(model(10), sampling=Sampling(**{"steps": 2} | settings), **{"count": 2} | arguments)


def test_a_generator_of_one_step_has_no_use_for_the_rest() -> None:
    gan = GAN().eval().requires_grad_(False)
    with pytest.raises(_checks.Unsupported, match="a GAN draws in one step and takes no labels"):
        generate(gan, 2, labels=3)
    with pytest.raises(_checks.Unsupported, match=r"leave out sampler=… \(--sampler\) and steps=… \(--steps\)"):
        generate(gan, 2, Sampling("ddim", 7))
    with pytest.raises(_checks.Unsupported, match="has no reverse process to show"):
        path(gan, 2)


def test_what_is_no_model_of_images_is_refused() -> None:
    with pytest.raises(
        TypeError, match=r"model must be one as checkpoints.model\('ddpm-mnist'\) gives it: a str draws"
    ):
        generate("ddpm-mnist", 2)  # type: ignore[arg-type]
    with pytest.raises(_checks.Unsupported, match="a Classifier draws no images"):
        generate(Classifier(), 2)  # type: ignore[arg-type]
    with pytest.raises(_checks.Unsupported, match=r"the model draws \(2,\), no images"):
        generate(Learned(TimeMLP(2), SCHEDULE), 2)
    for dtype in (torch.float64, torch.bfloat16):
        with pytest.raises(TypeError, match=r"weights are torch\.\w+, expected float32. Use model.float\(\)"):
            generate(model().to(dtype), 2)
    with pytest.raises(TypeError, match="sampling must be a Sampling, got 'ddim'"):
        generate(model(), 2, "ddim")  # type: ignore[arg-type]

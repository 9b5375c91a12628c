"""The table of scores: real digits passed off as a model's must reach their own floors, and spoilt ones must not."""

from __future__ import annotations

import json
import math
import re
from typing import Any

import pytest
import torch
from torch import Tensor

from diffusion_teach.datasets import mnist
from diffusion_teach.denoisers import Denoiser, Learned
from diffusion_teach.generate import Sampling
from diffusion_teach.metrics import evaluation
from diffusion_teach.metrics.evaluation import averaged, evaluate, evaluate_images, illegible, ink, shares
from diffusion_teach.metrics.features import JUDGES
from diffusion_teach.networks.unet import UNet
from diffusion_teach.parameterizations import Prediction
from diffusion_teach.schedules import VP

IMAGES, LABELS = (part[torch.randperm(60_000, generator=torch.Generator().manual_seed(9))] for part in mnist.load())
LABELS_IN_ORDER, TEST = mnist.load()[1], mnist.load("test")[1]
OTHERS = mnist.to_model(IMAGES[:500])


class Forger(Denoiser):
    """Says of any noise that it is a training image: of the label, if asked for one."""

    schedule = VP()
    shape = (1, 28, 28)
    is_posterior_mean = False

    def __init__(self, classes: int = 0, noise: float = 0.0, obeys: bool = True) -> None:
        self.classes, self.noise, self.obeys, self.asked = classes, noise, obeys, 0
        self.cond: Tensor | None = None

    def given(self, cond: Tensor) -> Forger:
        self.cond = cond
        return self

    def __call__(self, x_t: Tensor, t: Tensor) -> Prediction:
        if float(t) > 0.999:
            rows = torch.arange(30_000 + self.asked, 30_000 + self.asked + len(x_t))
            if self.cond is not None and self.obeys:
                rows = torch.stack([torch.nonzero(c % 10 == LABELS)[k, 0] for k, c in enumerate(self.cond)])
            self.asked += len(x_t)
            x0 = mnist.to_model(IMAGES[rows])
            self.x0 = x0 + self.noise * torch.randn(x0.shape, generator=torch.Generator().manual_seed(0))
        alpha, sigma = self.schedule.alpha(t), self.schedule.sigma(t)
        return Prediction(self.x0, (x_t - alpha * self.x0) / sigma)


def test_real_digits_reach_their_floors() -> None:
    found = evaluate(Forger(), Sampling("ddim", 2, seed=1), count=500, draws=4)
    for judge in JUDGES:
        scores = found[judge]
        assert abs(scores["frechet"] - scores["floor"]) < 5 * scores["floor_std"]
        assert scores["times_floor"] == pytest.approx(scores["frechet"] / scores["floor"])
        assert scores["control"] > scores["floor"] + 10 * scores["floor_std"]
        for name in ("precision", "recall", "density", "coverage"):
            assert scores[name] == pytest.approx(scores[f"{name}_real"], abs=0.1)
            assert 0.75 < scores[f"{name}_real"] < 1.1
    assert 0 <= found["label_kl"] < 5 * found["label_kl_floor"]
    assert found["illegible"] == pytest.approx(found["illegible_real"], abs=0.02)
    assert found["ink"] == pytest.approx(1, abs=0.06)  # 500 digits, each ± a third
    assert found["evaluations"] == 2
    assert found["seconds_per_sample"] > 0
    assert "label_accuracy" not in found
    assert found == json.loads(json.dumps(found))
    assert {key: found[key] for key in ("count", "sampler", "steps", "guidance", "seed", "dtype")} == {
        "count": 500,
        "sampler": "ddim",
        "steps": 2,
        "guidance": 0.0,
        "seed": 1,
        "dtype": "float32",
    }


def test_shares_are_taken_on_test_images_from_all_over(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Tensor] = []
    real = evaluation.seen_by
    monkeypatch.setattr(evaluation, "seen_by", lambda judge, images: seen.append(images) or real(judge, images))
    shares(OTHERS[:200])
    test = mnist.to_model(mnist.load("test")[0])
    rows = [int((test == image).flatten(1).all(1).nonzero()[0]) for image in seen[0]]
    assert len(set(rows)) == 200
    assert 3000 < sum(rows) / 200 < 7000  # the first half was written by others than the second, and is easier


def test_means_over_seeds_are_means() -> None:
    rows = [
        {"seed": k, "sampler": "x", "ink": v / 4}
        | {judge: {"frechet": float(v), "floor": float(f), "times_floor": v / f} for judge in JUDGES}
        for k, v, f in ((3, 4, 2), (4, 8, 1))
    ]
    found = averaged(lambda how: rows[how.seed - 3], Sampling(seed=3), repeats=2)
    assert found == {
        "seed": 3,
        "sampler": "x",
        "ink": 1.5,
        "repeats": 2,
    } | {
        judge: {"frechet": 6.0, "floor": 1.5, "times_floor": 4.0, "frechet_std": pytest.approx(math.sqrt(8))}
        for judge in JUDGES
    }
    assert averaged(lambda how: rows[0], repeats=1) == rows[0] | {"repeats": 1}


def test_noise_shows_in_distance_and_recall() -> None:
    found = evaluate(Forger(noise=0.8), Sampling(steps=1), count=500, draws=2)
    for judge in JUDGES:
        assert found[judge]["times_floor"] > 20
        assert found[judge]["recall"] < 0.2
        assert found[judge]["coverage"] < 0.4 * found[judge]["coverage_real"]
    assert found["illegible"] > 0.1
    assert found["ink"] > 1.2  # what is whiter than paper is cut off


def test_a_model_with_labels_is_given_them_and_judged_by_them() -> None:
    obeys, does_not = (
        evaluate(Forger(10, obeys=obeys), Sampling(steps=1), count=100, draws=2) for obeys in (True, False)
    )
    assert obeys["label_accuracy"] > 0.95
    assert obeys["label_accuracy_real"] > 0.95
    assert does_not["label_accuracy"] < 0.3


def test_guidance_costs_twice_and_needs_labels() -> None:
    found = evaluate(Forger(10), Sampling(steps=3, guidance=1.0), count=100, draws=2)
    assert found["evaluations"] == 6
    with pytest.raises(ValueError, match="the model takes no labels"):
        evaluate(Forger(), Sampling(guidance=1.0), count=100)


def test_half_of_the_digits_halve_recall_and_coverage() -> None:
    found = evaluate_images(mnist.to_model(IMAGES[LABELS < 5][:500]), draws=2)
    for judge, lost in (("classifier", 0.25), ("encoder", 0.15)):
        for name in ("recall", "coverage"):
            assert found[judge][name] < found[judge][f"{name}_real"] - lost
        for name in ("precision", "density"):
            assert found[judge][name] > found[judge][f"{name}_real"] - 0.15
    half = math.log(len(TEST) / int((TEST < 5).sum()))  # equal shares of the half that is there
    assert found["label_kl"] == pytest.approx(half, abs=0.05)


def test_the_control_is_blurred() -> None:
    found = evaluate_images(OTHERS, draws=2)
    for judge in JUDGES:
        assert abs(found[judge]["frechet"] - found[judge]["floor"]) < 0.3 * found[judge]["control"]


def test_scrawls_are_illegible_and_ink_is_counted() -> None:
    scrawled = OTHERS.clone()
    scrawled[:100] = torch.maximum(OTHERS[:100], OTHERS[100:200])
    found = evaluate_images(scrawled, draws=2)
    # A fifth are two digits on top of one another; of many of these the classifier is sure nonetheless.
    assert 0.02 < found["illegible"] - found["illegible_real"] < 0.2
    assert ink(scrawled) > 1.1
    assert ink(-torch.ones(2, 1, 28, 28)) == 0
    assert ink(mnist.to_model(IMAGES)) == pytest.approx(1, abs=1e-6)
    logits = torch.tensor([0.89, 0.9 + 1e-6, 0.95, 0.2]).log()[:, None].expand(4, 10).clone()
    logits[:, 1:] = ((1 - logits[:, :1].exp()) / 9).log()
    assert illegible(logits) == 0.5


def test_images_of_any_generator_are_scored_like_those_of_a_denoiser() -> None:
    forger = Forger(10)
    through = evaluate(forger, Sampling("ddim", 1, seed=3), count=100, draws=2)
    wanted = LABELS_IN_ORDER[torch.randperm(60_000, generator=torch.Generator().manual_seed(3))[:100]]
    alone = evaluate_images(forger.x0, labels=wanted, draws=2, seed=3)
    assert set(alone) < set(through)
    for part, whole in ((alone, through), *((alone[judge], through[judge]) for judge in JUDGES)):
        # One step of DDIM returns the forger's images within rounding
        numbers = {key: value for key, value in part.items() if not isinstance(value, dict)}
        assert {key: whole[key] for key in numbers} == pytest.approx(numbers, rel=1e-3)
    assert alone["label_accuracy"] > 0.95


def test_scoring_draws_nothing_from_elsewhere_and_twice_is_the_same() -> None:
    state = torch.get_rng_state()
    first, second = (evaluate_images(OTHERS, draws=2, seed=seed) for seed in (0, 0))
    assert first == second
    assert torch.equal(torch.get_rng_state(), state)
    first["encoder"]["floor"] = -1.0
    assert evaluate_images(OTHERS, draws=2)["encoder"]["floor"] == second["encoder"]["floor"] > 0


def test_values_beyond_the_range_are_clamped() -> None:
    assert evaluate_images(1.5 * OTHERS[:100], draws=2) == evaluate_images((1.5 * OTHERS[:100]).clamp(-1, 1), draws=2)


@pytest.mark.parametrize(
    ("images", "labels", "error", "message"),
    [
        (IMAGES[:100], None, TypeError, "Use datasets.mnist.to_model"),
        ((OTHERS[:100] + 1) / 2, None, ValueError, "got values from 0 to 1. From [0, 1] it is 2 * images - 1"),
        (OTHERS[:99], None, ValueError, "len(images) must be between 100 and 10000, got 99"),
        (OTHERS[:100, 0], None, ValueError, "images must have shape (n, 1, 28, 28)"),
        (torch.full((100, 1, 28, 28), torch.nan), None, ValueError, "images must be finite"),
        (OTHERS[:100], torch.zeros(99, dtype=torch.int64), ValueError, "labels must have shape (100)"),
        (OTHERS[:100], torch.full((100,), 10), ValueError, "labels must lie in 0 … 9, got 10 to 10"),
    ],
)
def test_images_on_another_scale_are_refused(
    images: Tensor, labels: Tensor | None, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=re.escape(message)):
        evaluate_images(images, labels=labels)


def test_shares_need_more_images_than_neighbours() -> None:
    with pytest.raises(ValueError, match="must hold more than k = 5"):
        shares(OTHERS[:5])


def test_a_fresh_network_is_measured_without_a_word_and_badly() -> None:
    torch.manual_seed(0)
    network = UNet((8, 8), blocks=1, dense=0, embedding=8)
    found = evaluate(Learned(network, VP(), "v").requires_grad_(False), Sampling(steps=2), count=100, draws=2)
    assert all(found[judge]["times_floor"] > 3 for judge in JUDGES)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"count": 99}, "count must be between 100 and 10000, got 99"),
        ({"draws": 1}, "draws must be at least 2"),
        ({"sampling": Sampling(guidance=1.0)}, "the model takes no labels"),
    ],
)
def test_bad_settings_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        evaluate(Forger(), **arguments)

"""`diffusion-teach evaluate`: scores beside their floors."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from diffusion_teach import checkpoints, recipes
from diffusion_teach.metrics.features import JUDGES
from tests.cli.quick import bad, good


def test_evaluate_measures_a_gan(one_step: str) -> None:
    text = good("evaluate", one_step, "--count", 100)
    assert text.splitlines()[0].endswith("100 samples in one step, seed 0, float32")
    assert "leave out --steps" in bad(2, "evaluate", one_step, "--count", 100, "--steps", 3)


def test_evaluate_shows_the_scores_beside_their_floors(labelled: str) -> None:
    options = [labelled, "--count", 100, "--guidance", 1, "--seed", 2]
    found = json.loads(good("evaluate", *options, "--json"))
    assert (found["sampler"], found["steps"], found["evaluations"]) == ("ddim", 3, 6)
    assert found["dtype"] == "float32"
    assert json.loads(good("evaluate", *options, "--json", "--precision", "bfloat16"))["dtype"] == "bfloat16"
    text = good("evaluate", *options)
    assert "100 samples by ddim, 3 steps, guidance 1, seed 2, float32" in text
    rows = {line.strip().split("   ")[0]: line for line in text.splitlines()}
    for judge, part in zip(JUDGES, re.split("by the .*", text)[1:], strict=True):
        scores, its = found[judge], {line.strip().split("   ")[0]: line for line in part.splitlines()}
        assert f"{scores['frechet']:.2f}" in its["Fréchet distance"]
        assert f"{scores['floor']:.2f} ± {scores['floor_std']:.2f}" in its["Fréchet distance"]
        assert f"{scores['control']:.2f}" in its["Fréchet distance"]
        for name in ("precision", "recall", "density", "coverage"):
            assert f"{scores[name]:.3f}" in its[name]
            assert f"{scores[f'{name}_real']:.3f}" in its[name]
    for name in ("illegible", "ink", "label accuracy"):
        key = name.replace(" ", "_")
        assert f"{found[key]:.3f}" in rows[name]
        assert f"{found[f'{key}_real']:.3f}" in rows[name]
    assert f"{found['label_kl']:.4f}" in rows["label KL"]
    assert f"{found['label_kl_floor']:.4f}" in rows["label KL"]
    assert "6" in rows["evaluations a sample"]


def test_guidance_may_act_in_an_interval(labelled: str) -> None:
    options = [labelled, "--count", 100, "--guidance", 1, "--between", -5, 5]
    found = json.loads(good("evaluate", *options, "--json"))
    assert found["between"] == [-5, 5]
    assert 3 < found["evaluations"] < 6
    assert "guidance 1 between log-SNRs -5 and 5" in good("evaluate", *options)
    assert "the smaller first" in bad(1, "evaluate", *options[:-2], 3, -3)
    assert "give --guidance too" in bad(2, "evaluate", labelled, "--between", -5, 5)


def test_a_card_is_measured_again(plain: str, tmp_path: Path) -> None:
    own = tmp_path / "own.safetensors"
    own.write_bytes(Path(plain).read_bytes())
    card = checkpoints.card(plain)
    own.with_suffix(".json").write_text(json.dumps({**card, "metrics": {"seen": 0.1}}), encoding="utf-8")
    assert json.loads(good("evaluate", own, "--card", "--json")) == card["metrics"]
    assert checkpoints.card(own) == card
    for option in (["--count", 100], ["--repeats", 2], ["--steps", 2], ["--seed", 1]):
        assert "leave out what says otherwise" in bad(2, "evaluate", own, "--card", *option)
    assert checkpoints.card(own) == card


def test_guidance_of_an_unconditional_model_is_refused(plain: str) -> None:
    assert "takes no labels" in bad(2, "evaluate", plain, "--count", 100, "--guidance", 1)


def test_a_classifier_is_measured_by_its_recipe(monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = recipes.get("classifier")
    measured: Any = lambda self, model, how, **_: {"test_accuracy": 0.875, "seed": how.seed}  # noqa: E731
    with monkeypatch.context() as patch:
        patch.setattr(type(recipe), "measure", measured)
        _says_what_it_measures()
    for option in (["--steps", 3], ["--count", 100], ["--repeats", 2], ["--guidance", 1], ["--sampler", "ddim"]):
        assert "leave out what says how many (--count, --repeats)" in bad(2, "evaluate", "classifier", *option)


def _says_what_it_measures() -> None:
    assert "test accuracy   0.875" in good("evaluate", "classifier")
    assert json.loads(good("evaluate", "classifier", "--json")) == {"test_accuracy": 0.875, "seed": 0}


def test_weights_of_a_recipe_of_one_s_own_are_drawn_and_only_it_can_measure_them(plain: str, tmp_path: Path) -> None:
    own = tmp_path / "own.safetensors"
    own.write_bytes(Path(plain).read_bytes())
    card = json.loads(Path(plain).with_suffix(".json").read_text(encoding="utf-8"))
    own.with_suffix(".json").write_text(json.dumps({**card, "recipe": "my-own"}), encoding="utf-8")
    assert "2 images by ddim, 3 steps" in good("sample", own, "--count", 2, "--out", tmp_path / "x.npz")
    message = bad(2, "evaluate", own)
    assert "only its recipe knows how a model is measured, and 'my-own' is none of this library's" in message
    assert "metrics.evaluation.evaluate_images" in message
    own.with_suffix(".json").write_text(json.dumps({**card, "recipe": "classifier"}), encoding="utf-8")
    assert "'classifier' is none of this library's for it" in bad(2, "evaluate", own)


def test_a_seed_that_decides_nothing_is_refused(plain: str) -> None:
    assert "a Classifier draws none" in bad(2, "evaluate", "classifier", "--seed", 0)
    assert "--card measures as the recipe does" in bad(2, "evaluate", plain, "--card", "--seed", 0)

"""`diffusion-teach train`: that it is the library's training, and how it answers failures and Ctrl-C."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from diffusion_teach.checkpoints import files
from diffusion_teach.recipes.diffusion import DiffusionRecipe
from diffusion_teach.training import run
from tests.cli.quick import PLAIN, bad, good


def test_train_is_the_library_s_train(tmp_path: Path) -> None:
    out = tmp_path / "by.safetensors"
    text = good("train", "plain", "--steps", 3, "--seed", 4, "--out", out)
    assert "by.safetensors: " in text
    assert "3 steps" in text
    assert "seen 0.5" in text
    same = run.train(PLAIN, tmp_path, steps=3, seed=4, progress=False)
    assert out.read_bytes() == same.read_bytes()
    assert not list(tmp_path.glob("*training*"))


def test_minutes_and_precision_are_passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    taken: dict[str, Any] = {}

    def train(recipe: DiffusionRecipe, out: Path, **options: Any) -> Path:
        taken.update(options, precision=recipe.precision)
        return files.FOLDER / "classifier.safetensors"

    monkeypatch.setattr(run, "train", train)
    good("train", "plain", "--minutes", 2.5, "--precision", "bfloat16", "--device", "cpu", "--out", tmp_path)
    assert taken == {
        "precision": "bfloat16",
        "minutes": 2.5,
        "steps": None,
        "seed": None,
        "device": "cpu",
        "resume": False,
        "overwrite": False,
    }


def test_nothing_is_replaced_unasked(tmp_path: Path) -> None:
    good("train", "plain", "--out", tmp_path)
    before = (tmp_path / "plain.safetensors").read_bytes()
    message = bad(1, "train", "plain", "--seed", 1, "--out", tmp_path)
    assert "exists already" in message
    assert "--overwrite" in message
    assert "overwrite=True" not in message
    assert (tmp_path / "plain.safetensors").read_bytes() == before
    good("train", "plain", "--seed", 1, "--overwrite", "--out", tmp_path)
    assert (tmp_path / "plain.safetensors").read_bytes() != before


def test_ctrl_c_exits_with_130_and_resume_ends_at_the_same_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train = run.train

    def stopped_at_2(*arguments: Any, **options: Any) -> Path:
        def on_step(step: int, loss: float) -> None:
            if step == 2:
                os.kill(os.getpid(), signal.SIGINT)

        return train(*arguments, **options, on_step=on_step)

    with monkeypatch.context() as patched:
        patched.setattr(run, "train", stopped_at_2)
        message = bad(130, "train", "plain", "--out", tmp_path)
    assert "after 3 of 5 steps" in message
    assert message.endswith("Go on with --resume.")
    assert not (tmp_path / "plain.safetensors").exists()
    good("train", "plain", "--resume", "--out", tmp_path)
    good("train", "plain", "--out", tmp_path / "at-once.safetensors")
    assert (tmp_path / "plain.safetensors").read_bytes() == (tmp_path / "at-once.safetensors").read_bytes()


def test_failed_trainings_exit_with_1_and_say_why(tmp_path: Path) -> None:
    message = bad(1, "train", "broken", "--out", tmp_path)
    assert "the loss became nan at step 0 of 5, learning rate" in message
    (tmp_path / "file").write_text("", encoding="utf-8")
    assert "file" in bad(1, "train", "plain", "--out", tmp_path / "file" / "inside")
    assert "device" in bad(1, "train", "plain", "--device", "tpu", "--out", tmp_path / "new")
    good("train", "plain", "--out", tmp_path)
    assert "seed 0, but 1 was asked for" in bad(1, "train", "plain", "--resume", "--seed", 1, "--out", tmp_path)


def test_contradictions_are_wrong_usage(tmp_path: Path) -> None:
    assert "not both" in bad(2, "train", "plain", "--steps", 1, "--minutes", 1, "--out", tmp_path)
    assert "one of them" in bad(2, "train", "plain", "--resume", "--overwrite", "--out", tmp_path)
    assert "x>=1" in bad(2, "train", "plain", "--steps", 0, "--out", tmp_path)
    assert "x>0" in bad(2, "train", "plain", "--minutes", 0, "--out", tmp_path)
    assert not list(tmp_path.iterdir())

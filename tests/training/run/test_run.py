"""A run of a recipe: what it writes, and what decides its weights."""

from __future__ import annotations

import dataclasses
import itertools
import json
import threading
from pathlib import Path

import pytest
import torch
from torch import Tensor

from diffusion_teach import checkpoints
from diffusion_teach.training import run
from tests.training import tiny
from tests.training.run.helpers import equal, interrupted, stop_at, trained
from tests.training.tiny import TINY


def test_a_run_leaves_a_checkpoint_and_its_card_and_nothing_else(tmp_path: Path) -> None:
    seen: list[tuple[int, float]] = []
    path = run.train(TINY, tmp_path / "new", steps=7, seed=3, on_step=lambda k, loss: seen.append((k, loss)))
    assert path == tmp_path / "new" / "tiny.safetensors"
    assert {file.name for file in path.parent.iterdir()} == {"tiny.safetensors", "tiny.json"}
    card = checkpoints.card(path)
    assert [k for k, _ in seen] == list(range(7))
    assert card["loss"] == pytest.approx(sum(loss for _, loss in seen) / 7)
    assert {key: card[key] for key in ("recipe", "seed", "steps", "batch", "precision")} == {
        "recipe": "tiny",
        "seed": 3,
        "steps": 7,
        "batch": 12,
        "precision": "float32",
    }
    assert card["command"] == "diffusion-teach train tiny --steps 7 --seed 3 --precision float32"
    assert card["metrics"] == {"parameters": sum(value.numel() for value in checkpoints.load(path).values())}


def test_the_seed_decides_the_weights_and_torchs_own_generator_is_left_alone(
    tmp_path: Path, whole: dict[str, Tensor]
) -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    assert equal(trained(tmp_path / "a"), whole)
    assert torch.equal(torch.get_rng_state(), before)
    assert not equal(trained(tmp_path / "b", seed=1), whole)


def test_a_training_without_files_makes_the_same_weights(whole: dict[str, Tensor]) -> None:
    model = run.trained(TINY)
    assert equal(dict(model.state_dict()), whole)
    assert not model.training
    assert not any(weight.requires_grad for weight in model.parameters())
    assert not equal(dict(run.trained(TINY, steps=5).state_dict()), whole)
    assert not equal(dict(run.trained(TINY, seed=1).state_dict()), whole)
    with pytest.raises(FloatingPointError):
        run.trained(dataclasses.replace(TINY, nan_at=2))


def test_the_training_trains_and_the_average_is_what_is_shipped(tmp_path: Path, whole: dict[str, Tensor]) -> None:
    losses: list[float] = []
    raw = dataclasses.replace(TINY, ema=None)
    weights = checkpoints.load(run.train(raw, tmp_path, on_step=lambda k, loss: losses.append(loss)))
    assert sum(losses[-5:]) < 0.7 * sum(losses[:5])
    assert not equal(weights, whole)


def test_what_is_there_is_neither_replaced_nor_taken_up_unasked(tmp_path: Path, whole: dict[str, Tensor]) -> None:
    state = interrupted(tmp_path)
    data = state.read_bytes()
    with pytest.raises(FileExistsError, match=r"unfinished training is in .*--resume.*--overwrite"):
        trained(tmp_path)
    assert state.read_bytes() == data
    assert not equal(trained(tmp_path, overwrite=True, seed=1), whole)
    with pytest.raises(FileExistsError, match=r"tiny\.safetensors exists already.*--overwrite"):
        trained(tmp_path)
    before = (tmp_path / "tiny.safetensors").stat().st_mtime_ns
    assert not equal(trained(tmp_path, resume=True), whole)
    with pytest.raises(ValueError, match="has seed 1, but 0 was asked for"):
        trained(tmp_path, resume=True, seed=0)
    assert (tmp_path / "tiny.safetensors").stat().st_mtime_ns == before
    assert equal(trained(tmp_path, overwrite=True), whole)


def test_an_old_checkpoint_stays_until_the_new_one_is_whole(tmp_path: Path, whole: dict[str, Tensor]) -> None:
    old = trained(tmp_path, seed=1)
    interrupted(tmp_path, overwrite=True)
    assert equal(checkpoints.load(tmp_path / "tiny.safetensors"), old)
    assert equal(trained(tmp_path, resume=True), whole)


def test_minutes_become_steps_that_a_resumed_run_keeps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out, steps = tmp_path / "one", 24
    with monkeypatch.context() as patched:  # a clock that goes on by 10 ms a look, and is looked at once a step
        patched.setattr("time.perf_counter", itertools.count(step=0.01).__next__)
        with pytest.raises(run.Interrupted, match=f"after 3 of {steps} steps"):
            run.train(TINY, out, minutes=0.004, on_step=stop_at(2), progress=False)
    resumed = trained(out, minutes=5, resume=True)
    assert checkpoints.card(out / "tiny.safetensors")["steps"] == steps
    assert equal(trained(tmp_path / "two", steps=steps), resumed)


def test_half_precision_is_measured_as_it_is_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measured: dict[str, Tensor] = {}
    monkeypatch.setattr(tiny.Tiny, "measure", lambda self, m, seed: measured.update(m.state_dict()) or {})
    weights = checkpoints.load(run.train(dataclasses.replace(TINY, half=True), tmp_path, steps=3))
    assert equal(weights, measured)
    assert all(torch.equal(value.half().float(), value) for value in weights.values())


def test_bfloat16_trains_and_a_resumed_run_keeps_it(tmp_path: Path, whole: dict[str, Tensor]) -> None:
    recipe = dataclasses.replace(TINY, precision="bfloat16")
    expected = checkpoints.load(run.train(recipe, tmp_path / "a"))
    with pytest.raises(run.Interrupted):
        run.train(recipe, tmp_path / "b", on_step=stop_at(4))
    path = run.train(recipe, tmp_path / "b", resume=True)
    assert equal(checkpoints.load(path), expected)
    assert checkpoints.card(path)["precision"] == "bfloat16"
    assert not equal(expected, whole)
    assert all(value.dtype == torch.float32 for value in expected.values())


def test_a_run_outside_the_main_thread_works_too(tmp_path: Path, whole: dict[str, Tensor]) -> None:
    results: list[dict[str, Tensor]] = []
    thread = threading.Thread(target=lambda: results.append(trained(tmp_path)))
    thread.start()
    thread.join()
    assert equal(results[0], whole)


def test_where_a_run_writes(tmp_path: Path) -> None:
    assert run.output_path(TINY, tmp_path) == tmp_path / "tiny.safetensors"
    assert run.output_path(TINY, "new") == Path("new/tiny.safetensors")
    assert run.output_path(TINY, "runs/mine.safetensors") == Path("runs/mine.safetensors")
    assert run.state_path(Path("runs/mine.safetensors")) == Path("runs/mine.training.safetensors")


def test_the_card_is_plain_json(tmp_path: Path) -> None:
    path = run.train(TINY, tmp_path, steps=1)
    assert json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))["summary"] == "a test"

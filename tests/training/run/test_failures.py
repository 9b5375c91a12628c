"""A run that fails says why, and what was good stays: full disks, numbers that are none, bad input."""

from __future__ import annotations

import dataclasses
import errno
import os
import resource
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from diffusion_teach import _files, recipes
from diffusion_teach.training import resume, run
from tests.training.run.helpers import STATE, equal, trained
from tests.training.tiny import TINY


def test_a_full_disk_leaves_the_last_good_state(
    tmp_path: Path, whole: dict[str, Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    state, sync, calls = tmp_path / STATE, os.fsync, []

    def full(handle: int) -> None:
        calls.append(handle)
        if len(calls) > 5:
            raise OSError(errno.ENOSPC, "No space left on device")
        sync(handle)

    monkeypatch.setattr(_files.os, "fsync", full)
    with pytest.raises(OSError, match=rf"could not write {state} .*No space left.*is untouched.*--resume") as caught:
        trained(tmp_path, save_seconds=0)
    assert caught.value.errno == errno.ENOSPC
    assert len(resume.unpack(state.read_bytes(), state).losses) == 4  # one save before the first step
    assert {file.name for file in tmp_path.iterdir()} == {STATE}
    monkeypatch.undo()
    assert equal(trained(tmp_path, resume=True), whole)


def test_a_full_disk_at_the_very_end_costs_only_the_writing(
    tmp_path: Path, whole: dict[str, Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    write = _files.write_atomically

    def full(path: Path, data: bytes) -> None:
        if path.suffix == ".json":
            raise OSError(errno.ENOSPC, "No space left on device")
        write(path, data)

    monkeypatch.setattr(_files, "write_atomically", full)
    with pytest.raises(OSError, match=r"could not write .*tiny\.safetensors.*No space left"):
        trained(tmp_path)
    monkeypatch.undo()
    seen: list[int] = []
    assert equal(trained(tmp_path, resume=True, on_step=lambda k, loss: seen.append(k)), whole)
    assert not seen


def test_a_limit_on_file_sizes_is_named_before_the_first_step(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    seen: list[int] = []
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(OSError, match=rf"could not write .*{STATE}") as caught:
            trained(tmp_path, on_step=lambda k, loss: seen.append(k))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert caught.value.errno == errno.EFBIG
    assert not seen
    assert not list(tmp_path.iterdir())


def test_a_place_that_cannot_be_written_to_is_named_before_the_first_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="could not write"):
        trained(tmp_path / "file" / "below")

    def denied(*_: object, **__: object) -> None:  # a superuser's tests cannot take the permission away
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(_files.os, "open", denied)
    with pytest.raises(PermissionError, match=r"could not write .*Permission denied.*folder that can be written to"):
        trained(tmp_path)


@pytest.mark.parametrize("last", [False, True])
def test_a_nan_stops_with_step_and_rate_and_keeps_the_last_good_state(tmp_path: Path, last: bool) -> None:
    poisoned = dataclasses.replace(TINY, nan_at=29 if last else 12)
    with pytest.raises(FloatingPointError, match=r"at step \d+ of 30, learning rate .*Try a smaller lr"):
        run.train(poisoned, tmp_path, save_seconds=0, progress=False)
    found = resume.unpack((tmp_path / STATE).read_bytes(), tmp_path / STATE)
    assert len(found.losses) == poisoned.nan_at
    assert all(torch.isfinite(value).all() for value in found.tensors.values())


def test_weights_that_are_no_numbers_are_never_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A gradient may be NaN where the loss is not; the next loss tells, or the end of the training."""
    steps = []
    step = torch.optim.AdamW.step

    def poisoned(self: torch.optim.AdamW) -> None:
        steps.append(0)
        step(self)
        if len(steps) == TINY.steps:
            with torch.no_grad():
                self.param_groups[0]["params"][0].fill_(torch.nan)

    monkeypatch.setattr(torch.optim.AdamW, "step", poisoned)
    with pytest.raises(FloatingPointError, match="a weight became NaN or infinite at the last step, 30"):
        trained(tmp_path, save_seconds=0)
    assert len(resume.unpack((tmp_path / STATE).read_bytes(), tmp_path / STATE).losses) == TINY.steps - 1


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        ({"recipe": "tiny"}, TypeError, "recipe must be a Recipe.*got 'tiny'"),
        ({"steps": 0}, ValueError, "steps must be at least 1"),
        ({"steps": 5, "minutes": 1}, ValueError, "steps or minutes, not both"),
        ({"minutes": 0}, ValueError, "minutes must be above 0"),
        ({"seed": -1}, ValueError, "seed must be between 0 and"),
        ({"save_seconds": -1}, ValueError, "save_seconds must be at least 0"),
        ({"device": "gpu"}, ValueError, "device must be one of"),
        ({"resume": True, "overwrite": True}, ValueError, "choose one"),
        ({"out": "model.pt"}, ValueError, "a file that ends in .safetensors, got 'model.pt'"),
    ],
)
def test_bad_input_is_named_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: dict[str, Any], kind: type[Exception], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(kind, match=message):
        run.train(**({"recipe": TINY, "out": tmp_path} | arguments))
    assert not list(tmp_path.iterdir())


def test_a_refused_training_touches_nothing(tmp_path: Path) -> None:
    trained(tmp_path, steps=1)
    (tmp_path / ".tiny.safetensors.swp").touch()
    (tmp_path / f".tiny.safetensors.01234567{_files.HALF}").touch()
    before = {file.name: file.stat().st_mtime_ns for file in tmp_path.iterdir()}
    with pytest.raises(FileExistsError, match="exists already"):
        trained(tmp_path, steps=1)
    assert {file.name: file.stat().st_mtime_ns for file in tmp_path.iterdir()} == before


def test_two_trainings_in_one_place_do_not_overwrite_one_another(tmp_path: Path) -> None:
    with resume.alone(tmp_path / STATE):
        for arguments in ({}, {"overwrite": True}, {"resume": True}):
            with pytest.raises(BlockingIOError, match="another training is writing"):
                trained(tmp_path, **arguments)
        assert not (tmp_path / STATE).exists()


def test_an_empty_state_is_damaged_and_not_a_fresh_start(tmp_path: Path) -> None:
    (tmp_path / STATE).touch()
    with pytest.raises(_files.DamagedFileError, match=f"{STATE} is damaged"):
        trained(tmp_path, resume=True)


def test_a_model_that_cannot_be_measured_is_refused_before_the_first_step(tmp_path: Path) -> None:
    seen: list[int] = []
    recipe = dataclasses.replace(recipes.get("ddpm-mnist"), schedule="continuous-cosine", target="eps", network={})
    with pytest.raises(ValueError, match="what the recipe 'ddpm-mnist' makes could not be measured: the target 'eps'"):
        run.train(recipe, tmp_path, progress=False, on_step=lambda k, loss: seen.append(k))
    assert not seen
    assert not list(tmp_path.iterdir())

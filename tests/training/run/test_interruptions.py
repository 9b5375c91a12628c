"""A run that is killed, stopped or resumed ends at the same weights as one that nothing disturbed."""

from __future__ import annotations

import dataclasses
import os
import random
import signal
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from diffusion_teach import checkpoints
from diffusion_teach._files import DamagedFileError
from diffusion_teach.training import resume, run
from tests.training import tiny
from tests.training.run.helpers import STATE, equal, interrupted, saved_at, start, trained
from tests.training.tiny import TINY


@pytest.mark.parametrize(("threads", "kills", "steps"), [(2, 3, 40), (1, 12, 300)])
def test_kill_9_at_random_moments_costs_nothing(tmp_path: Path, threads: int, kills: int, steps: int) -> None:
    """Killed again and again without warning, soon after it has saved once more, then left to finish."""
    out, moments, killed_at = tmp_path / "out", random.Random(threads), []
    for _ in range(kills):
        before = saved_at(out / STATE)
        process = start(out, threads=threads, resume=True, steps=steps)
        while process.is_alive() and saved_at(out / STATE) == before:
            time.sleep(0.001)
        time.sleep(moments.uniform(0, 0.02))
        process.kill()
        process.join()
        if process.exitcode == 0:  # on a busy machine it was done first
            break
        assert process.exitcode == -signal.SIGKILL
        killed_at.append(len(resume.unpack((out / STATE).read_bytes(), out / STATE).losses))
    assert killed_at == sorted(killed_at)
    assert sum(0 < step < steps for step in killed_at) >= len(killed_at) / 3
    if process.exitcode != 0:
        process = start(out, threads=threads, resume=True, steps=steps)
        process.join()
    assert process.exitcode == 0
    whole = start(tmp_path / "whole", threads=threads, steps=steps)
    whole.join()
    assert equal(checkpoints.load(out / "tiny.safetensors"), checkpoints.load(tmp_path / "whole/tiny.safetensors"))
    assert {file.name for file in out.iterdir()} == {"tiny.safetensors", "tiny.json"}


def test_kill_9_before_each_change_to_a_file_costs_nothing(tmp_path: Path) -> None:
    expected = trained(tmp_path / "whole", steps=3)
    died = 0
    for number in range(1, 100):
        out = tmp_path / str(number)
        process = start(out, die_at=number, steps=3, resume=True)
        process.join()
        if process.exitcode == 0:
            break
        assert process.exitcode == -signal.SIGKILL
        died += 1
        assert equal(trained(out, steps=3, resume=True), expected), number
        assert {file.name for file in out.iterdir()} == {"tiny.safetensors", "tiny.json"}
    assert process.exitcode == 0
    # Saved at the start, after 3 steps and at the end, then checkpoint and card; one removal; a lock, taken and let go.
    assert died == 3 * 7 + 1 + 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_obeyed_after_the_step(tmp_path: Path, whole: dict[str, Tensor], number: signal.Signals) -> None:
    handlers = [signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)]

    def on_step(k: int, loss: float) -> None:
        if k == 11:
            os.kill(os.getpid(), number)

    with pytest.raises(run.Interrupted, match=rf"stopped by {number.name} after 12 of 30 steps.*--resume") as caught:
        run.train(TINY, tmp_path, on_step=on_step, progress=False)
    assert caught.value.signal == number
    assert [signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)] == handlers
    assert {file.name for file in tmp_path.iterdir()} == {STATE}
    seen: list[int] = []
    assert equal(trained(tmp_path, resume=True, on_step=lambda k, loss: seen.append(k)), whole)
    assert seen == list(range(12, 30))


@pytest.mark.parametrize(
    ("change", "arguments", "message"),
    [
        ({}, {"steps": 31}, "has steps 30, but 31 was asked for"),
        ({}, {"seed": 4}, "has seed 0, but 4 was asked for"),
        ({"name": "other"}, {}, "has recipe 'tiny', but 'other' was asked for"),
        ({"width": 8}, {}, "has width 6, but 8 was asked for"),
        ({"rate": 0.01}, {}, "has rate 0.02, but 0.01 was asked for"),
        ({"batch": 6}, {}, "has batch 12, but 6 was asked for"),
    ],
)
def test_a_state_of_another_training_is_refused(
    tmp_path: Path, change: dict[str, Any], arguments: dict[str, Any], message: str
) -> None:
    state = interrupted(tmp_path)
    data = state.read_bytes()
    with pytest.raises(ValueError, match=message) as caught:
        run.train(dataclasses.replace(TINY, **change), tmp_path / "tiny.safetensors", resume=True, **arguments)
    assert str(state) in str(caught.value)
    assert state.read_bytes() == data


def test_a_state_of_another_architecture_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the recipe's fields agree, as after a change of the library's code."""
    state = interrupted(tmp_path)
    monkeypatch.setattr(tiny.Tiny, "model", lambda self: torch.nn.Sequential(torch.nn.Conv2d(1, 6, 5), torch.nn.SiLU()))
    monkeypatch.setattr(tiny.Tiny, "optimizers", lambda self, m: [torch.optim.AdamW(m.parameters())])
    with pytest.raises(ValueError, match=r"another architecture: .*0\.weight has the shape \(6, 1, 3, 3\)"):
        trained(tmp_path, resume=True)
    assert state.exists()


@pytest.mark.parametrize("how", ["truncated", "flipped"])
def test_a_damaged_state_is_refused(tmp_path: Path, whole: dict[str, Tensor], how: str) -> None:
    state = interrupted(tmp_path)
    data = bytearray(state.read_bytes())
    data[len(data) // 2] ^= 1
    state.write_bytes(data if how == "flipped" else data[:-10])
    with pytest.raises(DamagedFileError, match=rf"{STATE} is damaged.*--overwrite"):
        trained(tmp_path, resume=True)
    assert equal(trained(tmp_path, overwrite=True), whole)

"""A run of a recipe: what it writes, and that it ends at the same weights whatever happens on the way."""

from __future__ import annotations

import dataclasses
import errno
import json
import os
import random
import resource
import signal
import threading
import time
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from diffusion_teach import _files, checkpoints, resume
from diffusion_teach._files import DamagedFileError
from diffusion_teach.recipes import run
from tests.processes import FORK
from tests.recipes import tiny
from tests.recipes.tiny import TINY

STATE = "tiny.training.safetensors"


def start(out: Path, *, threads: int | None = None, die_at: int | None = None, **arguments: Any) -> BaseProcess:
    process = FORK.Process(target=tiny.child, args=(threads, die_at, out, arguments))
    process.start()
    return process


def saved_at(path: Path) -> int:
    """When a file was last written; 0 where there is none."""
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return 0


def trained(out: Path, **arguments: Any) -> dict[str, Tensor]:
    return checkpoints.load(run.train(TINY, out, progress=False, **arguments))


def equal(a: dict[str, Tensor], b: dict[str, Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def stop_at(step: int) -> Any:
    """An on_step that presses Ctrl-C in a step."""

    def on_step(k: int, loss: float) -> None:
        if k == step:
            os.kill(os.getpid(), signal.SIGINT)

    return on_step


def interrupted(out: Path, step: int = 9, **arguments: Any) -> Path:
    with pytest.raises(run.Interrupted):
        run.train(TINY, out, on_step=stop_at(step), progress=False, **arguments)
    return out / STATE


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Tensor]:
    """The weights of a training that nothing disturbed."""
    return trained(tmp_path_factory.mktemp("whole"))


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


def test_the_training_trains_and_the_average_is_what_is_shipped(tmp_path: Path, whole: dict[str, Tensor]) -> None:
    losses: list[float] = []
    raw = dataclasses.replace(TINY, ema=None)
    weights = checkpoints.load(run.train(raw, tmp_path, on_step=lambda k, loss: losses.append(loss)))
    assert sum(losses[-5:]) < 0.7 * sum(losses[:5])
    assert not equal(weights, whole)


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
        assert process.exitcode == -signal.SIGKILL
        killed_at.append(len(resume.unpack((out / STATE).read_bytes(), out / STATE).losses))
    assert killed_at == sorted(killed_at)
    assert sum(0 < step < steps for step in killed_at) >= kills / 3
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
    assert died == 3 * 7 + 1  # saved at the start, after 3 steps and at the end, then checkpoint and card; one removal


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
    with pytest.raises(ValueError, match=r"another architecture: 0\.weight is \(6, 1, 3, 3\) there and \(6, 1, 5, 5\)"):
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

    monkeypatch.setattr(_files.tempfile, "mkstemp", denied)
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


def test_minutes_become_steps_that_a_resumed_run_keeps(tmp_path: Path) -> None:
    out = tmp_path / "one"
    with pytest.raises(run.Interrupted, match=r"after 3 of (\d+) steps") as caught:
        run.train(TINY, out, minutes=0.004, on_step=stop_at(2), progress=False)
    steps = int(str(caught.value).split(" of ")[1].split()[0])
    assert 5 < steps < 10_000
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


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        ({"recipe": "tiny"}, TypeError, "recipe must be a Recipe.*got 'tiny'"),
        ({"steps": 0}, ValueError, "steps must be at least 1"),
        ({"steps": 5, "minutes": 1}, ValueError, "steps or minutes, not both"),
        ({"minutes": 0}, ValueError, "minutes must be above 0"),
        ({"seed": -1}, ValueError, "seed must be at least 0"),
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


def test_the_card_is_plain_json(tmp_path: Path) -> None:
    path = run.train(TINY, tmp_path, steps=1)
    assert json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))["summary"] == "a test"

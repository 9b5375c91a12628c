"""The command `diffusion-teach`: what it writes and says, and how it answers wrong usage, failures and Ctrl-C."""

from __future__ import annotations

import dataclasses
import importlib
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from PIL import Image
from torch import Tensor, nn

from diffusion_teach import checkpoints, devices, recipes
from diffusion_teach.datasets import mnist
from diffusion_teach.generate import SAMPLERS, generate, in_one_call
from diffusion_teach.recipes import run, usage
from diffusion_teach.recipes.adversarial import AdversarialRecipe
from diffusion_teach.recipes.command_line import main
from diffusion_teach.recipes.diffusion import DiffusionRecipe

ROOT = Path(__file__).parents[2]
COMMANDS = ["list", "train", "sample", "evaluate"]
NETWORK = {"width": (8, 8), "blocks": 1, "dense": 0, "embedding": 8}


@dataclass(frozen=True, kw_only=True)
class Quick(DiffusionRecipe):
    """A diffusion recipe that trains in milliseconds; `broken` makes its loss NaN."""

    broken: bool = False

    def loss(self, model: nn.Module, *drawn: Tensor) -> Tensor:
        return super().loss(model, *drawn) * (torch.nan if self.broken else 1)

    def measure(self, model: nn.Module, *, seed: int) -> dict[str, Any]:
        return {"sampler": "ddim", "steps": 3, "seen": 0.5}


@dataclass(frozen=True, kw_only=True)
class QuickGAN(AdversarialRecipe):
    """A GAN recipe whose model is not measured."""

    def measure(self, model: nn.Module, *, seed: int) -> dict[str, Any]:
        return {"seen": 0.5}


PLAIN = Quick(
    name="plain", summary="a test", intended_use="tests", network=NETWORK, batch=2, steps=5, precision="float32"
)
LABELLED = dataclasses.replace(PLAIN, name="labelled", network={**NETWORK, "classes": 10}, label_dropout=0.2)
BROKEN = dataclasses.replace(PLAIN, name="broken", broken=True)
ONE_CALL = QuickGAN(
    name="one-call",
    summary="a test",
    intended_use="tests",
    network={"width": (4, 4), "dense": 8},
    batch=2,
    steps=2,
    precision="float32",
)


@pytest.fixture(autouse=True)
def _quick_recipes(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {**recipes.RECIPES, "plain": PLAIN, "labelled": LABELLED, "broken": BROKEN, "one-call": ONE_CALL}
    monkeypatch.setattr(recipes, "_recipes", lambda: known)


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    """Tiny networks gain nothing by a second thread, and wait for it where the machine is busy."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Checkpoints of the quick recipes."""
    path = tmp_path_factory.mktemp("runs")
    for recipe in (PLAIN, LABELLED, ONE_CALL):
        run.train(recipe, path, progress=False)
    return path


@pytest.fixture
def plain(folder: Path) -> str:
    return str(folder / "plain.safetensors")


@pytest.fixture
def labelled(folder: Path) -> str:
    return str(folder / "labelled.safetensors")


@pytest.fixture
def one_call(folder: Path) -> str:
    return str(folder / "one-call.safetensors")


def call(*arguments: Any) -> Result:
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def good(*arguments: Any) -> str:
    result = call(*arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def bad(code: int, *arguments: Any) -> str:
    """The error's text on one line; nothing goes to the standard output."""
    result = call(*arguments)
    assert result.exit_code == code, result.output
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    return " ".join(result.stderr.split())


def test_the_program_is_installed_under_its_name() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    module, _, name = project["scripts"]["diffusion-teach"].partition(":")
    assert getattr(importlib.import_module(module), name) is main


def test_the_names_in_the_help_are_those_of_the_library() -> None:
    assert set(usage.SAMPLERS) == set(SAMPLERS)
    assert usage.PRECISIONS == devices.PRECISIONS


def parsed(line: str) -> str:
    """The command that a line calls, after its arguments were parsed."""
    name, *arguments = shlex.split(line, comments=True)
    with click.Context(main, info_name="diffusion-teach", help_option_names=["-h", "--help"]) as parent:
        assert main.commands[name].make_context(name, arguments, parent=parent)
    return name


@pytest.mark.parametrize("command", [None, *COMMANDS])
def test_the_examples_of_the_help_can_be_parsed(command: str | None) -> None:
    text = good(*([command] if command else []), "--help")
    assert text == good(*([command] if command else []), "-h")
    lines = [line.split("diffusion-teach ")[1] for line in text.splitlines() if line.startswith("    diffusion-teach ")]
    assert len(lines) >= 2
    assert all(command in (None, parsed(line)) for line in lines)


def test_the_readme_shows_every_command() -> None:
    lines = [line for line in (ROOT / "README.md").read_text().splitlines() if line.startswith("diffusion-teach ")]
    assert {parsed(line.removeprefix("diffusion-teach ")) for line in lines} == set(COMMANDS)


def test_make_trains_every_checkpoint_that_is_shipped() -> None:
    (names,) = re.findall(r"for name in (.*); do \\\n.*diffusion-teach train \$\$name", (ROOT / "Makefile").read_text())
    assert set(checkpoints.names()) <= set(names.split()) <= set(recipes.names())


def process(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "diffusion_teach.recipes.command_line", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_real_process_answers_at_once_and_keeps_errors_apart(tmp_path: Path) -> None:
    seconds = []
    for _ in range(3):
        began = time.perf_counter()
        assert "Examples:" in process("--help").stdout
        seconds.append(time.perf_counter() - began)
    assert min(seconds) < 0.5
    assert process("--version").stdout.startswith("diffusion-teach, version 0.")
    wrong = process("sample", "ddpm-mnist", "--out", str(tmp_path / "x.jpg"))
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "must end in .npz, .png, .gif" in wrong.stderr


def test_wrong_usage_names_the_near_word() -> None:
    assert "Did you mean 'train'" in bad(2, "trian")
    assert "'--seed'" in bad(2, "train", "plain", "--sede", 1)
    assert "Did you mean 'plain'" in bad(2, "train", "plian")
    assert "Did you mean 'classifier'" in bad(2, "evaluate", "clasifier")
    assert "Did you mean 'heun'" in bad(2, "evaluate", "classifier", "--sampler", "heunn")


def test_list_shows_recipes_and_checkpoints() -> None:
    lines = {line.split()[0]: line for line in good("list").splitlines() if line.startswith("  ")}
    assert "62,558" in lines["classifier"]
    for name in checkpoints.names():
        assert f"{checkpoints.parameters(checkpoints.load(name)):,}" in lines[name]
    found = json.loads(good("list", "--json"))
    assert [row["name"] for row in found["checkpoints"]] == checkpoints.names()
    by_name = {row["name"]: row for row in found["recipes"]}
    assert by_name["plain"]["steps"] == 5
    card = checkpoints.card("classifier")
    (row,) = (row for row in found["checkpoints"] if row["name"] == "classifier")
    assert (row["bytes"], row["metrics"]) == (card["bytes"], card["metrics"])
    assert f"test accuracy {card['metrics']['test_accuracy']:.4g}" in good("list")


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
        return checkpoints.FOLDER / "classifier.safetensors"

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
    (tmp_path / "file").write_text("")
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


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_sample_writes_arrays_of_what_the_library_draws(plain: str, tmp_path: Path, precision: str) -> None:
    out = tmp_path / "some.npz"
    settings = {"steps": 4, "sampler": "heun", "seed": 7, "precision": precision}
    options = [str(text) for name, value in settings.items() for text in (f"--{name}", value)]
    assert "some.npz: 5 images by heun, 4 steps, seed 7" in good("sample", plain, "--count", 5, *options, "--out", out)
    with np.load(out, allow_pickle=False) as arrays:
        assert arrays.files == ["samples"]
        samples = arrays["samples"]
    expected = generate(checkpoints.model(plain), 5, **settings)  # type: ignore[arg-type]
    assert samples.dtype == np.uint8
    assert np.array_equal(samples, mnist.to_uint8(expected).numpy())


def test_the_card_says_how_to_sample(plain: str, tmp_path: Path) -> None:
    assert "by ddim, 3 steps" in good("sample", plain, "--count", 2, "--out", tmp_path / "a.npz")
    good("sample", plain, "--count", 2, "--sampler", "ddim", "--steps", 3, "--out", tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


@pytest.mark.parametrize(
    ("options", "labels"),
    [
        (["--label", "3"], [3, 3, 3, 3, 3]),
        (["--label", "3,7"], [3, 7, 3, 7, 3]),
        (["--label", "9", "--label", "0"], [9, 0, 9, 0, 9]),
        (["--label", "all", "--guidance", "1.5"], [0, 1, 2, 3, 4]),
    ],
)
def test_labels_are_given_in_turn_and_written(
    labelled: str, tmp_path: Path, options: list[str], labels: list[int]
) -> None:
    out = tmp_path / "some.npz"
    good("sample", labelled, "--count", 5, *options, "--out", out)
    with np.load(out, allow_pickle=False) as arrays:
        assert arrays["labels"].tolist() == labels
        samples = arrays["samples"]
    guidance = 1.5 if "--guidance" in options else 0.0
    model: Any = checkpoints.model(labelled)
    made = generate(model, 5, labels=torch.tensor(labels), guidance=guidance, sampler="ddim", steps=3)
    assert np.array_equal(samples, mnist.to_uint8(made).numpy())


def test_a_grid_is_ink_on_paper_with_a_digit_in_each_column(labelled: str, tmp_path: Path) -> None:
    good("sample", labelled, "--count", 20, "--label", "all", "--out", tmp_path / "grid.png")
    good("sample", labelled, "--count", 20, "--label", "all", "--out", tmp_path / "grid.npz")
    sheet = np.asarray(Image.open(tmp_path / "grid.png"))
    assert sheet.shape == (2 * (2 * 30 - 2), 2 * (10 * 30 - 2))
    samples = np.load(tmp_path / "grid.npz")["samples"]
    assert np.array_equal(sheet[60:116:2, 120:176:2], 255 - samples[12])


def test_an_animation_ends_on_the_samples_and_stays(plain: str, tmp_path: Path) -> None:
    good("sample", plain, "--count", 4, "--steps", 6, "--out", tmp_path / "path.gif")
    good("sample", plain, "--count", 4, "--steps", 6, "--out", tmp_path / "path.png")
    durations = []
    with Image.open(tmp_path / "path.gif") as film:
        assert film.info["loop"] == 2
        for frame in range(film.n_frames):  # type: ignore[attr-defined]
            film.seek(frame)
            durations.append(film.info["duration"])
        last = np.asarray(film.convert("L")).astype(int)
    assert len(durations) == 7
    assert durations[-1] >= 2000 > durations[0]
    assert np.abs(last - np.asarray(Image.open(tmp_path / "path.png"))).max() <= 255 / 14 + 1  # eight greys


@pytest.mark.parametrize("suffix", [".npz", ".png", ".gif"])
def test_no_file_is_lost(plain: str, tmp_path: Path, suffix: str) -> None:
    out = tmp_path / f"kept{suffix}"
    out.write_text("mine")
    assert "exists already. Give another name, or replace it with --overwrite" in bad(1, "sample", plain, "--out", out)
    assert out.read_text() == "mine"
    good("sample", plain, "--count", 2, "--steps", 1, "--out", out, "--overwrite")
    assert out.read_bytes() != b"mine"
    assert [path.name for path in tmp_path.iterdir()] == [out.name]


def test_a_failed_write_leaves_the_old_file(plain: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "kept.npz"
    out.write_text("mine")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", str(out))

    monkeypatch.setattr(os, "fsync", full)
    message = bad(1, "sample", plain, "--count", 1, "--out", out, "--overwrite")
    assert "No space left on device" in message
    assert str(out) in message.replace(" ", "")
    assert out.read_text() == "mine"
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(
    ("code", "options", "message"),
    [
        (2, ["--out", "x.jpg"], "must end in .npz, .png, .gif; got"),
        (2, ["--out", "x"], "must end in .npz, .png, .gif; got"),
        (2, ["--out", "none/x.npz"], "there is no folder"),
        (2, [], "Missing option '--out'"),
        (2, ["--out", "x.npz", "--label", "10"], "labels are 0 to 9, several as in 3,7, or all; got '10'"),
        (2, ["--out", "x.npz", "--label", "1,all"], "got 'all'"),
        (2, ["--out", "x.npz", "--label", "3"], "takes no labels. Leave out --label and --guidance"),
        (2, ["--out", "x.npz", "--guidance", "1"], "give --label too, such as --label all"),
        (2, ["--out", "x.npz", "--guidance", "-1"], "x>=0"),
        (2, ["--out", "x.gif", "--count", "401"], "a .gif shows at most 400 images, got 401"),
        (2, ["--out", "x.npz", "--count", "0"], "x>=1"),
        (1, ["--out", "x.npz", "--device", "tpu"], "device must be one of"),
    ],
)
def test_what_cannot_be_sampled_is_refused_and_nothing_written(
    plain: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, options: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert message in bad(code, "sample", plain, *options)
    assert not list(tmp_path.iterdir())


def test_a_gan_draws_in_one_call(one_call: str, tmp_path: Path) -> None:
    line = good("sample", one_call, "--count", 5, "--seed", 3, "--out", tmp_path / "x.npz")
    assert line.strip().endswith("5 images in one call each, seed 3")
    model: Any = checkpoints.model(one_call)
    expected = mnist.to_uint8(in_one_call(model, 5, seed=3)).numpy()
    assert np.array_equal(np.load(tmp_path / "x.npz")["samples"], expected)
    good("sample", one_call, "--count", 9, "--out", tmp_path / "x.png")
    assert np.asarray(Image.open(tmp_path / "x.png")).shape == (2 * (3 * 30 - 2),) * 2


@pytest.mark.parametrize(
    ("out", "options", "message"),
    [
        ("x.npz", ["--steps", "5"], "without a sampler and without labels: leave out --steps"),
        ("x.npz", ["--sampler", "ddim", "--label", "3", "--guidance", "1"], "--sampler and --label and --guidance"),
        ("x.gif", [], "has no reverse process to show. Write a .png or an .npz"),
    ],
)
def test_what_a_gan_has_no_use_for_is_refused(
    one_call: str, tmp_path: Path, out: str, options: list[str], message: str
) -> None:
    assert message in bad(2, "sample", one_call, *options, "--out", tmp_path / out)
    assert not list(tmp_path.iterdir())


def test_evaluate_measures_a_gan(one_call: str) -> None:
    text = good("evaluate", one_call, "--count", 100)
    assert text.splitlines()[0].endswith("100 samples by one call, 1 step, seed 0, float32")
    assert "leave out --steps" in bad(2, "evaluate", one_call, "--count", 100, "--steps", 3)


def test_wrong_files_are_named_before_anything_is_drawn(plain: str, tmp_path: Path) -> None:
    out = tmp_path / "x.npz"
    assert "There is no file" in bad(2, "sample", tmp_path / "none.safetensors", "--out", out)
    assert "ends in .safetensors" in bad(2, "sample", tmp_path / "none.pt", "--out", out)
    assert "give its path" in bad(2, "sample", "mine", "--out", out)
    assert "draws no images" in bad(2, "sample", "classifier", "--out", out)
    damaged = tmp_path / "plain.safetensors"
    damaged.write_bytes(Path(plain).read_bytes()[:-1])
    damaged.with_suffix(".json").write_bytes(Path(plain).with_suffix(".json").read_bytes())
    assert "is damaged: expected SHA-256" in bad(1, "sample", damaged, "--out", out)
    assert not out.exists()


def test_ctrl_c_while_sampling_exits_with_130(plain: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("diffusion_teach.recipes.pictures.drawn", interrupted)
    assert bad(130, "sample", plain, "--out", tmp_path / "x.npz") == "Stopped."
    assert not list(tmp_path.iterdir())


def test_evaluate_shows_the_scores_beside_their_floors(labelled: str) -> None:
    options = [labelled, "--count", 100, "--guidance", 1, "--seed", 2]
    found = json.loads(good("evaluate", *options, "--json"))
    assert (found["sampler"], found["steps"], found["evaluations"]) == ("ddim", 3, 6)
    assert found["dtype"] == "float32"
    assert json.loads(good("evaluate", *options, "--json", "--precision", "bfloat16"))["dtype"] == "bfloat16"
    text = good("evaluate", *options)
    assert "100 samples by ddim, 3 steps, guidance 1, seed 2, float32" in text
    rows = {line.strip().split("   ")[0]: line for line in text.splitlines()}
    assert f"{found['frechet']:.2f}" in rows["Fréchet distance"]
    assert f"{found['floor']:.2f} ± {found['floor_std']:.2f}" in rows["Fréchet distance"]
    assert f"{found['control']:.2f}" in rows["Fréchet distance"]
    for name in ("precision", "recall", "density", "coverage", "label accuracy"):
        key = name.replace(" ", "_")
        assert f"{found[key]:.3f}" in rows[name]
        assert f"{found[f'{key}_real']:.3f}" in rows[name]
    assert f"{found['label_kl']:.4f}" in rows["label KL"]
    assert f"{found['label_kl_floor']:.4f}" in rows["label KL"]
    assert "6" in rows["evaluations a sample"]


def test_guidance_of_an_unconditional_model_is_refused(plain: str) -> None:
    assert "takes no labels" in bad(2, "evaluate", plain, "--guidance", 1)


def test_a_classifier_is_measured_by_its_recipe(monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = recipes.get("classifier")
    monkeypatch.setattr(type(recipe), "measure", lambda self, model, seed: {"test_accuracy": 0.875, "seed": seed})
    assert "test accuracy   0.875" in good("evaluate", "classifier")
    assert json.loads(good("evaluate", "classifier", "--json", "--seed", 3)) == {"test_accuracy": 0.875, "seed": 3}


def test_a_closed_pipe_is_no_error() -> None:
    command = f"{sys.executable} -m diffusion_teach.recipes.command_line list | head -1"
    found = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert found.stdout.startswith("Recipes")
    assert found.stderr == ""

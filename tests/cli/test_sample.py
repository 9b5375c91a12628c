"""`diffusion-teach sample`: arrays, grids and animations, and that no file is lost."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from diffusion_teach import checkpoints
from diffusion_teach.datasets import mnist
from diffusion_teach.generate import Sampling, generate
from tests.cli.quick import bad, good


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_sample_writes_arrays_of_what_the_library_draws(plain: str, tmp_path: Path, precision: str) -> None:
    out = tmp_path / "some.npz"
    model: Any = checkpoints.model(plain)
    settings: dict[str, Any] = {"steps": 4, "sampler": "heun", "seed": 7, "precision": precision}
    options = [str(text) for name, value in settings.items() for text in (f"--{name}", value)]
    assert "some.npz: 5 images by heun, 4 steps, seed 7" in good("sample", plain, "--count", 5, *options, "--out", out)
    with np.load(out, allow_pickle=False) as arrays:
        assert arrays.files == ["samples"]
        samples = arrays["samples"]
    expected = generate(model, 5, Sampling(**settings))
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
    made = generate(model, 5, Sampling("ddim", 3, guidance), labels=torch.tensor(labels))
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
    out.write_text("mine", encoding="utf-8")
    assert "exists already. Give another name, or replace it with --overwrite" in bad(1, "sample", plain, "--out", out)
    assert out.read_text(encoding="utf-8") == "mine"
    good("sample", plain, "--count", 2, "--steps", 1, "--out", out, "--overwrite")
    assert out.read_bytes() != b"mine"
    assert [path.name for path in tmp_path.iterdir()] == [out.name]


def test_a_failed_write_leaves_the_old_file(plain: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "kept.npz"
    out.write_text("mine", encoding="utf-8")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", str(out))

    monkeypatch.setattr(os, "fsync", full)
    message = bad(1, "sample", plain, "--count", 1, "--out", out, "--overwrite")
    assert "No space left on device" in message
    assert str(out) in message.replace(" ", "")
    assert out.read_text(encoding="utf-8") == "mine"
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
        (2, ["--out", "x.npz", "--label", "3"], "takes no labels, or has one bound. Leave out --label and --guidance"),
        (2, ["--out", "x.npz", "--guidance", "1"], "give --label too, such as --label all"),
        (2, ["--out", "x.npz", "--guidance", "-1"], "x>=0"),
        (2, ["--out", "x.gif", "--count", "401"], "a .gif shows at most 400 images, got 401"),
        (2, ["--out", "x.npz", "--count", "0"], "1<=x<=100000"),
        (1, ["--out", "x.npz", "--device", "tpu"], "device must be one of"),
    ],
)
def test_what_cannot_be_sampled_is_refused_and_nothing_written(
    plain: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, options: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert message in bad(code, "sample", plain, *options)
    assert not list(tmp_path.iterdir())


def test_a_gan_draws_in_one_step(one_step: str, tmp_path: Path) -> None:
    line = good("sample", one_step, "--count", 5, "--seed", 3, "--out", tmp_path / "x.npz")
    assert line.strip().endswith("5 images in one step, seed 3")
    model: Any = checkpoints.model(one_step)
    expected = mnist.to_uint8(generate(model, 5, Sampling(seed=3))).numpy()
    assert np.array_equal(np.load(tmp_path / "x.npz")["samples"], expected)
    good("sample", one_step, "--count", 9, "--out", tmp_path / "x.png")
    assert np.asarray(Image.open(tmp_path / "x.png")).shape == (2 * (3 * 30 - 2),) * 2


@pytest.mark.parametrize(
    ("out", "options", "message"),
    [
        ("x.npz", ["--steps", "5"], "without a sampler and without labels: leave out --steps"),
        ("x.npz", ["--sampler", "ddim", "--label", "3", "--guidance", "1"], "leave out --sampler and --guidance"),
        ("x.npz", ["--label", "3"], "takes no labels. Leave out --label"),
        ("x.gif", [], "has no reverse process to show. Write a .png or an .npz"),
    ],
)
def test_what_a_gan_has_no_use_for_is_refused(
    one_step: str, tmp_path: Path, out: str, options: list[str], message: str
) -> None:
    assert message in bad(2, "sample", one_step, *options, "--out", tmp_path / out)
    assert not list(tmp_path.iterdir())


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

    monkeypatch.setattr("diffusion_teach.cli.pictures.drawn", interrupted)
    assert bad(130, "sample", plain, "--out", tmp_path / "x.npz") == "Stopped."
    assert not list(tmp_path.iterdir())


def test_numbers_beyond_all_use_are_refused_at_once(plain: str, tmp_path: Path) -> None:
    out = tmp_path / "x.npz"
    for option, value in (
        ("--seed", "1e20"),
        ("--seed", 10**20),
        ("--seed", -1),
        ("--count", "1e9"),
        ("--count", 10**9),
    ):
        assert option in bad(2, "sample", plain, option, value, "--out", out)
    assert not out.exists()


def test_a_tilde_is_the_user_s_own_folder(plain: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    good("sample", plain, "--count", 2, "--out", "~/x.npz")
    assert (tmp_path / "x.npz").is_file()
    assert "there is no such user" in bad(2, "sample", plain, "--out", "~nobody-of-this-name/x.npz")

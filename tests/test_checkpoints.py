"""Checkpoints: saved whole, verified when loaded, and every mishap named."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import torch

from diffusion_teach import _files, checkpoints
from diffusion_teach._files import DamagedFileError

CARD: dict[str, Any] = {
    "recipe": "none",
    "seed": 0,
    "steps": 1,
    "seconds": 0.5,
    "machine": "a test",
    "metrics": {"loss": 1.5},
    "licence": "MIT",
    "intended_use": "tests",
}
STATE = {"weight": torch.randn(3, 4, generator=torch.Generator().manual_seed(0)).T, "count": torch.tensor(7)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    checkpoints.save("small", STATE, CARD, folder=tmp_path / "new")
    return tmp_path / "new"


def test_what_is_saved_is_loaded(folder: Path) -> None:
    loaded = checkpoints.load("small", folder=folder)
    assert loaded.keys() == STATE.keys()
    for name, value in STATE.items():
        assert torch.equal(loaded[name], value)
        assert loaded[name].dtype == value.dtype
    card = checkpoints.card("small", folder=folder)
    assert card | CARD == card
    assert card["sha256"] == hashlib.sha256((folder / "small.safetensors").read_bytes()).hexdigest()
    assert checkpoints.names(folder=folder) == ["small"]
    assert {path.name for path in folder.iterdir()} == {"small.safetensors", "small.json"}


def test_every_shipped_checkpoint_is_whole_small_and_documented() -> None:
    assert "classifier" in checkpoints.names()
    total = 0
    for name in checkpoints.names():
        card = checkpoints.card(name)
        assert all(torch.isfinite(value).all() for value in checkpoints.load(name).values())
        assert card["recipe"].startswith(f"python -m diffusion_teach.recipes.{name}")
        size = (checkpoints.FOLDER / f"{name}.safetensors").stat().st_size
        assert size == card["bytes"]
        assert size <= 4e6
        total += size
    assert total <= 25e6
    assert {path.stem for path in checkpoints.FOLDER.glob("*.safetensors")} == set(checkpoints.names())


def test_an_unknown_name_gets_the_near_one(folder: Path) -> None:
    with pytest.raises(ValueError, match="Did you mean 'small'"):
        checkpoints.load("smal", folder=folder)


def test_damaged_weights_are_named_with_both_hashes(folder: Path) -> None:
    path = folder / "small.safetensors"
    expected = checkpoints.card("small", folder=folder)["sha256"]
    data = path.read_bytes()[:-1]
    path.write_bytes(data)
    with pytest.raises(DamagedFileError) as caught:
        checkpoints.load("small", folder=folder)
    for text in (str(path), expected, hashlib.sha256(data).hexdigest(), "--force-reinstall"):
        assert text in str(caught.value)


def test_missing_weights_are_named_with_the_expected_hash(folder: Path) -> None:
    path = folder / "small.safetensors"
    expected = checkpoints.card("small", folder=folder)["sha256"]
    path.unlink()
    with pytest.raises(FileNotFoundError) as caught:
        checkpoints.load("small", folder=folder)
    assert str(path) in str(caught.value)
    assert expected in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "[]", "3", json.dumps(CARD), '{"sha256": "0"}'])
def test_a_damaged_card_is_named(folder: Path, text: str) -> None:
    (folder / "small.json").write_text(text)
    with pytest.raises(DamagedFileError, match=r"small\.json"):
        checkpoints.load("small", folder=folder)


def test_a_failed_write_leaves_the_old_file_and_no_other(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}

    def fail(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(_files.os, "replace", fail)
    with pytest.raises(OSError, match="no space left"):
        checkpoints.save("small", {"weight": torch.zeros(2)}, CARD, folder=folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_weights_without_their_card_are_not_handed_out(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = _files.write_atomically

    def only_weights(path: Path, data: bytes) -> None:
        if path.suffix == ".json":
            raise OSError("no space left")
        write(path, data)

    monkeypatch.setattr(_files, "write_atomically", only_weights)
    with pytest.raises(OSError, match="no space left"):
        checkpoints.save("small", {"weight": torch.zeros(2)}, CARD, folder=folder)
    with pytest.raises(DamagedFileError):
        checkpoints.load("small", folder=folder)


@pytest.mark.parametrize(
    ("name", "state", "card", "error"),
    [
        ("Big Name", STATE, CARD, ValueError),
        ("../escape", STATE, CARD, ValueError),
        ("small", {}, CARD, ValueError),
        ("small", {"weight": [1.0]}, CARD, TypeError),
        ("small", {"weight": torch.tensor([torch.nan])}, CARD, ValueError),
        ("small", STATE, {"recipe": "none"}, ValueError),
        ("small", STATE, CARD | {"metrics": float("nan")}, ValueError),
    ],
)
def test_what_cannot_be_saved_is_refused_and_nothing_is_written(
    tmp_path: Path, name: str, state: Any, card: Any, error: type[Exception]
) -> None:
    with pytest.raises(error):
        checkpoints.save(name, state, card, folder=tmp_path)
    assert not list(tmp_path.iterdir())


def test_parameters_are_counted() -> None:
    assert checkpoints.parameters(STATE) == 13

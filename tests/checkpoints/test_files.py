"""Checkpoints: saved whole, verified when loaded, and every mishap named."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import torch

from diffusion_teach import _files, checkpoints, recipes
from diffusion_teach._files import DamagedFileError
from diffusion_teach.checkpoints import files

CARD: dict[str, Any] = {
    "recipe": "classifier",
    "command": "none",
    "seed": 0,
    "steps": 1,
    "seconds": 0.5,
    "machine": "a test",
    "torch": "2",
    "precision": "float32",
    "data": "none",
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
    loaded = checkpoints.load(folder / "small.safetensors")
    assert loaded.keys() == STATE.keys()
    for name, value in STATE.items():
        assert torch.equal(loaded[name], value)
        assert loaded[name].dtype == value.dtype
    card = checkpoints.card(folder / "small.safetensors")
    assert card | CARD == card
    assert card["sha256"] == hashlib.sha256((folder / "small.safetensors").read_bytes()).hexdigest()
    assert {path.name for path in folder.iterdir()} == {"small.safetensors", "small.json"}


def test_the_same_tensors_give_the_same_bytes(tmp_path: Path) -> None:
    files = [checkpoints.save("small", STATE, CARD, folder=tmp_path / str(k)).read_bytes() for k in range(8)]
    assert len(set(files)) == 1


def test_every_shipped_checkpoint_is_whole_small_and_documented() -> None:
    assert "classifier" in checkpoints.names()
    total = 0
    for name in checkpoints.names():
        card = checkpoints.card(name)
        assert all(torch.isfinite(value).all() for value in checkpoints.load(name).values())
        assert card["recipe"] == name in recipes.names()
        assert name in card["command"]
        assert card["parameters"] == files.parameters(checkpoints.load(name))
        size = (files.FOLDER / f"{name}.safetensors").stat().st_size
        assert size == card["bytes"]
        assert size <= 4e6
        total += size
    assert total <= 40e6
    assert {path.stem for path in files.FOLDER.glob("*.safetensors")} == set(checkpoints.names())


def test_the_package_s_own_files_are_mended_by_installing_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints.files, "FOLDER", folder)
    assert checkpoints.names() == ["small"]
    (folder / "small.safetensors").write_bytes(b"")
    with pytest.raises(DamagedFileError, match="--force-reinstall"):
        checkpoints.load("small")


@pytest.mark.parametrize("kind", [str, Path])
def test_a_file_of_one_s_own_is_loaded_by_its_path(folder: Path, kind: type) -> None:
    file = kind(folder / "small.safetensors")
    assert checkpoints.card(file)["parameters"] == 13
    assert torch.equal(checkpoints.load(file)["weight"], STATE["weight"])


def test_mishaps_with_one_s_own_files_are_named(folder: Path) -> None:
    with pytest.raises(FileNotFoundError, match="There is no file .*none.safetensors"):
        checkpoints.load(folder / "none.safetensors")
    with pytest.raises(ValueError, match="file ends in .safetensors, got '.*small.pt'"):
        checkpoints.load(str(folder / "small.pt"))
    with pytest.raises(TypeError, match="name must be a checkpoint's name or the path of a file, got 3"):
        checkpoints.load(3)  # type: ignore[arg-type]
    (folder / "small.json").unlink()
    with pytest.raises(FileNotFoundError, match="model card .*small.json is missing"):
        checkpoints.load(folder / "small.safetensors")


def test_half_precision_takes_half_the_bytes_and_loses_the_twelfth_bit(tmp_path: Path) -> None:
    state = {"weight": torch.randn(1000, generator=torch.Generator().manual_seed(0)), "count": torch.tensor(7)}
    sizes = [
        checkpoints.save(name, state, CARD, folder=tmp_path, half=half).stat().st_size
        for name, half in (("whole", False), ("half", True))
    ]
    assert sizes[0] - sizes[1] == pytest.approx(2000, abs=16)  # the file's header is padded
    loaded = checkpoints.load(tmp_path / "half.safetensors")
    assert loaded["weight"].dtype == torch.float32
    assert loaded["count"].dtype == torch.int64
    error = (loaded["weight"] / state["weight"] - 1).abs().max()
    assert 2**-13 < error <= 2**-11
    assert torch.equal(loaded["weight"].half().float(), loaded["weight"])


@pytest.mark.parametrize("name", checkpoints.names())
def test_every_shipped_model_is_ready_to_use(name: str) -> None:
    before = torch.get_rng_state()
    model = checkpoints.model(name)
    assert torch.equal(torch.get_rng_state(), before)
    assert not model.training
    assert not any(parameter.requires_grad for parameter in model.parameters())
    for key, value in checkpoints.load(name).items():
        assert torch.equal(model.state_dict()[key], value)


@pytest.fixture
def weights() -> dict[str, torch.Tensor]:
    return recipes.get("classifier").model().state_dict()


def test_a_model_of_one_s_own_is_built_by_its_card(tmp_path: Path, weights: dict[str, torch.Tensor]) -> None:
    file = checkpoints.save("my model v1.2", weights, CARD, folder=tmp_path, half=True)
    assert {path.name for path in tmp_path.iterdir()} == {"my model v1.2.safetensors", "my model v1.2.json"}
    for found in (checkpoints.model(file), checkpoints.model(str(file))):
        for key, value in found.state_dict().items():
            torch.testing.assert_close(value, weights[key], atol=1e-4, rtol=2**-11)


def test_what_differs_from_the_card_s_architecture_is_named(tmp_path: Path, weights: dict[str, torch.Tensor]) -> None:
    weights["head.weight"] = torch.zeros(7, 84)
    weights["tail"] = weights.pop("head.bias")
    file = checkpoints.save("other", weights, CARD, folder=tmp_path)
    with pytest.raises(ValueError, match="of another architecture than its card states") as caught:
        checkpoints.model(file)
    for text in ("lacks head.bias;", "besides tail;", "head.weight has the shape (7, 84) instead of (10, 84)"):
        assert text in str(caught.value)
    file = checkpoints.save("none", STATE, CARD, folder=tmp_path)
    with pytest.raises(ValueError, match=r"lacks [\w.]+, [\w.]+, [\w.]+ and 7 more; it has besides count, weight"):
        checkpoints.model(file)


def test_a_model_needs_no_recipe_that_this_library_knows(tmp_path: Path, weights: dict[str, torch.Tensor]) -> None:
    stated = CARD | {"recipe": "my own", "architecture": {"kind": "classifier"}}
    found = checkpoints.model(checkpoints.save("mine", weights, stated, folder=tmp_path))
    assert all(torch.equal(value, weights[key]) for key, value in found.state_dict().items())
    file = checkpoints.save("mine", weights, CARD | {"recipe": "my own"}, folder=tmp_path)
    with pytest.raises(ValueError, match="recipe 'my own' states no architecture that this library builds"):
        checkpoints.model(file)


def test_what_half_precision_cannot_hold_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"state\['weight'\] holds 70000, and half precision ends at 65504"):
        checkpoints.save("big", {"weight": torch.tensor([7e4])}, CARD, folder=tmp_path, half=True)
    assert not list(tmp_path.iterdir())


def test_an_unknown_name_gets_the_near_one() -> None:
    with pytest.raises(ValueError, match="Did you mean 'classifier'"):
        checkpoints.load("clasifier")


def test_damaged_weights_are_named_with_both_hashes(folder: Path) -> None:
    path = folder / "small.safetensors"
    expected = checkpoints.card(folder / "small.safetensors")["sha256"]
    data = path.read_bytes()[:-1]
    path.write_bytes(data)
    with pytest.raises(DamagedFileError) as caught:
        checkpoints.load(folder / "small.safetensors")
    for text in (str(path), expected, hashlib.sha256(data).hexdigest(), "another copy"):
        assert text in str(caught.value)


def test_missing_weights_are_named_with_the_expected_hash(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "FOLDER", folder)
    path = folder / "small.safetensors"
    expected = checkpoints.card("small")["sha256"]
    path.unlink()
    with pytest.raises(FileNotFoundError) as caught:
        checkpoints.load("small")
    assert str(path) in str(caught.value)
    assert expected in str(caught.value)


DAMAGED = ["", "{", "[]", "3", json.dumps(CARD), '{"sha256": "0"}', json.dumps([CARD]), "[" * 10**5]
DAMAGED += [json.dumps({**CARD, "sha256": "0", "metrics": metrics}) for metrics in (None, [], "good")]


@pytest.mark.parametrize("text", DAMAGED, ids=range(len(DAMAGED)))
def test_a_damaged_card_is_named(folder: Path, text: str) -> None:
    (folder / "small.json").write_text(text, encoding="utf-8")
    with pytest.raises(DamagedFileError, match=r"small\.json"):
        checkpoints.load(folder / "small.safetensors")


def test_bytes_that_are_no_weights_are_named_though_their_hash_is_right(folder: Path) -> None:
    file = folder / "small.safetensors"
    data = b"PK, a zip of another format"
    file.write_bytes(data)
    card = json.dumps({**CARD, "sha256": hashlib.sha256(data).hexdigest()})
    file.with_suffix(".json").write_text(card, encoding="utf-8")
    with pytest.raises(DamagedFileError, match=r"small\.safetensors holds no safetensors"):
        checkpoints.load(file)


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
        checkpoints.load(folder / "small.safetensors")


@pytest.mark.parametrize(
    ("name", "state", "card", "error"),
    [
        ("", STATE, CARD, ValueError),
        (".hidden", STATE, CARD, ValueError),
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
    assert files.parameters(STATE) == 13


def test_weights_that_are_no_finite_numbers_of_their_kind_are_refused(
    tmp_path: Path, weights: dict[str, torch.Tensor]
) -> None:
    import safetensors.torch

    file = checkpoints.save("x", weights, CARD, folder=tmp_path)
    key = next(iter(weights))

    def with_first(value: torch.Tensor) -> None:
        data = safetensors.torch.save({**weights, key: value})
        file.write_bytes(data)
        card = {**checkpoints.card(file), "sha256": hashlib.sha256(data).hexdigest()}
        file.with_suffix(".json").write_text(json.dumps(card), encoding="utf-8")

    with_first(torch.full_like(weights[key], torch.nan))
    with pytest.raises(DamagedFileError, match=f"holds NaN or infinite numbers in {key}"):
        checkpoints.model(file)
    with_first(weights[key].long())
    with pytest.raises(ValueError, match=f"{key} holds int64 instead of float32"):
        checkpoints.model(file)

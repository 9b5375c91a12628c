"""MNIST: the canonical bytes, the errors of a damaged file, and the way to the models and back."""

from __future__ import annotations

import hashlib
import struct
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from diffusion_teach._files import DamagedFileError
from diffusion_teach.datasets import mnist

# Of the four IDX files that LeCun and Cortes published, header included.
CANONICAL = {
    ("train", "images"): "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    ("train", "labels"): "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    ("test", "images"): "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    ("test", "labels"): "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}


@pytest.mark.parametrize("split", mnist.SPLITS)
def test_the_arrays_are_byte_for_byte_the_canonical_idx_files(split: str) -> None:
    images, labels = mnist.load(split)
    n = {"train": 60_000, "test": 10_000}[split]
    assert images.shape == (n, 28, 28)
    assert (images.dtype, labels.dtype) == (torch.uint8, torch.int64)
    files = {
        "images": struct.pack(">IIII", 0x803, n, 28, 28) + images.numpy().tobytes(),
        "labels": struct.pack(">II", 0x801, n) + labels.to(torch.uint8).numpy().tobytes(),
    }
    for kind, data in files.items():
        assert hashlib.sha256(data).hexdigest() == CANONICAL[split, kind]


def test_what_a_caller_changes_does_not_reach_the_next_caller() -> None:
    images, labels = mnist.load("test")
    images.zero_()
    labels.zero_()
    again, labels_again = mnist.load("test")
    assert again.any()
    assert labels_again.any()


def test_an_unknown_split_names_the_near_one() -> None:
    with pytest.raises(ValueError, match="Did you mean 'train'"):
        mnist.load("trian")


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "mnist.npz"
    monkeypatch.setattr(mnist, "PATH", path)
    return path


def test_a_missing_file_is_named_with_its_hash_and_a_remedy(elsewhere: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        mnist.load()
    for text in (str(elsewhere), mnist.SHA256, "pip install --force-reinstall"):
        assert text in str(caught.value)


@pytest.mark.parametrize("damage", ["one bit", "cut short", "empty", "a page of HTML"])
def test_a_damaged_file_is_named_with_both_hashes(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    whole = Path(mnist.__file__).with_name("mnist.npz").read_bytes()
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 1
    data = {"one bit": bytes(flipped), "cut short": whole[:-1], "empty": b"", "a page of HTML": b"<html>"}[damage]
    elsewhere.write_bytes(data)
    with pytest.raises(DamagedFileError) as caught:
        mnist.load("test")
    for text in (str(elsewhere), mnist.SHA256, hashlib.sha256(data).hexdigest(), "--force-reinstall"):
        assert text in str(caught.value)


@given(st.lists(st.integers(0, 255), min_size=1, max_size=40))
def test_bytes_survive_the_round_trip(values: list[int]) -> None:
    images = torch.tensor(values, dtype=torch.uint8).view(len(values), 1, 1)
    x = mnist.to_model(images)
    assert x.shape == (len(values), 1, 1, 1)
    assert x.dtype == torch.float32
    assert x.abs().max() <= 1
    assert torch.equal(mnist.to_uint8(x), images)


def test_the_ends_of_the_scale_and_beyond() -> None:
    assert mnist.to_model(torch.tensor([[[0, 255]]], dtype=torch.uint8)).flatten().tolist() == [-1.0, 1.0]
    x = torch.tensor([-torch.inf, -1.5, -1.0, 0.999, 1.0, 7.0, torch.inf]).view(1, 1, 1, -1)
    assert mnist.to_uint8(x).flatten().tolist() == [0, 0, 0, 255, 255, 255, 255]


@pytest.mark.parametrize(
    ("function", "value", "error"),
    [
        (mnist.to_model, torch.zeros(2, 28, 28), TypeError),
        (mnist.to_model, torch.zeros(28, 28, dtype=torch.uint8), ValueError),
        (mnist.to_model, torch.zeros(2, 3, 28, 28, dtype=torch.uint8), ValueError),
        (mnist.to_model, torch.zeros(0, 28, 28, dtype=torch.uint8), ValueError),
        (mnist.to_model, [[1]], TypeError),
        (mnist.to_uint8, torch.zeros(2, 1, 4, 4, dtype=torch.uint8), TypeError),
        (mnist.to_uint8, torch.zeros(2, 4, 4), ValueError),
        (mnist.to_uint8, torch.zeros(0, 1, 4, 4), ValueError),
        (mnist.to_uint8, torch.full((1, 1, 2, 2), torch.nan), ValueError),
    ],
)
def test_bad_images_are_refused(function: object, value: object, error: type[Exception]) -> None:
    with pytest.raises(error):
        function(value)  # type: ignore[operator]


def test_binarising_tosses_a_coin_of_the_pixels_grey() -> None:
    grey = torch.tensor([0, 1, 51, 128, 254, 255], dtype=torch.uint8).view(1, 2, 3)
    n = 40_000
    bits = mnist.binarise(grey.expand(n, -1, -1), generator=torch.Generator().manual_seed(0))
    assert bits.shape == (n, 6)
    assert bits.unique().tolist() == [0.0, 1.0]
    p = grey.flatten().double() / 255
    assert ((bits.double().mean(0) - p).abs() <= 5 * (p * (1 - p) / n).sqrt()).all()  # exactly 0 and 1 at the ends
    assert abs(torch.corrcoef(bits.T[2:4])[0, 1]) < 5 / n**0.5
    with pytest.raises(TypeError, match="images must hold bytes"):
        mnist.binarise(torch.zeros(2, 3, 3, dtype=torch.int64))
    with pytest.raises(ValueError, match="images must have shape"):
        mnist.binarise(torch.zeros(2, 1, 3, 3, dtype=torch.uint8))

"""Stacked digits: each channel is a digit of the split, and the number is theirs."""

from __future__ import annotations

import pytest
import torch

from diffusion_teach.datasets import mnist, stacked_mnist


@pytest.mark.parametrize("split", mnist.SPLITS)
def test_each_channel_is_an_image_of_the_split_with_its_label(split: str) -> None:
    images, numbers = stacked_mnist.draw(4, split, generator=torch.Generator().manual_seed(0))
    assert images.shape == (4, 3, 28, 28)
    pixels, labels = mnist.load(split)
    for stack, number in zip(images, numbers, strict=True):
        digits = []
        for channel in stack:
            same = (mnist.to_uint8(channel[None, None]) == pixels).flatten(1).all(dim=1)
            assert same.any()
            digits.append(str(int(labels[same][0])))
        assert int("".join(digits)) == int(number)


def test_stacks_of_rows_and_their_strips() -> None:
    images = torch.arange(4 * 28 * 28).view(4, 28, 28).remainder(256).to(torch.uint8)
    rows = torch.tensor([[0, 3, 1], [2, 2, 0]])
    stacks = stacked_mnist.of_rows(images, rows)
    assert torch.equal(stacks, torch.stack([mnist.to_model(images[row]).squeeze(1) for row in rows]))
    assert torch.equal(stacked_mnist.of_rows(images, rows[:, :1]), mnist.to_model(images[rows[:, 0]]))
    strip = stacked_mnist.strip(stacks)
    assert strip.shape == (2, 1, 28, 84)
    assert torch.equal(strip, torch.cat(stacks.split(1, dim=1), dim=-1))
    assert torch.equal(stacked_mnist.strip(strip), strip)


def test_the_numbers_are_as_frequent_as_stated() -> None:
    shares = stacked_mnist.shares()
    assert shares.shape == (1000,)
    assert float(shares.sum()) == pytest.approx(1)
    _, labels = mnist.load()
    share = [float((labels == digit).double().mean()) for digit in range(10)]
    assert float(shares[471]) == pytest.approx(share[4] * share[7] * share[1])
    _, numbers = stacked_mnist.draw(50_000, generator=torch.Generator().manual_seed(1))
    counts = torch.bincount(numbers, minlength=1000)
    chi_squared = float(((counts - 50_000 * shares).square() / (50_000 * shares)).sum())
    assert chi_squared == pytest.approx(999, abs=5 * (2 * 999) ** 0.5)


def test_the_same_generator_draws_the_same() -> None:
    first, second = (stacked_mnist.draw(5, generator=torch.Generator().manual_seed(3)) for _ in range(2))
    assert all(torch.equal(*pair) for pair in zip(first, second, strict=True))


def test_bad_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match="digits must lie in 0 … 9, got 1 to 10"):
        stacked_mnist.number(torch.tensor([1, 2, 10]))
    with pytest.raises(ValueError, match="digits must have shape"):
        stacked_mnist.number(torch.tensor([1, 2]))
    with pytest.raises(ValueError, match="images must have shape"):
        stacked_mnist.strip(torch.zeros(3, 28, 28))
    with pytest.raises(ValueError, match="rows must have shape"):
        stacked_mnist.of_rows(torch.zeros(2, 28, 28, dtype=torch.uint8), torch.tensor([0, 1]))
    with pytest.raises(ValueError, match="count must be at least 1"):
        stacked_mnist.draw(0)
    with pytest.raises(ValueError, match="split must be one of"):
        stacked_mnist.draw(1, "validation")

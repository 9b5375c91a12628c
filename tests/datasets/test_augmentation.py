"""Turned, shifted and cropped images."""

from __future__ import annotations

import pytest
import torch

from diffusion_teach.datasets import mnist
from diffusion_teach.datasets.augmentation import cropped, turned_and_shifted


def test_turning_and_shifting_by_nothing_changes_nothing() -> None:
    x = mnist.to_model(mnist.load("test")[0][:4])
    torch.testing.assert_close(turned_and_shifted(x, degrees=0.0, pixels=0.0), x, rtol=0, atol=1e-5)


def test_images_are_shifted_by_at_most_the_pixels_given() -> None:
    x = torch.full((200, 1, 29, 29), -1.0)
    x[:, :, 14, 14] = 1.0
    moved = turned_and_shifted(x, degrees=0.0, pixels=2.0, generator=torch.Generator().manual_seed(0)) + 1
    place = torch.arange(29.0)
    mass = moved.sum(dim=(1, 2, 3))
    shift = torch.stack([(moved.sum(dim=axis)[:, 0] * place).sum(dim=1) / mass - 14 for axis in (2, 3)])
    assert shift.abs().max() <= 2.001
    assert shift.abs().max() >= 1.8  # of 400 uniform draws; missed once in 10^18
    assert (shift[0] - shift[1]).abs().max() > 1
    torch.testing.assert_close(mass, torch.full((200,), 2.0))


def test_a_crop_of_everything_is_the_image() -> None:
    x = mnist.to_model(mnist.load("test")[0][:4])
    torch.testing.assert_close(cropped(x, smallest=1.0), x, rtol=0, atol=1e-5)


def test_crops_show_a_piece_enlarged_and_lie_inside() -> None:
    ramp = torch.linspace(-1, 1, 64)
    x = torch.stack([ramp.expand(64, 64), ramp[:, None].expand(64, 64)])[:, None]  # each pixel says where it lies
    made = cropped(x.squeeze(1).expand(1000, 2, 64, 64), smallest=0.25, generator=torch.Generator().manual_seed(0))
    down, right = made[:, 1, :, 32], made[:, 0, 32]
    sides = torch.stack([(line[:, 48] - line[:, 16]) / 32 * 63 / 2 for line in (down, right)])
    torch.testing.assert_close(sides[0], sides[1])  # squares
    assert sides.min() == pytest.approx(0.25, abs=0.01)
    assert sides.max() == pytest.approx(1, abs=0.01)
    assert sides.mean() == pytest.approx(0.625, abs=5 * 0.2165 / 1000**0.5)  # uniform
    middles = torch.stack([(line[:, 31] + line[:, 32]) / 2 for line in (down, right)])
    reach = middles.abs() + sides
    assert reach.max() <= 1.03  # nothing from outside, up to a pixel
    assert reach.max() >= 0.97
    assert middles.std() > 0.15
    assert float(torch.corrcoef(middles)[0, 1]) < 0.15


def test_views_are_decided_by_their_generator() -> None:
    x = mnist.to_model(mnist.load("test")[0][:4])
    for view in (turned_and_shifted, cropped):
        one, same, other = (view(x, generator=torch.Generator().manual_seed(seed)) for seed in (0, 0, 1))
        assert torch.equal(one, same)
        assert not torch.equal(one, other)


@pytest.mark.parametrize("smallest", [0.0, 1.1, -0.5])
def test_pieces_must_fit_into_the_image(smallest: float) -> None:
    with pytest.raises(ValueError, match="smallest"):
        cropped(torch.zeros(1, 1, 8, 8), smallest=smallest)

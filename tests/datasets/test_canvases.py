"""Canvases show what they are asked for: strokes as wide, shears as steep and places as given, by closed forms."""

from __future__ import annotations

import math

import pytest
import torch

from diffusion_teach.datasets import canvases, captions, mnist


def test_thinning_leaves_a_line_one_pixel_wide() -> None:
    ink = torch.zeros(1, 20, 30, dtype=torch.bool)
    ink[0, 7:12, 3:27] = True
    thin = canvases.thinned(ink)
    assert thin.sum(1).max() == 1
    assert thin.sum() >= 18  # of a bar 24 long
    assert (thin & ~ink).sum() == 0


def test_a_ring_stays_a_ring() -> None:
    y, x = torch.meshgrid(torch.arange(40.0), torch.arange(40.0), indexing="ij")
    radius = torch.hypot(x - 20, y - 20)
    thin = canvases.thinned(((radius > 9) & (radius < 15))[None])
    assert 0.5 < float(thin.sum()) / (2 * math.pi * 12) < 1.1
    assert not canvases.thinned(thin).equal(~thin)
    angle = torch.atan2(y - 20, x - 20)[thin[0]].sort().values
    assert float(angle.diff().max()) < 0.3  # closed


def test_skeletons_are_straight_centred_and_of_height_one() -> None:
    points = canvases.skeletons(mnist.load("test")[0][:50])
    assert points.shape == (50, canvases.POINTS, 2)
    low, high = points.amin(1), points.amax(1)
    torch.testing.assert_close(high[:, 1] - low[:, 1], torch.ones(50))
    torch.testing.assert_close(low, -high)
    assert float((high - low)[:, 0].max()) <= canvases.WIDEST + 1e-5


def line(steps: int = 400) -> torch.Tensor:
    """A vertical skeleton of height 1."""
    y = torch.linspace(-0.5, 0.5, steps)
    return torch.stack([torch.zeros(steps), y], dim=-1)[None]


@pytest.mark.parametrize("stroke", [2.0, 5.0])
@pytest.mark.parametrize("shear", [-0.45, 0.0, 0.45])
def test_a_line_is_as_wide_as_asked_whatever_its_shear(stroke: float, shear: float) -> None:
    one = torch.ones(1)
    ink = canvases.rendered(line(), 40 * one, stroke * one, shear * one, torch.tensor([[32.0, 32.0]]))
    length = 40 * math.hypot(1, shear)
    assert float(ink.sum()) == pytest.approx(length * stroke + math.pi * stroke**2 / 4, rel=0.02)
    rows = torch.arange(64) + 0.5
    top, bottom = (ink[0, row] @ rows / ink[0, row].sum() for row in (20, 43))
    assert float(top - bottom) == pytest.approx(23 * shear, abs=0.2)


def test_equal_generators_draw_equal_canvases() -> None:
    def drawn(seed: int) -> canvases.Canvases:
        return canvases.draw(6, "test", glyph_count=200, generator=torch.Generator().manual_seed(seed))

    a, b, c = drawn(0), drawn(0), drawn(1)
    assert torch.equal(a.images, b.images)
    assert torch.equal(a.about, b.about)
    assert not torch.equal(a.images, c.images)
    assert a.images.dtype == torch.uint8


def test_training_never_sees_what_is_held_out() -> None:
    g = torch.Generator().manual_seed(0)
    assert not captions.held_out(canvases.fields_of(3000, generator=g)).any()
    assert captions.held_out(canvases.fields_of(3000, unseen=True, generator=g)).all()


def test_what_is_asked_for_is_kept() -> None:
    asked = torch.full((5, 7), -1)
    asked[:, captions.LAYOUT], asked[:, captions.DIGIT], asked[:, captions.PLACE] = 0, 7, 4
    found = canvases.fields_of(5, about=asked, generator=torch.Generator().manual_seed(0))
    assert torch.equal(found[:, [0, 1, 6]], asked[:, [0, 1, 6]])
    assert (found[:, captions.SIZE] >= 0).all()


def test_three_in_ten_are_pairs_and_all_fields_are_even() -> None:
    about = canvases.fields_of(20_000, generator=torch.Generator().manual_seed(0))
    pair = about[:, captions.LAYOUT] > 0
    assert float(pair.double().mean()) == pytest.approx(0.3, abs=0.02)
    shares = about[~pair, captions.PLACE].bincount(minlength=5) / (~pair).sum()
    assert float(shares.min()) > 0.17


def test_digits_stay_inside_the_canvas() -> None:
    images = canvases.draw(300, "test", glyph_count=300, generator=torch.Generator().manual_seed(0)).images
    frame = images.clone()
    frame[:, 1:-1, 1:-1] = 0
    assert float((frame.flatten(1) > 127).any(1).double().mean()) < 0.05

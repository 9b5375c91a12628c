"""Glasses of ink: each dot is where it should be, in its colour, between the walls."""

from __future__ import annotations

import pytest
import torch
from matplotlib.colors import to_rgb

from diffusion_teach import plots
from diffusion_teach.plots import glass, style


@pytest.fixture(autouse=True)
def _ten_places(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(glass, "PLACES", 10)


def colour(name: str) -> list[int]:
    return [round(255 * part) for part in to_rgb(name)]


def test_a_dot_is_a_square_of_two_pixels_the_right_way_up(monkeypatch: pytest.MonkeyPatch) -> None:
    top_right, outside = [0.95, 0.95], [3.0, 0.0]
    monkeypatch.setattr(glass, "COLORS", ["#000000"])
    frame = plots.glasses([torch.tensor([top_right] * 3 + [outside])], 1.0)
    size, edge = 10 * glass.SCREEN, glass.GAP + glass.SCREEN  # of the water, and where it begins
    assert frame.shape == (2 * glass.GAP + size + glass.SCREEN, 2 * glass.GAP + size + 2 * glass.SCREEN, 3)
    black = (frame == 0).all(-1).nonzero()
    assert len(black) == glass.SCREEN**2
    assert black[:, 0].tolist() == [glass.GAP, glass.GAP, glass.GAP + 1, glass.GAP + 1]
    assert black[:, 1].max() == edge + size - 1


def test_walls_stand_left_right_and_below_and_more_dots_are_darker() -> None:
    dots = torch.tensor([[0.05, 0.05], [0.35, 0.05], [0.35, 0.05]])
    frame = plots.glasses([dots, dots], 1.0)
    width = 10 * glass.SCREEN + 2 * glass.SCREEN + glass.GAP  # from one glass to the next
    wall, top, left = colour(style.GREY), glass.GAP, glass.GAP
    right, bottom = left + width - glass.GAP - 1, len(frame) - glass.GAP - 1
    assert [frame[y, x].tolist() for y, x in ((top, left), (top, right), (bottom, left + 9))] == [wall] * 3
    assert frame[top, left + 9].tolist() == colour(style.CARD)  # open at the top
    row = top + 4 * glass.SCREEN
    one, two = (frame[row, left + (1 + place) * glass.SCREEN].int() for place in (5, 6))
    assert (two <= one).all()
    assert not torch.equal(one, two)
    assert two[2] > two[0]  # blue
    other = frame[row, left + width + 7 * glass.SCREEN].int()
    assert other[2] < other[0]  # orange


def test_wrong_arguments_are_named() -> None:
    with pytest.raises(ValueError, match="a set for each of 2 glasses, got 1"):
        plots.glasses([torch.zeros(3, 2)], 1.0)
    with pytest.raises(ValueError, match=r"dots\[1\] must have shape"):
        plots.glasses([torch.zeros(3, 2), torch.zeros(3)], 1.0)

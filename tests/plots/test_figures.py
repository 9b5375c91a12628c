"""The figures: what they draw is where it should be, and bad input is named."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import to_rgba
from PIL import Image

from diffusion_teach import plots
from diffusion_teach.datasets import toy2d
from diffusion_teach.plots import fields, grids, live, output, style


def decoded(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def test_the_style_is_one_card_with_its_own_background() -> None:
    fig, axes = plots.subplots(2, 3, title="six panels")
    assert len(axes) == 6
    assert fig.get_size_inches()[0] <= style.WIDEST
    assert fig.get_facecolor() == to_rgba(style.CARD)
    assert mpl.rcParams["font.family"] == ["DejaVu Sans"]
    corner = decoded(output.png(fig))[0, 0]
    assert np.abs(corner.astype(int) - 255).max() <= 6


def test_the_palette_keeps_the_colours_of_the_book() -> None:
    fig, (ax,) = plots.subplots()
    for height, colour in enumerate(style.COLOURS):
        ax.axhspan(height, height + 1, color=colour)
    pixels = decoded(output.png(fig)).reshape(-1, 3).astype(int)
    for colour in style.COLOURS:
        wanted = (np.array(to_rgba(colour)[:3]) * 255).round()
        assert (np.abs(pixels - wanted).max(axis=1) <= 3).mean() > 0.05


def test_a_density_is_darkest_at_its_mode_and_the_right_way_up() -> None:
    fig, (ax,) = plots.subplots()
    plots.draw_density(ax, lambda x: -(x - torch.tensor([1.0, 2.0])).square().sum(dim=1), (-2, 3, -1, 4))
    (image,) = ax.images
    assert image.origin == "lower"
    row, column = np.unravel_index(np.asarray(image.get_array()).argmax(), image.get_array().shape)
    assert (-2 + 5 / 160 * (column + 0.5), -1 + 5 / 160 * (row + 0.5)) == pytest.approx((1, 2), abs=0.016)
    assert fig.axes == [ax]


def test_equal_fields_give_equal_arrows_and_the_first_sets_the_scale() -> None:
    mixture = toy2d.mixture().noised(1.0, 0.3)
    _, (ax,) = plots.subplots()
    plots.draw_field(ax, mixture.score, 2.5, color=plots.COLOURS.exact, dashed=True, count=7)
    plots.draw_field(ax, mixture.score, 2.5, count=7)
    plots.draw_field(ax, lambda x: 3 * mixture.score(x), 2.5, count=7)
    lines, dots, same, longer = ax.collections
    assert dots.get_offsets().shape == (49, 2)
    ends = np.stack(lines.get_segments())
    np.testing.assert_allclose(ends[:, 1] - ends[:, 0], np.stack([same.U, same.V], axis=1), atol=1e-5)
    assert (np.hypot(longer.U, longer.V) > np.hypot(same.U, same.V)).all()
    assert np.hypot(longer.U, longer.V).max() < 5 / 7


@given(st.integers(0, 1000), st.floats(0.1, 10))
def test_shortened_arrows_keep_their_direction(seed: int, longest: float) -> None:
    vectors = 5 * torch.randn(9, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    short = fields.shorten(vectors, longest)
    length = vectors.norm(dim=1)
    torch.testing.assert_close((short * vectors).sum(dim=1), short.norm(dim=1) * length)
    assert (short.norm(dim=1) < longest).all()
    assert (short.norm(dim=1) <= length).all()


@given(st.integers(1, 13), st.integers(1, 6), st.integers(0, 3))
def test_a_mosaic_holds_every_image_in_order(n: int, columns: int, gap: int) -> None:
    images = torch.randint(0, 256, (n, 4, 5), dtype=torch.uint8)
    sheet = grids.mosaic(images, columns, gap=gap)
    across = min(columns, n)
    for index in range(n):
        row, column = divmod(index, across)
        top, left = row * (4 + gap), column * (5 + gap)
        assert torch.equal(sheet[top : top + 4, left : left + 5], images[index])
    assert sheet.shape == (-(-n // across) * (4 + gap) - gap, across * (5 + gap) - gap)


def test_neighbours_stand_under_their_samples() -> None:
    training = torch.rand(30, 1, 6, 6) * 2 - 1
    chosen = [4, 9, 22]
    fig = plots.neighbours_grid(training[chosen] + 0.01, training, columns=3)
    sheet = np.asarray(fig.axes[0].images[0].get_array()).astype(int)
    assert np.abs(sheet[:6] - sheet[8:14]).max() <= 2
    expected = grids.mosaic(training[chosen], 3).numpy()
    np.testing.assert_array_equal(sheet[8:14], expected)


def test_titles_name_their_images() -> None:
    images = torch.zeros(5, 6, 6, dtype=torch.uint8)
    fig = plots.image_grid(images, 3, titles=list("abcde"), title="all")
    assert [text.get_text() for text in fig.axes[0].texts] == list("abcde")
    assert list(plots.image_grid(images).axes[0].texts) == []


def test_a_strip_begins_at_the_first_time_and_ends_at_the_last() -> None:
    steps = torch.linspace(-1, 1, 11).view(11, 1, 1, 1, 1).expand(11, 2, 1, 6, 6)
    fig = plots.strip(steps, torch.linspace(1, 0, 11), columns=4)
    (ax,) = fig.axes
    labels = [label.get_text() for label in ax.get_xticklabels()]
    assert (len(labels), labels[0], labels[-1]) == (4, "t = 1.00", "t = 0.00")
    sheet = np.asarray(ax.images[0].get_array())
    assert (sheet[0, 0], sheet[0, -1], sheet[-1, 0], sheet[-1, -1]) == (0, 255, 0, 255)


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=30), st.integers(1, 40))
def test_the_running_mean_is_the_mean_of_the_last(values: list[float], window: int) -> None:
    expected = [np.mean(values[max(0, i + 1 - window) : i + 1]) for i in range(len(values))]
    np.testing.assert_allclose(live.running_mean(values, window), expected, atol=1e-12)


IMAGES = torch.zeros(4, 6, 6, dtype=torch.uint8)


def ax() -> Any:
    return plots.subplots()[1][0]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: plots.subplots(0), ValueError, "rows must be at least 1"),
        (lambda: plots.plane(ax(), (1, 0, 0, 1)), ValueError, "extent must be"),
        (lambda: plots.plane(ax(), -1), ValueError, "extent must be above 0"),
        (lambda: plots.draw_density(ax(), lambda x: x, 1), ValueError, "what log_prob returns must have shape"),
        (lambda: plots.draw_field(ax(), lambda x: x[:, 0], 1), ValueError, "what score returns must have shape"),
        (lambda: plots.draw_field(ax(), lambda x: x * torch.nan, 1), ValueError, "what score returns must be finite"),
        (lambda: plots.image_grid(torch.zeros(4, 6, 6)), ValueError, "images must have shape"),
        (lambda: plots.image_grid(IMAGES[:0]), ValueError, "images is empty"),
        (lambda: plots.image_grid(IMAGES, titles=["a"]), ValueError, "each of the 4 images, got 1"),
        (lambda: plots.image_rows({}), ValueError, "rows is empty"),
        (lambda: plots.image_rows({"a": IMAGES, "b": IMAGES[:2]}), ValueError, "the same number of images"),
        (lambda: plots.image_rows({"a": IMAGES}, column_titles=["x"]), ValueError, "each of the 4 columns, got 1"),
        (lambda: plots.scatter(ax(), torch.zeros(3, 3)), ValueError, "points must have shape"),
        (lambda: plots.strip(torch.zeros(3, 2, 1, 6, 6), [0.0]), ValueError, "each of the 3 steps, got 1"),
        (lambda: plots.loss_curve(ax(), []), ValueError, "losses is empty"),
        (lambda: output.png("no figure"), TypeError, "fig must be a matplotlib Figure"),  # type: ignore[arg-type]
    ],
)
def test_bad_input_is_named(call: Callable[[], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()

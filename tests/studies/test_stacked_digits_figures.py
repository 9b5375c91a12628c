"""Figures of stacked digits show what they are given, beside what real stacks score."""

from __future__ import annotations

import pytest
import torch

from diffusion_teach.datasets import stacked_mnist
from diffusion_teach.metrics.stacked_modes import modes
from diffusion_teach.studies.stacked_digits.figures import histograms, stacks


def test_a_stack_is_shown_in_colour_and_channel_by_channel() -> None:
    images, numbers = stacked_mnist.draw(5, generator=torch.Generator().manual_seed(0))
    axes = stacks(images, [f"{int(k):03d}" for k in numbers]).axes
    assert len(axes) == 4 * 5
    assert [ax.get_title() for ax in axes[:5]] == [f"{int(k):03d}" for k in numbers]
    colour = torch.tensor(axes[2].images[0].get_array())
    for channel in range(3):
        below = torch.tensor(axes[5 * (channel + 1) + 2].images[0].get_array())
        assert torch.equal(colour[..., channel], below)
        assert torch.equal(below.float() / 127.5 - 1, images[2, channel])
    with pytest.raises(ValueError, match="titles must name each of the 5 stacks, got 2"):
        stacks(images, ["1", "2"])


def test_rows_stand_beside_what_real_stacks_score() -> None:
    found = {"even": torch.arange(1000).repeat(26), "ten": torch.arange(10).repeat_interleave(2600)}
    counts = {name: torch.bincount(labels, minlength=1000) for name, labels in found.items()}
    scores = {name: modes(labels) for name, labels in found.items()}
    covered, divergence, shape = histograms(counts, scores).axes
    assert [list(line.get_xdata()) for line in covered.lines[1:]] == [[1000], [10]]
    assert list(covered.lines[0].get_xdata()) == [scores["even"].covered_real] * 2
    assert list(divergence.lines[0].get_xdata()) == [scores["even"].kl_uniform_real] * 2
    assert float(divergence.lines[2].get_xdata()[0]) == pytest.approx(torch.log(torch.tensor(100.0)).item())
    assert [label.get_text() for label in covered.get_yticklabels()] == ["even", "ten"]
    assert shape.lines[1].get_ydata()[9] == 2600
    assert set(shape.lines[2].get_ydata()) == {26}
    with pytest.raises(ValueError, match="measured must have the rows of counts"):
        histograms(counts, {"even": scores["even"]})

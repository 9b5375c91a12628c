"""Between two times of a path: two moves are one move, and back and forth agree with Bayes."""

from __future__ import annotations

import pytest
import torch

from diffusion_teach.schedules import VE, VP, Cosine, FlowMatching, Schedule, transitions

PATHS = [VP(), VE(), Cosine(), FlowMatching()]
paths = pytest.mark.parametrize("path", PATHS, ids=lambda path: type(path).__name__)
R, S, T = (torch.tensor([time, 0.9 * time], dtype=torch.float64) for time in (0.2, 0.5, 0.8))


@paths
def test_two_moves_are_one(path: Schedule) -> None:
    first, second, whole = (
        transitions.forward(path, R, S),
        transitions.forward(path, S, T),
        transitions.forward(path, R, T),
    )
    torch.testing.assert_close(first[0] * second[0], whole[0])
    torch.testing.assert_close((first[1] * second[0]).square() + second[1].square(), whole[1].square())


@paths
def test_from_data_it_is_the_line_itself(path: Schedule) -> None:
    scale, std = transitions.forward(path, torch.zeros_like(T), T)
    torch.testing.assert_close(scale, path.alpha(T))
    torch.testing.assert_close(std, path.sigma(T))


@paths
def test_back_is_bayes_rule(path: Schedule) -> None:
    """The law of (x_s, x_t) given x₀ is a Gaussian of two numbers; back is its conditional."""
    scale, std = transitions.forward(path, S, T)
    of_x0, of_x_t, left = transitions.backward(path, S, T)
    variance_s, covariance = path.sigma(S).square(), scale * path.sigma(S).square()
    variance_t = scale.square() * variance_s + std.square()
    slope = covariance / variance_t
    torch.testing.assert_close(of_x_t, slope)
    torch.testing.assert_close(of_x0, path.alpha(S) - slope * path.alpha(T))
    torch.testing.assert_close(left.square(), variance_s - slope * covariance)


def test_the_ends() -> None:
    zero, one = torch.zeros(()), torch.ones(())
    of_x0, of_x_t, left = transitions.backward(VP(), zero, one)
    assert (float(of_x0), float(of_x_t), float(left)) == (1, 0, 0)
    half = torch.tensor(0.5)
    of_x0, of_x_t, left = transitions.backward(FlowMatching(), half, one)  # α = 0 there: x_t says nothing of x₀
    assert (float(of_x0), float(of_x_t), float(left)) == (0.5, 0, 0.5)


def test_wrong_times_are_named() -> None:
    with pytest.raises(ValueError, match="s must lie before t"):
        transitions.forward(VP(), T, S)
    with pytest.raises(ValueError, match="s must lie in"):
        transitions.backward(VP(), -T, S)

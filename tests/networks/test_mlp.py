"""Batched networks are independent networks, and their features are what the formula says."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from diffusion_teach.networks.mlp import MLP, TimeMLP, fourier_features
from tests.members import member


def _generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@settings(deadline=None, max_examples=25)
@given(
    members=st.integers(1, 4),
    depth=st.integers(0, 3),
    octaves=st.integers(0, 3),
    sizes=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    shared=st.booleans(),
)
def test_a_member_equals_a_single_network_with_its_weights(
    members: int, depth: int, octaves: int, sizes: tuple[int, int], shared: bool
) -> None:
    net = MLP(*sizes, width=8, depth=depth, fourier_octaves=octaves, members=members, generator=_generator()).double()
    x = torch.randn(*(() if shared else (members,)), 5, sizes[0], dtype=torch.float64, generator=_generator(1))
    y = net(x)
    assert y.shape == (members, 5, sizes[1])
    for k in range(members):
        torch.testing.assert_close(member(net, k)(x if shared else x[k]), y[k])


def test_depth_zero_is_a_linear_map() -> None:
    net = MLP(3, 2, depth=0).double()
    x, y = torch.randn(2, 4, 3, dtype=torch.float64)
    torch.testing.assert_close(net(x) + net(y), net(x + y) + net(torch.zeros_like(x)))


def test_one_members_loss_leaves_the_others_alone() -> None:
    net = MLP(2, 1, width=8, members=3)
    net(torch.randn(3, 6, 2))[1].square().sum().backward()
    for p in net.parameters():
        assert p.grad is not None
        assert p.grad[1].abs().sum() > 0
        assert p.grad[0].abs().sum() == 0
        assert p.grad[2].abs().sum() == 0


def test_members_start_from_weights_of_their_own_and_a_seed_repeats_them() -> None:
    first, again = (MLP(2, 2, members=2, generator=_generator(3)) for _ in range(2))
    for p, q in zip(first.parameters(), again.parameters(), strict=True):
        assert torch.equal(p, q)
        assert not torch.equal(p[0], p[1])


def test_initial_weights_have_the_variance_of_a_linear_layer() -> None:
    weight = MLP(2, 2, width=64, members=20, generator=_generator()).layers[1].weight
    # U(±1/√i) has variance 1/(3i); the sample variance of n uniforms has relative error √(0.8/n).
    assert float(weight.detach().var()) * 3 * 64 == pytest.approx(1, abs=5 * math.sqrt(0.8 / weight.numel()))


def test_a_single_network_takes_any_leading_shape() -> None:
    net = MLP(2, 3, fourier_octaves=2)
    x = torch.randn(4, 5, 2)
    torch.testing.assert_close(net(x)[2, 3], net(x[2, 3]))


def test_parameters_are_counted() -> None:
    # (2 → 8 → 8 → 1): 2·8 + 8, 8·8 + 8, 8·1 + 1.
    assert MLP(2, 1, width=8, depth=2, members=7).parameters_per_member == 24 + 72 + 9
    assert MLP(2, 1, width=8, depth=2).parameters_per_member == 24 + 72 + 9


def test_fourier_features_repeat_after_a_turn() -> None:
    x = torch.rand(7, 2, dtype=torch.float64)
    features = fourier_features(x, 3)
    assert features.shape == (7, 2 * 7)
    turned = fourier_features(x + 2 * math.pi, 3)  # a turn of the slowest is a whole number of turns of the others
    torch.testing.assert_close(turned[:, 2:], features[:, 2:])
    torch.testing.assert_close(features[:, 2:8].square() + features[:, 8:].square(), torch.ones(7, 6).double())
    assert torch.equal(fourier_features(x, 0), x)


def test_each_octave_is_twice_as_fast_as_the_one_before() -> None:
    """By the formulas of the double angle, from sin x and cos x on."""
    x = torch.rand(7, 1, dtype=torch.float64)
    features = fourier_features(x, 4, base=1.5)
    sine, cosine = features[:, 1:5], features[:, 5:]
    torch.testing.assert_close(torch.atan2(sine[:, :1], cosine[:, :1]), 1.5 * x)
    torch.testing.assert_close(sine[:, 1:], 2 * sine[:, :-1] * cosine[:, :-1])
    torch.testing.assert_close(cosine[:, 1:], 1 - 2 * sine[:, :-1].square())


def test_the_fastest_feature_of_time_turns_eight_times() -> None:
    t = torch.linspace(0, 1, 2001, dtype=torch.float64)
    fastest = TimeMLP(2).double()._inputs(torch.zeros(2001, 2, dtype=torch.float64), t)[:, -1]
    assert int((fastest[1:] * fastest[:-1] < 0).sum()) == 2 * 8  # a cosine changes its sign twice a turn


@pytest.mark.parametrize("members", [None, 3])
def test_time_may_be_one_number_or_one_a_point(members: int | None) -> None:
    net = TimeMLP(2, width=8, fourier_octaves=2, members=members)
    lead = (5,) if members is None else (members, 5)
    x, t = torch.randn(*lead, 2), torch.full(lead, 0.3)
    assert net(x, t).shape == x.shape
    torch.testing.assert_close(net(x, torch.tensor(0.3)), net(x, t))
    if members is not None:
        torch.testing.assert_close(net(x, t[0]), net(x, t))
        torch.testing.assert_close(member(net.mlp, 1)(net._inputs(x[1], t[1])), net(x, t)[1])


def test_time_matters_and_small_times_are_told_apart() -> None:
    net = TimeMLP(2, width=8).double()
    x = torch.zeros(1, 2, dtype=torch.float64)
    outputs = torch.stack([net(x, torch.tensor(t, dtype=torch.float64)) for t in (0.0, 0.01, 0.5, 1.0)])
    assert (torch.pdist(outputs.flatten(1)) > 1e-3).all()


def test_spatial_features_change_the_parameters_by_those_of_the_first_layer_only() -> None:
    raw, rich = TimeMLP(2, width=16), TimeMLP(2, width=16, fourier_octaves=5)
    assert rich.parameters_per_member - raw.parameters_per_member == 2 * 2 * 5 * 16


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"in_dim": 0}, ValueError),
        ({"width": 2.5}, TypeError),
        ({"depth": -1}, ValueError),
        ({"fourier_octaves": 40}, ValueError),
        ({"members": 0}, ValueError),
        ({"generator": 3}, TypeError),
    ],
)
def test_wrong_sizes_are_named(arguments: dict, error: type[Exception]) -> None:
    (name,) = arguments
    with pytest.raises(error, match=name):
        MLP(**({"in_dim": 2, "out_dim": 1} | arguments))


def test_wrong_inputs_are_named() -> None:
    net = MLP(2, 1, members=3)
    with pytest.raises(ValueError, match=r"\(3, batch, 2\)"):
        net(torch.randn(4, 5, 2))
    with pytest.raises(ValueError, match="x must have shape"):
        net(torch.randn(5, 3))
    with pytest.raises(ValueError, match="empty"):
        net(torch.randn(0, 2))
    with pytest.raises(TypeError, match="floating"):
        net(torch.ones(5, 2, dtype=torch.int64))
    time = TimeMLP(2, members=3)
    with pytest.raises(ValueError, match="t must be"):
        time(torch.randn(3, 5, 2), torch.rand(3))
    with pytest.raises(ValueError, match="cond"):
        time(torch.randn(3, 5, 2), torch.rand(5), torch.zeros(5))  # type: ignore[arg-type]


def test_a_network_is_fed_its_own_precision_or_autocasts() -> None:
    network, x = MLP(2, 1), torch.randn(4, 2)
    with pytest.raises(TypeError, match=r"x must be of the dtype of the network's weights, float32, got .*float64"):
        network(x.double())
    with pytest.raises(TypeError, match=r"Convert it with x\.to\(torch\.float32\)"):
        network(x.bfloat16())
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert network(x.bfloat16()).dtype == torch.bfloat16
    assert network.double()(x.double()).dtype == torch.float64

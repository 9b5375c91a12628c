r"""Multilayer perceptrons for points, many of them trained at once.

    h₀ = φ(x),   hₗ₊₁ = silu(hₗ Wₗ + bₗ),   y = h_L W_L + b_L

A network of `members` M is M networks that share nothing: each weight has a leading dimension, W (M, i, o), and one
batched matrix product serves all of them. Ten seeds of a small network then cost little more than one, and every figure
can show all ten. The gradient of the sum of their losses is the gradient of each, as no loss depends on another's
weights.

φ adds Fourier features: with K octaves φ(x) = (x, sin ω₀x, cos ω₀x, …, sin ω_{K−1}x, cos ω_{K−1}x), ωₖ = 2ᵏ. A plain
perceptron learns low frequencies first and fine detail late or never; the features hand it the detail
(Tancik et al. 2020, "Fourier features let networks learn high frequency functions in low dimensional domains").
"""

from __future__ import annotations

import itertools
import math

import torch
from torch import Tensor, nn

from diffusion_teach import _checks
from diffusion_teach.networks.network import Network
from diffusion_teach.schedules import check_time

TIME_OCTAVES = 6  # ω from π/2 to 16π: the fastest turns eight times from data to noise, so small noise levels differ


def fourier_features(x: Tensor, octaves: int, base: float = 1.0) -> Tensor:
    """(x, sin ωₖx, cos ωₖx) at ωₖ = base·2ᵏ for k < octaves; (..., d) gives (..., d·(1 + 2·octaves))."""
    _checks.tensor("x", x, ("...", "d"), finite=False)
    base = _checks.number("base", base)
    if _checks.integer("octaves", octaves, least=0) == 0:
        return x
    angle = torch.cat([(base * 2**k) * x for k in range(octaves)], dim=-1)
    return torch.cat([x, angle.sin(), angle.cos()], dim=-1)


class BatchedLinear(nn.Module):
    """x W + b for M networks at once: (M, B, i) gives (M, B, o).

    Each member starts as `torch.nn.Linear` does, uniform in ±1/√i, independently of the others.
    """

    def __init__(self, members: int, in_dim: int, out_dim: int, *, generator: torch.Generator | None = None) -> None:
        super().__init__()
        members, in_dim = _checks.integer("members", members), _checks.integer("in_dim", in_dim)
        out_dim = _checks.integer("out_dim", out_dim)
        _checks.generator(generator)
        bound = 1 / math.sqrt(in_dim)
        self.weight = nn.Parameter(torch.empty(members, in_dim, out_dim).uniform_(-bound, bound, generator=generator))
        self.bias = nn.Parameter(torch.empty(members, 1, out_dim).uniform_(-bound, bound, generator=generator))

    def forward(self, x: Tensor) -> Tensor:
        members, in_dim, _ = self.weight.shape
        return torch.baddbmm(self.bias, _checks.input_of(self, "x", x, (members, "B", in_dim)), self.weight)


class MLP(nn.Module):
    """M independent perceptrons from R^in_dim to R^out_dim.

    Args:
        in_dim, out_dim: sizes of one input and one output.
        width, depth: units of a hidden layer, and number of hidden layers (0 makes it linear).
        fourier_octaves: K of φ; 0 feeds the raw coordinates.
        members: M, or None for a single network without a member dimension.
        generator: randomness of the initial weights.

    Raises:
        TypeError, ValueError: for sizes that are not whole numbers or out of range.
    """

    def __init__(
        self,
        in_dim: int,
        out_dim: int,
        width: int = 64,
        depth: int = 2,
        fourier_octaves: int = 0,
        members: int | None = None,
        *,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.in_dim = _checks.integer("in_dim", in_dim)
        self.out_dim = _checks.integer("out_dim", out_dim)
        width = _checks.integer("width", width)
        depth = _checks.integer("depth", depth, least=0)
        self.fourier_octaves = _checks.integer("fourier_octaves", fourier_octaves, least=0, most=16)
        self.members = None if members is None else _checks.integer("members", members)
        _checks.generator(generator)
        sizes = [in_dim * (1 + 2 * fourier_octaves), *[width] * depth, out_dim]
        self.layers = nn.ModuleList(
            BatchedLinear(members or 1, i, o, generator=generator) for i, o in itertools.pairwise(sizes)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(M, B, in_dim) or (B, in_dim), which every member then sees, gives (M, B, out_dim).

        A single network (members=None) maps (..., in_dim) to (..., out_dim).
        """
        _checks.input_of(self, "x", x, ("...", self.in_dim))
        members = self.members
        if members is None:
            flat = x.reshape(1, -1, self.in_dim)
            return self._layers(flat).reshape(*x.shape[:-1], self.out_dim)
        if x.ndim not in (2, 3) or (x.ndim == 3 and x.shape[0] != members):
            raise ValueError(
                f"x must have shape ({members}, batch, {self.in_dim}), one batch a member, or (batch, {self.in_dim}), "
                f"one batch for all; got {tuple(x.shape)}."
            )
        return self._layers(x.expand(members, *x.shape[-2:]))

    def _layers(self, x: Tensor) -> Tensor:
        h = fourier_features(x, self.fourier_octaves)
        *hidden, last = self.layers
        for layer in hidden:
            h = nn.functional.silu(layer(h))
        return last(h)

    @property
    def parameters_per_member(self) -> int:
        """How many numbers one member learns."""
        return sum(p.numel() for p in self.parameters()) // (self.members or 1)


class TimeMLP(Network):
    """A perceptron of a noisy point and its time, (x_t, t) to R^dim: the network of every diffusion model of 2D points.

    The Fourier features of `fourier_octaves` are those of x_t; time has its own, sin and cos of (π/2)·2ᵏ·t, so that the
    comparison "with and without features" changes what the network sees of space only. `cond` must be None.

    Args: as of `MLP`, with `dim` the size of a point, and `beside`: how many more numbers a subclass shows it.
    """

    shape: tuple[int, ...]

    def __init__(
        self,
        dim: int = 2,
        width: int = 64,
        depth: int = 2,
        fourier_octaves: int = 0,
        members: int | None = None,
        *,
        beside: int = 0,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.shape = (_checks.integer("dim", dim),)
        self.fourier_octaves = _checks.integer("fourier_octaves", fourier_octaves, least=0, most=16)
        self.members = None if members is None else _checks.integer("members", members)
        seen = dim * (1 + 2 * fourier_octaves) + 1 + 2 * TIME_OCTAVES + _checks.integer("beside", beside, least=0)
        self.mlp = MLP(seen, dim, width, depth, members=members, generator=generator)

    def forward(self, x_t: Tensor, t: Tensor, cond: None = None) -> Tensor:
        """x_t (B, dim) or (M, B, dim), t 0-dimensional, (B,) or (M, B), gives the shape of x_t with the members."""
        if cond is not None:
            raise ValueError("cond must be None: TimeMLP learns one distribution, without conditions.")
        return self.mlp(self._inputs(x_t, t))

    def _inputs(self, x_t: Tensor, t: Tensor) -> Tensor:
        """What the perceptron sees of a point and a time, (..., B, features)."""
        _checks.input_of(self, "x_t", x_t, ("...", *self.shape))
        check_time(t)
        batch = x_t.shape[:-1]
        if t.ndim > len(batch) or t.shape != batch[len(batch) - t.ndim :]:
            raise ValueError(
                f"t must be one number or have the leading shape of x_t, {tuple(batch)}; got {tuple(t.shape)}."
            )
        time = fourier_features(t.to(x_t).unsqueeze(-1), TIME_OCTAVES, base=math.pi / 2)
        space = fourier_features(x_t, self.fourier_octaves)
        return torch.cat([space, time.expand(*batch, time.shape[-1])], dim=-1)

    @property
    def parameters_per_member(self) -> int:
        """How many numbers one member learns."""
        return self.mlp.parameters_per_member

r"""A normalizing flow: an invertible network whose density is exact.

x = f⁻¹(z) with z ~ N(0, I) has, by the change of variables,

    log p(x) = log N(f(x); 0, I) + log |det ∂f/∂x|.

f is a chain of affine couplings. One part of the coordinates passes unchanged and says how the rest is stretched and
moved; the Jacobian is triangular, and its determinant is the product of the stretches:

    y_a = x_a,   y_b = x_b·exp(s(x_a)) + t(x_a),   log |det| = Σ s(x_a).

Source: Dinh, Sohl-Dickstein and Bengio (2017), "Density estimation using Real NVP", eq. 4–8.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from diffusion_teach import _checks
from diffusion_teach.exact.densities import gaussian_log_prob
from diffusion_teach.networks.mlp import MLP

STRETCH = 2.0
"""The largest |s| of one coupling: a bound keeps exp(s) from running away early in training."""


class AffineCoupling(nn.Module):
    """One coupling of d coordinates; the identity before it is trained.

    Args:
        dim: d, at least 2.
        flip: whether the second half steers the first, instead of the first the second.
        width, depth, fourier_octaves: of the perceptron that gives s and t, see `networks.mlp`.
    """

    order: Tensor

    def __init__(self, dim: int, *, flip: bool, width: int = 64, depth: int = 2, fourier_octaves: int = 0) -> None:
        super().__init__()
        self.dim = dim = _checks.integer("dim", dim, least=2)
        flip = _checks.flag("flip", flip)
        order = torch.arange(dim)
        self.register_buffer("order", order.flip(0) if flip else order)
        self.kept = dim // 2
        self.network = MLP(self.kept, 2 * (dim - self.kept), width, depth, fourier_octaves)
        with torch.no_grad():
            for parameter in self.network.layers[-1].parameters():
                parameter.zero_()

    def _steer(self, a: Tensor) -> tuple[Tensor, Tensor]:
        raw, shift = self.network(a).chunk(2, dim=-1)
        return STRETCH * torch.tanh(raw / STRETCH), shift

    def _parts(self, name: str, x: Tensor) -> tuple[Tensor, Tensor]:
        _checks.input_of(self, name, x, ("B", self.dim))
        ordered = x[:, self.order]
        return ordered[:, : self.kept], ordered[:, self.kept :]

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """y (B, d) and log |det ∂y/∂x| (B,) of x (B, d)."""
        a, b = self._parts("x", x)
        s, t = self._steer(a)
        return torch.cat([a, b * s.exp() + t], dim=1)[:, self.order], s.sum(1)

    def inverse(self, y: Tensor) -> Tensor:
        """x (B, d) with forward(x) = y: undone in one go, without solving anything."""
        a, b = self._parts("y", y)
        s, t = self._steer(a)
        return torch.cat([a, (b - t) * (-s).exp()], dim=1)[:, self.order]


class RealNVP(nn.Module):
    """A chain of affine couplings, halves taking turns, from data x to z ~ N(0, I).

    Args:
        dim: d, at least 2.
        couplings: how many.
        width, depth, fourier_octaves: of each coupling's perceptron.
    """

    def __init__(
        self, dim: int = 2, couplings: int = 8, width: int = 64, depth: int = 2, fourier_octaves: int = 0
    ) -> None:
        super().__init__()
        self.dim = _checks.integer("dim", dim, least=2)
        self.couplings = nn.ModuleList(
            AffineCoupling(dim, flip=k % 2 == 1, width=width, depth=depth, fourier_octaves=fourier_octaves)
            for k in range(_checks.integer("couplings", couplings))
        )

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """z = f(x) (B, d) and log |det ∂f/∂x| (B,) of x (B, d)."""
        total = _checks.input_of(self, "x", x, ("B", self.dim)).new_zeros(len(x))
        for coupling in self.couplings:
            x, log_det = coupling(x)
            total = total + log_det
        return x, total

    def inverse(self, z: Tensor) -> Tensor:
        """x = f⁻¹(z), both (B, d)."""
        _checks.input_of(self, "z", z, ("B", self.dim))
        for coupling in reversed(self.couplings):
            z = coupling.inverse(z)  # type: ignore[operator]
        return z

    def log_prob(self, x: Tensor) -> Tensor:
        """log p(x) in nats, exact; x (B, d) gives (B,)."""
        z, log_det = self(x)
        return gaussian_log_prob(z) + log_det

    def sample(self, n: int, *, generator: torch.Generator | None = None) -> Tensor:
        """n points (n, d): one pass of the inverse."""
        z = torch.randn(_checks.integer("n", n), self.dim, generator=_checks.generator(generator))
        return self.inverse(z)

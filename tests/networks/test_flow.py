"""A flow inverts, its log-determinant is the Jacobian's, and its density integrates to one."""

from __future__ import annotations

import pytest
import torch
from torch.func import jacrev, vmap

from diffusion_teach.networks.flow import AffineCoupling, RealNVP


def _random(dim: int, couplings: int = 5) -> RealNVP:
    """A flow that is no longer the identity."""
    torch.manual_seed(dim)
    flow = RealNVP(dim, couplings, width=8, fourier_octaves=1).double()
    for parameter in flow.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return flow


@pytest.mark.parametrize("dim", [2, 3, 5])
def test_round_trip_and_log_determinant(dim: int) -> None:
    flow = _random(dim)
    x = torch.randn(6, dim, dtype=torch.float64)
    z, log_det = flow(x)
    assert (z - x).abs().max() > 0.1
    torch.testing.assert_close(flow.inverse(z), x)
    jacobian = vmap(jacrev(lambda point: flow(point.unsqueeze(0))[0][0]))(x)
    torch.testing.assert_close(torch.linalg.slogdet(jacobian).logabsdet, log_det)


def test_before_training_it_is_the_identity() -> None:
    x = torch.randn(4, 2)
    z, log_det = RealNVP()(x)
    torch.testing.assert_close(z, x)
    assert (log_det == 0).all()


def test_the_density_integrates_to_one() -> None:
    flow = _random(2, couplings=4)
    for parameter in flow.parameters():
        parameter.data *= 0.5
    line = torch.linspace(-12, 12, 801, dtype=torch.float64)
    points = torch.cartesian_prod(line, line)
    with torch.no_grad():
        mass = flow.log_prob(points).exp().sum() * (line[1] - line[0]) ** 2
    torch.testing.assert_close(mass.item(), 1.0, rtol=0, atol=1e-3)


def test_samples_follow_the_density() -> None:
    """E over samples of log p, against the change of variables of the same noise."""
    flow = _random(2).float()
    x = flow.sample(1000, generator=torch.Generator().manual_seed(0))
    z = torch.randn(1000, 2, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(flow(x)[0], z, rtol=1e-3, atol=1e-3)


def test_one_half_passes_unchanged() -> None:
    torch.manual_seed(0)
    x = torch.randn(3, 4)
    for flip, kept in ((False, slice(0, 2)), (True, slice(2, 4))):
        coupling = AffineCoupling(4, flip=flip)
        for parameter in coupling.parameters():
            torch.nn.init.normal_(parameter)
        y, _ = coupling(x)
        torch.testing.assert_close(y[:, kept], x[:, kept])
        assert not torch.allclose(y, x)


def test_wrong_arguments_fail_at_the_door() -> None:
    with pytest.raises(ValueError, match="dim must be at least 2"):
        RealNVP(1)
    with pytest.raises(ValueError, match="x must have shape"):
        RealNVP(2)(torch.zeros(3, 5))

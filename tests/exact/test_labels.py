"""Labelled mixtures: p(c|x) by Bayes' rule in plain probabilities, and the tilted density by its definition."""

from __future__ import annotations

import pytest
import torch

from diffusion_teach.exact import GaussianMixture
from diffusion_teach.exact.labels import log_posterior, log_tilted

PARTS = [
    GaussianMixture(torch.ones(1), torch.tensor([[m, 0.0]]), torch.tensor([v])) for m, v in ((-1.0, 0.3), (1.0, 0.5))
]
PRIOR = torch.tensor([1.0, 3.0])
X = torch.randn(7, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(("alpha", "sigma"), [(1.0, 0.0), (0.6, 0.8)])
def test_the_posterior_is_bayes_rule(alpha: float, sigma: float) -> None:
    joint = torch.stack(
        [share * p.log_prob(X, alpha, sigma).exp() for share, p in zip((0.25, 0.75), PARTS, strict=True)]
    )
    expected = (joint / joint.sum(0)).T
    torch.testing.assert_close(log_posterior(PARTS, PRIOR, X, alpha, sigma).exp(), expected)


def test_in_pure_noise_the_posterior_is_the_prior() -> None:
    found = log_posterior(PARTS, PRIOR, X, 0.0, 1.0).exp()
    torch.testing.assert_close(found, torch.tensor([0.25, 0.75], dtype=torch.float64).expand(7, 2))


@pytest.mark.parametrize("w", [0.0, 1.0, 2.5])
def test_the_tilted_density_is_the_whole_s_times_a_power_of_the_posterior(w: float) -> None:
    whole = GaussianMixture(PRIOR, torch.cat([p.means for p in PARTS]), torch.cat([p.covariances for p in PARTS]))
    found = log_tilted(PARTS, PRIOR, X, 1, w)
    expected = whole.log_prob(X) + (1 + w) * log_posterior(PARTS, PRIOR, X)[:, 1]
    torch.testing.assert_close(found - found[0], expected - expected[0])


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(TypeError, match="parts must be a list of mixtures"):
        log_posterior(PARTS[0], PRIOR, X)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="prior must be positive, got 0"):
        log_posterior(PARTS, torch.tensor([0.0, 1.0]), X)
    with pytest.raises(ValueError, match="label must be between 0 and 1, got 2"):
        log_tilted(PARTS, PRIOR, X, 2, 1.0)
    with pytest.raises(ValueError, match="w must be at least 0, got -1"):
        log_tilted(PARTS, PRIOR, X, 0, -1.0)

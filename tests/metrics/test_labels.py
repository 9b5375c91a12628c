"""Which digit each judge sees: on real digits mostly the right one, and the Gaussians' rule against torch's own."""

from __future__ import annotations

import pytest
import torch
from torch.distributions import MultivariateNormal

from diffusion_teach.datasets import mnist
from diffusion_teach.metrics import labels as metric


def test_log_likelihoods_are_torch_s_up_to_one_constant() -> None:
    g = torch.Generator().manual_seed(0)
    means, half = (torch.randn(*shape, dtype=torch.float64, generator=g) for shape in ((3, 4), (3, 4, 4)))
    covariances = half @ half.mT + 0.1 * torch.eye(4)
    x = torch.randn(5, 4, dtype=torch.float64, generator=g)
    found = metric.log_likelihoods(x, means, covariances)
    gap = MultivariateNormal(means, covariances).log_prob(x[:, None]) - found
    torch.testing.assert_close(gap, gap[0, 0].expand(5, 3))
    with pytest.raises(ValueError, match="covariances must be symmetric and positive definite"):
        metric.log_likelihoods(x, means, -covariances)


def test_both_judges_read_real_digits_and_err_on_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metric, "FITTED", 6000)
    metric._fits.cache_clear()
    images, labels = mnist.load("test")
    images, labels = mnist.to_model(images[::5]), labels[::5]
    seen = {judge: metric.named_by(judge, images) for judge in metric.JUDGES}
    metric._fits.cache_clear()
    accuracy = {judge: float((named == labels).double().mean()) for judge, named in seen.items()}
    assert accuracy["classifier"] > 0.98
    assert 0.92 < accuracy["encoder"] < 0.98
    wrong = {judge: named != labels for judge, named in seen.items()}
    assert (wrong["encoder"] & ~wrong["classifier"]).sum() > 0.5 * wrong["encoder"].sum()


def test_label_accuracy_counts_what_was_asked_for() -> None:
    images, labels = mnist.load("test")
    images = mnist.to_model(images[:40])
    named = metric.named_by("classifier", images)
    asked = named.clone()
    asked[:10] = (asked[:10] + 1) % 10
    assert metric.label_accuracy("classifier", images, asked) == 0.75
    with pytest.raises(ValueError, match="judge must be one of"):
        metric.label_accuracy("teacher", images, labels[:40])
    with pytest.raises(ValueError, match=r"labels must have shape \(40|labels must"):
        metric.label_accuracy("classifier", images, labels[:39])

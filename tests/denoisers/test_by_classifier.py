"""Guidance by a classifier: with the exact one and scale 1 it is the denoiser of the label's own data."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from diffusion_teach.denoisers import ClassifierGuided, Denoiser, Exact, Guided
from diffusion_teach.exact import GaussianMixture
from diffusion_teach.exact.labels import log_posterior
from diffusion_teach.schedules import VP, FlowMatching, Schedule
from tests.denoisers.two_gaussians import LABELS, MIXTURE, SCHEDULES, X

PRIOR = torch.tensor([1.0, 2.0], dtype=torch.float64)
PARTS = [GaussianMixture(torch.ones(1), MIXTURE.means[k : k + 1], MIXTURE.covariances[:1]) for k in (0, 1)]
WHOLE = MIXTURE
ROWS = torch.arange(6)


def reader(schedule: Schedule) -> object:
    def log_p(x: Tensor, t: Tensor) -> Tensor:
        return log_posterior(PARTS, PRIOR, x, schedule.alpha(t), schedule.sigma(t))[ROWS, LABELS]

    return log_p


def steered(schedule: Schedule, scale: float) -> Denoiser:
    return ClassifierGuided(Exact(WHOLE, schedule), reader(schedule), scale)  # type: ignore[arg-type]


@pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES)
@pytest.mark.parametrize("t", [torch.tensor(0.3), torch.linspace(0.05, 0.95, 6)], ids=["one", "each"])
def test_with_scale_1_it_is_the_denoiser_given_the_label(schedule: Schedule, t: Tensor) -> None:
    t = t.double()
    each = [Exact(part, schedule)(X, t) for part in PARTS]
    for found, first, second in zip(steered(schedule, 1.0)(X, t), *each, strict=True):
        torch.testing.assert_close(found, torch.where(LABELS[:, None] == 0, first, second))


@pytest.mark.parametrize("w", [0.0, 1.3])
def test_scale_1_plus_w_is_classifier_free_guidance_of_w(w: float) -> None:
    t, schedule = torch.tensor(0.4, dtype=torch.float64), VP()
    free = [Guided(Exact(part, schedule), Exact(WHOLE, schedule), w)(X, t) for part in PARTS]
    for found, first, second in zip(steered(schedule, 1 + w)(X, t), *free, strict=True):
        torch.testing.assert_close(found, torch.where(LABELS[:, None] == 0, first, second))


def test_scale_0_is_no_guidance_and_the_line_holds() -> None:
    t, schedule = torch.tensor(0.4, dtype=torch.float64), FlowMatching()
    assert torch.equal(steered(schedule, 0.0)(X, t).eps, Exact(WHOLE, schedule)(X, t).eps)
    x0, eps = steered(schedule, 3.0)(X, t)
    torch.testing.assert_close(schedule.alpha(t) * x0 + schedule.sigma(t) * eps, X)
    assert steered(schedule, 0.0).is_posterior_mean
    assert not steered(schedule, 3.0).is_posterior_mean
    assert steered(schedule, 3.0).shape == (2,)


def test_what_it_shows_is_what_its_denoiser_shows() -> None:
    class Folded(Exact):
        def pictures(self, x: Tensor) -> Tensor:
            return x.flip(1)

    guided = ClassifierGuided(Folded(WHOLE, VP()), reader(VP()), 1.0)  # type: ignore[arg-type]
    assert torch.equal(guided.pictures(X), X.flip(1))


@torch.inference_mode()
def test_it_has_a_gradient_where_none_is_kept() -> None:
    t = torch.tensor(0.4, dtype=torch.float64)
    x = X.clone()
    assert not torch.allclose(steered(VP(), 2.0)(x, t).eps, Exact(WHOLE, VP())(x, t).eps)


def test_what_cannot_be_is_refused() -> None:
    half, exact = torch.tensor(0.5, dtype=torch.float64), Exact(WHOLE, FlowMatching())
    with pytest.raises(ValueError, match="scale must be at least 0, got -1"):
        steered(VP(), -1.0)
    with pytest.raises(TypeError, match="log_p must be a function"):
        ClassifierGuided(exact, "a seven")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="α > 0: in pure noise no classifier reads a label"):
        steered(FlowMatching(), 1.0)(X, torch.tensor(1.0, dtype=torch.float64))
    with pytest.raises(ValueError, match="log_p must have a derivative in x"):
        ClassifierGuided(exact, lambda x, t: x.detach().sum(1))(X, half)
    with pytest.raises(ValueError, match=r"what log_p returns must have shape \(6\)|what log_p returns"):
        ClassifierGuided(exact, lambda x, t: x)(X, half)

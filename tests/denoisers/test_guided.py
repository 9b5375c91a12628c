"""Guidance: it adds the score of the label, asks one network once, and is no score itself."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from diffusion_teach.denoisers import Denoiser, Exact, Guided, Learned, score
from diffusion_teach.exact import GaussianMixture
from diffusion_teach.networks.unet import UNet
from diffusion_teach.parameterizations import Prediction
from diffusion_teach.schedules import VE, VP, Cosine, Schedule
from tests.denoisers.two_gaussians import LABELS, MIXTURE, SCHEDULES, Labelled, X, labelled


@pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES)
@pytest.mark.parametrize("t", [torch.tensor(0.3), torch.linspace(0.05, 0.95, 6)], ids=["one", "each"])
def test_guidance_adds_the_score_of_the_label_given_x(schedule: Schedule, t: Tensor) -> None:
    # ∇log p(x|c) + w·(∇log p(x|c) − ∇log p(x)) = ∇log p(x|c) + w·∇log p(c|x), by differentiating log p(c|x_t).
    t, w = t.double(), 1.7
    alpha, sigma = schedule.alpha(t), schedule.sigma(t)
    x = X.clone().requires_grad_(True)
    log_p = torch.stack([part.distribution.log_prob(x, alpha, sigma) for part in Labelled(schedule).parts])
    given_label = log_p[LABELS, torch.arange(6)]
    (expected,) = torch.autograd.grad((given_label + w * (given_label - log_p[2])).sum(), x)
    denoiser = labelled(schedule)
    x0, eps = Guided(denoiser.given(LABELS), denoiser, w)(X, t)
    torch.testing.assert_close(-eps / sigma.expand(6)[:, None], expected)
    torch.testing.assert_close(alpha.expand(6)[:, None] * x0 + sigma.expand(6)[:, None] * eps, X)


def test_one_network_is_called_once_with_twice_the_rows() -> None:
    half = torch.tensor(0.5, dtype=torch.float64)
    denoiser, twin = labelled(VP()), labelled(VP())
    pairs: list[tuple[Denoiser, Denoiser, list[int]]] = [
        (denoiser.given(LABELS), denoiser, [12]),
        (denoiser.given(LABELS), denoiser.given(1 - LABELS), [12]),
        (denoiser.given(LABELS), twin, [6]),
        (denoiser.given(LABELS), Exact(MIXTURE, VP()), [6]),
    ]
    for towards, away, rows in pairs:
        network = denoiser.network
        assert isinstance(network, Labelled)
        network.rows.clear()
        found = Guided(towards, away, 2.0)(X, half)
        assert network.rows == rows
        for both, one, other in zip(found, towards(X, half), away(X, half), strict=True):
            torch.testing.assert_close(both, 3 * one - 2 * other)


def test_a_worse_model_pulls_as_far_as_it_is_worse() -> None:
    # One Gaussian of variance 1 and one of 4: the guided score is that of N(0, τ²) with 1/τ² = 2/1 − 1/4.
    good, worse = (
        Exact(GaussianMixture(torch.ones(1), torch.zeros(1, 2), torch.full((1,), v)), VE()) for v in (1.0, 4.0)
    )
    t = torch.tensor(1e-3, dtype=torch.float64)
    guided = Guided(good, worse, 1.0)
    torch.testing.assert_close(-guided(X, t).eps / VE().sigma(t), -1.75 * X, rtol=1e-4, atol=1e-4)
    assert guided.shape == (2,)


def test_guidance_is_no_score_but_where_there_is_none() -> None:
    half, denoiser = torch.tensor(0.5, dtype=torch.float64), labelled(VP())
    towards = denoiser.given(LABELS)
    guided, plain = Guided(towards, denoiser, 2.0), Guided(towards, denoiser, 0.0)
    assert not guided.is_posterior_mean
    with pytest.raises(ValueError, match="Guided does not return"):
        score(guided, X, half)
    assert plain.is_posterior_mean
    for one, other in zip(plain(X, half), towards(X, half), strict=True):
        assert torch.equal(one, other)
    # The label "none" is not pulled anywhere.
    none = denoiser.given(torch.full((6,), 2))
    torch.testing.assert_close(Guided(none, denoiser, 2.0)(X, half).x0, denoiser(X, half).x0)


@pytest.mark.parametrize("t", [torch.tensor(0.3), torch.linspace(0.05, 0.95, 6)], ids=["one", "each"])
def test_guidance_between_two_log_snrs_leaves_all_others_alone(t: Tensor) -> None:
    t, denoiser = t.double(), labelled(VP())
    towards = denoiser.given(LABELS)
    log_snr = VP().log_snr(t)
    inside = (log_snr >= -3) & (log_snr <= 1)
    found = Guided(towards, denoiser, 2.0, between=(-3.0, 1.0))
    assert torch.equal(found.guides(t), inside)
    for both, always, alone in zip(found(X, t), Guided(towards, denoiser, 2.0)(X, t), towards(X, t), strict=True):
        torch.testing.assert_close(both, torch.where(inside.expand(6)[:, None], always, alone))


def test_where_it_does_not_guide_the_other_is_not_asked() -> None:
    class Mute(Exact):
        def __call__(self, x_t: Tensor, t: Tensor) -> Prediction:
            raise AssertionError("asked")

    towards, away = (kind(MIXTURE, VP()) for kind in (Exact, Mute))
    guided = Guided(towards, away, 1.0, between=(-2.0, 0.0))
    for t in (0.05, 0.95):
        time = torch.tensor(t, dtype=torch.float64)
        assert torch.equal(guided(X, time).x0, towards(X, time).x0)
    with pytest.raises(AssertionError, match="asked"):
        guided(X, VP().time_of(torch.tensor(-1.0, dtype=torch.float64)))


def test_a_network_s_label_for_none_is_no_label() -> None:
    torch.manual_seed(0)
    network = UNet((8, 8), blocks=1, dense=0, embedding=8, classes=3)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    denoiser = Learned(network, VP(), "v").eval().requires_grad_(False)
    assert (denoiser.classes, denoiser.shape, denoiser.device) == (3, (1, 28, 28), torch.device("cpu"))
    x, t, labels = torch.randn(2, 1, 28, 28), torch.tensor(0.6), torch.tensor([0, 2])
    with_label, without = denoiser.given(labels)(x, t), denoiser(x, t)
    for found, one, none in zip(Guided(denoiser.given(labels), denoiser, 0.5)(x, t), with_label, without, strict=True):
        assert not torch.allclose(one, none, atol=1e-3)
        torch.testing.assert_close(found, 1.5 * one - 0.5 * none, atol=1e-4, rtol=1e-4)


def test_guidance_that_cannot_be_is_refused() -> None:
    denoiser = labelled(VP())
    with pytest.raises(ValueError, match="guidance must be at least 0, got -1"):
        Guided(denoiser.given(LABELS), denoiser, -1.0)
    with pytest.raises(ValueError, match="between must be two log-SNRs, the smaller first"):
        Guided(denoiser.given(LABELS), denoiser, 1.0, between=(1.0, -1.0))
    with pytest.raises(ValueError, match="must share a schedule, got a VP and a Cosine"):
        Guided(denoiser.given(LABELS), labelled(Cosine()), 1.0)
    for network in (denoiser.network, "ddpm-mnist"):
        with pytest.raises(TypeError, match=r"away must be a denoiser, got .*Make one with Learned"):
            Guided(denoiser, network, 1.0)  # type: ignore[arg-type]


@pytest.mark.parametrize("rows", [4, 8])
def test_a_condition_of_other_rows_is_no_condition_of_these(rows: int) -> None:
    half, denoiser = torch.tensor(0.5, dtype=torch.float64), labelled(VP())
    other = denoiser.given(LABELS.repeat(2)[:rows])
    for asked in (Guided(other, denoiser, 2.0), Guided(denoiser.given(LABELS), other, 2.0)):
        with pytest.raises(ValueError, match=f"bound for {rows} rows, and x_t has 6. Bind one for each row"):
            asked(X, half)

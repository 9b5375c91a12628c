"""One denoiser on another schedule: exact to rounding, there and back, and refused where the noise is unknown."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from diffusion_teach.denoisers import Exact, Guided, Learned, Rescaled, score
from diffusion_teach.exact import GaussianMixture
from diffusion_teach.networks.unet import UNet
from diffusion_teach.samplers import ddim, sample, time_grid
from diffusion_teach.schedules import VE, VP, Cosine, Discrete, FlowMatching, Schedule, SubVP, linear_betas

MIXTURE = GaussianMixture(
    torch.tensor([0.3, 0.7], dtype=torch.float64),
    torch.tensor([[1.0, 0.0], [-1.0, 1.0]], dtype=torch.float64),
    torch.tensor([[[0.2, 0.16], [0.16, 0.24]], [[0.3, -0.12], [-0.12, 0.2]]], dtype=torch.float64),
)
SCHEDULES = [VP(), SubVP(), VE(1e-3, 200.0), Cosine(), FlowMatching(), Discrete(linear_betas())]
TIMES = torch.tensor([0.02, 0.1, 0.5, 0.8, 0.95], dtype=torch.float64)


@pytest.mark.parametrize("asked", SCHEDULES, ids=lambda s: type(s).__name__)
@pytest.mark.parametrize("own", [VP(0.001, 30.0), VE(1e-4, 1e5), Cosine()], ids=lambda s: type(s).__name__)
def test_the_answer_is_that_of_a_denoiser_made_for_the_schedule(own: Schedule, asked: Schedule) -> None:
    x = torch.randn(5, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    found = Rescaled(Exact(MIXTURE, own), asked)(x, TIMES)
    expected = Exact(MIXTURE, asked)(x, TIMES)
    for a, b in zip(found, expected, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-11, atol=1e-11)


def test_between_ve_and_vp_it_is_exact_to_the_twelfth_digit() -> None:
    x = torch.randn(5, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    for own, asked in ((VE(), VP()), (VP(0.001, 40.0), VE())):
        found = Rescaled(Exact(MIXTURE, own), asked)
        t = TIMES[:4]
        truth = score(Exact(MIXTURE, asked), x[:4], t)
        gap = (score(found, x[:4], t) - truth).norm(dim=1) / truth.norm(dim=1)
        assert float(gap.max()) < 1e-12


def test_there_and_back_is_nothing() -> None:
    x = torch.randn(5, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    once = Exact(MIXTURE, VP())
    twice = Rescaled(Rescaled(once, FlowMatching()), VP())
    torch.testing.assert_close(twice(x, TIMES).x0, once(x, TIMES).x0, rtol=1e-11, atol=1e-11)


def test_ddim_walks_the_same_path_on_both() -> None:
    """The deterministic sampler sees x/α and σ/α alone: on times of equal log-SNR both paths are one, rescaled."""
    ve, vp = VE(1e-3, 500.0), VP()
    on_vp = time_grid(vp, 12, start=0.95, stop=0.02, spacing="log_snr")
    on_ve = ve.time_of(vp.log_snr(on_vp))
    x = torch.randn(20, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    here = sample(Exact(MIXTURE, vp), ddim(), x, on_vp)
    there = sample(Rescaled(Exact(MIXTURE, vp), ve), ddim(), x / vp.alpha(on_vp[0]), on_ve)
    torch.testing.assert_close(there * vp.alpha(on_vp[-1]), here, rtol=1e-10, atol=1e-10)


def test_a_network_in_single_precision() -> None:
    network = UNet((8, 8), blocks=1, dense=0, embedding=8, image_size=8)
    torch.nn.init.normal_(network.head.weight, std=0.1)
    seen: list[Tensor] = []
    network.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[1]))
    learned = Learned(network, Discrete(linear_betas()), "v")
    x, t = torch.randn(3, 1, 8, 8), torch.tensor([0.2, 0.4, 0.6])
    found = Rescaled(learned, VE(0.001, 50.0))(x, t)
    assert found.x0.dtype == seen[0].dtype == torch.float32
    same = Discrete(linear_betas()).log_snr(seen[0].double()) - VE(0.001, 50.0).log_snr(t.double())
    assert same.abs().max() < 1e-3
    alpha, sigma = VE(0.001, 50.0).alpha(t), VE(0.001, 50.0).sigma(t)
    again = alpha[:, None, None, None] * found.x0 + sigma[:, None, None, None] * found.eps
    torch.testing.assert_close(again, x, rtol=1e-4, atol=1e-4)


def test_both_ends_have_a_meaning_where_both_schedules_reach_them() -> None:
    x = torch.ones(1, 2, dtype=torch.float64)
    found = Rescaled(Exact(MIXTURE, Cosine()), FlowMatching())(x, torch.ones(1).double())
    torch.testing.assert_close(found.x0[0], MIXTURE.mean)


def test_it_takes_over_what_the_denoiser_says_of_itself() -> None:
    labelled = Learned(UNet((8, 8), blocks=1, dense=0, embedding=8, classes=3, image_size=8), VP(), "v")
    rescaled = Rescaled(labelled, Cosine())
    assert (rescaled.shape, rescaled.classes, rescaled.device) == ((1, 8, 8), 3, torch.device("cpu"))
    bound = rescaled.given(torch.tensor([0, 1]))
    x = torch.randn(2, 1, 8, 8)
    torch.testing.assert_close(
        bound(x, torch.tensor(0.5)).x0,
        Rescaled(labelled.given(torch.tensor([0, 1])), Cosine())(x, torch.tensor(0.5)).x0,
    )
    good = Exact(MIXTURE, VP())
    assert not Rescaled(Guided(good, good, 1.0), Cosine()).is_posterior_mean


def test_noise_that_its_own_schedule_does_not_have_is_refused() -> None:
    narrow = Rescaled(Exact(MIXTURE, VE(0.01, 10.0)), VP())
    narrow(torch.ones(1, 2).double(), torch.tensor(0.5).double())
    with pytest.raises(ValueError, match=r"asked for a log-SNR of -10.*its least is -4\.6"):
        narrow(torch.ones(1, 2).double(), torch.ones(()).double())

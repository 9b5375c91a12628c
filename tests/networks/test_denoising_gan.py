"""The two players of a denoising diffusion GAN: who sees what."""

from __future__ import annotations

import pytest
import torch

from diffusion_teach.networks.denoising_gan import LatentUNet, OfStep, StepDiscriminator


def unet() -> LatentUNet:
    torch.manual_seed(0)
    net = LatentUNet(5, width=(8, 16), blocks=1, dense=16, embedding=8)
    with torch.no_grad():
        for weight in net.parameters():
            weight.normal_(std=0.2)
    return net


def test_the_generators_noise_and_time_both_count() -> None:
    net = unet()
    x, z, t = torch.randn(3, 1, 28, 28), torch.randn(3, 5), torch.full((3,), 0.5)
    with torch.no_grad():
        answer = net(x, t, z)
        assert answer.shape == x.shape
        for other in (net(x, t, -z), net(x, t / 2, z), net(-x, t, z)):
            assert float((other - answer).abs().max()) > 1e-3
        torch.testing.assert_close(net(x[:1], t[:1], z[:1]), answer[:1])


def test_what_the_generator_refuses() -> None:
    net, x = unet(), torch.randn(3, 1, 28, 28)
    with pytest.raises(ValueError, match="cond must be the noise z"):
        net(x, torch.tensor(0.5))
    with pytest.raises(ValueError, match=r"cond must have shape \(3, 5\)"):
        net(x, torch.tensor(0.5), torch.randn(3, 4))
    with pytest.raises(ValueError, match="classes must be 0"):
        LatentUNet(5, classes=10)


def judge() -> StepDiscriminator:
    torch.manual_seed(1)
    net = StepDiscriminator(4, width=(4, 6), dense=8)
    with torch.no_grad():
        for bias in net.biases:
            bias.weight.normal_()  # type: ignore[operator, union-attr]
    return net


def test_the_judge_sees_the_pair_and_the_number_of_the_step() -> None:
    net = judge()
    x_s, x_t = torch.randn(2, 3, 1, 28, 28)
    k = torch.tensor([1, 2, 4])
    with torch.no_grad():
        logits = net(x_s, x_t, k)
        assert logits.shape == (3, 1)
        for other in (net(x_t, x_s, k), net(x_s, x_s, k), net(x_s, x_t, torch.tensor([2, 3, 1]))):
            assert bool((other != logits).all())


def test_the_judge_of_one_step_repeats_what_is_known() -> None:
    net = judge()
    x_s, x_t, made = torch.randn(3, 3, 1, 28, 28)
    k = torch.tensor([1, 2, 4])
    of_step = OfStep(net, x_t, k)
    with torch.no_grad():
        both = of_step(torch.cat([x_s, made]))
        torch.testing.assert_close(both, torch.cat([net(x_s, x_t, k), net(made, x_t, k)]))
    assert {id(p) for p in of_step.parameters()} == {id(p) for p in net.parameters()}
    with pytest.raises(ValueError, match="whole sets of points like x_t"):
        of_step(torch.randn(4, 1, 28, 28))

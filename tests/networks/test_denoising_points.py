"""The players of a denoising GAN of points: each member for itself, and each argument heard."""

from __future__ import annotations

import torch

from diffusion_teach.networks.denoising_points import LatentMLP, StepMLP


def drawn(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def test_the_generator_hears_point_time_and_noise() -> None:
    network = LatentMLP(3, fourier_octaves=2, generator=torch.Generator().manual_seed(1))
    x_t, t, z = drawn(5, 2), torch.full((5,), 0.5), drawn(5, 3)
    answer = network(x_t, t, z)
    assert answer.shape == (5, 2)
    for changed in ((x_t + 1, t, z), (x_t, t / 2, z), (x_t, t, z + 1)):
        assert (network(*changed) - answer).abs().min() > 0
    torch.testing.assert_close(network(x_t, torch.tensor(0.5), z), answer)


def test_the_judge_hears_both_points_and_the_step() -> None:
    judge = StepMLP(4, fourier_octaves=2, generator=torch.Generator().manual_seed(1))
    x_s, x_t, k = drawn(5, 2), 2 * drawn(5, 2), torch.tensor([1, 2, 3, 4, 1])
    logits = judge(x_s, x_t, k)
    assert logits.shape == (5, 1)
    for changed in ((x_s + 1, x_t, k), (x_s, x_t + 1, k), (x_s, x_t, 5 - k)):
        assert (judge(*changed) - logits).abs().min() > 0


def test_members_do_not_see_one_another() -> None:
    network = LatentMLP(3, members=2, generator=torch.Generator().manual_seed(1))
    x_t, z = drawn(2, 5, 2), drawn(2, 5, 3)
    answer = network(x_t, torch.tensor(0.5), z)
    x_t[1] += 1
    moved = network(x_t, torch.tensor(0.5), z)
    assert torch.equal(moved[0], answer[0])
    assert not torch.equal(moved[1], answer[1])

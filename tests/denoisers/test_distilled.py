"""A student: what it says at both ends of time, where it begins, and how it draws."""

from __future__ import annotations

from typing import cast

import pytest
import torch
from torch import Tensor, nn

from diffusion_teach import checkpoints
from diffusion_teach.denoisers import Distilled, Learned
from diffusion_teach.networks.mlp import TimeMLP
from diffusion_teach.schedules import VP, Cosine, FlowMatching


def test_without_a_stop_it_is_its_teachers_denoiser() -> None:
    teacher = cast(Learned, checkpoints.model("ddpm-mnist"))
    student = Distilled(teacher.network, teacher.schedule)
    x_t = torch.randn(3, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    t = torch.tensor([1.0, 0.5, 0.01])
    with torch.no_grad():
        torch.testing.assert_close(student(x_t, t), teacher(x_t, t).x0)


@pytest.mark.parametrize("path", [VP(), Cosine(), FlowMatching()], ids=lambda path: type(path).__name__)
def test_at_its_stop_it_gives_back_what_it_sees_in_the_units_of_data(path: VP) -> None:
    student = Distilled(TimeMLP(width=8), path, stop=0.02).double()
    x = torch.randn(5, 2, dtype=torch.float64)
    t = torch.tensor(0.02, dtype=torch.float64)
    torch.testing.assert_close(student(x, t), x / path.alpha(t))


def test_it_is_as_edm_writes_it() -> None:
    """With x̄ = x/α and data of deviation 1: c_skip = 1/((σ̄ − ε̄)² + 1), c_out = (σ̄ − ε̄)/√(σ̄² + 1)."""
    path, stop, t = VP(), 0.01, torch.tensor([0.3, 0.9], dtype=torch.float64)
    student = Distilled(TimeMLP(width=8), path, stop=stop).double()
    x = torch.randn(2, 2, dtype=torch.float64)
    level = path.sigma(t) / path.alpha(t)
    end = torch.tensor(stop, dtype=torch.float64)
    ahead = level - path.sigma(end) / path.alpha(end)
    skip, out = 1 / (ahead**2 + 1), ahead / (level**2 + 1).sqrt()
    expected = (skip / path.alpha(t))[:, None] * x - out[:, None] * student.network(x, t)
    torch.testing.assert_close(student(x, t), expected)


class Zero(nn.Module):
    """It never sees anything."""

    shape = (1,)

    def forward(self, x_t: Tensor, t: Tensor) -> Tensor:
        return torch.zeros_like(x_t)


def test_several_steps_add_noise_anew_at_equal_times() -> None:
    """With v = 0 each jump is α·x: a chain of Gaussians whose variance is known."""
    student, n = Distilled(Zero(), VP(), most=4), 100_000
    x = student.sample(n, steps=2, generator=torch.Generator().manual_seed(0))
    half, one = torch.tensor(0.5), torch.tensor(1.0)
    first = (VP().alpha(one) * VP().sigma(one)) ** 2
    second = VP().alpha(half) ** 2 * (VP().alpha(half) ** 2 * first + VP().sigma(half) ** 2)
    assert float(x.var()) == pytest.approx(float(second), rel=0.02)
    assert torch.equal(
        student.sample(5, generator=torch.Generator().manual_seed(1)),
        student.sample(5, steps=1, generator=torch.Generator().manual_seed(1)),
    )
    with pytest.raises(ValueError, match="steps must be between 1 and 4, got 5"):
        student.sample(5, steps=5)


def test_at_pure_noise_it_says_minus_v() -> None:
    student = Distilled(TimeMLP(width=8), FlowMatching(), stop=0.1)
    x, one = torch.randn(4, 2), torch.ones(())
    torch.testing.assert_close(student(x, one), -student.network(x, one))

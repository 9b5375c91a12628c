"""The walk of a denoising diffusion GAN: with an exact law of x₀ it is the exact chain."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from diffusion_teach.denoisers import DenoisingGAN
from diffusion_teach.schedules import VP


class ExactLaw(nn.Module):
    """x₀ given x_t for one-dimensional data ±1, by one uniform number made of z."""

    shape, latent = (1,), 1

    def __init__(self, schedule: VP) -> None:
        super().__init__()
        self.schedule = schedule

    def forward(self, x_t: Tensor, t: Tensor, z: Tensor) -> Tensor:
        pull = 2 * self.schedule.alpha(t) / self.schedule.sigma(t).square()
        plus = torch.sigmoid(pull * x_t)
        return torch.where(torch.special.ndtr(z) < plus, 1.0, -1.0)


@pytest.mark.parametrize("steps", [1, 2, 4])
def test_an_exact_law_of_x0_gives_exact_data_in_any_number_of_steps(steps: int) -> None:
    model = DenoisingGAN(ExactLaw(VP()), VP(), steps)
    x = model.sample(20_000, generator=torch.Generator().manual_seed(0))
    assert set(x.flatten().tolist()) == {-1.0, 1.0}
    assert float(x.mean()) == pytest.approx(0, abs=4 / 20_000**0.5)


def test_a_step_back_has_the_marginal_of_the_noising() -> None:
    """From x_t of the true law, one step gives x_s of the true law: mean square and fourth moment."""
    model, n = DenoisingGAN(ExactLaw(VP()), VP(), 4), 200_000
    generator = torch.Generator().manual_seed(1)
    x0 = torch.randint(0, 2, (n, 1), generator=generator) * 2.0 - 1
    t, s = torch.tensor(0.5), torch.tensor(0.25)
    noise = torch.randn(3, n, 1, generator=generator)
    x_t = VP().alpha(t) * x0 + VP().sigma(t) * noise[0]
    x_s = model.back(x_t, torch.tensor(2), noise[1], noise[2])
    alpha, sigma = VP().alpha(s), VP().sigma(s)
    assert float(x_s.square().mean()) == pytest.approx(float(alpha**2 + sigma**2), abs=0.01)
    wanted = alpha**4 + 6 * alpha**2 * sigma**2 + 3 * sigma**4
    assert float(x_s.pow(4).mean()) == pytest.approx(float(wanted), rel=0.02)


def test_a_network_of_v_is_asked_for_x0() -> None:
    class Velocity(ExactLaw):
        def forward(self, x_t: Tensor, t: Tensor, z: Tensor) -> Tensor:
            alpha, sigma = self.schedule.alpha(t), self.schedule.sigma(t)
            return (alpha * x_t - super().forward(x_t, t, z)) / sigma

    x_t, z = torch.randn(2, 50, 1, generator=torch.Generator().manual_seed(2))
    by_v = DenoisingGAN(Velocity(VP()), VP(), 4, "v")(x_t, torch.tensor(0.5), z)
    torch.testing.assert_close(by_v, ExactLaw(VP())(x_t, torch.tensor(0.5), z))


def test_the_number_of_steps_is_the_models_own() -> None:
    model = DenoisingGAN(ExactLaw(VP()), VP(), 4)
    with pytest.raises(ValueError, match="steps must be 4, as the model was trained for, got 2"):
        model.sample(3, steps=2)
    with pytest.raises(TypeError, match="network must say its shape"):
        DenoisingGAN(nn.Linear(1, 1), VP())

r"""The denoising diffusion GAN: a few long steps back, each a law that a generator has learned.

From x_t the network draws an x₀, with noise z of its own, and then x_s comes from q(x_s|x_t, x₀), which is a Gaussian
however long the step is. What a regression puts in the place of x₀ is one picture, the mean; here it is another one
for each z, so x_s given x_t may have several humps.

Source: Xiao et al. (2022), eq. 5 and figure 3.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from diffusion_teach import _checks
from diffusion_teach.networks.network import FewStepGenerator
from diffusion_teach.parameterizations import TARGETS, add_more_noise, add_noise, one_step_back, solve
from diffusion_teach.schedules import Schedule, check_schedule, check_time


class DenoisingGAN(FewStepGenerator):
    """A generator that walks from noise to data in `steps` equal steps of time, whose number is part of the training.

    Args:
        network: called as network(x_t, t, z), answers like x_t; it says its `shape` and the size of z, `latent`.
        schedule: α(t), σ(t).
        steps: how many steps there are between t = 1 and t = 0.
        target: what the network answers with, see `parameterizations`; one of "v" may begin as a denoiser.
    """

    def __init__(self, network: nn.Module, schedule: Schedule, steps: int = 4, target: str = "x0") -> None:
        super().__init__()
        self.network = _checks.module("network", network)
        self.schedule = check_schedule(schedule)
        self.steps = self.least = self.most = _checks.integer("steps", steps)
        self.target = _checks.choice("target", target, TARGETS)
        for name in ("shape", "latent"):
            if not hasattr(network, name):
                raise TypeError(
                    f"network must say its {name}, as a LatentUNet does; {type(network).__name__} does not."
                )
        self.shape = tuple(network.shape)  # type: ignore[arg-type]
        self.latent = int(network.latent)  # type: ignore[arg-type]
        members = getattr(network, "members", None)
        self.members: tuple[int, ...] = () if members is None else (int(members),)

    def forward(self, x_t: Tensor, t: Tensor, z: Tensor) -> Tensor:
        """A draw of x₀ given x_t (B, ...), by the noise z (B, latent); t 0-dimensional or (B,)."""
        _checks.tensor("x_t", x_t, ("...", "last"), finite=False)
        _checks.tensor("z", z, ("...", self.latent), finite=False)
        return solve(self.target, self.schedule, t, x_t, self.network(x_t, check_time(t), z)).x0

    def back(self, x_t: Tensor, k: Tensor, z: Tensor, eps: Tensor) -> Tensor:
        """A draw of x_s given x_t, one step nearer to data, by z and ε.

        k = t·steps is 0-dimensional or (B,).
        """
        _checks.tensor("x_t", x_t, ("...", "last"), finite=False)
        _checks.tensor("eps", eps, finite=False)
        _checks.indices("k", k, self.steps + 1)
        s, t = ((k - 1) / self.steps).to(x_t), (k / self.steps).to(x_t)
        return one_step_back(self.schedule, s, t, x_t, self(x_t, t, z), eps)

    def pair(
        self,
        x0: Tensor,
        k: Tensor,
        eps: Tensor,
        more: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """(x_s, x_t) of the noising of x₀ (B, ...), by two noises; k as of `back`.

        ε makes x_s of x₀, and `more` noise x_t of that.
        """
        for name, noise in (("eps", eps), ("more", more)):
            _checks.same_shape(
                "x0",
                _checks.tensor("x0", x0),
                name,
                _checks.tensor(name, noise),
            )
        _checks.indices("k", k, self.steps + 1)
        s, t = ((k - 1) / self.steps).to(x0), (k / self.steps).to(x0)
        x_s = add_noise(self.schedule, s, x0, eps)
        return x_s, add_more_noise(self.schedule, s, t, x_s, more)

    def sample(self, count: int, *, generator: torch.Generator | None = None, steps: int | None = None) -> Tensor:
        """Samples (count, *shape) of noise drawn on the CPU, of a batch of M networks (M, count, *shape).

        Raises:
            ValueError: for another number of steps than the model's own.
        """
        rows, steps = (*self.members, _checks.integer("count", count)), self.asked(steps)
        _checks.generator(generator)

        def drawn(*size: int) -> Tensor:
            return torch.randn(*rows, *size, generator=generator).to(self.device)

        x = float(self.schedule.sigma(torch.ones(()))) * drawn(*self.shape)
        for k in range(steps, 0, -1):
            x = self.back(x, torch.tensor(k, device=self.device), drawn(self.latent), drawn(*self.shape))
        return x

r"""Students of a diffusion model: a network that jumps from any noise level to data, in one evaluation.

With x̄ = x/α and σ̄ = σ/α the jump is written as EDM writes a denoiser, with data of deviation 1 and a last level ε̄ > 0:

    f(x_t, t) = c_skip·x̄ − c_out·v(x_t, t),   c_skip = 1/((σ̄ − ε̄)² + 1),   c_out = (σ̄ − ε̄)/√(σ̄² + 1)

At σ̄ = ε̄ it is x̄ itself, whatever the network says: the boundary that a consistency model needs (Song et al. 2023,
eq. 5 and appendix C). With ε̄ = 0 it is α·x_t − σ·v on a variance-preserving path, the x̂₀ of a network of v. So the
student may begin as its teacher.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from diffusion_teach import _checks
from diffusion_teach.networks.network import FewStepGenerator
from diffusion_teach.parameterizations import add_noise, expand
from diffusion_teach.schedules import Schedule, check_schedule


class Distilled(FewStepGenerator):
    """A network of v that jumps to data.

    In several steps it jumps, adds noise anew at an earlier one of equal times, and jumps again (Song et al. 2023,
    algorithm 1).

    Args:
        network: called as network(x_t, t), returns v like x_t; it says the `shape` of a sample.
        schedule: α(t), σ(t).
        stop: the time t whose σ/α is ε̄; 0 for none.
        most: how many steps it can be asked for.
    """

    steps = 1

    def __init__(self, network: nn.Module, schedule: Schedule, *, stop: float = 0.0, most: int = 1) -> None:
        super().__init__()
        self.network = _checks.module("network", network)
        self.schedule = check_schedule(schedule)
        self.stop = _checks.number("stop", stop, least=0, below=1)
        self.most = _checks.integer("most", most)
        if getattr(network, "shape", None) is None:
            raise TypeError(f"network must say its shape, as a UNet does; {type(network).__name__} does not.")
        self.shape = tuple(network.shape)  # type: ignore[arg-type]
        end = torch.tensor(self.stop, dtype=torch.float64, device="cpu")
        self.last_level = float(schedule.sigma(end) / schedule.alpha(end))

    def forward(self, x_t: Tensor, t: Tensor) -> Tensor:
        """f(x_t, t), in the units of data; x_t (B, ...), t 0-dimensional or (B,), at `stop` or later."""
        _checks.tensor("x_t", x_t, finite=False)
        alpha, sigma = self.schedule.alpha(t), self.schedule.sigma(t)
        ahead = sigma - alpha * self.last_level  # α·(σ̄ − ε̄), and so on: α may be 0
        skip, out = alpha / (ahead.square() + alpha.square()), ahead / torch.hypot(alpha, sigma)
        answer: Tensor = expand(skip, x_t) * x_t - expand(out, x_t) * self.network(x_t, t)
        return answer

    def sample(self, count: int, *, generator: torch.Generator | None = None, steps: int | None = None) -> Tensor:
        """Samples (count, *shape) of noise drawn on the CPU."""
        count, steps = _checks.integer("count", count), self.asked(steps)
        _checks.generator(generator)

        def drawn() -> Tensor:
            return torch.randn(count, *self.shape, generator=generator).to(self.device)

        one = torch.ones((), device=self.device)
        x = self(self.schedule.sigma(one) * drawn(), one)
        for k in range(steps - 1, 0, -1):
            t = one * k / steps
            x = self(add_noise(self.schedule, t, x, drawn()), t)
        return x

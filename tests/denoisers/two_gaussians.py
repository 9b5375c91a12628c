"""A mixture of two Gaussians, and a network that knows it with and without its labels."""

from __future__ import annotations

import torch
from torch import Tensor

from diffusion_teach.denoisers import Exact, Learned
from diffusion_teach.exact import GaussianMixture
from diffusion_teach.networks.network import Network
from diffusion_teach.schedules import VE, VP, Cosine, FlowMatching, Schedule, SubVP

SCHEDULES = {"vp": VP(), "sub-vp": SubVP(), "ve": VE(0.01, 9.0), "cosine": Cosine(), "linear": FlowMatching()}
MIXTURE = GaussianMixture(
    torch.tensor([1.0, 2.0]), torch.tensor([[-1.0, 0.5], [1.0, 0.0]]), torch.tensor([[[0.5, 0.3], [0.3, 0.4]]] * 2)
)
X = torch.randn(6, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
LABELS = torch.tensor([0, 1, 1, 0, 0, 1])


class Labelled(Network):
    """A network that knows the exact ε of two Gaussians, by their label, and with the label 2 that of their mixture."""

    shape, classes = (2,), 2

    def __init__(self, schedule: Schedule) -> None:
        super().__init__()
        self.rows: list[int] = []
        one, other = (GaussianMixture(torch.ones(1), MIXTURE.means[k : k + 1], MIXTURE.covariances[:1]) for k in (0, 1))
        self.parts = [Exact(distribution, schedule) for distribution in (one, other, MIXTURE)]

    def forward(self, x_t: Tensor, t: Tensor, cond: Tensor | None = None) -> Tensor:
        self.rows.append(len(x_t))
        labels = torch.full((len(x_t),), 2) if cond is None else cond
        return torch.stack([part(x_t, t).eps for part in self.parts])[labels, torch.arange(len(x_t))]


def labelled(schedule: Schedule) -> Learned:
    return Learned(Labelled(schedule), schedule)

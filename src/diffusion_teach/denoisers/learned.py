"""A trained network as a denoiser, alone and with a condition bound to it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from diffusion_teach import _checks
from diffusion_teach.denoisers.denoiser import Denoiser
from diffusion_teach.networks.network import Network, device_of
from diffusion_teach.parameterizations import TARGETS, Prediction, expand, row, solve
from diffusion_teach.schedules import Schedule, check_schedule, check_time


class Learned(nn.Module, Denoiser):
    """A network with the schedule and the target that it is trained for.

    Args:
        network: called as network(x_t, t, cond), returns the target, shaped like x_t. A `networks.network.Network`
            says the shape of a sample and the labels that it knows; of another module neither is known.
        schedule: α(t), σ(t).
        target: one of `parameterizations.TARGETS`.
        unit_variance: let the network see and answer numbers of unit variance, for data of deviation s = `data_std`: it
            is fed x_t/√(α²s² + σ²) and asked for y/√(p²s² + q²). A schedule that lets the noise grow, as VE, needs it;
            VP has it of itself for eps, x0 and v. The target "edm" has unit variance by its row, and sets this.
        data_std: s, the deviation of the data; EDM takes 0.5.
    """

    def __init__(
        self,
        network: nn.Module,
        schedule: Schedule,
        target: str = "eps",
        *,
        unit_variance: bool = False,
        data_std: float = 1.0,
    ) -> None:
        super().__init__()
        self.network = _checks.module("network", network)
        self.schedule = check_schedule(schedule)
        self.target = _checks.choice("target", target, TARGETS)
        self.unit_variance = _checks.flag("unit_variance", unit_variance) or target == "edm"
        self.data_std = _checks.number("data_std", data_std, above=0)
        about = network if isinstance(network, Network) else Network()
        self.shape, self.classes, self.members = about.shape, about.classes, about.members
        self.condition = about.condition

    @property
    def device(self) -> torch.device:  # type: ignore[override]
        """Where the network computes."""
        return device_of(self)

    def forward(self, x_t: Tensor, t: Tensor, cond: Tensor | None = None) -> Prediction:
        y = self.answer(x_t, t, cond)
        y = expand(self.unit(t), x_t) * y if self.unit_variance else y
        return solve(self.target, self.schedule, t, x_t, y, data_std=self.data_std)

    def given(self, cond: Tensor) -> Denoiser:
        """This denoiser with a condition bound to it: a label (B,) of `classes` for each row.

        Raises:
            ValueError: for a network that takes no labels, or labels that it does not know.
        """
        if not self.classes:
            raise ValueError(
                "the model takes no labels: use it as it is, or take 'ddpm-mnist-conditional'. (A network of your own "
                "says that it takes some by deriving from networks.network.Network.)"
            )
        return Conditioned(self, cond)

    def answer(self, x_t: Tensor, t: Tensor, cond: Tensor | None = None) -> Tensor:
        """What the network says, in the unit of `unit`: the target is `unit` times this."""
        _checks.tensor("x_t", x_t, finite=False)
        if self.unit_variance:
            spread = torch.hypot(self.data_std * self.schedule.alpha(t), self.schedule.sigma(t))
            x_t = x_t / expand(spread, x_t)
        answer: Tensor = self.network(x_t, t, cond)
        return answer

    def unit(self, t: Tensor) -> Tensor:
        """The unit that the network answers in, shaped like t: √(p²s² + q²) with `unit_variance`, else 1."""
        check_time(t)
        if not self.unit_variance or self.target == "edm":
            return torch.ones_like(t)
        p, q = row(self.target, self.schedule, t, data_std=self.data_std)
        return torch.hypot(self.data_std * p, q)


class Conditioned(Denoiser):
    """A learned denoiser with a condition bound to it; `Learned.given` makes it.

    Args:
        source: the denoiser whose network takes the condition.
        cond: a label (B,) for each row, or a caption (B, L); the label `source.classes` stands for none.
    """

    def __init__(self, source: Learned, cond: Tensor) -> None:
        self.source = _checks.instance("source", source, Learned, "a Learned denoiser")
        self.cond = _checks.indices("cond", cond, source.classes + 1, ("B", *source.condition))
        self.schedule, self.shape = source.schedule, source.shape

    @property
    def device(self) -> torch.device:  # type: ignore[override]
        """Where the network computes."""
        return self.source.device

    def __call__(self, x_t: Tensor, t: Tensor) -> Prediction:
        _checks.tensor("x_t", x_t, ("...", "d"), finite=False)
        prediction: Prediction = self.source(x_t, t, self.labels(len(x_t)))
        return prediction

    def pictures(self, x: Tensor) -> Tensor:
        """What samples show, see `Denoiser.pictures`."""
        return self.source.pictures(x)

    def labels(self, rows: int) -> Tensor:
        """The condition, for as many rows, where the network computes."""
        if len(self.cond) != _checks.integer("rows", rows):
            raise ValueError(
                f"a condition is bound for {len(self.cond)} rows, and x_t has {rows}. Bind one for each row."
            )
        return self.cond.to(self.device)

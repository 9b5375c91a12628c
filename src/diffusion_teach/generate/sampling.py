"""How images are drawn: by which sampler, in how many steps, from which seed; and which models draw any."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from types import MappingProxyType

import torch
from torch import Tensor, nn

from diffusion_teach import _checks, _names, samplers
from diffusion_teach.denoisers import Denoiser
from diffusion_teach.denoisers.guided import EVERYWHERE, check_between, inside
from diffusion_teach.networks.network import FewStepGenerator, OneStepGenerator
from diffusion_teach.samplers import langevin
from diffusion_teach.schedules import Schedule, check_schedule

_STEPS = (
    samplers.ancestral,
    samplers.sde_dpm_solver,
    samplers.ddim(0.0),
    samplers.dpm_solver,
    samplers.euler,
    samplers.heun,
    langevin.annealed(),
)
SAMPLERS = MappingProxyType(dict(zip(_names.SAMPLERS, _STEPS, strict=True)))
"""The steps that `generate` knows, see `samplers`. Each costs one network evaluation; "heun" two, its last step one.

"annealed_langevin", see `samplers.langevin`, costs five at each of as many noise levels, and at the end one more.
"""
ONE_STEP = "one step"
"""How a model that needs no sampler is drawn from."""
OWN_STEPS = "its own steps"
"""How a model is drawn from that takes a few steps of its own."""
SPACING = "logistic"


@dataclass(frozen=True)
class Sampling:
    """How images are drawn: equal values give equal images.

    Args:
        sampler: one of `SAMPLERS`, "one step" or "its own steps"; None for the model's own: "ancestral" of a denoiser.
        steps: of the sampler; None for 50, or of a model without a sampler its own number.
        guidance: w of `denoisers.Guided`, at least 0; needs labels.
        between: the log-SNRs from and to which it guides.
        seed: decides all randomness. A greater count begins with the same images where both are multiples of `batch`.
        batch: images at a time; bounds the memory.
        precision: "float32", "bfloat16" for the network's products, or "auto", see `devices.precision`.
    """

    sampler: str | None = None
    steps: int | None = None
    guidance: float = 0.0
    seed: int = 0
    batch: int = 250
    precision: str = "float32"
    between: tuple[float, float] = EVERYWHERE

    def __post_init__(self) -> None:
        if self.sampler is not None:
            _checks.choice("sampler", self.sampler, (*SAMPLERS, ONE_STEP, OWN_STEPS))
        _checks.choice("precision", self.precision, _names.PRECISIONS)
        plain = {
            "steps": None if self.steps is None else _checks.integer("steps", self.steps),
            "guidance": _checks.number("guidance", self.guidance, least=0),
            "seed": _checks.integer("seed", self.seed, least=0, most=2**63 - 1),
            "batch": _checks.integer("batch", self.batch),
        }
        object.__setattr__(self, "between", check_between(self.between))
        for name, value in plain.items():  # numbers of other libraries become Python's, which JSON holds
            object.__setattr__(self, name, value)
        if self.between != EVERYWHERE and not self.guidance:
            raise _checks.Unsupported(
                "between says where it guides, and guidance is 0: give guidance=… (--guidance) too, or leave out "
                "between=… (--between)."
            )
        if self.guidance and self.sampler == "annealed_langevin":
            raise _checks.Unsupported(
                "annealed_langevin follows a score, and what is guided is none: leave out guidance=… (--guidance), or "
                "take another sampler."
            )

    def of(self, model: Denoiser | OneStepGenerator, sampler: str = "ancestral", steps: int = 50) -> Sampling:
        """The same with the model's own sampler and steps where it has none; of a denoiser those that are given.

        Raises:
            ValueError: for a sampler that the model cannot be drawn with.
        """
        check_images(model)
        sampler, steps = _checks.choice("sampler", sampler, SAMPLERS), _checks.integer("steps", steps)
        if isinstance(model, FewStepGenerator):
            sampler, steps = OWN_STEPS, model.asked(self.steps)
        elif isinstance(model, OneStepGenerator):
            sampler, steps = ONE_STEP, 1
        found = dataclasses.replace(self, sampler=self.sampler or sampler, steps=self.steps or steps)
        if isinstance(model, OneStepGenerator):
            asked = {"sampler": found.sampler != sampler, "steps": found.steps != steps, "guidance": self.guidance != 0}
            if given := [f"{name}=… (--{name})" for name, is_asked in asked.items() if is_asked]:
                how = "an image in one step" if sampler == ONE_STEP else "in steps of its own"
                raise _checks.Unsupported(
                    f"a {type(model).__name__} draws {how}, without a sampler and without labels: leave "
                    f"out {' and '.join(given)}."
                )
        elif self.sampler in (ONE_STEP, OWN_STEPS):
            raise _checks.Unsupported(
                f"a denoiser needs a sampler, one of {', '.join(SAMPLERS)}; got {self.sampler!r}."
            )
        return found

    def __str__(self) -> str:
        if self.sampler == ONE_STEP:
            return "in one step"
        if self.sampler == OWN_STEPS:
            return f"in {self.steps} step{'' if self.steps == 1 else 's'} of its own"
        return f"by {self.sampler}, {self.steps} step{'' if self.steps == 1 else 's'}"

    def times(self, schedule: Schedule) -> Tensor:
        """The times that a walk goes through, once sampler and steps are known, (steps + 1,) float64."""
        check_schedule(schedule)
        if self.sampler == "annealed_langevin":
            return langevin.ladder(schedule, self.steps or 0)
        return samplers.time_grid(schedule, self.steps or 0, spacing=SPACING)

    def evaluations(self, model: Denoiser | OneStepGenerator) -> int:
        """Evaluations of the network for one sample, once sampler and steps are known."""
        _checks.instance("model", model, (Denoiser, OneStepGenerator), "a denoiser or a generator")
        if isinstance(model, OneStepGenerator):
            return model.asked(self.steps) if isinstance(model, FewStepGenerator) else 1
        if self.sampler == "annealed_langevin":
            return langevin.CORRECTIONS * (self.steps or 0) + 1
        times = self.times(model.schedule)
        asked = torch.cat([times[:-1], times[1:-1]]) if self.sampler == "heun" else times[:-1]
        twice = inside(model.schedule.log_snr(asked), self.between) if self.guidance else torch.zeros(1)
        return len(asked) + int(twice.sum())


def check_images(model: Denoiser | OneStepGenerator) -> tuple[int, ...]:
    """Check that a model draws images, and return their shape (C, H, W)."""
    if not isinstance(model, (Denoiser, OneStepGenerator)):
        raise (_checks.Unsupported if isinstance(model, nn.Module) else TypeError)(
            f"model must be one as checkpoints.model('ddpm-mnist') gives it: a {type(model).__name__} draws no images."
        )
    if model.shape is None:
        raise ValueError(
            "the model does not say how large its images are: derive its network from networks.network.Network, and "
            "set its shape, such as (1, 28, 28)."
        )
    if len(model.shape) != 3:
        raise _checks.Unsupported(f"the model draws {model.shape}, no images (C, H, W): draw it by samplers.sample.")
    weights = next(model.parameters(), None) if isinstance(model, nn.Module) else None
    if weights is not None and weights.dtype != torch.float32:
        raise TypeError(
            f"the model's weights are {weights.dtype}, expected float32. Use model.float(); to round products, "
            "precision='bfloat16'."
        )
    return model.shape

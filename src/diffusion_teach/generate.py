"""Images from any trained model, by the name of a sampler: many at once, in batches, the same for the same seed.

`samplers` are the parts; this puts them together as the command line, the metrics and the book use them, with the time
grid "logistic" of `samplers.time_grid`, or for annealed Langevin dynamics the ladder of `samplers.langevin`. A model
that needs no sampler, a GAN or a VAE, is drawn in one step.
"""

from __future__ import annotations

import dataclasses
import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from types import MappingProxyType

import torch
from torch import Tensor, nn
from tqdm import tqdm

from diffusion_teach import _checks, _names, devices, samplers
from diffusion_teach.denoisers import Denoiser, Guided
from diffusion_teach.denoisers.guided import EVERYWHERE, check_between, inside
from diffusion_teach.networks.network import OneStepGenerator
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
SPACING = "logistic"


@dataclass(frozen=True)
class Sampling:
    """How images are drawn: equal values give equal images.

    Args:
        sampler: one of `SAMPLERS`, or "one step"; None for the model's own: "ancestral" of a denoiser.
        steps: of the sampler; None for 50, or one.
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
            _checks.choice("sampler", self.sampler, (*SAMPLERS, ONE_STEP))
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
        if isinstance(model, OneStepGenerator):
            sampler, steps = ONE_STEP, 1
        found = dataclasses.replace(self, sampler=self.sampler or sampler, steps=self.steps or steps)
        if isinstance(model, OneStepGenerator):
            asked = {"sampler": found.sampler != ONE_STEP, "steps": found.steps != 1, "guidance": found.guidance != 0}
            if given := [f"{name}=… (--{name})" for name, is_asked in asked.items() if is_asked]:
                raise _checks.Unsupported(
                    f"a {type(model).__name__} draws an image in one step, without a sampler and without labels: leave "
                    f"out {' and '.join(given)}."
                )
        elif self.sampler == ONE_STEP:
            raise _checks.Unsupported(f"a denoiser needs a sampler, one of {', '.join(SAMPLERS)}; got {ONE_STEP!r}.")
        return found

    def __str__(self) -> str:
        if self.sampler == ONE_STEP:
            return "in one step"
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
            return 1
        if self.sampler == "annealed_langevin":
            return langevin.CORRECTIONS * (self.steps or 0) + 1
        times = self.times(model.schedule)
        asked = torch.cat([times[:-1], times[1:-1]]) if self.sampler == "heun" else times[:-1]
        twice = inside(model.schedule.log_snr(asked), self.between) if self.guidance else torch.zeros(1)
        return len(asked) + int(twice.sum())


def generate(
    model: Denoiser | OneStepGenerator,
    count: int,
    sampling: Sampling | None = None,
    *,
    labels: int | Tensor | None = None,
    progress: bool | None = None,
) -> Tensor:
    """Draw images.

    Args:
        model: of images, such as `checkpoints.model("ddpm-mnist")`; computes on its own device.
        count: how many.
        sampling: how; by default as `Sampling()` says.
        labels: what to draw, one label for all or (count,) int64; None leaves the label open.
        progress: a progress bar on the terminal; by default where there is one.

    Returns:
        (count, C, H, W) float32 in [−1, 1] on the CPU, of the model's shape: (1, 28, 28) for digits.

    Raises:
        ValueError: labels or guidance for a model that takes none, guidance without labels, a sampler that the model
            cannot be drawn with.
        FloatingPointError: the model's answers are not finite.
    """
    count = _checks.integer("count", count)
    progress = progress if progress is None else _checks.flag("progress", progress)
    how = _asked(sampling).of(model)
    if isinstance(model, OneStepGenerator):
        return _in_one_step(model, count, how, labels)
    made = []
    hidden = not (sys.stderr.isatty() if progress is None else progress)
    with tqdm(total=math.ceil(count / how.batch) * (how.steps or 0), disable=hidden, leave=False, unit="step") as bar:
        for walk in _walks(model, count, how, labels):
            x = next(walk)
            for state in walk:
                x = state
                bar.update()
            made.append(_finished(x, how))
    return torch.cat(made)


def path(
    model: Denoiser | OneStepGenerator,
    count: int,
    sampling: Sampling | None = None,
    *,
    labels: int | Tensor | None = None,
    frames: int = 21,
) -> list[Tensor]:
    """The reverse process, from noise to images, all of them in one batch; the arguments are those of `generate`.

    Args:
        frames: how many states to keep, evenly spread over the steps, the first and the last among them.

    Returns:
        At most `frames` and at most steps + 1 tensors (count, C, H, W), float32 on the CPU. The last one is what
        `generate` returns with batch = count.

    Raises:
        ValueError: for a model that draws in one step and has no reverse process, and as `generate`.
    """
    frames = _checks.integer("frames", frames, least=2)
    count = _checks.integer("count", count)
    how = dataclasses.replace(_asked(sampling).of(model), batch=count)
    if isinstance(model, OneStepGenerator):
        raise _checks.Unsupported(
            f"a {type(model).__name__} draws in one step and has no reverse process to show. Write a .png or "
            "an .npz of what it generates."
        )
    (states,) = _walks(model, count, how, labels)
    steps = how.steps or 0
    kept = set(torch.linspace(0, steps, min(frames, steps + 1)).round().int().tolist())
    shown = [x.float().cpu().clone() for k, x in enumerate(states) if k in kept]
    return [*shown[:-1], _finished(shown[-1], how)]


def _asked(sampling: object) -> Sampling:
    if sampling is None:
        return Sampling()
    return _checks.instance("sampling", sampling, Sampling, "a Sampling", "Make one, as in Sampling('ddim', 20).")


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


def _in_one_step(model: OneStepGenerator, count: int, how: Sampling, labels: int | Tensor | None) -> Tensor:
    if labels is not None:
        raise _checks.Unsupported(
            f"a {type(model).__name__} draws in one step and takes no labels. Leave out labels=… (--label)."
        )
    g = torch.Generator().manual_seed(how.seed)
    with torch.no_grad(), devices.autocast(model.device, how.precision):
        sizes = [min(how.batch, count - begin) for begin in range(0, count, how.batch)]
        return _finished(torch.cat([model.sample(size, generator=g) for size in sizes]), how)


def _walks(denoiser: Denoiser, count: int, how: Sampling, labels: int | Tensor | None) -> Iterator[Iterator[Tensor]]:
    """For each batch the sampler's states, after everything has been checked."""
    given = _labels(denoiser, count, labels, guided=how.guidance > 0)
    if how.guidance and given is None:
        raise _checks.Unsupported(f"guidance = {how.guidance:g} pulls towards a label: pass labels too.")
    shape, device, schedule = check_images(denoiser), denoiser.device, denoiser.schedule
    assert how.sampler is not None
    assert how.steps is not None
    if how.sampler == "annealed_langevin" and schedule.alpha(torch.ones(())) == 0:
        raise _checks.Unsupported(
            "annealed_langevin walks in x/α, and this model's α is 0 at t = 1: leave out sampler=… (--sampler), or "
            "take another one."
        )
    times = how.times(schedule).to(devices.widest(device))
    precision = devices.precision(how.precision, device)
    step = SAMPLERS[how.sampler]
    start = torch.Generator().manual_seed(how.seed)  # on the CPU: every device starts from the same noise
    later = start if device.type == "cpu" else torch.Generator(device).manual_seed(how.seed)

    def walks() -> Iterator[Iterator[Tensor]]:
        for begin in range(0, count, how.batch):
            n = min(how.batch, count - begin)
            x = samplers.prior(schedule, (n, *shape), generator=start).to(device)
            asked = denoiser if given is None else denoiser.given(given[begin : begin + n])
            asked = Guided(asked, denoiser, how.guidance, between=how.between) if how.guidance else asked
            yield _cast(samplers.trajectory(asked, step, x, times, generator=later), device, precision)

    return walks()


def _cast(walk: Iterator[Tensor], device: torch.device, precision: str) -> Iterator[Tensor]:
    """The same states, each computed in a precision, which ends where the caller's code goes on."""
    while True:
        with devices.autocast(device, precision):
            state = next(walk, None)
        if state is None:
            return
        yield state


def _labels(model: Denoiser, count: int, labels: int | Tensor | None, *, guided: bool = False) -> Tensor | None:
    if not model.classes and (guided or labels is not None):
        raise _checks.Unsupported(
            "the model takes no labels, or has one bound. Leave out labels=… (--label) and guidance=… (--guidance), or "
            "use a conditional one, such as 'ddpm-mnist-conditional'."
        )
    if labels is None:
        return None
    if not isinstance(labels, Tensor):
        return torch.full((count,), _checks.integer("labels", labels, least=0, most=model.classes - 1))
    return _checks.indices("labels", labels, model.classes, (count,))


def _finished(x: Tensor, how: Sampling) -> Tensor:
    if not torch.isfinite(x).all():
        advice = "The weights are broken: train them again."
        if how.sampler != ONE_STEP:
            advice = (
                f"The sampler was {how.sampler!r} with {how.steps} steps: try more or 'ddim'. If they all fail, the "
                "weights are broken."
            )
        raise FloatingPointError(f"the images hold numbers that are not finite. {advice}")
    return x.float().clamp(-1, 1).cpu()

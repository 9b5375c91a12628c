"""Images from a trained denoiser, by the name of a sampler: many at once, in batches, the same for the same seed.

`samplers` are the parts; this puts them together as the command line, the metrics and the book use them, with the time
grid "logistic" of `samplers.time_grid`, or for annealed Langevin dynamics the ladder of `langevin`. `in_one_call` does
the same for models that need no sampler, GANs and VAEs.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from types import MappingProxyType
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn
from tqdm import tqdm

from diffusion_teach import _checks, devices, samplers
from diffusion_teach.denoisers import Denoiser, Guided, classes
from diffusion_teach.samplers import langevin

SAMPLERS = MappingProxyType(
    {
        "ancestral": samplers.ancestral,
        "sde_dpm_solver": samplers.sde_dpm_solver,
        "ddim": samplers.ddim(0.0),
        "dpm_solver": samplers.dpm_solver,
        "euler": samplers.euler,
        "heun": samplers.heun,
        "annealed_langevin": langevin.annealed(),
    }
)
"""The steps that `generate` knows, see `samplers`. Each costs one network evaluation; "heun" two, its last step one.

"annealed_langevin", see `langevin`, costs five at each of as many noise levels, and at the end one more.
"""
SPACING = "logistic"


@runtime_checkable
class OneCall(Protocol):
    """A model that draws an image in one evaluation of its network."""

    def sample(self, count: int, *, generator: torch.Generator | None = None) -> Tensor:
        """Images (count, C, 28, 28), of noise that is drawn on the CPU; C is 1 for digits."""


def in_one_call(model: OneCall, count: int, *, seed: int = 0, batch: int = 250) -> Tensor:
    """Draw images of a GAN or a VAE.

    Args:
        model: such as `checkpoints.model("gan-mnist")`.
        count, seed, batch: see `generate`.

    Returns:
        (count, C, 28, 28) float32 in [−1, 1] on the CPU; C is the model's, 1 for digits.

    Raises:
        TypeError: for a model that does not draw images in one call.
        FloatingPointError: the model's answers are not finite.
    """
    if not isinstance(model, OneCall):
        raise TypeError(f"model must have a method sample(count, generator=…), got {_checks.describe(model)}.")
    _checks.integer("count", count)
    _checks.integer("batch", batch)
    g = torch.Generator().manual_seed(_checks.integer("seed", seed, least=0, most=2**63 - 1))
    with torch.no_grad():
        made = [model.sample(min(batch, count - begin), generator=g) for begin in range(0, count, batch)]
    return _finished(torch.cat(made), "The weights are broken: train them again.")


def generate(
    denoiser: Denoiser,
    count: int,
    *,
    sampler: str = "ancestral",
    steps: int = 50,
    labels: int | Tensor | None = None,
    guidance: float = 0.0,
    seed: int = 0,
    batch: int = 250,
    precision: str = "float32",
    progress: bool | None = None,
) -> Tensor:
    """Draw images.

    Args:
        denoiser: a model of images, such as `checkpoints.model("ddpm-mnist")`; computes on its own device.
        count: how many.
        sampler: one of `SAMPLERS`.
        steps: of the sampler.
        labels: what to draw, one label for all or (count,) int64; None leaves the label open.
        guidance: w of `denoisers.Guided`, at least 0; needs labels.
        seed: decides all randomness. A greater count begins with the same images where both are multiples of `batch`.
        batch: images at a time; bounds the memory.
        precision: "float32", "bfloat16" for the network's products, or "auto", see `devices.precision`.
        progress: a progress bar on the terminal; by default where there is one.

    Returns:
        (count, C, 28, 28) float32 in [−1, 1] on the CPU; C is the model's, 1 for digits.

    Raises:
        ValueError: an unknown sampler, labels or guidance for a model that takes none, guidance without labels.
        FloatingPointError: the model's answers are not finite.
    """
    made = []
    _checks.integer("batch", batch)
    parts = _paths(denoiser, count, sampler, steps, labels, guidance, seed, batch, precision)
    hidden = not (sys.stderr.isatty() if progress is None else progress)
    with tqdm(total=math.ceil(count / batch) * steps, disable=hidden, leave=False, unit="step") as bar:
        for part in parts:
            x = next(part)
            for state in part:
                x = state
                bar.update()
            made.append(_finished(x, _advice(sampler, steps)))
    return torch.cat(made)


def path(
    denoiser: Denoiser,
    count: int,
    *,
    sampler: str = "ancestral",
    steps: int = 50,
    labels: int | Tensor | None = None,
    guidance: float = 0.0,
    seed: int = 0,
    precision: str = "float32",
    frames: int = 21,
) -> list[Tensor]:
    """The reverse process, from noise to images, all of them in one batch; the arguments are those of `generate`.

    Args:
        frames: how many states to keep, evenly spread over the steps, the first and the last among them.

    Returns:
        At most `frames` and at most steps + 1 tensors (count, C, 28, 28), float32 on the CPU. The last one is what
        `generate` returns with batch = count.
    """
    _checks.integer("frames", frames, least=2)
    _checks.integer("count", count)
    (states,) = _paths(denoiser, count, sampler, steps, labels, guidance, seed, count, precision)
    kept = set(torch.linspace(0, steps, min(frames, steps + 1)).round().int().tolist())
    shown = [x.float().cpu().clone() for k, x in enumerate(states) if k in kept]
    return [*shown[:-1], _finished(shown[-1], _advice(sampler, steps))]


def _paths(
    denoiser: Denoiser,
    count: int,
    sampler: str,
    steps: int,
    labels: int | Tensor | None,
    guidance: float,
    seed: int,
    batch: int,
    precision: str,
) -> Iterator[Iterator[Tensor]]:
    """For each batch the sampler's states, after everything has been checked."""
    _checks.integer("count", count)
    _checks.choice("sampler", sampler, SAMPLERS)
    _checks.integer("seed", seed, least=0, most=2**63 - 1)
    _checks.number("guidance", guidance, least=0)
    cond = _labels(denoiser, count, labels)
    if guidance:
        if cond is None:
            raise ValueError(f"guidance = {guidance:g} pulls towards a label: pass labels too.")
        denoiser = Guided(denoiser, guidance)
    device = _device(denoiser)
    if sampler == "annealed_langevin":
        times = langevin.ladder(denoiser.schedule, steps)
    else:
        times = samplers.time_grid(denoiser.schedule, steps, spacing=SPACING)
    times = times.to(devices.widest(device))
    precision = devices.precision(precision, device)
    start = torch.Generator().manual_seed(seed)  # on the CPU: every device starts from the same noise
    later = start if device.type == "cpu" else torch.Generator(device).manual_seed(seed)
    network = getattr(denoiser, "network", None)
    size = getattr(network, "image_size", 28)
    shape = getattr(network, "image_channels", 1), size, size

    def paths() -> Iterator[Iterator[Tensor]]:
        for begin in range(0, count, batch):
            n = min(batch, count - begin)
            x = samplers.prior(denoiser.schedule, (n, *shape), generator=start).to(device)
            part = None if cond is None else cond[begin : begin + n].to(device)
            walk = samplers.trajectory(denoiser, SAMPLERS[sampler], x, times, cond=part, generator=later)
            yield _cast(walk, device, precision)

    return paths()


def _cast(walk: Iterator[Tensor], device: torch.device, precision: str) -> Iterator[Tensor]:
    """The same states, each computed in a precision, which ends where the caller's code goes on."""
    while True:
        with devices.autocast(device, precision):
            state = next(walk, None)
        if state is None:
            return
        yield state


def _labels(denoiser: Denoiser, count: int, labels: int | Tensor | None) -> Tensor | None:
    if labels is None:
        return None
    known = classes(denoiser)
    if not known:
        raise ValueError("the model takes no labels: pass labels=None, or use 'ddpm-mnist-conditional'.")
    if not isinstance(labels, Tensor):
        return torch.full((count,), _checks.integer("labels", labels, least=0, most=known - 1))
    _checks.tensor("labels", labels, (count,), floating=False)
    if labels.is_floating_point() or not ((labels >= 0) & (labels < known)).all():
        raise ValueError(f"labels must be whole numbers in 0 … {known - 1}, got {labels[:6].tolist()} …")
    return labels.long()


def _device(denoiser: Denoiser) -> torch.device:
    model: object = denoiser
    while not isinstance(model, nn.Module) and hasattr(model, "denoiser"):  # of a guided or counted one
        model = model.denoiser
    first = next(model.parameters(), None) if isinstance(model, nn.Module) else None
    return torch.device("cpu") if first is None else first.device


def _advice(sampler: str, steps: int) -> str:
    return (
        f"The sampler was {sampler!r} with {steps} steps: try more or 'ddim'. If they all fail, the weights are broken."
    )


def _finished(x: Tensor, advice: str) -> Tensor:
    if not torch.isfinite(x).all():
        raise FloatingPointError(f"the images hold numbers that are not finite. {advice}")
    return x.float().clamp(-1, 1).cpu()

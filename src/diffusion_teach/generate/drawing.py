"""Images from a model, and the path that led to them."""

from __future__ import annotations

import dataclasses
import math
import sys
from collections.abc import Iterator

import torch
from torch import Tensor
from tqdm import tqdm

from diffusion_teach import _checks, devices, samplers
from diffusion_teach.denoisers import Denoiser, Guided
from diffusion_teach.generate.sampling import ONE_STEP, OWN_STEPS, SAMPLERS, Sampling, check_images
from diffusion_teach.networks.network import FewStepGenerator, OneStepGenerator


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
        labels: what to draw, one label for all or (count,) int64; of a model that takes captions their words,
            (count, L) int64 as `datasets.captions.tokens` gives them. None leaves it open.
        progress: a progress bar on the terminal; by default where there is one.

    Returns:
        (count, C, H, W) float32 in [−1, 1] on the CPU, of the model's shape: (1, 28, 28) for digits. Of a
        model of latents the decoded pictures.

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
            made.append(_finished(_shown(model, x, how), how))
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
            f"a {type(model).__name__} draws {_how(model)} and has no reverse process to show. Write a .png or "
            "an .npz of what it generates."
        )
    (states,) = _walks(model, count, how, labels)
    steps = how.steps or 0
    kept = set(torch.linspace(0, steps, min(frames, steps + 1)).round().int().tolist())
    shown = [_shown(model, x, how).float().cpu().clone() for k, x in enumerate(states) if k in kept]
    return [*shown[:-1], _finished(shown[-1], how)]


def _asked(sampling: object) -> Sampling:
    if sampling is None:
        return Sampling()
    return _checks.instance("sampling", sampling, Sampling, "a Sampling", "Make one, as in Sampling('ddim', 20).")


def _in_one_step(model: OneStepGenerator, count: int, how: Sampling, labels: int | Tensor | None) -> Tensor:
    if labels is not None:
        raise _checks.Unsupported(
            f"a {type(model).__name__} draws {_how(model)} and takes no labels. Leave out labels=… (--label)."
        )
    g = torch.Generator().manual_seed(how.seed)
    with torch.no_grad(), devices.autocast(model.device, how.precision):
        sizes = [min(how.batch, count - begin) for begin in range(0, count, how.batch)]
        if isinstance(model, FewStepGenerator):
            made = [model.sample(size, generator=g, steps=how.steps) for size in sizes]
        else:
            made = [model.sample(size, generator=g) for size in sizes]
        return _finished(torch.cat(made), how)


def _how(model: OneStepGenerator) -> str:
    return "in steps of its own" if isinstance(model, FewStepGenerator) else "in one step"


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
    if model.condition:
        mend = "Make them by datasets.captions.tokens."
        if not isinstance(labels, Tensor):
            raise _checks.Unsupported(f"the model takes captions, not a label; got {_checks.describe(labels)}. {mend}")
        return _checks.indices("labels", labels, model.classes + 1, (count, *model.condition))
    if not isinstance(labels, Tensor):
        return torch.full((count,), _checks.integer("labels", labels, least=0, most=model.classes - 1))
    return _checks.indices("labels", labels, model.classes, (count,))


def _shown(model: Denoiser, x: Tensor, how: Sampling) -> Tensor:
    """The pictures of samples, `batch` at a time; x itself for a model of pictures."""
    with torch.no_grad():
        return torch.cat([model.pictures(part) for part in x.split(how.batch)])


def _finished(x: Tensor, how: Sampling) -> Tensor:
    if not torch.isfinite(x).all():
        advice = "The weights are broken: train them again."
        if how.sampler not in (ONE_STEP, OWN_STEPS):
            advice = (
                f"The sampler was {how.sampler!r} with {how.steps} steps: try more or 'ddim'. If they all fail, the "
                "weights are broken."
            )
        raise FloatingPointError(f"the images hold numbers that are not finite. {advice}")
    return x.float().clamp(-1, 1).cpu()

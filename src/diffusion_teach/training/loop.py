"""The training loop, and seeds. It knows nothing of diffusion.

`loop` runs an update a fixed number of times, watches its loss, and keeps what was trained when it is interrupted.
`fit` is the loop for one model and one loss, or for several losses that take turns, as those of an adversarial pair do.
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from tqdm import tqdm

from diffusion_teach import _checks, _console
from diffusion_teach.training.ema import EMA
from diffusion_teach.training.optimizers import adamw

SEED_VARIABLE = "DIFFUSION_TEACH_SEED"


def seed_everything(default: int = 0) -> torch.Generator:
    """Seed torch from DIFFUSION_TEACH_SEED, or from `default` where it is not set.

    Returns:
        A generator of its own for what is drawn by hand; network weights come from torch's global one.

    Raises:
        ValueError: where the variable is set to something else than a whole number from 0 on.
    """
    text = os.environ.get(SEED_VARIABLE, str(_checks.integer("default", default, least=0)))
    if not text.strip().isdecimal() or int(text) >= 2**63:
        raise ValueError(f"{SEED_VARIABLE} must be a whole number from 0 on, got {text!r}. Try {SEED_VARIABLE}=1.")
    seed = int(text)
    torch.manual_seed(seed)
    return torch.Generator().manual_seed(seed)


@dataclass
class History:
    """What a training run left behind."""

    losses: list[float] = field(default_factory=list)
    interrupted: bool = False

    @property
    def steps_done(self) -> int:
        """Steps that were finished."""
        return len(self.losses)

    def __repr__(self) -> str:
        """Without the losses, of which there may be thousands: a training is often the last line of a cell."""
        return f"History: {self.steps_done} steps{', interrupted' * self.interrupted}"


def loop(
    update: Callable[[int], Tensor | float],
    steps: int,
    *,
    on_step: Callable[[int, float], None] | None = None,
    progress: bool | None = None,
    first_step: int = 0,
) -> History:
    """Call update(step) for step = first_step … steps − 1 and keep the losses that it returns.

    Args:
        update: does one training step, returns its loss.
        steps: how many the whole training has.
        on_step: called with (step, loss) after each.
        progress: a progress bar on the terminal; by default where there is one.
        first_step: where to begin, for a training that goes on after a stop.

    Returns:
        The history of these steps. Ctrl-C ends the loop and is noted in `interrupted`; what was trained is kept.

    Raises:
        FloatingPointError: when a loss is NaN or infinite.
    """
    _checks.function("update", update)
    steps = _checks.integer("steps", steps)
    first_step = _checks.integer("first_step", first_step, least=0, most=steps)
    if on_step is not None:
        _checks.function("on_step", on_step)
    if progress is not None:
        _checks.flag("progress", progress)
    history = History()
    shown = sys.stderr.isatty() if progress is None else progress
    bar = tqdm(range(first_step, steps), initial=first_step, total=steps, disable=not shown, leave=False)
    try:
        for step in bar:
            value = update(step)
            loss = float(value.detach() if isinstance(value, Tensor) else value)
            if not math.isfinite(loss):
                raise FloatingPointError(f"the loss became {loss} at step {step} of {steps}.")
            history.losses.append(loss)
            if on_step is not None:
                on_step(step, loss)
    except KeyboardInterrupt:
        history.interrupted = True
        done = first_step + history.steps_done
        _console.say(f"Stopped after {done} of {steps} steps; the model keeps what it has learned.")
    finally:
        bar.close()
    return history


def learning_rate_factor(step: int, steps: int, *, warmup: int = 0, decay: str = "constant") -> float:
    """The factor on the learning rate at a step: a linear warm-up, then "constant", or "cosine" or "linear" to zero."""
    _checks.choice("decay", decay, ("constant", "cosine", "linear"))
    steps = _checks.integer("steps", steps)
    step = _checks.integer("step", step, least=0, most=steps)
    warmup = _checks.integer("warmup", warmup, least=0)
    if step < warmup:
        return (step + 1) / (warmup + 1)
    done = (step - warmup) / max(1, steps - warmup)
    return {"constant": 1.0, "cosine": 0.5 * (1 + math.cos(math.pi * done)), "linear": 1 - done}[decay]


def fit(
    model: nn.Module,
    loss: Callable[[], Tensor] | Sequence[Callable[[], Tensor]],
    *,
    steps: int,
    lr: float = 1e-3,
    warmup: int = 0,
    decay: str = "cosine",
    betas: tuple[float, float] = (0.9, 0.999),
    clip: float | None = None,
    optimizers: Sequence[torch.optim.Optimizer] | None = None,
    ema: EMA | None = None,
    on_step: Callable[[int, float], None] | None = None,
    progress: bool | None = None,
    first_step: int = 0,
) -> History:
    """Minimise loss() over the model's parameters with AdamW.

    Args:
        model: what is trained, in place.
        loss: called once a step, returns a scalar to differentiate. Several losses take turns within a step, each with
            the optimizer in its place.
        steps: a fixed number, never "until the clock says".
        lr: the highest learning rate.
        warmup, decay: its course, see `learning_rate_factor`.
        betas: AdamW's, which has no weight decay.
        clip: the largest norm that a gradient keeps; none where not given.
        optimizers: what takes the steps, with learning rates of their own that follow `warmup` and `decay`, and are put
            back at the end; where not given one AdamW, which `lr` and `betas` are for. For several losses one each.
        ema: an average of the model, or of a part of it, updated after each step.
        on_step, progress: see `loop`.
        first_step: where to begin in the course of the learning rate, when model, optimizers and average come from a
            training that was stopped there. The optimizers' learning rates are the highest ones, as at the start.

    Returns:
        The losses, of each step the first.

    Raises:
        FloatingPointError: when a loss is NaN or infinite, with the learning rate and what to try.
        ValueError: optimizers or an average of another model, which would train nothing.
    """
    _checks.module("model", model)
    losses = list(loss) if isinstance(loss, Sequence) else [loss]
    if not losses:
        raise ValueError("loss must be a function or several, got none.")
    for one in losses:
        _checks.function("loss", one)
    lr = _checks.number("lr", lr, above=0)
    if clip is not None:
        clip = _checks.number("clip", clip, above=0)
    learning_rate_factor(0, steps, warmup=warmup, decay=decay)
    betas = _checks.pair("betas", betas, least=0, below=1)
    parameters = [p for p in model.parameters() if p.requires_grad]
    if not parameters:
        raise ValueError("the model has no parameters to train.")
    if optimizers is None:
        optimizers = [adamw(parameters, lr=lr, betas=betas)]
    _must_be_of(model, optimizers, ema)
    if len(losses) > 1 and len(losses) != len(optimizers):
        raise ValueError(f"{len(losses)} losses take turns and need an optimizer each, got {len(optimizers)}.")
    each = [optimizers] if len(losses) == 1 else [[optimizer] for optimizer in optimizers]
    groups = [(group, group["lr"]) for optimizer in optimizers for group in optimizer.param_groups]

    def update(step: int) -> Tensor:
        factor = learning_rate_factor(step, steps, warmup=warmup, decay=decay)
        for group, rate in groups:
            group["lr"] = factor * rate
        where = f"step {step} of {steps}, learning rate {groups[0][0]['lr']:g}"
        values = [_turn(model, one, its, clip, where) for one, its in zip(losses, each, strict=True)]
        if ema is not None:
            ema.update()
        return values[0]

    model.train()
    try:
        history = loop(update, steps, on_step=on_step, progress=progress, first_step=first_step)
    finally:
        for group, rate in groups:
            group["lr"] = rate
    model.eval()
    return history


def _must_be_of(model: nn.Module, optimizers: Sequence[torch.optim.Optimizer], ema: EMA | None) -> None:
    """Refuse what is of another model: a step on its weights would train nothing."""
    known = {id(weight) for weight in model.parameters()}
    if not isinstance(optimizers, (list, tuple)) or not optimizers:
        raise TypeError(f"optimizers must be a list of torch.optim.Optimizer, got {_checks.describe(optimizers)}.")
    for optimizer in optimizers:
        _checks.instance("optimizers", optimizer, torch.optim.Optimizer, "a list of torch.optim.Optimizer")
        if {id(weight) for group in optimizer.param_groups for weight in group["params"]} - known:
            raise ValueError(
                f"optimizers must hold weights of the model, and the {type(optimizer).__name__} holds others. Make it "
                "with model.parameters(), after the model was copied or moved."
            )
    if ema is not None:
        _checks.instance("ema", ema, EMA, "an EMA")
        if {id(weight) for weight in ema.source.parameters()} - known:
            raise ValueError("ema must be an average of the model, got one of another. Make it with EMA(model).")


def _turn(
    model: nn.Module,
    loss: Callable[[], Tensor],
    optimizers: Sequence[torch.optim.Optimizer],
    clip: float | None,
    where: str,
) -> Tensor:
    """Go down one loss by its optimizers, and return it; `where` is for messages."""
    model.zero_grad(set_to_none=True)
    value = loss()
    if not isinstance(value, Tensor) or value.numel() != 1:
        raise TypeError(f"loss() must return a scalar tensor to differentiate, got {_checks.describe(value)}.")
    if not torch.isfinite(value):
        raise FloatingPointError(
            f"the loss became {value.item()} at {where}. Try a smaller lr, a warm-up, or clip=1.0; look for a NaN in "
            "the data."
        )
    value.backward()
    if clip is not None:
        nn.utils.clip_grad_norm_(model.parameters(), clip)
    for optimizer in optimizers:
        optimizer.step()
    return value.detach()

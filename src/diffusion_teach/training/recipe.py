"""What a recipe is: everything that decides how a checkpoint's weights come out, in one frozen place.

A recipe names its network, data, loss and optimisers; `run.train` does the rest: device, processes, resuming, saving.
Everything random of a step is drawn in `draw`, for the whole batch and from the given generator, which is seeded by
the run's seed and the number of the step. So a training that was stopped goes on exactly, and N processes that take a
share of the rows each train what one would.
"""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from diffusion_teach import _checks, checkpoints
from diffusion_teach.devices import PRECISIONS
from diffusion_teach.generate import Sampling
from diffusion_teach.training.loop import learning_rate_factor

SEEDS = 2**63 - 1
"""The largest seed that torch takes."""
NOT_SETTINGS = ("name", "summary", "intended_use", "data_from", "licence", "steps", "seed")


def step_seed(seed: int, step: int) -> int:
    """The seed of one step's randomness, 32 bits well mixed of both numbers."""
    seed, step = _checks.integer("seed", seed, least=0), _checks.integer("step", step, least=0)
    return int(np.random.SeedSequence((seed, step)).generate_state(1)[0])


@dataclass(frozen=True, kw_only=True)
class Recipe(ABC):
    """How a checkpoint is made.

    Args:
        name: the checkpoint's name.
        summary: one line for lists.
        intended_use: what the checkpoint is for, and what not.
        batch: rows of a step, over all processes.
        steps: how many.
        seed: of weights and of all randomness.
        warmup, decay: the course of the learning rate, see `training.learning_rate_factor`; the warm-up takes at most
            a tenth of the steps.
        ema: decay of the moving average of the weights that is shipped; None ships the weights themselves.
        clip: the largest norm that a gradient keeps; None for no bound.
        precision: "auto", "float32" or "bfloat16", see `devices.precision`.
        half: store the checkpoint in half precision.
        data_from, licence: where the data come from, and what one may do with the weights, for the card.
    """

    name: str
    summary: str
    intended_use: str
    batch: int
    steps: int
    seed: int = 0
    warmup: int = 0
    decay: str = "linear"
    ema: float | None = None
    clip: float | None = None
    precision: str = "auto"
    half: bool = False
    data_from: str = ""
    licence: str = ""

    def __post_init__(self) -> None:
        numbers = {
            "batch": _checks.integer("batch", self.batch),
            "steps": _checks.integer("steps", self.steps),
            "seed": _checks.integer("seed", self.seed, least=0, most=SEEDS),
            "warmup": _checks.integer("warmup", self.warmup, least=0),
            "ema": None if self.ema is None else _checks.number("ema", self.ema, least=0, below=1),
            "clip": None if self.clip is None else _checks.number("clip", self.clip, above=0),
        }
        for name, value in numbers.items():  # numbers of other libraries become Python's, which JSON holds
            object.__setattr__(self, name, value)
        _checks.flag("half", self.half)
        _checks.choice("precision", self.precision, PRECISIONS)
        learning_rate_factor(0, self.steps, warmup=self.warmup, decay=self.decay)

    def architecture(self) -> dict[str, Any] | None:
        """Of its model, for the card, see `checkpoints.architectures`; None for a model that only the recipe builds."""
        return None

    def model(self) -> nn.Module:
        """A model with fresh weights from torch's global generator: the architecture, built."""
        architecture = self.architecture()
        if architecture is None:
            raise NotImplementedError(f"{type(self).__name__} must state an architecture, or build its model itself.")
        return checkpoints.build(architecture)

    def shipped(self, model: nn.Module) -> nn.Module:
        """The part of a trained model that is measured and stored; by default all of it.

        A recipe whose training needs more than its checkpoint holds, such as a teacher or a judge, builds all of that
        in `model` and says here which part its `architecture` is of.
        """
        return model

    @abstractmethod
    def optimizers(self, model: nn.Module) -> list[torch.optim.Optimizer]:
        """What takes the steps, at the highest learning rates."""

    @abstractmethod
    def data(self, device: torch.device) -> tuple[Tensor, ...]:
        """What `draw` draws from, on the device, in its smallest form."""

    @abstractmethod
    def draw(self, data: tuple[Tensor, ...], generator: torch.Generator) -> tuple[Tensor, ...]:
        """All that is random in one step, each with leading dimension `batch`."""

    @abstractmethod
    def loss(self, model: nn.Module, *drawn: Tensor) -> Tensor:
        """The mean loss over the rows that were drawn; nothing random."""

    def losses(self) -> tuple[Callable[..., Tensor], ...]:
        """What takes turns within a step, each called as `loss` is, and each with the optimiser in its place."""
        return (self.loss,)

    @abstractmethod
    def measure(
        self, model: nn.Module, sampling: Sampling, *, count: int | None = None, repeats: int | None = None
    ) -> dict[str, Any]:
        """The metrics of a trained model, with their floors.

        Args:
            model: what the recipe made.
            sampling: how samples are drawn, where the metrics need any; what it leaves open the recipe decides.
            count: of samples; by default what a card takes.
            repeats: sets of samples, of which the mean is taken; by default what a card takes.

        Raises:
            ValueError: for a setting that these metrics have no use for.
        """

    def rehearse(self, model: nn.Module) -> None:  # noqa: B027
        """Raise now, for a fresh model, what `measure` would else raise after the training; by default nothing.

        Raises:
            ValueError: the model cannot be measured as the recipe says.
        """

    def settings(self) -> dict[str, Any]:
        """All fields that decide how weights come out, as JSON holds them; `steps` and `seed` may be given to a run."""
        fields = ((field.name, getattr(self, field.name)) for field in dataclasses.fields(self))
        return {name: plain(value) for name, value in fields if name not in NOT_SETTINGS}


def check_recipe(recipe: Recipe) -> Recipe:
    """Check that it is a recipe, and return it."""
    kind: type[Recipe] = Recipe  # type: ignore[type-abstract]
    return _checks.instance("recipe", recipe, kind, "a Recipe", "Take one by recipes.get('ddpm-mnist').")


def draws_no_images(what: str, sampling: Sampling, count: int | None, repeats: int | None) -> None:
    """Refuse what says how images are drawn, for `measure` of a model that draws none; the seed may be given.

    Raises:
        Unsupported: something else was given.
    """
    _checks.instance("sampling", sampling, Sampling, "a Sampling")
    if sampling != Sampling(seed=sampling.seed) or count is not None or (repeats or 1) > 1:
        raise _checks.Unsupported(
            f"{what} draws no images: leave out what says how many (--count, --repeats), and how (--sampler, --steps, "
            "--guidance, --precision)."
        )


def plain(value: Any) -> Any:
    """A setting as JSON holds it."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [plain(item) for item in value]
    return value if value is None or isinstance(value, (bool, int, float, str)) else type(value).__name__

"""Stacked digits on equal terms: the search for each contender's settings, and a thousand modes counted.

    python -m diffusion_teach.recipes.stacked search
    python -m diffusion_teach.recipes.stacked count [--only NAME]

Three contenders learn stacks of digits (`datasets.stacked`): a plain GAN, one with a relativistic loss and R₁ + R₂, and
a diffusion model. They get the same data, batch and number of steps; the diffusion model's one network has as many
parameters as a GAN's two together (within 5 %). Each has four trials of its settings (`TRIALS`), short trainings on a
seed of their own, judged by the modes among 2,500 samples and, where they tie, by the divergence from equal shares. The
plain GAN tries convolutions and dense layers; the other one has convolutions. (Before, the plain GAN with convolutions
had four more trials, at rates of 2e-4 and 1e-3: all made a single number.) `search` writes the trials to
`stacked_search.json` beside this file. The recipes `gan-stacked`, `rpgan-stacked` and `ddpm-stacked` have the settings
that won.

`count` follows the protocol of the literature: 26,000 samples of each trained model, named by the shipped classifier.
It keeps how often each of the thousand numbers occurs in `stacked.json`, a row a contender, with the hashes of the
weights that it was counted on. Two more rows are controls: real stacks of test digits, and the same with most of their
detail averaged away.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor

from diffusion_teach import _checks, _files, checkpoints, devices, generate, recipes
from diffusion_teach.datasets import stacked
from diffusion_teach.denoisers import Learned
from diffusion_teach.metrics.stacked import SAMPLES, StackedModes, histogram, modes, numbers
from diffusion_teach.recipes import run
from diffusion_teach.recipes.adversarial import STACKED, STACKED_DENSE

RESULTS = Path(__file__).with_suffix(".json")
SEARCHED = RESULTS.with_name("stacked_search.json")
SEARCH_STEPS = 200
SEARCH_SEED = 1000  # no seed that a checkpoint is trained with
PART = 2000
"""Stacks drawn and named at a time; bounds the memory."""


@dataclass(frozen=True)
class Contender:
    """A row of the count.

    Attributes:
        label: its name in figures.
        checkpoint: the shipped weights; None for real stacks.
        sampler, steps: see `generate.generate`; without a sampler it draws in one call.
        pool: of a control, the size of the blocks whose pixels are averaged.
    """

    label: str
    checkpoint: str | None = None
    sampler: str | None = None
    steps: int = 1
    pool: int = 1


CONTENDERS: dict[str, Contender] = {
    "gan": Contender("GAN, plain", "gan-stacked"),
    "rpgan": Contender("RpGAN + R1 + R2", "rpgan-stacked"),
    "ddpm": Contender("diffusion, 10 steps", "ddpm-stacked", "sde_dpm_solver", 10),
    "real": Contender("real stacks"),
    "coarse": Contender("real, 7 × 7 pixels", pool=4),
}
"""By name; the last two are controls."""
TRIALS: dict[str, tuple[dict[str, Any], ...]] = {
    "gan-stacked": tuple({"lr": lr, "network": network} for lr in (1e-4, 2e-4) for network in (STACKED, STACKED_DENSE)),
    "rpgan-stacked": tuple({"lr": lr, "r1": g, "r2": g} for lr in (2e-3, 4e-3) for g in (2.0, 8.0)),
    "ddpm-stacked": tuple({"muon": m, "adamw": a} for m in (0.025, 0.05) for a in (3e-3, 6e-3)),
}
"""By recipe, the settings that the search tries."""


def draw(contender: Contender, count: int, *, seed: int = 0) -> Tensor:
    """Stacks (count, 3, 28, 28) of a contender, float32 in [−1, 1]; the same for the same seed."""
    if contender.checkpoint is None:
        images, _ = stacked.draw(count, "test", generator=torch.Generator().manual_seed(seed))
        coarse = F.avg_pool2d(images, contender.pool)
        return coarse.repeat_interleave(contender.pool, 2).repeat_interleave(contender.pool, 3)
    model = checkpoints.model(contender.checkpoint)
    if contender.sampler is None:
        return generate.in_one_call(cast(Any, model), count, seed=seed)
    walk: dict[str, Any] = {"sampler": contender.sampler, "steps": contender.steps, "seed": seed}
    return generate.generate(cast(Learned, model), count, progress=False, **walk)


def count(contender: Contender, samples: int = SAMPLES) -> dict[str, Any]:
    """The row of a contender: how often each number occurs among its samples, and what it was counted on."""
    _checks.integer("samples", samples)
    began, counts = time.perf_counter(), torch.zeros(stacked.KINDS, dtype=torch.int64)
    for part, begin in enumerate(range(0, samples, PART)):
        counts += histogram(numbers(draw(contender, min(PART, samples - begin), seed=part)))
    row: dict[str, Any] = dataclasses.asdict(contender) | hashes(contender)
    row |= {"seconds": round(time.perf_counter() - began, 1), "machine": devices.machine(torch.device("cpu"), 1)}
    return row | {"counts": counts.tolist()}


def hashes(contender: Contender) -> dict[str, str | None]:
    """SHA-256 of the weights that a row depends on: the contender's own, and the classifier's that named the digits."""
    own = None if contender.checkpoint is None else checkpoints.card(contender.checkpoint)["sha256"]
    return {"sha256": own, "classifier": checkpoints.card("classifier")["sha256"]}


def rows(path: Path = RESULTS) -> dict[str, dict[str, Any]]:
    """What is stored, by contender, in the order of `CONTENDERS`."""
    return _in_order(json.loads(path.read_text(encoding="utf-8")), CONTENDERS)


def counts(row: Mapping[str, Any]) -> Tensor:
    """The histogram of a row, (1000,) int64."""
    return torch.tensor(row["counts"])


def scores(row: Mapping[str, Any]) -> StackedModes:
    """Modes and divergences of a row, beside what as many real stacks score."""
    return modes(torch.arange(stacked.KINDS).repeat_interleave(counts(row)))


def searched(path: Path = SEARCHED) -> dict[str, list[dict[str, Any]]]:
    """The stored search: by recipe, its trials with the modes among 2,500 samples and their divergence."""
    found: dict[str, list[dict[str, Any]]] = json.loads(path.read_text(encoding="utf-8"))
    return found


def judge(row: Mapping[str, Any]) -> tuple[float, float]:
    """What the best trial has most of: modes; where they tie, nearness to equal shares."""
    return row["covered"], -row["kl_uniform"]


def try_out(name: str, settings: Mapping[str, Any], steps: int = SEARCH_STEPS) -> dict[str, Any]:
    """A trial: train a recipe with other settings for some steps, and what its samples score."""
    recipe = dataclasses.replace(recipes.get(name), seed=SEARCH_SEED, **settings)
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = run.train(recipe, folder, steps=steps, progress=False, device="cpu")
            found = checkpoints.card(path)["metrics"]
    except FloatingPointError:  # the training diverged: the trial has failed
        found = {"covered": 0, "kl_uniform": math.log(stacked.KINDS)}
    row = {**settings, "covered": int(found["covered"]), "kl_uniform": round(found["kl_uniform"], 3)}
    print(name, row, flush=True)
    return row


def main(arguments: Sequence[str] | None = None) -> None:
    """Search settings, or count modes, and store what was found one by one."""
    parser = argparse.ArgumentParser(prog="python -m diffusion_teach.recipes.stacked", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("task", choices=("search", "count"))
    parser.add_argument("--only", action="append", metavar="NAME", help="a recipe or a contender; may be repeated")
    parser.add_argument("--results", type=Path, help="where the rows are kept (default: beside the recipe)")
    asked = parser.parse_args(arguments)
    search = asked.task == "search"
    known: Mapping[str, Any] = TRIALS if search else CONTENDERS
    for name in asked.only or known:
        _checks.choice("--only", name, known)
        row = [try_out(name, trial) for trial in TRIALS[name]] if search else count(CONTENDERS[name])
        _keep(asked.results or (SEARCHED if search else RESULTS), name, row, known)


def _keep(path: Path, name: str, row: Any, known: Mapping[str, Any]) -> None:
    """Put a row into a file, a line each, in the order of what is known."""
    found = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    ordered = _in_order({**found, name: row}, known)
    lines = [f"{json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}" for key, value in ordered.items()]
    _files.write_atomically(path, ("{\n" + ",\n".join(lines) + "\n}\n").encode())


def _in_order(found: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    return {name: found[name] for name in known if name in found}


if __name__ == "__main__":
    main()

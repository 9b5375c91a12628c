"""The field's choices by the library, and by the page's script: states of the same walk, from the same noise."""

from __future__ import annotations

import math
from typing import Any

import torch
from playwright.sync_api import Page
from torch import Tensor

from diffusion_teach import samplers
from diffusion_teach.denoisers import Exact, Guided
from diffusion_teach.exact import GaussianMixture
from diffusion_teach.samplers import langevin
from diffusion_teach.samplers.walk import Step
from diffusion_teach.schedules import VE, VP, Cosine, FlowMatching, Schedule
from tests.site.scripts import ask

SCHEDULES: dict[str, Schedule] = {"vp": VP(), "ve": VE(), "cosine": Cosine(), "flow-matching": FlowMatching()}
SAMPLERS = (
    "ancestral",
    "ddim",
    "euler",
    "heun",
    "dpm-solver",
    "ddpm",
    "ddpm-last-noise",
    "annealed",
    "langevin",
)
CORRECTIONS = 5
TOLERANCE = 1e-9

# Three modes of unequal weight, shape, tilt and class.
MODES = [
    {"x": -1.2, "y": -0.4, "weight": 0.5, "long": 0.58, "short": 0.27, "angle": 34, "label": 1},
    {"x": 1.0, "y": 0.9, "weight": 0.3, "long": 0.47, "short": 0.31, "angle": 118, "label": 2},
    {"x": 0.8, "y": -1.2, "weight": 0.2, "long": 0.32, "short": 0.32, "angle": 0, "label": 1},
]


def flat(x: Tensor) -> list[float]:
    return x.double().flatten().tolist()


def tensor(values: Any) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def points(values: Any) -> Tensor:
    return tensor(values).reshape(-1, 2)


def mixture(chosen: list[dict[str, float]]) -> GaussianMixture:
    """The library's mixture of modes as the page has them."""
    covariances = []
    for m in chosen:
        angle = math.radians(m["angle"])
        turn = tensor([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
        covariances.append(turn @ torch.diag(tensor([m["long"] ** 2, m["short"] ** 2])) @ turn.T)
    weights, means = tensor([m["weight"] for m in chosen]), tensor([[m["x"], m["y"]] for m in chosen])
    return GaussianMixture(weights, means, torch.stack(covariances))


def noises(count: int, rows: int) -> Tensor:
    return torch.randn(count, rows, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def steps_of(choice: dict[str, Any]) -> Step:
    """The library's sampler that a choice names."""
    named: dict[str, Step] = {
        "ancestral": samplers.ancestral,
        "ddim": samplers.ddim(choice["eta"]),
        "euler": samplers.euler,
        "heun": samplers.heun,
        "dpm-solver": samplers.dpm_solver,
        "ddpm": samplers.ddim(1.0, variance="forward"),
        "ddpm-last-noise": samplers.ddim(1.0, variance="forward"),
        "annealed": langevin.annealed(corrections=CORRECTIONS),
    }
    return named[choice["sampler"]]


def library_walk(choice: dict[str, Any], chosen: list[dict[str, float]], z: Tensor) -> list[Tensor]:
    """All states of the walk that a choice asks for, by the library: z[0] begins it, and the others are its noise."""
    schedule, draws = SCHEDULES[choice["schedule"]], iter(z[1:])
    ours = [m for m in chosen if m["label"] == choice["label"]] or chosen
    if choice["sampler"] == "langevin":
        target = mixture(ours)
        h = 0.1 * float(min(torch.linalg.eigvalsh(c)[0] for c in target.covariances))
        steps = CORRECTIONS * choice["steps"]
        path = langevin.langevin(target.score, z[0], h=h, steps=steps, noise=lambda like: next(draws))
        return list(path)[::CORRECTIONS]
    denoiser = Exact(mixture(ours), schedule)
    if ours is not chosen and choice["sampler"] != "annealed":
        denoiser = Guided(denoiser, Exact(mixture(chosen), schedule), choice["w"])
    times = samplers.time_grid(schedule, choice["steps"])
    if choice["sampler"] == "annealed":
        infinite = bool(schedule.alpha(tensor(1.0)) == 0)
        times = langevin.ladder(schedule, choice["steps"], smallest=0.05, largest=50.0 if infinite else None)
    start = float(schedule.sigma(times[0])) * z[0]
    states = list(samplers.trajectory(denoiser, steps_of(choice), start, times, noise=lambda like: next(draws)))
    if choice["sampler"] == "ddpm-last-noise":
        states[-1] = states[-1] + schedule.sigma(times[-2]) * next(draws)
    return states


SCRIPT_WALK = """([choice, modes, z]) => {
    const plan = Field.plan(choice, modes), draws = z.slice(1).map((row) => Float64Array.from(row));
    const size = choice.sampler === "langevin" ? 1 : plan.denoiser.schedule.sigma(plan.times[0]);
    const x = Float64Array.from(z[0], (value) => size * value);
    const walk = new Field.Trajectory(plan.denoiser, plan.step, x, plan.times, [() => draws.shift()]).advance();
    return walk.states.map((state) => Array.from(state));
}"""


def script_walk(page: Page, choice: dict[str, Any], chosen: list[dict[str, float]], z: Tensor) -> list[Tensor]:
    found = ask(page, SCRIPT_WALK, [choice, chosen, [flat(row) for row in z]])
    return [points(state) for state in found]


def choice(**values: Any) -> dict[str, Any]:
    return {"schedule": "vp", "sampler": "ddim", "steps": 7, "eta": 0.0, "label": 0, "w": 0.0} | values


def error(found: Tensor, wanted: Tensor) -> float:
    """The largest difference, relative where values are large; infinite ones must be the same."""
    assert found.shape == wanted.shape
    finite = wanted.isfinite()
    if not torch.equal(finite, found.isfinite()) or not torch.equal(found[~finite], wanted[~finite]):
        return math.inf
    return float(((found - wanted).abs() / (1 + wanted.abs()))[finite].max())

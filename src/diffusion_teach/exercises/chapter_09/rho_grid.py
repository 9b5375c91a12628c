"""`rho-grid`: EDM's ladder of noise levels."""

from __future__ import annotations

import torch
from torch import Tensor

from diffusion_teach.exercises.examining import Wrong, diagnose, same
from diffusion_teach.exercises.exercise import Answer, Exercise, Mistake
from diffusion_teach.exercises.trials import Trial, uniform


def rho_grid(largest: float, smallest: float, steps: int, rho: float) -> Tensor:
    """σ₀ = largest, …, σ_steps = smallest, even in σ^(1/ρ), shape (steps + 1,)."""
    share = torch.arange(steps + 1) / steps
    first, last = largest ** (1 / rho), smallest ** (1 / rho)
    return (first + share * (last - first)) ** rho


def _examine(answer: Answer) -> None:
    largest, smallest, steps, rho = 80.0, 0.02, 6, 5.0
    value = answer(largest, smallest, steps, rho)
    if isinstance(value, Tensor) and value.shape == (steps,):
        raise Wrong(f"a level is missing: {steps} steps go through {steps + 1} of them, both ends among them.")
    if isinstance(value, Tensor) and value.shape == (steps + 2,):
        raise Wrong(f"a level too many: {steps} steps go through {steps + 1}, and the last is `smallest`, not 0.")
    expected = rho_grid(largest, smallest, steps, rho)
    named = {
        "your grid runs from data to noise: begin with the largest.": expected.flip(0),
        "that is even in σ itself: take the root of order ρ first.": torch.linspace(largest, smallest, steps + 1),
        "your levels are still roots: raise them to the power ρ.": expected ** (1 / rho),
        "ρ and 1/ρ are swapped: be even in σ^(1/ρ), and raise to the power ρ.": torch.linspace(
            largest**rho, smallest**rho, steps + 1
        )
        ** (1 / rho),
        "that is even in log σ, which is ρ → ∞.": torch.logspace(1.90309, -1.69897, steps + 1),
        "ρ is fixed in your function at EDM's 7.": rho_grid(largest, smallest, steps, 7.0),
        "the paper appends a 0 to its last level; here the last of steps + 1 levels is `smallest`.": torch.cat(
            [rho_grid(largest, smallest, steps - 1, rho), torch.zeros(1)]
        ),
    }
    if same(value, expected):
        # relative to each level: the small ones count as much
        off = (value.detach().to(expected) / expected - 1).abs()
        if float(off.max()) > 1e-2:
            k = int(off.argmax())
            raise Wrong(f"level {k} should be {float(expected[k]):.4g}; yours is {float(value[k]):.4g}.")
        return
    diagnose(
        value,
        named.items(),
        f"your levels are {[round(float(v), 3) for v in value.flatten()[:7]]}; the second "
        f"should be {float(expected[1]):.3f}.",
    )


def _trial(g: torch.Generator) -> Trial:
    steps = int(torch.randint(3, 9, (), generator=g))
    return Trial((uniform(g, 20.0, 90.0), uniform(g, 0.5, 2.0), steps, uniform(g, 2.0, 6.0)))


EXERCISE = Exercise(
    id="rho-grid",
    chapter="09_fast_sampling",
    examine=_examine,
    solution=rho_grid,
    mistakes=(
        Mistake(lambda a, b, n, r: rho_grid(a, b, n, r).flip(0), "from data to noise"),
        Mistake(lambda a, b, n, r: torch.linspace(a, b, n + 1), "even in σ itself"),
        Mistake(lambda a, b, n, r: rho_grid(a, b, n, r) ** (1 / r), "still roots"),
        Mistake(lambda a, b, n, r: torch.linspace(a**r, b**r, n + 1) ** (1 / r), "swapped"),
        Mistake(lambda a, b, n, r: a * (b / a) ** (torch.arange(n + 1) / n), "ρ → ∞"),
        Mistake(lambda a, b, n, r: rho_grid(a, b, n, 7.0), "fixed in your function"),
        Mistake(lambda a, b, n, r: torch.cat([rho_grid(a, b, n - 1, r), torch.zeros(1)]), "appends a 0"),
        Mistake(lambda a, b, n, r: rho_grid(a, b, n - 1, r), "a level is missing"),
        Mistake(lambda a, b, n, r: torch.cat([rho_grid(a, b, n, r), torch.zeros(1)]), "a level too many"),
    ),
    praise="one number moves the steps from noise towards data.",
    trial=_trial,
)

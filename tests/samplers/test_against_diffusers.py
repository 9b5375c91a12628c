"""Our steps against the schedulers of an independent library, on equal grids: at most 1e-5 apart.

`diffusers` counts the table's entries from 0: its step number n is our k = n + 1, its time after the last step k = 0.
"""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from diffusion_teach.denoisers import Exact
from diffusion_teach.exact import GaussianMixture
from diffusion_teach.samplers import (
    Step,
    ancestral,
    ddim,
    dpm_solver,
    euler,
    gaussian,
    heun,
    multistep,
    sample,
    sde_dpm_solver,
    time_grid,
)
from diffusion_teach.samplers.walk import State
from diffusion_teach.schedules import VE, Discrete, linear_betas

diffusers: Any = pytest.importorskip(
    "diffusers", reason="diffusers is not installed, so nothing is compared with it: pip install -r requirements.txt"
)

# Its numpy and torch warn of one another.
pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:__array_wrap__ must accept:DeprecationWarning"),
]
T = 1000
TABLE = Discrete(linear_betas(T))
BETAS = TABLE.betas.numpy()
MIXTURE = GaussianMixture(
    torch.tensor([0.5, 0.3, 0.2]),
    torch.tensor([[-1.2, -0.4], [1.0, 0.9], [0.8, -1.2]]),
    torch.tensor([[[0.25, 0.12], [0.12, 0.15]], [[0.12, -0.06], [-0.06, 0.2]], [[0.1, 0.0], [0.0, 0.06]]]),
)
EXACT = Exact(MIXTURE, TABLE)


@pytest.fixture
def start() -> Tensor:
    return torch.randn(64, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def of(name: str, **options: Any) -> Any:
    return getattr(diffusers, name)(num_train_timesteps=T, trained_betas=BETAS, **options)


def theirs(scheduler: Any, x: Tensor, steps: int, **options: Any) -> Tensor:
    """Their walk with our exact ε, from x in their units, on their grid in double precision where it is one of σ/α."""
    scheduler.set_timesteps(steps)
    if len(getattr(scheduler, "sigmas", ())) == steps + 1:
        times = torch.cat([(scheduler.timesteps.double() + 1) / T, torch.tensor([1 / T]).double()])
        precise = torch.exp(-TABLE.log_snr(times) / 2)
        torch.testing.assert_close(precise[:-1], scheduler.sigmas[:-1].double(), rtol=1e-4, atol=0)
        scheduler.sigmas = torch.where(scheduler.sigmas == 0, 0.0, precise)
    for n in scheduler.timesteps:
        time = ((n.double() + 1) / T).clamp(0, 1)
        eps = EXACT(scheduler.scale_model_input(x, n).double(), time).eps
        x = scheduler.step(eps, n, x, **options).prev_sample.double()
    return x


def near(found: Tensor, expected: Tensor) -> None:
    assert float((found - expected).abs().max()) <= 1e-5


@pytest.mark.parametrize("spacing", ["trailing", "leading"])
@pytest.mark.parametrize("eta", [0.0, 0.4, 1.0])
def test_ddim(start: Tensor, spacing: str, eta: float) -> None:
    scheduler = of("DDIMScheduler", clip_sample=False, timestep_spacing=spacing)
    other, own = (torch.Generator().manual_seed(1) for _ in range(2))
    expected = theirs(scheduler, start, 20, eta=eta, generator=other)
    near(sample(EXACT, ddim(eta), start, time_grid(TABLE, 20, spacing=spacing), generator=own), expected)


@pytest.mark.parametrize(
    ("variance", "step"), [("fixed_small", ancestral), ("fixed_large", ddim(1.0, variance="forward"))]
)
def test_ancestral_of_ddpm(start: Tensor, variance: str, step: Step) -> None:
    scheduler = of("DDPMScheduler", clip_sample=False, variance_type=variance, timestep_spacing="leading")
    other, own = (torch.Generator().manual_seed(1) for _ in range(2))
    expected = theirs(scheduler, start, 50, generator=other)
    near(sample(EXACT, step, start, time_grid(TABLE, 50, spacing="leading"), generator=own), expected)


@pytest.mark.parametrize(("kind", "step"), [("dpmsolver++", dpm_solver), ("sde-dpmsolver++", sde_dpm_solver)])
def test_dpm_solver_2m(start: Tensor, kind: str, step: Step) -> None:
    scheduler = of("DPMSolverMultistepScheduler", algorithm_type=kind, solver_order=2, timestep_spacing="trailing")
    other, own = (torch.Generator().manual_seed(1) for _ in range(2))
    expected = theirs(scheduler, start, 20, generator=other)

    def single(like: Tensor) -> Tensor:
        return torch.randn(like.shape, dtype=torch.float32, generator=own)  # as theirs draws

    near(sample(EXACT, step, start, time_grid(TABLE, 20), noise=single), expected)


def test_heun(start: Tensor) -> None:
    """Theirs walks in x/α."""
    scheduler = of("HeunDiscreteScheduler", timestep_spacing="trailing")
    expected = theirs(scheduler, start / TABLE.alpha(torch.tensor(1.0, dtype=torch.float64)), 20)
    near(sample(EXACT, heun, start, time_grid(TABLE, 20)), expected)


def test_edm_s_grid_and_euler(start: Tensor) -> None:
    """Their grid of ρ = 7 from 80 to .002, and Euler on it, where α = 1."""
    scheduler = diffusers.EDMEulerScheduler(sigma_min=0.002, sigma_max=80.0, sigma_data=0.5)
    schedule = VE(0.001, 100.0)
    ends = schedule.time_of(-2 * torch.tensor([80.0, 0.002], dtype=torch.float64).log()).tolist()
    times = time_grid(schedule, 17, start=ends[0], stop=ends[1], spacing="rho")
    times = torch.cat([times, times.new_zeros(1)])
    scheduler.set_timesteps(18)
    torch.testing.assert_close(schedule.sigma(times), scheduler.sigmas.double(), rtol=1e-5, atol=1e-6)
    x, own = 80 * start, Exact(MIXTURE, schedule)
    for sigma, n in zip(scheduler.sigmas[:-1].double(), scheduler.timesteps, strict=True):
        x0 = MIXTURE.posterior_mean(x, 1.0, sigma)
        skip, out = 0.25 / (sigma**2 + 0.25), 0.5 * sigma / (sigma**2 + 0.25).sqrt()
        x = scheduler.step((x0 - skip * x) / out, n, x).prev_sample.double()
    near(sample(own, euler, 80 * start, times), x)


def _times(steps: int) -> Tensor:
    """Their times where the last step ends at the first entry of the table."""
    return torch.cat([time_grid(TABLE, steps)[:-1], torch.tensor([1 / T], dtype=torch.float64)])


def test_third_order_of_eps_is_deis(start: Tensor) -> None:
    scheduler = of("DEISMultistepScheduler", solver_order=3, lower_order_final=False, timestep_spacing="trailing")
    expected = theirs(scheduler, start, 25)
    near(sample(EXACT, multistep(3, of="eps"), start, _times(25)), expected)


def _walked(start: Tensor, times: Tensor, third: Step) -> Tensor:
    """Two steps of 2M, as theirs begin, and then those of third order, which are handed the answers of the two."""
    x, state = start, None
    answers: tuple[tuple[Tensor, Tensor], ...] = ()
    for k in range(len(times) - 1):
        t, s = times[k], times[k + 1]
        if k < 2:
            answers = ((EXACT(x, t).x0, TABLE.log_snr(t) / 2), *answers)
            x, state = dpm_solver(EXACT, x, t, s, state, gaussian())
        else:
            remembered: State = answers if k == 2 else state
            x, state = third(EXACT, x, t, s, remembered, gaussian())
    return x


def test_third_order_of_x0_is_unipc_s_predictor(start: Tensor) -> None:
    scheduler = of(
        "UniPCMultistepScheduler",
        solver_order=3,
        solver_type="bh2",
        lower_order_final=False,
        disable_corrector=list(range(T)),
        timestep_spacing="trailing",
        final_sigmas_type="sigma_min",
    )
    near(_walked(start, _times(25), multistep(3)), theirs(scheduler, start, 25))


def half_of_the_curvature(
    denoiser: Any, x_t: Tensor, t: Tensor, s: Tensor, state: Any, noise: Any
) -> tuple[Tensor, State]:
    """`multistep(3)` with the last of its moments halved, as their DPM-Solver++ of order 3 has it."""
    x_s, told = multistep(3)(denoiser, x_t, t, s, state, noise)
    (x0, now), (x0_1, before), (x0_2, first) = ((denoiser(x_t, t).x0, denoiser.schedule.log_snr(t) / 2), *state)
    h = denoiser.schedule.log_snr(s) / 2 - now
    slope, slope_1 = (x0 - x0_1) / (now - before), (x0_1 - x0_2) / (before - first)
    second = (slope - slope_1) / (now - first) * h**2  # h² of half the second derivative
    share = 1 - 2 / h * (1 - (1 - torch.exp(-h)) / h)  # ∫ u² e^(−h(1 − u)) h du
    return x_s - denoiser.schedule.alpha(s) * second * share / 2, told


def test_their_third_order_takes_half_of_the_curvature(start: Tensor) -> None:
    """Why the book compares its third order with DEIS and UniPC: this one of theirs is of second order."""
    scheduler = of(
        "DPMSolverMultistepScheduler",
        solver_order=3,
        lower_order_final=False,
        timestep_spacing="trailing",
        final_sigmas_type="sigma_min",
    )
    near(_walked(start, _times(25), half_of_the_curvature), theirs(scheduler, start, 25))

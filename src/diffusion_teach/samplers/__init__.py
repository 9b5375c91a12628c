"""Samplers: how one walks back from noise to data."""

from diffusion_teach.samplers.grids import time_grid
from diffusion_teach.samplers.ode import euler, heun
from diffusion_teach.samplers.steps import ancestral, ddim, dpm_solver, sde_dpm_solver
from diffusion_teach.samplers.walk import State, Step, prior, sample, trajectory

__all__ = [
    "State",
    "Step",
    "ancestral",
    "ddim",
    "dpm_solver",
    "euler",
    "heun",
    "prior",
    "sample",
    "sde_dpm_solver",
    "time_grid",
    "trajectory",
]

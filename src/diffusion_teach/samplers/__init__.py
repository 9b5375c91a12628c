"""Samplers: how one walks back from noise to data. `langevin` and `inpainting` are modules of their own."""

from diffusion_teach.samplers.churn import edm
from diffusion_teach.samplers.ddim_family import ancestral, ddim, dpm_solver, sde_dpm_solver
from diffusion_teach.samplers.exponential import multistep, singlestep
from diffusion_teach.samplers.inpainting import inpaint
from diffusion_teach.samplers.ode import euler, heun
from diffusion_teach.samplers.optimised_times import optimise_times
from diffusion_teach.samplers.sde import euler_maruyama, predictor_corrector
from diffusion_teach.samplers.time_grids import logistic_share, time_grid
from diffusion_teach.samplers.walk import Noise, State, Step, gaussian, prior, sample, trajectory

"""Training: the loop, and all that keeps a long one safe. It knows nothing of diffusion."""

from diffusion_teach.training.ema import EMA
from diffusion_teach.training.gan import fit_gan
from diffusion_teach.training.loop import History, fit, learning_rate_factor, seed_everything

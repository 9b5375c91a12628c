"""What is known in closed form: the oracle of every chapter and every test."""

from diffusion_teach.exact.distributions import Distribution, Empirical, GaussianMixture
from diffusion_teach.exact.flow import gaussian_flow

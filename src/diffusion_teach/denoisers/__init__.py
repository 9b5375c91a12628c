r"""Denoisers: what a sampler needs of a model.

A denoiser takes x_t and t and says which x₀ and which ε it sees there. A trained network, a closed form, a guided
and later a distilled model all look the same to a sampler.
"""

from diffusion_teach.denoisers.by_classifier import ClassifierGuided
from diffusion_teach.denoisers.denoiser import Denoiser, check_denoiser, score
from diffusion_teach.denoisers.denoising_gan import DenoisingGAN
from diffusion_teach.denoisers.distilled import Distilled
from diffusion_teach.denoisers.exact import Exact
from diffusion_teach.denoisers.guided import Guided
from diffusion_teach.denoisers.latent import Latent
from diffusion_teach.denoisers.learned import Conditioned, Learned
from diffusion_teach.denoisers.observed import Observed
from diffusion_teach.denoisers.rescaled import Rescaled

"""Latent diffusion (Rombach et al. 2022): its equations in the letters of the paper, and Stable Diffusion by parts."""

from diffusion_teach.papers.rombach2022.anatomy import TIME, Part, _transformer, autoencoder, text_encoder, total, unet
from diffusion_teach.papers.rombach2022.equations import L_LDM, L_rec, attention

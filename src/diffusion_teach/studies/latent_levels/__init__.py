"""What levels of latents gain a VAE of binarised digits, at equal cost.

python -m diffusion_teach.studies latent_levels.measure [--only NAME]
"""

from diffusion_teach.studies.latent_levels.measure import ROWS, rows

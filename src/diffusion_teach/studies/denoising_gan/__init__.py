"""A denoising diffusion GAN of digits, beside the four Gaussian steps that its generator begins with.

python -m diffusion_teach.studies denoising_gan.measure [--only NAME]
"""

from diffusion_teach.studies.denoising_gan.measure import ROWS, rows

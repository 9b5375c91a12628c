"""Stacked digits on equal terms: GANs and a diffusion model, and how many of a thousand modes each makes.

    python -m diffusion_teach.studies stacked_digits.search [--only RECIPE]       each contender's settings
    python -m diffusion_teach.studies stacked_digits.count [--only CONTENDER]     a thousand modes counted

Four contenders learn stacks of digits (`datasets.stacked_mnist`): a plain GAN, one with R₁ + R₂, that with the
relativistic loss, and a diffusion model. They get the same data, batch and number of steps; the diffusion model's one
network has as many parameters as a GAN's two together (within 5 %).
"""

from diffusion_teach.studies.stacked_digits import search
from diffusion_teach.studies.stacked_digits.count import CONTENDERS, counts, draw, modes_of, rows

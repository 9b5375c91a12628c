"""Generators of digits on equal terms: as many weights and images seen for each, and a small search.

    python -m diffusion_teach.studies equal_terms.search [--only CONTENDER]     each contender's settings
    python -m diffusion_teach.studies equal_terms.measure [--only CONTENDER]    what they come to, with new seeds

The scoreboard compares shipped models, each as large and as long trained as its recipe says. Here VAE, GANs and
diffusion have 0.84 million weights within 3 % (a GAN's two networks together, a VAE's too), 3,000 steps of 64 images,
and a search of at most nine trials for two settings each; that of the GANs was made twice, see `search`.
"""

from diffusion_teach.studies.equal_terms.contenders import CONTENDERS, SHIPPED
from diffusion_teach.studies.equal_terms.measure import rows

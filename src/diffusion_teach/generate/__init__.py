"""Images from any trained model, by the name of a sampler: many at once, in batches, the same for the same seed.

`samplers` are the parts; this puts them together as the command line, the metrics and the book use them, with the time
grid "logistic" of `samplers.time_grid`, or for annealed Langevin dynamics the ladder of `samplers.langevin`. A model
that needs no sampler, a GAN or a VAE, is drawn in one step.
"""

from diffusion_teach.generate.drawing import generate, path
from diffusion_teach.generate.sampling import ONE_STEP, OWN_STEPS, SAMPLERS, SPACING, Sampling, check_images

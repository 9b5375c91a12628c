"""What samplers make of the shipped digits' network, against evaluations and against seconds.

python -m diffusion_teach.studies sampling.measure [--only "2M, 9"]

The best of them becomes what the command line draws with: `generate.Sampling.of` states the sampler and the number of
steps where none is asked for, and `_names.SAMPLERS` with `generate.sampling._STEPS` the names that can be asked for.
"""

from diffusion_teach.studies.sampling.figures import ALT, figure
from diffusion_teach.studies.sampling.measure import EVALUATIONS, METHODS, ROWS, rows

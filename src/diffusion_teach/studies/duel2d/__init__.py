"""The duel in the plane: GANs and a diffusion model on equal terms, ring and grid, ten seeds at once.

python -m diffusion_teach.studies duel2d.search   the settings of each contender
python -m diffusion_teach.studies duel2d.seeds    forty seeds of the two penalised GANs
"""

from diffusion_teach.studies.duel2d import seeds
from diffusion_teach.studies.duel2d.contenders import (
    EVALUATIONS,
    OCTAVES,
    POINTS,
    data,
    measure,
    train,
    train_diffusion,
    train_gan,
)
from diffusion_teach.studies.duel2d.search import TRIALS, best, judge, outcomes, results, settings

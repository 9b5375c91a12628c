"""The duel in the plane: GANs and a diffusion model on equal terms, ring and grid, ten seeds at once.

python -m diffusion_teach.studies duel2d.search   the settings of each contender
python -m diffusion_teach.studies duel2d.seeds    forty seeds of the two penalised GANs, at equal settings
python -m diffusion_teach.studies duel2d.longer   all contenders, trained for longer
"""

from diffusion_teach.studies.duel2d import longer, seeds
from diffusion_teach.studies.duel2d.contenders import (
    EVALUATIONS,
    OCTAVES,
    POINTS,
    blind_shape,
    data,
    measure,
    train,
    train_diffusion,
    train_gan,
)
from diffusion_teach.studies.duel2d.search import GAMMAS, TRIALS, best, judge, outcomes, results, settings

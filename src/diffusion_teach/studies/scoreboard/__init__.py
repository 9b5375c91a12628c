"""The scoreboard of digits: every shipped generator by the same measures, beside real digits; and one of canvases.

python -m diffusion_teach.studies scoreboard.measure [--only NAME]
python -m diffusion_teach.studies scoreboard.canvases [--only NAME]
"""

from diffusion_teach.studies.scoreboard import canvases
from diffusion_teach.studies.scoreboard.figures import TRILEMMA, trilemma
from diffusion_teach.studies.scoreboard.measure import CONTENDERS, rows

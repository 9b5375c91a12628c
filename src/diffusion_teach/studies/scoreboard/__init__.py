"""The scoreboard of digits: every shipped generator by the same measures, beside real digits.

python -m diffusion_teach.studies scoreboard.measure [--only NAME]
"""

from diffusion_teach.studies.scoreboard.figures import TRILEMMA, trilemma
from diffusion_teach.studies.scoreboard.measure import CONTENDERS, rows

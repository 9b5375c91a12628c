"""What a noise schedule is worth on digits: seven of them, trained and sampled at equal cost, ten seeds each.

python -m diffusion_teach.studies schedules.measure [--only NAME]
"""

from diffusion_teach.studies.schedules.figures import ALT, figure
from diffusion_teach.studies.schedules.measure import ROWS, rows

"""How near two networks' answers are: of both families, and of two seeds of one recipe.

python -m diffusion_teach.studies two_names.measure [--only NAME]
"""

from diffusion_teach.studies.two_names.measure import ROWS, rows

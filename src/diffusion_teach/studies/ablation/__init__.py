"""What makes small diffusion models of digits better, and what does not: one thing changed at a time.

python -m diffusion_teach.studies ablation.measure [--only NAME]
"""

from diffusion_teach.studies.ablation.measure import ROWS, rows

"""What the two judges of digits see: real digits, spoilt ones, and those of the shipped generators.

python -m diffusion_teach.studies judges.measure [--only NAME]
"""

from diffusion_teach.studies.judges.measure import rows

"""What the two judges of digits see: real digits and spoilt ones.

python -m diffusion_teach.studies judges.measure [--only NAME]
"""

from diffusion_teach.studies.judges.measure import rows

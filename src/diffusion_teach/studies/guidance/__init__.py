"""What guidance makes of the shipped digits' networks: over w, in an interval, by a worse model, by a classifier.

python -m diffusion_teach.studies guidance.measure [--only "w = 1"]
python -m diffusion_teach.studies guidance.learned_from [--only "real, 500"]

Figures are in `guidance.figures`.
"""

from diffusion_teach.studies.guidance import learned_from, measure

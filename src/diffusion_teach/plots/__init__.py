"""The book's figures: one style, alternative texts, and outputs that are the same on every machine."""

from diffusion_teach.plots.animations import gif, image_frames, show_animation
from diffusion_teach.plots.fields import draw_density, draw_field, scatter
from diffusion_teach.plots.glass import glasses
from diffusion_teach.plots.grids import image_grid, image_rows, mosaic, neighbours_grid, strip
from diffusion_teach.plots.live import LiveFigure, LiveLoss, loss_curve
from diffusion_teach.plots.output import show
from diffusion_teach.plots.style import COLOURS, EXACT_LINE, apply, plane, subplots

apply()

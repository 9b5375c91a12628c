"""The book's figures: one style, alternative texts, and outputs that are the same on every machine."""

from diffusion_teach.plots.animations import apng, gif, image_frames, show_animation
from diffusion_teach.plots.fields import draw_density, draw_field
from diffusion_teach.plots.glass import glasses
from diffusion_teach.plots.grids import image_grid, image_rows, mosaic, neighbours_grid
from diffusion_teach.plots.live import LiveFigure, LiveLoss, loss_curve
from diffusion_teach.plots.output import show
from diffusion_teach.plots.scatter import legend, members_grid, modes, scatter
from diffusion_teach.plots.style import COLOURS, EXACT_LINE, apply, plane, subplots
from diffusion_teach.plots.trajectories import paths, strip

__all__ = [
    "COLOURS",
    "EXACT_LINE",
    "LiveFigure",
    "LiveLoss",
    "apng",
    "draw_density",
    "draw_field",
    "gif",
    "glasses",
    "image_frames",
    "image_grid",
    "image_rows",
    "legend",
    "loss_curve",
    "members_grid",
    "modes",
    "mosaic",
    "neighbours_grid",
    "paths",
    "plane",
    "scatter",
    "show",
    "show_animation",
    "strip",
    "subplots",
]

apply()

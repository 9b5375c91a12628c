"""Trained weights, each with a model card."""

from diffusion_teach.checkpoints.architectures import build, of_card
from diffusion_teach.checkpoints.files import (
    SUFFIX,
    card,
    check_name,
    load,
    model,
    names,
    path,
    restate,
    save,
)

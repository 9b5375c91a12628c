"""Trained weights, each with a model card."""

from diffusion_teach.checkpoints.architectures import build
from diffusion_teach.checkpoints.files import (
    CARD_FIELDS,
    FOLDER,
    SUFFIX,
    card,
    check_name,
    load,
    model,
    names,
    parameters,
    path,
    save,
)

__all__ = [
    "CARD_FIELDS",
    "FOLDER",
    "SUFFIX",
    "build",
    "card",
    "check_name",
    "load",
    "model",
    "names",
    "parameters",
    "path",
    "save",
]

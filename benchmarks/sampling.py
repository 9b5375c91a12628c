"""Sampling: seconds for 1,000 images and their distance from real ones, ours in few steps, theirs at their defaults."""

from __future__ import annotations

from typing import Any, cast

import torch

from benchmarks import timing
from benchmarks.ours import SAMPLER
from benchmarks.peers import PEERS
from benchmarks.quality import judged
from diffusion_teach import checkpoints
from diffusion_teach.denoisers import Learned
from diffusion_teach.generate import Sampling, generate
from diffusion_teach.studies import stored

CHECKPOINT = "ddpm-mnist"
STEPS = (10, 15, 20, 50)
IMAGES = 2000
BATCH = 50
EVALUATIONS = 5


def settings() -> dict[str, Any]:
    """What the figures depend on, beside the machine: stored with them, so that a test finds stale ones."""
    found = {"checkpoint": CHECKPOINT, "weights": checkpoints.card(CHECKPOINT)["sha256"], "sampler": SAMPLER}
    return found | {"steps": list(STEPS), "images": IMAGES, "batch": BATCH, **stored.judges()}


def measure(*, quick: bool = False) -> dict[str, Any]:
    """Ours: the shipped checkpoint, all images drawn. Theirs: seconds an evaluation of 50 images, multiplied up."""
    n = 100 if quick else IMAGES
    model = cast(Learned, checkpoints.model(CHECKPOINT))
    generate(model, 50, Sampling(SAMPLER, 2))  # the first call chooses kernels
    rows = []
    for steps in STEPS[: 1 if quick else None]:
        made: list[torch.Tensor] = []
        taken = timing.seconds(
            lambda steps=steps, made=made: made.append(  # type: ignore[misc]
                generate(model, n, Sampling(SAMPLER, steps))
            )
        )
        rows.append({"steps": steps, "seconds_per_1000": 1000 * taken / n, **judged(made[0])})
    noise = torch.randn(BATCH, 1, 28, 28)
    theirs = {}
    for name, make in PEERS.items():
        peer = make()
        peer.denoise(noise)
        each = timing.quartiles([timing.seconds(lambda p=peer: p.denoise(noise)) for _ in range(EVALUATIONS)])  # type: ignore[misc]
        theirs[name] = {
            "steps": peer.default_steps,
            "seconds_per_evaluation": each,
            "seconds_per_1000": each.middle * peer.default_steps * 1000 / BATCH,
        }
    return {"ours": rows, "theirs": theirs, "settings": settings()}

"""Sampling: seconds for 1,000 images and their distance from real ones, ours in few steps, theirs at their defaults."""

from __future__ import annotations

from typing import Any, cast

import torch

from benchmarks import timing
from benchmarks.peers import PEERS
from benchmarks.quality import judged
from diffusion_teach import checkpoints
from diffusion_teach.denoisers import Learned
from diffusion_teach.generate import Sampling, generate
from diffusion_teach.metrics import frechet

CHECKPOINT = "ddpm-mnist"
STEPS = (10, 20, 50)
SAMPLER = "sde_dpm_solver"
IMAGES = 2000
BATCH = 50
EVALUATIONS = 5


def measure(*, quick: bool = False) -> dict[str, Any]:
    """Ours: the shipped checkpoint, all images drawn. Theirs: seconds an evaluation of 50 images, multiplied up."""
    n = 40 if quick else IMAGES
    model = cast(Learned, checkpoints.model(CHECKPOINT))
    floor = frechet.floor(n, draws=2 if quick else 10, generator=torch.Generator().manual_seed(0))
    generate(model, 50, Sampling(SAMPLER, 2))  # the first call chooses kernels
    rows = []
    for steps in STEPS[: 1 if quick else None]:
        made: list[torch.Tensor] = []
        taken = timing.seconds(
            lambda steps=steps, made=made: made.append(  # type: ignore[misc]
                generate(model, n, Sampling(SAMPLER, steps))
            )
        )
        rows.append({"steps": steps, "seconds_per_1000": 1000 * taken / n, **judged(made[0], floor)})
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
    return {"ours": rows, "theirs": theirs, "checkpoint": CHECKPOINT, "sampler": SAMPLER, "batch": BATCH}

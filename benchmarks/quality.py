"""Time to quality: how far from real digits after 30, 60, 120 and 300 seconds of training, ours and theirs.

The clock runs while a contender trains, and stands still while it samples. The peers train once and are asked on the
way, as their learning rate is constant. The book's learning rate ends at zero, so it trains once for each time.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from benchmarks import ours, timing
from benchmarks.ours import Ours
from benchmarks.peers import PEERS, Peer
from diffusion_teach import training
from diffusion_teach.datasets import mnist
from diffusion_teach.metrics import evaluation
from diffusion_teach.metrics.features import JUDGES
from diffusion_teach.studies import stored

TIMES = (30, 60, 120, 300)
IMAGES = 500  # the peers' 300 training steps leave no time for more
MANY = 2000
BATCH = 128  # the peers'; the course's
OUR_STEPS = 15
THEIR_STEPS = 20
CALIBRATION = 20
PARTS = (ours.TITLE, *PEERS)
KEPT = ("frechet", "floor", "floor_std", "times_floor")

Store = Callable[[dict[str, Any]], None]
Keep = Callable[[list[dict[str, Any]]], None]


def judged(images: Tensor) -> dict[str, Any]:
    """The Fréchet distance of some images by each judge, beside the floor of as many, and the share of illegible."""
    found = evaluation.evaluate_images(images)
    distances = {judge: {key: found[judge][key] for key in KEPT} for judge in JUDGES}
    return {"images": len(images), **distances, "illegible": found["illegible"]}


def settings(name: str) -> dict[str, Any]:
    """What a contender's figures depend on, beside the machine: stored with them, so that a test finds stale ones."""
    own = name == ours.TITLE
    sampler, steps = (ours.SAMPLER, OUR_STEPS) if own else ("DDIM", THEIR_STEPS)
    found = {"times": list(TIMES), "images": IMAGES, "sampler": sampler, "evaluations": steps}
    return found | ({"many": MANY, "recipe": ours.short().settings()} if own else {"batch": BATCH}) | stored.judges()


def measure(name: str, store: Store, *, quick: bool = False) -> None:
    """Train one contender and store what it reaches at each time, as soon as it is known."""
    times = (0.5, 1.0) if quick else TIMES
    n = 100 if quick else IMAGES

    def keep(rows: list[dict[str, Any]]) -> None:
        store({"rows": rows, "settings": settings(name)})

    if name == ours.TITLE:
        _ours(times, n, 200 if quick else MANY, keep, steps=3 if quick else OUR_STEPS)
    else:
        torch.manual_seed(0)
        _theirs(PEERS[name](), times, n, keep, steps=2 if quick else THEIR_STEPS)


def _theirs(peer: Peer, times: tuple[float, ...], n: int, keep: Keep, *, steps: int) -> None:
    images, _ = mnist.load("train")

    def batch() -> Tensor:
        return images[torch.randint(len(images), (BATCH,))]

    rows: list[dict[str, Any]] = []
    peer.forward_backward(batch())  # the first pass chooses kernels and fetches memory: not on the clock
    done, clock = 0, 0.0
    for limit in times:
        while clock < limit:
            begin = time.perf_counter()
            peer.step(batch())
            peer.average()
            clock += time.perf_counter() - begin
            done += 1
        begin = time.perf_counter()
        made = torch.cat([peer.sample(len(part), steps) for part in torch.arange(n).split(100)])
        sampling = time.perf_counter() - begin
        row = {"limit": limit, "seconds": clock, "steps": done, "images_seen": BATCH * done, "sampling": sampling}
        rows.append(row | judged(made))
        keep(rows)


def _ours(times: tuple[float, ...], n: int, many: int, keep: Keep, *, steps: int) -> None:
    rows: list[dict[str, Any]] = []
    images, _ = mnist.load("train")
    speed = calibrated(images, 2 if steps < OUR_STEPS else CALIBRATION)
    for limit in times:
        torch.manual_seed(0)
        trained = Ours()
        total = max(1, int(limit / speed))
        generator = torch.Generator().manual_seed(0)

        def loss(trained: Ours = trained, generator: torch.Generator = generator) -> Tensor:
            return trained.loss(images, generator)

        begin = time.perf_counter()
        training.fit(
            trained.model,
            loss,
            steps=total,
            warmup=trained.recipe.warmup,
            decay=trained.recipe.decay,
            clip=trained.recipe.clip,
            optimizers=trained.optimizers,
            ema=trained.ema,
            progress=False,
        )
        clock = time.perf_counter() - begin
        speed = clock / total
        begin = time.perf_counter()
        made = trained.sample(many, steps)
        sampling = time.perf_counter() - begin
        row: dict[str, Any] = {
            "limit": limit,
            "seconds": clock,
            "steps": total,
            "images_seen": trained.recipe.batch * total,
        }
        row |= {"sampling": sampling * n / many, "many": judged(made)}
        rows.append(row | judged(made[:n]))
        keep(rows)


def calibrated(images: Tensor, steps: int) -> float:
    """Seconds that a training step takes now, average and batch included, by some that are thrown away."""
    trained = Ours()

    def step() -> None:
        trained.step(images)
        trained.ema.update()

    for _ in range(3):
        step()
    return timing.seconds(step, steps)

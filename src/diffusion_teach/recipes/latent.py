"""Diffusion models of canvases that read captions: in the latent of an autoencoder, and in pixels, at equal cost.

    diffusion-teach train ldm-digits --out checkpoints

Both have the same network, but for its first and last layer: latents of 16 × 16 × 4, or pixels of which each 4 × 4
block is folded into channels, 16 × 16 × 16. Captions are written anew at each step, and leave out some of what a canvas
shows.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, cast

import torch
from torch import Tensor, nn

from diffusion_teach import _checks, checkpoints
from diffusion_teach.datasets import canvases, captions
from diffusion_teach.denoisers import Latent, Learned
from diffusion_teach.generate import Sampling, generate
from diffusion_teach.metrics import reading
from diffusion_teach.networks.autoencoder import Autoencoder
from diffusion_teach.networks.classifier import Classifier
from diffusion_teach.networks.text_unet import TextUNet
from diffusion_teach.objectives.diffusion import diffusion_loss, sample_times
from diffusion_teach.recipes.canvas import DATA, LICENCE, CanvasRecipe, in_fresh_hand
from diffusion_teach.recipes.diffusion import SCHEDULES, make_schedule
from diffusion_teach.training.optimizers import muon_and_adamw
from diffusion_teach.training.recipe import plain

COUNT = 200
"""Canvases of a row of a card: seen combinations, and as many held out."""


@dataclass(frozen=True, kw_only=True)
class CaptionedRecipe(CanvasRecipe):
    """A denoiser of canvases that reads captions, trained on the error of v by Muon and AdamW.

    Args:
        network: what `networks.text_unet.TextUNet` is called with, but for the vocabulary.
        autoencoder: the checkpoint in whose latent it works; None for pixels.
        schedule: one of `recipes.diffusion.SCHEDULES`.
        muon: the highest learning rate of the matrices and kernels inside; `lr` is that of all else.
        said: how likely a caption says each of thickness, slant, size and place.
        caption_dropout: how often there is no caption, which guidance needs.
        sampler, sampler_steps, guidance: how the card's metrics are measured.
    """

    network: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    autoencoder: str | None = None
    schedule: str = "continuous-cosine"
    muon: float = 0.02
    said: float = 0.6
    caption_dropout: float = 0.1
    sampler: str = "sde_dpm_solver"
    sampler_steps: int = 10
    guidance: float = 2.0

    def __post_init__(self) -> None:
        super().__post_init__()
        _checks.choice("schedule", self.schedule, SCHEDULES)
        for name in ("said", "caption_dropout"):
            object.__setattr__(self, name, _checks.number(name, getattr(self, name), least=0, most=1))
        Sampling(self.sampler, self.sampler_steps, self.guidance)

    def architecture(self) -> dict[str, Any]:
        network = {"kind": "text-unet", "classes": captions.PAD, "length": captions.LENGTH, **plain(self.network)}
        about = {"network": network, "schedule": dict(SCHEDULES[self.schedule]), "target": "v"}
        if self.autoencoder is None:
            return {"kind": "denoiser", **about}
        settings = dict(checkpoints.of_card(checkpoints.card(self.autoencoder)))
        settings.pop("kind")
        return {"kind": "latent", "autoencoder": settings, **about}

    def model(self) -> nn.Module:
        """With fresh weights, but for the autoencoder, which is the checkpoint's; latents are scaled to variance 1."""
        made = super().model()
        if isinstance(made, Latent) and self.autoencoder is not None:
            made.autoencoder.load_state_dict(checkpoints.load(self.autoencoder))
            made.eval()
            g = torch.Generator().manual_seed(0)
            count = min(1000, self.pictures)
            some = canvases.draw(count, glyph_count=min(self.glyphs, 1000), generator=g)
            made.set_scale(canvases.to_model(some.images))
        return made

    def optimizers(self, model: nn.Module) -> list[torch.optim.Optimizer]:
        network = cast(TextUNet, cast(Learned, model).network)
        return muon_and_adamw(network, network.inside(), lr=self.muon, adamw_lr=self.lr)

    def data(self, device: torch.device) -> tuple[Tensor, ...]:
        """Means of the latents (N, 4, 16, 16) in 16 bits, or canvases as bytes, and what they show (N, 7)."""
        drawn = self.drawn(device)
        if self.autoencoder is None:
            return tuple(drawn)
        autoencoder = cast(Autoencoder, checkpoints.model(self.autoencoder).to(device))
        with torch.no_grad():
            parts = [autoencoder.encode(canvases.to_model(part))[0].half() for part in drawn.images.split(500)]
        return torch.cat(parts), drawn.about

    def draw(self, data: tuple[Tensor, ...], generator: torch.Generator) -> tuple[Tensor, ...]:
        """Pixels or latents (B, C, H, W), t (B,), ε, and captions as word numbers (B, L), some of them none."""
        pictures, about = data
        device = about.device
        rows = torch.randint(len(about), (self.batch,), generator=generator, device=device)
        x = canvases.to_model(pictures[rows]) if pictures.dtype == torch.uint8 else pictures[rows].float()
        t = sample_times(make_schedule(self.schedule), (self.batch,), generator=generator)
        eps = torch.randn(x.shape, generator=generator, device=device)
        words = captions.encode(captions.left_out(about[rows], said=self.said, generator=generator))
        dropped = torch.rand(self.batch, 1, generator=generator, device=device) < self.caption_dropout
        return x, t, eps, torch.where(dropped, captions.PAD, words)

    def loss(self, model: nn.Module, *drawn: Tensor) -> Tensor:
        """The error of v."""
        x, t, eps, words = drawn
        denoiser = cast(Learned, model)
        x0 = (x - denoiser.shift) * denoiser.scale if isinstance(denoiser, Latent) else x
        return diffusion_loss(denoiser, x0, t=t, eps=eps, cond=words)

    def rehearse(self, model: nn.Module) -> None:
        """Draw one canvas as the metrics' are drawn."""
        self._asked(cast(Learned, model), in_fresh_hand(1, torch.device("cpu")).about, Sampling())

    def measure(
        self, model: nn.Module, sampling: Sampling, *, count: int | None = None, repeats: int | None = None
    ) -> dict[str, Any]:
        """Obedience to whole captions: of combinations that the training showed, and of those that it did not.

        `ceiling` is what the reader and the measures find in test canvases themselves, with a latent decoded from it.
        """
        if (repeats or 1) > 1:
            raise _checks.Unsupported("obedience is measured on one set of canvases: leave out repeats=… (--repeats).")
        denoiser = cast(Learned, model)
        how = self._how(denoiser, sampling)
        n = COUNT if count is None else _checks.integer("count", count)
        judge = cast(Classifier, checkpoints.model("canvas-reader").to(denoiser.device))
        found: dict[str, Any] = {"sampler": how.sampler, "steps": how.steps, "guidance": how.guidance}
        for name, unseen in (("seen", False), ("held_out", True)):
            images, about = in_fresh_hand(n, denoiser.device, unseen=unseen, seed=how.seed)
            drawn = self._asked(denoiser, about, how).to(denoiser.device)
            found[name] = reading.obedience(about, drawn, judge)
            found[f"obeyed_{name}"] = float(reading.obeyed(about, drawn, judge)["all"].double().mean())
            found[f"ceiling_{name}"] = reading.obedience(about, through(denoiser, canvases.to_model(images)), judge)
        return found

    def _how(self, denoiser: Learned, sampling: Sampling) -> Sampling:
        how = sampling.of(denoiser, self.sampler, self.sampler_steps)
        return how if how.guidance or sampling.sampler else dataclasses.replace(how, guidance=self.guidance)

    def _asked(self, denoiser: Learned, about: Tensor, sampling: Sampling) -> Tensor:
        """Canvases (N, 1, 64, 64) of whole captions, on the CPU."""
        how = self._how(denoiser, sampling)
        return generate(denoiser, len(about), how, labels=captions.encode(about).cpu(), progress=False)


@torch.no_grad()
def through(denoiser: Learned, x: Tensor) -> Tensor:
    """Pictures x (B, 1, H, W) through the latent of a denoiser and back, in [−1, 1]; for one of pixels themselves."""
    _checks.instance("denoiser", denoiser, Learned, "a Learned denoiser")
    _checks.tensor("x", x, ("B", "C", "H", "W"))
    if not isinstance(denoiser, Latent):
        return x
    return torch.cat([denoiser.pictures(denoiser.encode(part)) for part in x.split(250)]).clamp(-1, 1)


LDM_DIGITS = CaptionedRecipe(
    name="ldm-digits",
    summary="a latent diffusion model of canvases that reads captions, with cross-attention and guidance",
    intended_use=(
        "Teaching: to draw 64 × 64 canvases of one or two digits from captions of a small grammar. It knows nothing "
        "else."
    ),
    data_from=DATA,
    licence=LICENCE,
    autoencoder="canvas-autoencoder",
    lr=2e-3,
    batch=256,
    steps=2000,
    warmup=200,
    decay="cosine",
    ema=0.998,
    half=True,
)
CANVAS_PIXELS = dataclasses.replace(
    LDM_DIGITS,
    name="canvas-pixels",
    summary="the same network as ldm-digits on pixels, in blocks of 4 × 4, at equal cost",
    network=MappingProxyType({"image_channels": 1, "image_size": 64, "patch": 4}),
    autoencoder=None,
)

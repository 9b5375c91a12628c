"""The autoencoder of canvases, in whose latent `ldm-digits` works.

    diffusion-teach train canvas-autoencoder --out checkpoints

About six minutes on one core. Squared error and a small KL divergence make it; the two other terms of Rombach et al.
(2022), a perceptual distance and a patch discriminator, are there for `studies.canvas_codes` to say what they buy.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from diffusion_teach import _checks, checkpoints, devices
from diffusion_teach.datasets import canvases
from diffusion_teach.exact.densities import gaussian_kl
from diffusion_teach.generate import Sampling
from diffusion_teach.metrics import reading
from diffusion_teach.networks.autoencoder import Autoencoder, Eye, PatchDiscriminator
from diffusion_teach.networks.classifier import Classifier
from diffusion_teach.objectives.adversarial import discriminator_loss, generator_loss
from diffusion_teach.objectives.perceptual import balance, perceptual_distance
from diffusion_teach.recipes.canvas import DATA, LICENCE, USE, CanvasRecipe, in_fresh_hand
from diffusion_teach.training.optimizers import adamw, muon_and_adamw
from diffusion_teach.training.recipe import draws_no_images, plain


class Judged(nn.Module):
    """An autoencoder with the discriminator that it is trained against."""

    def __init__(self, autoencoder: Autoencoder, discriminator: PatchDiscriminator) -> None:
        super().__init__()
        self.autoencoder = _checks.instance("autoencoder", autoencoder, Autoencoder, "an Autoencoder")
        self.discriminator = _checks.module("discriminator", discriminator)


@dataclass(frozen=True, kw_only=True)
class AutoencoderRecipe(CanvasRecipe):
    """An autoencoder of canvases: squared error + `kl`·KL, a number of the picture each, and two more terms.

    Args:
        network: what `networks.autoencoder.Autoencoder` is called with.
        kl: weight of the KL divergence, in nats, of the whole latent, over the pixels of a picture.
        perceptual: weight of the distance in the eye's features; 0 for none.
        adversarial: weight of the patch discriminator's verdict, balanced by `objectives.perceptual.balance`; 0 for
            none, and then no discriminator is trained.
        muon: the highest learning rate of the convolutions inside.
    """

    network: tuple[tuple[str, Any], ...] = ()
    kl: float = 1e-4
    perceptual: float = 0.0
    adversarial: float = 0.0
    muon: float = 0.02

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("kl", "perceptual", "adversarial"):
            object.__setattr__(self, name, _checks.number(name, getattr(self, name), least=0))

    def architecture(self) -> dict[str, Any] | None:
        """Of the autoencoder; none with a discriminator beside it, which is for studies and not shipped."""
        return None if self.adversarial else {"kind": "autoencoder", **plain(dict(self.network))}

    def model(self) -> nn.Module:
        made = Autoencoder(**dict(self.network))
        return Judged(made, PatchDiscriminator()) if self.adversarial else made

    def optimizers(self, model: nn.Module) -> list[torch.optim.Optimizer]:
        if isinstance(model, Judged):
            parts = (model.autoencoder, model.discriminator)
            return [adamw(part.parameters(), lr=self.lr, betas=(0.5, 0.99)) for part in parts]
        inside = [w for name, w in model.named_parameters() if w.ndim == 4 and "layers" in name]
        return muon_and_adamw(model, inside, lr=self.muon, adamw_lr=self.lr)

    def draw(self, data: tuple[Tensor, ...], generator: torch.Generator) -> tuple[Tensor, ...]:
        """Canvases x (B, 1, 64, 64), and the noise of their latents (B, latent, 16, 16)."""
        images, _ = data
        rows = torch.randint(len(images), (self.batch,), generator=generator, device=images.device)
        shape = (self.batch, int(dict(self.network).get("latent", 4)), *2 * [images.shape[-1] // 4])
        return canvases.to_model(images[rows]), torch.randn(shape, generator=generator, device=images.device)

    def losses(self) -> tuple[Callable[..., Tensor], ...]:
        return (self.loss, self.discriminator_loss) if self.adversarial else (self.loss,)

    def loss(self, model: nn.Module, *drawn: Tensor) -> Tensor:
        """The autoencoder's loss."""
        x, eps = drawn
        autoencoder = cast(Autoencoder, model.autoencoder if isinstance(model, Judged) else model)
        y, mean, log_variance = reconstructed(autoencoder, x, eps)
        loss = F.mse_loss(y, x)
        if self.perceptual:
            with devices.autocast(x.device, "float32"):  # features that hardly differ: 16 bits would round that away
                loss = loss + self.perceptual * perceptual_distance(eye(x.device).features, x, y)
        if isinstance(model, Judged):
            fake = model.discriminator(y).flatten()
            verdict = generator_loss("non-saturating", fake, fake)
            last = cast(nn.Conv2d, autoencoder.decoder[-2]).weight
            loss = loss + self.adversarial * balance(loss, verdict, last) * verdict
        return loss + self.kl * gaussian_kl(mean.flatten(1), log_variance.flatten(1)).mean() / x[0].numel()

    def discriminator_loss(self, model: nn.Module, *drawn: Tensor) -> Tensor:
        """The patch discriminator's loss on canvases and reconstructions."""
        x, eps = drawn
        judged = cast(Judged, model)
        with torch.no_grad():
            y = reconstructed(judged.autoencoder, x, eps)[0]
        real, fake = (judged.discriminator(part).flatten() for part in (x, y))
        return discriminator_loss("non-saturating", real, fake)

    def measure(
        self, model: nn.Module, sampling: Sampling, *, count: int | None = None, repeats: int | None = None
    ) -> dict[str, Any]:
        """How well canvases in the test digits' handwriting come back: squared error, and what the reader reads."""
        draws_no_images("an autoencoder, for its card,", sampling, count, repeats)
        autoencoder = cast(Autoencoder, model.autoencoder if isinstance(model, Judged) else model)
        images, about = in_fresh_hand(2000, autoencoder.device)
        x = canvases.to_model(images)
        with torch.no_grad():
            y = torch.cat([autoencoder.decode(autoencoder.encode(part)[0]) for part in x.split(250)])
        found: dict[str, Any] = {"squared_error": float((x - y).square().mean())}
        if "canvas-reader" in checkpoints.names():
            judge = checkpoints.model("canvas-reader").to(x.device)
            found["obedience"] = reading.obedience(about, y.clamp(-1, 1), cast(Classifier, judge))
            found["originals"] = reading.obedience(about, x, cast(Classifier, judge))
        return found


def reconstructed(autoencoder: Autoencoder, x: Tensor, eps: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Pictures x (B, C, H, W) decoded from latents drawn with the noise eps, and their mean and log-variance."""
    mean, log_variance = _checks.instance("autoencoder", autoencoder, Autoencoder, "an Autoencoder").encode(x)
    _checks.same_shape("eps", _checks.tensor("eps", eps), "the latents", mean)
    return autoencoder.decode(mean + (log_variance / 2).exp() * eps), mean, log_variance


def eye(device: torch.device) -> Eye:
    """The frozen eye of the shipped checkpoint `canvas-eye`, on a device."""
    if device not in _EYES:
        _EYES[device] = cast(Eye, checkpoints.model("canvas-eye").to(device))
    return _EYES[device]


_EYES: dict[torch.device, Eye] = {}


CANVAS_AUTOENCODER = AutoencoderRecipe(
    name="canvas-autoencoder",
    summary="an autoencoder of canvases with a small KL penalty, 64 × 64 to 16 × 16 × 4",
    intended_use=USE,
    data_from=DATA,
    licence=LICENCE,
    pictures=20_000,
    glyphs=10_000,
    batch=32,
    steps=2000,
    warmup=50,
    decay="cosine",
    ema=0.995,
    half=True,
)

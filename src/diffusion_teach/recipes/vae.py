"""The VAE of binarised digits: that of chapter 1, as large as the GANs, and trained for longer.

    diffusion-teach train vae-mnist --out checkpoints

Its samples are what VAEs are usually shown by, the decoder's probabilities of ink as grey values.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, cast

import torch
from torch import Tensor, nn

from diffusion_teach.datasets import mnist
from diffusion_teach.generate import Sampling
from diffusion_teach.networks.vae import VAE
from diffusion_teach.objectives import variational
from diffusion_teach.recipes.diffusion import DATA, INTENDED_USE, LICENCE
from diffusion_teach.recipes.digits import DigitsRecipe
from diffusion_teach.training.optimizers import adamw
from diffusion_teach.training.recipe import plain


@dataclass(frozen=True, kw_only=True)
class VAERecipe(DigitsRecipe):
    """A VAE of MNIST's digits, binarised anew for each batch, trained on minus the ELBO by AdamW.

    Args:
        network: what `networks.vae.VAE` is called with; the decoder begins at the mean image.
        lr: the highest learning rate.
    """

    lr: float = 3e-3

    def architecture(self) -> dict[str, Any]:
        return {"kind": "vae", **plain(self.network)}

    def model(self) -> VAE:
        """With fresh weights, and a decoder that begins at the mean image."""
        ink = mnist.load("train")[0].float().mean(0).flatten() / 255
        return VAE(**self.network, ink=ink)

    def optimizers(self, model: nn.Module) -> list[torch.optim.Optimizer]:
        return [adamw(model.parameters(), lr=self.lr)]

    def draw(self, data: tuple[Tensor, ...], generator: torch.Generator) -> tuple[Tensor, ...]:
        """Binary images x (B, 784), and the noise of the codes (B, J)."""
        images, _ = data
        rows = torch.randint(len(images), (self.batch,), generator=generator, device=images.device)
        x = mnist.binarise(images[rows], generator=generator)
        latents = int(self.network.get("latents", 20))
        return x, torch.randn(self.batch, latents, generator=generator, device=x.device)

    def loss(self, model: nn.Module, *drawn: Tensor) -> Tensor:
        """Minus the ELBO, nats an image."""
        x, eps = drawn
        return -variational.elbo(cast(VAE, model), x, eps=eps).value.mean()

    def measure(
        self, model: nn.Module, sampling: Sampling, *, count: int | None = None, repeats: int | None = None
    ) -> dict[str, Any]:
        """The ELBO of the binarised test images, and the table of `metrics.evaluation`, means over twenty sets."""
        vae = cast(VAE, model)
        g = torch.Generator().manual_seed(sampling.seed)
        x = mnist.binarise(mnist.load("test")[0], generator=g).to(vae.device)
        with torch.no_grad():
            eps = torch.randn(len(x), vae.latents, generator=g).to(x)
            bound = float(variational.elbo(vae, x, eps=eps).value.mean())
        return super().measure(vae, sampling, count=count, repeats=repeats) | {"test_elbo": bound}


VAE_MNIST = VAERecipe(
    name="vae-mnist",
    summary="a VAE of MNIST's binarised digits, 20 latents",
    intended_use=INTENDED_USE,
    data_from=DATA,
    licence=LICENCE,
    network=MappingProxyType({"width": 512}),
    batch=64,
    steps=20_000,
    warmup=200,
    decay="linear",
    ema=0.999,
    precision="float32",
    half=True,
)

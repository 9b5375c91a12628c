"""The VAE's shapes, its start, and its likelihood as a distribution."""

from __future__ import annotations

import pytest
import torch

from diffusion_teach.exact import densities
from diffusion_teach.networks.autoregressive import CausalPixels
from diffusion_teach.networks.vae import VAE, PixelVAE
from diffusion_teach.objectives import variational


def test_shapes_and_the_decoders_start() -> None:
    torch.manual_seed(0)
    ink = torch.linspace(0, 1, 16)
    model = VAE(latents=3, width=8, pixels=16, ink=ink)
    x = torch.bernoulli(ink.expand(5, -1))
    mean, log_variance = model.encode(x)
    assert mean.shape == log_variance.shape == (5, 3)
    assert model.decode(mean).shape == (5, 16)
    last = model.decoder[-1]
    torch.testing.assert_close(last.bias.sigmoid(), ink.clamp(0.002, 0.998))


def test_the_bound_stays_below_the_integral() -> None:
    """One latent, four pixels: log p(x) by quadrature."""
    torch.manual_seed(1)
    model = VAE(latents=1, width=6, pixels=4).double()
    images = torch.cartesian_prod(*[torch.tensor([0.0, 1.0], dtype=torch.float64)] * 4)
    z = torch.linspace(-10, 10, 4001, dtype=torch.float64)
    log_joint = torch.stack([model.log_likelihood(x.expand(len(z), -1), z.unsqueeze(1)) for x in images])
    exact = torch.trapezoid((log_joint + densities.gaussian_log_prob(z.unsqueeze(1))).exp(), z).log()
    torch.testing.assert_close(exact.exp().sum().item(), 1.0)
    log_w = variational.log_weights(model, images, 4000, generator=torch.Generator().manual_seed(0))
    one, many = variational.iwae_bound(log_w, 1), variational.iwae_bound(log_w, 4000)
    assert (one < many).all()
    torch.testing.assert_close(many, exact, rtol=0, atol=0.05)


def test_before_training_a_pixel_vae_is_its_vae() -> None:
    torch.manual_seed(2)
    vae = VAE(latents=2, width=8, pixels=25)
    model = PixelVAE(vae, CausalPixels(side=5, reach=2, context_reach=1, width=8))
    x = torch.bernoulli(torch.full((4, 25), 0.3))
    z = torch.randn(4, 2)
    torch.testing.assert_close(model.log_likelihood(x, z), vae.log_likelihood(x, z))
    assert torch.equal(model.encode(x)[0], vae.encode(x)[0])


def test_wrong_arguments_fail_at_the_door() -> None:
    with pytest.raises(ValueError, match="latents must be at least 1"):
        VAE(latents=0)
    with pytest.raises(ValueError, match="x must have shape"):
        VAE().encode(torch.zeros(2, 28, 28))
    with pytest.raises(ValueError, match="ink must have shape"):
        VAE(ink=torch.zeros(10))


def test_samples_are_the_decoders_probabilities_on_the_scale_of_images() -> None:
    vae = VAE(latents=3, width=8, pixels=16)
    images = vae.sample(5, generator=torch.Generator().manual_seed(2))
    z = torch.randn(5, 3, generator=torch.Generator().manual_seed(2))
    torch.testing.assert_close(images, 2 * vae.decode(z).sigmoid().view(5, 1, 4, 4) - 1)
    with pytest.raises(ValueError, match="15 pixels are none. Use decode"):
        VAE(latents=3, width=8, pixels=15).sample(1)

"""Levels of latents: one level is the VAE, the weights average to the likelihood, and the prices are divergences."""

from __future__ import annotations

import math

import pytest
import torch

from diffusion_teach.networks.hierarchical_vae import HierarchicalVAE, Levels
from diffusion_teach.networks.vae import VAE
from diffusion_teach.objectives import variational

IMAGES = torch.cartesian_prod(*[torch.tensor([0.0, 1.0])] * 4)  # all there are of four pixels


def tiny(*latents: int) -> HierarchicalVAE:
    """Four pixels; levels that depend on one another, and guesses that are too wide, so that weights stay small."""
    torch.manual_seed(3)
    model = awake(HierarchicalVAE(latents, width=6, pixels=4, inner=5).double())
    with torch.no_grad():
        for guess, size in zip(model.guesses, latents, strict=True):
            guess.bias[size:] += 1.5
    return model.requires_grad_(False)


def awake(model: HierarchicalVAE) -> HierarchicalVAE:
    """With weights that are nowhere zero, as after some training."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(1.5 * parameter + 0.3 * torch.randn(parameter.shape))
    return model


def draws(model: HierarchicalVAE, count: int) -> Levels:
    """Many draws for each of all images: (count, 16), and (count, 16, L) of the divergences."""
    generator = torch.Generator().manual_seed(0)
    drawn = model(IMAGES.double().repeat(count, 1), generator=generator)
    return Levels(*(values.unflatten(0, (count, 16)) for values in drawn))


def test_one_level_is_the_vae() -> None:
    torch.manual_seed(0)
    ink = torch.rand(9)
    vae, model = VAE(latents=3, width=8, pixels=9, ink=ink), HierarchicalVAE((3,), 8, 9, ink=ink)
    layers = [vae.decoder[0], vae.decoder[2]]
    torch.testing.assert_close(model.decoder.layers[1].bias.flatten(), layers[1].bias)
    with torch.no_grad():
        for mine, theirs in ((model.features[0], vae.encoder[0]), (model.guesses[0], vae.encoder[2])):
            mine.load_state_dict(theirs.state_dict())
        for mine, theirs in zip(model.decoder.layers, layers, strict=True):
            mine.weight.copy_(theirs.weight.T)
            mine.bias.copy_(theirs.bias)
    x = torch.bernoulli(ink.expand(5, -1))
    found = model(x, generator=torch.Generator().manual_seed(1))
    parts = variational.elbo(vae, x, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(found.reconstruction, parts.reconstruction)
    torch.testing.assert_close(found.kl, parts.kl.unsqueeze(1))
    torch.testing.assert_close(found.value, parts.value)


@pytest.mark.parametrize("latents", [(1,), (1, 1), (2, 1, 1)])
def test_the_weights_average_to_the_likelihood_of_what_the_model_draws(latents: tuple[int, ...]) -> None:
    model = tiny(*latents)
    codes = model.codes(200_000, generator=torch.Generator().manual_seed(1))
    ink = model.decode(codes).sigmoid()
    exact = torch.stack([torch.where(x > 0, ink, 1 - ink).prod(1).mean() for x in IMAGES])
    torch.testing.assert_close(exact.sum().item(), 1.0)
    log_w = draws(model, 20_000).log_weight
    estimate, error = log_w.exp().mean(0), log_w.exp().std(0) / math.sqrt(20_000)
    assert ((estimate - exact).abs() < 5 * error + 0.01 * exact).all()
    assert (log_w.mean(0) < exact.log()).all()


@pytest.mark.parametrize("latents", [(1, 1), (2, 3, 1)])
def test_prices_are_the_means_of_what_the_draws_cost(latents: tuple[int, ...]) -> None:
    model = tiny(*latents)
    for network, size in zip(model.above, latents, strict=False):
        network.layers[-1].bias[..., size : 2 * size] -= 1.5  # narrow priors, where variance and deviation part
    found = draws(model, 20_000)
    assert found.kl.shape == (20_000, 16, len(latents))
    assert (found.kl >= 0).all()
    assert found.kl[..., -1].std(0).max() < 1e-12  # the top is guessed from the picture alone
    assert (found.kl[..., 0].std(0) > 0).all()
    off = found.log_weight - found.value
    assert (off.mean(0).abs() < 5 * off.std(0) / math.sqrt(20_000)).all()


def test_it_starts_as_a_vae_of_its_lowest_level() -> None:
    torch.manual_seed(0)
    model = HierarchicalVAE((3, 2), width=8, pixels=16, inner=5)
    codes = model.codes(5, generator=torch.Generator().manual_seed(1))
    noise = torch.Generator().manual_seed(1)
    assert torch.equal(codes, [torch.randn(5, size, generator=noise) for size in (2, 3)][1])


def test_every_weight_learns_and_the_noise_is_the_generator_s() -> None:
    model = awake(HierarchicalVAE((3, 2), width=8, pixels=16, inner=5))
    x = torch.bernoulli(torch.full((6, 16), 0.5))
    first, again = (model(x, generator=torch.Generator().manual_seed(2)) for _ in range(2))
    assert torch.equal(first.log_weight, again.log_weight)
    (-first.value.mean()).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())
    assert (model.above[0].layers[-1].bias.grad != 0).all()  # of the prior and of the guess below


def test_samples_are_the_decoders_probabilities_on_the_scale_of_images() -> None:
    model = awake(HierarchicalVAE((3, 2), width=8, pixels=16, inner=5))
    images = model.sample(5, generator=torch.Generator().manual_seed(2))
    codes = model.codes(5, generator=torch.Generator().manual_seed(2))
    assert codes.shape == (5, 3)
    torch.testing.assert_close(images, 2 * model.decode(codes).sigmoid().view(5, 1, 4, 4) - 1)


def test_wrong_arguments_fail_at_the_door() -> None:
    with pytest.raises(TypeError, match="latents must be a tuple of sizes"):
        HierarchicalVAE(())
    with pytest.raises(ValueError, match=r"latents\[1\] must be at least 1"):
        HierarchicalVAE((20, 0))
    with pytest.raises(ValueError, match="inner must be at least 1"):
        HierarchicalVAE(inner=0)
    with pytest.raises(ValueError, match="ink must have shape"):
        HierarchicalVAE(ink=torch.zeros(10))
    with pytest.raises(ValueError, match="x must have shape"):
        HierarchicalVAE()(torch.zeros(2, 28, 28))
    with pytest.raises(ValueError, match="z must have shape"):
        HierarchicalVAE().decode(torch.zeros(2, 10))
    with pytest.raises(ValueError, match="15 pixels are none. Use codes and decode"):
        HierarchicalVAE(pixels=15).sample(1)

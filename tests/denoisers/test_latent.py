"""A denoiser of latents: scale and decoding, captions as conditions, and that samplers and guidance need not know."""

from __future__ import annotations

import pytest
import torch

from diffusion_teach import denoisers, schedules
from diffusion_teach.generate import Sampling, generate, path
from diffusion_teach.networks.autoencoder import Autoencoder
from diffusion_teach.networks.text_unet import TextUNet


def latent() -> denoisers.Latent:
    torch.manual_seed(0)
    net = TextUNet(5, 3, (8, 16), blocks=1, image_size=4, embedding=16, text=8)
    torch.nn.init.normal_(net.head.weight, std=0.1)
    torch.nn.init.normal_(net.decoder_attention.cross.out.weight)
    return denoisers.Latent(Autoencoder((8, 8), image_size=16), net, schedules.Cosine()).eval()


def test_scaled_latents_have_mean_0_and_variance_1() -> None:
    model = latent()
    x = torch.rand(50, 1, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1
    model.set_scale(x)
    z = model.encode(x)
    assert float(z.mean()) == pytest.approx(0, abs=1e-4)
    assert float(z.std()) == pytest.approx(1, abs=1e-3)


def test_pictures_undo_the_scale_before_they_are_decoded() -> None:
    model, x = latent(), torch.rand(3, 1, 16, 16)
    model.set_scale(torch.rand(20, 1, 16, 16) * 2 - 1)
    torch.testing.assert_close(
        model.pictures(model.encode(x)), model.autoencoder.decode(model.autoencoder.encode(x)[0])
    )


def test_samples_are_pictures() -> None:
    model = latent()
    words = torch.tensor([[0, 1, 5], [2, 3, 4]])
    how = Sampling("ddim", 4, guidance=1.5)
    made = generate(model, 2, how, labels=words, progress=False)
    assert made.shape == (2, 1, 16, 16)
    frames = path(model, 2, how, labels=words, frames=3)
    assert torch.equal(frames[-1], made)
    assert {tuple(frame.shape) for frame in frames} == {(2, 1, 16, 16)}


def test_guidance_pulls_away_from_no_caption() -> None:
    model = latent()
    x, t, words = torch.randn(2, 4, 4, 4), torch.tensor(0.6), torch.tensor([[0, 1, 5], [2, 3, 4]])
    asked = model.given(words)
    guided = denoisers.Guided(asked, model, 2.0)(x, t)
    expected = 3 * model(x, t, words).x0 - 2 * model(x, t, torch.full((2, 3), 5)).x0
    torch.testing.assert_close(guided.x0, expected, atol=1e-4, rtol=1e-4)


def test_a_label_is_no_caption() -> None:
    with pytest.raises(ValueError, match="takes captions, not a label"):
        generate(latent(), 2, Sampling("ddim", 2), labels=3)
    with pytest.raises(ValueError, match=r"\(2, 3\)"):
        generate(latent(), 2, Sampling("ddim", 2), labels=torch.tensor([3, 4]))


def test_the_autoencoder_is_not_trained() -> None:
    assert not any(w.requires_grad for w in latent().autoencoder.parameters())


def test_a_network_of_another_shape_is_refused() -> None:
    with pytest.raises(ValueError, match=r"shape must be that of the latents, \(4, 4, 4\)"):
        denoisers.Latent(Autoencoder(image_size=16), TextUNet(5, 3, image_size=8), schedules.Cosine())

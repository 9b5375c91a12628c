"""The U-Net: shapes, dependence on time and label, gradients everywhere, errors at the door."""

from __future__ import annotations

import copy
import dataclasses

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from diffusion_teach import checkpoints, devices
from diffusion_teach.datasets import mnist
from diffusion_teach.denoisers import Learned
from diffusion_teach.networks import unet
from diffusion_teach.networks.unet import UNet
from diffusion_teach.objectives.diffusion import diffusion_loss
from diffusion_teach.recipes.diffusion import DDPM_MNIST
from diffusion_teach.schedules import Discrete, linear_betas


def alive(network: UNet, seed: int = 0) -> UNet:
    """The network with nothing at zero: what starts there hides what it depends on."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.05 * torch.randn(parameter.shape, generator=generator))
    return network.eval()


@pytest.fixture
def x() -> Tensor:
    return torch.randn(3, 1, 28, 28, generator=torch.Generator().manual_seed(1))


@settings(max_examples=8, deadline=None)
@given(batch=st.integers(1, 3), size=st.integers(1, 5), channels=st.integers(1, 3), blocks=st.integers(1, 3))
def test_any_size_that_halves_twice(batch: int, size: int, channels: int, blocks: int) -> None:
    x = torch.randn(batch, channels, 4 * size, 4 * size)
    network = UNet((8, 16), blocks=blocks, dense=16, image_channels=channels, image_size=4 * size)
    assert network(x, torch.rand(batch)).shape == x.shape


def test_it_is_as_small_as_it_says() -> None:
    assert sum(p.numel() for p in UNet().parameters()) < 500_000


def test_one_time_for_all_equals_a_time_for_each(x: Tensor) -> None:
    network = alive(UNet())
    torch.testing.assert_close(network(x, torch.tensor(0.3)), network(x, torch.full((3,), 0.3)))


def test_images_do_not_see_each_other(x: Tensor) -> None:
    network, t = alive(UNet()), torch.tensor([0.1, 0.5, 0.9])
    torch.testing.assert_close(network(x, t)[1:2], network(x[1:2], t[1:2]), rtol=1e-4, atol=1e-5)


def test_the_output_depends_on_time(x: Tensor) -> None:
    network = alive(UNet())
    # Neighbours of DDPM's thousand steps differ, and so do the ends.
    near = (network(x, torch.tensor(0.500)) - network(x, torch.tensor(0.501))).abs().max()
    far = (network(x, torch.tensor(0.001)) - network(x, torch.tensor(1.0))).abs().max()
    assert near > 1e-4
    assert far > 1e-2


def test_every_pixel_sees_every_pixel(x: Tensor) -> None:
    network = alive(UNet())
    x = x[:1].clone().requires_grad_()
    network(x, torch.tensor(0.5))[0, 0, 0, 0].backward()
    assert x.grad is not None
    assert (x.grad.abs() > 0).all()


def test_every_parameter_learns() -> None:
    network = UNet(classes=10)
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3)
    x, t, cond = torch.randn(16, 1, 28, 28), torch.rand(16), torch.arange(16) % 11
    # Three steps: gradients pass what starts at zero only once it has moved.
    for _ in range(3):
        optimizer.zero_grad()
        (network(x, t, cond) - x).square().mean().backward()
        optimizer.step()
    still = [name for name, p in network.named_parameters() if p.grad is None or not (p.grad != 0).any()]
    assert not still


def test_it_learns_to_tell_noise_from_one_image() -> None:
    torch.manual_seed(0)
    denoiser = Learned(UNet((16, 32), blocks=1, dense=32), Discrete(linear_betas(100)))
    x0 = torch.zeros(16, 1, 28, 28)
    x0[:, :, 8:20, 12:16] = 1
    optimizer = torch.optim.AdamW(denoiser.parameters(), lr=1e-2)
    losses = []
    for _ in range(60):
        loss = diffusion_loss(denoiser, x0)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert sum(losses[-5:]) / 5 < 0.2


def test_memory_layout_changes_nothing(x: Tensor) -> None:
    network = alive(UNet()).double()
    plain = copy.deepcopy(network)
    plain.load_state_dict({name: value.contiguous() for name, value in network.state_dict().items()})
    for parameter in plain.parameters():
        parameter.data = parameter.data.contiguous()
    t = torch.tensor(0.4)
    torch.testing.assert_close(network(x.double(), t), plain(x.double(), t))
    torch.testing.assert_close(
        network(x.double().contiguous(memory_format=torch.channels_last), t), network(x.double(), t)
    )
    assert network.stem.weight.is_contiguous(memory_format=torch.channels_last)


def test_bfloat16_answers_nearly_the_same_in_float32(x: Tensor) -> None:
    network, t = alive(UNet()), torch.tensor([0.1, 0.5, 0.9])
    with torch.no_grad():
        exact = network(x, t)
        with devices.autocast(name="bfloat16"):
            answer = network(x, t)
    assert answer.dtype == torch.float32
    assert 0 < float((answer - exact).norm() / exact.norm()) < 0.02  # 8 bits of mantissa, a dozen layers


def test_under_autocast_only_the_inside_is_rounded(x: Tensor) -> None:
    network, dtypes = alive(UNet()), {}
    for name in ("embed", "stem", "middle.0.last", "decoder.last", "head", "share"):
        part = network.get_submodule(name)
        part.register_forward_hook(lambda _, __, output, name=name: dtypes.update({name: output.dtype}))
    with devices.autocast(name="bfloat16"):
        network(x, torch.tensor(0.5))
    rounded = {name for name, dtype in dtypes.items() if dtype == torch.bfloat16}
    assert rounded == {"middle.0.last", "decoder.last"}
    assert len(dtypes) == 6


def test_under_autocast_a_trained_network_is_nearer_to_the_gradient_of_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is small there, and rounding what enters and what leaves would make one of its own."""
    model = checkpoints.model("ddpm-mnist")
    weight = model.network.head.weight.requires_grad_()
    drawn = dataclasses.replace(DDPM_MNIST, batch=512).draw(mnist.load("train"), torch.Generator().manual_seed(3))

    def gradient(precision: str) -> Tensor:
        with devices.autocast(name=precision):
            (found,) = torch.autograd.grad(DDPM_MNIST.loss(model, *drawn), weight)
        return found

    exact, autocast = gradient("float32"), devices.autocast
    off = float((gradient("bfloat16") - exact).norm() / exact.norm())
    monkeypatch.setattr(unet.devices, "autocast", lambda device, name: autocast(device, "bfloat16"))
    with autocast(name="bfloat16"):
        (rounded,) = torch.autograd.grad(DDPM_MNIST.loss(model, *drawn), weight)
    all_rounded = float((rounded - exact).norm() / exact.norm())
    assert all_rounded > 1
    assert off < 0.7 * all_rounded


def test_the_inner_weights_are_the_convolutions_between_first_and_last() -> None:
    network = UNet()
    inside = {id(p) for p in network.inside()}
    assert id(network.stem.weight) not in inside
    assert id(network.head.weight) not in inside
    assert all(p.ndim == 4 for p in network.inside())
    assert sum(p.numel() for p in network.inside()) > 180_000


def test_labels(x: Tensor) -> None:
    network, t = alive(UNet(classes=10)), torch.tensor(0.5)
    torch.testing.assert_close(network(x, t), network(x, t, torch.full((3,), 10)))
    assert not torch.allclose(network(x, t), network(x, t, torch.tensor([0, 1, 2])))
    with pytest.raises(ValueError, match="0 … 10"):
        network(x, t, torch.tensor([0, 1, 11]))
    with pytest.raises(TypeError, match="cond must hold whole numbers"):
        network(x, t, torch.zeros(3))
    with pytest.raises(ValueError, match="cond must have shape"):
        network(x, t, torch.tensor([1]))
    with pytest.raises(ValueError, match="classes=10"):
        UNet()(x, t, torch.tensor([0, 1, 2]))


def test_wrong_images_and_times(x: Tensor) -> None:
    network, t = UNet(), torch.tensor(0.5)
    for wrong in (x[0], torch.randn(3, 2, 28, 28), torch.randn(1, 1, 30, 28), x[:0]):
        with pytest.raises(ValueError, match="x_t"):
            network(wrong, t)
    with pytest.raises(TypeError, match="floating"):
        network(x.to(torch.uint8), t)
    for times in (torch.rand(2), torch.rand(3, 1)):
        with pytest.raises(ValueError, match="t must be one number"):
            network(x, times)
    with pytest.raises(TypeError, match="t must"):
        network(x, 0.5)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"width": (30, 64)}, "multiple of 8, got 30. Try 32"),
        ({"width": (0, 64)}, r"width\[0\] must be at least 1"),
        ({"blocks": 0}, "blocks must be at least 1"),
        ({"dense": -1}, "dense must be at least 0"),
        ({"image_size": 30}, "multiple of 4, got 30. Try 32"),
        ({"embedding": 33}, "multiple of 2"),
        ({"classes": -1}, "classes must be at least 0"),
        ({"image_channels": 0}, "image_channels must be at least 1"),
    ],
)
def test_wrong_sizes(arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        UNet(**arguments)


def test_waves_tell_a_pixel_s_last_digits(x: Tensor) -> None:
    """With n = 8 a byte's cell of 1/128 is one wave: what lies a cell apart looks the same to it."""
    network = alive(UNet((8, 16), dense=0, fourier=[7, 8]))
    waves = network._with_waves(x)
    assert waves.shape == (3, 5, 28, 28)
    torch.testing.assert_close(waves[:, :1], x)
    torch.testing.assert_close(waves[:, 1], (128 * torch.pi * x[:, 0].double()).sin().float(), rtol=0, atol=1e-3)
    torch.testing.assert_close(waves[:, 4], (256 * torch.pi * x[:, 0].double()).cos().float(), rtol=0, atol=1e-3)
    apart = network._with_waves(x + 1 / 128)
    torch.testing.assert_close(apart[:, [2, 4]], waves[:, [2, 4]], rtol=0, atol=1e-3)
    torch.testing.assert_close(apart[:, [1, 3]], -waves[:, [1, 3]], rtol=0, atol=1e-3)
    assert network(x, torch.tensor(0.3)).shape == x.shape


def test_without_waves_the_network_is_as_it_was(x: Tensor) -> None:
    assert UNet()._with_waves(x) is x
    assert UNet().stem.in_channels == 4

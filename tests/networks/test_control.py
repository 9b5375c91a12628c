"""ControlNet: the old network at first, whatever it is shown; then it sees the picture, and the old weights stay."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn

from diffusion_teach import training
from diffusion_teach.denoisers import Learned
from diffusion_teach.networks.control import ControlNet, way_down, way_up
from diffusion_teach.networks.unet import UNet
from diffusion_teach.objectives.diffusion import diffusion_loss
from diffusion_teach.schedules import Cosine
from tests.networks.test_unet import alive


@pytest.fixture
def base() -> UNet:
    torch.manual_seed(0)
    return alive(UNet((8, 16), blocks=1, dense=8, planes=2, image_size=8, classes=3))


X = torch.randn(4, 1, 8, 8, generator=torch.Generator().manual_seed(1))
CONTROL = torch.randn(4, 2, 8, 8, generator=torch.Generator().manual_seed(2))
T = torch.tensor([0.1, 0.4, 0.6, 0.9])
LABELS = torch.tensor([0, 1, 2, 3])


def made(base: UNet) -> ControlNet:
    return ControlNet(base, channels=2, generator=torch.Generator().manual_seed(3))


def opened(control: ControlNet) -> ControlNet:
    """With what begins at zero no longer there."""
    for layer in (control.entrance, control.to_skip, control.to_middle):
        nn.init.normal_(layer.weight, std=0.3, generator=torch.Generator().manual_seed(4))
    return control


def test_at_first_it_answers_as_the_old_network_does(base: UNet) -> None:
    wanted = base(X, T, LABELS)
    assert torch.equal(made(base).given(CONTROL)(X, T, LABELS), wanted)


def test_each_of_the_zero_convolutions_lets_the_picture_in(base: UNet) -> None:
    wanted = base(X, T, LABELS)
    for name in ("to_skip", "to_middle"):
        control = made(base)
        nn.init.ones_(getattr(control, name).weight)
        closed = control.given(CONTROL)(X, T, LABELS)
        assert not torch.allclose(closed, wanted)  # the copy's own answer
        assert torch.equal(closed, control.given(-CONTROL)(X, T, LABELS))  # and it does not see the picture
        nn.init.ones_(control.entrance.weight)
        assert not torch.allclose(control.given(CONTROL)(X, T, LABELS), control.given(-CONTROL)(X, T, LABELS))


def test_each_row_sees_its_own_picture(base: UNet) -> None:
    control = opened(made(base))
    one = control.given(CONTROL)(X, T, LABELS)
    changed = torch.cat([-CONTROL[:1], CONTROL[1:]])
    other = control.given(changed)(X, T, LABELS)
    assert not torch.allclose(one[0], other[0])
    assert torch.equal(one[1:], other[1:])


def test_the_zero_convolutions_learn_from_the_first_step_and_the_rest_follows(base: UNet) -> None:
    control = made(base)
    control.given(CONTROL)(X, T, LABELS).square().sum().backward()
    moved = {name for name, p in control.named_parameters() if p.grad is not None and bool(p.grad.any())}
    assert moved == {"to_skip.weight", "to_skip.bias", "to_middle.weight", "to_middle.bias"}
    opened(control).given(CONTROL)(X, T, LABELS).square().sum().backward()
    moved = {name for name, p in control.named_parameters() if p.grad is not None and bool(p.grad.any())}
    wanted = {name for name, _ in control.named_parameters() if not name.startswith("base.")}
    assert moved == wanted


def test_the_old_weights_stay_as_they_are(base: UNet) -> None:
    control, before = made(base), copy.deepcopy(base.state_dict())

    def loss() -> Tensor:
        model = Learned(control.given(CONTROL), Cosine(), "v")
        return diffusion_loss(model, X, cond=LABELS, generator=torch.Generator().manual_seed(0))

    history = training.fit(control, loss, steps=30, lr=0.01, progress=False)
    assert history.losses[-1] < history.losses[0]
    assert all(torch.equal(value, before[name]) for name, value in base.state_dict().items())
    assert not any(p.requires_grad for p in base.parameters())


def test_the_copy_is_the_way_down_of_a_trained_network(base: UNet) -> None:
    control = made(base)
    kept = {name.split(".")[0] for name, _ in control.copy.named_parameters()}
    assert kept == {"embed", "labels", "stem", "encoder", "down", "middle"}
    for name, parameter in control.copy.named_parameters():
        assert torch.equal(parameter, base.get_parameter(name))
        assert parameter is not base.get_parameter(name)


def test_the_way_down_and_the_way_up_are_the_network(base: UNet) -> None:
    skip, h, e = way_down(base, X, T, LABELS)
    assert skip.shape == (4, 8, 4, 4)
    assert h.shape == (4, 16, 2, 2)
    assert torch.equal(way_up(base, X, skip, h, e), base(X, T, LABELS))
    assert torch.equal(way_down(base, X, T, LABELS, added=torch.zeros_like(skip))[1], h)


def test_it_draws_as_a_network_with_its_shape_and_labels(base: UNet) -> None:
    network = made(base).given(CONTROL)
    assert (network.shape, network.classes) == (base.shape, base.classes)


def test_what_does_not_fit_is_refused(base: UNet) -> None:
    control = made(base)
    with pytest.raises(ValueError, match="control must have shape"):
        control.given(CONTROL[:, :1])
    with pytest.raises(ValueError, match="control is bound for 4 rows, and x_t has 3"):
        control.given(CONTROL)(X[:3], T[:3], LABELS[:3])
    with pytest.raises(TypeError, match=r"base must be a U-Net.*checkpoints\.model"):
        ControlNet(nn.Linear(2, 2))  # type: ignore[arg-type]

"""LoRA: nothing changes at first, only the changes learn, and they can be turned up, merged and taken out."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn

from diffusion_teach import training
from diffusion_teach.networks.lora import ADAPTED, LoRA
from diffusion_teach.networks.unet import UNet


def network() -> nn.Sequential:
    torch.manual_seed(0)
    layers = [nn.Conv2d(2, 6, 3, padding=1), nn.SiLU(), nn.ConvTranspose2d(6, 4, 2, stride=2), nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(64, 5)).double().eval()


def trained(rank: int = 2, **options: object) -> tuple[nn.Sequential, LoRA, nn.Sequential]:
    """A network whose changes are not zero, those changes, and the network before."""
    before = network()
    after = copy.deepcopy(before)
    changes = LoRA(after, rank, generator=torch.Generator().manual_seed(1), **options)  # type: ignore[arg-type]
    with torch.no_grad():
        for name, parameter in changes.named_parameters():
            if name.endswith("up"):
                parameter.normal_(generator=torch.Generator().manual_seed(2))
    return after, changes, before


@pytest.fixture
def x() -> Tensor:
    return torch.randn(3, 2, 2, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(3))


def test_at_first_nothing_is_changed(x: Tensor) -> None:
    one = network()
    before = one(x)
    LoRA(one, 3)
    assert torch.equal(one(x), before)


def test_a_change_has_its_rank_and_the_numbers_of_two_thin_matrices() -> None:
    for rank in (1, 2):
        after, changes, before = trained(rank)
        for k, (m, n) in {0: (6, 18), 2: (6, 16), 4: (5, 64)}.items():
            difference = after[k].weight - before[k].weight
            assert torch.linalg.matrix_rank(difference.detach().reshape(m, n)) == rank
        assert sum(p.numel() for p in changes.parameters()) == rank * (6 + 18 + 6 + 16 + 5 + 64)


def test_a_small_layer_gets_the_rank_that_it_can_have() -> None:
    changes = LoRA(nn.Linear(3, 100), 10)
    assert [tuple(p.shape) for p in changes.parameters()] == [(3, 3), (100, 3)]


def test_the_strength_scales_the_change_and_zero_is_the_old_network(x: Tensor) -> None:
    after, changes, before = trained()
    assert not torch.allclose(after(x), before(x))
    whole = after[4].weight - before[4].weight
    changes.strength = 0.5
    torch.testing.assert_close(after[4].weight - before[4].weight, whole / 2)
    changes.strength = 0
    assert changes.strength == 0
    assert torch.equal(after(x), before(x))


def test_only_the_changes_learn(x: Tensor) -> None:
    after, _, before = trained()
    first = copy.deepcopy(after.state_dict())
    training.fit(after, lambda: after(x).square().mean(), steps=5, lr=0.01, progress=False)
    for name, value in after.state_dict().items():
        learns = name.endswith(("up", "down"))
        assert learns != torch.equal(value, first[name]), name
    for k in (0, 2, 4):
        assert torch.equal(after[k].parametrizations.weight.original, before[k].weight)
        assert torch.equal(after[k].bias, before[k].bias)


def test_merged_it_answers_alike_and_is_an_ordinary_network_again(x: Tensor) -> None:
    after, changes, before = trained()
    changes.strength = 0.7
    wanted = after(x)
    changes.merge()
    torch.testing.assert_close(after(x), wanted)
    assert set(after.state_dict()) == set(before.state_dict())
    with pytest.raises(ValueError, match="merged or removed already"):
        changes.remove()


def test_taken_out_it_is_the_old_network_bit_for_bit(x: Tensor) -> None:
    after, changes, before = trained()
    changes.remove()
    assert torch.equal(after(x), before(x))
    assert all(torch.equal(p, before.get_parameter(name)) for name, p in after.named_parameters())


def test_the_file_that_one_hands_on_holds_the_changes_alone(x: Tensor) -> None:
    after, changes, before = trained()
    file = changes.state_dict()
    assert all(name.endswith((".up", ".down")) for name in file)
    LoRA(before, 2).load_state_dict(file)
    torch.testing.assert_close(before(x), after(x))


def test_layers_are_chosen_by_their_names() -> None:
    one = UNet((8, 8), blocks=1, dense=8, planes=2, image_size=8)
    changes = LoRA(one, 1, only=lambda name: name.startswith("middle") and "modulation" not in name)
    adapted = [name.replace("/", ".") for name in changes.changes]
    wanted = [name for name, m in one.named_modules() if isinstance(m, ADAPTED) and name.startswith("middle")]
    assert adapted == [name for name in wanted if "modulation" not in name]


def test_a_u_net_of_half_precision_keeps_its_kinds() -> None:
    one = UNet((8, 8), blocks=1, dense=0, image_size=8).bfloat16()
    changes = LoRA(one, 1)
    assert {p.dtype for p in changes.parameters()} == {torch.bfloat16}


def test_what_cannot_be_adapted_is_refused() -> None:
    one = network()
    LoRA(one, 1)
    with pytest.raises(ValueError, match="holds changes already"):
        LoRA(one, 1)
    with pytest.raises(ValueError, match="only must choose a layer"):
        LoRA(network(), 1, only=lambda name: False)
    with pytest.raises(ValueError, match="only must choose a layer"):
        LoRA(nn.SiLU(), 1)
    with pytest.raises(TypeError, match="strength must be"):
        LoRA(network(), 1).strength = "much"  # type: ignore[assignment]


def test_the_first_matrix_keeps_the_size_of_what_it_sees() -> None:
    changes = LoRA(nn.Linear(4000, 200), 100, generator=torch.Generator().manual_seed(0))
    down = next(p for name, p in changes.named_parameters() if name.endswith("down"))
    seen = down @ torch.randn(4000, generator=torch.Generator().manual_seed(1))
    assert float(seen.detach().square().mean()) == pytest.approx(1, abs=0.5)

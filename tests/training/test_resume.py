"""The state of a training: what is packed comes back, and a file that is not whole is never used."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from diffusion_teach import _files
from diffusion_teach._files import DamagedFileError
from diffusion_teach.training import EMA, fit, resume
from diffusion_teach.training.optimizers import muon_and_adamw

PATH = Path("run/x.training.safetensors")
ABOUT = {"recipe": "x", "seed": 3, "settings": {"lr": 0.1, "width": [1, 2]}}


class Trained:
    """A model with a buffer, its average and its optimizers, after some steps."""

    def __init__(self, steps: int, width: int = 4) -> None:
        torch.manual_seed(steps)
        layers = (nn.Conv2d(2, width, 3), nn.BatchNorm2d(width), nn.Conv2d(width, width, 2), nn.Conv2d(width, 1, 1))
        self.model = nn.Sequential(*layers).to(memory_format=torch.channels_last)
        self.ema = EMA(self.model, 0.9)
        self.optimizers = muon_and_adamw(self.model, [self.model.get_parameter("2.weight")])
        self.losses: list[float] = []
        if steps:
            self.train(0, steps, steps)

    def train(self, first: int, last: int, total: int) -> None:
        """The steps first … last − 1 of a training, whose data depend on nothing but the step."""
        data = iter([torch.randn(5, 2, 6, 6, generator=torch.Generator().manual_seed(k)) for k in range(first, last)])

        def stop(step: int, loss: float) -> None:
            self.losses.append(loss)
            if step == last - 1:
                raise StopIteration

        def loss() -> Tensor:
            return self.model(next(data)).square().mean()

        with pytest.raises(StopIteration):
            fit(self.model, loss, steps=total, first_step=first, optimizers=self.optimizers, ema=self.ema, on_step=stop)

    def pack(self) -> bytes:
        # As training.fit finds them: the optimizers' rates are those of the start.
        return resume.pack(ABOUT, self.model, self.ema, self.optimizers, self.losses)

    def tensors(self) -> Iterator[Tensor]:
        yield from self.model.state_dict().values()
        yield from self.ema.model.state_dict().values()


@pytest.fixture(scope="module")
def data() -> bytes:
    return Trained(4).pack()


def test_a_training_that_is_packed_and_restored_goes_on_to_the_same_bits() -> None:
    whole = Trained(0)
    whole.train(0, 9, 9)
    first = Trained(0)
    first.train(0, 5, 9)
    state = resume.unpack(first.pack(), PATH)
    assert state.about.items() >= ABOUT.items()
    assert state.losses == first.losses == whole.losses[:5]
    second = Trained(0)
    resume.restore(state, second.model, second.ema, second.optimizers, PATH)
    assert second.ema.updates == 5
    second.train(5, 9, 9)
    assert second.losses == whole.losses[5:]
    for a, b in zip(second.tensors(), whole.tensors(), strict=True):
        assert torch.equal(a, b)


def test_moments_lie_in_memory_as_their_weights_do(data: bytes) -> None:
    fresh = Trained(0)
    resume.restore(resume.unpack(data, PATH), fresh.model, fresh.ema, fresh.optimizers, PATH)
    strides = [
        (weight.stride(), moment.stride())
        for optimizer in fresh.optimizers
        for weight, moments in optimizer.state.items()
        for moment in moments.values()
        if moment.shape == weight.shape
    ]
    assert len(strides) == 1 + 2 * 7
    assert all(a == b for a, b in strides)


def test_every_truncated_file_is_damaged(data: bytes) -> None:
    for length in [*range(0, 200), *range(200, len(data), 97), len(data) - 1]:
        with pytest.raises(DamagedFileError, match=r"x\.training\.safetensors is damaged.*--overwrite"):
            resume.unpack(data[:length], PATH)


def test_every_flipped_bit_is_found(data: bytes) -> None:
    """In the header, in the hash itself, in the numbers: everywhere."""
    (header,) = struct.unpack("<Q", data[:8])
    for position in [*range(8 + header), *range(8 + header, len(data), 13)]:
        changed = bytearray(data)
        changed[position] ^= 1 << position % 8
        with pytest.raises((DamagedFileError, ValueError)) as caught:
            resume.unpack(bytes(changed), PATH)
        # One flip may turn the name of the metadata into another one: a file of another kind.
        assert isinstance(caught.value, DamagedFileError) or "is not the state of a training" in str(caught.value)


def test_a_file_of_another_kind_or_version_is_named(data: bytes) -> None:
    import safetensors.torch

    weights = safetensors.torch.save({"w": torch.zeros(2)})
    with pytest.raises(ValueError, match="is not the state of a training"):
        resume.unpack(weights, PATH)
    digest = resume.unpack(data, PATH).about["sha256"]
    newer = data.replace(b'format\\": 1', b'format\\": 9').replace(digest.encode(), resume.NO_HASH.encode())
    newer = newer.replace(resume.NO_HASH.encode(), _files.sha256(newer).encode())
    with pytest.raises(ValueError, match="has format 9, this library reads 1"):
        resume.unpack(newer, PATH)


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"seed": 4}, "has seed 3, but 4 was asked for"),
        ({"recipe": "y"}, "has recipe 'x', but 'y' was asked for"),
        ({"settings": {"lr": 0.2, "width": [1, 2]}}, "has lr 0.1, but 0.2 was asked for"),
        ({"settings": {"lr": 0.1, "width": [1, 3]}}, r"has width \[1, 2\], but \[1, 3\]"),
        ({"settings": {"lr": 0.1, "width": [1, 2], "new": 1}}, "has new None, but 1"),
        ({"settings": {"lr": 0.1}}, r"has width \[1, 2\], but None"),
    ],
)
def test_what_differs_is_named_with_both_values(wanted: dict[str, Any], message: str) -> None:
    resume.must_agree(ABOUT, ABOUT, PATH)
    resume.must_agree(ABOUT, {}, PATH)
    resume.must_agree(ABOUT, json.loads(json.dumps(ABOUT)), PATH)
    with pytest.raises(ValueError, match=message) as caught:
        resume.must_agree(ABOUT, wanted, PATH)
    assert str(PATH) in str(caught.value)


def test_another_architecture_is_named(data: bytes) -> None:
    state, wider = resume.unpack(data, PATH), Trained(0, width=5)
    before = [value.clone() for value in wider.tensors()]
    with pytest.raises(ValueError, match=r"shape \(4, 2, 3, 3\) instead of \(5, 2, 3, 3\).* and \d more"):
        resume.restore(state, wider.model, wider.ema, wider.optimizers, PATH)
    assert all(torch.equal(a, b) for a, b in zip(before, wider.tensors(), strict=True))
    longer = nn.Sequential(*Trained(0).model, nn.Conv2d(1, 1, 1))
    with pytest.raises(ValueError, match=r"it lacks 4\.weight, 4\.bias"):
        resume.restore(state, longer, None, [], PATH)
    narrow = Trained(0)
    fewer = [narrow.optimizers[0], torch.optim.AdamW(narrow.model[0].parameters())]
    with pytest.raises(ValueError, match="of another optimizer: it has a weight 2"):
        resume.restore(state, narrow.model, None, fewer, PATH)


def test_only_tensors_are_kept() -> None:
    class Counting(torch.optim.SGD):
        def state_dict(self) -> dict[str, Any]:
            return {"state": {0: {"count": 3}}, "param_groups": []}

    model = nn.Linear(1, 1)
    with pytest.raises(TypeError, match="Counting keeps 'count' as int"):
        resume.pack({}, model, None, [Counting(model.parameters(), lr=0.1)], [])


def _with(data: bytes, change: Any) -> bytes:
    """A state file with other tensors or facts, and the hash that fits them."""
    import safetensors.torch

    state = resume.unpack(data, PATH)
    about, tensors = dict(state.about), dict(state.tensors)
    change(about, tensors)
    about["sha256"] = resume.NO_HASH
    plain = safetensors.torch.save(tensors, metadata={resume.KEY: json.dumps(about)})
    return plain.replace(resume.NO_HASH.encode(), _files.sha256(plain).encode(), 1)


def test_a_crafted_state_is_refused_before_it_reaches_a_kernel(data: bytes) -> None:
    """Adam's kernels do not look at the shape of a moment: too short a one ended the process."""
    moments = [name for name in resume.unpack(data, PATH).tensors if name.startswith("optimizer.")]
    assert any(name.endswith(".step") for name in moments)
    for name in moments:
        crafted = resume.unpack(_with(data, lambda about, t, name=name: t.update({name: torch.zeros(3)})), PATH)
        fresh = Trained(0)
        with pytest.raises(ValueError, match=r"is of another optimizer: .* has the shape \(3,\)"):
            resume.restore(crafted, fresh.model, fresh.ema, fresh.optimizers, PATH)
    for change in (
        lambda about, t: t.pop("losses"),
        lambda about, t: t.update(losses=torch.zeros(())),
        lambda about, t: about.pop("average_updates"),
    ):
        with pytest.raises(DamagedFileError, match="lacks the losses"):
            resume.unpack(_with(data, change), PATH)
    with pytest.raises(DamagedFileError, match="does not say the device"):
        resume.must_have(resume.unpack(data, PATH), PATH)


def test_one_training_at_a_time_writes_to_a_place(tmp_path: Path) -> None:
    path = tmp_path / "new" / "x.training.safetensors"
    with resume.alone(path):
        with pytest.raises(BlockingIOError, match=r"another training is writing .*x\.training"), resume.alone(path):
            pass
        with resume.alone(path.with_name("y.training.safetensors")):
            pass
    with resume.alone(path):
        pass
    assert not list(path.parent.iterdir())
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="could not write"), resume.alone(tmp_path / "file" / "x.safetensors"):
        pass

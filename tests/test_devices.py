"""Devices: what a name means on a machine that has it, and what is said on one that has not."""

from __future__ import annotations

import pytest
import torch

from diffusion_teach import devices

CPU, CUDA = torch.device("cpu"), torch.device("cuda", 0)


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A machine with a CPU only, whatever this one has."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_built", lambda: False)
    monkeypatch.setattr(torch.version, "cuda", None)
    return monkeypatch


@pytest.fixture
def gpus(bare: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A machine with two GPUs."""
    bare.setattr(torch.cuda, "is_available", lambda: True)
    bare.setattr(torch.cuda, "device_count", lambda: 2)
    bare.setattr(torch.version, "cuda", "12.8")
    return bare


def test_auto_takes_the_fastest(bare: pytest.MonkeyPatch) -> None:
    assert devices.pick() == devices.pick("cpu") == CPU
    bare.setattr(torch.backends.mps, "is_available", lambda: True)
    assert devices.pick() == devices.pick("mps") == torch.device("mps")
    assert devices.pick("cpu") == CPU


def test_each_process_gets_a_gpu_of_its_own(gpus: pytest.MonkeyPatch) -> None:
    assert devices.pick() == devices.pick("cuda") == CUDA
    assert devices.pick(local_rank=1) == devices.pick("cuda:1") == torch.device("cuda", 1)
    with pytest.raises(ValueError, match="GPU 2 was asked for, 2 can be seen.*no more processes than GPUs"):
        devices.pick("auto", local_rank=2)


def test_a_device_that_is_not_here_is_named_with_what_to_do(bare: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match=r"'cuda' is not here: this PyTorch .* CPU only.*pytorch\.org"):
        devices.pick("cuda")
    with pytest.raises(ValueError, match="'mps' is not here: this PyTorch is built without it. Use device='auto'"):
        devices.pick("mps")
    bare.setattr(torch.backends.mps, "is_built", lambda: True)
    with pytest.raises(ValueError, match="'mps' is not here: macOS 14 or an Apple chip is missing"):
        devices.pick("mps")
    bare.setattr(torch.version, "cuda", "12.8")
    with pytest.raises(ValueError, match="'cuda:1' is not here: GPU 1 was asked for, 0 can be seen"):
        devices.pick("cuda:1")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("gpu", "device must be one of 'auto', 'cpu', 'cuda', 'mps', got 'gpu'"),
        ("cdua", "Did you mean 'cuda'"),
        ("cuda:x", "got 'cuda:x'"),
        ("cpu:1", "got 'cpu:1'"),
        ("", "device must be one of"),
    ],
)
def test_what_is_no_device_is_refused(name: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        devices.pick(name)


@pytest.mark.parametrize(("avx", "amx"), [(False, False), (True, False), (False, True)])
def test_bfloat16_where_a_cpu_multiplies_it(monkeypatch: pytest.MonkeyPatch, avx: bool, amx: bool) -> None:
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: avx, raising=False)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: amx, raising=False)
    assert devices.precision("auto", CPU) == ("bfloat16" if avx or amx else "float32")
    assert devices.precision("float32", CPU) == "float32"
    assert devices.precision("bfloat16", CPU) == "bfloat16"
    monkeypatch.delattr(torch.cpu, "_is_avx512_bf16_supported")
    monkeypatch.delattr(torch.cpu, "_is_amx_tile_supported")
    assert devices.precision("auto", CPU) == "float32"


@pytest.mark.parametrize(("capability", "expected"), [((7, 5), "float32"), ((8, 0), "bfloat16"), ((9, 0), "bfloat16")])
def test_bfloat16_where_a_gpu_multiplies_it(
    monkeypatch: pytest.MonkeyPatch, capability: tuple[int, int], expected: str
) -> None:
    """Older ones claim to support it, and emulate it."""
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    assert devices.precision("auto", CUDA) == expected
    assert devices.precision("auto", torch.device("mps")) == "float32"


def test_autocast_multiplies_in_the_precision_asked_for() -> None:
    layer, x = torch.nn.Linear(3, 3), torch.ones(2, 3)
    for name, dtype in (("float32", torch.float32), ("bfloat16", torch.bfloat16)):
        with devices.autocast(CPU, name):
            assert layer(x).dtype == dtype
    with pytest.raises(ValueError, match="precision must be one of 'auto', 'float32', 'bfloat16', got 'float16'"):
        devices.autocast(CPU, "float16")


def test_the_widest_precision() -> None:
    assert devices.widest(CPU) == devices.widest(CUDA) == torch.float64
    assert devices.widest(torch.device("mps")) == torch.float32


def test_the_machine_in_a_few_words(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "CPU cores" in devices.machine(CPU)
    assert devices.machine(CPU, 2).startswith("2 processes, each: ")
    assert devices.machine(torch.device("mps")).startswith("Apple GPU")
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "A GPU")
    assert devices.machine(CUDA).startswith("A GPU, CUDA ")


def test_deterministic_convolutions_are_asked_for_within_a_context(monkeypatch: pytest.MonkeyPatch) -> None:
    cudnn = torch.backends.cudnn
    monkeypatch.setattr(cudnn, "benchmark", True)
    before = cudnn.deterministic
    with devices.deterministic():
        assert (cudnn.deterministic, cudnn.benchmark) == (True, False)
    assert (cudnn.deterministic, cudnn.benchmark) == (before, True)

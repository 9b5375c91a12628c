"""Where to compute and in which precision: what a machine has, and clear words where it lacks what was asked for.

bfloat16 keeps float32's range with 8 bits of mantissa. Where the hardware multiplies it, convolutions and matrix
products take about half the time; weights, losses and the optimiser stay in float32 (`torch.autocast`).
"""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from diffusion_teach import _checks, _names

KINDS = ("auto", "cpu", "cuda", "mps")
PRECISIONS = _names.PRECISIONS
AMPERE = (8, 0)
"""The first compute capability of CUDA whose tensor cores multiply bfloat16."""


def pick(name: str = "auto", *, local_rank: int = 0) -> torch.device:
    """The device of a name: "cpu", "cuda", "cuda:1", "mps", or "auto" for the fastest that there is.

    Args:
        local_rank: which of the processes of this machine asks; "cuda" gives each its own GPU.

    Raises:
        ValueError: the name is none of these, or this machine has no such device.
    """
    local_rank = _checks.integer("local_rank", local_rank, least=0)
    text = str(name)
    kind = text.partition(":")[0]
    _checks.choice("device", kind, KINDS)
    if text != kind and not re.fullmatch(r"cuda:\d+", text):
        raise ValueError(f"device must be one of {', '.join(KINDS)}, or 'cuda:1' for the second GPU; got {text!r}.")
    if kind == "auto":
        kind = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    if kind == "cuda":
        index = int(text.partition(":")[2] or local_rank)
        _must_have_cuda(text, index)
        return torch.device("cuda", index)
    if kind == "mps" and not torch.backends.mps.is_available():
        built = torch.backends.mps.is_built()
        reason = "macOS 14 or an Apple chip is missing" if built else "this PyTorch is built without it"
        raise ValueError(f"device {text!r} is not here: {reason}. Use device='auto' or 'cpu'.")
    return torch.device(kind)


def _must_have_cuda(name: str, index: int) -> None:
    if torch.version.cuda is None and torch.version.hip is None:
        raise ValueError(
            f"device {name!r} is not here: this PyTorch ({torch.__version__}) is built for the CPU only. Use "
            "device='auto' or 'cpu', or install a PyTorch for CUDA from https://pytorch.org."
        )
    count = torch.cuda.device_count()
    if index >= count:
        raise ValueError(
            f"device {name!r} is not here: GPU {index} was asked for, {count} can be seen. Use device='auto' or "
            "'cpu', start no more processes than GPUs, or look at nvidia-smi and CUDA_VISIBLE_DEVICES."
        )


def precision(name: str, device: torch.device) -> str:
    """The precision of a name on a device; "auto" is bfloat16 where the hardware multiplies it, else float32."""
    _checks.choice("precision", name, PRECISIONS)
    _is_device(device)
    if name != "auto":
        return name
    return "bfloat16" if _multiplies_bfloat16(device) else "float32"


def _multiplies_bfloat16(device: torch.device) -> bool:
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported() and torch.cuda.get_device_capability(device) >= AMPERE
    if device.type == "cpu":
        # Names with an underscore, and newer than the oldest PyTorch that the book takes.
        probes = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
        return any(bool(getattr(torch.cpu, probe, lambda: False)()) for probe in probes)
    return False


CPU = torch.device("cpu")


def autocast(device: torch.device = CPU, name: str = "auto") -> torch.autocast:
    """The context in which networks compute in a `precision`: with devices.autocast(): denoiser(x_t, t)."""
    enabled = precision(name, device) == "bfloat16"
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=enabled)


@contextmanager
def deterministic() -> Iterator[None]:
    """Within this context a GPU's convolutions give the same bits each time; a CPU's do anyway."""
    cudnn = torch.backends.cudnn
    before = cudnn.deterministic, cudnn.benchmark
    cudnn.deterministic, cudnn.benchmark = True, False
    try:
        yield
    finally:
        cudnn.deterministic, cudnn.benchmark = before


def widest(device: torch.device) -> torch.dtype:
    """The floating dtype with the most digits that a device has: float64, but float32 on Apple's GPUs."""
    _is_device(device)
    return torch.float32 if device.type == "mps" else torch.float64


def fused(device: torch.device) -> bool:
    """Whether torch has Adam in one kernel for all weights there: not on Apple's GPUs, where older versions lack it."""
    return _is_device(device).type != "mps"


def _is_device(device: torch.device) -> torch.device:
    return _checks.instance("device", device, torch.device, "a torch.device", "Make one, as in torch.device('cpu').")


def machine(device: torch.device, processes: int = 1) -> str:
    """The machine in a few words, for a model card."""
    processes = _checks.integer("processes", processes)
    if _is_device(device).type == "cuda":
        where = f"{torch.cuda.get_device_name(device)}, CUDA {torch.version.cuda}"
    elif device.type == "mps":
        where = f"Apple GPU, {platform.machine()}"
    else:
        where = f"{torch.get_num_threads()} of {os.cpu_count()} CPU cores, {platform.machine()}"
    return where if processes == 1 else f"{processes} processes, each: {where}"

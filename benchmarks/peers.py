"""The two libraries beside which the book is measured, each as its own examples train it.

- `denoising-diffusion-pytorch` (Phil Wang): `Unet(dim=32)` in `GaussianDiffusion` with its defaults (target v, sigmoid
  schedule, 1,000 steps), gradients clipped at 1 and `EMA` as its `Trainer` does. Its usual four resolutions need images
  whose side 8 divides; 28 is divided by 4 only, so it has three, `dim_mults=(1, 2, 4)`.
- `diffusers` (Hugging Face): the `UNet2DModel` of the first unit of the Hugging Face diffusion course, the one for
  MNIST, with its `Adam(lr=1e-3)` at batch 128, `DDPMScheduler` with its defaults, and `EMAModel` with its warm-up.

Both are trained at the course's learning rate, 1e-3: `Trainer`'s default of 1e-4 is meant for days, not for minutes.

Source: huggingface/diffusion-models-class, unit1/02_diffusion_models_from_scratch.ipynb.
"""

from __future__ import annotations

import contextlib
import copy
import importlib
import sys
import types
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from diffusion_teach import _checks

SIZE = 28
LEARNING_RATE = 1e-3
NEEDS = "The peers are missing: pip install --no-deps -r benchmarks/requirements.txt, or run make bench."


@contextlib.contextmanager
def standing_in_for_torchvision() -> Iterator[None]:
    """Let `import torchvision` succeed for a while where it is not to be had.

    `denoising-diffusion-pytorch` imports `torchvision.transforms` and `torchvision.utils` at its top, and uses them
    only to read image files and to save pictures, which the benchmark does not do. The stand-in has none of their
    functions: whatever were called would raise AttributeError, and nothing is measured through it.
    """
    names = ("torchvision", "torchvision.transforms", "torchvision.utils")
    if "torchvision" in sys.modules:
        yield
        return
    modules = {name: types.ModuleType(name, "Stands in for torchvision, empty.") for name in names}
    for name in names[1:]:
        setattr(modules["torchvision"], name.split(".")[1], modules[name])
    sys.modules.update(modules)
    try:
        yield
    finally:
        for name in names:
            sys.modules.pop(name, None)


def _import(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(f"{error}. {NEEDS}", name=error.name) from None


class Peer:
    """A network of another library with its optimiser and its average, trained step by step.

    Args:
        bfloat16: run the loss in bfloat16 with tensors in channels_last, which the library does not do by itself.
    """

    title: str
    package: str

    def __init__(self, network: nn.Module, optimizer: torch.optim.Optimizer, *, bfloat16: bool) -> None:
        self.network = network
        self.optimizer = optimizer
        self.bfloat16 = bfloat16
        if bfloat16:
            network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    @property
    def parameters(self) -> int:
        """Numbers that are learned."""
        return sum(p.numel() for p in self.network.parameters() if p.requires_grad)

    @property
    def version(self) -> str:
        """The installed version."""
        from importlib import metadata

        return metadata.version(self.package)

    def loss(self, x: Tensor) -> Tensor:
        """The library's own loss on images x (B, 1, 28, 28) in [0, 1]."""
        raise NotImplementedError

    def forward_backward(self, images: Tensor) -> None:
        """Loss and gradients on a batch of bytes (B, 28, 28)."""
        x = images.unsqueeze(1).float().div_(255)
        if self.bfloat16:
            x = x.contiguous(memory_format=torch.channels_last)
        self.optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bfloat16):
            loss = self.loss(x)
        loss.backward()

    def step(self, images: Tensor) -> None:
        """One training step on a batch of bytes (B, 28, 28)."""
        self.forward_backward(images)
        self.optimizer.step()

    def average(self) -> None:
        """Take the weights of now into the average."""
        raise NotImplementedError

    def sample(self, count: int, steps: int) -> Tensor:
        """Images (count, 1, 28, 28) in [−1, 1] of the averaged weights, by the library's DDIM with some steps."""
        raise NotImplementedError

    def denoise(self, x: Tensor) -> Tensor:
        """One evaluation of the averaged network on x (B, 1, 28, 28), such as each sampling step needs."""
        raise NotImplementedError


class DenoisingDiffusionPytorch(Peer):
    """`denoising-diffusion-pytorch`: Unet(dim=32, dim_mults=(1, 2, 4)) with the defaults of GaussianDiffusion."""

    title = "denoising-diffusion-pytorch"
    package = "denoising-diffusion-pytorch"
    default_steps = 1000

    def __init__(self, *, bfloat16: bool = False) -> None:
        with standing_in_for_torchvision():
            library = _import("denoising_diffusion_pytorch")
        network = library.Unet(dim=32, dim_mults=(1, 2, 4), channels=1)
        self.diffusion: Any = library.GaussianDiffusion(network, image_size=SIZE)
        super().__init__(
            network,
            torch.optim.Adam(network.parameters(), lr=LEARNING_RATE, betas=(0.9, 0.99)),
            bfloat16=bfloat16,
        )
        self.ema: Any = _import("ema_pytorch").EMA(self.diffusion, beta=0.995, update_every=10)

    def loss(self, x: Tensor) -> Tensor:
        value: Tensor = self.diffusion(x)
        return value

    def step(self, images: Tensor) -> None:
        self.forward_backward(images)
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()

    def average(self) -> None:
        self.ema.update()

    @torch.no_grad()
    def sample(self, count: int, steps: int) -> Tensor:
        if int(self.ema.step) <= self.ema.update_after_step:
            # It copies the weights that long, but only every tenth step: have those of now.
            self.ema.copy_params_from_model_to_ema()
        averaged = self.ema.ema_model.eval()
        averaged.sampling_timesteps, averaged.is_ddim_sampling = _checks.integer("steps", steps), True
        with _quiet(sys.modules[type(averaged).__module__]):
            made: Tensor = averaged.sample(batch_size=count)
        return made * 2 - 1

    @torch.no_grad()
    def denoise(self, x: Tensor) -> Tensor:
        made: Tensor = self.ema.ema_model.p_sample(x, 500)[0]
        return made


class Diffusers(Peer):
    """`diffusers`: the UNet2DModel for MNIST of the Hugging Face course's first unit, with DDPMScheduler."""

    title = "diffusers"
    package = "diffusers"
    default_steps = 1000

    def __init__(self, *, bfloat16: bool = False) -> None:
        library = _import("diffusers")
        network = library.UNet2DModel(
            sample_size=SIZE,
            in_channels=1,
            out_channels=1,
            layers_per_block=2,
            block_out_channels=(32, 64, 64),
            down_block_types=("DownBlock2D", "AttnDownBlock2D", "AttnDownBlock2D"),
            up_block_types=("AttnUpBlock2D", "AttnUpBlock2D", "UpBlock2D"),
        )
        super().__init__(network, torch.optim.Adam(network.parameters(), lr=LEARNING_RATE), bfloat16=bfloat16)
        self.scheduler: Any = library.DDPMScheduler(num_train_timesteps=1000)
        self.ddim: Any = library.DDIMScheduler.from_config(self.scheduler.config)
        training_utils = _import("diffusers.training_utils")
        self.ema: Any = training_utils.EMAModel(
            network.parameters(), decay=0.9999, use_ema_warmup=True, inv_gamma=1.0, power=0.75
        )
        self.averaged: Any = copy.deepcopy(network).eval().requires_grad_(False)

    def loss(self, x: Tensor) -> Tensor:
        x0 = x * 2 - 1
        noise = torch.randn_like(x0)
        t = torch.randint(0, self.scheduler.config.num_train_timesteps, (len(x0),))
        return F.mse_loss(self.network(self.scheduler.add_noise(x0, noise, t), t).sample.float(), noise)

    def average(self) -> None:
        self.ema.step(self.network.parameters())

    @torch.no_grad()
    def sample(self, count: int, steps: int) -> Tensor:
        self.ema.copy_to(self.averaged.parameters())
        self.ddim.set_timesteps(_checks.integer("steps", steps))
        x = torch.randn(count, 1, SIZE, SIZE)
        for t in self.ddim.timesteps:
            x = self.ddim.step(self.averaged(x, t).sample, t, x).prev_sample
        return x.clamp(-1, 1)

    @torch.no_grad()
    def denoise(self, x: Tensor) -> Tensor:
        made: Tensor = self.scheduler.step(self.averaged(x, 500).sample, 500, x).prev_sample
        return made


PEERS: dict[str, type[DenoisingDiffusionPytorch] | type[Diffusers]] = {
    "denoising-diffusion-pytorch": DenoisingDiffusionPytorch,
    "diffusers": Diffusers,
}


@contextlib.contextmanager
def _quiet(module: Any) -> Iterator[None]:
    """Without the library's progress bars."""
    loud = module.tqdm
    module.tqdm = lambda iterable, **_: iterable
    try:
        yield
    finally:
        module.tqdm = loud

"""How fast the book's U-Net trains, beside a plain U-Net of common design: python -m benchmarks.unet_speed

Both do the same work, one step of DDPM's loss at batch 128 with AdamW, on two threads, in one process. Their steps
alternate, and the ratio is that of neighbours: whatever slows the machine down slows both.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from diffusion_teach.denoisers import Learned
from diffusion_teach.networks.unet import UNet
from diffusion_teach.schedules import Discrete, linear_betas
from diffusion_teach.score_matching import diffusion_loss

SIZE = 28


class PlainBlock(nn.Module):
    """Convolution, time, convolution, with a projection where the width changes."""

    def __init__(self, inside: int, outside: int, embedding: int) -> None:
        super().__init__()
        self.norm1, self.conv1 = nn.GroupNorm(8, inside), nn.Conv2d(inside, outside, 3, padding=1)
        self.time = nn.Linear(embedding, outside)
        self.norm2, self.conv2 = nn.GroupNorm(8, outside), nn.Conv2d(outside, outside, 3, padding=1)
        self.match = nn.Conv2d(inside, outside, 1) if inside != outside else nn.Identity()

    def forward(self, h: Tensor, e: Tensor) -> Tensor:
        f = self.conv1(F.silu(self.norm1(h))) + self.time(F.silu(e))[:, :, None, None]
        return self.match(h) + self.conv2(F.silu(self.norm2(f)))


class PlainAttention(nn.Module):
    """Attention over all places, by 1×1 convolutions."""

    def __init__(self, width: int, heads: int = 4) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.GroupNorm(8, width)
        self.qkv, self.out = nn.Conv2d(width, 3 * width, 1), nn.Conv2d(width, width, 1)

    def forward(self, h: Tensor) -> Tensor:
        b, c, height, width = h.shape
        split = self.qkv(self.norm(h)).reshape(b, 3, self.heads, c // self.heads, height * width)
        q, k, v = split.transpose(-1, -2).unbind(1)
        seen = F.scaled_dot_product_attention(q, k, v)
        return h + self.out(seen.transpose(-1, -2).reshape(b, c, height, width))


class PlainUNet(nn.Module):
    """The common design: residual blocks from 28×28 down to 7×7, widths 32 and 64, attention at the bottom."""

    frequencies: Tensor

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        wide, embedding = 2 * width, 4 * width
        self.register_buffer("frequencies", torch.logspace(0, 3, width))
        self.embed = nn.Sequential(nn.Linear(2 * width, embedding), nn.SiLU(), nn.Linear(embedding, embedding))
        self.stem = nn.Conv2d(1, width, 3, padding=1)
        self.in1, self.in2 = PlainBlock(width, width, embedding), PlainBlock(width, wide, embedding)
        self.down1, self.down2 = nn.Conv2d(width, width, 4, 2, 1), nn.Conv2d(wide, wide, 4, 2, 1)
        self.mid1, self.mid2 = PlainBlock(wide, wide, embedding), PlainBlock(wide, wide, embedding)
        self.attend = PlainAttention(wide)
        self.up2, self.up1 = nn.ConvTranspose2d(wide, wide, 4, 2, 1), nn.ConvTranspose2d(width, width, 4, 2, 1)
        self.out2, self.out1 = PlainBlock(2 * wide, width, embedding), PlainBlock(2 * width, width, embedding)
        self.head = nn.Sequential(nn.GroupNorm(8, width), nn.SiLU(), nn.Conv2d(width, 1, 3, padding=1))

    def forward(self, x_t: Tensor, t: Tensor, cond: None = None) -> Tensor:
        angle = t.reshape(-1, 1) * self.frequencies
        e = self.embed(torch.cat([angle.sin(), angle.cos()], 1))
        first = self.in1(self.stem(x_t), e)
        second = self.in2(self.down1(first), e)
        h = self.mid2(self.attend(self.mid1(self.down2(second), e)), e)
        h = self.out2(torch.cat([self.up2(h), second], 1), e)
        return self.head(self.out1(torch.cat([self.up1(h), first], 1), e))


def trainer(network: nn.Module, batch: int) -> Callable[[], float]:
    """A function that does one training step and returns the seconds that it took."""
    denoiser = Learned(network, Discrete(linear_betas(1000)))
    optimizer = torch.optim.AdamW(denoiser.parameters(), lr=1e-3, fused=True)
    x0 = torch.rand(batch, 1, SIZE, SIZE) * 2 - 1

    def step() -> float:
        begin = time.perf_counter()
        optimizer.zero_grad(set_to_none=True)
        diffusion_loss(denoiser, x0).backward()
        optimizer.step()
        return time.perf_counter() - begin

    return step


def quartiles(values: list[float]) -> tuple[float, float, float]:
    """Lower quartile, median, upper quartile."""
    low, middle, high = statistics.quantiles(values, n=4)
    return low, middle, high


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="The book's U-Net beside a plain one: training speed.")
    parser.add_argument("--batch", type=int, default=128, help="images a step (128)")
    parser.add_argument("--pairs", type=int, default=20, help="alternating pairs of steps (20)")
    parser.add_argument("--threads", type=int, default=2, help="threads (2)")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)

    networks: dict[str, nn.Module] = {"diffusion_teach": UNet(), "plain": PlainUNet()}
    steps = {name: trainer(network, arguments.batch) for name, network in networks.items()}
    for step in steps.values():
        for _ in range(3):
            step()
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(arguments.pairs):
        for name, step in steps.items():
            seconds[name].append(step())

    print(f"{platform.machine()}, {arguments.threads} threads, torch {torch.__version__}, batch {arguments.batch}")
    print(f"{'network':16} {'parameters':>10} {'images/s':>9}   quartiles")
    for name, network in networks.items():
        low, middle, high = (arguments.batch / s for s in quartiles(seconds[name])[::-1])
        size = sum(p.numel() for p in network.parameters())
        print(f"{name:16} {size:10,} {middle:9,.0f}   {low:,.0f} to {high:,.0f}")
    ratio = [plain / ours for ours, plain in zip(seconds["diffusion_teach"], seconds["plain"], strict=True)]
    low, middle, high = quartiles(ratio)
    print(f"speed ratio of neighbours: {middle:.2f} (quartiles {low:.2f} to {high:.2f}, {arguments.pairs} pairs)")


if __name__ == "__main__":
    main()

"""Images by the name of a sampler: checked on a model whose answer is known, and refused where nothing can come."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from diffusion_teach import _checks, samplers
from diffusion_teach.denoisers import Learned
from diffusion_teach.generate import SAMPLERS, Sampling, generate, path
from diffusion_teach.networks.network import Network
from diffusion_teach.schedules import FlowMatching
from tests.generate.one_picture import PLACE, SCHEDULE, model


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("steps", [1, 2, 7])
def test_every_sampler_ends_where_all_data_are(sampler: str, steps: int) -> None:
    made = generate(model(), 5, Sampling(sampler, steps, batch=2))
    torch.testing.assert_close(made, PLACE.expand(5, 1, 28, 28), atol=1e-3, rtol=0)  # 1/α is 160 at t = 1
    assert made.dtype == torch.float32


@pytest.mark.parametrize(
    ("sampler", "step"),
    [
        ("ancestral", samplers.ddim(1.0)),
        ("ddim", samplers.euler),
        ("dpm_solver", samplers.ddim(0.0, order=2)),
        ("sde_dpm_solver", samplers.ddim(1.0, order=2)),
    ],
)
def test_a_sampler_is_the_step_of_its_name_on_the_logistic_grid(sampler: str, step: samplers.Step) -> None:
    generator = torch.Generator().manual_seed(2)
    x = samplers.prior(SCHEDULE, (3, 1, 28, 28), generator=generator)
    times = samplers.time_grid(SCHEDULE, 8, spacing="logistic")
    expected = samplers.sample(untrained(), step, x, times, generator=generator).clamp(-1, 1)
    made = generate(untrained(), 3, Sampling(sampler, 8, seed=2))
    torch.testing.assert_close(made, expected, atol=1e-4, rtol=1e-4)


def test_labels_are_drawn_one_for_all_or_one_for_each() -> None:
    same = generate(model(10), 3, Sampling(steps=2), labels=7)
    torch.testing.assert_close(same, torch.full((3, 1, 28, 28), 0.2), atol=1e-4, rtol=0)
    each = generate(model(10), 5, Sampling(steps=2, batch=2), labels=torch.tensor([0, 1, 2, 3, 9]))
    torch.testing.assert_close(each[:, 0, 5, 5], torch.tensor([-0.5, -0.4, -0.3, -0.2, 0.4]), atol=1e-4, rtol=0)
    torch.testing.assert_close(generate(model(10), 1, Sampling(steps=2))[0], PLACE, atol=1e-4, rtol=0)


def test_guidance_goes_past_the_label() -> None:
    denoiser = model(10)
    made = generate(denoiser, 4, Sampling("ddim", 3, guidance=0.5), labels=7)
    torch.testing.assert_close(made, (1.5 * 0.2 - 0.5 * PLACE).expand(4, 1, 28, 28), atol=1e-4, rtol=0)
    assert denoiser.network.rows == 2 * 3 * 4


def test_guidance_in_an_interval_is_none_outside_of_it() -> None:
    always, never, none = (
        generate(model(10), 4, Sampling("ddim", 3, guidance, between=between), labels=7)
        for guidance, between in ((0.5, (-99.0, 99.0)), (0.5, (50.0, 99.0)), (0.0, (-math.inf, math.inf)))
    )
    assert torch.equal(never, none)
    assert not torch.allclose(always, none, atol=0.01)
    for wrong in ((1.0, -1.0), (0.0,), 3.0):
        with pytest.raises(ValueError, match="between must be two log-SNRs, the smaller first"):
            Sampling(between=wrong)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="between says where it guides, and guidance is 0"):
        Sampling(between=(-4.0, 0.0))


def untrained() -> Any:
    """A network that answers 0 for v keeps the start visible in the end."""
    network = Network()
    network.shape = (1, 28, 28)
    network.forward = lambda x, t, cond: torch.zeros_like(x)  # type: ignore[assignment]
    return Learned(network, SCHEDULE, "v")


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_the_same_seed_gives_the_same_images_and_more_of_them_begin_alike(sampler: str) -> None:
    few, again, many, others = (
        generate(untrained(), count, Sampling(sampler, 3, seed=seed, batch=2))
        for count, seed in ((4, 3), (4, 3), (6, 3), (4, 4))
    )
    assert torch.equal(few, again)
    assert torch.equal(few, many[:4])
    assert not torch.allclose(few, others)
    assert not torch.allclose(few[:2], few[2:])
    assert few.abs().max() <= 1


def test_bfloat16_rounds_the_network_s_products_and_nothing_else() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.SiLU(), nn.Conv2d(8, 1, 3, padding=1))
    seen = set()

    class Wrapped(Network):
        shape = (1, 28, 28)

        def __init__(self) -> None:
            super().__init__()
            self.inner = network

        def forward(self, x: Tensor, t: Tensor, cond: Tensor | None = None) -> Tensor:
            answer = self.inner(x)
            seen.add((x.dtype, answer.dtype))
            return answer.float()

    denoiser = Learned(Wrapped(), SCHEDULE, "v").requires_grad_(False)
    fine, rough, auto = (
        generate(denoiser, 2, Sampling(steps=3, precision=name)) for name in ("float32", "bfloat16", "auto")
    )
    assert (torch.float32, torch.bfloat16) in seen
    assert rough.dtype == torch.float32
    assert 0 < (fine - rough).abs().max() < 0.05
    assert torch.equal(auto, fine) or torch.equal(auto, rough)
    assert torch.equal(path(denoiser, 2, Sampling(steps=3, precision="bfloat16"))[-1], rough)
    assert not torch.is_autocast_enabled("cpu")
    with pytest.raises(ValueError, match="Did you mean 'float32'"):
        Sampling(precision="float23")


def test_torch_s_global_generator_is_left_alone() -> None:
    before = torch.get_rng_state()
    generate(untrained(), 2, Sampling(steps=2))
    assert torch.equal(torch.get_rng_state(), before)


def test_the_path_leads_from_noise_to_what_is_generated() -> None:
    states = path(untrained(), 3, Sampling(steps=9, seed=5), frames=4)
    assert len(states) == 4
    start = samplers.prior(SCHEDULE, (3, 1, 28, 28), generator=torch.Generator().manual_seed(5))
    assert torch.equal(states[0], start)
    assert torch.equal(states[-1], generate(untrained(), 3, Sampling(steps=9, seed=5)))
    assert len(path(untrained(), 1, Sampling(steps=3), frames=50)) == 4


def test_a_model_without_labels_takes_none() -> None:
    for guidance in (0.0, 1.0):
        with pytest.raises(ValueError, match="the model takes no labels"):
            generate(model(), 2, Sampling(guidance=guidance), labels=3)
    with pytest.raises(ValueError, match="frames must be at least 2"):
        path(model(), 2, frames=1)
    with pytest.raises(ValueError, match="does not say how large its images are"):
        generate(Learned(nn.Identity(), SCHEDULE), 2)


def test_what_walks_in_x_over_alpha_needs_an_alpha() -> None:
    denoiser = model(schedule=FlowMatching())
    with pytest.raises(_checks.Unsupported, match="annealed_langevin walks in x/α, and this model's α is 0 at t = 1"):
        generate(denoiser, 2, Sampling("annealed_langevin", 3))
    for sampler in ("ddim", "euler", "heun"):
        assert generate(denoiser, 2, Sampling(sampler, 3)).isfinite().all()


def test_broken_weights_are_named() -> None:
    denoiser = model()
    denoiser.network.forward = lambda x, t, cond: torch.full_like(x, torch.inf)
    with pytest.raises(ValueError, match="y must be finite"):
        generate(denoiser, 2, Sampling(steps=2))

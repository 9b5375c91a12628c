"""The field's script computes what the library computes: the same inputs, the same noise, the same numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
import torch
from playwright.sync_api import Page

from diffusion_teach import samplers
from diffusion_teach.datasets import toy2d
from diffusion_teach.metrics import modes
from diffusion_teach.samplers import langevin
from tests.site.field_library import (
    CORRECTIONS,
    MODES,
    SAMPLERS,
    SCHEDULES,
    TOLERANCE,
    choice,
    error,
    flat,
    library_walk,
    mixture,
    noises,
    points,
    script_walk,
    tensor,
)
from tests.site.scripts import Scripted, ask, mathematics

# Six points, of which one lies far away.
POINTS = torch.tensor([[0.3, 0.1], [-1.2, -0.4], [2.0, -1.5], [0.0, 0.0], [-0.7, 1.9], [9.0, 7.0]], dtype=torch.float64)


@pytest.fixture(scope="module")
def field(scripted: Scripted) -> Iterator[Page]:
    with scripted(mathematics("field")) as page:
        yield page


def walk_error(page: Page, **values: Any) -> float:
    asked = choice(**values)
    z = noises(1 + (CORRECTIONS + 1) * asked["steps"], len(POINTS))
    pairs = zip(script_walk(page, asked, MODES, z), library_walk(asked, MODES, z), strict=True)
    return max(error(found, wanted) for found, wanted in pairs)


def schedule_error(page: Page, name: str) -> float:
    t = torch.linspace(0, 1, 41, dtype=torch.float64)
    schedule = SCHEDULES[name]
    asked = "(name) => ['alpha', 'sigma', 'logSnr'].map((what) => Array.from({ length: 41 }, (_, k) => "
    found = page.evaluate(asked + "Field.SCHEDULES[name][what](k / 40)))", name)
    wanted = [schedule.alpha(t), schedule.sigma(t), schedule.log_snr(t)]
    return max(error(tensor(a), b) for a, b in zip(found, wanted, strict=True))


LEVELS = [(1.0, 0.0), (0.8, 0.6), (0.1, 0.995), (0.0, 1.0), (1.0, 30.0)]


def mixture_error(page: Page) -> float:
    asked = """([modes, x, alpha, sigma]) => {
        const mixture = Field.mixtureOf(modes), at = Float64Array.from(x);
        const answers = [mixture.logProb(at, alpha, sigma), mixture.score(at, alpha, sigma)];
        return [...answers, mixture.posteriorMean(at, alpha, sigma)].map((values) => Array.from(values));
    }"""
    worst, exact = 0.0, mixture(MODES)
    for alpha, sigma in LEVELS:
        log_prob, score, mean = page.evaluate(asked, [MODES, flat(POINTS), alpha, sigma])
        worst = max(worst, error(tensor(log_prob), exact.log_prob(POINTS, alpha, sigma)))
        worst = max(worst, error(points(score), exact.score(POINTS, alpha, sigma)))
        worst = max(worst, error(points(mean), exact.posterior_mean(POINTS, alpha, sigma)))
    return worst


def grid_error(page: Page) -> float:
    """Of the density that is drawn, in units of its greatest value."""
    asked = """([modes, alpha, sigma, grid]) =>
        Array.from(Field.densityGrid(Field.mixtureOf(modes), alpha, sigma, grid))"""
    place = {"x": -2.9, "y": 2.1, "h": 0.07, "width": 83, "height": 61}
    y, x = torch.meshgrid(
        2.1 - 0.07 * torch.arange(61.0).double(), -2.9 + 0.07 * torch.arange(83.0).double(), indexing="ij"
    )
    worst = 0.0
    for alpha, sigma in LEVELS[:4]:
        wanted = mixture(MODES).log_prob(torch.stack([x, y], dim=-1), alpha, sigma).exp().flatten()
        found = tensor(ask(page, asked, [MODES, alpha, sigma, place]))
        worst = max(worst, float((found - wanted).abs().max() / wanted.max()))
    return worst


def quality_error(page: Page) -> float:
    """Of the counts of samples, on equal round modes, where the library has them too."""
    ring = toy2d.ring(8, radius=1.9, std=0.12)
    x = ring.sample(500, generator=torch.Generator().manual_seed(1)).double()
    x[:100] *= 1.2
    x[100:130] = torch.tensor([math.inf, 0.0])
    given = [{"x": a, "y": b, "weight": 1, "long": 0.12, "short": 0.12, "angle": 0} for a, b in ring.means.tolist()]
    asked = "([x, modes]) => Field.quality(Float64Array.from(x), Field.mixtureOf(modes))"
    found = page.evaluate(asked, [flat(x[130:]), given])
    counted = modes.mode_coverage(x[130:], ring.means, 0.12)
    shares = tensor(found["shares"])
    kl = torch.xlogy(shares, 8 * shares).sum()
    all_of_them = page.evaluate(asked, [flat(x), given])["good"]
    off = abs(all_of_them - float(modes.mode_coverage(x, ring.means, 0.12).high_quality))
    wanted = [counted.high_quality, counted.covered, counted.reverse_kl]
    return off + error(tensor([found["good"], found["covered"], float(kl)]), tensor([float(value) for value in wanted]))


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules_are_the_librarys(field: Page, name: str) -> None:
    assert schedule_error(field, name) < 1e-12


@pytest.mark.parametrize("name", SCHEDULES)
def test_times_are_the_librarys(field: Page, name: str) -> None:
    schedule = SCHEDULES[name]
    largest = None if float(schedule.alpha(tensor(1.0))) else 50.0
    asked = "([name, largest]) => Array.from(Field.ladder(Field.SCHEDULES[name], 12, 0.05, largest))"
    wanted = langevin.ladder(schedule, 12, smallest=0.05, largest=largest)
    assert error(tensor(field.evaluate(asked, [name, largest])), wanted) < 1e-12
    grid = field.evaluate("Array.from(Field.timeGrid(7))")
    assert error(tensor(grid), samplers.time_grid(schedule, 7)) < 1e-15


def test_a_mixtures_density_score_and_denoiser_are_the_librarys(field: Page) -> None:
    assert mixture_error(field) < TOLERANCE


def test_the_density_that_is_drawn_is_the_mixtures(field: Page) -> None:
    assert grid_error(field) < 1e-9


def test_a_drawn_line_is_made_of_gaussians_as_the_swiss_roll_is(field: Page) -> None:
    roll = toy2d.swiss_roll(0.05)
    angle = math.pi + 3 * math.pi * torch.linspace(0, 1, 20_001, dtype=torch.float64)
    curve = 2 * (angle / angle[-1]).unsqueeze(1) * torch.stack([angle.cos(), angle.sin()], dim=1)
    found = field.evaluate("(line) => Field.alongCurve(line, 0.05)", curve.tolist())
    assert error(points(found), roll.means) < TOLERANCE
    assert field.evaluate("Field.alongCurve([[1, 2]], 0.1)") == [[1, 2]]
    assert field.evaluate("Field.alongCurve([[1, 2], [1, 2]], 0.1).length") == 1


@pytest.mark.parametrize(("sampler", "name"), list(product(SAMPLERS, SCHEDULES)))
def test_every_sampler_walks_as_the_librarys(field: Page, sampler: str, name: str) -> None:
    for steps in (1, 2, 7):
        assert walk_error(field, sampler=sampler, schedule=name, steps=steps) < TOLERANCE


@pytest.mark.parametrize("eta", [0.3, 1.0])
@pytest.mark.parametrize("w", [0.0, 2.5])
@pytest.mark.parametrize("sampler", ["ddim", "heun", "dpm-solver", "annealed", "langevin"])
def test_noise_and_guidance_are_the_librarys(field: Page, sampler: str, eta: float, w: float) -> None:
    assert walk_error(field, sampler=sampler, eta=eta, label=1, w=w) < TOLERANCE


def test_a_walk_in_pieces_is_the_walk(field: Page) -> None:
    asked = """([choice, modes, chunk]) => {
        const plan = Field.plan(choice, modes), x = Field.gaussian(Field.random(1))(new Float64Array(24));
        const z = Field.gaussian(Field.random(2))(new Float64Array(24 * choice.steps));
        const noises = Array.from({ length: 12 / chunk }, (_, c) => {
            let step = 0;
            return () => z.subarray(24 * step + 2 * chunk * c, 24 * step++ + 2 * chunk * (c + 1));
        });
        let ticks = 0;
        const walk = new Field.Trajectory(plan.denoiser, plan.step, x, plan.times, noises, chunk);
        while (!walk.complete) walk.advance(ticks + 2, () => ticks++);
        return walk.states.map((state) => Array.from(state));
    }"""
    for sampler in ("ancestral", "dpm-solver"):
        whole, pieces = (ask(field, asked, [choice(sampler=sampler), MODES, chunk]) for chunk in (12, 3))
        assert whole == pieces


@pytest.mark.parametrize("name", SCHEDULES)
def test_the_forward_process_keeps_the_path(field: Page, name: str) -> None:
    """Step by step, what is left of x₀ is α and the variance σ², as on the line x_t = α·x₀ + σ·ε."""
    asked = """([name, times]) => times.slice(1).map((s, k) => {
        const denoiser = { schedule: Field.SCHEDULES[name] };
        const both = (value) => Float64Array.of(value, value);
        const part = (x, z) => Field.forward(denoiser, both(x), times[k], s, null, () => both(z));
        return [part(1, 0)[0][0], part(0, 1)[0][0]];
    })"""
    times = [k / 10 for k in range(11)]
    kept, variance = 1.0, 0.0
    for s, (share, drawn) in zip(times[1:], field.evaluate(asked, [name, times]), strict=True):
        kept, variance = kept * share, share**2 * variance + drawn**2
        assert kept == pytest.approx(float(SCHEDULES[name].alpha(tensor(s))), abs=1e-12)
        assert variance == pytest.approx(float(SCHEDULES[name].sigma(tensor(s))) ** 2, rel=1e-10)


@pytest.mark.parametrize("name", ["vp", "cosine"])
@pytest.mark.parametrize("sampler", SAMPLERS)
def test_the_calls_that_are_told_are_those_that_are_made(field: Page, sampler: str, name: str) -> None:
    asked = """([choice, modes]) => {
        let calls = 0;
        const plan = Field.plan(choice, modes), { average } = Field.GaussianMixture.prototype;
        Field.GaussianMixture.prototype.average = function (...given) { calls++; return average.apply(this, given); };
        const noises = [Field.gaussian(Field.random(1))], x = new Float64Array(4);
        new Field.Trajectory(plan.denoiser, plan.step, x, plan.times, noises).advance();
        Field.GaussianMixture.prototype.average = average;
        return [calls, plan.evaluations];
    }"""
    for steps, w in ((1, 0.0), (6, 0.0), (6, 2.0)):
        made, told = ask(field, asked, [choice(sampler=sampler, schedule=name, steps=steps, label=1, w=w), MODES])
        assert made == told


@pytest.mark.parametrize("seed", [0, 1, 77])
def test_random_numbers_are_normal_and_a_seed_gives_them_again(field: Page, seed: int) -> None:
    asked = "([seed, count]) => Array.from(Field.gaussian(Field.random(seed))(new Float64Array(count)))"
    count = 20_000
    z = tensor(ask(field, asked, [seed, count]))
    for power, wanted, variance in ((1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96)):
        assert abs(float((z**power).mean()) - wanted) < 4.5 * math.sqrt(variance / count)
    assert abs(float((z[1:] * z[:-1]).mean())) < 4.5 / math.sqrt(count)
    assert ask(field, asked, [seed, 50]) == z[:50].tolist()
    other = tensor(ask(field, asked, [seed + 1, count]))
    assert abs(float((z * other).mean())) < 4.5 / math.sqrt(count)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_draws_of_the_data_are_the_mixtures(field: Page, seed: int) -> None:
    asked = """([modes, seed]) => {
        const mixture = Field.mixtureOf(modes), x = mixture.sample(4000, Field.random(seed));
        return [Array.from(x), Field.quality(x, mixture)];
    }"""
    x, found = ask(field, asked, [MODES, seed])
    exact, drawn = mixture(MODES), points(x)
    off = (drawn.mean(0) - exact.mean) / (exact.covariance.diagonal() / 4000).sqrt()
    assert float(off.abs().max()) < 4.5
    assert torch.allclose(drawn.T.cov(), exact.covariance, atol=0.12)
    assert abs(found["good"] - modes.high_quality_ceiling()) < 4.5 * math.sqrt(0.0111 * 0.9889 / 4000) + 0.002
    assert found["spread"] == pytest.approx(1, abs=0.04)
    assert found["covered"] == 3


def test_samples_are_counted_as_the_library_counts(field: Page) -> None:
    assert quality_error(field) < TOLERANCE


def battery(page: Page) -> Iterator[float]:
    """How far each is from the library, one comparison after the other."""
    yield from (schedule_error(page, name) for name in SCHEDULES)
    yield from (walk_error(page, sampler=sampler, eta=0.5, label=1, w=2.0) for sampler in SAMPLERS)
    yield walk_error(page, sampler="heun", schedule="cosine")
    yield mixture_error(page)
    yield grid_error(page)
    yield quality_error(page)


FAULTS = {
    "the sign of guidance": ("mix(1 + w, one.eps, -w, other.eps)", "mix(1 - w, one.eps, w, other.eps)"),
    "w counted as the scale": ("mix(1 + w, one.x0, -w, other.x0)", "mix(w, one.x0, 1 - w, other.x0)"),
    "β for √β": ("mix(1, end, sqrt(beta), noise(x))", "mix(1, end, beta, noise(x))"),
    "η² for η": ("eta * sigma(s)) * sqrt(share)", "eta ** 2 * sigma(s)) * sqrt(share)"),
    "a root left out": ("kept = sigma(s) * sqrt(1 - eta ** 2 * share)", "kept = sigma(s) * (1 - eta ** 2 * share)"),
    "√h for √(2h)": ("sqrt(2 * h), noise(x)", "sqrt(h), noise(x)"),
    "downhill": ("mix(1, x, h, score(x))", "mix(1, x, -h, score(x))"),
    "Heun's whole change": ("alpha(t)) / 2; //", "alpha(t)); //"),
    "no memory": ("(2 * (now - state[1]))", "(now - state[1])"),
    "the score's sign": ("level(alpha, sigma), 4, -1, false", "level(alpha, sigma), 4, 1, false"),
    "σ for σ²": ("alpha ** 2 * spread + sigma ** 2", "alpha ** 2 * spread + sigma"),
    "a turn the wrong way": ("atan2(2 * b, a - c) / 2", "atan2(-2 * b, a - c) / 2"),
    "weights forgotten": ("log(this.weights[k]) - 0.5", "-0.5"),
    "β_max for its rise": ("((betaMax - betaMin) * t) / 4", "(betaMax * t) / 4"),
    "the cosine's offset": ("sin(a * (2 * s + t))", "sin(a * (s + t))"),
    "σ_max from the start": ("log(sigmaMax / sigmaMin) * t", "log(sigmaMax) * t"),
    "a row's slope": ("+ 2 * way * xy * h * dy", "- 2 * way * xy * h * dy"),
    "two deviations for three": ("fine = least <= 9", "fine = least <= 4"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_seen(scripted: Scripted, fault: str) -> None:
    source, (right, wrong) = mathematics("field"), FAULTS[fault]
    assert source.count(right) == 1
    with scripted(source.replace(right, wrong)) as page:
        assert any(not off < 1e-4 for off in battery(page))  # ten thousand times what the script is allowed


def test_without_a_fault_there_is_none(field: Page) -> None:
    assert all(off < TOLERANCE for off in battery(field))

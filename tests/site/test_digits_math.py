"""The digits' mathematics in the browser is the library's: schedule, times, guidance, every sampler, inpainting.

The network is a formula that both sides have, so that nothing is loaded and nothing is rounded. The shipped one is
compared in test_digits_page.py.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from playwright.sync_api import Page
from torch import Tensor

from diffusion_teach import samplers
from diffusion_teach.denoisers import Denoiser, Guided, Learned, score
from diffusion_teach.networks.network import Network
from diffusion_teach.schedules import Discrete, linear_betas
from tests.site.scripts import Scripted, ask, mathematics

TOLERANCE = 1e-9
ROWS, PIXELS = 2, 784
LINEAR = Discrete(linear_betas())
SAMPLERS = {
    "sde-dpm-solver": samplers.sde_dpm_solver,
    "dpm-solver": samplers.dpm_solver,
    "ancestral": samplers.ancestral,
    "ddim": samplers.ddim(0.0),
}
FORMULA = """
  const answer = async (x, t, labels) => Float64Array.from(x, (value, i) => {
    const row = Math.floor(i / 784), next = x[784 * row + ((i + 1) % 784)];
    return 0.6 * Math.sin(next + 0.7 * labels[row]) - t * value * Math.cos(i % 784) + 0.1;
  });
  const denoiser = Digits.Learned(answer, Digits.linear());
  const drawer = (z) => { const rows = z.map((row) => Float64Array.from(row)); return () => rows.shift(); };
"""


class Formula(Network):
    """The same in Python."""

    shape, classes = (1, 28, 28), 10

    def forward(self, x_t: Tensor, t: Tensor, cond: Tensor | None = None) -> Tensor:
        labels = torch.full((len(x_t),), 10) if cond is None else cond
        waves = torch.arange(PIXELS, dtype=torch.float64).cos().view(1, 1, 28, 28)
        following = x_t.flatten(1).roll(-1, 1).view(x_t.shape)
        return 0.6 * torch.sin(following + 0.7 * labels.double().view(-1, 1, 1, 1)) - t * x_t * waves + 0.1


def noises(count: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, ROWS, 1, 28, 28, dtype=torch.float64, generator=generator)


def asked(labels: list[int], w: float) -> Denoiser:
    learned = Learned(Formula(), LINEAR, "v")
    towards = learned.given(torch.tensor(labels))
    return Guided(towards, learned, w) if w else towards


def off(found: Any, wanted: Tensor) -> float:
    """The largest difference, infinite where the shapes are others or something is no number."""
    found = torch.tensor(found, dtype=torch.float64).flatten()
    wanted = wanted.flatten()
    if found.shape != wanted.shape or not torch.isfinite(found).all():
        return math.inf
    return float((found - wanted).abs().max())


def run(page: Page, body: str, **given: Any) -> Any:
    sent = {name: value.tolist() if isinstance(value, Tensor) else value for name, value in given.items()}
    return ask(page, f"async ({{ {', '.join(sent)} }}) => {{ {FORMULA} {body} }}", sent)


def schedule_off(page: Page) -> float:
    t = torch.cat([torch.tensor([1e-6, 0.5, 0.9999, 1.0]), torch.rand(40, generator=torch.Generator().manual_seed(1))])
    t = t.double()
    found = run(
        page,
        "const { alpha, sigma, logSnr } = Digits.linear(); return t.map((s) => [alpha(s), sigma(s), logSnr(s)]);",
        t=t,
    )
    return off(found, torch.stack([LINEAR.alpha(t), LINEAR.sigma(t), LINEAR.log_snr(t)], dim=1))


def times_off(page: Page) -> float:
    found = run(page, "return [1, 2, 15, 100].map((steps) => [...Digits.logisticGrid(Digits.linear(), steps)]).flat();")
    return off(found, torch.cat([samplers.time_grid(LINEAR, n, spacing="logistic") for n in (1, 2, 15, 100)]))


def walk_off(page: Page, sampler: str, labels: list[int], w: float, steps: int = 4) -> float:
    """All states of a walk, and what the model sees in them."""
    z, times = noises(steps + 1), samplers.time_grid(LINEAR, steps, spacing="logistic")
    found = run(
        page,
        """const like = new Float64Array(2 * 784), states = [], guesses = [];
           const walk = Digits.walk(denoiser, { labels, w, sampler }, Float64Array.from(times), like, drawer(z));
           for await (const { x, x0 } of walk) (states.push([...x]), guesses.push([...x0]));
           return [states, guesses];""",
        **{"z": z.view(steps + 1, -1), "times": times, "labels": labels, "w": w, "sampler": sampler},
    )
    draws, model = iter(z[1:]), asked(labels, w)
    start = LINEAR.sigma(times[0]) * z[0]
    states = list(samplers.trajectory(model, SAMPLERS[sampler], start, times, noise=lambda like: next(draws)))
    guesses = [model(x, t).x0 for x, t in zip(states, times[:-1], strict=False)]
    return max(off(found[0], torch.stack(states)), off(found[1], torch.stack([*guesses, states[-1]])))


def inpaint_off(page: Page, sampler: str, repeats: int, w: float = 0.0, steps: int = 4) -> float:
    z, times = noises(4 * steps * repeats + 4, seed=3), samplers.time_grid(LINEAR, steps, spacing="logistic")
    y, known = noises(1, seed=4)[0, :1].clamp(-1, 1), noises(1, seed=5)[0, :1] > 0.3
    found = run(
        page,
        """const tiled = (of) => Float64Array.from({ length: 2 * 784 }, (_, i) => of[i % 784]);
           const paint = { y: tiled(y), known: tiled(known), repeats }, ask = { labels: [3, 10], w, sampler };
           let last = null;
           const walk = Digits.walk(denoiser, ask, Float64Array.from(times), tiled(y), drawer(z), paint);
           for await (const { x } of walk) last = x;
           return [...last];""",
        **{"z": z.view(len(z), -1), "times": times, "y": y.flatten(), "known": known.int().flatten()},
        **{"repeats": repeats, "w": w, "sampler": sampler},
    )
    draws = iter(z)
    wanted = samplers.inpaint(
        asked([3, 10], w),
        y.expand(ROWS, -1, -1, -1),
        known,
        times,
        step={"sde-dpm-solver": samplers.ancestral, "dpm-solver": samplers.ddim(0.0)}.get(sampler, SAMPLERS[sampler]),
        repeats=repeats,
        noise=lambda like: next(draws),
    )
    return off(found, wanted)


def score_off(page: Page) -> float:
    x, t = noises(1, seed=6)[0], torch.tensor(0.4, dtype=torch.float64)
    found = run(
        page,
        """const { eps } = await denoiser(Float64Array.from(x), 0.4, [1, 2]), sigma = Digits.linear().sigma(0.4);
           return [0, 1].map((row) => Digits.scoreNorm(eps.subarray(784 * row, 784 * row + 784), sigma));""",
        x=x.flatten(),
    )
    return off(found, score(asked([1, 2], 0), x, t).flatten(1).norm(dim=1)) / 28


@pytest.fixture(scope="module")
def digits(scripted: Scripted) -> Iterator[Page]:
    with scripted(mathematics("digits")) as page:
        yield page


def test_the_schedule_is_the_checkpoints(digits: Page) -> None:
    assert schedule_off(digits) < TOLERANCE


def test_the_times_are_those_that_the_book_draws_by(digits: Page) -> None:
    assert times_off(digits) < TOLERANCE


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize(("labels", "w"), [([3, 8], 0.0), ([10, 10], 0.0), ([0, 7], 2.5)])
def test_a_walk_is_the_librarys(digits: Page, sampler: str, labels: list[int], w: float) -> None:
    assert walk_off(digits, sampler, labels, w) < TOLERANCE


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize(("repeats", "w"), [(1, 0.0), (3, 0.0), (2, 1.5)])
def test_inpainting_is_the_librarys(digits: Page, sampler: str, repeats: int, w: float) -> None:
    assert inpaint_off(digits, sampler, repeats, w) < TOLERANCE


def test_the_length_of_the_score(digits: Page) -> None:
    assert score_off(digits) < TOLERANCE


def test_a_digit_is_the_same_alone_and_beside_others(digits: Page) -> None:
    found = run(
        digits,
        """const two = Digits.noiseOf([5, 9]), one = Digits.noiseOf([9]), apart = [];
           for (let k = 0; k < 3; k++) {
             const a = two(new Float64Array(2 * 784)), b = one(new Float64Array(784));
             apart.push(Math.max(...b.map((value, i) => Math.abs(value - a[784 + i]))), a[0] - a[784]);
           }
           return apart;""",
    )
    assert found[::2] == [0, 0, 0]
    assert all(abs(value) > 1e-9 for value in found[1::2])


def test_a_drawing_survives_its_text(digits: Page) -> None:
    found = run(
        digits,
        """const pad = Digits.pad();
           pad.stamp("ink", 14.2, 9.7);
           pad.stamp("paper", 20, 20);
           pad.stamp("ink", 6, 6);
           pad.stamp("free", 6, 6);
           const text = pad.encode(), other = Digits.pad();
           other.decode(text);
           return {
             text, again: other.encode(),
             y: [...pad.y], same: [...other.y], known: [...pad.known], also: [...other.known],
           };""",
    )
    assert found["again"] == found["text"]
    assert found["y"] == found["same"]
    assert found["known"] == found["also"]
    y, known = torch.tensor(found["y"]).view(28, 28), torch.tensor(found["known"]).view(28, 28)
    assert y[9, 13] > 0.9  # ink in the middle, softer outward, and paper around
    assert -1 < y[10, 14] < 1
    assert known[20, 20] == 1
    assert y[20, 20] == -1
    assert known[6, 6] == 0
    assert int(known.sum()) < 60


@pytest.mark.parametrize("text", ["", "A9999", "_784Q<b>", "P3" * 900, "__proto__", "A0A0"])
def test_no_text_breaks_the_sheet(digits: Page, text: str) -> None:
    found = run(digits, "const pad = Digits.pad(); pad.decode(text); return [[...pad.y], [...pad.known]];", text=text)
    assert len(found[0]) == len(found[1]) == PIXELS
    assert all(-1 <= value <= 1 for value in found[0])


def battery(page: Page) -> Iterator[float]:
    """How far each is from the library, one comparison after the other."""
    yield schedule_off(page)
    yield times_off(page)
    yield from (walk_off(page, sampler, [0, 7], 2.5) for sampler in ("sde-dpm-solver", "ddim"))
    yield inpaint_off(page, "sde-dpm-solver", 2)
    yield score_off(page)


FAULTS = {
    "v with the wrong sign": ("of.alpha(t), x, -of.sigma(t), v)", "of.alpha(t), x, of.sigma(t), v)"),
    "w counted as the scale": ("mix(1 + w, towards.eps, -w, away.eps)", "mix(w, towards.eps, 1 - w, away.eps)"),
    "guided past x0 alone": ("mix(1 + w, towards.eps, -w, away.eps)", "towards.eps"),
    "the label bound to both": ("labels.map(() => NONE)", "labels"),
    "a table one step short": ("k < steps; k++) table", "k < steps - 1; k++) table"),
    "the betas of another table": ("[0.1 / steps, 20 / steps]", "[0.85 / steps, 12 / steps]"),
    "α for ᾱ": ("table[k] + 0.5 * log1p", "table[k] + log1p"),
    "as narrow towards data": ("ABOVE = 2.2", "ABOVE = 1.3"),
    "times that are even": ("return timeOf(of, MIDDLE + ", "return 1 - k / steps + 0 * (MIDDLE + "),
    "no noise on what is put in": ("sigma(s), noise(like));", "0, noise(like));"),
    "put in at the time before": ("x = putIn(x, s);", "x = putIn(x, t);"),
    "put in where it is not known": ("paint.known[i] ? level[i] : value", "paint.known[i] ? value : level[i]"),
    "the way back up without its noise": ("(share * sigma(s)) ** 2, 0)), z)", "(share * sigma(s)) ** 2, 0)) * 0, z)"),
    "a last step that is walked again": ("paint && s > 0 ?", "paint ?"),
    "a solver that remembers": ("if (paint) state = null;", ""),
    "the score without its σ": ("sum + e * e, 0)) / sigma", "sum + e * e, 0))"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_seen(scripted: Scripted, fault: str) -> None:
    source, (right, wrong) = mathematics("digits"), FAULTS[fault]
    assert source.count(right) == 1
    with scripted(source.replace(right, wrong)) as page:
        assert any(not error < 1e-3 for error in battery(page))


def test_without_a_fault_there_is_none(digits: Page) -> None:
    assert all(error < TOLERANCE for error in battery(digits))

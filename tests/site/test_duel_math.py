"""The duel's mathematics in the browser is the library's: the same inputs give the same numbers, slopes and steps."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from playwright.sync_api import Page
from torch import Tensor

from diffusion_teach import samplers
from diffusion_teach.datasets import toy2d
from diffusion_teach.denoisers import Exact, Learned
from diffusion_teach.exact import GaussianMixture
from diffusion_teach.metrics.modes import mode_coverage
from diffusion_teach.networks.mlp import MLP, TimeMLP
from diffusion_teach.objectives.adversarial import Game
from diffusion_teach.objectives.diffusion import diffusion_loss, sample_times
from diffusion_teach.parameterizations import add_noise, target
from diffusion_teach.schedules import Cosine
from diffusion_teach.studies.duel2d import contenders
from diffusion_teach.training import EMA, fit, fit_gan
from tests.site.scripts import Scripted, ask, mathematics

BATCH = contenders.BATCH
TIGHT = 1e-9  # both compute in float64; the page promises 1e-4
PROMISED = 1e-4

# Networks of the sizes that the page trains, with the weights that Python sends.
NETWORKS = """
  const of = (network, theta) => (network.theta.set(theta), network);
  const array = (list) => Float64Array.from(list);
  const player = (octaves, theta, out) => of(new Duel.MLP(2, out, 64, 2, octaves), theta);
  const denoiser = (octaves, theta) => of(new Duel.TimeMLP(2, 87, 2, octaves), theta);
"""


@pytest.fixture(scope="module")
def duel(scripted: Scripted) -> Iterator[Page]:
    with scripted(mathematics("duel")) as page:
        yield page


def run(page: Page, body: str, **given: Any) -> Any:
    sent = {name: value.tolist() if isinstance(value, Tensor) else value for name, value in given.items()}
    names = ", ".join(sent)
    return ask(page, f"({{{names}}}) => {{{NETWORKS}\n{body}}}", sent)


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def weights(network: torch.nn.Module) -> Tensor:
    return torch.cat([p.detach().flatten() for p in network.parameters()])


def gradient(network: torch.nn.Module, loss: Tensor) -> Tensor:
    return torch.cat([g.flatten() for g in torch.autograd.grad(loss, list(network.parameters()))])


def player(octaves: int, out: int, seed: int) -> MLP:
    return MLP(2, out, 64, 2, octaves, generator=torch.Generator().manual_seed(seed)).double()


def denoiser(octaves: int, seed: int = 3) -> Learned:
    g = torch.Generator().manual_seed(seed)
    return Learned(TimeMLP(2, 87, 2, octaves, generator=g).double(), Cosine(), target="v")


def off(found: Any, wanted: Tensor | float) -> float:
    """The largest error, relative to the largest number, or absolute where all are small."""
    wanted = torch.as_tensor(wanted, dtype=torch.float64).flatten()
    found = torch.as_tensor(found, dtype=torch.float64).flatten()
    assert found.shape == wanted.shape
    return float((found - wanted).abs().max() / wanted.abs().max().clamp(min=1.0))


def gan_off(page: Page, octaves: int, game: str, r1: float, r2: float) -> float:
    """How far the losses, penalty and gradients of both turns are from the library's."""
    g, d = player(octaves, 2, 1), player(octaves, 1, 2)
    real, z = normal(BATCH, 2, seed=4), normal(BATCH, 2, seed=5)
    rules = Game(name=game, r1=r1, r2=r2)
    fake = g(z)
    loss, penalty = rules.discriminator_turn(d, real, fake.detach(), torch.zeros(BATCH, dtype=torch.float64))
    to_fool = rules.generator_turn(d, real, fake)
    found = run(
        page,
        """const G = player(octaves, thetaG, 2), D = player(octaves, thetaD, 1);
           const turn = Duel.discriminatorTurn(D, array(both), 64, game, r1, r2), ofD = [...D.grad];
           const generator = Duel.generatorTurn(G, D, array(real), array(z), 64, game);
           return { ...turn, ofD, generator, ofG: [...G.grad] };""",
        **{"octaves": octaves, "game": game, "r1": r1, "r2": r2, "thetaG": weights(g), "thetaD": weights(d)},
        **{"both": torch.cat([real, fake.detach()]).flatten(), "real": real.flatten(), "z": z.flatten()},
    )
    return max(
        off(found["loss"], loss.detach()),
        off(found["penalty"], penalty.detach()),
        off(found["generator"], to_fool.detach()),
        off(found["ofD"], gradient(d, loss + penalty)),
        off(found["ofG"], gradient(g, to_fool)),
    )


def diffusion_off(page: Page, octaves: int) -> float:
    model = denoiser(octaves)
    x0, eps = normal(BATCH, 2, seed=6), normal(BATCH, 2, seed=7)
    t = sample_times(Cosine(), (BATCH,), generator=torch.Generator().manual_seed(8)).double()
    loss = diffusion_loss(model, x0, t=t, eps=eps)
    found = run(
        page,
        """const net = denoiser(octaves, theta), loss = Duel.diffusionTurn(net, array(x0), array(t), array(eps), 64);
           return { loss, grad: [...net.grad] };""",
        **{"octaves": octaves, "theta": weights(model), "x0": x0.flatten(), "eps": eps.flatten(), "t": t},
    )
    return max(off(found["loss"], loss.detach()), off(found["grad"], gradient(model, loss)))


def training_off(page: Page, octaves: int, game: str, gamma: float, steps: int = 12) -> float:
    """Train both for a few steps on the same draws, with the library's own loops: how far the weights end apart."""
    g, d, model = player(octaves, 2, 1), player(octaves, 1, 2), denoiser(octaves)
    start = {"thetaG": weights(g), "thetaD": weights(d), "theta": weights(model)}
    average_g, average = EMA(g, contenders.AVERAGE), EMA(model, contenders.AVERAGE)
    real, z, z_next, x0, eps = (normal(steps, BATCH, 2, seed=10 + k) for k in range(5))
    t = torch.linspace(1e-4, 1, BATCH, dtype=torch.float64).expand(steps, BATCH)
    noise = torch.stack([z, z_next], dim=1).flatten(0, 1)
    reals, noises, batches = iter(real), iter(noise), iter(zip(x0, t, eps, strict=True))
    losses = []

    def loss() -> Tensor:
        clean, times, drawn = next(batches)
        return diffusion_loss(model, clean, t=times, eps=drawn)

    history = fit_gan(
        g,
        d,
        lambda: next(reals),
        lambda: next(noises),
        steps=steps,
        game=game,
        r1=gamma,
        r2=gamma,
        lr=8e-3,
        ema=average_g,
    )
    losses += [*history.losses, *fit(model, loss, steps=steps, lr=1.6e-2, ema=average).losses]
    found = run(
        page,
        """const rates = { lrGAN: 8e-3, lrDiffusion: 1.6e-2 };
           const match = new Duel.Match({ data: Duel.ring(), octaves, game, gamma, steps, ...rates });
           of(match.G, thetaG), of(match.ema.G.model, thetaG), of(match.D, thetaD);
           of(match.net, theta), of(match.ema.net.model, theta);
           const gan = [], regression = [];
           for (const [real, z, zNext, x0, eps, t] of draws.map((row) => row.map(array))) {
             for (const _ of match.step({ real, z, zNext, x0, eps, t }));
             gan.push(match.last.discriminator), regression.push(match.last.diffusion);
           }
           const nets = [match.G, match.D, match.net, match.ema.G.model, match.ema.net.model];
           return { losses: [...gan, ...regression], weights: nets.map((network) => [...network.theta]) };""",
        **{"octaves": octaves, "game": game, "gamma": gamma, "steps": steps, **start},
        draws=[[part[k].flatten().tolist() for part in (real, z, z_next, x0, eps, t)] for k in range(steps)],
    )
    trained = (g, d, model, average_g.model, average.model)
    apart = [off(theirs, weights(ours)) for theirs, ours in zip(found["weights"], trained, strict=True)]
    return max(off(found["losses"], torch.tensor(losses)), *apart)


@pytest.mark.parametrize("octaves", [0, 5])
@pytest.mark.parametrize("game", ["non-saturating", "relativistic"])
@pytest.mark.parametrize(("r1", "r2"), [(0.0, 0.0), (0.3, 0.0), (0.0, 0.7), (0.1, 0.1)])
def test_the_games_losses_penalties_and_gradients(duel: Page, octaves: int, game: str, r1: float, r2: float) -> None:
    assert gan_off(duel, octaves, game, r1, r2) < TIGHT


@pytest.mark.parametrize("octaves", [0, 5])
def test_the_regressions_loss_and_gradient(duel: Page, octaves: int) -> None:
    assert diffusion_off(duel, octaves) < TIGHT


@pytest.mark.parametrize(("octaves", "game", "gamma"), [(5, "non-saturating", 0.1), (0, "relativistic", 0.0)])
def test_training_goes_the_same_way(duel: Page, octaves: int, game: str, gamma: float) -> None:
    assert training_off(duel, octaves, game, gamma) < 1e-6  # Adam divides by slopes that may be near 0


FAULTS = {
    "a penalty without its half": ("penalty += 0.5 * weight", "penalty += weight"),
    "R1 and R2 changed over": ("k < 2 * n ? r1 : r2", "k < 2 * n ? r2 : r1"),
    "the second slope of silu": ("(2 + z[k] * (1 - 2 * s[k]))", "(2 + z[k] * (1 - s[k]))"),
    "no second slope at all": ("at[k] += slopeH[k] * zDot[k]", "at[k] += 0 * slopeH[k] * zDot[k]"),
    "weights that miss the tangent": ("if (rates) addProduct(dW", "if (false) addProduct(dW"),
    "a cosine's slope with the wrong sign": ("-(2 ** k) * h[sin] * rate", "2 ** k * h[sin] * rate"),
    "slopes of features without their frequency": ("sum += 2 ** k * (h[cos]", "sum += (h[cos]"),
    "the relativistic game the wrong way": ("softplus(fake - real) / n", "softplus(real - fake) / n"),
    "a generator that saturates": ("dy[i] = -sigmoid(-lead) / n", "dy[i] = -sigmoid(lead) / n"),
    "v with the wrong sign": ("a * eps[k] - b * x0[k]", "a * eps[k] + b * x0[k]"),
    "the variance for its root": ("(t) => 0.5 * log(variance(t)), alpha)", "(t) => log(variance(t)), alpha)"),
    "time at the wrong frequencies": ("TIME_OCTAVES, PI / 2,", "TIME_OCTAVES, PI,"),
    "Adam without the root of its second moment": ("(sqrt(v[k]) / root", "(v[k] / root"),
    "Adam with momentum in the game": ("new Adam(G, 0, 0.99)", "new Adam(G, 0.9, 0.99)"),
    "an average that does not warm up": ("(2 + this.updates) / (11 + this.updates)", "1"),
    "a learning rate that stays": ("0.5 * (1 + cos((PI * step) / steps))", "1"),
}  # fmt: skip


def battery(page: Page) -> Iterator[float]:
    """How far each is from the library, one comparison after the other."""
    yield from (gan_off(page, 5, game, 0.3, 0.7) for game in ("non-saturating", "relativistic"))
    yield diffusion_off(page, 5)
    yield training_off(page, 5, "non-saturating", 0.1, steps=3)


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_seen(scripted: Scripted, name: str) -> None:
    old, new = FAULTS[name]
    text = mathematics("duel")
    assert text.count(old) == 1
    with scripted(text.replace(old, new)) as page:
        assert any(not error < PROMISED for error in battery(page))


def test_without_a_fault_there_is_none(duel: Page) -> None:
    assert all(error < PROMISED for error in battery(duel))


def test_the_penalty_is_half_the_rate_along_its_own_slope(duel: Page) -> None:
    """Ḋ along ẋ = c·g is c·‖g‖², by the forward pass alone: what the derivation in the script rests on."""
    found = run(
        duel,
        """const D = new Duel.MLP(2, 1, 64, 2, 5).reset(Duel.random(1));
           const x = Duel.random(2).normal(new Float64Array(20));
           D.forward(x, 10);
           const g = D.inputGradients(new Float64Array(10).fill(1), 10).slice();
           D.push(g, 10);
           const { W } = D.layers[2], rates = Array.from({ length: 10 }, (_, r) =>
             W.reduce((sum, w, k) => sum + w * D.hDot[2][64 * r + k], 0));
           return { rates, squares: rates.map((_, r) => g[2 * r] ** 2 + g[2 * r + 1] ** 2) };""",
    )
    assert off(found["rates"], torch.tensor(found["squares"], dtype=torch.float64)) < TIGHT


def test_the_perfect_denoisers_loss(duel: Page) -> None:
    mixture, schedule, g = contenders.data()["grid"], Cosine(), torch.Generator().manual_seed(21)
    x0, eps = mixture.sample(200, generator=g).double(), normal(200, 2, seed=22)
    t = sample_times(schedule, (200,), generator=g).double()
    best = Exact(mixture, schedule)(add_noise(schedule, t, x0, eps), t)
    error = target("v", schedule, t, best.x0, best.eps) - target("v", schedule, t, x0, eps)
    found = run(
        duel,
        "return Duel.exactLoss(Duel.unitSpread(Duel.grid()), array(x0), array(t), array(eps), 200);",
        **{"x0": x0.flatten(), "t": t, "eps": eps.flatten()},
    )
    assert found == pytest.approx(float(error.square().mean()), abs=TIGHT)


@pytest.mark.parametrize("octaves", [0, 5])
def test_samples_walk_back_as_the_librarys_do(duel: Page, octaves: int) -> None:
    model, start = denoiser(octaves).eval(), normal(50, 2, seed=20)
    times = samplers.time_grid(Cosine(), contenders.EVALUATIONS)
    with torch.no_grad():
        wanted = samplers.sample(model, samplers.ddim(), start, times)
    found = run(
        duel,
        """const net = denoiser(octaves, theta), x = array(start);
           const times = Duel.timeGrid(25), learned = Duel.Learned(net), step = Duel.ddim();
           const walk = (x, k) => step(learned, x, times[k], times[k + 1])[0];
           return [...[...Array(25).keys()].reduce(walk, x)];""",
        **{"octaves": octaves, "theta": weights(model), "start": start.flatten()},
    )
    assert off(found, wanted) < TIGHT


@pytest.mark.parametrize(
    ("name", "mixture"),
    [
        ("ring", toy2d.ring()),
        ("grid", toy2d.grid()),
        ("twoMoons", toy2d.two_moons()),
        ("swissRoll", toy2d.swiss_roll()),
    ],
)
def test_the_data_are_the_librarys(duel: Page, name: str, mixture: GaussianMixture) -> None:
    wanted = toy2d.unit_spread(mixture)
    found = run(duel, f"const d = Duel.unitSpread(Duel.{name}()); return {{ means: d.means, std: d.std }};")
    assert off(found["means"], wanted.means) < 1e-7
    assert off(found["std"], float(wanted.covariances[0, 0, 0].sqrt())) < TIGHT


def test_modes_are_counted_as_the_library_counts_them(duel: Page) -> None:
    mixture = contenders.data()["grid"]
    x = torch.cat([mixture.sample(300, generator=torch.Generator().manual_seed(1))[:200], normal(200, 2, seed=2)])
    wanted = contenders.measure(x, mixture)
    found = run(duel, "return Duel.quality(array(x), Duel.unitSpread(Duel.grid()));", x=x.double().flatten())
    assert found["covered"] == int(wanted.covered)
    assert found["good"] == pytest.approx(float(wanted.high_quality), abs=1e-12)


def test_times_and_schedule(duel: Page) -> None:
    t = torch.linspace(0, 1, 11, dtype=torch.float64)
    found = run(
        duel,
        """return { alpha: t.map(Duel.schedule.alpha), sigma: t.map(Duel.schedule.sigma),
                    times: [...Duel.sampleTimes(new Float64Array(64), 0.7)] };""",
        t=t,
    )
    schedule = Cosine()
    assert off(found["alpha"], schedule.alpha(t)) < TIGHT
    assert off(found["sigma"], schedule.sigma(t)) < 1e-8
    assert off(found["times"], 1e-4 + (1 - 1e-4) * ((0.7 + torch.arange(64, dtype=torch.float64) / 64) % 1)) < TIGHT


def test_the_contenders_are_those_of_the_chapter(duel: Page) -> None:
    for octaves in (0, contenders.OCTAVES):
        found = run(
            duel,
            """const match = new Duel.Match({ data: Duel.ring(), octaves });
               const { BATCH: batch, OCTAVES: octaves_, EVALUATIONS: evaluations } = Duel;
               return { ...match.parameters, batch, octaves: octaves_, evaluations };""",
            octaves=octaves,
        )
        gan = player(octaves, 2, 1).parameters_per_member + player(octaves, 1, 1).parameters_per_member
        assert found["gan"] == gan
        assert found["diffusion"] == sum(p.numel() for p in denoiser(octaves).parameters())
        assert found["diffusion"] == pytest.approx(gan, rel=0.05)
        assert (found["batch"], found["octaves"]) == (contenders.BATCH, contenders.OCTAVES)
        assert found["evaluations"] == contenders.EVALUATIONS


def test_random_numbers_have_the_right_laws(duel: Page) -> None:
    found = run(
        duel,
        """const n = 20000, rng = Duel.random(3, 1), u = Array.from({ length: n }, rng.uniform);
           const again = Duel.random(3, 1), other = Duel.random(3, 2), next = Duel.random(4, 1);
           return { u, z: [...rng.normal(new Float64Array(n))], firsts: [again, other, next].map((r) => r.uniform()),
                    points: [...Duel.unitSpread(Duel.ring()).sample(n, rng)],
                    bounds: new Duel.MLP(2, 1).reset(rng).layers.map(({ W, i }) => Math.max(...W) * Math.sqrt(i)) };""",
    )
    u, z = torch.tensor(found["u"]), torch.tensor(found["z"])
    assert float(u.mean()) == pytest.approx(0.5, abs=4 / math.sqrt(12 * 20_000))
    assert float(u.var()) == pytest.approx(1 / 12, abs=0.003)
    assert float(torch.corrcoef(torch.stack([u[1:], u[:-1]]))[0, 1]) == pytest.approx(0, abs=0.03)
    assert float(z.mean()) == pytest.approx(0, abs=4 / math.sqrt(20_000))
    assert float(z.var()) == pytest.approx(1, abs=0.04)
    assert float((z.abs() < 1).double().mean()) == pytest.approx(0.6827, abs=0.014)
    assert len({found["u"][0], *found["firsts"]}) == 3
    assert found["firsts"][0] == found["u"][0]
    assert all(0.9 < bound < 1 for bound in found["bounds"])
    points, ring = torch.tensor(found["points"], dtype=torch.float64).reshape(-1, 2), contenders.data()["ring"]
    scored = mode_coverage(points, ring.means, std=float(ring.covariances[0, 0, 0].sqrt()))
    assert float(scored.high_quality) == pytest.approx(1 - math.exp(-4.5), abs=0.004)
    assert float(scored.reverse_kl) < 7 / (2 * 20_000) * 5

"""Denoisers: exact and learned are the same to a sampler, and the score is refused where it is none."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from diffusion_teach.denoisers import Denoiser, Exact, Guided, Learned, score
from diffusion_teach.exact import Empirical, GaussianMixture
from diffusion_teach.networks.mlp import TimeMLP
from diffusion_teach.networks.network import Network
from diffusion_teach.networks.unet import UNet
from diffusion_teach.parameterizations import TARGETS, Prediction, add_noise, row, target
from diffusion_teach.schedules import VE, VP, Cosine, FlowMatching, Schedule, SubVP

SCHEDULES = {"vp": VP(), "sub-vp": SubVP(), "ve": VE(0.01, 9.0), "cosine": Cosine(), "linear": FlowMatching()}
MIXTURE = GaussianMixture(
    torch.tensor([1.0, 2.0]), torch.tensor([[-1.0, 0.5], [1.0, 0.0]]), torch.tensor([[[0.5, 0.3], [0.3, 0.4]]] * 2)
)
X = torch.randn(6, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


class Oracle(nn.Module):
    """A network that answers with the exact posterior mean of its target."""

    def __init__(self, schedule: Schedule, name: str) -> None:
        super().__init__()
        self.exact, self.name = Exact(MIXTURE, schedule), name

    def forward(self, x_t: Tensor, t: Tensor, cond: Tensor | None = None) -> Tensor:
        return target(self.name, self.exact.schedule, t, *self.exact(x_t, t))


@pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES)
@pytest.mark.parametrize("t", [torch.tensor(0.3), torch.linspace(0.05, 0.95, 6)], ids=["one", "each"])
def test_the_exact_score_is_that_of_the_noised_mixture(schedule: Schedule, t: Tensor) -> None:
    t = t.double()
    expected = MIXTURE.score(X, schedule.alpha(t), schedule.sigma(t))
    torch.testing.assert_close(score(Exact(MIXTURE, schedule), X, t), expected)
    for name in TARGETS:
        learned = Learned(Oracle(schedule, name), schedule, name)
        learned.unit_variance = False  # the oracle knows x_t as it is; "edm" would feed it x_t/N
        torch.testing.assert_close(score(learned, X, t), expected)
        torch.testing.assert_close(learned(X, t).x0, Exact(MIXTURE, schedule)(X, t).x0)


@pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES)
def test_edm_s_row_is_its_preconditioning(schedule: Schedule) -> None:
    """x̂₀ = c_skip·x + c_out·F(c_in·x) on x = x_t/α with σ/α for σ (Karras et al. 2022, table 1)."""
    t, s = torch.linspace(0.05, 0.95, 6, dtype=torch.float64), 0.5

    class Sine(nn.Module):
        def forward(self, x: Tensor, t: Tensor, cond: Tensor | None = None) -> Tensor:
            return torch.sin(3 * x)

    alpha, sigma = schedule.alpha(t)[:, None], (schedule.sigma(t) / schedule.alpha(t))[:, None]
    total = sigma**2 + s**2
    x = X / alpha
    expected = s**2 / total * x + sigma * s / total.sqrt() * torch.sin(3 * x / total.sqrt())
    learned = Learned(Sine(), schedule, "edm", data_std=s)
    torch.testing.assert_close(learned(X, t).x0, expected)
    torch.testing.assert_close(alpha * learned(X, t).x0 + schedule.sigma(t)[:, None] * learned(X, t).eps, X)
    assert learned.unit(t).eq(1).all()


def test_x0_and_eps_lie_on_the_line() -> None:
    t = torch.linspace(0.05, 1.0, 6, dtype=torch.float64)
    for schedule in SCHEDULES.values():
        for distribution in (MIXTURE, Empirical(X + 1)):
            x0, eps = Exact(distribution, schedule)(X, t)
            torch.testing.assert_close(schedule.alpha(t)[:, None] * x0 + schedule.sigma(t)[:, None] * eps, X)


def test_pure_noise_says_the_mean() -> None:
    x0, eps = Exact(MIXTURE, FlowMatching())(X, torch.tensor(1.0, dtype=torch.float64))
    torch.testing.assert_close(x0, MIXTURE.mean.expand(6, 2))
    torch.testing.assert_close(eps, X)


def test_the_exact_denoiser_works_on_a_batch_of_batches() -> None:
    t = torch.rand(2, 3, dtype=torch.float64) * 0.9 + 0.05
    exact = Exact(MIXTURE, VP())
    torch.testing.assert_close(exact(X.reshape(2, 3, 2), t).x0.reshape(6, 2), exact(X, t.flatten()).x0)


class Generator(Denoiser):
    """A generator passes points off as x₀: no posterior mean."""

    schedule = VP()
    is_posterior_mean = False

    def __call__(self, x_t: Tensor, t: Tensor) -> Prediction:
        return Prediction(x_t, x_t)


def test_what_is_no_posterior_mean_has_no_score() -> None:
    with pytest.raises(ValueError, match=r"Generator does not return E\[x0 \| x_t\]"):
        score(Generator(), X, torch.tensor(0.5))


class Labelled(Network):
    """A network that knows the exact ε of two Gaussians, by their label, and with the label 2 that of their mixture."""

    shape, classes = (2,), 2

    def __init__(self, schedule: Schedule) -> None:
        super().__init__()
        self.rows: list[int] = []
        one, other = (GaussianMixture(torch.ones(1), MIXTURE.means[k : k + 1], MIXTURE.covariances[:1]) for k in (0, 1))
        self.parts = [Exact(distribution, schedule) for distribution in (one, other, MIXTURE)]

    def forward(self, x_t: Tensor, t: Tensor, cond: Tensor | None = None) -> Tensor:
        self.rows.append(len(x_t))
        labels = torch.full((len(x_t),), 2) if cond is None else cond
        return torch.stack([part(x_t, t).eps for part in self.parts])[labels, torch.arange(len(x_t))]


def labelled(schedule: Schedule) -> Learned:
    return Learned(Labelled(schedule), schedule)


LABELS = torch.tensor([0, 1, 1, 0, 0, 1])


@pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES)
@pytest.mark.parametrize("t", [torch.tensor(0.3), torch.linspace(0.05, 0.95, 6)], ids=["one", "each"])
def test_guidance_adds_the_score_of_the_label_given_x(schedule: Schedule, t: Tensor) -> None:
    # ∇log p(x|c) + w·(∇log p(x|c) − ∇log p(x)) = ∇log p(x|c) + w·∇log p(c|x), by differentiating log p(c|x_t).
    t, w = t.double(), 1.7
    alpha, sigma = schedule.alpha(t), schedule.sigma(t)
    x = X.clone().requires_grad_(True)
    log_p = torch.stack([part.distribution.log_prob(x, alpha, sigma) for part in Labelled(schedule).parts])
    given_label = log_p[LABELS, torch.arange(6)]
    (expected,) = torch.autograd.grad((given_label + w * (given_label - log_p[2])).sum(), x)
    denoiser = labelled(schedule)
    x0, eps = Guided(denoiser.given(LABELS), denoiser, w)(X, t)
    torch.testing.assert_close(-eps / sigma.expand(6)[:, None], expected)
    torch.testing.assert_close(alpha.expand(6)[:, None] * x0 + sigma.expand(6)[:, None] * eps, X)


def test_one_network_is_called_once_with_twice_the_rows() -> None:
    half = torch.tensor(0.5, dtype=torch.float64)
    denoiser, twin = labelled(VP()), labelled(VP())
    pairs: list[tuple[Denoiser, Denoiser, list[int]]] = [
        (denoiser.given(LABELS), denoiser, [12]),
        (denoiser.given(LABELS), denoiser.given(1 - LABELS), [12]),
        (denoiser.given(LABELS), twin, [6]),
        (denoiser.given(LABELS), Exact(MIXTURE, VP()), [6]),
    ]
    for towards, away, rows in pairs:
        network = denoiser.network
        assert isinstance(network, Labelled)
        network.rows.clear()
        found = Guided(towards, away, 2.0)(X, half)
        assert network.rows == rows
        for both, one, other in zip(found, towards(X, half), away(X, half), strict=True):
            torch.testing.assert_close(both, 3 * one - 2 * other)


def test_a_worse_model_pulls_as_far_as_it_is_worse() -> None:
    # One Gaussian of variance 1 and one of 4: the guided score is that of N(0, τ²) with 1/τ² = 2/1 − 1/4.
    good, worse = (
        Exact(GaussianMixture(torch.ones(1), torch.zeros(1, 2), torch.full((1,), v)), VE()) for v in (1.0, 4.0)
    )
    t = torch.tensor(1e-3, dtype=torch.float64)
    guided = Guided(good, worse, 1.0)
    torch.testing.assert_close(-guided(X, t).eps / VE().sigma(t), -1.75 * X, rtol=1e-4, atol=1e-4)
    assert guided.shape == (2,)


def test_guidance_is_no_score_but_where_there_is_none() -> None:
    half, denoiser = torch.tensor(0.5, dtype=torch.float64), labelled(VP())
    towards = denoiser.given(LABELS)
    guided, plain = Guided(towards, denoiser, 2.0), Guided(towards, denoiser, 0.0)
    assert not guided.is_posterior_mean
    with pytest.raises(ValueError, match="Guided does not return"):
        score(guided, X, half)
    assert plain.is_posterior_mean
    for one, other in zip(plain(X, half), towards(X, half), strict=True):
        assert torch.equal(one, other)
    # The label "none" is not pulled anywhere.
    none = denoiser.given(torch.full((6,), 2))
    torch.testing.assert_close(Guided(none, denoiser, 2.0)(X, half).x0, denoiser(X, half).x0)


@pytest.mark.parametrize("t", [torch.tensor(0.3), torch.linspace(0.05, 0.95, 6)], ids=["one", "each"])
def test_guidance_between_two_log_snrs_leaves_all_others_alone(t: Tensor) -> None:
    t, denoiser = t.double(), labelled(VP())
    towards = denoiser.given(LABELS)
    log_snr = VP().log_snr(t)
    inside = (log_snr >= -3) & (log_snr <= 1)
    found = Guided(towards, denoiser, 2.0, between=(-3.0, 1.0))
    assert torch.equal(found.guides(t), inside)
    for both, always, alone in zip(found(X, t), Guided(towards, denoiser, 2.0)(X, t), towards(X, t), strict=True):
        torch.testing.assert_close(both, torch.where(inside.expand(6)[:, None], always, alone))


def test_where_it_does_not_guide_the_other_is_not_asked() -> None:
    class Mute(Exact):
        def __call__(self, x_t: Tensor, t: Tensor) -> Prediction:
            raise AssertionError("asked")

    towards, away = (kind(MIXTURE, VP()) for kind in (Exact, Mute))
    guided = Guided(towards, away, 1.0, between=(-2.0, 0.0))
    for t in (0.05, 0.95):
        time = torch.tensor(t, dtype=torch.float64)
        assert torch.equal(guided(X, time).x0, towards(X, time).x0)
    with pytest.raises(AssertionError, match="asked"):
        guided(X, VP().time_of(torch.tensor(-1.0, dtype=torch.float64)))


def test_a_network_s_label_for_none_is_no_label() -> None:
    torch.manual_seed(0)
    network = UNet((8, 8), blocks=1, dense=0, embedding=8, classes=3)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    denoiser = Learned(network, VP(), "v").eval().requires_grad_(False)
    assert (denoiser.classes, denoiser.shape, denoiser.device) == (3, (1, 28, 28), torch.device("cpu"))
    x, t, labels = torch.randn(2, 1, 28, 28), torch.tensor(0.6), torch.tensor([0, 2])
    with_label, without = denoiser.given(labels)(x, t), denoiser(x, t)
    for found, one, none in zip(Guided(denoiser.given(labels), denoiser, 0.5)(x, t), with_label, without, strict=True):
        assert not torch.allclose(one, none, atol=1e-3)
        torch.testing.assert_close(found, 1.5 * one - 0.5 * none, atol=1e-4, rtol=1e-4)


def test_conditions_and_guidance_that_cannot_be_are_refused() -> None:
    unconditional, denoiser = Learned(UNet((8, 8), blocks=1, dense=0, embedding=8), VP()), labelled(VP())
    assert unconditional.classes == Exact(MIXTURE, VP()).classes == 0
    with pytest.raises(ValueError, match="takes no labels.*ddpm-mnist-conditional"):
        unconditional.given(LABELS)
    with pytest.raises(ValueError, match="Exact takes no condition"):
        Exact(MIXTURE, VP()).given(LABELS)
    with pytest.raises(ValueError, match="cond must lie in 0 … 2, got 0 to 3"):
        denoiser.given(torch.tensor([0, 3]))
    with pytest.raises(TypeError, match="cond must hold whole numbers"):
        denoiser.given(torch.zeros(3))
    with pytest.raises(ValueError, match="guidance must be at least 0, got -1"):
        Guided(denoiser.given(LABELS), denoiser, -1.0)
    with pytest.raises(ValueError, match="between must be two log-SNRs, the smaller first"):
        Guided(denoiser.given(LABELS), denoiser, 1.0, between=(1.0, -1.0))
    with pytest.raises(ValueError, match="must share a schedule, got a VP and a Cosine"):
        Guided(denoiser.given(LABELS), labelled(Cosine()), 1.0)
    for network in (denoiser.network, "ddpm-mnist"):
        with pytest.raises(TypeError, match=r"away must be a denoiser, got .*Make one with Learned"):
            Guided(denoiser, network, 1.0)  # type: ignore[arg-type]


@pytest.mark.parametrize("rows", [4, 8])
def test_a_condition_of_other_rows_is_no_condition_of_these(rows: int) -> None:
    half, denoiser = torch.tensor(0.5, dtype=torch.float64), labelled(VP())
    other = denoiser.given(LABELS.repeat(2)[:rows])
    for asked in (other, Guided(other, denoiser, 2.0), Guided(denoiser.given(LABELS), other, 2.0)):
        with pytest.raises(ValueError, match=f"bound for {rows} rows, and x_t has 6. Bind one for each row"):
            asked(X, half)


def test_what_a_denoiser_says_of_itself() -> None:
    exact = Exact(Empirical(torch.zeros(4, 3, 2, 2)), VP())
    assert (exact.shape, exact.classes, exact.is_posterior_mean) == ((3, 2, 2), 0, True)
    plain = Learned(nn.Identity(), VP())
    assert (plain.shape, plain.classes, plain.members) == (None, 0, None)
    points = Learned(TimeMLP(3, width=8, members=5), VP())
    assert (points.shape, points.members) == ((3,), 5)
    bound = labelled(VP()).given(LABELS)
    assert (bound.shape, bound.classes) == ((2,), 0)


def test_bad_input_is_named() -> None:
    exact, half = Exact(MIXTURE, VP()), torch.tensor(0.5, dtype=torch.float64)
    zero = torch.zeros(())
    with pytest.raises(ValueError, match="no noise to tell from the data where sigma = 0"):
        exact(X, zero)
    with pytest.raises(ValueError, match="score is infinite where sigma = 0"):
        score(exact, X, zero)
    with pytest.raises(ValueError, match=r"alpha must be a number or have the leading shape of x.*\(5,\)"):
        exact(X, half.expand(5))
    with pytest.raises(ValueError, match=r"t must lie in \[0, 1\]"):
        score(exact, X, 2 * torch.ones(()))
    with pytest.raises(ValueError, match="Did you mean 'velocity'"):
        Learned(nn.Identity(), VP(), "velocty")
    with pytest.raises(TypeError, match="schedule must be a Schedule, got <class"):
        Learned(nn.Identity(), VP)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="schedule must be a Schedule, got 'vp'"):
        Exact(MIXTURE, "vp")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"network must be a torch\.nn\.Module"):
        Learned(lambda x, t, cond: x, VP())  # type: ignore[arg-type]
    for bad in (X[:, :1], X[0], None):
        broken = nn.Module()
        broken.forward = lambda x, t, cond, bad=bad: bad  # type: ignore[assignment]
        with pytest.raises((ValueError, TypeError), match="^y (and x_t )?must"):
            Learned(broken, VP())(X, half)


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize("schedule", [VE(0.02, 30.0), VP()], ids=lambda s: type(s).__name__)
def test_unit_variance_scales_what_the_network_sees_and_says(name: str, schedule: Schedule) -> None:
    """For data of unit variance both have unit variance, and the prediction is what it is without."""
    data = GaussianMixture(torch.ones(1), torch.zeros(1, 2), torch.ones(1))
    seen: list[Tensor] = []

    class Scaled(nn.Module):
        def __init__(self, scaled: bool) -> None:
            super().__init__()
            self.scaled = scaled

        def forward(self, x: Tensor, t: Tensor, cond: None = None) -> Tensor:
            seen.append(x)
            x_t = x * torch.hypot(schedule.alpha(t), schedule.sigma(t)) if self.scaled else x
            x0, eps = Exact(data, schedule)(x_t, t)
            y = target(name, schedule, t, x0, eps)
            return y / torch.hypot(*row(name, schedule, t)) if self.scaled else y

    g = torch.Generator().manual_seed(0)
    for level in (0.1, 0.5, 0.9):
        t = torch.tensor(level, dtype=torch.float64)
        x0, eps = (torch.randn(20_000, 2, dtype=torch.float64, generator=g) for _ in range(2))
        x_t = add_noise(schedule, t, x0, eps)
        plain = Learned(Scaled(False), schedule, name)
        scaled = Learned(Scaled(True), schedule, name, unit_variance=True)
        torch.testing.assert_close(tuple(scaled(x_t, t)), tuple(plain(x_t, t)))
        assert float(seen[-2].std()) == pytest.approx(1, abs=0.03)
        unit = scaled.unit(t)
        assert float((target(name, schedule, t, x0, eps) / unit).std()) == pytest.approx(1, abs=0.03)
        assert plain.unit(t) == 1


def test_a_score_is_that_of_the_bound_condition() -> None:
    t, denoiser = torch.tensor(0.4, dtype=torch.float64), labelled(VE())
    first = Exact(GaussianMixture(torch.ones(1), MIXTURE.means[:1], MIXTURE.covariances[:1]), VE())
    torch.testing.assert_close(score(denoiser.given(torch.zeros(6, dtype=torch.int64)), X, t), score(first, X, t))

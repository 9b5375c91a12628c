"""The objectives on Gaussians with correlated covariance, where every expectation is a trace."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from diffusion_teach.objectives.score_matching import ScoreModel, denoising, explicit, implicit, sliced

COVARIANCE = torch.tensor([[1.0, 0.6, -0.2], [0.6, 0.8, 0.1], [-0.2, 0.1, 0.5]], dtype=torch.float64)
PRECISION = torch.linalg.inv(COVARIANCE)
# Neither symmetric nor diagonal: a symmetric one would hide Hutchinson's variance, a diagonal one all of it.
A = torch.tensor([[-1.0, 0.7, 0.1], [-0.4, -1.5, 0.3], [0.2, 0.8, -0.6]], dtype=torch.float64)
B = torch.tensor([0.3, -0.2, 0.5], dtype=torch.float64)
SIGMA = 0.6
SEEDS = pytest.mark.parametrize("seed", [0, 1, 2])


def _linear(x: Tensor) -> Tensor:
    return x @ A.mT + B


def _draw(n: int, seed: int) -> Tensor:
    z = torch.randn(n, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return z @ torch.linalg.cholesky(COVARIANCE).mT


def _energy(covariance: Tensor) -> float:
    """½E‖Ax + b‖² for x ~ N(0, covariance)."""
    return 0.5 * float((A @ covariance @ A.mT).trace() + B @ B)


def _mean_of(objective: Callable[[Tensor, int], Tensor], seed: int, batches: int = 20, size: int = 400) -> tuple:
    values = torch.stack([objective(_draw(size, 1000 * seed + i), 500_000 + 7000 * seed + i) for i in range(batches)])
    return float(values.detach().mean()), float(values.detach().std()) / math.sqrt(batches)


EXPLICIT = 0.5 * float(((A + PRECISION) @ COVARIANCE @ (A + PRECISION).mT).trace() + B @ B)
IMPLICIT = _energy(COVARIANCE) + float(A.trace())
BLURRED = COVARIANCE + SIGMA**2 * torch.eye(3, dtype=torch.float64)
# ½E‖A(x + σε) + b + ε/σ‖² = ½E‖Ax̃ + b‖² + tr A + d/(2σ²).
DENOISING = _energy(BLURRED) + float(A.trace()) + 3 / (2 * SIGMA**2)


def _seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


OBJECTIVES: dict[str, tuple[Callable[[Tensor, int], Tensor], float]] = {
    "explicit": (lambda x, s: explicit(_linear, x, -x @ PRECISION), EXPLICIT),
    "implicit": (lambda x, s: implicit(_linear, x), IMPLICIT),
    "sliced": (lambda x, s: sliced(_linear, x, generator=_seeded(s)), IMPLICIT),
    "denoising": (lambda x, s: denoising(_linear, x, SIGMA, generator=_seeded(s)), DENOISING),
}


@SEEDS
@pytest.mark.parametrize("name", OBJECTIVES)
def test_closed_forms(name: str, seed: int) -> None:
    objective, expected = OBJECTIVES[name]
    mean, error = _mean_of(objective, seed)
    assert mean == pytest.approx(expected, abs=4.5 * error)
    assert error < 0.1


def test_the_objectives_differ_by_constants() -> None:
    """implicit = explicit − ½E‖score‖², and denoising = explicit on the blurred density + a constant, for every ψ."""
    assert pytest.approx(0.5 * float(PRECISION.trace())) == EXPLICIT - IMPLICIT
    blurred = torch.linalg.inv(BLURRED)
    on_blurred = 0.5 * float(((A + blurred) @ BLURRED @ (A + blurred).mT).trace() + B @ B)
    assert DENOISING - on_blurred == pytest.approx(0.5 * (3 / SIGMA**2 - float(blurred.trace())))


@SEEDS
def test_models_are_ranked_alike(seed: int) -> None:
    """The difference of two models is the same under all objectives, without any closed form."""

    def curved(x: Tensor) -> Tensor:
        return torch.tanh(x @ A) - x

    def truth(x: Tensor) -> Tensor:
        return -x @ PRECISION

    def gap(objective: Callable[[ScoreModel, Tensor, int], Tensor]) -> tuple[float, float]:
        return _mean_of(lambda x, s: objective(curved, x, s) - objective(_linear, x, s), seed)

    base, base_error = gap(lambda m, x, s: explicit(m, x, truth(x)))
    for objective in (lambda m, x, s: implicit(m, x), lambda m, x, s: sliced(m, x, generator=_seeded(s))):
        value, error = gap(objective)
        assert value == pytest.approx(base, abs=4.5 * math.hypot(base_error, error))


def test_implicit_takes_the_exact_trace() -> None:
    x = _draw(5, 0)
    jacobians = torch.stack([torch.func.jacrev(lambda v: torch.tanh(v @ A) * v)(point) for point in x])
    psi = torch.tanh(x @ A) * x
    expected = (0.5 * psi.square().sum(1) + jacobians.diagonal(dim1=1, dim2=2).sum(1)).mean()
    torch.testing.assert_close(implicit(lambda v: torch.tanh(v @ A) * v, x), expected)


def test_objectives_can_be_learned_from_and_the_true_score_is_their_minimum() -> None:
    net = nn.Linear(3, 3).double()
    with torch.no_grad():
        net.weight.copy_(-PRECISION)
        net.bias.zero_()
    x = _draw(4000, 1)
    x = (x - x.mean(0)) @ torch.linalg.inv(torch.linalg.cholesky(x.T.cov(correction=0))).mT
    x = x @ torch.linalg.cholesky(COVARIANCE).mT  # a sample with exactly these moments
    implicit(net, x).backward()
    assert net.weight.grad is not None
    torch.testing.assert_close(net.weight.grad, torch.zeros(3, 3, dtype=torch.float64), rtol=0, atol=1e-9)


def test_models_that_do_not_bend_are_fine_and_no_grad_too() -> None:
    x = _draw(4, 0)
    with torch.no_grad():
        for model in (torch.zeros_like, lambda v: torch.ones_like(v)):
            constant = 0.5 * float(model(x).square().sum(1).mean())
            assert float(implicit(model, x)) == pytest.approx(constant)
            assert float(sliced(model, x)) == pytest.approx(constant)
        assert torch.isfinite(implicit(_linear, x))


@pytest.mark.parametrize(("name", "expected"), [("explicit", 0), ("implicit", 7), ("sliced", 1), ("denoising", 0)])
def test_backward_passes_to_state_an_objective(name: str, expected: int) -> None:
    """In 7 dimensions: as many pulls through the model, each over the whole batch."""
    x = torch.randn(5, 7, dtype=torch.float64, generator=_seeded(0))
    pulled: list[tuple[int, ...]] = []

    def curved(x: Tensor) -> Tensor:
        psi = torch.tanh(x) * x.flip(1)
        if psi.requires_grad:
            psi.register_hook(lambda gradient: pulled.append(tuple(gradient.shape)))
        return psi

    {
        "explicit": lambda: explicit(curved, x, -x),
        "implicit": lambda: implicit(curved, x),
        "sliced": lambda: sliced(curved, x, generator=_seeded(1)),
        "denoising": lambda: denoising(curved, x, SIGMA, generator=_seeded(1)),
    }[name]()
    assert pulled == [(5, 7)] * expected


X = _draw(4, 0)


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (lambda: explicit(_linear, X, X[:2]), ValueError, "score and x must have the same shape"),
        (lambda: explicit(lambda x: x[:, 0], X, X), ValueError, r"must return the shape of x, \(4, 3\), got .*\(4,\)"),
        (lambda: implicit(_linear, X[0]), ValueError, r"x must have shape \(batch, dimensions\)"),
        (lambda: implicit(_linear, X[:0]), ValueError, "x is empty"),
        (lambda: implicit(lambda x: None, X), ValueError, "must return the shape of x"),
        (lambda: implicit(_linear, X * math.nan), ValueError, "x must be finite"),
        (lambda: implicit(_linear, X.long()), TypeError, "floating-point"),
        (lambda: sliced(_linear, X, generator=1), TypeError, "generator must be"),
        (lambda: denoising(_linear, X, 0.0), ValueError, "sigma must be above 0, got 0"),
        (lambda: denoising(_linear, X, "a"), TypeError, "sigma must be a number, got 'a'"),
    ],
)
def test_bad_input_is_named(make: Callable[[], object], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        make()


@pytest.mark.parametrize("objective", [implicit, sliced])
def test_a_derivative_is_taken_in_inference_mode_and_never_taken_for_zero(objective: Callable[..., Tensor]) -> None:
    with torch.inference_mode():
        x = torch.randn(500, 2, dtype=torch.float64)
        found = float(objective(lambda v: -3 * v, x))
        assert found == pytest.approx(4.5 * float(x.square().sum(1).mean()) - 6)
    line = nn.Linear(2, 2).double()
    hidden = (torch.no_grad()(line), lambda v: line(v.detach()), lambda v: -v.detach())
    for model in hidden:
        with pytest.raises(ValueError, match=r"model depends on x, but its answer has no derivative.*torch.no_grad"):
            objective(model, x.clone())

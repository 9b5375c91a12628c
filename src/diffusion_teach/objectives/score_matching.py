r"""Four objectives that find one score.

A score model ψ maps x (B, d) to (B, d). The Fisher divergence to the true score, ½E‖ψ(x) − ∇log p(x)‖², cannot be
computed without knowing ∇log p. Three objectives differ from it by a constant that does not depend on ψ:

| objective   | value                                         | source                        | needs               |
|-------------|-----------------------------------------------|-------------------------------|---------------------|
| `explicit`  | ½E‖ψ − ∇log p‖²                               |                               | the true score      |
| `implicit`  | E[½‖ψ‖² + tr ∂ψ/∂x]                           | Hyvärinen 2005, theorem 1     | d derivatives       |
| `sliced`    | E[½‖ψ‖² + vᵀ(∂ψ/∂x)v]                         | Song et al. 2019, eq. 8       | one derivative      |
| `denoising` | ½E‖ψ(x + σε) + ε/σ‖²                          | Vincent 2011, eq. 9           | noise, no derivative|

No normalising constant appears in any of them: ∇log(p/Z) = ∇log p.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from diffusion_teach import _checks

ScoreModel = Callable[[Tensor], Tensor]
"""ψ: x (B, d) to an estimate of ∇log p(x), (B, d)."""


def _evaluate(model: ScoreModel, x: Tensor) -> Tensor:
    psi = _checks.function("model", model)(x)
    if not isinstance(psi, Tensor) or psi.shape != x.shape:
        raise ValueError(f"a score model must return the shape of x, {tuple(x.shape)}, got {_checks.describe(psi)}.")
    return psi


@contextmanager
def _differentiable(x: Tensor) -> Iterator[Tensor]:
    """A copy of x that one can differentiate in, whatever mode the caller is in."""
    with torch.inference_mode(False), torch.enable_grad():
        yield x.detach().clone().requires_grad_(True)


def _gradient(model: ScoreModel, psi: Tensor, value: Tensor, x: Tensor) -> Tensor:
    """d value/dx of a value made of psi = ψ(x), ready to be differentiated again; zero where ψ does not depend on x.

    Raises:
        ValueError: for a model that hides its derivative, as under `torch.no_grad()`.
    """
    found = torch.autograd.grad(value, x, create_graph=True, allow_unused=True)[0] if value.requires_grad else None
    if found is not None:
        return found
    if not torch.equal(_evaluate(model, x.detach() + 1), psi):
        raise ValueError(
            "model depends on x, but its answer has no derivative in x: leave out torch.no_grad(), detach() and item() "
            "in it."
        )
    return torch.zeros_like(x)


def explicit(model: ScoreModel, x: Tensor, score: Tensor) -> Tensor:
    """The Fisher divergence ½E‖ψ(x) − score‖²; x and score (B, d). A scalar."""
    _checks.tensor("x", x, ("batch", "dimensions"))
    _checks.same_shape("score", _checks.tensor("score", score), "x", x)
    return 0.5 * (_evaluate(model, x) - score).square().sum(-1).mean()


def implicit(model: ScoreModel, x: Tensor) -> Tensor:
    """Hyvärinen's objective E[½‖ψ‖² + tr ∂ψ/∂x]; x (B, d). A scalar.

    The trace takes d backward passes, which is why it does not scale to images.

    Raises:
        ValueError: for a model that hides its derivative, as under
            `torch.no_grad()`; so does `sliced`.
    """
    _checks.tensor("x", x, ("batch", "dimensions"))
    with _differentiable(x) as x:
        psi = _evaluate(model, x)
        trace = torch.zeros_like(psi[:, 0])
        for i in range(x.shape[1]):
            trace = trace + _gradient(model, psi, psi[:, i].sum(), x)[:, i]
        return (0.5 * psi.square().sum(-1) + trace).mean()


def sliced(
    model: ScoreModel,
    x: Tensor,
    *,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Sliced score matching, E[½‖ψ‖² + vᵀ(∂ψ/∂x)v]; x (B, d). A scalar.

    The random directions v have entries ±1, so that E[vvᵀ] = I, which the objective
    needs. (The plain one has ½(vᵀψ)² in the place of ½‖ψ‖²: the same expectation,
    and usually more noise.)
    """
    _checks.tensor("x", x, ("batch", "dimensions"))
    with _differentiable(x) as x:
        v = _noise(x, generator).sign()
        psi = _evaluate(model, x)
        curvature = (_gradient(model, psi, (psi * v).sum(), x) * v).sum(-1)
        return (0.5 * psi.square().sum(-1) + curvature).mean()


def denoising(
    model: ScoreModel,
    x: Tensor,
    sigma: float,
    *,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Denoising score matching, ½E‖ψ(x + σε) + ε/σ‖²; x (B, d), σ > 0. A scalar.

    Its minimiser is the score of the data blurred with N(0, σ²I), not of the data.
    """
    _checks.tensor("x", x, ("batch", "dimensions"))
    sigma = _checks.number("sigma", sigma, above=0)
    eps = _noise(x, generator)
    error = _evaluate(model, x + sigma * eps) + eps / sigma
    return 0.5 * error.square().sum(-1).mean()


def _noise(x: Tensor, generator: torch.Generator | None) -> Tensor:
    """ε ~ N(0, I), shaped like x."""
    return torch.randn(x.shape, dtype=x.dtype, device=x.device, generator=_checks.generator(generator))

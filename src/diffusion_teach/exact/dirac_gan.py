r"""The smallest GAN: one real point at 0, one generated point at θ, and a discriminator that is a line, D(x) = ψ·x.

D is the logit, high on data, so a discriminator's slope ψ < 0 tells a generated point at θ > 0 from the real one. Each
player goes down its own loss (the table of `adversarial`), which is a vector field (θ̇, ψ̇) with one zero, (0, 0):

| game               | θ̇         | ψ̇          | a   |
|--------------------|-----------|------------|-----|
| `"saturating"`     | σ(ψθ)·ψ   | −σ(ψθ)·θ   | 1/2 |
| `"non-saturating"` | σ(−ψθ)·ψ  | −σ(ψθ)·θ   | 1/2 |
| `"wasserstein"`    | ψ         | −θ         | 1   |

The last one is the bilinear game. (The relativistic game is here the same as the non-saturating one, as D(0) = 0.)
D has the slope ψ everywhere, so R₁ and R₂ are both γ/2·ψ², and a `penalty` γ, the sum of both weights, adds −γψ to ψ̇.
Around the solution the field is linear, with the matrix J = [[0, a], [−a, −γ]] on (θ, ψ).

With a learning rate η, h = ηa and c = 1 − ηγ, one turn is a matrix too, whose eigenvalues have the modulus √det where
they are complex:

    simultaneous:  [[1, h], [−h, c]],         det = c + h²        both players step from the same place
    alternating:   [[1 − h², hc], [−h, c]],   det = c             the discriminator first, the generator sees its step

So without a penalty simultaneous steps spin outwards by √(1 + h²) a turn for every learning rate, and alternating steps
stay on the ellipse θ² + ψ² − hθψ = constant for h < 2. A penalty pulls alternating steps in, and simultaneous ones
where γ > ηa².

Source: Mescheder, Geiger and Nowozin (2018), "Which training methods for GANs do actually converge?", sections 2 to 4.
Their discriminator is high on generated points: their ψ is −ψ here.
"""

from __future__ import annotations

import torch
from torch import Tensor

from diffusion_teach import _checks

STRENGTHS = {"saturating": 0.5, "non-saturating": 0.5, "wasserstein": 1.0}
"""a of each game: how strongly each player answers the other at the solution."""
ORDERS = ("simultaneous", "alternating")


def field(point: Tensor, *, game: str = "saturating", penalty: float = 0.0) -> Tensor:
    """(θ̇, ψ̇) at points (θ, ψ), both of shape (..., 2): each player's descent direction.

    Args:
        point: (..., 2).
        game: one of `STRENGTHS`.
        penalty: γ, the weights of R₁ and R₂ together.
    """
    _checks.tensor("point", point, ("...", 2), finite=False)
    _checks.choice("game", game, STRENGTHS)
    penalty = _checks.number("penalty", penalty, least=0)
    theta, psi = point.unbind(-1)
    if game == "wasserstein":
        for_theta, for_psi = psi, -theta
    else:
        fooled = (psi * theta).sigmoid()  # how real the discriminator finds the generated point
        for_theta = psi * (fooled if game == "saturating" else 1 - fooled)
        for_psi = -theta * fooled
    return torch.stack([for_theta, for_psi - penalty * psi], dim=-1)


def play(
    start: Tensor,
    steps: int,
    rate: float,
    *,
    game: str = "saturating",
    order: str = "simultaneous",
    penalty: float = 0.0,
) -> Tensor:
    """The path (steps + 1, ..., 2) of gradient descent from (θ, ψ) = start (..., 2), the start included.

    Args:
        start: where both begin; a batch plays many games at once.
        steps: turns of both players.
        rate: η of both.
        game, penalty: see `field`.
        order: "simultaneous", or "alternating" with the discriminator first, as `training.fit_gan` does.
    """
    _checks.tensor("start", start, ("...", 2))
    steps = _checks.integer("steps", steps)
    rate = _checks.number("rate", rate, above=0)
    _checks.choice("order", order, ORDERS)
    path = [start]
    for _ in range(steps):
        here = path[-1]
        step = rate * field(here, game=game, penalty=penalty)
        if order == "alternating":
            judged = torch.stack([here[..., 0], here[..., 1] + step[..., 1]], dim=-1)
            answer = rate * field(judged, game=game, penalty=penalty)
            step = torch.stack([answer[..., 0], step[..., 1]], dim=-1)
        path.append(here + step)
    return torch.stack(path)


def step_matrix(rate: float, *, game: str = "saturating", order: str = "simultaneous", penalty: float = 0.0) -> Tensor:
    """The matrix (2, 2) of one turn around the solution, float64: (θ, ψ) ← matrix · (θ, ψ); exact for "wasserstein"."""
    rate = _checks.number("rate", rate, above=0)
    penalty = _checks.number("penalty", penalty, least=0)
    h = rate * STRENGTHS[_checks.choice("game", game, STRENGTHS)]
    c = 1 - rate * penalty
    if _checks.choice("order", order, ORDERS) == "simultaneous":
        rows = [[1.0, h], [-h, c]]
    else:
        rows = [[1 - h * h, h * c], [-h, c]]
    return torch.tensor(rows, dtype=torch.float64)


def eigenvalues(rate: float, *, game: str = "saturating", order: str = "simultaneous", penalty: float = 0.0) -> Tensor:
    """The two eigenvalues of `step_matrix`, complex128: half the trace ± √(trace²/4 − det).

    The game spins outwards where their modulus is above 1, and comes to rest where it is below.
    """
    (p, q), (r, s) = step_matrix(rate, game=game, order=order, penalty=penalty).tolist()
    middle, det = (p + s) / 2, p * s - q * r
    root = torch.tensor(complex(middle * middle - det), dtype=torch.complex128).sqrt()
    return torch.stack([middle + root, middle - root])

"""The exercises of chapter 4, score matching.

A solution's source stands in the notebook, folded; it uses nothing but torch.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from diffusion_teach.exact import GaussianMixture
from diffusion_teach.exercises.exercise import Answer, Exercise, Law, Mistake, Trial, Wrong, diagnose, same, uniform

CHAPTER = "04_score_matching"


def _worst(value: Tensor, expected: Tensor) -> str:
    """Where an answer is farthest off: what was expected there, and what came."""
    place = int((value.detach() - expected).abs().argmax())
    return f"expected {float(expected.flatten()[place]):.4g}, yours is {float(value.flatten()[place]):.4g}"


# --- fit-a-gaussian: Hyvärinen's closed form for one parameter -----------------------------------------------------


def fit_theta(x: Tensor) -> Tensor:
    """θ of p ∝ exp(θx²) from data x (B,)."""
    first = 2 * x  # ψ = θ·F′ with F = x², so F′ = 2x and F″ = 2
    return -2 / (first * first).mean()


def _theta_wrong_sign(x: Tensor) -> Tensor:
    return 2 / (4 * x * x).mean()


def _theta_of_the_feature(x: Tensor) -> Tensor:
    return -2 / (x * x).mean()


def _theta_without_the_half(x: Tensor) -> Tensor:
    return -1 / (x * x).mean()


def _theta_about_the_mean(x: Tensor) -> Tensor:
    return -1 / (2 * x.var())


def _theta_is_the_variance(x: Tensor) -> Tensor:
    return x.var()


def _theta_of_a_sum(x: Tensor) -> Tensor:
    return -2 / (4 * x * x).sum()


_THETA_SIGN = "θ is positive, so exp(θx²) grows without bound. The minimum of ½aθ² + bθ is at −b/a: mind the minus."
_THETA_FEATURE = "four times too large: ψ is θ·F′, so the square under the mean is that of F′ = 2x, not of x."
_THETA_TWICE = "twice too large: the 2 of F″ and the 4 of F′² do not cancel."
_THETA_MEAN = "you subtracted the mean. This model has none, its peak is at 0: use x.square().mean()."
_THETA_VARIANCE = (
    "this is the spread of the data, a mean square. θ multiplies x²: it is negative, and near 0 for a wide Gaussian."
)
_THETA_SUM = "too small by the number of the data: an expectation is a mean, not a sum."


def _examine_theta(answer: Answer) -> None:
    # A mean that is not 0 tells the second moment from the variance.
    x = 0.1 + 0.7 * torch.randn(4000, dtype=torch.float64, generator=torch.Generator().manual_seed(4))
    expected = -1 / (2 * x.square().mean())
    value = torch.as_tensor(answer(x)).to(expected)
    if same(value, expected):
        return
    if same(value, -1 / (2 * x.var()), tolerance=1e-3):
        raise Wrong(_THETA_MEAN)
    if same(value, -expected, tolerance=0.05):
        raise Wrong(_THETA_SIGN)
    if same(value, 2 * expected, tolerance=0.05):
        raise Wrong(_THETA_TWICE)
    if same(value, 4 * expected):
        raise Wrong(_THETA_FEATURE)
    if same(value * len(x), expected, tolerance=0.05):
        raise Wrong(_THETA_SUM)
    if same(value, x.var(), tolerance=0.01) or same(value, x.square().mean()):
        raise Wrong(_THETA_VARIANCE)
    raise Wrong(f"on data of standard deviation {x.std():.2f} the answer is {expected:.5g}, yours is {value:.5g}.")


# --- denoising-pair: what a denoising score matcher is trained on --------------------------------------------------


def noisy_pair(
    x: Tensor,
    sigma: float,
    generator: torch.Generator,
) -> tuple[Tensor, Tensor]:
    """A noisy copy of x and the score target that belongs to it, both shaped like x."""
    eps = torch.randn(x.shape, dtype=x.dtype, generator=generator)
    return x + sigma * eps, -eps / sigma


def _pair_uniform(x: Tensor, sigma: float, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    eps = torch.rand(x.shape, dtype=x.dtype, generator=generator)
    return x + sigma * eps, -eps / sigma


def _pair_variance(x: Tensor, sigma: float, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    eps = torch.randn(x.shape, dtype=x.dtype, generator=generator)
    return x + sigma**2 * eps, -eps / sigma


def _pair_sign(x: Tensor, sigma: float, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    eps = torch.randn(x.shape, dtype=x.dtype, generator=generator)
    return x + sigma * eps, eps / sigma


def _pair_undivided(x: Tensor, sigma: float, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    eps = torch.randn(x.shape, dtype=x.dtype, generator=generator)
    return x + sigma * eps, -eps


def _pair_displacement(x: Tensor, sigma: float, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    noisy = x + sigma * torch.randn(x.shape, dtype=x.dtype, generator=generator)
    return noisy, x - noisy


def _pair_clean(x: Tensor, sigma: float, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    return x + sigma * torch.randn(x.shape, dtype=x.dtype, generator=generator), x


def _pair_twice_divided(x: Tensor, sigma: float, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    eps = torch.randn(x.shape, dtype=x.dtype, generator=generator)
    return x + sigma * eps, -eps / sigma**2


def _pair_of_two_draws(x: Tensor, sigma: float, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    noisy = x + sigma * torch.randn(x.shape, dtype=x.dtype, generator=generator)
    return noisy, -torch.randn(x.shape, dtype=x.dtype, generator=generator) / sigma


def _pair_without_noise(x: Tensor, sigma: float, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    return x, -torch.randn(x.shape, dtype=x.dtype, generator=generator) / sigma


def _pair_one_eps_a_row(x: Tensor, sigma: float, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    eps = torch.randn(len(x), 1, dtype=x.dtype, generator=generator).expand_as(x)
    return x + sigma * eps, -eps / sigma


_PAIR_UNIFORM = (
    "the noise never points backwards: `rand` is uniform on [0, 1), the text says N(0, I), which is `randn`."
)
_PAIR_VARIANCE = "the noise has standard deviation σ². σ is a standard deviation here: multiply eps by σ."
_PAIR_SIGN = (
    "the target points away from the clean point. A score points to where the density is higher: mind the minus."
)
_PAIR_NOISE = "the target is the noise ε, up to its sign. A score is one over a length, so it must depend on σ."
_PAIR_SHIFT = "the target is the displacement between the points. A score is one over a length: check the units."
_PAIR_CLEAN = "the target is the clean point. A score is an arrow: it leads there from the noisy point."
_PAIR_SQUARE = "the target is too long by a factor 1/σ: σ² divides the displacement, which is σε and not ε."
_PAIR_OTHER = "the target knows nothing of the noise that you added: use the same eps in both."
_PAIR_NONE = "the noisy point is the clean one: nothing was added."
_PAIR_ROWS = "both coordinates get the same noise. Draw eps of the shape of x."


def _examine_pair(answer: Answer) -> None:
    generator = torch.Generator().manual_seed(4)
    x = torch.randn(5000, 2, dtype=torch.float64, generator=generator)
    sigma = 0.4
    result = answer(x, sigma, generator)
    if not isinstance(result, tuple) or len(result) != 2:
        raise Wrong("return two tensors, the noisy point and its target: `return noisy, target`.")
    noisy, wanted = result
    same(noisy, x)
    same(wanted, x)
    noise = noisy - x
    spread = float(noise.std())
    if spread < 1e-9:
        raise Wrong(_PAIR_NONE)
    if float(noise.min()) >= 0 and float(noise.max()) <= sigma:
        raise Wrong(_PAIR_UNIFORM)
    if math.isclose(spread, sigma**2, rel_tol=0.05):
        raise Wrong(_PAIR_VARIANCE)
    if not math.isclose(spread, sigma, rel_tol=0.05) or abs(float(noise.mean())) > 0.05:
        raise Wrong(
            f"the noise should have mean 0 and standard deviation {sigma}; yours has mean {float(noise.mean()):.2f} "
            f"and standard deviation {spread:.2f}."
        )
    if abs(float(torch.corrcoef(noise.T)[0, 1])) > 0.1:
        raise Wrong(_PAIR_ROWS)
    expected = -noise / sigma**2
    named = (
        (_PAIR_SIGN, -expected),
        (_PAIR_NOISE, sigma * expected),
        (_PAIR_NOISE, -sigma * expected),
        (_PAIR_SHIFT, noise),
        (_PAIR_SHIFT, -noise),
        (_PAIR_CLEAN, x),
        (_PAIR_SQUARE, expected / sigma),
    )
    if not same(wanted, expected):
        diagnose(wanted, named)
        if abs(float(torch.corrcoef(torch.stack([wanted.flatten(), noise.flatten()]))[0, 1])) < 0.05:
            raise Wrong(_PAIR_OTHER)
        raise Wrong(f"the target is not the score of N(x, σ²I) at the noisy point: {_worst(wanted, expected)}.")


# --- tweedie: from the score to the denoised point -----------------------------------------------------------------


def denoise(x: Tensor, sigma: float, score: Tensor) -> Tensor:
    """E[x₀ | x] for x = x₀ + σε, from the score of x; all shaped (B, d)."""
    return x + sigma**2 * score


def _tweedie_one_sigma(x: Tensor, sigma: float, score: Tensor) -> Tensor:
    return x + sigma * score


def _tweedie_downhill(x: Tensor, sigma: float, score: Tensor) -> Tensor:
    return x - sigma**2 * score


def _tweedie_step_only(x: Tensor, sigma: float, score: Tensor) -> Tensor:
    return sigma**2 * score


def _tweedie_half_a_step(x: Tensor, sigma: float, score: Tensor) -> Tensor:
    return x + sigma**2 / 2 * score


def _tweedie_without_sigma(x: Tensor, sigma: float, score: Tensor) -> Tensor:
    return x + score


_TWEEDIE_SIGMA = "the step is σ·score, and that is no length: a score is one over a length. Check the units."
_TWEEDIE_HALF = "the step has half its length. A factor ½ belongs to Langevin's walk, which adds noise as well."
_TWEEDIE_BARE = (
    "the step is the bare score: the noise level must matter. The noisier the point, the farther it lies off."
)
_TWEEDIE_DOWNHILL = "the step goes downhill, away from the data. The score points to where the density is higher."
_TWEEDIE_STEP = "this is the step alone. The denoised point is where the step ends: add it to x."


def _examine_tweedie(answer: Answer) -> None:
    mixture = GaussianMixture(
        torch.tensor([0.4, 0.6]), torch.tensor([[-1.0, 0.0], [1.0, 0.5]]), torch.tensor([0.1, 0.2])
    )
    sigma = 0.6
    x = torch.randn(200, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(4))
    given = x, sigma, mixture.score(x, 1.0, sigma)
    value = answer(*given)
    named = (
        (_TWEEDIE_SIGMA, _tweedie_one_sigma(*given)),
        (_TWEEDIE_DOWNHILL, _tweedie_downhill(*given)),
        (_TWEEDIE_STEP, _tweedie_step_only(*given)),
        (_TWEEDIE_HALF, _tweedie_half_a_step(*given)),
        (_TWEEDIE_BARE, _tweedie_without_sigma(*given)),
    )
    expected = mixture.posterior_mean(x, 1.0, sigma)
    if not same(value, expected):
        diagnose(value, named, f"this is not E[x₀ | x]: {_worst(value, expected)}.")


# --- slice-the-trace: vᵀ(∂ψ/∂x)v by one backward pass --------------------------------------------------------------


def curvature(model: Callable[[Tensor], Tensor], x: Tensor, v: Tensor) -> Tensor:
    """vᵀ(∂ψ/∂x)v at each x; x and v (B, d), the result (B,)."""
    x = x.detach().requires_grad_(True)
    along = (model(x) * v).sum()
    gradient = torch.autograd.grad(along, x)[0]
    return (gradient * v).sum(1)


def _curvature_of_one_side(model: Callable[[Tensor], Tensor], x: Tensor, v: Tensor) -> Tensor:
    x = x.detach().requires_grad_(True)
    return torch.autograd.grad((model(x) * v).sum(), x)[0].sum(1)


def _curvature_without_the_first_v(model: Callable[[Tensor], Tensor], x: Tensor, v: Tensor) -> Tensor:
    x = x.detach().requires_grad_(True)
    return (torch.autograd.grad(model(x).sum(), x)[0] * v).sum(1)


def _curvature_over_the_batch(model: Callable[[Tensor], Tensor], x: Tensor, v: Tensor) -> Tensor:
    return curvature(model, x, v).sum()


def _curvature_of_unit_v(model: Callable[[Tensor], Tensor], x: Tensor, v: Tensor) -> Tensor:
    return curvature(model, x, v / v.norm(dim=1, keepdim=True))


def _curvature_of_the_whole_jacobian(model: Callable[[Tensor], Tensor], x: Tensor, v: Tensor) -> Tensor:
    x = x.detach().requires_grad_(True)
    psi = model(x)
    rows = [torch.autograd.grad(psi[:, i].sum(), x, retain_graph=True)[0] for i in range(x.shape[1])]
    return torch.einsum("bi,ibj,bj->b", v, torch.stack(rows), v)


def _curvature_by_differences(model: Callable[[Tensor], Tensor], x: Tensor, v: Tensor) -> Tensor:
    h = 1e-4
    return ((model(x + h * v) - model(x - h * v)) / (2 * h) * v).sum(1)


_CURVATURE_FIRST = "the first v is missing: you differentiate the sum of the score, not its projection (model(x) * v)."
_CURVATURE_SIDE = "v stands on one side only. After the backward pass multiply by v again: (gradient * v).sum(1)."
_CURVATURE_BATCH = "you sum over the whole batch. Keep one number for each x: sum over the dimensions, `.sum(1)`."
_CURVATURE_UNIT = "you scale v to length one. Then E[vvᵀ] = I/d, and the trace comes out d times too small."
_CURVATURE_LOOP = "right, but too dear: you build the whole Jacobian. Of which one scalar do you need the gradient?"
_CURVATURE_DIFFERENCES = (
    "this is a difference between two points, and it misses what the model does in between. Let autograd differentiate."
)


def _examine_curvature(answer: Answer) -> None:
    generator = torch.Generator().manual_seed(4)
    jacobian = torch.randn(5, 5, dtype=torch.float64, generator=generator)
    x = torch.randn(64, 5, dtype=torch.float64, generator=generator)
    v = torch.randn(64, 5, dtype=torch.float64, generator=generator)

    frequency = 1e7  # of a ripple so low that only a derivative feels it

    def model(point: Tensor) -> Tensor:
        return point @ jacobian.T + torch.sin(point) + torch.sin(frequency * point) / frequency

    smooth = torch.einsum("bi,ij,bj->b", v, jacobian, v) + (x.cos() * v * v).sum(1)
    exact = smooth + ((frequency * x).cos() * v * v).sum(1)
    value, work = _counted(answer, model, x, v)
    if isinstance(value, Tensor) and value.ndim == 0:
        raise Wrong(_CURVATURE_BATCH)
    named = (
        (_CURVATURE_FIRST, _curvature_without_the_first_v(model, x, v)),
        (_CURVATURE_SIDE, _curvature_of_one_side(model, x, v)),
        (_CURVATURE_UNIT, _curvature_of_unit_v(model, x, v)),
    )
    if not same(value, exact):
        diagnose(value, named)
        if same(value, smooth, tolerance=0.01):
            raise Wrong(_CURVATURE_DIFFERENCES)
        raise Wrong(f"this is not vᵀ(∂ψ/∂x)v: {_worst(value, exact)}.")
    if work > 4 * _counted(model, x)[1]:  # forward and backward are 2, forward mode is 3, the Jacobian d + 1
        raise Wrong(_CURVATURE_LOOP)


def _counted(function: Callable[..., Any], *arguments: Any) -> tuple[Any, int]:
    """What a function returns, and how many multiplications of matrices it took."""
    with FlopCounterMode(display=False) as operations:
        value = function(*arguments)
    return value, operations.get_total_flops()


def _try_theta(g: torch.Generator) -> Trial:
    return Trial((0.3 + uniform(g, 0.5, 2) * torch.randn(50, dtype=torch.float64, generator=g),))


def _try_pair(g: torch.Generator) -> Trial:
    x, sigma = 5 * torch.randn(10_000, 2, dtype=torch.float64, generator=g), uniform(g, 0.2, 1.5)

    def noisy(pair: tuple[Tensor, Tensor]) -> Tensor:
        if not same(pair[1], (x - pair[0]) / sigma**2):
            raise Wrong(f"right for σ = 0.4; for σ = {sigma:.2f} the target is not −ε/σ.")
        return pair[0]

    return Trial((x, sigma), Law(x, torch.tensor(sigma)), noisy)


def _try_tweedie(g: torch.Generator) -> Trial:
    return Trial((torch.randn(9, 2, generator=g), uniform(g, 0.2, 2), torch.randn(9, 2, generator=g)))


def _try_curvature(g: torch.Generator) -> Trial:
    weight, x, v = (torch.randn(shape, dtype=torch.float64, generator=g) for shape in ((3, 3), (11, 3), (11, 3)))
    return Trial((lambda point: (point @ weight).tanh(), x, v))


EXERCISES = (
    Exercise(
        id="fit-a-gaussian",
        chapter=CHAPTER,
        examine=_examine_theta,
        solution=fit_theta,
        mistakes=(
            Mistake(_theta_wrong_sign, _THETA_SIGN),
            Mistake(_theta_of_the_feature, _THETA_FEATURE),
            Mistake(_theta_without_the_half, _THETA_TWICE),
            Mistake(_theta_about_the_mean, _THETA_MEAN),
            Mistake(_theta_is_the_variance, _THETA_VARIANCE),
            Mistake(_theta_of_a_sum, _THETA_SUM),
        ),
        praise="right: θ = −1/(2E[x²]), a Gaussian fitted without its normalising constant.",
        trial=_try_theta,
    ),
    Exercise(
        id="denoising-pair",
        chapter=CHAPTER,
        examine=_examine_pair,
        solution=noisy_pair,
        mistakes=(
            Mistake(_pair_uniform, _PAIR_UNIFORM),
            Mistake(_pair_variance, _PAIR_VARIANCE),
            Mistake(_pair_sign, _PAIR_SIGN),
            Mistake(_pair_undivided, _PAIR_NOISE),
            Mistake(_pair_displacement, _PAIR_SHIFT),
            Mistake(_pair_clean, _PAIR_CLEAN),
            Mistake(_pair_twice_divided, _PAIR_SQUARE),
            Mistake(_pair_of_two_draws, _PAIR_OTHER),
            Mistake(_pair_without_noise, _PAIR_NONE),
            Mistake(_pair_one_eps_a_row, _PAIR_ROWS),
        ),
        praise="right: Gaussian noise of standard deviation σ, and the arrow −ε/σ that leads back.",
        trial=_try_pair,
    ),
    Exercise(
        id="tweedie",
        chapter=CHAPTER,
        examine=_examine_tweedie,
        solution=denoise,
        mistakes=(
            Mistake(_tweedie_one_sigma, _TWEEDIE_SIGMA),
            Mistake(_tweedie_downhill, _TWEEDIE_DOWNHILL),
            Mistake(_tweedie_step_only, _TWEEDIE_STEP),
            Mistake(_tweedie_half_a_step, _TWEEDIE_HALF),
            Mistake(_tweedie_without_sigma, _TWEEDIE_BARE),
        ),
        praise="right: a step of σ² along the score ends at the mean of the clean points.",
        trial=_try_tweedie,
    ),
    Exercise(
        id="slice-the-trace",
        chapter=CHAPTER,
        examine=_examine_curvature,
        solution=curvature,
        mistakes=(
            Mistake(_curvature_without_the_first_v, _CURVATURE_FIRST),
            Mistake(_curvature_of_one_side, _CURVATURE_SIDE),
            Mistake(_curvature_over_the_batch, _CURVATURE_BATCH),
            Mistake(_curvature_of_unit_v, _CURVATURE_UNIT),
            Mistake(_curvature_of_the_whole_jacobian, _CURVATURE_LOOP),
            Mistake(_curvature_by_differences, _CURVATURE_DIFFERENCES),
        ),
        praise="right: one pull through the derivative, not one a dimension, and v on both sides of the Jacobian.",
        trial=_try_curvature,
    ),
)

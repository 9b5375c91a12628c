"""A denoiser that knows a measurement: exact on Gaussian data at every noise level, for every linear A."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from diffusion_teach.denoisers import Denoiser, Exact, Observed
from diffusion_teach.exact import GaussianMixture
from diffusion_teach.exact.observation import observed
from diffusion_teach.parameterizations import Prediction
from diffusion_teach.samplers import heun, sample, time_grid
from diffusion_teach.schedules import VE, VP, FlowMatching, Schedule

D = 4
_HALF = torch.randn(D, D, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
DATA = GaussianMixture(
    torch.ones(1), torch.arange(4.0).double()[None] / 3, (_HALF @ _HALF.T + 0.1 * torch.eye(D))[None]
)
MATRICES = {
    "a part": torch.eye(D, dtype=torch.float64)[:2],
    "a sum": torch.ones(1, D, dtype=torch.float64),
    "a blur": torch.tensor([[0.5, 0.5, 0, 0], [0.25, 0.5, 0.25, 0], [0, 0, 0.5, 0.5]], dtype=torch.float64),
}


@pytest.mark.parametrize("matrix", MATRICES.values(), ids=MATRICES)
@pytest.mark.parametrize("schedule", [VP(), VE(), FlowMatching()], ids=lambda s: type(s).__name__)
def test_on_a_gaussian_it_is_the_exact_denoiser_of_the_posterior(schedule: Schedule, matrix: Tensor) -> None:
    g = torch.Generator().manual_seed(1)
    y = torch.randn(len(matrix), dtype=torch.float64, generator=g)
    x = torch.randn(6, D, dtype=torch.float64, generator=g)
    found = Observed(Exact(DATA, schedule), lambda x: x @ matrix.T, y.expand(6, -1), 0.3, solves=len(matrix))
    truth = Exact(observed(DATA, matrix, y, 0.3), schedule)
    for t in torch.tensor([0.05, 0.4, 0.9], dtype=torch.float64):
        for a, b in zip(found(x, t), truth(x, t), strict=True):
            torch.testing.assert_close(a, b, rtol=1e-8, atol=1e-8)


def test_each_row_has_its_own_measurement_and_time() -> None:
    matrix, t = MATRICES["a part"], torch.tensor([0.2, 0.5], dtype=torch.float64)
    y = torch.tensor([[1.0, 0.0], [-1.0, 2.0]], dtype=torch.float64)
    x = torch.zeros(2, D, dtype=torch.float64)
    both = Observed(Exact(DATA, VP()), lambda x: x @ matrix.T, y, 0.3)(x, t).x0
    for row in range(2):
        one = Observed(Exact(DATA, VP()), lambda x: x @ matrix.T, y[row : row + 1], 0.3)(x[:1], t[row]).x0
        torch.testing.assert_close(both[row], one[0])


def test_the_flow_walks_to_the_posterior() -> None:
    matrix, y = MATRICES["a sum"], torch.tensor([2.0], dtype=torch.float64)
    x = 50 * torch.randn(4000, D, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    known = Observed(Exact(DATA, VE()), lambda x: x @ matrix.T, y.expand(4000, 1), 0.3)
    found = sample(known, heun, x, time_grid(VE(), 40, stop=1e-3, spacing="log_snr"))
    truth = observed(DATA, matrix, y, 0.3)
    assert (found.mean(0) - truth.mean).abs().max() < 5 * float(truth.covariance.diagonal().max() / 4000) ** 0.5
    assert (found.T.cov() - truth.covariance).norm() / truth.covariance.norm() < 0.1


def test_the_answer_fits_on_the_line_and_is_no_posterior_mean() -> None:
    matrix, t = MATRICES["a sum"], torch.tensor(0.4, dtype=torch.float64)
    x = torch.randn(3, D, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    known = Observed(Exact(DATA, VP()), lambda x: x @ matrix.T, torch.ones(3, 1).double(), 0.1)
    with torch.inference_mode():
        x0, eps = known(x, t)
    torch.testing.assert_close(VP().alpha(t) * x0 + VP().sigma(t) * eps, x)
    assert not known.is_posterior_mean
    assert not x0.requires_grad


def test_what_cannot_be_is_refused() -> None:
    known = Observed(Exact(DATA, VP()), lambda x: x[:, :1], torch.ones(3, 2).double(), 0.1)
    with pytest.raises(ValueError, match=r"y and what see returns must have the same shape, got \(3, 2\) and \(3, 1\)"):
        known(torch.zeros(3, D).double(), torch.tensor(0.5))
    with pytest.raises(ValueError, match="both data and noise"):
        known(torch.zeros(3, D).double(), torch.tensor(0.0))

    class Hidden(Denoiser):
        schedule = VP()

        @torch.no_grad()
        def __call__(self, x_t: Tensor, t: Tensor) -> Prediction:
            return Exact(DATA, VP())(x_t, t)

    with pytest.raises(ValueError, match="derivative in x"):
        Observed(Hidden(), lambda x: x, torch.ones(3, D).double(), 0.1)(torch.zeros(3, D).double(), torch.tensor(0.5))

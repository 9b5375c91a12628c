"""Two names: a row compares what two networks see of the same digits, and what is stored is of today's settings."""

from __future__ import annotations

import pytest
import torch

from diffusion_teach import checkpoints
from diffusion_teach.denoisers import Exact, Rescaled
from diffusion_teach.exact import GaussianMixture
from diffusion_teach.schedules import VE, VP
from diffusion_teach.studies.two_names import measure


def test_a_network_and_itself_in_other_clothes_see_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "DIGITS", 3)
    ncsn = checkpoints.model("ncsn-mnist")
    monkeypatch.setitem(measure.ROWS, "NCSN, two seeds", lambda: Rescaled(ncsn, VP(0.1, 14.0)))
    row = measure.row("NCSN, two seeds")
    assert row["log_snr"] == list(measure.LEVELS)
    assert max(row["apart"]) < 1e-4


def test_the_distance_is_in_units_of_what_lies_between_an_answer_and_the_mean() -> None:
    b, mean = torch.tensor([[3.0, 4.0], [0.0, 0.0]]), torch.zeros(2)
    assert measure.apart(b + 1, b, mean) == pytest.approx(4 / 25)
    assert measure.apart(mean.expand(2, 2), b, mean) == pytest.approx(1)


def test_each_denoiser_noises_by_its_own_schedule() -> None:
    data = GaussianMixture(torch.ones(1), torch.zeros(1, 2), torch.ones(1))
    x0, eps = torch.randn(300, 2, dtype=torch.float64), torch.randn(300, 2, dtype=torch.float64)
    on = [measure.sight(Exact(data, schedule), -1.0, x0, eps) for schedule in (VP(), VE())]
    torch.testing.assert_close(on[0], on[1], rtol=1e-5, atol=1e-5)


def test_what_is_stored_is_of_today_s_settings() -> None:
    for row in measure.rows().values() if measure.RESULTS.exists() else ():
        assert row["log_snr"] == list(measure.LEVELS)
        assert (row["steps"], row["digits"]) == (measure.STEPS, measure.DIGITS)
        assert all(0 < share < 1 for share in row["apart"])

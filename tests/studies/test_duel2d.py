"""The duel is fair by construction, and its judge is what it says."""

from __future__ import annotations

import math

import pytest
import torch

from diffusion_teach.metrics.cost import counted
from diffusion_teach.metrics.watch import Watch
from diffusion_teach.networks.mlp import MLP, TimeMLP
from diffusion_teach.studies import duel2d
from diffusion_teach.studies.duel2d import contenders, search


@pytest.mark.parametrize("octaves", [0, contenders.OCTAVES])
def test_parameters_agree_within_five_percent(octaves: int) -> None:
    generator_net = MLP(contenders.NOISE, 2, contenders.WIDTH_GAN, 2, octaves)
    discriminator = MLP(2, 1, contenders.WIDTH_GAN, 2, octaves)
    denoiser = TimeMLP(2, contenders.WIDTH_DIFFUSION, 2, octaves)
    both = generator_net.parameters_per_member + discriminator.parameters_per_member
    assert denoiser.parameters_per_member == pytest.approx(both, rel=0.05)


def test_every_contender_has_as_many_trials() -> None:
    assert len({len(trials) for trials in search.TRIALS.values()}) == 1


@pytest.mark.parametrize("features", ["fourier", "raw"])
@pytest.mark.parametrize("name", ["ring", "grid"])
@pytest.mark.parametrize("contender", list(search.TRIALS))
def test_the_stored_search_is_of_these_trials_and_the_best_won(features: str, name: str, contender: str) -> None:
    rows = search.results()[features][name][contender]
    assert [{k: row[k] for k in row if k in ("lr", "penalty")} for row in rows] == list(search.TRIALS[contender])
    chosen = search.best(features, name, contender)
    assert all(row["covered"] <= chosen["covered"] + 0.011 for row in rows)
    tied = [row for row in rows if round(row["covered"], 2) == round(chosen["covered"], 2)]
    assert chosen["quality"] == max(row["quality"] for row in tied)
    assert search.settings(features, name, contender) in search.TRIALS[contender]


@pytest.mark.parametrize("features", ["fourier", "raw"])
@pytest.mark.parametrize("name", ["ring", "grid"])
def test_outcomes_agree_with_the_stored_scores(features: str, name: str) -> None:
    found = search.outcomes(features, name)
    assert list(found) == list(search.TRIALS)
    count = len(contenders.data()[name].means)
    best = max(search.best(features, name, contender)["quality"] for contender in search.TRIALS)
    for contender, trials in found.items():
        for row, members in zip(search.results()[features][name][contender], trials, strict=True):
            covered, quality = row["members_covered"], row["members_quality"]
            assert len(members) == len(covered) == len(quality) == search.SEARCH_MEMBERS
            assert sum(covered) / len(covered) / count == pytest.approx(row["covered"], abs=6e-4)
            assert sum(quality) / len(quality) == pytest.approx(row["quality"], abs=6e-4)
            assert [outcome == "drops modes" for outcome in members] == [k < count for k in covered]
            assert all(q >= best / 2 for q, outcome in zip(quality, members, strict=True) if outcome == "usable")
            assert all(q < best / 2 for q, outcome in zip(quality, members, strict=True) if outcome == "blurred")


@pytest.mark.parametrize("contender", list(search.TRIALS))
def test_a_watched_training_ends_where_an_unwatched_one_does(contender: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contenders, "STEPS", 7)
    ring = contenders.data()["ring"]
    points = ring.sample(100, generator=torch.Generator().manual_seed(0))
    watch = Watch(lambda x: contenders.measure(x, ring), torch.Generator().manual_seed(1), every=3, samples=20)
    draws = []
    for watched in (None, watch):
        g = torch.Generator().manual_seed(5)
        trained = contenders.train(contender, points, 2, g, search.TRIALS[contender][0], members=2, watch=watched)
        draws.append(trained.draw(6))
    assert torch.equal(*draws)
    assert watch.steps == [3, 6]
    assert watch.covered().shape == (2, 2)


def test_a_watch_averages_the_losses_since_its_last_look() -> None:
    ring = contenders.data()["ring"]
    watch = Watch(lambda x: contenders.measure(x, ring), torch.Generator(), every=2, samples=8)
    for step in range(5):
        watch.look(step, float(step), lambda n, _: ring.means[:n].float().expand(1, -1, -1))
    assert watch.losses == [0.5, 2.5]
    assert watch.covered().tolist() == [[8], [8]]
    with pytest.raises(ValueError, match="every"):
        Watch(watch.measure, torch.Generator(), every=0)


def test_score_of_known_samples() -> None:
    ring = contenders.data()["ring"]
    std = float(ring.covariances[0, 0, 0].sqrt())
    centres = ring.means.float()
    one_mode = centres[:1].expand(40, 2)
    off = centres.repeat(5, 1) + torch.tensor([3.2 * std, 0.0])
    result = contenders.measure(torch.stack([centres.repeat(5, 1), one_mode, off]), ring)
    assert result.covered.tolist() == [8, 1, 0]
    assert result.high_quality.tolist() == [1, 1, 0]


@pytest.mark.parametrize("contender", list(search.TRIALS))
def test_a_contender_trains_and_draws(contender: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contenders, "STEPS", 3)
    points = contenders.data()["ring"].sample(100, generator=torch.Generator().manual_seed(0))
    draws = []
    for _ in range(2):
        g = torch.Generator().manual_seed(5)
        trained = contenders.train(contender, points, 2, g, search.TRIALS[contender][0], members=2)
        draws.append(trained.draw(6))
        assert not draws[-1].requires_grad
    assert draws[0].shape == (2, 6, 2)
    assert torch.equal(*draws)


def test_a_blind_shape_scores_its_share_of_the_plane() -> None:
    g = torch.Generator().manual_seed(0)
    for name, mixture in contenders.data().items():
        std, reach = float(mixture.covariances[0, 0, 0].sqrt()), float(mixture.means.abs().max())
        share = {
            "ring": 8 * 4 * math.asin(1.5 * std / reach) / (2 * math.pi),  # eight arcs whose chords are of three sd
            "grid": 25 * math.pi * (3 * std) ** 2 / (2 * (reach + 3 * std)) ** 2,
        }[name]
        found = contenders.measure(contenders.blind_shape(name, 40, 2500, generator=g), mixture)
        assert float(found.high_quality.mean()) == pytest.approx(share, abs=4 * (share / 100_000) ** 0.5)
    with pytest.raises(ValueError, match="'ring'"):
        contenders.blind_shape("rng", 1, 1, generator=g)


def test_the_sampler_reads_its_number_of_steps_when_it_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the chapter's last exercise asks for: five steps in place of twenty-five, without a new training."""
    monkeypatch.setattr(contenders, "STEPS", 1)
    points = contenders.data()["ring"].sample(100, generator=torch.Generator().manual_seed(0))
    model = contenders.train("diffusion", points, 0, torch.Generator().manual_seed(5), {"lr": 1e-3}, members=1)
    calls = []
    for evaluations in (contenders.EVALUATIONS, 5):
        monkeypatch.setattr(duel2d.contenders, "EVALUATIONS", evaluations)
        calls.append(counted(model.draw, 1)[1].calls)
    assert calls == [25, 5]


def test_wrong_names_are_named() -> None:
    with pytest.raises(ValueError, match="'diffusion'"):
        contenders.train("difusion", torch.zeros(3, 2), 0, torch.Generator(), {"lr": 1e-3})
    with pytest.raises(ValueError, match="'fourier'"):
        search.best("furier", "ring", "GAN")


def test_the_input_decides_whose_runs_are_usable() -> None:
    """As chapter 11 says of its figure: with raw coordinates on the ring, the order of the stored runs turns round."""
    runs = {name: [run for trial in trials for run in trial] for name, trials in search.outcomes("raw", "ring").items()}
    assert "usable" not in runs["diffusion"]
    for penalised in ("GAN + R1 + R2", "RpGAN + R1 + R2"):
        assert runs[penalised].count("usable") > len(runs[penalised]) / 2
    for trials in search.outcomes("raw", "grid").values():
        assert all(run == "drops modes" for trial in trials for run in trial)

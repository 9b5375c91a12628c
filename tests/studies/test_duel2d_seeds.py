"""What forty seeds are asked: how often the worst seed of one contender is worse than the worst of the other."""

from __future__ import annotations

import itertools

import pytest
import torch

from diffusion_teach.studies import stored
from diffusion_teach.studies.duel2d import contenders, search, seeds


def test_the_worst_of_some_against_every_choice_of_them() -> None:
    one, other = torch.tensor([0.3, 0.1, 0.7, 0.2, 0.7]), torch.tensor([0.2, 0.7, 0.1, 0.4])
    for count in (1, 2, 4):
        worst = [[max(few) for few in itertools.combinations(x.tolist(), count)] for x in (one, other)]
        pairs = [(a > b) + 0.5 * (a == b) for a in worst[0] for b in worst[1]]
        assert seeds.how_often_worse(one, other, count) == pytest.approx(sum(pairs) / len(pairs), abs=1e-12)


def test_the_worst_of_equals_and_of_the_separated() -> None:
    x = torch.rand(40, generator=torch.Generator().manual_seed(0))
    assert seeds.how_often_worse(x, x, 10) == pytest.approx(0.5, abs=1e-12)
    assert seeds.how_often_worse(x + 2, x, 10) == pytest.approx(1, abs=1e-12)
    assert seeds.how_often_worse(x, x + 2, 40) == pytest.approx(0, abs=1e-12)
    whole = torch.tensor([0, 1, 2])
    assert seeds.how_often_worse(whole, whole + 1, 3) == 0
    with pytest.raises(ValueError, match="count"):
        seeds.how_often_worse(x, whole, 4)


def test_a_small_run_scores_every_seed_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contenders, "STEPS", 3)
    monkeypatch.setattr(contenders, "POINTS", 200)
    ring = contenders.data()["ring"]
    rows = [seeds.measure("RpGAN + R1 + R2", "ring", ring, members=2) for _ in range(2)]
    assert rows[0] == rows[1]
    assert rows[0]["settings"] == search.settings("fourier", "ring", "RpGAN + R1 + R2")
    assert len(rows[0]["covered"]) == len(rows[0]["high_quality"]) == len(rows[0]["reverse_kl"]) == 2


def test_the_stored_run_has_forty_seeds_of_both_at_the_chosen_settings() -> None:
    kept, rows = seeds.results(), stored.rows(seeds.RESULTS, seeds.ROWS)
    assert list(kept) == list(contenders.data())
    for name, mixture in contenders.data().items():
        assert tuple(kept[name]) == seeds.CONTENDERS
        for contender, scores in kept[name].items():
            assert rows[name][contender]["settings"] == search.settings("fourier", name, contender)
            assert all(len(values) == seeds.MEMBERS for values in scores)
            assert scores.covered.min() >= 0
            assert scores.covered.max() <= len(mixture.means)
            assert scores.reverse_kl.min() >= 0


def test_the_worst_of_the_grid_as_the_chapter_tells_it() -> None:
    plain, relativistic = (seeds.results()["grid"][contender] for contender in seeds.CONTENDERS)
    assert plain.covered.min() < relativistic.covered.min()
    assert float(plain.reverse_kl.max()) == pytest.approx(float(relativistic.reverse_kl.max()), rel=0.1)

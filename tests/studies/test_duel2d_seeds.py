"""Forty seeds at equal settings, and trainings of more steps."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch

from diffusion_teach.studies import stored
from diffusion_teach.studies.duel2d import contenders, longer, search, seeds


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
    ring, settings = contenders.data()["ring"], {"lr": 0.01, "penalty": 0.5}
    rows = [seeds.measure("RpGAN + R1 + R2", ring, settings, members=2) for _ in range(2)]
    assert rows[0] == rows[1]
    assert rows[0]["settings"] == settings
    assert len(rows[0]["covered"]) == len(rows[0]["high_quality"]) == len(rows[0]["reverse_kl"]) == 2


def test_the_stored_run_has_forty_seeds_of_both_at_equal_settings() -> None:
    kept, rows = seeds.results(), stored.rows(seeds.RESULTS, seeds.ROWS)
    assert list(kept) == list(contenders.data())
    for name, mixture in contenders.data().items():
        assert tuple(kept[name]) == seeds.CONTENDERS
        for contender, found in kept[name].items():
            assert [row["settings"] for row in rows[name][contender]] == list(seeds.SETTINGS)
            for scores in found:
                assert all(len(values) == seeds.MEMBERS for values in scores)
                assert scores.covered.min() >= 0
                assert scores.covered.max() <= len(mixture.means)
                assert scores.reverse_kl.min() >= 0


def test_every_weight_of_the_search_is_among_the_equal_settings() -> None:
    for contender in seeds.CONTENDERS:
        assert all(one in search.TRIALS[contender] for one in seeds.SETTINGS)
        assert {one["penalty"] for one in seeds.SETTINGS} == {trial["penalty"] for trial in search.TRIALS[contender]}
    assert seeds.SEED not in (search.SEARCH_SEED, longer.SEED)


def test_the_same_seed_trained_for_more_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contenders, "POINTS", 200)
    monkeypatch.setattr(contenders, "MEMBERS", 2)
    trained: list[int] = []
    train = contenders.train

    def counted(*arguments: Any, **named: Any) -> contenders.Trained:
        trained.append(named["steps"])
        return train(*arguments, **named)

    monkeypatch.setattr(contenders, "train", counted)
    rows = [longer.row("diffusion", (1, 2)) for _ in range(2)]
    assert rows[0] == rows[1]
    assert rows[0]["settings"] == search.settings("fourier", "grid", "diffusion")
    assert [one["steps"] for one in rows[0]["trained"]] == trained[:2] == [1, 2]


def test_the_stored_trainings_are_of_the_settings_that_won() -> None:
    found = longer.results()
    assert tuple(found) == contenders.CONTENDERS
    for contender, by_steps in found.items():
        settings = stored.rows(longer.RESULTS, longer.ROWS)[contender]["settings"]
        assert settings == search.settings("fourier", longer.DATA, contender)
        assert tuple(by_steps) == longer.STEPS
        assert all(len(values) == contenders.MEMBERS for scores in by_steps.values() for values in scores)

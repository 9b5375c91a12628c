"""The figures of the duel show every contender and every seed."""

from __future__ import annotations

import torch

from diffusion_teach.metrics.modes import Modes, high_quality_ceiling, mode_coverage
from diffusion_teach.metrics.watch import Watch
from diffusion_teach.studies.duel2d import contenders as duel
from diffusion_teach.studies.duel2d import figures, search


def test_every_contender_and_seed_is_shown() -> None:
    ring = duel.data()["ring"]
    samples = {name: torch.randn(3, 50, 2) for name in search.TRIALS}
    scores = {name: mode_coverage(x, ring.means, 0.1) for name, x in samples.items()}
    fig = figures.gallery(samples, scores, ring, "all seeds")
    assert len(fig.axes) == 12
    assert [ax.get_ylabel().replace("\n", " ") for ax in fig.axes[::3]] == list(samples)
    for ax, covered in zip(fig.axes, torch.cat([s.covered for s in scores.values()]), strict=True):
        assert ax.get_title().startswith(f"{int(covered)} · ")

    fig = figures.scoreboard({"ring": scores}, {"ring": 8}, "scores")
    assert len(fig.axes) == 3
    for ax in fig.axes:
        dots = [line for line in ax.lines if line.get_marker() == "o"]
        assert [len(line.get_xdata()) for line in dots] == [3, 3, 3, 3]


def test_of_many_seeds_the_worst_has_the_ring() -> None:
    covered, kl = torch.tensor([8, 3, 7]), torch.tensor([0.25, 1.5, 0.5])  # exact in binary
    good = Modes(torch.tensor([8, 8, 8]), torch.ones(3), torch.tensor([0.125, 0.375, 0.25]))
    scores = {"GAN + R1 + R2": [Modes(covered, torch.ones(3), kl), good], "RpGAN + R1 + R2": [good, good]}
    fig = figures.at_equal_settings({"ring": scores}, (0.01, 0.25), {"ring": 8}, "many")
    dots = [[list(line.get_ydata()) for line in ax.lines if len(line.get_xdata()) == 3] for ax in fig.axes]
    above, below = [8, 8, 8], [0.125, 0.25, 0.375]
    assert dots == [[[8, 7, 3], above, above, above], [[0.25, 0.5, 1.5], below, below, below]]
    rings = [[float(line.get_ydata()[0]) for line in ax.lines if line.get_markersize() == 9] for ax in fig.axes]
    assert rings == [[3, 8, 8, 8], [1.5, 0.375, 0.375, 0.375]]
    assert [label.get_text() for label in fig.axes[1].get_xticklabels()] == ["0.01", "0.25"]
    assert [text.get_text() for text in fig.axes[0].get_legend().get_texts()] == list(scores)


def test_quality_against_steps_shows_every_seed_and_the_mean() -> None:
    def scores(*quality: float) -> Modes:
        return Modes(torch.tensor([25, 20]), torch.tensor(quality), torch.ones(2))

    found = {"GAN": {800: scores(0.25, 0.5), 1600: scores(0.5, 1)}, "diffusion": {800: scores(0.5, 0.5)}}
    fig = figures.longer(found, 25, "longer")
    covered, good, kl = fig.axes
    lines = {line.get_label(): list(line.get_ydata()) for line in good.lines if line.get_label()[0] != "_"}
    assert lines == {"GAN": [0.375, 0.75], "diffusion": [0.5], "real data": [high_quality_ceiling()] * 2}
    dots = [list(line.get_ydata()) for line in covered.lines if line.get_markersize() == 3]
    assert dots == 3 * [[25, 20]]
    assert [list(line.get_ydata()) for line in kl.lines if line.get_label() in found] == [[1, 1], [1]]


def test_the_search_marks_one_winner_a_contender() -> None:
    results = search.results()["raw"]
    chosen = {name: {contender: search.best("raw", name, contender) for contender in search.TRIALS} for name in results}
    fig = figures.search(results, chosen)
    assert len(fig.axes) == 2
    for ax in fig.axes:
        assert sum(line.get_markersize() == 11 for line in ax.lines) == len(search.TRIALS)


def test_stability_shows_every_run() -> None:
    found = {"ring": search.outcomes("fourier", "ring"), "grid": search.outcomes("fourier", "grid")}
    fig = figures.stability(found, "runs")
    assert len(fig.axes) == 2
    for ax, contenders in zip(fig.axes, found.values(), strict=True):
        runs = [outcome for trials in contenders.values() for members in trials for outcome in members]
        assert len(ax.lines) == len(runs)
        hollow = [line.get_markerfacecolor()[3] == 0 for line in ax.lines]
        assert hollow == [outcome == "drops modes" for outcome in runs]


def test_the_course_shows_every_contender_and_seed() -> None:
    ring = duel.data()["ring"]
    watches = {}
    for name in search.TRIALS:
        watches[name] = Watch(lambda x: duel.measure(x, ring), torch.Generator().manual_seed(0), every=1, samples=9)
        for step in range(4):
            watches[name].look(step, 1.0, lambda n, g: torch.randn(3, n, 2, generator=g))
    fig = figures.course(watches, 8)
    assert [len(ax.lines) for ax in fig.axes] == [1, 1, 1, 1, 3, 3, 3, 3]

"""The scoreboard: its rows are of the shipped weights, and the page and the figure show what is stored."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import scoreboard as page
import torch

from diffusion_teach import checkpoints
from diffusion_teach.metrics.features import JUDGES
from diffusion_teach.recipes import canvas
from diffusion_teach.studies import __main__, denoising_gan, judges
from diffusion_teach.studies.scoreboard import canvases, figures, measure
from diffusion_teach.studies.scoreboard.figures import scoreboard as figure
from diffusion_teach.studies.scoreboard.measure import CONTENDERS


def test_every_row_is_of_the_weights_that_are_shipped() -> None:
    rows = measure.rows()
    assert list(rows) == list(CONTENDERS)
    for name, row in rows.items():
        contender, card = CONTENDERS[name], checkpoints.card(row["checkpoint"])
        assert row["sha256"] == card["sha256"], f"measure {name} anew: its weights have changed"
        assert row["label"] == contender.label
        assert (row["parameters"], row["training_steps"]) == (card["parameters"], card["steps"])
        assert (row["count"], row["repeats"], row["steps"]) == (contender.count, contender.repeats, contender.steps)
        for judge in JUDGES:
            scores = row[judge]
            assert scores["times_floor"] == pytest.approx(scores["frechet"] / scores["floor"])
            assert {"frechet", "control", "precision", "recall", "density", "coverage"} < set(scores)
        assert {"illegible", "ink", "label_kl"} < set(row)


def test_the_page_has_a_line_for_each_and_one_for_real_digits() -> None:
    parts = page.markdown(measure.rows()).split("\n\n")
    assert parts[::2] == ["**By the classifier:**", "**By the encoder:**", "**Besides:**", "**Cost:**"]
    *quality, cost = (part.splitlines() for part in parts[1::2])
    for lines in quality:
        assert len(lines) == 4 + len(CONTENDERS)
        assert lines[2].startswith("| *2,000 real digits* | ")
        assert lines[3].startswith("| *500 real digits* | ")
        assert len({line.count("|") for line in lines}) == 1
    assert quality[0][2].startswith(f"| *2,000 real digits* | 1{page.NARROW}±")
    assert len(cost) == 2 + len(CONTENDERS)
    assert all(
        f"`{contender.checkpoint}`" in line for contender, line in zip(CONTENDERS.values(), cost[2:], strict=True)
    )
    source = (Path(__file__).parents[2] / "book" / "scoreboard.md").read_text(encoding="utf-8")
    assert page.PLACE in source
    assert page.JUDGES_PLACE in source


@pytest.mark.skipif(not canvases.RESULTS.exists(), reason="not measured yet")
def test_rows_of_canvases_are_of_today_s_weights_and_on_the_page() -> None:
    rows = canvases.rows()
    assert list(rows) == list(canvases.ROWS)
    for name, row in rows.items():
        card = checkpoints.card(row["checkpoint"])
        assert row["sha256"] == card["sha256"], f"measure {name} anew: its weights have changed"
        assert row["judges"] == canvases.judges(), f"measure {name} anew: a judge has changed"
        assert (row["label"], row["count"]) == (canvases.ROWS[name][0], canvases.COUNT)
        for judge in canvases.JUDGES:
            assert row[judge]["times_floor"] == pytest.approx(row[judge]["frechet"] / row[judge]["floor"])
    parts = page.canvases(rows).split("\n\n")
    assert parts[::2] == ["**By the reader:**", "**By the eye:**", "**Besides:**"]
    for part in parts[1::2]:
        lines = part.splitlines()
        assert lines[2].startswith("| *1,000 real canvases* | ")
        assert len(lines) == 3 + len(rows)
        assert len({line.count("|") for line in lines}) == 1
    assert page.CANVASES_PLACE in (Path(__file__).parents[2] / "book" / "scoreboard.md").read_text(encoding="utf-8")


def test_judges_of_canvases_see_salt_and_pepper(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(canvases, "REFERENCE", 200)
    monkeypatch.setattr(canvases, "COUNT", 150)
    monkeypatch.setattr(canvases, "DRAWS", 2)
    monkeypatch.setattr(canvas, "TEST_GLYPHS", 300)
    truth = canvases.of_real.__wrapped__()
    x, about = canvases.real(150, 9)
    specks = torch.where(torch.rand(x.shape, generator=torch.Generator().manual_seed(0)) < 0.1, 1.0, -1.0)
    for judge in canvases.JUDGES:
        scores, spoilt = (canvases._judged(judge, part, about, truth[judge]) for part in (x, specks))
        assert 0.3 < scores["times_floor"] < 3
        assert spoilt["times_floor"] > 5
        assert scores["coverage"] > max(0.6, 2 * spoilt["coverage"])
    assert truth["obeyed"] > 0.85


def test_the_page_says_what_the_judges_see() -> None:
    lines = page.judges(judges.rows()).splitlines()
    assert len(lines) == 2 + len(judges.measure.ROWS)
    assert lines[0] == "| Digits | By the classifier | By the encoder | Illegible |"


def test_the_figure_names_each_contender() -> None:
    axes = figure(measure.rows()).axes
    assert [label.get_text() for label in axes[0].get_yticklabels()] == [c.label for c in CONTENDERS.values()]
    for line, judge in zip(axes[0].lines, JUDGES, strict=False):
        assert list(line.get_xdata()) == [row[judge]["times_floor"] for row in measure.rows().values()]


def test_contenders_are_stored_one_by_one_in_their_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def measured(contender: measure.Contender) -> dict[str, Any]:
        return {"label": contender.label} | {judge: {"times_floor": 2.0} for judge in JUDGES}

    monkeypatch.setattr(measure, "measure", measured)
    path = tmp_path / "rows.json"
    __main__.main(["scoreboard.measure", "--only", "gan", "--results", str(path)])
    __main__.main(["scoreboard.measure", "--only", "vae", "--results", str(path)])
    assert list(json.loads(path.read_text(encoding="utf-8"))) == ["vae", "gan"]
    with pytest.raises(ValueError, match="Did you mean 'rpgan'"):
        __main__.main(["scoreboard.measure", "--only", "rpgn", "--results", str(path)])


def test_the_trilemma_shows_distance_evaluations_and_coverage_of_each() -> None:
    rows = measure.rows() | denoising_gan.rows()
    fig = figures.trilemma(rows)
    for ax, judge in zip(fig.axes, JUDGES, strict=True):
        words = {text.get_text(): text.xy for text in ax.texts}
        assert len(words) == len(figures.PLACES)
        for name in figures.PLACES:
            row, scores = rows[name], rows[name][judge]
            share = min(scores["coverage"] / scores["coverage_real"], 1)
            where = words[f"{row['label']}: {100 * share:.0f} %"]
            assert where == (row["evaluations"], scores["times_floor"])
        whole, part = ax.lines[:2]  # the first generator's discs
        share = rows["vae"][judge]["coverage"] / rows["vae"][judge]["coverage_real"]
        assert (part.get_markersize() / whole.get_markersize()) ** 2 == pytest.approx(share)


def test_no_name_in_the_trilemma_lies_on_another_or_on_a_disc() -> None:
    fig = figures.trilemma(measure.rows() | denoising_gan.rows())
    fig.canvas.draw()
    for ax in fig.axes:
        names = [text.get_window_extent() for text in ax.texts]
        discs = [line.get_window_extent() for line in ax.lines[::2] if len(line.get_xdata()) == 1]
        assert len(discs) == len(names) == len(figures.PLACES)
        for k, name in enumerate(names):
            assert not any(name.overlaps(other) for other in names[k + 1 :])
            assert not any(name.overlaps(disc) for disc in discs)

"""The scoreboard: its rows are of the shipped weights, and the page and the figure show what is stored."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import scoreboard as page

from diffusion_teach import checkpoints
from diffusion_teach.studies import __main__
from diffusion_teach.studies.scoreboard import measure
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
        assert row["times_floor"] == pytest.approx(row["frechet"] / row["floor"])
        assert {"frechet", "precision", "recall", "density", "coverage", "label_kl"} < set(row)


def test_the_page_has_a_line_for_each_and_one_for_real_digits() -> None:
    quality, cost = (part.splitlines() for part in page.markdown(measure.rows()).split("\n\n"))
    assert (len(quality), len(cost)) == (3 + len(CONTENDERS), 2 + len(CONTENDERS))
    assert len({line.count("|") for line in quality}) == len({line.count("|") for line in cost}) == 1
    assert quality[2].startswith(f"| *real digits* | 1{page.NARROW}±")
    assert all(
        f"`{contender.checkpoint}`" in line for contender, line in zip(CONTENDERS.values(), cost[2:], strict=True)
    )
    assert page.PLACE in (Path(__file__).parents[2] / "book" / "scoreboard.md").read_text(encoding="utf-8")


def test_the_figure_names_each_contender() -> None:
    axes = figure(measure.rows()).axes
    assert [label.get_text() for label in axes[0].get_yticklabels()] == [c.label for c in CONTENDERS.values()]
    assert list(axes[0].lines[0].get_xdata()) == [row["times_floor"] for row in measure.rows().values()]


def test_contenders_are_stored_one_by_one_in_their_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def measured(contender: measure.Contender) -> dict[str, Any]:
        return {"label": contender.label, "times_floor": 2.0}

    monkeypatch.setattr(measure, "measure", measured)
    path = tmp_path / "rows.json"
    __main__.main(["scoreboard.measure", "--only", "gan", "--results", str(path)])
    __main__.main(["scoreboard.measure", "--only", "vae", "--results", str(path)])
    assert list(json.loads(path.read_text(encoding="utf-8"))) == ["vae", "gan"]
    with pytest.raises(ValueError, match="Did you mean 'rpgan'"):
        __main__.main(["scoreboard.measure", "--only", "rpgn", "--results", str(path)])

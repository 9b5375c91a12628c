"""The study of canvases' latents: rows measure what they say, and what is stored is of today's judges."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from diffusion_teach import checkpoints
from diffusion_teach.datasets import captions
from diffusion_teach.studies import canvas_codes
from diffusion_teach.studies.canvas_codes import obedience, terms


def test_rows_differ_by_their_terms_alone() -> None:
    settings = {name: terms.recipe(row).settings() for name, row in terms.ROWS.items()}
    for name, other in settings.items():
        assert {key for key, value in other.items() if value != settings["4 channels, plain"][key]} <= {
            "network",
            "perceptual",
            "adversarial",
        }, name


def test_a_discriminator_costs_more() -> None:
    plain, both = (terms.step_cost(terms.recipe(terms.ROWS[f"4 channels, {name}"])) for name in ("plain", "both"))
    assert both > 1.3 * plain


def test_sharp_edges_are_sharp() -> None:
    x = torch.full((1, 1, 8, 8), -1.0)
    x[..., :4] = 1.0
    assert terms.sharpness(x) == 0
    x[..., 4] = 0.1
    assert terms.sharpness(x) == pytest.approx(1 / 5)


def test_the_groups_are_what_they_are_called() -> None:
    about = obedience.asked(20)
    single, pair, held, held_pair = about.split(20)
    assert (single[:, captions.LAYOUT] == 0).all()
    assert (pair[:, captions.LAYOUT] > 0).all()
    assert not captions.held_out(torch.cat([single, pair])).any()
    assert captions.held_out(torch.cat([held, held_pair])).all()
    assert (held_pair[:, captions.LAYOUT] > 0).all()


def test_real_canvases_are_their_own_ceiling(monkeypatch: pytest.MonkeyPatch) -> None:
    about = obedience.asked(60)
    monkeypatch.setattr(obedience, "COUNT", 60)
    monkeypatch.setattr(obedience, "asked", lambda: about)
    found = obedience.row("canvases")
    assert found["single"]["all"] > 0.8
    assert found["pair"]["layout"] > 0.98
    assert found["single held out"]["count"] == 60
    assert set(found["frechet"]) == set(obedience.JUDGES)


def test_the_figures_draw_what_is_there() -> None:
    one: dict[str, Any] = {"squared_error": 1e-3, "blur": 0.4, "blur_originals": 0.3, "step": 10}
    assert len(canvas_codes.terms_figure({"4 channels, plain": one, "4 channels, both": one}).axes) == 3
    assert len(canvas_codes.terms_figure({}).axes) == 3
    row: dict[str, Any] = {group: {"all": 0.5} for group in obedience.GROUPS}
    row["frechet"] = dict.fromkeys(obedience.JUDGES, 2.0)
    assert len(canvas_codes.obedience_figure({"canvases": row, "ldm-digits, w = 1": row}).axes) == 2


@pytest.mark.skipif(not terms.RESULTS.exists(), reason="not measured yet")
def test_stored_terms_are_of_today_s_judges() -> None:
    rows = terms.rows()
    assert list(rows) == list(terms.ROWS)
    for name, row in rows.items():
        assert row["reader"] == checkpoints.card("canvas-reader")["sha256"], f"measure {name} anew"
        assert row["eye"] == checkpoints.card("canvas-eye")["sha256"], f"measure {name} anew"
        assert (row["steps"], row["batch"]) == (terms.STEPS, terms.BATCH), f"measure {name} anew"


@pytest.mark.skipif(not obedience.RESULTS.exists(), reason="not measured yet")
def test_stored_obedience_is_of_today_s_models() -> None:
    rows = obedience.rows()
    assert list(rows) == list(obedience.ROWS)
    for name, row in rows.items():
        assert row["reader"] == checkpoints.card("canvas-reader")["sha256"], f"measure {name} anew"
        if "model" in row:
            assert row["model"] == checkpoints.card(name.split(",")[0])["sha256"], f"measure {name} anew"

"""The study of canvases' latents: rows measure what they say, and what is stored is of today's judges."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from diffusion_teach import checkpoints
from diffusion_teach.datasets import captions
from diffusion_teach.metrics import cost
from diffusion_teach.studies import canvas_codes
from diffusion_teach.studies.canvas_codes import bill, obedience, terms


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
    assert "to_originals" not in found


def test_reconstructions_are_nearer_to_their_originals_than_to_other_canvases(monkeypatch: pytest.MonkeyPatch) -> None:
    about = obedience.asked(60)
    monkeypatch.setattr(obedience, "COUNT", 60)
    monkeypatch.setattr(obedience, "asked", lambda: about)
    found = obedience.row("reconstructed")
    for judge in obedience.JUDGES:
        assert 0 < found["to_originals"][judge] < 0.2 * found["frechet"][judge]


def test_the_figures_draw_what_is_there() -> None:
    one: dict[str, Any] = {"squared_error": 1e-3, "blur": 0.4, "blur_originals": 0.3, "step": 10}
    assert len(canvas_codes.terms_figure({"4 channels, plain": one, "4 channels, both": one}).axes) == 3
    assert len(canvas_codes.terms_figure({}).axes) == 3
    row: dict[str, Any] = {group: {"all": 0.5} for group in obedience.GROUPS}
    row["frechet"] = dict.fromkeys(obedience.JUDGES, 2.0)
    assert len(canvas_codes.obedience_figure({"canvases": row, "ldm-digits, w = 1": row}).axes) == 2
    spent: dict[str, Any] = {"multiplications": 4, "bytes": 8, "times_latent": 1.5}
    drawn = canvas_codes.bill_figure({"latent": {"train": spent, "sample": spent}})
    assert [bar.get_height() for bar in drawn.axes[0].patches] == [1.0, 1.5, 1.0]


def test_the_bill_counts_what_folding_and_the_latent_need() -> None:
    latent, folded = (bill.Work(name) for name in ("latent", "folded 4 × 4"))
    both = [cost.counted(work.train, 1)[1].multiplications for work in (latent, folded)]
    assert both[1] / both[0] == pytest.approx(1.03, abs=0.02)
    assert bill.once(folded.model) == {"autoencoder": 0, "encoding": 0, "decoding": 0}
    needed = bill.once(latent.model)
    assert 0.05 < needed["autoencoder"] / (both[0] * bill.LDM_DIGITS.batch * bill.LDM_DIGITS.steps) < 0.2
    assert 0.01 < needed["decoding"] / cost.counted(latent.sample, 1)[1].multiplications < 0.05
    assert all(parameter.grad is None for parameter in latent.model.parameters())


def test_the_pace_is_a_ratio_of_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = iter([9.0, 1.0, *[4.0, 2.0] * bill.ROUNDS])  # the first turn does not count
    monkeypatch.setattr(bill, "_seconds", lambda do, count: next(taken) / count)
    assert bill.paced(lambda count: None, lambda count: None, (8, 2)) == {"seconds": 0.5, "times_latent": 0.5}


@pytest.mark.skipif(not bill.RESULTS.exists(), reason="not measured yet")
def test_the_stored_bill_is_of_today_s_code() -> None:
    rows = bill.rows()
    assert list(rows) == list(bill.ROWS)
    work = bill.Work("latent")
    assert rows["latent"]["train"]["multiplications"] == cost.counted(work.train, 1)[1].multiplications
    assert rows["latent"]["sample"]["multiplications"] == cost.counted(work.sample, 1)[1].multiplications
    assert rows["latent"]["once"] == bill.once(work.model)
    for name, row in rows.items():
        assert row["autoencoder"] == checkpoints.card("canvas-autoencoder")["sha256"], f"measure {name} anew"


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
        assert row["count"] == obedience.COUNT, f"measure {name} anew"
        if "model" in row:
            assert row["model"] == checkpoints.card(name.split(",")[0])["sha256"], f"measure {name} anew"

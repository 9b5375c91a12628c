"""What a canvas shows is read right on canvases themselves, and told from what was not asked for."""

from __future__ import annotations

import pytest
import torch

from diffusion_teach.datasets import canvases, captions
from diffusion_teach.metrics import reading
from diffusion_teach.networks.classifier import Classifier

FIELDS = captions.FIELDS


@pytest.fixture(scope="module")
def drawn() -> tuple[torch.Tensor, torch.Tensor]:
    images, about = canvases.draw(600, "test", glyph_count=500, generator=torch.Generator().manual_seed(0))
    return canvases.to_model(images), about


def test_a_box_holds_the_ink_and_nothing_else() -> None:
    x = torch.full((2, 1, 10, 12), -1.0)
    x[0, 0, 2:5, 3:9] = 1.0
    assert reading.boxes(x).tolist() == [[3, 2, 9, 5], [0, 0, 12, 10]]


def test_a_cut_out_keeps_the_shape_and_fills_twenty_pixels() -> None:
    x = torch.full((1, 1, 64, 64), -1.0)
    x[0, 0, 10:50, 30:40] = 1.0
    ink = reading.cut_out(x, reading.boxes(x))[0, 0] > 0
    assert int(ink.any(1).sum()) == 20
    assert int(ink.any(0).sum()) in (4, 5)


@pytest.mark.parametrize(("stroke", "shear"), [(2.0, 0.0), (4.0, 0.45), (6.0, -0.45)])
def test_measures_of_a_line_are_its_own(stroke: float, shear: float) -> None:
    y = torch.linspace(-0.5, 0.5, 300)
    points, one = torch.stack([torch.zeros(300), y], dim=-1)[None], torch.ones(1)
    ink = canvases.rendered(points, 44 * one, stroke * one, shear * one, torch.tensor([[30.0, 33.0]]))
    seen = reading.strokes(2 * ink[:, None] - 1)
    assert float(seen["slant"]) == pytest.approx(shear, abs=0.03)
    assert float(seen["thickness"] * seen["height"]) == pytest.approx(0.87 * stroke, rel=0.15)  # its ends are edge too
    assert (float(seen["x"]), float(seen["y"])) == pytest.approx((30, 33), abs=1)


def test_canvases_obey_their_own_captions(drawn: tuple[torch.Tensor, torch.Tensor]) -> None:
    x, about = drawn
    table = reading.obedience(about, x)
    for field in ("layout", "slant", "size", "place"):
        assert table["single"][field] > 0.99, field
    assert table["single"]["thickness"] > 0.96
    assert table["single"]["digit"] > 0.9
    assert table["pair"]["layout"] > 0.99
    assert table["single"]["count"] + table["pair"]["count"] == 600


def test_other_captions_are_not_obeyed(drawn: tuple[torch.Tensor, torch.Tensor]) -> None:
    x, about = drawn
    table = reading.obedience(about.roll(1, 0), x)
    assert table["single"]["all"] < 0.02
    assert table["single"]["slant"] < 0.5
    assert table["pair"]["all"] < 0.05


def test_what_is_left_open_is_obeyed(drawn: tuple[torch.Tensor, torch.Tensor]) -> None:
    x, about = drawn
    open_ = torch.full_like(about, -1)
    open_[:, captions.LAYOUT] = about[:, captions.LAYOUT]
    assert float(reading.obeyed(open_, x)["all"].double().mean()) > 0.99


def test_no_ink_obeys_nothing() -> None:
    about = canvases.fields_of(4, generator=torch.Generator().manual_seed(0))
    right = reading.obeyed(about, torch.full((4, 1, 64, 64), -1.0), Classifier().eval())
    assert not right["all"].any()
    assert not right["layout"].any()


def test_faint_noise_moves_no_measure(drawn: tuple[torch.Tensor, torch.Tensor]) -> None:
    x, _ = drawn
    noisy = (x + 0.1 * torch.randn(x.shape, generator=torch.Generator().manual_seed(0))).clamp(-1, 1)
    plain, other = reading.strokes(x), reading.strokes(noisy)
    assert float((plain["slant"] - other["slant"]).abs().max()) < 0.05
    torch.testing.assert_close(plain["height"], other["height"], atol=2.1, rtol=0)

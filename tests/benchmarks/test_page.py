"""The page "Fast on a laptop" holds what was measured, and nothing else."""

from __future__ import annotations

import io
import re
import sys
from typing import Any

import pytest
from PIL import Image

from benchmarks import __main__ as command
from benchmarks import figures, ours, peers, quality, report, results, tables
from diffusion_teach.metrics import features


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (12345, "12,000"),
        (340, "340"),
        (1, "1.0"),
        (1.25e-3, "0.0013"),
        (0, "0"),
        (99.7, "100"),
        (10, "10"),
        (0.5, "0.50"),
    ],
)
def test_numbers_have_two_significant_digits(value: float, text: str) -> None:
    assert tables.number(value) == text


def measured() -> dict[str, Any]:
    """Results as the parts store them, made up, with round numbers."""
    machine = {"processor": "P", "cores": 2, "threads": 2, "torch": "2", "python": "3"}
    base = {"machine": machine, "date": "2026-01-01"}

    def contender(seconds: float, operations: float, precision: str) -> dict[str, Any]:
        return {
            "parameters": 10**6,
            "precision": precision,
            "operations": operations,
            "full_size_share": 0.5,
            "seconds": [seconds] * 3,
            "images_per_second": [128 / seconds] * 3,
            "times_slower": [seconds / 0.1] * 3,
            "peak_bytes": 2**20,
        }

    rows = {ours.TITLE: contender(0.1, 1e9, "bfloat16"), f"{ours.TITLE}, float32": contender(0.2, 1e9, "float32")}
    rows |= {name: contender(2.0, 4e9, "float32") for name in peers.PEERS}
    scores = {"frechet": 20.0, "floor": 4.0, "floor_std": 0.5, "times_floor": 5.0}
    judged: dict[str, Any] = {"images": 500, "illegible": 0.07, **dict.fromkeys(features.JUDGES, scores)}
    way = [{"limit": s, "seconds": s + 0.1, "steps": s, **judged, "many": judged} for s in quality.TIMES]
    by_channels = {"float32": {"32": 10.0, "64": 20.0}, "bfloat16": {"32": 20.0, "64": 40.0}}
    curve = {"seconds": {"16": 0.1, "32": 0.2, "64": 0.4}, "law": [1.0, 0.01, 0.00625]}
    found: dict[str, Any] = {
        "roofline": {
            "matrix": {"float32": 30.0, "bfloat16": 60.0},
            "convolution": {"float32": 20.0, "bfloat16": 40.0},
            "convolution_by_channels": by_channels,
        },
        "speed": {"batch": 128, "rounds": 3, "contenders": rows, "versions": dict.fromkeys(peers.PEERS, "1.0")},
        "sampling": {
            "ours": [{"steps": 10, "seconds_per_1000": 2.0, **judged}],
            "theirs": {name: {"steps": 1000, "seconds_per_1000": 9000.0} for name in peers.PEERS},
            "settings": {"checkpoint": "ddpm-mnist"},
        },
        "scaling": {"batch": curve, "width": curve, "resolution": curve, "processes": {"1": 0.2, "2": 0.1}},
    }
    found |= {
        results.quality_part(name): {"rows": way, "settings": {"sampler": "DDIM", "evaluations": 20}}
        for name in quality.PARTS
    }
    return {part: {**base, **value} for part, value in found.items()}


def test_the_tables_show_what_was_measured() -> None:
    found = measured()
    assert tables.share(found, ours.TITLE) == pytest.approx(10 / 40)
    assert tables.share(found, "diffusers") == pytest.approx(2 / 20)
    _, _, first, _ = tables.why(found).splitlines()
    assert first == "| denoising-diffusion-pytorch | 4.0 | 5.0 | 20 | 50 % |"  # 4 times 5 is 20
    assert "| diffusers, float32 | 1.00 M | 64 (64 to 64) | 20 (20 to 20) |" in tables.speed(found)
    assert "| 60 s | 5.0 / 5.0 (step 60) | 5.0 / 5.0 (step 60) | 5.0 / 5.0 (step 60) |" in tables.quality(found)
    assert "| diffusers | 1,000 | 9,000 (scaled) | – | – | – |" in tables.sampling(found)
    assert "2.0 times faster" in tables.scaling(found)
    assert "20 times as many as denoising-diffusion-pytorch" in tables.headline(found)


@pytest.mark.parametrize("section", tables.SECTIONS)
def test_a_part_that_is_missing_says_how_to_measure_it(section: str) -> None:
    text = tables.SECTIONS[section]({})
    (part,) = re.findall(r"--only (\S+)`", text)
    assert [name for name in command.parts() if name.startswith(part)]


def test_the_page_has_a_place_for_everything_once() -> None:
    names = [match[2] for match in report.PLACE.finditer(report.PAGE.read_text(encoding="utf-8"))]
    assert sorted(names) == sorted([*tables.SECTIONS, *figures.FIGURES])


def test_the_page_holds_what_the_stored_results_say() -> None:
    page = report.PAGE.read_text(encoding="utf-8")
    assert page == report.rendered(page, results.load()), "run python -m benchmarks.report"


def test_a_number_changed_by_hand_is_found() -> None:
    page = report.rendered(report.PAGE.read_text(encoding="utf-8"), measured())
    assert report.rendered(page, measured()) == page
    assert report.rendered(page.replace("5.0 / 5.0 (step 60)", "4.0 / 5.0 (step 60)"), measured()) == page


def test_a_misspelt_mark_is_an_error() -> None:
    with pytest.raises(ValueError, match="'speed'"):
        report.rendered("<!-- measured: sped -->\n<!-- end of sped -->", {})


@pytest.mark.parametrize("name", figures.FIGURES)
def test_a_figure_carries_what_it_was_drawn_from(name: str) -> None:
    found = measured()
    picture = figures.draw(name, found)
    assert picture is not None
    assert Image.open(io.BytesIO(picture)).info[figures.KEY] == figures.source(name, found)
    assert figures.draw(name, {}) is None


@pytest.mark.parametrize("name", figures.FIGURES)
def test_the_stored_figures_are_drawn_from_the_stored_results(name: str) -> None:
    found = results.load()
    path = report.ASSETS / name
    if all(part in found for part in figures.FIGURES[name][1]):
        with Image.open(path) as picture:
            assert picture.info[figures.KEY] == figures.source(name, found), "run python -m benchmarks.report"
    else:
        assert not path.exists()


# The command


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["--quick"], "name another file"), (["--only", "sped"], "must begin one of roofline, speed")],
)
def test_the_command_refuses_what_it_cannot_do(
    arguments: list[str], message: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["benchmarks", *arguments])
    with pytest.raises(SystemExit):
        command.main()
    assert message in capsys.readouterr().err

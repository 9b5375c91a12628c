"""What a notebook stores: constant text, the picture, the alternative text; live figures and animations too."""

from __future__ import annotations

import io
from types import SimpleNamespace
from typing import Any

import matplotlib.pyplot as plt
import nbformat
import pytest
import torch
from nbconvert import HTMLExporter
from PIL import Image

from diffusion_teach import plots
from diffusion_teach.plots import animations, output
from diffusion_teach.training.loop import loop


class Display:
    """Stands for IPython's display: keeps what it was given, in order."""

    def __init__(self) -> None:
        self.shown: list[tuple[str, dict[str, Any], dict[str, Any]]] = []

    def __call__(self, data: Any, *, raw: bool, metadata: Any, display_id: Any) -> Display | None:
        assert raw
        self.shown.append(("new", data, metadata))
        return self if display_id else None

    def update(self, data: Any, *, raw: bool, metadata: Any) -> None:
        assert raw
        self.shown.append(("update", data, metadata))


@pytest.fixture
def display(monkeypatch: pytest.MonkeyPatch) -> Display:
    display = Display()
    monkeypatch.setattr(output, "display", display)
    monkeypatch.setattr(output, "InteractiveShell", SimpleNamespace(initialized=lambda: True))
    return display


def test_a_figure_is_shown_with_its_text_and_closed(display: Display) -> None:
    fig, ax = plt.subplots()
    ax.plot([1, 2])
    plots.show(fig, alt=" A line rises. ")
    ((kind, data, metadata),) = display.shown
    assert kind == "new"
    assert data["text/plain"] == "Figure: A line rises."
    assert metadata == {"diffusion_teach": {"alt": "A line rises."}, "image/png": {"alt": "A line rises."}}
    assert Image.open(io.BytesIO(data["image/png"])).size[0] > 300
    assert not plt.get_fignums()


@pytest.mark.parametrize("alt", ["", "  ", "two\nlines", None])
def test_a_figure_needs_a_line_of_text(display: Display, alt: Any) -> None:
    with pytest.raises(ValueError, match="alt must say in one line"):
        plots.show(plots.subplots()[0], alt=alt)
    assert not display.shown


def test_outside_a_notebook_only_the_text_is_printed_once(capsys: pytest.CaptureFixture[str]) -> None:
    live = plots.LiveLoss(3, alt="The loss falls.")
    loop(lambda step: 1.0 / (1 + step), 3, on_step=live)
    assert capsys.readouterr().out == "Figure: The loss falls.\n"


@pytest.mark.parametrize("steps", [1, 7, 10, 95])
def test_a_live_loss_leaves_one_output_whose_last_picture_is_the_final_one(display: Display, steps: int) -> None:
    drawn: list[int] = []
    live = plots.LiveLoss(steps, floor=0.1)
    draw = live.figure.draw
    live.figure.draw = lambda: (drawn.append(len(live.losses)), draw())[1]
    loop(lambda step: 1.0 / (1 + step), steps, on_step=live)
    assert [kind for kind, _, _ in display.shown] == ["new"] + ["update"] * (len(drawn) - 1)
    assert len({data["text/plain"] for _, data, _ in display.shown}) == 1
    assert len(drawn) <= 11
    assert drawn[-1] == steps


def test_a_live_figure_draws_what_it_is_given(display: Display) -> None:
    def draw(height: int) -> Any:
        return plots.subplots(panel=(2.0, float(height)))[0]

    live = plots.LiveFigure("It grows.", draw)
    for height in (1, 2):
        live.update(height)
    heights = [Image.open(io.BytesIO(data["image/png"])).height for _, data, _ in display.shown]
    assert heights == [100, 200]


def frames() -> list[torch.Tensor]:
    return plots.image_frames([torch.full((3, 1, 4, 4), value) for value in (1.0, 0.0, -1.0)], columns=2, scale=3)


def test_an_animation_plays_a_finite_number_of_times_and_stands_for_itself() -> None:
    with Image.open(io.BytesIO(animations.apng(frames(), fps=5, hold=1.0))) as image:
        assert image.size == (30, 30)
        assert image.info["loop"] == 3
        assert image.default_image
        assert image.n_frames == 4  # the still, and three frames
        assert image.getpixel((0, 0)) == 255
        greys, durations = [], []
        for frame in (1, 2, 3):
            image.seek(frame)
            greys.append(image.convert("L").getpixel((0, 0)))
            durations.append(image.info["duration"])
    assert durations == [200, 200, 1000]
    assert greys[0] == 0
    assert greys[1] == pytest.approx(127, abs=20)
    assert greys[2] == 255


def test_a_gif_plays_a_finite_number_of_times_and_ends_on_its_last_frame() -> None:
    with Image.open(io.BytesIO(plots.gif(frames()))) as image:
        assert image.size == (30, 30)
        assert image.info["loop"] == 2  # twice again
        found = []
        for frame in range(image.n_frames):
            image.seek(frame)
            found.append((image.info["duration"], image.convert("L").getpixel((0, 0))))
    assert [duration for duration, _ in found] == [100, 100, 3000]
    assert found[0][1] == 0
    assert found[2][1] == 255


def test_bad_frames_of_a_gif_are_refused() -> None:
    with pytest.raises(ValueError, match="frames must hold at least 2 frames, got 1"):
        plots.gif(frames()[:1])
    with pytest.raises(ValueError, match=r"all frames and the still must be of one size, got \(4, 4\), \(30, 30\)"):
        plots.gif([frames()[0], GREY])


def test_coloured_frames_share_a_palette() -> None:
    colours = [torch.tensor(c, dtype=torch.uint8).expand(8, 8, 3) for c in ([0, 114, 178], [213, 94, 0])]
    mixed = torch.cat([colours[0][:4], colours[1][:4]])
    with Image.open(io.BytesIO(animations.apng(colours, still=mixed))) as image:
        for frame, colour in enumerate(colours, start=1):
            image.seek(frame)
            found = torch.tensor(image.convert("RGB").getpixel((3, 3)))
            assert (found - colour[0, 0]).abs().max() <= 3


def test_an_animation_is_shown_as_a_picture_with_text(display: Display) -> None:
    plots.show_animation(
        [plots.subplots(panel=(1.0, 1.0), title=title)[0] for title in "ab"], alt="Noise becomes digits."
    )
    ((_, data, _),) = display.shown
    assert data["text/plain"] == "Figure: Noise becomes digits."
    assert Image.open(io.BytesIO(data["image/png"])).n_frames == 3


def test_too_large_an_animation_is_refused(display: Display, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(animations, "MOST_BYTES", 100)
    with pytest.raises(ValueError, match="Take fewer than 3 frames"):
        plots.show_animation(frames(), alt="Noise.")
    assert not display.shown


GREY = torch.zeros(4, 4, dtype=torch.uint8)


@pytest.mark.parametrize(
    ("given", "options", "message"),
    [
        ([GREY], {}, "at least 2 frames, got 1"),
        ([GREY, torch.zeros(5, 4, dtype=torch.uint8)], {}, "of one size"),
        ([GREY, GREY], {"still": torch.zeros(5, 4, dtype=torch.uint8)}, "of one size"),
        ([GREY, torch.zeros(4, 4)], {}, r"frames\[1\] must be"),
        ([GREY, GREY], {"fps": 0}, "fps must be above 0"),
    ],
)
def test_bad_frames_are_refused(given: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        animations.apng(given, **options)


def test_an_exported_page_has_the_alternative_text() -> None:
    note = {"image/png": {"alt": "A line rises."}}
    shown = nbformat.v4.new_output("display_data", data={"image/png": "aGk="}, metadata=note)
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("draw()", outputs=[shown])])
    page, _ = HTMLExporter(template_name="classic").from_notebook_node(notebook)
    assert 'alt="A line rises."' in page

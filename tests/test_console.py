"""What is printed reads on a console without our letters, and never ends a program."""

from __future__ import annotations

import io
import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diffusion_teach import _console

ENCODINGS = ["cp932", "cp1252", "ascii"]

# Everything that prints: the library first, as in plain Python, then the command, which sees to all its output.
PROGRAM = """
import matplotlib.figure
from diffusion_teach import checkpoints, claims, exercises, plots
from diffusion_teach.cli.main import main
from diffusion_teach.metrics import evaluation
from diffusion_teach.training.loop import loop

claims.check("discriminator-finds-the-ratio", mean_error=0.0)
claims.TABLE = {"discriminator-finds-the-ratio": claims.TABLE["discriminator-finds-the-ratio"]}
claims.summary("11_gan_vs_diffusion")
exercises.check("generator-loss", lambda logits: None)
exercises.check("generator-loss", lambda logits: logits)
exercises.check("generator-loss", exercises.TABLE["generator-loss"].solution)
plots.show(matplotlib.figure.Figure(), alt="λ = ½, from −∞ to ∞: é ✓ × σ ₁ \\N{SNOWMAN}.")

def interrupt(step):
    raise KeyboardInterrupt

loop(interrupt, 3)
found = checkpoints.card("gan-mnist")["metrics"]
evaluation.evaluate_in_one_call = lambda *_, **__: {"repeats": 1, "seed": 0, "dtype": "float32", **found}
for arguments in (["list"], ["list", "--json"], ["evaluate", "gan-mnist"], ["evaluate", "×✓é"], ["--help"], ["σ"]):
    try:
        main(arguments)
    except SystemExit as end:
        print("exit", end.code)
"""


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_everything_that_prints_does_so_on_any_console(encoding: str) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    found = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, check=False, env=environment)
    said, complaints = found.stdout.decode(encoding, "replace"), found.stderr.decode(encoding, "replace")
    assert found.returncode == 0, complaints
    assert "Traceback" not in complaints
    assert [line for line in said.splitlines() if line.startswith("exit")] == [f"exit {k}" for k in (0, 0, 0, 2, 0, 2)]
    lines = said.splitlines()
    assert lines[0] == lines[1]
    assert lines[0].startswith("OK discriminator-finds-the-ratio: ")
    kinds = ["○" if encoding == "cp932" else "--", "NO", "OK"]
    assert [line.split(" generator-loss: ")[0] for line in lines[2:5]] == kinds
    assert lines[5].startswith("Figure: ")
    assert lines[5].endswith("?.")
    assert lines[6].startswith("Stopped after 0 of 3 steps")
    assert "chet distance" in said
    assert "Error" in complaints


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("utf-8", "✓ é σ ₁ ½ × ∞ x̂ ᾱ ☃"),
        ("ascii", "OK e sigma 1 1/2 x inf x alpha ?"),
        ("cp1252", "OK é sigma 1 ½ × inf x alpha ?"),
        ("cp932", "OK e σ 1 1/2 × ∞ x alpha ?"),
    ],
)
def test_what_is_missing_is_spelt(monkeypatch: pytest.MonkeyPatch, encoding: str, text: str) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    monkeypatch.setattr(sys, "stdout", stream)
    _console.say("✓ é σ ₁ ½ × ∞ x̂ ᾱ ☃")
    stream.seek(0)
    assert stream.read() == f"{text}\n"


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_can_be_spelt(text: str) -> None:
    assert text.encode("ascii", _console.SPELT).isascii()


def test_streams_of_other_kinds_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stdout", stream)
    _console.forgive()
    _console.say("✓")
    assert stream.getvalue() == "✓\n"

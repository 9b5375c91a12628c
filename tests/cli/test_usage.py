"""The command as a whole: its help and examples, wrong usage, and what it lists."""

from __future__ import annotations

import importlib
import json
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import click
import pytest

from diffusion_teach import checkpoints, devices, recipes
from diffusion_teach.checkpoints import files
from diffusion_teach.cli.main import main
from diffusion_teach.generate import SAMPLERS
from tests.cli.quick import bad, good

ROOT = Path(__file__).parents[2]


COMMANDS = ["list", "train", "sample", "evaluate"]


def test_the_program_is_installed_under_its_name() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    module, _, name = project["scripts"]["diffusion-teach"].partition(":")
    assert getattr(importlib.import_module(module), name) is main


def test_the_names_in_the_help_are_those_of_the_library() -> None:
    text = good("sample", "--help") + good("train", "--help")
    assert all(name in text for name in (*SAMPLERS, *devices.PRECISIONS))


def parsed(line: str) -> str:
    """The command that a line calls, after its arguments were parsed."""
    name, *arguments = shlex.split(line, comments=True)
    with click.Context(main, info_name="diffusion-teach", help_option_names=["-h", "--help"]) as parent:
        assert main.commands[name].make_context(name, arguments, parent=parent)
    return name


@pytest.mark.parametrize("command", [None, *COMMANDS])
def test_the_examples_of_the_help_can_be_parsed(command: str | None) -> None:
    text = good(*([command] if command else []), "--help")
    assert text == good(*([command] if command else []), "-h")
    lines = [line.split("diffusion-teach ")[1] for line in text.splitlines() if line.startswith("    diffusion-teach ")]
    assert len(lines) >= 2
    assert all(command in (None, parsed(line)) for line in lines)


def test_the_readme_shows_every_command() -> None:
    lines = [
        line
        for line in (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
        if line.startswith("diffusion-teach ")
    ]
    assert {parsed(line.removeprefix("diffusion-teach ")) for line in lines} == set(COMMANDS)


def test_make_trains_every_checkpoint_that_is_shipped() -> None:
    (names,) = re.findall(
        r"for name in (.*); do \\\n.*diffusion-teach train \$\$name", (ROOT / "Makefile").read_text(encoding="utf-8")
    )
    assert set(checkpoints.names()) <= set(names.split()) <= set(recipes.names())


def process(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "diffusion_teach.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_help_answers_at_once_since_it_loads_nothing_that_computes() -> None:
    program = "import atexit, runpy, sys; atexit.register(lambda: print(*sys.modules, file=sys.stderr)); "
    program += "sys.argv = ['diffusion-teach', '--help']; runpy.run_module('diffusion_teach.cli', run_name='__main__')"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "Examples:" in found.stdout
    names = found.stderr.split()
    assert "diffusion_teach.cli.main" in names
    assert not {"torch", "numpy", "IPython", "matplotlib"} & set(names)
    assert len(names) <= 250  # 117 with Python 3.11


def test_a_real_process_keeps_errors_apart(tmp_path: Path) -> None:
    assert "Examples:" in process("--help").stdout
    assert process("--version").stdout.startswith("diffusion-teach, version 0.")
    wrong = process("sample", "ddpm-mnist", "--out", str(tmp_path / "x.jpg"))
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "must end in .npz, .png, .gif" in wrong.stderr


def test_wrong_usage_names_the_near_word() -> None:
    assert "Did you mean 'train'" in bad(2, "trian")
    assert "'--seed'" in bad(2, "train", "plain", "--sede", 1)
    assert "Did you mean 'plain'" in bad(2, "train", "plian")
    assert "Did you mean 'classifier'" in bad(2, "evaluate", "clasifier")
    assert "Did you mean 'heun'" in bad(2, "evaluate", "classifier", "--sampler", "heunn")


def test_list_shows_recipes_and_checkpoints() -> None:
    lines = {line.split()[0]: line for line in good("list").splitlines() if line.startswith("  ")}
    assert "62,558" in lines["classifier"]
    for name in checkpoints.names():
        assert f"{files.parameters(checkpoints.load(name)):,}" in lines[name]
    found = json.loads(good("list", "--json"))
    assert [row["name"] for row in found["checkpoints"]] == checkpoints.names()
    by_name = {row["name"]: row for row in found["recipes"]}
    assert by_name["plain"]["steps"] == 5
    card = checkpoints.card("classifier")
    (row,) = (row for row in found["checkpoints"] if row["name"] == "classifier")
    assert (row["bytes"], row["metrics"]) == (card["bytes"], card["metrics"])
    assert f"test accuracy {card['metrics']['test_accuracy']:.4g}" in good("list")


def test_a_closed_pipe_is_no_error() -> None:
    command = f"{sys.executable} -m diffusion_teach.cli list | head -1"
    found = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert found.stdout.startswith("Recipes")
    assert found.stderr == ""

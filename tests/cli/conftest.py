"""What the tests of the command share: quick recipes beside the real ones, and checkpoints of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from diffusion_teach import recipes
from diffusion_teach.training import run
from tests.cli.quick import BROKEN, LABELLED, ONE_STEP, PLAIN


@pytest.fixture(autouse=True)
def _quick_recipes(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {**recipes._RECIPES, "plain": PLAIN, "labelled": LABELLED, "broken": BROKEN, "one-step": ONE_STEP}
    monkeypatch.setattr(recipes, "_RECIPES", known)


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    """Tiny networks gain nothing by a second thread, and wait for it where the machine is busy."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Checkpoints of the quick recipes."""
    path = tmp_path_factory.mktemp("runs")
    for recipe in (PLAIN, LABELLED, ONE_STEP):
        run.train(recipe, path, progress=False)
    return path


@pytest.fixture
def plain(folder: Path) -> str:
    return str(folder / "plain.safetensors")


@pytest.fixture
def labelled(folder: Path) -> str:
    return str(folder / "labelled.safetensors")


@pytest.fixture
def one_step(folder: Path) -> str:
    return str(folder / "one-step.safetensors")

"""Importing the package draws in what it needs and no more, and comes in time to say how torch's threads wait.

What an import costs is what it draws in. Seconds would depend on what else the machine does.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

CORE = ["schedules", "parameterizations", "exact", "denoisers", "samplers", "objectives.score_matching", "training"]
CORE += ["objectives.adversarial"]
JUDGES = ["claims", "exercises"]
SPIN = {"GOMP_SPINCOUNT": "1000", "KMP_BLOCKTIME": "1"}


def printed(program: str, **variables: str) -> Any:
    """What a fresh Python prints as JSON: the names of `loaded()` are those of the modules that it has loaded."""
    environment = {name: value for name, value in os.environ.items() if name not in SPIN} | variables
    program = f"import json, os, sys\nloaded = lambda: list(sys.modules)\n{program}"
    command = [sys.executable, "-c", program]
    return json.loads(subprocess.run(command, check=True, capture_output=True, env=environment).stdout)


@pytest.fixture(scope="module")
def stages() -> list[set[str]]:
    """What is loaded with torch, then with the core, then with claims and exercises."""
    lines = ["import torch", "stages = [loaded()]"]
    for modules in (CORE, JUDGES):
        lines += [f"import diffusion_teach.{name}" for name in modules] + ["stages.append(loaded())"]
    return [set(names) for names in printed("\n".join([*lines, "print(json.dumps(stages))"]))]


def test_the_core_draws_in_nothing_but_itself_beyond_torch(stages: list[set[str]]) -> None:
    found = stages[1] - stages[0]
    others = {name.partition(".")[0] for name in found} - sys.stdlib_module_names
    assert others == {"diffusion_teach"}
    assert len(found) <= 60  # 30 with Python 3.11


def test_claims_and_exercises_draw_in_ipython_and_nothing_that_only_figures_need(stages: list[set[str]]) -> None:
    found = stages[2] - stages[0]
    assert "IPython" in found
    assert not {"PIL", "matplotlib", "scipy", "sklearn", "sympy", "torch._dynamo"} & found
    assert len(found) <= 300  # 142 with Python 3.11


def spin(imported: str, **variables: str) -> tuple[dict[str, str | None], set[str]]:
    """How threads wait after an import, by the environment, and what was loaded by then."""
    environment, names = printed(
        f"import {imported}\nprint(json.dumps([[*map(os.environ.get, {[*SPIN]})], loaded()]))", **variables
    )
    return dict(zip(SPIN, environment, strict=True)), set(names)


@pytest.mark.parametrize("module", ["diffusion_teach", "diffusion_teach.cli.main"])
def test_importing_the_package_makes_threads_spin_for_a_short_while_before_torch_is_loaded(module: str) -> None:
    found, names = spin(module)
    assert found == SPIN
    assert not {"torch", "numpy", "IPython"} & names


@pytest.mark.parametrize("name", SPIN)
def test_what_the_user_says_of_the_spin_stays(name: str) -> None:
    assert spin("diffusion_teach", **{name: "77"})[0] == {**SPIN, name: "77"}
    assert spin("diffusion_teach", **{name: ""})[0] == {**SPIN, name: ""}

"""Importing the package is quick, and draws nothing in that only figures need."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys

MODULES = ["schedules", "parameterizations", "exact", "denoisers", "samplers", "objectives.score_matching", "training"]
MODULES += ["objectives.adversarial", "claims", "exercises"]
PROGRAM = f"""
import json, sys, time
import torch
start = time.perf_counter()
import diffusion_teach
for name in {MODULES!r}:
    __import__("diffusion_teach." + name)
print(json.dumps([time.perf_counter() - start, "matplotlib" in sys.modules]))
"""


def test_the_core_costs_at_most_half_a_second_beyond_torch_and_no_matplotlib() -> None:
    runs = [
        json.loads(
            subprocess.run([sys.executable, "-c", PROGRAM], check=True, capture_output=True, env=os.environ).stdout
        )
        for _ in range(3)
    ]
    assert statistics.median(seconds for seconds, _ in runs) <= 0.5
    assert not any(matplotlib for _, matplotlib in runs)

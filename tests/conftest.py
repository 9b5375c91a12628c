"""What every test shares: its randomness, how hypothesis draws its examples, and what Ctrl-C means."""

from __future__ import annotations

import signal

import pytest
import torch
from hypothesis import HealthCheck, settings

# The same examples each time, and no hurry on a slow machine.
settings.register_profile(
    "book", derandomize=True, deadline=None, max_examples=30, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("book")

# A shell that starts the tests in the background has them ignore Ctrl-C, and with them what they test.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _torch_seed() -> None:
    """The same numbers each time, whatever tests ran before, also where a test draws from torch's own generator."""
    torch.manual_seed(0)

"""What every test shares: hypothesis draws the same examples each time, and is not hurried on a slow machine."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile(
    "book", derandomize=True, deadline=None, max_examples=30, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("book")

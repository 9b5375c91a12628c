"""A claim shows its line or raises; nothing in between."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from diffusion_teach import claims
from diffusion_teach.claims import TABLE, Bound, Claim, ClaimError, at_least, at_most, between

ROOT = Path(__file__).parents[1]
CLAIM = Claim("a-claim", "04_score_matching", "It holds.", {"error": at_most(0.5), "share": between(0, 1)})


@given(st.floats(allow_nan=False), st.floats(allow_nan=False), st.floats(allow_nan=False))
def test_a_bound_holds_between_its_ends(low: float, value: float, high: float) -> None:
    if low > high:
        with pytest.raises(ValueError, match="low end"):
            Bound(low, high)
        return
    assert between(low, high).holds(value) == (low <= value <= high)
    assert at_least(low).holds(high)
    assert at_most(high).holds(low)
    assert not Bound().holds(math.nan)


@given(st.lists(st.floats(allow_infinity=False, allow_nan=False, width=32), min_size=1, max_size=5))
def test_several_figures_must_all_hold(values: list[float]) -> None:
    for given_as in (values, tuple(values), np.array(values), torch.tensor(values)):
        failures = CLAIM.failures({"error": given_as, "share": 0.5})
        assert bool(failures) == (max(values) > 0.5)


def test_check_prints_the_line_or_raises(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(TABLE, "a-claim", CLAIM)
    claims.check("a-claim", error=0.1, share=[0.2, 1.0])
    assert capsys.readouterr().out == "✓ a-claim: It holds.\n"
    with pytest.raises(ClaimError, match=r"✗ a-claim: It holds\. But error is 0\.7, claimed at most 0\.5; share is 2"):
        claims.check("a-claim", error=0.7, share=2)
    with pytest.raises(ClaimError, match="error is nan"):
        claims.check("a-claim", error=math.nan, share=0)
    with pytest.raises(ValueError, match="Did you mean 'share'"):
        claims.check("a-claim", error=0.1, shar=0)
    with pytest.raises(ValueError, match="needs the figure 'share' too"):
        claims.check("a-claim", error=0.1)
    with pytest.raises(ValueError, match="Did you mean 'a-claim'"):
        claims.check("a-clam", error=0.1, share=0)
    for bad in ("0.1", None, []):
        with pytest.raises(TypeError, match="error must be a number or several"):
            claims.check("a-claim", error=bad, share=0)  # type: ignore[arg-type]
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("claim", TABLE.values(), ids=TABLE)
def test_every_row_of_the_table(claim: Claim) -> None:
    assert TABLE[claim.id] is claim
    assert claim.bounds
    assert claim.sentence.endswith(".")
    assert "\n" not in claim.line
    assert all(1 <= fact <= 13 for fact in claim.facts)
    assert all(not bound.holds(math.nan) and bound != Bound() for bound in claim.bounds.values())


def test_ids_are_unique() -> None:
    chapters = [getattr(claims, name) for name in dir(claims) if name.startswith("chapter_")]
    ids = [claim.id for chapter in chapters for claim in chapter.CLAIMS]
    assert len(set(ids)) == len(ids)

"""Errors at the door: whatever comes, it is either right and returned, or named in the error."""

from __future__ import annotations

import ast
import math
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import diffusion_teach
from diffusion_teach import _checks

ANYTHING = st.one_of(st.none(), st.booleans(), st.text(max_size=5), st.integers(), st.floats(), st.lists(st.integers()))


@given(ANYTHING)
def test_tensor_refuses_what_is_none(value: object) -> None:
    with pytest.raises(TypeError, match=r"^points must be a torch\.Tensor, got "):
        _checks.tensor("points", value)


@given(st.lists(st.integers(0, 3), max_size=4), st.lists(st.integers(0, 3), max_size=4), st.booleans())
def test_tensor_takes_exactly_the_shapes_it_names(got: list[int], wanted: list[int], leading: bool) -> None:
    shape = ["...", *wanted] if leading else wanted
    fits = (got[len(got) - len(wanted) :] if leading and len(got) >= len(wanted) else got) == wanted
    value = torch.zeros(got)
    if fits and 0 not in got:
        assert _checks.tensor("x", value, shape) is value
    else:
        with pytest.raises(ValueError, match=re.escape(str(tuple(got)))):
            _checks.tensor("x", value, shape)


@given(st.integers(0, 5), st.sampled_from([math.nan, math.inf, -math.inf]))
def test_tensor_counts_what_is_not_finite(at: int, bad: float) -> None:
    value = torch.zeros(6)
    value[at] = bad
    with pytest.raises(ValueError, match="x must be finite, got 1 NaN or infinite of 6 elements"):
        _checks.tensor("x", value)
    assert _checks.tensor("x", value, finite=False) is value


def test_tensor_names_the_dtype_and_the_mend() -> None:
    with pytest.raises(TypeError, match=r"shape \(3,\) and dtype int64\. Convert it with x\.float\(\)"):
        _checks.tensor("x", torch.arange(3))
    assert _checks.tensor("x", torch.arange(3), floating=False).dtype == torch.int64


@given(ANYTHING, st.integers(-3, 3))
def test_integer_returns_whole_numbers_in_range_and_nothing_else(value: object, least: int) -> None:
    if isinstance(value, int) and not isinstance(value, bool) and least <= value <= least + 4:
        assert _checks.integer("n", value, least=least, most=least + 4) == value
    else:
        with pytest.raises((TypeError, ValueError), match="^n must be "):
            _checks.integer("n", value, least=least, most=least + 4)


@given(st.one_of(st.integers(-5, 5), st.floats()), st.sampled_from(["closed", "open"]))
def test_number_knows_its_ends(value: float, ends: str) -> None:
    bounds = {"least": -1.0, "most": 2.0} if ends == "closed" else {"above": -1.0, "below": 2.0}
    inside = -1 <= value <= 2 if ends == "closed" else -1 < value < 2
    if inside:
        assert _checks.number("eta", value, **bounds) == value
    else:
        with pytest.raises(ValueError, match="^eta must be "):
            _checks.number("eta", value, **bounds)


def test_numpy_numbers_are_numbers_and_tensors_are_not() -> None:
    assert _checks.number("x", np.float32(0.5)) == 0.5
    assert _checks.integer("n", np.int64(3)) == 3
    with pytest.raises(TypeError, match=r"got a tensor of shape \(\) and dtype float32\. Use float\(x\)"):
        _checks.number("x", torch.tensor(0.5))
    with pytest.raises(TypeError, match="must be a number, got True"):
        _checks.number("x", True)


@pytest.mark.parametrize(
    ("bounds", "words"),
    [
        ({"least": 0, "most": 1}, "at least 0 and at most 1"),
        ({"above": 0}, "above 0"),
        ({"below": 1, "least": 0}, "at least 0 and below 1"),
    ],
)
def test_number_says_its_range_in_words(bounds: dict[str, float], words: str) -> None:
    with pytest.raises(ValueError, match=f"^x must be {words}, got -3\\.$"):
        _checks.number("x", -3, **bounds)


@given(st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=4, unique=True), ANYTHING)
def test_choice_returns_the_choices_only(options: list[str], value: object) -> None:
    assert _checks.choice("kind", options[0], options) == options[0]
    if value not in options:
        with pytest.raises(ValueError, match="^kind must be one of "):
            _checks.choice("kind", value, options)


def test_choice_names_the_near_one() -> None:
    with pytest.raises(ValueError, match="got 'velosity'. Did you mean 'velocity'?"):
        _checks.choice("target", "velosity", ("x0", "velocity"))


@given(ANYTHING)
def test_generator_and_sizes_and_function_refuse_the_rest(value: object) -> None:
    if value is not None:
        with pytest.raises(TypeError, match=r"generator must be a torch\.Generator or None, got .*manual_seed\(0\)"):
            _checks.generator(value)
    with pytest.raises(TypeError, match="step must be a function, got .* Use heun."):
        _checks.function("step", value, "Use heun.")
    if not isinstance(value, list) or not value or min(value) < 1:
        with pytest.raises((TypeError, ValueError), match="^shape"):
            _checks.sizes("shape", value)
    else:
        assert _checks.sizes("shape", value) == tuple(value)


def test_describe_is_short() -> None:
    assert len(_checks.describe("x" * 1000)) < 80
    assert _checks.describe(torch.zeros(2, 3)) == "a tensor of shape (2, 3) and dtype float32"


def test_same_shape_names_both() -> None:
    with pytest.raises(ValueError, match=r"x0 and eps must have the same shape, got \(2,\) and \(3,\)"):
        _checks.same_shape("x0", torch.zeros(2), "eps", torch.zeros(3))


def test_indices_takes_whole_numbers_in_range_only() -> None:
    assert _checks.indices("labels", torch.tensor([0, 9], dtype=torch.uint8), 10, ("N",)).dtype == torch.int64
    for value in (torch.tensor([1.0]), torch.tensor([True]), [1]):
        with pytest.raises(TypeError, match="labels must"):
            _checks.indices("labels", value, 10)
    with pytest.raises(ValueError, match="labels must lie in 0 … 9, got -1 to 10"):
        _checks.indices("labels", torch.tensor([10, -1]), 10)
    with pytest.raises(ValueError, match=r"labels must have shape \(2\)"):
        _checks.indices("labels", torch.tensor([1]), 10, (2,))


def test_what_a_check_returns_is_kept() -> None:
    """A number of numpy's passes its check; what computes with it must get Python's, which the check returns."""
    dropped = []
    for file in sorted(Path(diffusion_teach.__file__).parent.rglob("*.py")):
        if {"papers", "plots", "studies"} & set(file.parts) or file.match("recipes/diffusion.py"):
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            call = node.value if isinstance(node, ast.Expr) else None
            if isinstance(call, ast.Call) and ast.unparse(call.func) in ("_checks.number", "_checks.integer"):
                dropped.append(f"{file.name}:{node.lineno}")
    assert not dropped

"""Errors at the door: what came, what was expected, how to mend it.

Every public function calls these on its arguments before it computes anything. They are not part of the public
interface; the errors that they raise are.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from diffusion_teach import _names

Kind = TypeVar("Kind")


class Unsupported(ValueError):
    """What was asked for is sound, but this model or these metrics have no use for it."""


def describe(value: object) -> str:
    """What came, in a few words: type, and for tensors shape and dtype."""
    if isinstance(value, Tensor):
        return f"a tensor of shape {tuple(value.shape)} and dtype {str(value.dtype).removeprefix('torch.')}"
    text = repr(value)
    return f"{text if len(text) <= 60 else text[:57] + '...'} ({type(value).__name__})"


def tensor(
    name: str,
    value: Any,
    shape: Sequence[int | str | None] | None = None,
    *,
    floating: bool = True,
    finite: bool = True,
) -> Tensor:
    """Check a tensor and return it.

    `shape` lists the expected sizes: a number must match, a string or None stands for any size of at least 1, and a
    leading `"..."` for any number of leading dimensions.
    """
    if not isinstance(value, Tensor):
        raise TypeError(f"{name} must be a torch.Tensor, got {describe(value)}. Convert it with torch.as_tensor.")
    if floating and not value.is_floating_point():
        raise TypeError(
            f"{name} must hold floating-point numbers, got {describe(value)}. Convert it with {name}.float()."
        )
    if shape is not None:
        _shape(name, value, shape)
    if value.numel() == 0:
        raise ValueError(f"{name} is empty: got {describe(value)}, expected at least one element.")
    if finite and value.is_floating_point() and not torch.isfinite(value).all():
        bad = int((~torch.isfinite(value)).sum())
        raise ValueError(
            f"{name} must be finite, got {bad} NaN or infinite of {value.numel()} elements. "
            f"Find where they arise with torch.isfinite({name})."
        )
    return value


def _shape(name: str, value: Tensor, shape: Sequence[int | str | None]) -> None:
    wanted, got = list(shape), list(value.shape)
    open_ended = bool(wanted) and wanted[0] == "..."
    if open_ended:
        wanted = wanted[1:]
        got = got[len(got) - len(wanted) :] if len(got) >= len(wanted) else got
    fits = len(got) == len(wanted) and all(
        g == w if isinstance(w, int) else True for g, w in zip(got, wanted, strict=True)
    )
    if not fits:
        text = ", ".join("any" if w is None else str(w) for w in shape)
        raise ValueError(f"{name} must have shape ({text}), got {describe(value)}.")


def numbers_like(name: str, value: Any, like: Tensor) -> Tensor:
    """Check a number, or a tensor that broadcasts to another one, and return it in that one's dtype and place."""
    if not isinstance(value, Tensor):
        return torch.tensor(number(name, value), dtype=like.dtype, device=like.device)
    tensor(name, value, finite=False)
    try:
        torch.broadcast_shapes(value.shape, like.shape)
    except RuntimeError:
        raise ValueError(
            f"{name} must be a number or broadcast with the shape {tuple(like.shape)}, got {describe(value)}."
        ) from None
    return value.to(like)


def input_of(network: nn.Module, name: str, value: Any, shape: Sequence[int | str | None]) -> Tensor:
    """Check what a network is fed, which must be of its weights' dtype but under autocast, and return it."""
    tensor(name, value, shape, finite=False)
    weight = next(network.parameters(), value)
    cast = torch.is_autocast_enabled(value.device.type) and torch.float64 not in (value.dtype, weight.dtype)
    if value.dtype != weight.dtype and not cast:
        raise TypeError(
            f"{name} must be of the dtype of the network's weights, {str(weight.dtype).removeprefix('torch.')}, got "
            f"{describe(value)}. Convert it with {name}.to({weight.dtype})."
        )
    if value.device.type != weight.device.type:
        raise ValueError(f"{name} must lie where the network does, on {weight.device}, got {value.device}.")
    return value


def indices(name: str, value: Any, below: int, shape: Sequence[int | str | None] | None = None) -> Tensor:
    """Check a tensor of whole numbers in 0 … below − 1, such as labels, and return it as int64."""
    tensor(name, value, shape, floating=False)
    if value.is_floating_point() or value.is_complex() or value.dtype == torch.bool:
        raise TypeError(f"{name} must hold whole numbers, got {describe(value)}. Convert it with {name}.long().")
    least, most = int(value.min()), int(value.max())
    if least < 0 or most >= below:
        raise ValueError(f"{name} must lie in 0 … {below - 1}, got {least} to {most}.")
    return value.long()


def same_shape(name: str, value: Tensor, other_name: str, other: Tensor) -> None:
    """Two tensors that must agree in shape."""
    if value.shape != other.shape:
        raise ValueError(
            f"{name} and {other_name} must have the same shape, got {tuple(value.shape)} and {tuple(other.shape)}."
        )


def integer(name: str, value: Any, *, least: int = 1, most: int | None = None) -> int:
    """Check a whole number in [least, most] and return it."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise TypeError(f"{name} must be a whole number, got {describe(value)}.")
    value = int(value)
    if value < least or (most is not None and value > most):
        bound = f"at least {least}" if most is None else f"between {least} and {most}"
        raise ValueError(f"{name} must be {bound}, got {value}.")
    return value


def number(
    name: str,
    value: Any,
    *,
    least: float = -math.inf,
    most: float = math.inf,
    above: float = -math.inf,
    below: float = math.inf,
) -> float:
    """Check a finite real number, in [least, most] and strictly between above and below, and return it as float."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        hint = f" Use float({name})." if isinstance(value, Tensor) and value.numel() == 1 else ""
        raise TypeError(f"{name} must be a number, got {describe(value)}.{hint}")
    value = float(value)
    if not math.isfinite(value):
        raise ValueError(f"{name} must be finite, got {value}.")
    if not (least <= value <= most and above < value < below):
        low = f"above {above:g}" if above > -math.inf else f"at least {least:g}" if least > -math.inf else ""
        high = f"below {below:g}" if below < math.inf else f"at most {most:g}" if most < math.inf else ""
        raise ValueError(f"{name} must be {' and '.join(part for part in (low, high) if part)}, got {value:g}.")
    return value


def choice(name: str, value: Any, choices: Iterable[str]) -> str:
    """Check a name among several and return it; the error names the nearest one."""
    options = list(choices)
    if isinstance(value, str) and value in options:
        return value
    near = _names.near(value, options)
    raise ValueError(f"{name} must be one of {', '.join(map(repr, options))}, got {value!r}.{near}")


def instance(name: str, value: Any, kind: type[Kind] | tuple[type[Kind], ...], what: str, mend: str = "") -> Kind:
    """Check that something is of a kind and return it; `what` names the kind, `mend` says how to make one."""
    if not isinstance(value, kind):
        raise TypeError(f"{name} must be {what}, got {describe(value)}.{mend and ' ' + mend}")
    return value


def module(name: str, value: Any) -> nn.Module:
    """Check a network and return it."""
    return instance(name, value, nn.Module, "a torch.nn.Module")


def mapping(name: str, value: Any, what: str) -> Mapping[str, Any]:
    """Check a mapping by names and return it; `what` says of what."""
    return instance(name, value, Mapping, f"a mapping of {what}")


def flag(name: str, value: Any) -> bool:
    """Check a choice of True or False and return it: "no" would count as True."""
    return instance(name, value, bool, "True or False")


def path(name: str, value: Any) -> Path:
    """Check the path of a file or a folder and return it, with ~ for the user's own folder."""
    instance(name, value, (str, Path), "a path, such as 'runs'")
    place = Path(value)
    try:
        return place.expanduser()
    except RuntimeError:
        raise ValueError(f"{name} must be a path, got {str(place)!r}: there is no such user.") from None


def pair(name: str, value: Any, **bounds: float) -> tuple[float, float]:
    """Check two numbers, each within the bounds of `number`, and return them."""
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        raise TypeError(f"{name} must be two numbers, such as (0.9, 0.99), got {describe(value)}.")
    return number(f"{name}[0]", value[0], **bounds), number(f"{name}[1]", value[1], **bounds)


def sizes(name: str, value: Any, count: int | None = None) -> tuple[int, ...]:
    """Check sizes of at least 1 each, such as the shape of a tensor that is to be made, and return them."""
    if not isinstance(value, (tuple, list)) or not value or (count is not None and len(value) != count):
        many = "" if count is None else f"{count} "
        raise TypeError(f"{name} must be a tuple of {many}sizes such as (64, 2), got {describe(value)}.")
    return tuple(integer(f"{name}[{i}]", size) for i, size in enumerate(value))


def function(name: str, value: Any, near: str = "") -> Any:
    """Check something that will be called and return it; `near` says what one may have meant."""
    if not callable(value):
        raise TypeError(f"{name} must be a function, got {describe(value)}.{near and ' ' + near}")
    return value


def generator(value: Any) -> torch.Generator | None:
    """Check a source of randomness: a torch.Generator, or None for torch's global one."""
    if value is not None and not isinstance(value, torch.Generator):
        raise TypeError(
            f"generator must be a torch.Generator or None, got {describe(value)}. "
            "Make one with torch.Generator().manual_seed(0)."
        )
    return value

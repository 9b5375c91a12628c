"""Data files of the package: read with their SHA-256 verified, written whole or not at all."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

REINSTALL = "python -m pip install --force-reinstall --no-deps diffusion-teach, or, in a clone, git checkout -- {name}"


class DamagedFileError(RuntimeError):
    """A file of the package is not the one that was shipped."""


def sha256(data: bytes) -> str:
    """The SHA-256 of some bytes, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def read_verified(path: Path, expected: str, mend: str = REINSTALL) -> bytes:
    """Read a whole file and compare its SHA-256 with the expected one.

    Raises:
        FileNotFoundError: the file is missing; the message names it, the expected hash and how to mend.
        DamagedFileError: the hash differs; the message names the found one as well.
    """
    advice = f"Mend it with: {mend.format(name=path.name)}."
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise FileNotFoundError(f"The data file {path} is missing (expected SHA-256 {expected}). {advice}") from None
    found = sha256(data)
    if found != expected:
        raise DamagedFileError(
            f"The data file {path} is damaged: expected SHA-256 {expected}, found {found} ({len(data)} bytes). {advice}"
        )
    return data


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file under a temporary name beside it, then rename: a reader sees the old file or the new, never half."""
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise

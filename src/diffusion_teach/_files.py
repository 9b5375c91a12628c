"""Data files of the package: read with their SHA-256 verified, written whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import glob
import hashlib
import os
import secrets
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

REINSTALL = "python -m pip install --force-reinstall --no-deps diffusion-teach, or, in a clone, git checkout -- {name}"


HALF = ".half"
"""The ending of a file that is being written, see `write_atomically`."""


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
    """Write a file under a temporary name beside it, then rename: a reader sees the old file or the new, never half.

    A link is followed. The rights of a file that is replaced stay, and a new one has those that the umask leaves it.
    """
    path = Path(os.path.realpath(path))
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}{HALF}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            os.chmod(temporary, stat.S_IMODE(path.stat().st_mode))
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def clear(path: Path) -> None:
    """Remove what a killed process left half-written of a file. Call it where nobody else can be writing that file."""
    path = Path(os.path.realpath(path))
    for leftover in path.parent.glob(f".{glob.escape(path.name)}.{'[0-9a-f]' * 8}{HALF}"):
        leftover.unlink(missing_ok=True)


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a file that stands for something which one process at a time may do; it is there for as long as it is held.

    The operating system lets go of it when the process ends, however it does.

    Raises:
        BlockingIOError: another process, or another part of this one, holds it.
    """
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            _lock(handle)
        except BaseException:
            os.close(handle)
            raise
        if sys.platform == "win32" or (path.exists() and os.path.samestat(os.fstat(handle), path.stat())):
            break
        os.close(handle)  # who held it removed it in between
    try:
        yield
    finally:
        if sys.platform == "win32":  # an open file cannot be removed there, nor one that another process has opened
            os.close(handle)
            with contextlib.suppress(OSError):
                path.unlink()
        else:
            path.unlink(missing_ok=True)
            os.close(handle)


def _lock(handle: int) -> None:
    try:
        if sys.platform == "win32":
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EAGAIN, errno.EDEADLK):
            raise BlockingIOError(errno.EAGAIN, "another process holds the lock") from None
        # else a file system that knows no locks

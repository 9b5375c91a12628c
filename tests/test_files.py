"""Files are written whole, with the rights that they should have, and held by one process at a time."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from diffusion_teach import _files
from tests.processes import FORK


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no umask")
def test_the_umask_and_the_rights_of_what_is_replaced_are_kept(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        _files.write_atomically(tmp_path / "new", b"1")
        _files.write_atomically(tmp_path / "old", b"1")
        (tmp_path / "old").chmod(0o600)
        _files.write_atomically(tmp_path / "old", b"2")
    finally:
        os.umask(before)
    assert mode(tmp_path / "new") == 0o640
    assert mode(tmp_path / "old") == 0o600
    assert {file.name for file in tmp_path.iterdir()} == {"new", "old"}


def test_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    target, link = tmp_path / "there" / "file", tmp_path / "link"
    target.write_bytes(b"old")
    link.symlink_to(target)
    _files.write_atomically(link, b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"


def test_what_a_killed_process_left_is_cleared_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "x[1].safetensors"
    others = {path.name, ".x[1].safetensors.swp", ".x1.safetensors.0123abcd.half", ".x[1].safetensors.mine.half"}
    for name in {*others, f".{path.name}.0123abcd{_files.HALF}"}:
        (tmp_path / name).touch()
    _files.clear(path)
    assert {file.name for file in tmp_path.iterdir()} == others
    _files.clear(tmp_path / "nowhere" / "x")


def _hold(path: Path, ready: Path) -> None:
    with _files.locked(path):
        ready.touch()
        os.kill(os.getpid(), 9)


def test_a_lock_is_held_once_and_let_go_by_who_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    process = FORK.Process(target=_hold, args=(path, tmp_path / "ready"))
    process.start()
    process.join()
    assert (tmp_path / "ready").exists()
    assert path.exists()
    with _files.locked(path):
        assert path.exists()
        with pytest.raises(BlockingIOError), _files.locked(path):
            pass
    assert not path.exists()

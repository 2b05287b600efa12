"""A session's files: what it downloaded and what was put there to be uploaded.

They stay readable after the session's end until its record is swept.

Below: errors, engines.base. Above: registry.
"""

import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from notte_mcp.engines.base import COMING
from notte_mcp.errors import UnknownResource

FOLDER: Final = "files"


def list_files(folder: Path) -> list[tuple[str, int]]:
    """(name, bytes) of the regular files of a session's folder, by name."""
    try:
        with os.scandir(folder / FOLDER) as entries:
            found = [(e.name, e.stat().st_size) for e in entries if e.is_file(follow_symlinks=False)]
    except FileNotFoundError:
        return []
    return sorted(found)


def unarrived(folder: Path) -> tuple[str, ...]:
    """The names of the downloads that are under way, or were when the session's browser went."""
    try:
        return tuple(sorted(mark.name for mark in (folder / COMING).iterdir()))
    except OSError:
        return ()


def forget_unarrived(folder: Path, names: Iterable[str]) -> None:
    """Once they were told of: the session goes on without them."""
    for name in names:
        (folder / COMING / name).unlink(missing_ok=True)


def read_file(folder: Path, name: str) -> bytes:
    """The bytes of one of them.

    Raises:
        UnknownResource: the session has no such file.
    """
    missing = UnknownResource(
        f"Session {folder.name} has no file {name!r}.",
        next_call=f'notte_read(uri="notte://sessions/{folder.name}/files")',
    )
    if name != Path(name).name or name in {"", ".", ".."}:
        raise missing
    try:
        # No link is followed: a page chooses the names of what it sends.
        fd = os.open(folder / FOLDER / name, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except OSError:
        raise missing from None
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise missing
        with os.fdopen(fd, "rb", closefd=False) as file:
            return file.read()
    finally:
        os.close(fd)


def put_file(folder: Path, name: str, content: bytes) -> None:
    """Put a file there, readable by its owner alone, in place of one of that name. `name` is one that `list_files` gave."""
    place = folder / FOLDER
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0)
    with os.fdopen(os.open(place / Path(name).name, flags, 0o600), "wb") as file:
        file.write(content)

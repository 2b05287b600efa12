"""A session's files: what it downloaded and what was put there to be uploaded.

They stay readable after the session's end until its record is swept.

Below: errors, engines.base. Above: registry.
"""

import os
import shutil
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO, Final

from notte_mcp.engines.base import COMING
from notte_mcp.errors import UnknownResource

FOLDER: Final = "files"

_PUT: Final = "put"
"""In a session's folder: an empty file of its name for each file that a caller put there."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A file: its size in bytes, when it was written (Unix seconds), and whether a caller put it there or a page sent it."""

    name: str
    size: int
    at: float
    was_put: bool


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


def told_files(folder: Path) -> list[Kept]:
    """The regular files of a session's folder, oldest first."""
    given = put_there(folder)
    try:
        with os.scandir(folder / FOLDER) as entries:
            found = [(e.name, e.stat()) for e in entries if e.is_file(follow_symlinks=False)]
    except FileNotFoundError:
        return []
    kept = [Kept(name, stat.st_size, stat.st_mtime, was_put=name in given) for name, stat in found]
    return sorted(kept, key=lambda one: (one.at, one.name))


def put_there(folder: Path) -> frozenset[str]:
    """The names of the files that a caller put there; what else there is was downloaded."""
    try:
        return frozenset(mark.name for mark in (folder / _PUT).iterdir())
    except OSError:
        return frozenset()


def open_file(folder: Path, name: str) -> BufferedReader:
    """One of them, to be read.

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
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise missing
    return os.fdopen(fd, "rb")


def read_file(folder: Path, name: str) -> bytes:
    """The bytes of one of them. Raises: UnknownResource."""
    with open_file(folder, name) as file:
        return file.read()


def put_file(folder: Path, name: str, content: bytes | BinaryIO) -> None:
    """Put a file there, readable by its owner alone, in place of one of that name. `name` is one that `list_files` gave."""
    place, put = folder / FOLDER, folder / _PUT
    for one in (place, put):
        one.mkdir(mode=0o700, parents=True, exist_ok=True)
    bare = Path(name).name
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0)
    with os.fdopen(os.open(place / bare, flags, 0o600), "wb") as file:
        if isinstance(content, bytes):
            file.write(content)
        else:
            shutil.copyfileobj(content, file)
    (put / bare).touch(mode=0o600)


def drop_file(folder: Path, name: str) -> None:
    """Remove one of them. Raises: UnknownResource."""
    open_file(folder, name).close()
    (folder / FOLDER / name).unlink(missing_ok=True)
    (folder / _PUT / name).unlink(missing_ok=True)

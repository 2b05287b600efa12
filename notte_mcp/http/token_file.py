"""The token that a server makes for itself: a file in the state folder that only its owner can read.

Below: tokens. Above: serve, api.
"""

import os
import stat
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

from notte_mcp.http.tokens import new_token

_OTHERS: Final = 0o077


class TokenFileUnusable(Exception):
    """The file cannot be trusted or read; the text is a sentence that says why, and what to do."""


def token_in(state_dir: Path, name: str) -> str:
    """The token in the file of this name in a state folder, made if there is none yet.

    Raises:
        TokenFileUnusable.
    """
    path = state_dir / name
    try:
        if not os.path.lexists(path):
            _make(path)
        return _read(path)
    except OSError as error:
        raise TokenFileUnusable(f"{path} cannot be made or read ({error.strerror}).") from error


def _make(path: Path) -> None:
    """Whole or not at all, and by whoever comes first: another server may start at the same time."""
    beside = path.with_name(f"{path.name}.{os.getpid()}")
    made = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(made, new_token().encode() + b"\n")
        os.fsync(made)
    finally:
        os.close(made)
    try:
        with suppress(FileExistsError):
            path.hardlink_to(beside)
    finally:
        beside.unlink()


def _read(path: Path) -> str:
    with os.fdopen(
        os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0)), encoding="ascii", errors="replace"
    ) as file:
        found = os.fstat(file.fileno())
        if sys.platform != "win32" and (found.st_uid != os.geteuid() or stat.S_IMODE(found.st_mode) & _OTHERS):
            raise TokenFileUnusable(
                f"{path} is not yours alone (mode {stat.S_IMODE(found.st_mode):04o}), so its token may be known: "
                "remove it, and a new one is made."
            )
        token = file.read(1_000).strip()
    if len(token) < len(new_token()):
        raise TokenFileUnusable(f"{path} holds no token: remove it, and a new one is made.")
    return token

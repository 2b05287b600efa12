"""What SQLite's error codes mean to the assistant that reads them.

One sentence per cause, and for each the one thing that mends it.

Below: errors. Above: database.
"""

import errno
import sqlite3
from pathlib import Path
from typing import Final

from sqlalchemy.exc import DBAPIError

from notte_mcp.errors import StoreUnusable

_DAMAGED: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_LOCKED: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
Failure = DBAPIError | sqlite3.Error | OSError
"""What a file of SQLite's may raise."""

_PRIMARY: Final = 0xFF  # the low byte of an extended result code is the code itself
_ELSEWHERE: Final = "set NOTTE_MCP_STATE_DIR to a folder of your own on a disk with room and start the server again"

_SENTENCES: Final = {
    sqlite3.SQLITE_BUSY: (
        "The database {path} is locked: another program has held it longer than {seconds:g} s.",
        "make the same call again; if it stays locked, close the program that has the file open",
    ),
    sqlite3.SQLITE_FULL: (
        "The database {path} cannot grow: the disk is full.",
        "free some space on that disk, then make the same call again",
    ),
    sqlite3.SQLITE_READONLY: (
        "The database {path} is read-only for this user.",
        f"make the file and its folder writable, or {_ELSEWHERE}",
    ),
    sqlite3.SQLITE_READONLY_DBMOVED: (
        "The database {path} was moved or removed while it was open.",
        "end this server and start it again: it begins with what is there then",
    ),
    sqlite3.SQLITE_CORRUPT: (
        "The database {path} is damaged.",
        "start the server again: it moves the damaged file aside and begins a new one",
    ),
    sqlite3.SQLITE_CANTOPEN: ("The database {path} cannot be opened.", _ELSEWHERE),
    sqlite3.SQLITE_IOERR: ("The disk under the database {path} reports an error.", _ELSEWHERE),
}
_SAME_AS: Final = {sqlite3.SQLITE_NOTADB: sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_LOCKED: sqlite3.SQLITE_BUSY}
_BY_ERRNO: Final = {
    errno.EACCES: sqlite3.SQLITE_READONLY,
    errno.EPERM: sqlite3.SQLITE_READONLY,
    errno.EROFS: sqlite3.SQLITE_READONLY,
    errno.ENOSPC: sqlite3.SQLITE_FULL,
    errno.EDQUOT: sqlite3.SQLITE_FULL,
}


def is_damage(error: Failure) -> bool:
    """Whether the error says that the file is damaged or no database."""
    return _code(error) in _DAMAGED


def is_lock(error: Failure) -> bool:
    """Whether the error says that another connection is in the way."""
    return _code(error) in _LOCKED


def unusable(error: Failure, path: Path, *, busy_timeout_s: float) -> StoreUnusable:
    """The error of ours that says what `error` says."""
    code = _code(error)
    return unusable_by(_SAME_AS.get(code, code), path, busy_timeout_s=busy_timeout_s, detail=_detail(error))


def unusable_by(code: int, path: Path, *, busy_timeout_s: float, detail: str = "") -> StoreUnusable:
    """The error for a result code; an unforeseen one is told in the words of `detail`."""
    sentence, next_call = _SENTENCES.get(code, ("The database {path} refused: " + detail + ".", _ELSEWHERE))
    return StoreUnusable(
        sentence.format(path=path, seconds=busy_timeout_s),
        done="Nothing was written.",
        kept="" if code == sqlite3.SQLITE_READONLY_DBMOVED else "What was recorded before is kept.",
        next_call=next_call,
    )


def _code(error: Failure) -> int:
    if isinstance(error, OSError):
        return _BY_ERRNO.get(error.errno or 0, sqlite3.SQLITE_CANTOPEN)
    cause = error.orig if isinstance(error, DBAPIError) else error
    code = int(getattr(cause, "sqlite_errorcode", sqlite3.SQLITE_ERROR))
    return code if code == sqlite3.SQLITE_READONLY_DBMOVED else code & _PRIMARY


def _detail(error: Failure) -> str:
    cause = error.orig if isinstance(error, DBAPIError) else error
    return str(cause).replace("{", "(").replace("}", ")")

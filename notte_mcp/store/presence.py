"""Who has the database open: a shared lock on a file beside it, held while it is open.

A damaged file may only be moved away when nobody else has it open: SQLite would
go on writing to the moved one, with a journal by the new one's name. The kernel
lets go of the lock when its holder dies.

Below: nothing. Above: database.
"""

import os
import sys
from pathlib import Path


class Presence:
    """This process's mark that it has a database open. Not for several threads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None

    def enter(self) -> None:
        """Leave the mark. Raises OSError where the file cannot be made."""
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        _lock(self._file, alone=False)

    def alone(self) -> bool:
        """Whether no other one is present; the mark stays."""
        if self._file is None:
            return False
        alone = _lock(self._file, alone=True)
        _lock(self._file, alone=False)
        return alone

    def leave(self) -> None:
        """Take the mark back. Idempotent."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


if sys.platform == "win32":

    def _lock(_file: int, *, alone: bool) -> bool:
        # There an open file cannot be moved at all: the move says so itself.
        return alone

else:
    import fcntl

    def _lock(file: int, *, alone: bool) -> bool:
        try:
            fcntl.flock(file, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

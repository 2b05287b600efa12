"""The keeper's log: stderr goes into a file, which does not grow beyond bounds.

Whoever the keeper starts writes into the same file, so it is emptied in place instead of being
exchanged: all of them append, and go on at its new end.

Below: places. Above: serve.
"""

import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Final

from notte_mcp.keeper.places import LOG

MAX_BYTES: Final = 2_000_000
"""Of the log, and as much again of what stood in it before (`log.1`)."""


def bound() -> None:
    """Move what is in a log that is too long into `log.1`, in the keeper's folder."""
    log = Path(LOG)
    if not log.exists() or log.stat().st_size <= MAX_BYTES:
        return
    older = Path(f"{LOG}.1")
    with suppress(OSError):  # where there is no room, there is less of it afterwards
        shutil.copyfile(log, older)
        older.chmod(0o600)
    os.truncate(log, 0)

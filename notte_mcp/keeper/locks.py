"""Locks between processes, on a file: the kernel frees them when their holder dies, however it dies.

Of the relay's path (see wanted). Below: nothing. Above: starting, serve, commands.
"""

import os
import sys
import time

_EVERY_S = 0.02


def take(path: str, *, wait_s: float) -> int | None:
    """The descriptor of the locked file, made if need be (0600); None when another had it all the time."""
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + wait_s
    while not _lock(file):
        if time.monotonic() >= deadline:
            os.close(file)
            return None
        time.sleep(_EVERY_S)
    return file


def free(file: int) -> None:
    """Let go of what `take` gave."""
    os.close(file)


if sys.platform == "win32":

    def _lock(file: int) -> bool:
        import msvcrt

        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:

    def _lock(file: int) -> bool:
        import fcntl

        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

"""A script's process with all that it starts: begun so that it can be ended whole, and ended for certain.

What a script starts (a driver, and by that a browser in a process group of its own) is found as its children, and
by the TMPDIR that no other process has where the script itself is gone already.

Below: nothing of ours. Above: scripts.
"""

import shutil
import sys
import time
from collections.abc import Sequence
from subprocess import DEVNULL, PIPE
from typing import Final

import anyio
import psutil
from anyio.abc import ByteReceiveStream, Process

KEPT_BYTES: Final = 65_536
"""Of what a process says, its end."""

_PATIENCE_S: Final = 0.5
_EVERY_S: Final = 0.01
_ROUNDS: Final = 4


async def begin(command: Sequence[str], *, cwd: str, env: dict[str, str]) -> Process:
    """Start it in a session of its own; on Linux it dies with us, too."""
    setpriv = shutil.which("setpriv") if sys.platform == "linux" else None
    bound = [setpriv, "--pdeathsig", "KILL", "--", *command] if setpriv else list(command)
    return await anyio.open_process(
        bound, stdin=DEVNULL, stdout=PIPE, stderr=PIPE, cwd=cwd, env=env, start_new_session=sys.platform != "win32"
    )


class Tail:
    """The end of what a stream said."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    async def keep(self, stream: ByteReceiveStream | None) -> None:
        """Read to the stream's end."""
        if stream is None:
            return
        async for chunk in stream:
            self._bytes += chunk
            del self._bytes[:-KEPT_BYTES]

    @property
    def text(self) -> str:
        return self._bytes.decode("utf-8", "replace")


def end_tree(pid: int, tmp: str) -> None:
    """Kill the process `pid` and all that it started (their TMPDIR is `tmp`), and wait until they are gone.

    Blocks for at most two seconds; never raises.
    """
    victims = _tree(pid)
    for _ in range(_ROUNDS):
        for victim in victims:
            _kill(victim)
        _until_gone(victims)
        # Who was being started meanwhile, or has lost its parent, is found by what it was given.
        if not (victims := _with_tmp(tmp)):
            return


def _until_gone(victims: Sequence[psutil.Process]) -> None:
    """Looked at, and not waited for: the event loop, which started one of them, is to learn how it ended."""
    deadline = time.monotonic() + _PATIENCE_S
    while any(map(_lives, victims)) and time.monotonic() < deadline:
        time.sleep(_EVERY_S)


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _tree(pid: int) -> list[psutil.Process]:
    try:
        process = psutil.Process(pid)
        return [*process.children(recursive=True), process]
    except psutil.Error:
        return []


def _with_tmp(tmp: str) -> list[psutil.Process]:
    return [process for process in psutil.process_iter() if _tmp_of(process) == tmp]


def _tmp_of(process: psutil.Process) -> str | None:
    try:
        return None if process.status() == psutil.STATUS_ZOMBIE else process.environ().get("TMPDIR")
    except (psutil.Error, OSError):
        return None


def _kill(process: psutil.Process) -> None:
    try:
        process.kill()
    except psutil.Error:
        return

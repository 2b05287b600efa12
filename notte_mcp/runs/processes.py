"""A script's process with all that it starts: begun so that it can be ended whole, and ended for certain.

What a script starts (a driver, and by that a browser in a process group of its own) is found as its children, and
by the TMPDIR that no other process has where the script itself is gone already.

Below: processes. Above: scripts.
"""

import shutil
import sys
from collections.abc import Sequence
from subprocess import DEVNULL, PIPE
from typing import Final

import anyio
import psutil
from anyio.abc import ByteReceiveStream, Process

from notte_mcp.processes import end, tree

KEPT_BYTES: Final = 65_536
"""Of what a process says, its end."""

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
    try:
        victims = tree(psutil.Process(pid))
    except psutil.Error:
        victims = []
    for _ in range(_ROUNDS):
        end(victims)
        # Who was being started meanwhile, or has lost its parent, is found by what it was given.
        if not (victims := _with_tmp(tmp)):
            return


def _with_tmp(tmp: str) -> list[psutil.Process]:
    return [process for process in psutil.process_iter() if _tmp_of(process) == tmp]


def _tmp_of(process: psutil.Process) -> str | None:
    try:
        return None if process.status() == psutil.STATUS_ZOMBIE else process.environ().get("TMPDIR")
    except (psutil.Error, OSError):
        return None

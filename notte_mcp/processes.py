"""Processes that have to be gone: what stands below one, and its certain end.

Which processes these are is known above: the engine's browsers, a script's tree, what a dead server left.

Below: nothing of ours. Above: engines.local, runs, replay, state_folder.
"""

import asyncio
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Final

import anyio
import psutil

PATIENCE_S: Final = 0.5
"""How long processes that were killed are looked at until they are gone."""

_EVERY_S: Final = 0.01

_TURNS: Final = 3
"""Turns of the event loop in which it closes what it was told to."""


def tree(process: psutil.Process) -> list[psutil.Process]:
    """The process and all below it that can be seen, itself last; nothing where it is gone."""
    try:
        below = process.children(recursive=True) if process.is_running() else None
    except psutil.Error:
        return []
    return [] if below is None else [*below, process]


def end(victims: Iterable[psutil.Process], *, within_s: float = PATIENCE_S) -> None:
    """Kill them, and come back when they are gone or the time is over. Never raises.

    They are looked at, and not waited for: how a child of ours ended, the event loop that started it is to learn.
    """
    doomed = list(victims)
    for process in doomed:
        with suppress(psutil.Error):
            process.kill()
    deadline = time.monotonic() + within_s
    while any(map(lives, doomed)) and time.monotonic() < deadline:
        time.sleep(_EVERY_S)


def lives(process: psutil.Process) -> bool:
    """Whether it runs. A zombie holds nothing but its number, and may stay for ever where nobody reaps."""
    with suppress(psutil.Error):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


async def let_go(process: object) -> None:
    """Close what asyncio holds of a process that has been ended: `process` is asyncio's own, or anyio's. Never raises.

    By itself it waits for the end of each pipe. Where nobody reads on, or the loop is over sooner, that does not come, and
    the pipes are the garbage collector's.
    """
    inner = getattr(process, "_process", process)
    transport = getattr(inner, "_transport", None)
    if not isinstance(inner, asyncio.subprocess.Process) or not isinstance(transport, asyncio.SubprocessTransport):
        return
    with anyio.CancelScope(shield=True):
        with anyio.move_on_after(PATIENCE_S):
            await inner.wait()
        transport.close()
        for _ in range(_TURNS):
            await asyncio.sleep(0)

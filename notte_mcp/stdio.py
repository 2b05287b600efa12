"""The server in this process, on stdin and stdout: the same conversation as one with the keeper.

While it serves, the standard descriptors lead elsewhere, so that nobody's stray output is among the protocol's and
no child reads what the host says.

Below: keeper.conversation, server. Above: commands.
"""

import os
import sys
from functools import partial

import anyio
import anyio.to_thread

from notte_mcp.keeper.conversation import converse
from notte_mcp.keeper.link import CHUNK
from notte_mcp.server import NotteServer


async def serve(server: NotteServer) -> None:
    """Serve the host until stdin ends. The process is left afterwards: the descriptors are not put back, and a thread
    may still be reading."""
    stdin, stdout = _taken()
    async with server.surface.running():
        await converse(server, server.surface, partial(_receive, stdin), partial(_send, stdout))


def _taken() -> tuple[int, int]:
    """The host's two pipes, under numbers that nobody else knows."""
    pipes = os.dup(0), os.dup(1)
    if sys.platform == "win32":
        import msvcrt

        for pipe in pipes:
            msvcrt.setmode(pipe, os.O_BINARY)
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)
    try:
        os.dup2(2, 1)
    except OSError:  # there is no stderr
        os.dup2(nowhere, 1)
    os.close(nowhere)
    return pipes


async def _receive(pipe: int) -> bytes:
    # In a thread: a file, which stdin may be too, is always "ready".
    try:
        return await anyio.to_thread.run_sync(os.read, pipe, CHUNK, abandon_on_cancel=True)
    except OSError:
        return b""


async def _send(pipe: int, line: bytes) -> None:
    try:
        await anyio.to_thread.run_sync(_write, pipe, line, abandon_on_cancel=True)
    except OSError as error:
        raise anyio.BrokenResourceError from error


def _write(pipe: int, line: bytes) -> None:
    left = memoryview(line)
    while left:
        left = left[os.write(pipe, left) :]

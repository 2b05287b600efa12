"""What the demo leaves to be looked at: the replay of a session or an agent, by the command that a person would type.

It is made while the demo goes on. Below: talk. Above: drive.
"""

import os
import shutil
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from subprocess import DEVNULL

import anyio
import anyio.to_thread
from anyio.abc import ByteReceiveStream, Process

from notte_mcp.demo.talk import DemoFailed, state_of


class Keepsake:
    """A replay that is being made."""

    def __init__(self, of: str, making: Process) -> None:
        self._of = of
        self._making = making

    async def put(self, stem: Path) -> tuple[list[Path], str]:
        """Wait for it, and put it at `stem` with the suffixes of its files: the player, and the video where one can be
        made. Gives the files, and what else was said.

        Raises:
            DemoFailed: there is none, with what the command said.
        """
        paths = await _heard(self._making.stdout)
        said = await _heard(self._making.stderr)
        if await self._making.wait() != 0:
            raise DemoFailed(f"there is no replay of {self._of}: {said}")
        return [await anyio.to_thread.run_sync(_put, Path(line), stem) for line in paths.splitlines()], said


@asynccontextmanager
async def replay(folder: Path, of: str) -> AsyncGenerator[Keepsake]:
    """Begin to make the replay of what has this id in the server's `folder`; nothing of it runs on outside of the block."""
    command = [sys.executable, "-m", "notte_mcp", "--state-dir", str(state_of(folder)), "replay", of]
    async with await anyio.open_process(command, stdin=DEVNULL, env=os.environ) as making:
        yield Keepsake(of, making)


async def _heard(stream: ByteReceiveStream | None) -> str:
    assert stream is not None  # noqa: S101 - for the type checker
    return b"".join([chunk async for chunk in stream]).decode(errors="replace").strip()


def _put(made: Path, stem: Path) -> Path:
    return Path(shutil.copyfile(made, stem.with_name(f"{stem.name}{made.suffix}"))).absolute()

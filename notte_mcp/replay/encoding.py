"""Having a video made: the encoding process started, given its storyboard, bounded in time, and ended with who asked.

A video appears under its name whole or not at all. Below: storyboard, video (as a process). Above: replays.
"""

import json
import os
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from subprocess import PIPE
from typing import Any, Final, cast
from uuid import uuid4

import anyio
import anyio.to_thread
from anyio.abc import ByteReceiveStream, Process

from notte_mcp.errors import ExtraMissing, VideoFailed
from notte_mcp.logs import Log
from notte_mcp.processes import let_go
from notte_mcp.replay.storyboard import Board

LIMIT_S: Final = 300.0
"""How long a video may take to be made."""

_KEPT_BYTES: Final = 8_000
"""Of what the process says besides its answer, its end."""

_UNFINISHED: Final = ".making"
_STALE_S: Final = 2 * LIMIT_S

# All that the process is given of our surroundings: no key, and nothing else that is a secret.
_NAMES: Final = (
    "PATH", "PYTHONPATH", "PYTHONHOME", "PYTHONUSERBASE", "HOME", "LANG", "LC_ALL", "TMPDIR", "TEMP", "SYSTEMROOT",
    "USERPROFILE", "APPDATA", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH",
)  # fmt: skip

HOW_TO_INSTALL: Final = (
    'pip install "PATH[video]", PATH being this notte-mcp\'s folder (PyPI has another project of that name)'
)

log = Log("replay")


def require() -> None:
    """Raises ExtraMissing where PyAV is not installed."""
    if find_spec("av") is None:
        raise ExtraMissing(
            f"Videos need PyAV, which is not installed on the server's machine: {HOW_TO_INSTALL}.",
            done="",
            kept="The recording is kept, and the pictures of the steps and the HTML player work without it.",
            next_call="replay.html in the place of replay",
        )


async def encode(board: Board, place: Path) -> None:
    """Make the MP4 of a storyboard, and put it at `place`.

    Raises: VideoFailed: there is none then, or the one that was there before.
    """
    making = place.with_name(f".{place.name}.{uuid4().hex[:8]}{_UNFINISHED}")
    begun = time.monotonic()
    try:
        await anyio.to_thread.run_sync(_tidy, place.parent)
        await anyio.to_thread.run_sync(_begin, making)
        answer = await _answer(board, making)
        await anyio.to_thread.run_sync(os.replace, making, place)
    except OSError as error:
        raise _failed(error.strerror or str(error)) from error
    finally:
        with anyio.CancelScope(shield=True), suppress(OSError):
            await anyio.to_thread.run_sync(making.unlink, True)  # noqa: FBT003 - missing_ok
    log.info(
        "video.made", name=place.name, encoder=answer.get("encoder", ""), seconds=round(time.monotonic() - begun, 2)
    )


async def _answer(board: Board, making: Path) -> Mapping[str, Any]:
    command = [sys.executable, "-P", "-m", "notte_mcp.replay.video", str(making)]
    env = {name: os.environ[name] for name in _NAMES if name in os.environ}
    heard, said = bytearray(), bytearray()
    process: Process | None = None
    # Under a shield: one that is being started when nobody wants it any more would be nobody's.
    with anyio.CancelScope(shield=True):
        process = await anyio.open_process(command, stdin=PIPE, stdout=PIPE, stderr=PIPE, env=env, cwd=making.parent)
    assert process is not None  # noqa: S101 - for the type checker
    try:
        with anyio.move_on_after(LIMIT_S) as limit:
            async with anyio.create_task_group() as talking:
                talking.start_soon(_hear, process.stdout, heard)
                talking.start_soon(_hear, process.stderr, said)
                await _give(process, board)
            # Its stdin stays open until it has ended: that is how it knows that somebody waits.
            await process.wait()
        if limit.cancelled_caught:
            raise _failed(f"it was not done within {LIMIT_S:.0f} s")
    finally:
        with anyio.CancelScope(shield=True):
            await _end(process)
    if process.returncode == 0:
        return _told(heard)
    log.warning("video.failed", code=process.returncode, said=said.decode("utf-8", "replace")[-2_000:])
    told = _told(heard)
    if told.get("full"):
        raise _failed("the disk is full", next_call="room made on the server's disk, then the same call")
    raise _failed(str(told.get("wrong") or f"the encoding process ended with code {process.returncode}"))


async def _give(process: Process, board: Board) -> None:
    assert process.stdin is not None  # noqa: S101 - for the type checker
    line = await anyio.to_thread.run_sync(json.dumps, board)
    # One that ended before it had read everything says why by its answer.
    with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
        await process.stdin.send(line.encode() + b"\n")


async def _hear(stream: ByteReceiveStream | None, kept: bytearray) -> None:
    if stream is None:
        return
    async for chunk in stream:
        kept += chunk
        del kept[:-_KEPT_BYTES]


async def _end(process: Process) -> None:
    with suppress(ProcessLookupError):
        if process.returncode is None:
            process.kill()
    await process.wait()
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            await stream.aclose()
    await let_go(process)


def _told(heard: bytes | bytearray) -> Mapping[str, Any]:
    try:
        found = json.loads(heard)
    except ValueError:
        return {}
    return cast(dict[str, Any], found) if isinstance(found, dict) else {}


def _begin(making: Path) -> None:
    """The file is nobody's but ours."""
    os.close(os.open(making, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


def _tidy(folder: Path) -> None:
    """Remove what a server that was killed left unfinished."""
    for one in folder.glob(f".*{_UNFINISHED}"):
        with suppress(OSError):
            if time.time() - one.stat().st_mtime > _STALE_S:
                one.unlink()


def _failed(why: str, *, next_call: str = "replay.html in the place of replay") -> VideoFailed:
    return VideoFailed(
        f"The video could not be made: {why}.",
        done="",
        kept="The recording and the pictures of the steps are kept.",
        next_call=next_call,
    )

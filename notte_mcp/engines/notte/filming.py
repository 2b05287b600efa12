"""The film of a cloud session: pictures from the cloud's recording WebSocket, handed on no faster than they are wanted.

The cloud paces them; of those that come too early the last one is kept and given when it is due. That there is no film
(refused, broken off, nothing here speaks WebSockets) is told once, as an event of the session, and is nobody's failure:
it is asked for again a few times, and then given up.

Below: stage, frames, websockets (an extra, imported when first asked). Above: session. Facts: the contract, section 3.5.
"""

import asyncio
import io
import time
from contextlib import suppress
from typing import Any, Final
from urllib.parse import urlsplit

import anyio
import anyio.to_thread

from notte_mcp.cloud_errors import CloudError
from notte_mcp.engines.notte import wire
from notte_mcp.engines.notte.stage import Stage
from notte_mcp.errors import SessionLost
from notte_mcp.frames import MAX_HEIGHT, MAX_WIDTH, Frame, FrameListener, size_of
from notte_mcp.logs import Log

_log: Final = Log("cloud_film")

_OPEN_S: Final = 10.0
_TRIES: Final = 3
_AGAIN_S: Final = 0.5
_MAX_PICTURE_BYTES: Final = 8 * 1024**2
_QUALITY: Final = 60


class Filming:
    """One film, for one listener. Begins when it is made."""

    def __init__(self, stage: Stage, listener: FrameListener) -> None:
        self._stage = stage
        self._listener = listener
        self._due = 0.0
        self._waiting: bytes | None = None
        self._came = 0.0
        self._news = anyio.Event()
        self._task = asyncio.create_task(self._run(), name="cloud filming")

    async def end(self) -> None:
        """No frame is given any more once this is called. Never raises, and leaves nothing pending."""
        self._due = float("inf")
        self._task.cancel()
        await asyncio.wait([self._task])

    def hasten(self, listener: FrameListener) -> bool:
        """Wait no more for what the listener said, which wants the next frame now; False where it is another one."""
        if listener != self._listener or self._task.done():
            return False
        self._due = 0.0
        self._news.set()
        return True

    async def _run(self) -> None:
        why = ""
        for turn in range(_TRIES):
            if turn:
                await anyio.sleep(_AGAIN_S * turn)
            try:
                await self._connected()
                why = "it broke off"
            except ImportError:
                why = "the package websockets is not installed; pip install 'PATH[cloud]', PATH being this notte-mcp's folder"
                break
            except SessionLost:
                return
            except Exception as error:  # noqa: BLE001 - refused in whatever way: see the module
                # Not its words: they may hold the address, and that the token.
                why = (
                    "the cloud refused it"
                    if isinstance(error, CloudError)
                    else f"no connection ({type(error).__name__})"
                )
            if self._stage.lost or self._stage.closed:
                return
        _log.info("cloud.no_film", reason=why)
        self._stage.events.append(f"the session is not filmed any more: {why}")

    async def _connected(self) -> None:
        from websockets.asyncio.client import connect

        address = await self._address()
        here = urlsplit(address).hostname in {"127.0.0.1", "::1", "localhost"}
        async with (
            connect(
                address, open_timeout=_OPEN_S, close_timeout=1, max_size=_MAX_PICTURE_BYTES, max_queue=2,
                proxy=None if here else True,
            ) as socket,
            anyio.create_task_group() as giving,
        ):  # fmt: skip
            giving.start_soon(self._give)
            with suppress(OSError):
                async for message in socket:
                    if isinstance(message, bytes):
                        self._waiting, self._came = message, time.time()
                        self._news.set()
            giving.cancel_scope.cancel()

    async def _address(self) -> str:
        async with self._stage.asking() as client:
            body = await client.get("sessions", self._stage.remote_id, "debug", within_s=_OPEN_S)
        address = wire.text(wire.object_of(body.get("ws")), "recording")
        if urlsplit(address).scheme not in ("ws", "wss"):
            raise ValueError("no address")
        return address

    async def _give(self) -> None:
        """Hand on what has come, when it is wanted."""
        while True:
            if self._waiting is None:
                self._news = anyio.Event()
                await self._news.wait()
            elif (left := self._due - time.monotonic()) > 0:
                self._news = anyio.Event()
                with anyio.move_on_after(left):
                    await self._news.wait()
            else:
                picture, self._waiting = self._waiting, None
                await self._hand_on(picture, self._came)

    async def _hand_on(self, picture: bytes, at: float) -> None:
        width, height = size_of(picture)
        if not 0 < width <= MAX_WIDTH or not 0 < height <= MAX_HEIGHT:
            shrunk = await anyio.to_thread.run_sync(_smaller, picture)
            if shrunk is None:
                return  # no picture at all
            picture, width, height = shrunk
        viewport = self._stage.viewport if all(self._stage.viewport) else (width, height)
        pace = 0.0
        try:
            pace = self._listener(Frame(at, picture, width, height, viewport))
        except Exception:  # noqa: BLE001 - whoever listens is not the session's trouble
            _log.exception("film.listener_failed")
            self._task.cancel()
        self._due = time.monotonic() + pace


def _smaller(picture: bytes) -> tuple[bytes, int, int] | None:
    """Any picture as a JPEG of a frame's size at most; None where it is none."""
    from PIL import Image

    try:
        image: Any = Image.open(io.BytesIO(picture)).convert("RGB")
    except (OSError, ValueError, Image.DecompressionBombError):
        return None
    image.thumbnail((MAX_WIDTH, MAX_HEIGHT))
    out = io.BytesIO()
    image.save(out, "JPEG", quality=_QUALITY)
    return out.getvalue(), image.width, image.height

"""What a view sees, as it happens: one long answer of JSON lines, frames among them as base64.

Nothing is queued: a line is made when the reader has taken the one before, so one who reads slowly misses frames and
holds up nobody. Every few seconds something is said, so that a lost connection is known.

Below: account, people, app (registry). Above: routes.
"""

import json
from base64 import b64encode
from typing import TYPE_CHECKING, Any, Final

import anyio
from starlette.types import Receive, Send

from notte_mcp.errors import NotteMCPError
from notte_mcp.frames import Frame
from notte_mcp.http.refusals import ALWAYS
from notte_mcp.logs import Log
from notte_mcp.viewer.account import Account

if TYPE_CHECKING:
    from notte_mcp.app import App

EVERY_S: Final = 0.1
"""How long from one frame to the next, at least."""

LOOK_S: Final = 0.25
"""How long what is no step may stay unseen: what an agent says, a title, a tab."""

REST_S: Final = 0.05
BEAT_S: Final = 5.0
"""How often something is said, though nothing happens."""

log = Log("viewer")


class Stream:
    """One of them, until the reader has gone, the session is over, or `ending`."""

    def __init__(self, app: "App", account: Account, session_id: str, ending: anyio.Event) -> None:
        self._app = app
        self._account = account
        self._id = session_id
        self._ending = ending
        self._frame: Frame | None = None
        self._news = anyio.Event()
        self._shown = anyio.Event()

    async def answer(self, receive: Receive, send: Send) -> None:
        """Send it."""
        head = {"content-type": "application/x-ndjson", **ALWAYS, "x-accel-buffering": "no"}
        headers = [(name.encode(), value.encode()) for name, value in head.items()]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        async with anyio.create_task_group() as group:
            group.start_soon(self._until_gone, receive, group.cancel_scope)
            group.start_soon(self._until_ending, group.cancel_scope)
            group.start_soon(self._film)
            group.start_soon(self._follow)
            try:
                await self._write(send)
            except NotteMCPError as error:
                await _say(send, {"error": str(error)})
            group.cancel_scope.cancel()
        with anyio.CancelScope(shield=True):
            await send({"type": "http.response.body", "body": b""})

    async def _until_gone(self, receive: Receive, scope: anyio.CancelScope) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        scope.cancel()

    async def _until_ending(self, scope: anyio.CancelScope) -> None:
        await self._ending.wait()
        scope.cancel()

    async def _film(self) -> None:
        try:
            async with self._app.registry.watch(self._id, every_s=EVERY_S) as watch:
                while True:
                    self._frame = await watch.next()
                    self._wake()
                    # The next one is asked for when this one is on its way: who reads slowly wants fewer.
                    await self._shown.wait()
        except NotteMCPError:
            return  # the session is over, which the account tells

    async def _follow(self) -> None:
        """Look again whenever a step is done, and from time to time."""
        after = 0
        try:
            while True:
                record = await self._app.registry.wait(self._id, seconds=LOOK_S, after_step=after, until="step")
                after = record.step_count
                self._wake()
                await anyio.sleep(REST_S)
        except NotteMCPError:
            self._wake()

    def _wake(self) -> None:
        self._news.set()

    async def _write(self, send: Send) -> None:
        silent_since = anyio.current_time()
        while not self._account.is_over:
            with anyio.move_on_after(BEAT_S):
                await self._news.wait()
            self._news = anyio.Event()
            told = await self._account.news()
            if (frame := self._frame) is not None:
                self._frame = None
                told.append({"frame": _frame(frame)})
            elif not told and anyio.current_time() - silent_since >= BEAT_S:
                told.append({"beat": True})
            for one in told:
                await _say(send, one)
                silent_since = anyio.current_time()
            if frame is not None:
                self._shown.set()
                self._shown = anyio.Event()


def _frame(frame: Frame) -> dict[str, Any]:
    return {
        "at": frame.at,
        "jpeg": b64encode(frame.jpeg).decode("ascii"),
        "size": [frame.width, frame.height],
        "viewport": list(frame.viewport),
    }


async def _say(send: Send, value: dict[str, Any]) -> None:
    line = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace") + b"\n"
    await send({"type": "http.response.body", "body": line, "more_body": True})

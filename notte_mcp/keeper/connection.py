"""One connection to the keeper: who it is, whether it is taken, and then an MCP connection of its own, in either era.

Its frames are those of stdio. What is no message, or too long for one, harms nobody but itself.

Below: door, frames, given, life, link, server. Above: serve.
"""

import json
import os
from collections.abc import Awaitable, Callable
from typing import Any, Final

import anyio
from anyio.abc import SocketStream, TaskGroup
from anyio.streams.buffered import BufferedByteReceiveStream
from mcp.server.runner import serve_dual_era_loop
from mcp.shared._context_streams import ContextReceiveStream, ContextSendStream, create_context_streams
from mcp.shared.message import SessionMessage
from mcp.types import jsonrpc_message_adapter

from notte_mcp import __version__
from notte_mcp.keeper import frames, given
from notte_mcp.keeper.door import Door
from notte_mcp.keeper.life import Guest, Life
from notte_mcp.keeper.link import CHUNK, HELLO, MAX_GREETING, parse
from notte_mcp.lifetime import OnDemand
from notte_mcp.logs import Log
from notte_mcp.models.access import Access
from notte_mcp.models.shelf import Shelves
from notte_mcp.server import NotteServer, default_spec
from notte_mcp.settings import Settings, SettingsWrong

GREET_S: Final = 5.0
"""How long a connection may take to say who it is."""

MAX_GUESTS: Final = 64
"""Connections at the same time."""

ACCEPT_AGAIN_S: Final = 0.25

_FIRST_LINE: Final = 32

log = Log("keeper")

_Lost = (anyio.BrokenResourceError, anyio.ClosedResourceError, anyio.EndOfStream)
"""What reading and writing raise when the other end has gone."""


class Reception:
    """Takes connections, or says why not. One per keeper."""

    def __init__(
        self, *, door: Door, life: Life, app: OnDemand[Any], server: NotteServer, settings: Settings, shelves: Shelves
    ) -> None:
        self._door = door
        self._life = life
        self._app = app
        self._server = server
        self._settings = settings
        self._shelves = shelves

    async def open(self, group: TaskGroup) -> None:
        """Receive whoever comes, in this group, until the door is closed."""
        while True:
            try:
                group.start_soon(self.receive, await self._door.listener.accept())
            except anyio.ClosedResourceError:
                return
            except OSError as error:  # too many files are open, say: who is here already goes on
                log.warning("connection.not_accepted", reason=error.strerror)
                await anyio.sleep(ACCEPT_AGAIN_S)

    async def receive(self, stream: SocketStream) -> None:
        """One connection from its first byte to its end. Never raises but when it is cancelled."""
        try:
            async with stream:
                incoming = BufferedByteReceiveStream(stream)
                with anyio.fail_after(GREET_S):
                    values = await _greeting(incoming)
                if values is not None and self._door.lets_in(stream, values.get("token", "")):
                    await self._answer(values, stream, incoming)
        except (TimeoutError, anyio.IncompleteRead, anyio.DelimiterNotFound, *_Lost):
            log.info("connection.dropped")
        except Exception:
            log.exception("connection.failed")

    async def _answer(self, values: dict[str, str], stream: SocketStream, incoming: BufferedByteReceiveStream) -> None:
        kind = values.get("kind")
        if kind == "serve":
            await self._serve(values, stream, incoming)
        elif kind == "status":
            await _say(stream, f"ok {os.getpid()} {json.dumps(await self._status())}")
        elif kind == "stop":
            await _say(stream, f"ok {os.getpid()} {await self._life.live()}")
            log.info("keeper.stopped")
            self._life.over.set()

    async def _serve(self, values: dict[str, str], stream: SocketStream, incoming: BufferedByteReceiveStream) -> None:
        try:
            settings = given.settings_given(values)
        except SettingsWrong as error:
            return await _say(stream, f"wrong {error}")
        if why := self._objection(values, settings):
            if await self._life.is_free():
                log.info("keeper.replaced")
                self._life.over.set()
                return await _say(stream, "leaving")
            return await _say(stream, f"refused {why}; it holds {await self._held()}. {MENDED}")
        if len(self._life.guests) >= MAX_GUESTS:
            return await _say(stream, f"refused The keeper has {MAX_GUESTS} connections, and no more. End one of them.")
        guest = Guest(self._server.surface, self._app, default_spec(settings))
        with self._life.staying(guest), self._shelves.of(Access.of(settings.endpoints), settings.model):
            log.info("connection.opened", connections=len(self._life.guests))
            await _say(stream, f"ok {os.getpid()}")
            await _speak(self._server, guest, stream, incoming)
        log.info("connection.closed", connections=len(self._life.guests))
        return None

    def _objection(self, values: dict[str, str], settings: Settings) -> str:
        """Why this keeper is not the one for that connection, or ""."""
        if self._life.over.is_set():
            return "The keeper is ending"
        mine = f"The keeper of {self._settings.state_dir} (process {os.getpid()})"
        if (version := values.get("version", "")) != __version__:
            return f"{mine} is version {__version__} and this is {version}"
        if differing := given.mismatch(settings, self._settings):
            return f"{mine} runs with other settings: {differing}"
        return ""

    async def _held(self) -> str:
        count = len(self._life.guests)
        return f"{await self._life.live()}, with {count} connection{'s' * (count != 1)}"

    async def _status(self) -> dict[str, Any]:
        live = await self._life.live()
        return {
            "version": __version__,
            "connections": len(self._life.guests),
            "sessions": live.sessions,
            "agents": live.agents,
            "runs": live.runs,
        }


MENDED: Final = (
    "`notte-mcp keeper stop` ends it: what is live is interrupted then, and can be restored and resumed. Or wait until "
    "nothing is live and nobody is connected, use the same settings, or start this one with --in-process."
)


async def _greeting(incoming: BufferedByteReceiveStream) -> dict[str, str] | None:
    """The values of a greeting; None when it is none."""
    first = await incoming.receive_until(b"\n", _FIRST_LINE)
    size = first.removeprefix(HELLO)
    if size == first or not size.isdigit() or int(size) > MAX_GREETING:
        return None
    return parse(await incoming.receive_exactly(int(size)))


async def _say(stream: SocketStream, line: str) -> None:
    await stream.send(line.replace("\n", " ").encode(errors="replace") + b"\n")


# --- MCP --------------------------------------------------------------------------


async def _speak(server: NotteServer, guest: Guest, stream: SocketStream, incoming: BufferedByteReceiveStream) -> None:
    """Serve MCP until the other end has gone."""
    low = server._lowlevel_server  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - the way to one App for many connections
    to_server, from_host = create_context_streams[SessionMessage | Exception](0)
    to_host, from_server = create_context_streams[SessionMessage](0)
    sending = anyio.Lock()

    async def send(line: bytes) -> None:
        async with sending:
            await stream.send(line)

    async with anyio.create_task_group() as group:

        async def write() -> None:
            await _write(from_server, send)
            group.cancel_scope.cancel()

        group.start_soon(_read, incoming, to_server, send, guest)
        group.start_soon(write)
        options = low.create_initialization_options()
        await serve_dual_era_loop(low, from_host, to_host, lifespan_state=guest, init_options=options)
        group.cancel_scope.cancel()


Send = Callable[[bytes], Awaitable[None]]


async def _read(
    incoming: BufferedByteReceiveStream,
    to_server: ContextSendStream[SessionMessage | Exception],
    send: Send,
    guest: Guest,
) -> None:
    lines = frames.Lines(frames.MAX_FRAME)
    async with to_server:
        try:
            while True:
                for line in lines.feed(await incoming.receive(CHUNK)):
                    if isinstance(line, frames.TooLong):
                        await send(frames.too_long(line))
                    elif line.strip():
                        message = _message(line)
                        if isinstance(message, SessionMessage):
                            guest.note(message.message)
                        await to_server.send(message)
        except _Lost:
            return


def _message(line: bytes) -> SessionMessage | Exception:
    try:
        return SessionMessage(jsonrpc_message_adapter.validate_json(line, by_name=False))
    except Exception as error:  # noqa: BLE001 - whatever is wrong with a line, the server is told, as on stdio
        return error


async def _write(from_server: ContextReceiveStream[SessionMessage], send: Send) -> None:
    async with from_server:
        try:
            async for each in from_server:
                text = each.message.model_dump_json(by_alias=True, exclude_unset=True)
                await send(text.encode() + b"\n")
        except _Lost:
            return

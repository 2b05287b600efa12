"""One connection to the keeper: who it is, whether it is taken, and then an MCP connection of its own.

Below: conversation, door, given, life, link, server. Above: serve.
"""

import json
import os
from functools import partial
from typing import Any, Final

import anyio
from anyio.abc import SocketStream, TaskGroup
from anyio.streams.buffered import BufferedByteReceiveStream

from notte_mcp import __version__
from notte_mcp.caller import called_by
from notte_mcp.engines.notte import access
from notte_mcp.keeper import given
from notte_mcp.keeper.conversation import LOST, converse
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
        except (TimeoutError, anyio.IncompleteRead, anyio.DelimiterNotFound, *LOST):
            log.info("connection.dropped")
        except Exception:
            log.exception("connection.failed")

    async def _answer(self, values: dict[str, str], stream: SocketStream, incoming: BufferedByteReceiveStream) -> None:
        kind = values.get("kind")
        if kind == "serve":
            await self._serve(values, stream, incoming)
        elif kind == "alive":
            await _say(stream, f"ok {os.getpid()}")
        elif kind == "status":
            await _say(stream, f"ok {os.getpid()} {json.dumps(await self._status())}")
        elif kind == "stop":
            await _say(stream, f"ok {os.getpid()} {self._life.live()}")
            log.info("keeper.stopped")
            self._life.over.set()

    async def _serve(self, values: dict[str, str], stream: SocketStream, incoming: BufferedByteReceiveStream) -> None:
        try:
            settings = given.settings_given(values)
        except SettingsWrong as error:
            return await _say(stream, f"wrong {error}")
        if self._life.over.is_set():
            return await _say(stream, "leaving")
        if why := self._objection(values, settings):
            if self._life.is_free():
                log.info("keeper.replaced")
                self._life.over.set()
                return await _say(stream, "leaving")
            return await _say(stream, f"refused {why}; it holds {await self._held()}. {MENDED}")
        if len(self._life.guests) >= MAX_GUESTS:
            return await _say(stream, f"refused The keeper has {MAX_GUESTS} connections, and no more. End one of them.")
        guest = Guest(self._server.surface, self._app, default_spec(settings))
        models = self._shelves.of(Access.of(settings.endpoints), settings.model)
        cloud = access.given(given.cloud_given(settings))
        with self._life.staying(guest), models, cloud, called_by(given.caller_given(values)):
            log.info("connection.opened", connections=len(self._life.guests))
            await _say(stream, f"ok {os.getpid()}")
            await converse(self._server, guest, partial(incoming.receive, CHUNK), stream.send, guest.note)
        log.info("connection.closed", connections=len(self._life.guests))
        return None

    def _objection(self, values: dict[str, str], settings: Settings) -> str:
        """Why this keeper is not the one for that connection, or ""."""
        mine = f"The keeper of {self._settings.state_dir} (process {os.getpid()})"
        if (version := values.get("version", "")) != __version__:
            return f"{mine} is version {__version__} and this is {version}"
        if differing := given.mismatch(settings, self._settings):
            return f"{mine} runs with other settings: {differing}"
        return ""

    async def _held(self) -> str:
        count = len(self._life.guests)
        return f"{self._life.live()}, with {count} connection{'s' * (count != 1)}"

    async def _status(self) -> dict[str, Any]:
        live = self._life.live()
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

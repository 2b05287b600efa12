"""A listener: a guard on an address, from the first request to the last answer.

Below: address, connections, guard. Above: serve, viewer.
"""

import asyncio
import socket
from typing import Final

import anyio
import uvicorn
from uvicorn.server import ServerState

from notte_mcp.http.address import BACKLOG
from notte_mcp.http.connections import IDLE_S, MAX_HEADER_BYTES, Connection
from notte_mcp.http.guard import Guard
from notte_mcp.logs import Log

MAX_FRAME_BYTES: Final = 65_536
"""What a WebSocket may be sent by its caller at a time."""

LOOK_S: Final = 0.02
"""How often it is looked whether the last answers are out."""

log = Log("http")


class Listener:
    """A guard on a socket that `address.bind` gave. Used on asyncio's loop, which uvicorn needs.

    With `sockets` it speaks WebSocket too, for which the package `websockets` has to be there.
    """

    def __init__(self, guard: Guard, on: socket.socket, *, sockets: bool = False) -> None:
        self._sockets = sockets
        self._guard = guard
        self._socket = on
        self._server: asyncio.Server | None = None
        self._state = ServerState()

    @property
    def port(self) -> int:
        return int(self._socket.getsockname()[1])

    async def open(self) -> None:
        """Let in who comes, from now on."""
        config = uvicorn.Config(
            self._guard, http=Connection, ws=_of_sockets() if self._sockets else "none", lifespan="off",
            interface="asgi3", log_config=None, log_level="error", access_log=False, proxy_headers=False,
            server_header=False, date_header=False, timeout_keep_alive=IDLE_S,
            h11_max_incomplete_event_size=MAX_HEADER_BYTES, ws_max_size=MAX_FRAME_BYTES, ws_per_message_deflate=False,
        )  # fmt: skip
        config.load()
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: Connection(config, self._state, {}), sock=self._socket, backlog=BACKLOG
        )

    async def close(self, *, grace_s: float) -> None:
        """Let nobody in any more, and wait so long for what is being answered; who then still holds on is hung up on."""
        self._guard.ending = True
        if self._server is not None:
            self._server.close()
        for connection in list(self._state.connections):
            connection.shutdown()
        with anyio.move_on_after(grace_s) as scope:
            # It is looked at as the process ends, and once.
            while self._guard.open_requests.total() or self._state.connections:  # noqa: ASYNC110
                await anyio.sleep(LOOK_S)
        for connection in list(self._state.connections):
            connection.transport.abort()
        log.info("http.closed", cut=self._guard.open_requests.total(), in_time=not scope.cancelled_caught)


def _of_sockets() -> type[asyncio.Protocol]:
    from notte_mcp.http.socket_connections import SocketConnection

    return SocketConnection

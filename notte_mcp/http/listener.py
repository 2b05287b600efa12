"""A listener: a guard on an address, from the first request to the last answer.

Loopback is for everybody on the machine, so there is a token there too; beyond it is for
everybody, so nothing listens there without tokens and names that somebody gave.

Below: connections, guard. Above: serve.
"""

import asyncio
import errno
import ipaddress
import socket
import sys
from typing import Final

import anyio
import uvicorn
from uvicorn.server import ServerState

from notte_mcp.http.connections import IDLE_S, MAX_HEADER_BYTES, Connection
from notte_mcp.http.guard import Guard
from notte_mcp.logs import Log

BACKLOG: Final = 256
LOOK_S: Final = 0.02
"""How often it is looked whether the last answers are out."""

log = Log("http")


class CannotListen(Exception):
    """The address cannot be listened on; the text is a sentence that says why, and what to do."""


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach what listens there. Raises: CannotListen: it is no address."""
    try:
        return ipaddress.ip_address("127.0.0.1" if host == "localhost" else host).is_loopback
    except ValueError as error:
        raise CannotListen(
            f"{host!r} is no address to listen on: give one such as 127.0.0.1, ::1 or 0.0.0.0, or localhost."
        ) from error


def bind(host: str, port: int) -> socket.socket:
    """A socket on this address; nobody is answered yet. Port 0 is any free one.

    Raises:
        CannotListen.
    """
    is_loopback(host)
    address = "127.0.0.1" if host == "localhost" else host
    taken = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    try:
        if sys.platform != "win32":  # there it would let two listen on one port
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind((address, port))
        taken.listen(BACKLOG)
    except OSError as error:
        taken.close()
        raise CannotListen(_why(host, port, error)) from error
    taken.setblocking(False)  # noqa: FBT003 - its only form
    return taken


class Listener:
    """A guard on a socket that `bind` gave. Used on asyncio's loop, which uvicorn needs."""

    def __init__(self, guard: Guard, on: socket.socket) -> None:
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
            self._guard, http=Connection, ws="none", lifespan="off", interface="asgi3", log_config=None,
            log_level="error", access_log=False, proxy_headers=False, server_header=False, date_header=False,
            timeout_keep_alive=IDLE_S, h11_max_incomplete_event_size=MAX_HEADER_BYTES,
        )  # fmt: skip
        config.load()
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: Connection(config, self._state, {}), sock=self._socket, backlog=BACKLOG
        )

    async def close(self, *, grace_s: float) -> None:
        """Let nobody in any more, and wait so long for what is being answered."""
        self._guard.ending = True
        if self._server is not None:
            self._server.close()
        for connection in list(self._state.connections):
            connection.shutdown()
        with anyio.move_on_after(grace_s) as scope:
            while self._guard.open_requests.total():  # noqa: ASYNC110 - it is looked at as the process ends, and once
                await anyio.sleep(LOOK_S)
        log.info("http.closed", cut=self._guard.open_requests.total(), in_time=not scope.cancelled_caught)


def _why(host: str, port: int, error: OSError) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return f"Port {port} on {host} is taken: another server listens there; end it, or give another --port."
        case errno.EACCES:
            return f"Port {port} may not be used by this user; give a --port above 1023."
        case errno.EADDRNOTAVAIL:
            return f"{host} is no address of this machine; give one that is, such as 127.0.0.1."
        case _:
            return f"{host}:{port} cannot be listened on ({error.strerror or error}); give another --host or --port."

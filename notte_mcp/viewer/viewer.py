"""The live view of one server process: bound at its start, served from the first time that somebody connects.

A socket costs a start nothing, and its port has to be known before the first browser begins, which is to be kept from
it. All that answers there is imported once a person looks.

Below: keys, people; routes and http.listener when they are needed. Above: keeper, serve, commands.
"""

import secrets
import socket
from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import TYPE_CHECKING, Final, Self

import anyio
import anyio.to_thread

from notte_mcp.http.address import CannotListen, bind
from notte_mcp.logs import Log
from notte_mcp.viewer.keys import Keys

if TYPE_CHECKING:
    from notte_mcp.app import App
    from notte_mcp.http.listener import Listener

HOST: Final = "127.0.0.1"
SECRET_BYTES: Final = 32
LOOK_S: Final = 2.0
"""How often it is looked whether a person went away."""

CLOSE_S: Final = 0.1

log = Log("viewer")


class Viewer:
    """See the module. It is a `View` for `open_app`."""

    def __init__(self, on: socket.socket) -> None:
        self._socket = on
        self._listener: Listener | None = None
        self._ending: anyio.Event | None = None
        self.port = int(on.getsockname()[1])
        self.secret = secrets.token_bytes(SECRET_BYTES)
        self.keys = Keys(self.secret)

    @classmethod
    def bind(cls, port: int) -> Self | None:
        """On this port of loopback, or on a free one where it is taken; None where none can be had."""
        for one in dict.fromkeys((port, 0)):
            try:
                return cls(bind(HOST, one))
            except CannotListen as error:
                log.warning("viewer.port_taken", port=one, reason=str(error))
        return None

    def url(self, session_id: str) -> str:
        """The address that shows this session, and no more than shows it. The key in it never leaves a browser."""
        return f"http://{HOST}:{self.port}/{session_id}#{self.keys.of(session_id)}"

    def told(self) -> str:
        """What its person is told on stderr: where it is, and the code."""
        return (
            f"live view of each session at its viewer_url (http://{HOST}:{self.port}/...); "
            f"to take over there, give the code {self.keys.code}"
        )

    async def run(self, app: "Callable[[], App | None]") -> None:
        """Serve whoever comes, once somebody does, until cancelled. Whatever befalls it is its own matter.

        `app` gives the App while it is open.
        """
        try:
            await anyio.wait_readable(self._socket)
            await self._serve(app)
        except anyio.ClosedResourceError:
            return
        except Exception:
            log.exception("viewer.failed")

    async def _serve(self, app: "Callable[[], App | None]") -> None:
        await anyio.to_thread.run_sync(import_module, "notte_mcp.viewer.routes")
        await anyio.to_thread.run_sync(import_module, "notte_mcp.http.listener")
        from notte_mcp.http.listener import Listener
        from notte_mcp.viewer.people import People
        from notte_mcp.viewer.routes import Routes

        people, self._ending = People(), anyio.Event()
        routes = Routes(self.keys, app, people, self._ending)
        self._listener = Listener(routes.guard(self.port), self._socket)
        await self._listener.open()
        log.info("viewer.opened", port=self.port)
        while True:
            await anyio.sleep(LOOK_S)
            if (opened := app()) is not None:
                await people.look(opened)
                routes.admission.forget(opened.registry.is_live)

    async def beside(self, serve: Callable[[], Awaitable[None]], app: "Callable[[], App | None]") -> None:
        """Run while `serve` does, and no longer."""
        async with anyio.create_task_group() as group:
            group.start_soon(self.run, app)
            await serve()
            group.cancel_scope.cancel()

    async def close(self) -> None:
        """Let nobody in any more, and end what is looked at."""
        if self._ending is not None:
            self._ending.set()
        if self._listener is not None:
            await self._listener.close(grace_s=CLOSE_S)
        else:
            anyio.notify_closing(self._socket)
            self._socket.close()

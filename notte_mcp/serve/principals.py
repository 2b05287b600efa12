"""Principals: whoever has a token of this server, each with an MCP server, an App and a folder of its own.

This is the whole of keeping them apart: a request's token chooses the principal before
anything of MCP is read, and from there on there is nothing of another's to be found. A
foreign id is an absent one, browsers are not shared, and no query can forget whose it is.
A principal's server is made at its first request, its App opened at its first call and
closed when nothing was asked of it, and nothing in it lived, for a while.

Below: server, app (at run time, through what opens it), lifetime, settings. Above: serving.
"""

import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Final

import anyio
from anyio.abc import TaskGroup
from mcp.server.transport_security import TransportSecuritySettings
from starlette.types import Receive, Scope, Send

from notte_mcp.errors import NotteMCPError
from notte_mcp.http.guard import MAX_BODY_BYTES
from notte_mcp.lifetime import OnDemand
from notte_mcp.logs import Log
from notte_mcp.server import NotteServer, create_server
from notte_mcp.settings import OWNER, Settings
from notte_mcp.state_folder import PRINCIPALS

if TYPE_CHECKING:
    from notte_mcp.app import App

MAX_MCP_SESSIONS: Final = 128
"""Sessions of the older protocol (`Mcp-Session-Id`) that one principal may have open."""

LOOK_S: Final = 15.0
"""How often it is looked whether anything may be closed, at most."""

OpenApp = Callable[[Settings], AbstractAsyncContextManager["App"]]

log = Log("serve")


def settings_of(settings: Settings) -> dict[str, Settings]:
    """The settings of each principal by name: as the server's, but for those that are named: they have a
    state folder of their own, and nothing of the owner's."""
    names = [*settings.http_tokens] or [OWNER]
    if settings.http_token is not None and OWNER not in names:
        names.append(OWNER)
    folder = settings.state_dir / PRINCIPALS

    def of(name: str) -> Settings:
        named = {"state_dir": folder / name, "for_others": True}
        return settings if name == OWNER else settings.model_copy(update=named)

    return {name: of(name) for name in names}


class Asked(OnDemand["App"]):
    """The App of a principal, which knows when it was asked for last."""

    asked_at = 0.0

    async def get(self) -> "App":
        self.asked_at = time.monotonic()
        return await super().get()

    async def rest_if_idle(self, idle_s: float) -> None:
        """Close it if nobody asked for so long and nothing lives in it. Every call is over long before that."""
        before = self.asked_at
        if (app := self.opened) is None or time.monotonic() - before < idle_s or _is_lived_in(app):
            return
        if self.asked_at == before:
            await self.rest()


def _is_lived_in(app: "App") -> bool:
    return bool(app.registry.live() or app.agents.live() or app.runs.live())


class Principal:
    """One of them. `live` is its life; what is asked meanwhile, `answer` answers."""

    def __init__(self, name: str, settings: Settings, open_app: OpenApp) -> None:
        self.name = name
        self.app = Asked(lambda: open_app(settings))
        self._server: NotteServer = create_server(self.app, settings)
        self._server.streamable_http_app(
            # Hosts and origins are the guard's, which lists them exactly; here a prefix would do.
            transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
            max_request_body_size=MAX_BODY_BYTES,
            max_sessions=MAX_MCP_SESSIONS,
        )
        self._ready = anyio.Event()

    async def live(self) -> None:
        """Never ends but by being cancelled, or by a failure of the SDK's."""
        try:
            async with self._server.session_manager.run():
                self._ready.set()
                await anyio.sleep_forever()
        finally:
            self._ready.set()  # who still waits is told by the SDK that there is nobody

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._ready.wait()
        await self._server.session_manager.handle_request(scope, receive, send)


class Principals:
    """All of them, by name. `idle_s`: when an App is closed in which nothing lives (seconds)."""

    def __init__(self, settings: Mapping[str, Settings], open_app: OpenApp, *, idle_s: float) -> None:
        self._settings = settings
        self._open_app = open_app
        self._idle_s = idle_s
        self._here: dict[str, Principal] = {}
        self._group: TaskGroup | None = None

    @asynccontextmanager
    async def living(self) -> AsyncGenerator[None]:
        """The time in which they are served."""
        async with anyio.create_task_group() as self._group:
            self._group.start_soon(self._watch)
            yield
            self._group.cancel_scope.cancel()

    async def answer(self, name: str, scope: Scope, receive: Receive, send: Send) -> None:
        """Have the principal of this name answer a request."""
        if (principal := self._here.get(name)) is None:
            assert self._group is not None  # noqa: S101 - within `living`
            principal = self._here[name] = Principal(name, self._settings[name], self._open_app)
            self._group.start_soon(self._keep, principal)
        await principal.answer(scope, receive, send)

    def opened(self, name: str) -> "App | None":
        """The App of this one while it is open."""
        principal = self._here.get(name)
        return principal.app.opened if principal is not None else None

    async def close(self) -> None:
        """Close all that is open, and open nothing more."""
        async with anyio.create_task_group() as closing:
            for principal in self._here.values():
                closing.start_soon(principal.app.close)

    async def _keep(self, principal: Principal) -> None:
        """One whose server fails is made anew at its next request; the others know nothing of it."""
        try:
            await principal.live()
        except Exception:
            log.exception("principal.failed", name=principal.name)
        finally:
            self._here.pop(principal.name, None)

    async def _watch(self) -> None:
        while True:
            await anyio.sleep(min(LOOK_S, self._idle_s / 5))
            for principal in list(self._here.values()):
                try:
                    await principal.app.rest_if_idle(self._idle_s)
                except (NotteMCPError, OSError) as error:
                    # One that does not close well is no matter of the others'.
                    log.warning("principal.not_closed", name=principal.name, reason=type(error).__name__)

"""A proxy that spoils what it passes on, in front of any HTTP server: what networks and gateways do, on demand.

    async with proxy(api.url) as between:
        between.on("POST", "/sessions/start", Reply(503), times=2)
        between.on("DELETE", "*/stop", Lose())
        between.on("WS", "/agents/*/debug/logs*", Close(1012, after=3))
        ... a client at `between.url` ...
        assert between.count("POST", "/sessions/start") == 3

A rule is of a method (`WS` for a WebSocket's beginning, `*` for any) and a path (a glob, in which `*` takes slashes too;
without the query), perhaps of what the body `has` somewhere, and holds for `times` requests (None: for all), the first
`skip` of those that fit left alone. The oldest rule that fits is the one. What fits none is passed on as it is. Without a server behind it (`proxy()`), what fits
no rule is a 404 in JSON.

What may be done to a request: `Reply` (in place of the answer), `Swap` (the same once it was passed on and done), `Reset`
(before it is passed on), `Lose` (the connection breaks once it was passed on and done), `Half` (it breaks in the middle of
the answer's body), `Stall` (no answer at all), `Slow` (an answer after a time). To a WebSocket: `Refuse`, `Close`, `Cut`,
`Silence`, `Junk`, each once `after` text frames of the server have passed.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from fnmatch import fnmatchcase
from ssl import PROTOCOL_TLS_CLIENT, SSLContext
from typing import Final

import anyio
import h11
import httpx

from tests.notte.passing import Connection
from tests.notte.spoiling import (
    HTML,
    MALFORMED,
    Close,
    Cut,
    Fault,
    Half,
    Junk,
    Lose,
    Refuse,
    Reply,
    Reset,
    Seen,
    Silence,
    Slow,
    Stall,
    Swap,
)

__all__ = [
    "HTML", "MALFORMED", "Close", "Cut", "Fault", "Half", "Junk", "Lose", "Proxy", "Refuse", "Reply", "Reset", "Seen",
    "Silence", "Slow", "Stall", "Swap", "proxy",
]  # fmt: skip

_HOP: Final = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "host"})


@dataclass(slots=True)
class _Rule:
    method: str
    path: str
    fault: Fault
    times: int | None
    skip: int
    has: bytes

    def takes(self, one: Seen) -> bool:
        """Whether this request is to be spoiled, which is counted."""
        if self.times == 0 or self.method not in {"*", one.method} or not fnmatchcase(one.path, self.path):
            return False
        if self.has not in one.body:
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.times = None if self.times is None else self.times - 1
        return True


class Proxy:
    """See the module. `seen` are all requests so far; `sockets` counts the WebSockets that are open."""

    def __init__(self, upstream: str | None) -> None:
        self.upstream = (upstream or "").rstrip("/")
        self.url = ""
        self.seen: list[Seen] = []
        self.sockets = 0
        self._rules: list[_Rule] = []
        self._changed = asyncio.Condition()
        self._over = asyncio.Event()
        # A context without certificates, since none are asked for and reading them takes a while.
        self._http = httpx.AsyncClient(trust_env=False, timeout=120, verify=SSLContext(PROTOCOL_TLS_CLIENT))

    def on(
        self, method: str, path: str, fault: Fault, *, times: int | None = 1, skip: int = 0, has: bytes = b""
    ) -> None:
        """From now on, do this to such requests."""
        self._rules.append(_Rule(method, path, fault, times, skip, has))

    def heal(self) -> None:
        """Spoil nothing more."""
        self._rules.clear()

    def count(self, method: str, path: str) -> int:
        """How many such requests came."""
        return sum(method in {"*", one.method} and fnmatchcase(one.path, path) for one in self.seen)

    async def arrived(self, method: str, path: str, *, times: int = 1) -> None:
        """Wait until that many such requests came."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.count(method, path) >= times)

    async def note(self, one: Seen) -> Fault | None:
        """Remember it; what is to be done to it."""
        async with self._changed:
            self.seen.append(one)
            self._changed.notify_all()
        return next((rule.fault for rule in self._rules if rule.takes(one)), None)

    async def until_over(self) -> None:
        """Wait for the proxy's end."""
        await self._over.wait()

    async def pass_on(self, one: Seen) -> Reply:
        """Ask the server behind."""
        if not self.upstream:
            return Reply(404, {"detail": "Not Found"})
        headers = {name: value for name, value in one.headers.items() if name not in _HOP}
        url = self.upstream + one.path + (f"?{one.query}" if one.query else "")
        async with self._http.stream(one.method, url, content=one.body, headers=headers) as answer:
            body = b"".join([part async for part in answer.aiter_raw()])
            kept = {name: value for name, value in answer.headers.items() if name.lower() not in _HOP}
        return Reply(answer.status_code, body, kept)

    async def close(self) -> None:
        """Let all go."""
        self._over.set()
        await self._http.aclose()


@asynccontextmanager
async def proxy(upstream: str | None = None) -> AsyncGenerator[Proxy]:
    """A proxy on a free port of loopback, in front of the server at `upstream`."""
    between, tasks = Proxy(upstream), set[asyncio.Task[None]]()

    async def taken(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            # Whoever is at either end hangs up when he likes: that is what this is for.
            with suppress(ConnectionError, h11.RemoteProtocolError, asyncio.IncompleteReadError, httpx.TransportError):
                await Connection(between, reader, writer).serve()
        except asyncio.CancelledError:
            pass
        finally:
            tasks.discard(task)
            writer.transport.abort()

    server = await asyncio.start_server(taken, "127.0.0.1", 0)
    between.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield between
    finally:
        with anyio.CancelScope(shield=True):
            server.close()
            for task in list(tasks):
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await between.close()

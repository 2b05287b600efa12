"""Who is let in over HTTP: an ASGI application in front of others, which decides before they see anything.

In this order: the name that the caller used for this server (DNS rebinding), the web page
that it comes from, the path, the token, the method, the kind of body, how much is going on,
the body's size and time. What is let in arrives with the token's name, its whole body (or one
that streams, where its route takes such), and without the token. WebSockets pass the same
rules, where a route takes them.

Knows neither MCP nor sessions. Below: intake, refusals, sockets, tokens. Above: listener, serve, viewer, api.
"""

import json
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from notte_mcp import __version__
from notte_mcp.http import intake, refusals, sockets
from notte_mcp.http.intake import JSON_ONLY, MAX_BODY_BYTES, Intake, TooMuch, values
from notte_mcp.http.refusals import Refusal
from notte_mcp.http.tokens import Tokens
from notte_mcp.logs import Log

__all__ = ["MAX_BODY_BYTES", "Guard", "Names", "Route"]

MAX_REQUESTS: Final = 256
"""Requests at the same time, over all tokens; what listens counts too."""

MAX_REQUESTS_EACH: Final = 64
"""Requests of one token at the same time."""

HEALTH: Final = "/health"

Answerer = Callable[[str, Scope, Receive, Send], Awaitable[None]]
"""Answers a request that was let in; the first argument is the name of its token."""

Whose = Callable[[str, Sequence[bytes]], str | Refusal]
"""Decides whose a request is, by its path and its `Authorization` headers: a name, or why nobody's."""

log = Log("http")


def _json_only(_scope: Scope) -> Intake:
    return JSON_ONLY


@dataclass(frozen=True, slots=True)
class Route:
    """What answers at a path, and to which methods; `whose` decides there in the place of the guard's tokens.

    `intake` says which body a request may have. With `sockets` it answers WebSockets too, whose token may stand in the
    address; with `linked` so may that of a GET.
    """

    path: str
    methods: Sequence[str]
    answer: Answerer
    whose: Whose | None = None
    intake: Callable[[Scope], Intake] = _json_only
    sockets: bool = False
    linked: Callable[[str], bool] | None = None


@dataclass(frozen=True, slots=True)
class Names:
    """How this server may be called: `hosts` are whole Host headers, `origins` those of pages that may call it.

    `pages` are origins of somebody else's, whose pages need the browser's leave (CORS) too.
    """

    hosts: frozenset[str]
    origins: frozenset[str] = frozenset()
    pages: frozenset[str] = frozenset()

    @classmethod
    def of(cls, port: int, *, hosts: Sequence[str] = (), origins: Sequence[str] = ()) -> "Names":
        """The loopback names with this port, and more as they stand."""
        own = frozenset(f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]"))
        pages = frozenset(origin.lower().rstrip("/") for origin in origins)
        return cls(own | {host.lower() for host in hosts}, frozenset(f"http://{one}" for one in own) | pages, pages)


@dataclass(slots=True)
class Guard:
    """See the module. Once `ending` is set nobody is let in any more; `open_requests` counts who is, by name.

    `routes` are by their whole paths; one of `under` answers at every other path that its own begins. `/health` is the
    guard's, unless one of `routes` is there. `worded` says a refusal in another form than ours.
    """

    routes: Mapping[str, Route]
    names: Names
    tokens: Tokens
    under: Sequence[Route] = ()
    worded: Callable[[Refusal], bytes] | None = None
    ending: bool = False
    open_requests: Counter[str] = field(default_factory=Counter[str])
    _inner: ASGIApp = field(init=False)

    def __post_init__(self) -> None:
        self._inner = self._route
        if self.names.pages:
            self._inner = CORSMiddleware(
                self._route,
                allow_origins=sorted(self.names.pages),
                allow_methods=["GET", "POST", "DELETE"],
                allow_headers=["*"],
                expose_headers=["mcp-session-id", "www-authenticate"],
            )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            return None
        begun = False

        async def sent(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            if (refusal := self._wrong_name(scope)) is not None:
                return await self._refuse(scope, receive, sent, refusal)
            return await self._inner(scope, receive, sent)
        except Exception:
            log.exception("http.crashed")
            if begun and scope["type"] == "http":
                raise  # what is half sent is cut off, so that nobody takes it for whole
            return await self._fail(scope, send)

    async def _fail(self, scope: Scope, send: Send) -> None:
        if scope["type"] == "http":
            await refusals.FAILED.answer(send, self._body_of(refusals.FAILED))
            return
        with suppress(RuntimeError):  # it is closed already
            await send({"type": "websocket.close", "code": sockets.FAILED})

    async def _refuse(self, scope: Scope, receive: Receive, send: Send, refusal: Refusal) -> None:
        log.info("http.refused", status=refusal.status, code=refusal.code)
        body = self._body_of(refusal)
        if scope["type"] == "websocket":
            return await sockets.refuse(scope, receive, send, refusal, body)
        return await refusal.answer(send, body)

    def _body_of(self, refusal: Refusal) -> bytes:
        return refusal.body if self.worded is None else self.worded(refusal)

    def _wrong_name(self, scope: Scope) -> Refusal | None:
        hosts, origins = values(scope, b"host"), values(scope, b"origin")
        if len(hosts) != 1 or hosts[0].decode("latin-1").lower() not in self.names.hosts:
            return refusals.WRONG_HOST
        if origins and (len(origins) > 1 or origins[0].decode("latin-1").lower() not in self.names.origins):
            return refusals.WRONG_ORIGIN
        return None

    async def _route(self, scope: Scope, receive: Receive, send: Send) -> None:
        path, is_http = scope["path"], scope["type"] == "http"
        if is_http and path == HEALTH and HEALTH not in self.routes and scope["method"] in {"GET", "HEAD"}:
            return await self._health(send)
        route = self._route_at(path)
        if route is None or not (is_http or route.sockets):
            return await self._refuse(scope, receive, send, refusals.no_such_path(", ".join((*self.routes, HEALTH))))
        given = values(scope, b"authorization")
        if not given and (not is_http or (route.linked is not None and route.linked(path))):
            given, scope = sockets.given(scope)
        name = self._decided(route, scope, given)
        if isinstance(name, Refusal):
            return await self._refuse(scope, receive, send, name)
        self.open_requests[name] += 1
        try:
            return await self._let_in(name, route, scope, receive, send)
        finally:
            self.open_requests[name] -= 1

    def _decided(self, route: Route, scope: Scope, given: Sequence[bytes]) -> Refusal | str:
        """Why not, or the token's name."""
        name = self._whose(route, scope["path"], given)
        if isinstance(name, Refusal):
            return name
        if scope["type"] == "http":
            if scope["method"] not in route.methods:
                return refusals.wrong_method(", ".join(route.methods))
            if (refusal := intake.refused(scope, route.intake(scope))) is not None:
                return refusal
        return self._no_place(name) or name

    def _route_at(self, path: str) -> Route | None:
        return self.routes.get(path) or next((one for one in self.under if path.startswith(one.path)), None)

    def _whose(self, route: Route, path: str, given: Sequence[bytes]) -> str | Refusal:
        if route.whose is not None:
            return route.whose(path, given)
        if (name := self.tokens.whose(given)) is None:
            return refusals.WRONG_TOKEN if given else refusals.NO_TOKEN
        return name

    def _no_place(self, name: str) -> Refusal | None:
        if self.ending:
            return refusals.ENDING
        if self.open_requests[name] >= MAX_REQUESTS_EACH:
            return refusals.OWN_SHARE
        return refusals.BUSY if self.open_requests.total() >= MAX_REQUESTS else None

    async def _let_in(self, name: str, route: Route, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(key, value) for key, value in scope["headers"] if key != b"authorization"]
        bare = {**scope, "headers": headers}
        if scope["type"] == "websocket":
            return await route.answer(name, bare, receive, send)
        taken = route.intake(scope)
        try:
            if taken.streams:
                return await route.answer(name, bare, intake.bounded(scope, receive, taken), send)
        except TooMuch as error:
            return await self._refuse(scope, receive, send, error.refusal)
        body = await intake.whole(scope, receive, taken)
        if isinstance(body, Refusal):
            return await self._refuse(scope, receive, send, body)
        if body is None:
            return None  # the caller has gone
        return await route.answer(name, bare, intake.again(body, receive), send)

    async def _health(self, send: Send) -> None:
        body = json.dumps({"status": "ending" if self.ending else "ok", "version": __version__}).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        headers += [(key.encode(), value.encode()) for key, value in refusals.ALWAYS.items()]
        await send({"type": "http.response.start", "status": 503 if self.ending else 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

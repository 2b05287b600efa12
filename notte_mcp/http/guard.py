"""Who is let in over HTTP: an ASGI application in front of others, which decides before they see anything.

In this order: the name that the caller used for this server (DNS rebinding), the web page
that it comes from, the path, the token, the method, the kind of body, how much is going on,
the body's size and time. What is let in arrives with the token's name, its whole body, and
without the token.

Knows neither MCP nor sessions. Below: refusals, tokens. Above: listener, serve, viewer.
"""

import json
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import anyio
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from notte_mcp import __version__
from notte_mcp.http import refusals
from notte_mcp.http.refusals import Refusal
from notte_mcp.http.tokens import Tokens
from notte_mcp.logs import Log

MAX_BODY_BYTES: Final = 4 * 1024 * 1024
BODY_S: Final = 15.0
"""How long a body may take to arrive."""

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


@dataclass(frozen=True, slots=True)
class Route:
    """What answers at a path, and to which methods; `whose` decides there in the place of the guard's tokens."""

    path: str
    methods: Sequence[str]
    answer: Answerer
    whose: Whose | None = None


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

    `routes` are by their whole paths; one of `under` answers at every other path that its own begins.
    """

    routes: Mapping[str, Route]
    names: Names
    tokens: Tokens
    under: Sequence[Route] = ()
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
        if scope["type"] != "http":
            return
        begun = False

        async def sent(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await (self._wrong_name(scope) or self._inner)(scope, receive, sent)
        except Exception:
            log.exception("http.crashed")
            if begun:
                raise  # what is half sent is cut off, so that nobody takes it for whole
            await refusals.FAILED.answer(send)

    def _wrong_name(self, scope: Scope) -> ASGIApp | None:
        hosts, origins = _values(scope, b"host"), _values(scope, b"origin")
        if len(hosts) != 1 or hosts[0].decode("latin-1").lower() not in self.names.hosts:
            return _answering(refusals.WRONG_HOST)
        if origins and (len(origins) > 1 or origins[0].decode("latin-1").lower() not in self.names.origins):
            return _answering(refusals.WRONG_ORIGIN)
        return None

    async def _route(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == HEALTH and scope["method"] in {"GET", "HEAD"}:
            return await self._health(send)
        decided = self._decided(scope)
        if isinstance(decided, Refusal):
            log.info("http.refused", status=decided.status, code=decided.code)
            return await decided.answer(send)
        name, route = decided
        self.open_requests[name] += 1
        try:
            return await self._let_in(name, route, scope, receive, send)
        finally:
            self.open_requests[name] -= 1

    def _decided(self, scope: Scope) -> Refusal | tuple[str, Route]:
        """Why not, or (the token's name, where to)."""
        if (route := self._route_at(scope["path"])) is None:
            return refusals.no_such_path(", ".join((*self.routes, HEALTH)))
        name = self._whose(route, scope["path"], _values(scope, b"authorization"))
        if isinstance(name, Refusal):
            return name
        if scope["method"] not in route.methods:
            return refusals.wrong_method(", ".join(route.methods))
        if scope["method"] == "POST" and not _is_json(scope):
            return refusals.NOT_JSON
        return self._no_place(name) or (name, route)

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
        body = await _body(scope, receive)
        if isinstance(body, Refusal):
            log.info("http.refused", status=body.status, code=body.code, name=name)
            return await body.answer(send)
        if body is None:
            return None  # the caller has gone
        first: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def again() -> Message:
            return first.pop() if first else await receive()

        headers = [(key, value) for key, value in scope["headers"] if key != b"authorization"]
        return await route.answer(name, {**scope, "headers": headers}, again, send)

    async def _health(self, send: Send) -> None:
        body = json.dumps({"status": "ending" if self.ending else "ok", "version": __version__}).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        headers += [(key.encode(), value.encode()) for key, value in refusals.ALWAYS.items()]
        await send({"type": "http.response.start", "status": 503 if self.ending else 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def _values(scope: Scope, header: bytes) -> list[bytes]:
    return [value for key, value in scope["headers"] if key == header]


def _is_json(scope: Scope) -> bool:
    given = _values(scope, b"content-type")
    return len(given) == 1 and given[0].split(b";")[0].strip().lower() == b"application/json"


async def _body(scope: Scope, receive: Receive) -> bytes | Refusal | None:
    """The whole body; None when the caller has gone meanwhile."""
    declared = _values(scope, b"content-length")
    if declared and int(declared[0]) > MAX_BODY_BYTES:  # h11 has seen to it that it is a number, and one
        return refusals.too_large(MAX_BODY_BYTES)
    body = bytearray()
    with anyio.move_on_after(BODY_S):
        while True:
            message: Any = await receive()
            if message["type"] != "http.request":
                return None
            body += message.get("body", b"")
            if len(body) > MAX_BODY_BYTES:
                return refusals.too_large(MAX_BODY_BYTES)
            if not message.get("more_body", False):
                return bytes(body)
    return refusals.TOO_SLOW


def _answering(refusal: Refusal) -> ASGIApp:
    async def answer(_scope: Scope, _receive: Receive, send: Send) -> None:
        log.info("http.refused", status=refusal.status, code=refusal.code)
        await refusal.answer(send)

    return answer

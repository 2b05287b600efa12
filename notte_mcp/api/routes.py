"""The whole local API as one application behind the guard: which endpoint answers, and how what it raises is said.

Paths with and without a slash at the end are the same, with no redirect between them. Everything of the contract that
has no endpoint of ours is answered by `absent`, which says why.

Below: every module with routes, calls, faults; http.guard. Above: serving.
"""

import json
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import compile_path
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from notte_mcp.api import (
    absent,
    agents,
    codes,
    cookies,
    debug,
    files,
    health,
    pages,
    profiles,
    recordings,
    sessions,
    sockets,
)
from notte_mcp.api.calls import ApiCall, ApiRoute, ApiSocket, Contract, Defaults, spoken
from notte_mcp.api.faults import ApiFault, fault_of
from notte_mcp.api.kept import Kept
from notte_mcp.api.keys import ANYBODY, OWNER, ApiKeys
from notte_mcp.errors import NotteMCPError
from notte_mcp.http.guard import Guard, Names, Route
from notte_mcp.http.intake import STREAM_S, Intake, TooMuch
from notte_mcp.http.refusals import FAILED, WRONG_ORIGIN, Refusal, no_such_path
from notte_mcp.http.sockets import refuse
from notte_mcp.http.tokens import Tokens
from notte_mcp.logs import Log

if TYPE_CHECKING:
    from notte_mcp.app import App

METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")

_MODULES: Final = (sessions, pages, agents, cookies, files, debug, recordings, codes, profiles, health, absent)

ROUTES: Final = tuple(route for module in _MODULES for route in module.ROUTES)
"""All of them; of two at one place the first one counts."""

_ANY: Final = Intake(is_json=False)
_FORM_BYTES: Final = 65_536
"""What a form costs besides the file in it."""

_FILES: Final = re.compile(r"/sessions/[^/]+/files/?|/storage/.+")

_NO_SOCKET: Final = no_such_path("those of /sessions/{session_id}/debug")

log = Log("api")


@dataclass(frozen=True, slots=True)
class _Place:
    """A path's routes, by method."""

    pattern: re.Pattern[str]
    by_method: Mapping[str, ApiRoute]


class Api:
    """See the module. `app` gives the App, opened at the first call that needs it; `contract` is that of all calls, or
    None: that of the SDK that asks."""

    def __init__(
        self,
        app: "Callable[[], Awaitable[App]]",
        *,
        contract: Contract | None,
        key: str,
        defaults: Defaults | None = None,
    ) -> None:
        self._app = app
        self._contract: Contract | None = contract
        self._defaults = defaults or Defaults()
        self._kept = Kept()
        self.keys = ApiKeys(key)
        self._places = _places(ROUTES)
        self._sockets = [(compile_path(route.path)[0], route) for route in _ordered(sockets.ROUTES)]

    def guard(self, port: int, *, hosts: Sequence[str] = ()) -> Guard:
        """It, behind a guard that knows these names alone."""
        everything = Route(
            "/", METHODS, self.answer, self.keys.whose, self._intake, sockets=True, linked=recordings.is_video
        )
        return Guard({"/health": everything}, Names.of(port, hosts=hosts), Tokens({}), (everything,), worded=_worded)

    def _intake(self, scope: Scope) -> Intake:
        if scope["type"] == "http" and scope["method"] == "POST" and _FILES.fullmatch(scope["path"]):
            largest = self._defaults.max_upload_bytes + _FORM_BYTES
            return Intake(largest, STREAM_S, is_json=False, streams=True)
        return _ANY

    async def answer(self, caller: str, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request or a WebSocket that the guard let in."""
        scope = {**scope, "path": scope["path"].rstrip("/") or "/"}
        if scope["type"] == "websocket":
            await self._socket(caller, scope, receive, send)
            return
        try:
            response = await self._answered(caller, scope, receive)
        except ApiFault as fault:
            response = fault.answer()
        except NotteMCPError as error:
            response = fault_of(error).answer()
        except TooMuch:
            raise
        except Exception:
            log.exception("api.failed", path=scope["path"])
            response = ApiFault(500, "notte-mcp itself failed; its log on stderr tells more.").answer()
        response.headers.setdefault("cache-control", "no-store")
        response.headers.setdefault("x-content-type-options", "nosniff")
        await response(scope, receive, send)

    async def _answered(self, caller: str, scope: Scope, receive: Receive) -> Response:
        route, found = self._found(scope)
        if caller not in (OWNER, ANYBODY) and not (route.shown and found.get("session_id") == caller):
            raise ApiFault(403, "This token shows a session, and no more than shows it.", error="Forbidden")
        request = Request({**scope, "path_params": found}, receive)
        contract: Contract = self._contract or spoken(request.headers)
        if caller == ANYBODY:
            return await health.ROUTES_OPEN[scope["path"]](request, contract)
        call = ApiCall(
            await self._app(), contract, self._kept, self.keys, self._defaults, caller, _base(request), request
        )
        return await route.endpoint(call)

    def _found(self, scope: Scope) -> tuple[ApiRoute, dict[str, Any]]:
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        allowed: set[str] = set()
        for place in self._places:
            if (found := place.pattern.match(scope["path"])) is not None:
                if (route := place.by_method.get(method)) is not None:
                    return route, found.groupdict()
                allowed |= place.by_method.keys()
        if allowed:
            raise ApiFault(405, "Method Not Allowed", headers={"allow": ", ".join(sorted(allowed))})
        raise ApiFault(404, "Not Found")

    async def _socket(self, caller: str, scope: Scope, receive: Receive, send: Send) -> None:
        for pattern, route in self._sockets:
            if (found := pattern.match(scope["path"])) is not None:
                socket = WebSocket({**scope, "path_params": found.groupdict()}, receive, send)
                return await route.endpoint(self._call(socket, caller, await self._app()))
        missing = ApiFault(404, "Not Found")
        return await refuse(scope, receive, send, _NO_SOCKET, json.dumps(missing.body).encode())

    def _call(self, socket: WebSocket, caller: str, app: "App") -> ApiSocket:
        base = _base(socket)
        contract: Contract = self._contract or spoken(socket.headers)
        return ApiSocket(app, contract, self._kept, self.keys, self._defaults, caller, base, socket)


def _base(asked: Request | WebSocket) -> str:
    """How the caller calls this API: TLS in front of it is told by a proxy, if at all."""
    scheme = "https" if asked.headers.get("x-forwarded-proto", "").lower() == "https" else "http"
    return f"{scheme}://{asked.headers['host']}"


def _ordered(routes: Iterable[Any]) -> list[Any]:
    """Words before parameters, so that `/sessions/start` is not the session of that name."""
    return sorted(routes, key=lambda route: [part.startswith("{") for part in route.path.split("/")])


def _places(routes: Iterable[ApiRoute]) -> list[_Place]:
    """By path; the first route of a path and method is the one that counts."""
    by_path: dict[str, dict[str, ApiRoute]] = {}
    patterns: dict[str, re.Pattern[str]] = {}
    for route in _ordered(routes):
        pattern = compile_path(route.path)[0]
        patterns[pattern.pattern] = pattern
        by_path.setdefault(pattern.pattern, {}).setdefault(route.method, route)
    return [_Place(patterns[path], by_method) for path, by_method in by_path.items()]


def _worded(refusal: Refusal) -> bytes:
    """A refusal of the guard's, as the contract says errors."""
    mend = "The API is for programs; no page is let in." if refusal is WRONG_ORIGIN else refusal.mend
    said = refusal.what if refusal is FAILED else f"{refusal.what} {mend}"
    fault = ApiFault(refusal.status, said, error=refusal.code)
    return json.dumps(fault.body).encode()

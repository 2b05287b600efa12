"""A call of the local API: what an endpoint is given, and what reads its path, query and body.

Which contract holds is set for all calls, or follows the SDK's version. Booleans come as `True`, `true` or `1`. A body is strict where the contract is (1.10: a field that is not in it is refused,
in the form in which FastAPI refuses it), and lenient in 1.9.

Below: encoding, faults, keys, kept; app. Above: every module with routes.
"""

import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar, cast

from pydantic import BaseModel, ValidationError
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.websockets import WebSocket

from notte_mcp.api import faults
from notte_mcp.api.encoding import JsonAnswer
from notte_mcp.api.kept import Kept
from notte_mcp.api.keys import ApiKeys

if TYPE_CHECKING:
    from notte_mcp.app import App

Contract = Literal["1.9", "1.10"]

NEWER: Final[Contract] = "1.10"
"""That of whoever does not say which SDK asks."""

M = TypeVar("M", bound=BaseModel)

_SPOKEN: Final = re.compile(r"(\d{1,4})\.(\d{1,4})\.")
_FIRST_NEWER: Final = (1, 10)

_TRUE: Final = frozenset({"true", "1", "yes", "on"})
_FALSE: Final = frozenset({"false", "0", "no", "off"})


@dataclass(frozen=True, slots=True)
class Defaults:
    """What the settings say of sessions and files. Sizes in px and bytes."""

    headless: bool = True
    viewport_width: int = 1280
    viewport_height: int = 800
    max_upload_bytes: int = 200_000_000
    max_session_bytes: int = 1_000_000_000
    max_session_files: int = 1_000


@dataclass(frozen=True, slots=True)
class _Call:
    """What a request and a WebSocket have in common. `caller` is the owner's name, or the session id that a viewer's
    token is for; `base` the URL of this API as the caller wrote it, with no slash at the end."""

    app: "App"
    contract: Contract
    kept: Kept
    keys: ApiKeys
    defaults: Defaults
    caller: str
    base: str

    @property
    def ws_base(self) -> str:
        """The same for WebSockets."""
        return "ws" + self.base.removeprefix("http")


@dataclass(frozen=True, slots=True)
class ApiCall(_Call):
    """A request."""

    request: Request

    def path(self, name: str) -> str:
        """A part of the path, percent-decoded."""
        return cast(str, self.request.path_params[name])

    def text(self, name: str, default: str | None = None) -> str | None:
        """A query parameter; None or the default where it is left out or empty."""
        return self.request.query_params.get(name) or default

    def required(self, name: str) -> str:
        """A query parameter that has to be there. Raises: ApiFault (422)."""
        if (found := self.text(name)) is None:
            raise faults.missing("query", name)
        return found

    def flag(self, name: str, *, default: bool | None = None) -> bool:
        """A boolean of the query; without a default it has to be there. Raises: ApiFault (422)."""
        given = self.request.query_params.get(name)
        if given is None:
            if default is None:
                raise faults.missing("query", name)
            return default
        if given.lower() not in _TRUE | _FALSE:
            raise faults.wrong("query", name, "bool_parsing", "Input should be a valid boolean", given)
        return given.lower() in _TRUE

    def number(self, name: str, default: int, *, least: int, most: int | None = None) -> int:
        """A whole number of the query, within its bounds. Raises: ApiFault (422)."""
        if (given := self.text(name)) is None:
            return default
        try:
            found = int(given)
        except ValueError:
            said = "Input should be a valid integer, unable to parse string as an integer"
            raise faults.wrong("query", name, "int_parsing", said, given) from None
        if found < least or (most is not None and found > most):
            said = f"Input should be at least {least}" + (f" and at most {most}" if most is not None else "")
            raise faults.wrong("query", name, "out_of_range", said, given)
        return found

    async def json(self) -> Any:
        """The body as JSON; an empty one is `{}`. Raises: ApiFault (422)."""
        raw = await self.request.body()
        if not raw.strip():
            return {}
        try:
            return json.loads(raw, parse_constant=_no_number, parse_float=_finite)
        except (ValueError, RecursionError) as error:
            raise faults.wrong("body", "", "json_invalid", "JSON decode error", str(error)) from error

    async def body(self, model: type[M]) -> M:
        """The body as a model. Raises: ApiFault (422)."""
        given = await self.json()
        try:
            return model.model_validate(given, extra="forbid" if self.contract == "1.10" else "ignore")
        except ValidationError as error:
            raise faults.invalid(error) from error


@dataclass(frozen=True, slots=True)
class ApiSocket(_Call):
    """A WebSocket that was let in and is not accepted yet."""

    socket: WebSocket

    def path(self, name: str) -> str:
        """A part of the path, percent-decoded."""
        return cast(str, self.socket.path_params[name])

    def text(self, name: str) -> str | None:
        """A query parameter; None where it is left out or empty."""
        return self.socket.query_params.get(name) or None

    def may_see(self, session_id: str) -> bool:
        """Whether the caller's token is for this session, or it is the owner."""
        return self.keys.may_see(self.caller, session_id)


def spoken(headers: Headers) -> Contract:
    """The contract that an SDK knows, by the version which it says with each request."""
    version = _SPOKEN.match(headers.get("x-notte-sdk-version", ""))
    return "1.9" if version is not None and (int(version[1]), int(version[2])) < _FIRST_NEWER else NEWER


def _finite(written: str) -> float:
    """A number that JSON can tell again, as `1e999` is none."""
    return found if isfinite(found := float(written)) else _no_number(written)


def _no_number(written: str) -> float:
    raise ValueError(f"{written} is no number of JSON")


Endpoint = Callable[[ApiCall], Awaitable[Response]]
SocketEndpoint = Callable[[ApiSocket], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class ApiRoute:
    """What answers to a method at a path (`/sessions/{session_id}/stop`; no slash at the end). `shown` lets the
    holder of a session's viewer token in too, to that session alone."""

    method: str
    path: str
    endpoint: Endpoint
    shown: bool = False


@dataclass(frozen=True, slots=True)
class SocketRoute:
    """What answers a WebSocket at a path. Who comes has the key, or a viewer token: of which session, the endpoint
    asks (`ApiSocket.may_see`)."""

    path: str
    endpoint: SocketEndpoint


def answer(value: Any, *, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """JSON."""
    return JsonAnswer(value, status_code=status, headers=headers)

"""What an HTTP caller is told who is not let in: one sentence on what is wrong, one on how to mend it, as JSON.

Nothing of the request is repeated: it may hold a token, or be written to be shown to somebody.

Below: nothing. Above: guard, connections.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

from starlette.types import Send

NONE: Final[Mapping[str, str]] = {}


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that lets nobody in. `code` is for programs, `what` and `mend` are for people."""

    status: int
    code: str
    what: str
    mend: str
    headers: Mapping[str, str] = field(default_factory=lambda: NONE)

    @property
    def body(self) -> bytes:
        return json.dumps({"error": self.code, "message": self.what, "next": self.mend}).encode()

    async def answer(self, send: Send, body: bytes | None = None) -> None:
        """Send it as the answer of a request; `body` is it in another form of JSON."""
        body = self.body if body is None else body
        head = {"content-type": "application/json", "content-length": str(len(body)), **ALWAYS, **self.headers}
        raw = [(name.encode(), value.encode()) for name, value in head.items()]
        await send({"type": "http.response.start", "status": self.status, "headers": raw})
        await send({"type": "http.response.body", "body": body})

    def whole(self) -> bytes:
        """It as bytes, for a connection on which no request was understood; the connection ends with it."""
        head = {"content-type": "application/json", "content-length": str(len(self.body)), **ALWAYS, **self.headers}
        lines = "".join(f"{name}: {value}\r\n" for name, value in {**head, "connection": "close"}.items())
        return f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}\r\n{lines}\r\n".encode() + self.body


ALWAYS: Final = {"cache-control": "no-store", "x-content-type-options": "nosniff"}

_RETRY: Final = {"retry-after": "1"}

NOT_HTTP: Final = Refusal(
    400, "not_http", "This is no HTTP/1.1 request, or its header is too long.", "Send the request as HTTP/1.1."
)
FULL: Final = Refusal(503, "too_many_connections", "All connections are taken.", "Try again in a second.", _RETRY)
BUSY: Final = Refusal(503, "too_many_requests", "All requests' places are taken.", "Try again in a second.", _RETRY)
OWN_SHARE: Final = Refusal(
    429, "too_many_requests", "This token has as many requests open as it may.", "End some of them first.", _RETRY
)
ENDING: Final = Refusal(
    503, "ending", "The server is ending.", "Start it again, then ask again.", {"connection": "close"}
)
WRONG_HOST: Final = Refusal(
    421,
    "wrong_host",
    "The Host header does not name this server.",
    "Use the address that the server printed; for another name, start it with --allowed-host NAME (with :PORT, where the URL has one).",
)
WRONG_ORIGIN: Final = Refusal(
    403,
    "wrong_origin",
    "Web pages of this origin may not call this server.",
    "Start it with --allowed-origin ORIGIN if that page is yours.",
)
NO_TOKEN: Final = Refusal(
    401,
    "no_token",
    "A token is needed.",
    "Send the header `Authorization: Bearer TOKEN`; `notte-mcp serve` says at its start where the token lies.",
    {"www-authenticate": 'Bearer realm="notte-mcp"'},
)
WRONG_TOKEN: Final = Refusal(
    401,
    "wrong_token",
    "The token is not one of this server's.",
    "Send the token of this server's state folder; `notte-mcp serve` says at its start where it lies.",
    {"www-authenticate": 'Bearer realm="notte-mcp", error="invalid_token"'},
)
NOT_JSON: Final = Refusal(
    415, "not_json", "The body of a request is JSON here.", "Send it with one `Content-Type: application/json`."
)
TOO_SLOW: Final = Refusal(
    408, "too_slow", "The body did not arrive in time.", "Send the request again, at once.", {"connection": "close"}
)
FAILED: Final = Refusal(
    500,
    "failed",
    "notte-mcp itself failed; its log on stderr tells more. Whether anything was done is unknown.",
    "Call notte_status() to see what was done.",
)


def no_such_path(paths: str) -> Refusal:
    """Nothing stands at this path; `paths` are those at which something does."""
    return Refusal(404, "no_such_path", "Nothing is at this path.", f"Here are: {paths}.")


def wrong_method(allowed: str) -> Refusal:
    """The path takes other methods; `allowed` as the header `Allow` has them."""
    return Refusal(405, "wrong_method", "This path does not take this method.", f"Use {allowed}.", {"allow": allowed})


def too_large(limit: int) -> Refusal:
    """The body is longer than `limit` bytes."""
    return Refusal(413, "too_large", f"The body is longer than {limit:,} bytes.", "Send less at a time.")

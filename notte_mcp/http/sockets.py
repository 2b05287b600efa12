"""WebSockets behind the guard: how one is refused, and where its token stands.

Below: refusals. Above: guard.
"""

from typing import Final
from urllib.parse import parse_qsl, urlencode

from starlette.types import Receive, Scope, Send

from notte_mcp.http.refusals import ALWAYS, Refusal

TOKEN: Final = "token"  # noqa: S105 - its name
"""The parameter of the address that holds a token: what a browser opens cannot send headers."""

FAILED: Final = 1011
_POLICY: Final = 1008


async def refuse(scope: Scope, receive: Receive, send: Send, refusal: Refusal, body: bytes) -> None:
    """Answer the handshake with a refusal, where the server can; else close it unaccepted."""
    await receive()  # `websocket.connect`
    if "websocket.http.response" not in scope.get("extensions", {}):
        return await send({"type": "websocket.close", "code": _POLICY, "reason": refusal.what})
    head = {"content-type": "application/json", "content-length": str(len(body)), **ALWAYS, **refusal.headers}
    raw = [(name.encode(), value.encode()) for name, value in head.items()]
    await send({"type": "websocket.http.response.start", "status": refusal.status, "headers": raw})
    return await send({"type": "websocket.http.response.body", "body": body})


def given(scope: Scope) -> tuple[list[bytes], Scope]:
    """The token of the address as an `Authorization` header says it, and the scope without it."""
    pairs = parse_qsl(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
    tokens = [value for name, value in pairs if name == TOKEN]
    rest = urlencode([(name, value) for name, value in pairs if name != TOKEN]).encode("latin-1")
    return [b"Bearer " + one.encode() for one in tokens], {**scope, "query_string": rest}

"""The body of a request: how large it may be, how long it may take, and of which kind it is.

A whole body is read before anybody sees it. One that streams (a file) is handed on as it comes, under the same bounds:
who reads it is cut by `TooMuch`, which the guard answers.

Below: refusals. Above: guard.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import anyio
from starlette.types import Message, Receive, Scope

from notte_mcp.http import refusals
from notte_mcp.http.refusals import Refusal

MAX_BODY_BYTES: Final = 4 * 1024 * 1024
BODY_S: Final = 15.0
"""How long a body may take to arrive."""

STREAM_S: Final = 600.0
"""How long one that streams may take."""


@dataclass(frozen=True, slots=True)
class Intake:
    """What a body may be. Sizes in bytes, times in seconds."""

    max_bytes: int = MAX_BODY_BYTES
    within_s: float = BODY_S
    is_json: bool = True
    streams: bool = False


JSON_ONLY: Final = Intake()


class TooMuch(Exception):
    """A body that streams went over its bounds."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.what)
        self.refusal = refusal


def refused(scope: Scope, intake: Intake) -> Refusal | None:
    """Why such a body is not taken, as far as the header says."""
    if intake.is_json and scope["method"] == "POST" and not _is_json(scope):
        return refusals.NOT_JSON
    return None


async def whole(scope: Scope, receive: Receive, intake: Intake) -> bytes | Refusal | None:
    """The whole body; None when the caller has gone meanwhile."""
    if _declared(scope) > intake.max_bytes:
        return refusals.too_large(intake.max_bytes)
    body = bytearray()
    with anyio.move_on_after(intake.within_s):
        while True:
            message: Any = await receive()
            if message["type"] != "http.request":
                return None
            body += message.get("body", b"")
            if len(body) > intake.max_bytes:
                return refusals.too_large(intake.max_bytes)
            if not message.get("more_body", False):
                return bytes(body)
    return refusals.TOO_SLOW


def bounded(scope: Scope, receive: Receive, intake: Intake) -> Receive:
    """The same body as it comes. Raises (from within): TooMuch."""
    if _declared(scope) > intake.max_bytes:
        raise TooMuch(refusals.too_large(intake.max_bytes))
    ends_at = anyio.current_time() + intake.within_s
    came, is_over = 0, False

    async def next_part() -> Message:
        nonlocal came, is_over
        if is_over:
            return await receive()  # that the caller goes
        with anyio.move_on_after(max(0.0, ends_at - anyio.current_time())):
            message: Any = await receive()
            came += len(message.get("body", b""))
            is_over = not message.get("more_body", False)
            if came > intake.max_bytes:
                raise TooMuch(refusals.too_large(intake.max_bytes))
            return message
        raise TooMuch(refusals.TOO_SLOW)

    return next_part


def again(body: bytes, receive: Receive) -> Receive:
    """A body that was read, for who reads it next."""
    first: list[Mapping[str, Any]] = [{"type": "http.request", "body": body, "more_body": False}]

    async def next_part() -> Message:
        return dict(first.pop()) if first else await receive()

    return next_part


def values(scope: Scope, header: bytes) -> list[bytes]:
    """A header's values."""
    return [value for key, value in scope["headers"] if key == header]


def _declared(scope: Scope) -> int:
    declared = values(scope, b"content-length")
    return int(declared[0]) if declared else 0  # h11 has seen to it that it is a number, and one


def _is_json(scope: Scope) -> bool:
    given = values(scope, b"content-type")
    return len(given) == 1 and given[0].split(b";")[0].strip().lower() == b"application/json"

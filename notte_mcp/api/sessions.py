"""Sessions of the API: start, list, get, stop, and how long their trajectory is.

Below: starting, answers, trajectory; calls; registry (by the App). Above: routes.
"""

from typing import Final, Literal, cast

from starlette.responses import Response

from notte_mcp.api import faults, profiles
from notte_mcp.api.answers import session_json
from notte_mcp.api.calls import ApiCall, ApiRoute, answer
from notte_mcp.api.faults import ApiFault
from notte_mcp.api.paging import page_of
from notte_mcp.api.starting import StartBody, StartBody19, ignored, reached, spec_of
from notte_mcp.api.trajectory import length, trajectory
from notte_mcp.records import LIVE_STATES

_REASONS: Final = {"manual": "user", "error": "error"}
"""What a stop is called in our records."""

MAX_LISTED: Final = 1_000
PAGE: Final = 100
MAX_CURSOR: Final = 9
"""Digits of a cursor."""


async def _start(call: ApiCall) -> Response:
    model = StartBody if call.contract == "1.10" else StartBody19
    given = await call.body(model)
    spec = spec_of(given, call.defaults)
    if spec.profile is not None:
        await profiles.require(call, spec.profile)
    with reached(spec):
        record, _ = await call.app.registry.open(spec)
    return answer(await session_json(call, record), headers=ignored(given))


async def _list(call: ApiCall) -> Response:
    records = await call.app.registry.sessions(limit=MAX_LISTED)
    if call.flag("only_active", default=True):
        records = [record for record in records if record.state in LIVE_STATES]
    call.flag("only_current_token", default=False)
    call.flag("include_system", default=True)
    shown, page = page_of(call, records)
    items = [await session_json(call, record, steps=False) for record in shown]
    return answer({"items": items, **page})


async def _get(call: ApiCall) -> Response:
    return answer(await session_json(call, await call.app.registry.record(call.path("session_id"))))


async def _stop(call: ApiCall) -> Response:
    reason = call.text("close_reason", "manual")
    if reason not in _REASONS:
        raise faults.wrong("query", "close_reason", "literal_error", "Input should be 'manual' or 'error'", reason)
    session_id = call.path("session_id")
    record = await call.app.registry.stop(session_id, reason=_REASONS[cast(Literal["manual", "error"], reason)])
    call.kept.forget(session_id)
    return answer(await session_json(call, record))


async def _offset(call: ApiCall) -> Response:
    return answer({"offset": await length(call.app, call.path("session_id"))})


async def _steps(call: ApiCall) -> Response:
    """A page of the trajectory; the cursor is an index into it."""
    elements = await trajectory(call.app, call.path("session_id"))
    cursor, limit = call.text("cursor", "0") or "0", call.number("limit", PAGE, least=1, most=MAX_LISTED)
    if not (cursor.isascii() and cursor.isdecimal() and len(cursor) <= MAX_CURSOR and int(cursor) <= len(elements)):
        raise ApiFault(400, "The cursor is none of this session's; begin again without one.")
    begin = int(cursor)
    more = str(begin + limit) if begin + limit < len(elements) else None
    return answer({"steps": elements[begin : begin + limit], "next_cursor": more})


async def _auth(call: ApiCall) -> Response:
    """Nothing is signed in by itself, so a session is ready as soon as it is there."""
    record = await call.app.registry.record(call.path("session_id"))
    status = "active" if record.state in LIVE_STATES else "closed"
    return answer({"session_id": record.id, "status": status, "operations": None, "error": None})


ROUTES: Final = (
    ApiRoute("POST", "/sessions/start", _start),
    ApiRoute("GET", "/sessions", _list),
    ApiRoute("GET", "/sessions/{session_id}", _get),
    ApiRoute("DELETE", "/sessions/{session_id}/stop", _stop),
    ApiRoute("GET", "/sessions/{session_id}/offset", _offset),
    ApiRoute("GET", "/sessions/{session_id}/steps", _steps),
    ApiRoute("GET", "/sessions/{session_id}/auth", _auth),
)

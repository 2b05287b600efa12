"""One reader for every `notte://` address, used by resources and by their twin, notte_read.

Reading changes nothing and waits for nobody who holds a session. Times are given as
UTC in ISO 8601. What a session was started with is told without addresses that may
carry credentials.

Below: registry, records, workflows. Above: resources.listing, tools.reading.
"""

import json
import mimetypes
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, quote, unquote, urlsplit

from notte_mcp.errors import InvalidArgument, LimitReached, UnknownResource
from notte_mcp.records import SessionRecord, StepRecord, receipt_to_json
from notte_mcp.resources.guide import GUIDE
from notte_mcp.resources.script import TARGETS, Target, script

if TYPE_CHECKING:
    from notte_mcp.app import App

JSON: Final = "application/json"
NDJSON: Final = "application/x-ndjson"

MAX_STEPS: Final = 2_000
"""Steps in one answer; `?after=` goes on."""

MAX_BYTES: Final = 5_500_000
"""Of one answer: some hosts close the connection over a message of twice that."""

# What is text though its type does not say so.
_TEXT_TYPES: Final = frozenset({JSON, NDJSON, "application/xml", "application/javascript", "image/svg+xml"})

OpenApp = Callable[[], Awaitable["App"]]


@dataclass(frozen=True, slots=True)
class Content:
    """What stands at an address: text, or bytes for what is none."""

    uri: str
    name: str
    mime_type: str
    body: str | bytes


async def read(app: OpenApp, uri: str) -> Content:
    """What stands at `uri`. The App is opened unless the guide is asked for.

    Raises:
        UnknownResource: no such address, session or file.
        UnknownSession: no session has this id.
        InvalidArgument: `after` is no number.
    """
    parts = urlsplit(uri)
    path = [unquote(part) for part in parts.path.split("/")[1:]]
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    match parts.scheme, parts.netloc, path:
        case "notte", "guide", []:
            return Content(uri, "guide", "text/markdown", GUIDE)
        case "notte", "sessions", []:
            records = await (await app()).registry.sessions()
            return _json(uri, "sessions", [_session(record) for record in records])
        case "notte", "sessions", [session_id, *rest] if session_id:
            return await _of_session(await app(), uri, session_id, rest, query)
        case _:
            raise unknown(uri)


def unknown(uri: str) -> UnknownResource:
    """The error for an address that leads nowhere."""
    return UnknownResource(
        f"No resource has the URI {uri}.", done="", next_call='notte_read(uri="notte://guide") lists what can be read'
    )


def file_uri(session_id: str, name: str) -> str:
    """The address of a session's file."""
    return f"notte://sessions/{session_id}/files/{quote(name, safe='')}"


async def _of_session(app: "App", uri: str, session_id: str, rest: Sequence[str], query: Mapping[str, str]) -> Content:
    record = await app.registry.record(session_id)
    match rest:
        case []:
            return _json(uri, record.id, _session(record))
        case ["steps"]:
            return await _steps(app, uri, record, query.get("after", "0"))
        case ["files"]:
            files = await app.registry.files(record.id)
            listed = [{"name": name, "size": size, "uri": file_uri(record.id, name)} for name, size in files]
            return _json(uri, "files", listed)
        case ["files", name] if name:
            return await _file(app, uri, record, name)
        case ["workflow", target] if target in TARGETS:
            return await _workflow(app, uri, record, target)
        case _:
            raise unknown(uri)


async def _steps(app: "App", uri: str, record: SessionRecord, after: str) -> Content:
    if not after.isdecimal():
        raise InvalidArgument(
            f"`after` is a step's number, not {after!r}.", next_call=f"{uri.split('?', 1)[0]}?after=0"
        )
    steps = await app.registry.steps(record.id, after=int(after), limit=MAX_STEPS)
    lines: list[str] = []
    size = 0
    for step in steps:
        lines.append(json.dumps(_step(step), ensure_ascii=False, default=str) + "\n")
        size += len(lines[-1])
        if size > MAX_BYTES:
            break
    return Content(uri, "steps", NDJSON, "".join(lines))


async def _file(app: "App", uri: str, record: SessionRecord, name: str) -> Content:
    size = dict(await app.registry.files(record.id)).get(name)
    if size is None:
        raise unknown(uri)
    if size > MAX_BYTES:
        raise LimitReached(
            f"{name} has {size} bytes, and one answer carries at most {MAX_BYTES}.",
            kept=f"It is in the server's state folder under sessions/{record.id}/files.",
            next_call="a program on the server's machine that reads it there",
        )
    body = await app.registry.read_file(record.id, name)
    mime = mimetypes.guess_type(name)[0] or "application/octet-stream"
    if mime.startswith("text/") or mime in _TEXT_TYPES:
        try:
            return Content(uri, name, mime, body.decode())
        except UnicodeDecodeError:
            pass
    return Content(uri, name, mime, body)


async def _workflow(app: "App", uri: str, record: SessionRecord, target: Target) -> Content:
    code = await script(app, record.id, target)
    return Content(uri, f"workflow {target}", JSON if target == "json" else "text/x-python", code.code)


# --- records as JSON --------------------------------------------------------------


def _json(uri: str, name: str, value: object) -> Content:
    return Content(uri, name, JSON, json.dumps(value, ensure_ascii=False, indent=1, default=str))


def _session(record: SessionRecord) -> dict[str, Any]:
    return {
        "id": record.id,
        "state": record.state,
        "reason": record.reason,
        "url": record.url,
        "title": record.title,
        "step_count": record.step_count,
        "engine": record.spec.engine,
        "profile": record.spec.profile,
        "created_at": _time(record.created_at),
        "updated_at": _time(record.updated_at),
        "storage_saved_at": _time(record.storage_saved_at),
        "steps_uri": f"notte://sessions/{record.id}/steps",
    }


def _step(step: StepRecord) -> dict[str, Any]:
    return {
        "number": step.number,
        "actor": step.actor,
        "action": step.action,
        "receipt": receipt_to_json(step.receipt) if step.receipt is not None else None,
        "success": step.success,
        "message": step.message,
        "url": step.url,
        "started_at": _time(step.started_at),
        "ended_at": _time(step.ended_at),
    }


def _time(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")

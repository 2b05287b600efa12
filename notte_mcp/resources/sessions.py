"""What stands below `notte://sessions`: the list, a session, its log, what was recorded of it, its files, its script,
and what the cloud tells of one that lives there.

Below: registry, logs, recorded, elsewhere, content, records_json, script. Above: reader.
"""

import mimetypes
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from notte_mcp.errors import LimitReached
from notte_mcp.records import SessionRecord
from notte_mcp.resources import elsewhere, logs, recorded
from notte_mcp.resources.content import JSON, MAX_BYTES, NDJSON, Content, as_json, as_list, file_uri, unknown
from notte_mcp.resources.records_json import session_json
from notte_mcp.resources.script import TARGETS, code_content

if TYPE_CHECKING:
    from notte_mcp.app import App

# What is text though its type does not say so.
_TEXT_TYPES: Final = frozenset({JSON, NDJSON, "application/xml", "application/javascript", "image/svg+xml"})


async def of_sessions(app: "App", uri: str, path: Sequence[str], query: Mapping[str, str]) -> Content:
    """What stands at `notte://sessions/...`: every session that is kept, newest first, or what is below one of them.

    Raises:
        UnknownSession, UnknownResource; InvalidArgument: a number, a format or a script that is none; LimitReached;
        NothingRecorded, ExtraMissing; CloudError: of what only the cloud has.
    """
    match path:
        case []:
            return as_list(uri, "sessions", [session_json(record) for record in await app.registry.sessions()])
        case [session_id, *rest] if session_id:
            return await _of_session(app, uri, session_id, rest, query)
        case _:
            raise unknown(uri)


async def _of_session(app: "App", uri: str, session_id: str, rest: Sequence[str], query: Mapping[str, str]) -> Content:
    record = await app.registry.record(session_id)
    match rest:
        case []:
            return as_json(uri, record.id, session_json(record))
        case ["steps"]:
            return await logs.of_session(app, uri, record, query)
        case ["files"]:
            files = await app.registry.files(record.id)
            listed = [{"name": name, "size": size, "uri": file_uri(record.id, name)} for name, size in files]
            return as_list(uri, "files", [*listed, *await elsewhere.files(app, record, [name for name, _ in files])])
        case ["files", name] if name:
            return await _file(app, uri, record, name)
        case ["workflow", target] if target in TARGETS:
            return await code_content(app, uri, record.id, target)
        case _:
            there = await elsewhere.of_session(app, uri, record, rest)
            return there or await recorded.of_session(app, uri, record, rest, query)


async def _file(app: "App", uri: str, record: SessionRecord, name: str) -> Content:
    size = dict(await app.registry.files(record.id)).get(name)
    there = None if size is not None else await elsewhere.file(app, record, name)
    if size is None and there is None:
        raise unknown(uri)
    if size is not None and size > MAX_BYTES:
        raise LimitReached(
            f"{name} has {size} bytes, and one answer carries at most {MAX_BYTES}.",
            kept=f"It is in the server's state folder under sessions/{record.id}/files.",
            next_call="a program on the server's machine that reads it there",
        )
    body = await app.registry.read_file(record.id, name) if there is None else there
    mime = mimetypes.guess_type(name)[0] or "application/octet-stream"
    if mime.startswith("text/") or mime in _TEXT_TYPES:
        try:
            return Content(uri, name, mime, body.decode())
        except UnicodeDecodeError:
            pass
    return Content(uri, name, mime, body)

"""One reader for every `notte://` address, used by resources and by their twin, notte_read.

Reading changes nothing and waits for nobody who holds a session.

Below: registry, agents, kept, content, records_json, script. Above: resources.listing, tools.reading.
"""

import mimetypes
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, unquote, urlsplit

from notte_mcp.errors import LimitReached
from notte_mcp.records import SessionRecord
from notte_mcp.resources.agents import of_agents, workflow
from notte_mcp.resources.content import (
    JSON,
    MAX_BYTES,
    MAX_STEPS,
    NDJSON,
    Content,
    as_json,
    as_list,
    as_log,
    file_uri,
    number_after,
    unknown,
)
from notte_mcp.resources.guide import GUIDE
from notte_mcp.resources.kept import of_runs, of_workflows
from notte_mcp.resources.records_json import session_json, step_json
from notte_mcp.resources.script import TARGETS

if TYPE_CHECKING:
    from notte_mcp.app import App

# What is text though its type does not say so.
_TEXT_TYPES: Final = frozenset({JSON, NDJSON, "application/xml", "application/javascript", "image/svg+xml"})

OpenApp = Callable[[], Awaitable["App"]]


async def read(app: OpenApp, uri: str) -> Content:
    """What stands at `uri`. The App is opened unless the guide is asked for.

    Raises:
        UnknownResource: no such address or file.
        UnknownSession, UnknownAgent, UnknownRun, UnknownWorkflow: nothing has this id or name.
        InvalidArgument: `after` is no number, or no step is worth a script.
        LimitReached: it is too long for one answer.
    """
    parts = urlsplit(uri)
    path = [unquote(part) for part in parts.path.split("/")[1:]]
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    match parts.scheme, parts.netloc:
        case "notte", "guide" if not path:
            return Content(uri, "guide", "text/markdown", GUIDE)
        case "notte", "sessions":
            return await _of_sessions(await app(), uri, path, query)
        case "notte", "agents":
            return await of_agents(await app(), uri, path, query)
        case "notte", "workflows":
            return await of_workflows(await app(), uri, path)
        case "notte", "runs":
            return await of_runs(await app(), uri, path)
        case _:
            raise unknown(uri)


async def _of_sessions(app: "App", uri: str, path: Sequence[str], query: Mapping[str, str]) -> Content:
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
            steps = await app.registry.steps(record.id, after=number_after(uri, query), limit=MAX_STEPS)
            return as_log(uri, "steps", (step_json(step) for step in steps))
        case ["files"]:
            files = await app.registry.files(record.id)
            listed = [{"name": name, "size": size, "uri": file_uri(record.id, name)} for name, size in files]
            return as_list(uri, "files", listed)
        case ["files", name] if name:
            return await _file(app, uri, record, name)
        case ["workflow", target] if target in TARGETS:
            return await workflow(app, uri, record.id, target)
        case _:
            raise unknown(uri)


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

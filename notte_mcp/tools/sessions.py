"""notte_start and notte_stop: a session's beginning and end.

Below: surface, options, accounts, page_text. Above: listing.
"""

import time
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import anyio
from mcp.types import CallToolResult
from pydantic import Field

from notte_mcp import page_text
from notte_mcp.actions import Goto
from notte_mcp.errors import InvalidArgument, NotteMCPError, SessionChoice
from notte_mcp.observations import DEFAULT_MAX_TOKENS
from notte_mcp.records import SessionRecord
from notte_mcp.tools.accounts import account, brief, is_live, next_call
from notte_mcp.tools.boundary import declare, facts, hints, sentence
from notte_mcp.tools.options import SessionOptions
from notte_mcp.tools.pages import RequestId
from notte_mcp.tools.schema import object_schema
from notte_mcp.tools.surface import Call, Surface, surface

if TYPE_CHECKING:
    from notte_mcp.app import App
    from notte_mcp.registry.batch import Batch

LOAD_S: Final = 35.0
"""How long the first page may take: its own limit is 30 s, and the answer has to be out after 45."""

FINAL_STEPS: Final = 3
"""Steps that the answer to a stop tells; the log has them all."""

START_OUTPUT: Final = object_schema("session_id", "state", optional=("url", "title", "observation", "next"))
STOP_OUTPUT: Final = object_schema("state", optional=("id", "reason", "next"))


async def notte_start(
    ctx: Call,
    *,
    url: Annotated[str | None, Field(description="page to open; its observation is in the answer")] = None,
    session_id: Annotated[str | None, Field(description="to reuse, or to restore if interrupted")] = None,
    session: Annotated[SessionOptions | None, Field(description="of a new session")] = None,
    request_id: RequestId = None,
) -> CallToolResult:
    """Start a browser session and open a page. It lives on between calls; it ends after 15 minutes without one,
    after 240 at most, or by notte_stop; its steps stay readable for 30 days. With session_id: open url there, or
    give an interrupted session a new browser (saved cookies and local storage, last url; no action is repeated)."""
    here = surface(ctx)
    body = partial(_start, here, url, session_id, session)
    if request_id is None:
        return await body()
    arguments = {
        "url": url,
        "session_id": session_id,
        "session": session.model_dump(exclude_none=True) if session else None,
    }
    return await here.once(request_id, "notte_start", arguments, body)


async def notte_stop(
    ctx: Call,
    *,
    id: str | None = None,  # noqa: A002 - the contract's name
    all: bool = False,  # noqa: A002 - the same
    mode: Literal["graceful", "now"] = "graceful",
) -> CallToolResult:
    """Stop a session: its browser is gone within 4 seconds; steps, files and script stay readable for 30 days.
    Stopping twice is no error."""
    here = surface(ctx)
    app = await here.app()
    if all:
        return await _stop_all(here, app, mode)
    if id is None:
        raise await _which(app)
    record = await app.registry.stop(id, mode=mode)
    await here.changed(record.id)
    after = max(0, record.step_count - FINAL_STEPS)
    return facts(account(record, await app.registry.steps(record.id, after=after), after=after))


TOOLS: Final = (
    declare(
        notte_start,
        title="Start a browser session",
        hints=hints(),
        output=START_OUTPUT,
        core=True,
    ),
    declare(
        notte_stop,
        title="Stop a browser session",
        hints=hints(destroys=True, repeatable=True, world=False),
        output=STOP_OUTPUT,
    ),
)


# --- start ----------------------------------------------------------------------


async def _start(
    here: Surface, url: str | None, session_id: str | None, options: SessionOptions | None
) -> CallToolResult:
    app = await here.app()
    record, note, loaded = await _session(here, app, url, session_id, options)
    seen = ""
    if loaded:
        seen, problem = await _first_view(app, record.id)
        note = note or problem
    record = await app.registry.record(record.id)
    await here.changed(record.id)
    return _started(record, seen, note)


async def _session(
    here: Surface, app: "App", url: str | None, session_id: str | None, options: SessionOptions | None
) -> tuple[SessionRecord, str, bool]:
    """The session asked for, what its caller must know of how that went, and whether a page was loaded."""
    if session_id is None:
        record, batch = await app.registry.open((options or SessionOptions()).spec(here.spec), url=url)
        note = _unloaded(url, batch)
        return record, note, batch is not None and not note
    if options is not None:
        raise InvalidArgument(
            "`session` describes a new session and cannot change one that is there.",
            next_call=f'notte_start(session_id="{session_id}") without it, or notte_start(session=...) without session_id',
        )
    record, note, failed = await app.registry.record(session_id), "", ""
    # One that is `stopping` because its browser died is restored as soon as that is on record.
    if restored := not is_live(record) or record.state == "stopping":
        record = await app.registry.restore(session_id)
        note = _restored(record)
    async with app.registry.use(record.id) as live:
        if url is not None:
            failed = _unloaded(url, await live.execute([Goto(url=url)], on_error="stop", deadline_s=LOAD_S))
    return record, " ".join(filter(None, (note, failed))), (restored or url is not None) and not failed


def _restored(record: SessionRecord) -> str:
    if record.storage_saved_at is None:
        return "restored in a new browser; no cookies or local storage had been saved."
    age = max(0, round(time.time() - record.storage_saved_at))
    return f"restored in a new browser, with the cookies and local storage saved {age} s ago."


def _unloaded(url: str | None, batch: "Batch | None") -> str:
    """Why the page is not there, or ""."""
    if batch is None or (batch.receipts and batch.receipts[0].success):
        return ""
    why = batch.receipts[0].message if batch.receipts else batch.stopped
    return sentence(f"{url} did not load: {why}")


async def _first_view(app: "App", session_id: str) -> tuple[str, str]:
    """The observation as text, and why there is none."""
    try:
        async with app.registry.use(session_id) as live:
            seen = await live.observe(mode="actions", max_tokens=DEFAULT_MAX_TOKENS)
            return page_text.page(seen, with_header=False), ""
    except NotteMCPError as error:
        return "", str(error)


def _started(record: SessionRecord, seen: str, note: str) -> CallToolResult:
    ready = 'notte_execute(actions=[{"type": "goto", "url": ...}])' if not seen else next_call(record)
    values: Mapping[str, Any] = {
        "session_id": record.id,
        "state": record.state,
        "url": page_text.url_text(record.url),
        "title": record.title,
        "observation": seen or None,
        "note": note or None,
        "next": ready,
    }
    lines = [f"session {record.id} is {record.state}"]
    place = f"{record.title}  {values['url']}".strip()
    lines += [text for text in (f"note: {note}" if note else "", place, seen, f"next: {ready}") if text]
    return facts(values, "\n".join(lines))


# --- stop -----------------------------------------------------------------------


async def _stop_all(here: Surface, app: "App", mode: Literal["graceful", "now"]) -> CallToolResult:
    """Side by side, so that all are gone as soon as one would be. Sessions of other servers are theirs to stop."""
    stopped: list[SessionRecord] = []

    async def stop(session_id: str) -> None:
        stopped.append(await app.registry.stop(session_id, mode=mode))

    async with anyio.create_task_group() as group:
        for record in await app.registry.sessions():
            if is_live(record) and record.owner == app.owner:
                group.start_soon(stop, record.id)
    await here.changed(*(record.id for record in stopped))
    return facts({"state": "stopped", "sessions": [brief(record) for record in stopped], "next": "notte_start"})


async def _which(app: "App") -> SessionChoice:
    live = [record for record in await app.registry.sessions() if is_live(record)]
    names = "; ".join(f"{record.id} {record.state} at {page_text.url_text(record.url)}" for record in live)
    return SessionChoice(
        f"Say which session to stop. Live: {names}." if live else "No session is live.",
        next_call="notte_stop(id=...), or notte_stop(all=true)" if live else "notte_status() lists what is kept",
    )

"""Starting, reusing and restoring a session: what notte_start does without a task, and an agent's session too.

Below: surface, options, accounts, cloud, page_text. Above: start, agents.
"""

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from mcp.types import CallToolResult

from notte_mcp import page_text
from notte_mcp.actions import Goto
from notte_mcp.errors import InvalidArgument, NotteMCPError
from notte_mcp.observations import DEFAULT_MAX_TOKENS
from notte_mcp.receipts import unloaded
from notte_mcp.records import SessionRecord
from notte_mcp.tools.accounts import is_live, next_call, unarrived_note
from notte_mcp.tools.boundary import facts, sentence
from notte_mcp.tools.cloud import cloud_facts, cloud_line, gone_on_with
from notte_mcp.tools.options import SessionOptions
from notte_mcp.tools.surface import Surface

if TYPE_CHECKING:
    from notte_mcp.app import App
    from notte_mcp.registry.batch import Batch

LOAD_S: Final = 35.0
"""How long the first page may take: its own limit is 30 s, and the answer has to be out after 45."""


async def start_session(
    here: Surface, url: str | None, session_id: str | None, options: SessionOptions | None
) -> CallToolResult:
    """A session, with the first view of `url` where one is given."""
    app = await here.app()
    record, note, loaded = await _session(here, app, url, await app.session_of(session_id), options)
    seen = ""
    if loaded:
        seen, problem = await first_view(app, record.id)
        note = note or problem
    record = await app.registry.record(record.id)
    await here.changed(record.id)
    return _started(record, seen, note, app.view_url(record.id), await cloud_facts(app, record))


async def _session(
    here: Surface, app: "App", url: str | None, session_id: str | None, options: SessionOptions | None
) -> tuple[SessionRecord, str, bool]:
    """The session asked for, what its caller must know of how that went, and whether it has a page to show."""
    if session_id is None:
        record, batch = await app.registry.open((options or SessionOptions()).spec(here.spec), url=url)
        note = _unloaded(url, batch)
        # One that was open in the cloud may stand at a page, with what was typed in it.
        return record, note, (batch is not None or "session_id" in record.spec.cloud) and not note
    (session_id, note), failed = await reused(app, session_id, options), ""
    restored = bool(note)
    async with app.registry.use(session_id) as live:
        if url is not None:
            failed = _unloaded(url, await live.execute([Goto(url=url)], on_error="stop", deadline_s=LOAD_S))
        record = live.record
    return record, " ".join(filter(None, (note, failed))), (restored or url is not None) and not failed


async def reused(app: "App", session_id: str | None, options: SessionOptions | None) -> tuple[str, str]:
    """A session that is there, restored where it must be: its id, and what is to be said of the restoring ("": it was live).

    Raises: InvalidArgument: it cannot be described anew. What `Registry.restore` raises.
    """
    if options is not None:
        raise InvalidArgument(
            "`session` describes a new session and cannot change one that is there.",
            next_call=f'notte_start(session_id="{session_id}") without it, or notte_start(session=...) without session_id',
        )
    record = await app.registry.record(session_id or "")
    # One that is `stopping` because its browser died is restored as soon as that is on record.
    if is_live(record) and record.state != "stopping":
        return record.id, ""
    lost = await app.registry.unarrived(record.id)
    note = _restored(await app.registry.restore(record.id))
    if record.remote_id:
        note = gone_on_with(await app.registry.stands(record.id))
    await app.registry.forget_unarrived(record.id, lost)
    waiting = [a.id for a in await app.agents.agents() if a.session_id == record.id and a.state == "interrupted"]
    goes_on = [
        f'agent {one} was interrupted here: notte_steer(agent_id="{one}", command="resume") goes on with it.'
        for one in waiting
    ]
    return record.id, " ".join(filter(None, [note, unarrived_note(lost), *goes_on]))


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
    return sentence(unloaded(url or "The page", why))


async def first_view(app: "App", session_id: str) -> tuple[str, str]:
    """The observation as text, and why there is none."""
    try:
        async with app.registry.use(session_id) as live:
            seen = await live.observe(mode="actions", max_tokens=DEFAULT_MAX_TOKENS)
            return page_text.page(seen, with_header=False), ""
    except NotteMCPError as error:
        return "", str(error)


def _started(
    record: SessionRecord, seen: str, note: str, viewer_url: str | None, cloud: dict[str, Any] | None
) -> CallToolResult:
    ready = next_call(record)
    if not seen:
        # A page that is there may hold what was typed in it, and is lost by going elsewhere.
        at_page = not record.url.startswith(("about:", "chrome-error:")) and record.url != ""
        going = 'notte_execute(actions=[{"type": "goto", "url": ...}])'
        ready = f'notte_observe(session_id="{record.id}")' if at_page else going
    values: Mapping[str, Any] = {
        "session_id": record.id,
        "state": record.state,
        "url": page_text.url_text(record.url),
        "title": record.title,
        "observation": seen or None,
        "note": note or None,
        "viewer_url": viewer_url,
        "cloud": cloud,
        "next": ready,
    }
    lines = [f"session {record.id} is {record.state}", *([f"live view: {viewer_url}"] if viewer_url else [])]
    lines += filter(None, [cloud_line(cloud)])
    place = f"{record.title}  {values['url']}".strip()
    lines += [text for text in (f"note: {note}" if note else "", place, seen, f"next: {ready}") if text]
    return facts(values, "\n".join(lines))

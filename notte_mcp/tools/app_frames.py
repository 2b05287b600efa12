"""notte_frame: what an MCP app shows of a live session, one picture and the news of its log at a time.

For the app in a host's page alone: a model is never offered it, and nothing is decided by it. A picture carries at most
`MAX_PICTURE_BYTES`, since hosts pass it on as text.

Below: surface, registry, agents, step_text. Above: app_view.
"""

import base64
import io
from typing import TYPE_CHECKING, Any, Final

import anyio
import anyio.to_thread
from mcp.types import CallToolResult

from notte_mcp.agent_records import AgentRecord
from notte_mcp.errors import InvalidArgument, SessionNotLive
from notte_mcp.page_text import url_text
from notte_mcp.records import LIVE_STATES, SessionRecord, StepRecord
from notte_mcp.resources.reader import read
from notte_mcp.step_text import step_line
from notte_mcp.tools.boundary import declare, facts, hints
from notte_mcp.tools.schema import object_schema
from notte_mcp.tools.surface import Call, Surface, surface

if TYPE_CHECKING:
    from notte_mcp.app import App

VIEW_URI: Final = "ui://notte/viewer.html"

MAX_PICTURE_BYTES: Final = 75_000
"""Of a JPEG: 100 kB as base64."""

PATIENCE_S: Final = 0.7
"""How long a call waits for a picture newer than the one that the app has."""

LINES: Final = 30
"""Steps in one answer; `after` goes on."""

_EVERY_S: Final = 0.25


async def notte_frame(
    ctx: Call,
    *,
    session_id: str,
    after: int = 0,
    since: float = 0.0,
    step: int | None = None,
) -> CallToolResult:
    """For the session viewer: the newest picture of a session (newer than `since`) with the steps after `after`, or the
    picture of one step."""
    here = surface(ctx)
    app = await here.app()
    meant = await app.session_of(session_id)
    if meant is None:
        raise InvalidArgument("notte_frame needs the id of a session.", next_call="notte_status() lists them")
    record = await app.registry.record(meant)
    if step is not None:
        return facts({"session_id": record.id, "step": step, "picture": await _of_step(here, record, step)})
    shown = await _shown(app, record, since)
    steps = [one for one in await app.registry.steps(record.id, after=after, limit=LINES) if one.state != "intended"]
    agent = await app.agents.agent_on(record.id)
    said = f"{record.title or record.id} {url_text(record.url)}: {record.state}, {record.step_count} steps"
    told = {
        "session_id": record.id,
        "state": record.state,
        "reason": record.reason or None,
        "url": url_text(record.url),
        "title": record.title,
        "agent": _agent(agent) if agent is not None else None,
        "lines": [_line(one) for one in steps],
        "after": steps[-1].number if steps else after,
        **shown,
    }
    return facts(told, said, live=record.state in LIVE_STATES)


async def _shown(app: "App", record: SessionRecord, since: float) -> dict[str, Any]:
    """The newest picture, where there is one that the app has not."""
    try:
        async with app.registry.watch(record.id, every_s=_EVERY_S) as watch:
            with anyio.move_on_after(PATIENCE_S):
                while (frame := await watch.next()).at <= since:
                    pass
                return {"picture": await _encoded(frame.jpeg), "at": frame.at}
    except SessionNotLive:
        pass
    return {}


async def _of_step(here: Surface, record: SessionRecord, number: int) -> str:
    found = await read(here.app, f"notte://sessions/{record.id}/steps/{number}/screenshot")
    assert isinstance(found.body, bytes)  # noqa: S101 - a picture always is
    return await _encoded(found.body)


async def _encoded(jpeg: bytes) -> str:
    small = jpeg if len(jpeg) <= MAX_PICTURE_BYTES else await anyio.to_thread.run_sync(_smaller, jpeg)
    return base64.b64encode(small).decode()


def _smaller(jpeg: bytes) -> bytes:
    """As good as the limit allows."""
    from PIL import Image

    picture = Image.open(io.BytesIO(jpeg))
    found = jpeg
    for quality, width in ((50, 960), (40, 800), (30, 640), (20, 480)):
        scaled = picture.copy()
        scaled.thumbnail((width, width))
        out = io.BytesIO()
        scaled.save(out, "JPEG", quality=quality)
        if len(found := out.getvalue()) <= MAX_PICTURE_BYTES:
            break
    return found


def _line(step: StepRecord) -> dict[str, Any]:
    success = None if step.state == "outcome_unknown" else step.success
    message = "" if step.success else step.message
    return {"number": step.number, "actor": step.actor, "what": step_line(step), "success": success, "why": message}


def _agent(agent: AgentRecord) -> dict[str, Any]:
    return {"id": agent.id, "state": agent.state, "task": agent.spec.task[:300], "question": agent.question}


FRAME: Final = declare(
    notte_frame, title="A picture for the session viewer", hints=hints(reads=True, world=False),
    output=object_schema("session_id"), meta={"ui": {"resourceUri": VIEW_URI, "visibility": ["app"]}},
)  # fmt: skip

"""notte_status: what is there, how it stands, and waiting for it without asking again and again.

Below: surface, accounts. Above: listing.
"""

import time
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from mcp.types import CallToolResult
from pydantic import Field

from notte_mcp.records import SessionRecord
from notte_mcp.tools.accounts import LAST_STEPS, MAX_STEPS, account, brief, is_live
from notte_mcp.tools.boundary import declare, facts, hints
from notte_mcp.tools.schema import LIST, object_schema
from notte_mcp.tools.surface import Call, surface

if TYPE_CHECKING:
    from notte_mcp.app import App

MAX_WAIT_S: Final = 45
WAIT_MARGIN_S: Final = 3.0
"""What the longest wait leaves for the answer itself."""

SLICE_S: Final = 1.0
"""How often progress is told while waiting."""

MAX_LISTED: Final = 20

Until = Literal["step", "input", "done"]

STATUS_OUTPUT: Final = object_schema(
    optional=("id", "state", "url", "next"),
    steps=LIST,
    step_count={"type": "integer"},
    sessions=LIST,
)


async def notte_status(
    ctx: Call,
    *,
    id: Annotated[str | None, Field(description="none lists all")] = None,  # noqa: A002 - contract
    wait_seconds: Annotated[float, Field(ge=0, le=MAX_WAIT_S, description="<= 45")] = 0,
    after_step: Annotated[int | None, Field(ge=0)] = None,
    until: Until = "step",
) -> CallToolResult:
    """How a session stands: state, url, last steps, what to call next. With wait_seconds it comes back when a new
    step is done (until=step) or the session has ended (until=done), at the latest after that time."""
    app = await surface(ctx).app()
    if id is None:
        return facts(await _list(app))
    record = await app.registry.record(id)
    if wait_seconds:
        record = await _wait(ctx, app, record, seconds=wait_seconds, after_step=after_step, until=until)
    after = max(0, record.step_count - LAST_STEPS) if after_step is None else after_step
    return facts(account(record, await app.registry.steps(record.id, after=after, limit=MAX_STEPS), after=after))


TOOLS: Final = (
    declare(
        notte_status,
        title="List sessions, or ask after one",
        hints=hints(reads=True, world=False),
        output=STATUS_OUTPUT,
    ),
)


async def _list(app: "App") -> dict[str, Any]:
    """Live ones first, then the newest."""
    records = sorted(await app.registry.sessions(), key=lambda record: not is_live(record))
    left_out = len(records) - MAX_LISTED
    return {
        "sessions": [brief(record) for record in records[:MAX_LISTED]],
        "agents": [],
        "next": f'{left_out} more: notte_read(uri="notte://sessions")' if left_out > 0 else None,
    }


async def _wait(
    ctx: Call, app: "App", record: SessionRecord, *, seconds: float, after_step: int | None, until: Until
) -> SessionRecord:
    """In slices, so that whoever waits sees that something is alive; a slice that ends early has its answer."""
    begun = time.monotonic()
    end = begun + min(seconds, MAX_WAIT_S - WAIT_MARGIN_S)
    after = record.step_count if after_step is None else after_step
    while (left := end - time.monotonic()) > 0:
        slice_s, slice_begun = min(SLICE_S, left), time.monotonic()
        record = await app.registry.wait(record.id, seconds=slice_s, after_step=after, until=until)
        waited = time.monotonic()
        await ctx.report_progress(
            round(waited - begun, 1), seconds, f"{record.state}, {record.step_count} steps, {record.url}"
        )
        if waited - slice_begun < slice_s * 0.9:
            break
    return record

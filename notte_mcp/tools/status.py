"""notte_status: what is there, how it stands, and waiting for it without asking again and again.

Below: surface, accounts, patience, waiting. Above: listing.
"""

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Final

from mcp.types import CallToolResult
from pydantic import Field

from notte_mcp.agent_records import AgentRecord
from notte_mcp.ids import is_agent_id
from notte_mcp.records import SessionRecord
from notte_mcp.resources.script import names_run
from notte_mcp.tools.accounts import (
    LAST_STEPS,
    MAX_STEPS,
    account,
    agent_account,
    agent_brief,
    brief,
    is_live,
    unarrived_note,
)
from notte_mcp.tools.boundary import declare, facts, hints
from notte_mcp.tools.patience import UNREAD, soon
from notte_mcp.tools.run_accounts import run_brief, told_of_run
from notte_mcp.tools.schema import LIST, object_schema
from notte_mcp.tools.surface import Call, surface
from notte_mcp.tools.trail import links
from notte_mcp.tools.waiting import Until, WaitSeconds, wait
from notte_mcp.workflow_records import RunRecord

if TYPE_CHECKING:
    from notte_mcp.app import App

MAX_LISTED: Final = 20

STATUS_OUTPUT: Final = object_schema(optional=("id", "state"), steps=LIST)


async def notte_status(
    ctx: Call,
    *,
    id: Annotated[str | None, Field(description="session, agent or run; none lists all")] = None,  # noqa: A002 - contract
    wait_seconds: WaitSeconds = 0,
    after_step: Annotated[int | None, Field(ge=0)] = None,
    until: Until = "step",
) -> CallToolResult:
    """How a session, agent or run stands: state, url, new steps, answer, next call. With wait_seconds: once a step is
    done, it needs input, or has ended (until=done: not at each step)."""
    app = await surface(ctx).app()
    if id is None:
        return facts(await _list(app))
    if is_agent_id(id):
        agent = await app.agents.record(id)
        if wait_seconds:
            once = partial(
                app.agents.wait, id, after_step=agent.step_count if after_step is None else after_step, until=until
            )
            agent = await wait(ctx, agent, seconds=wait_seconds, once=lambda seconds: once(seconds=seconds))
        found = await told_of(app, agent, after_step=after_step)
        return facts(found, links=links(found))
    if names_run(id):
        run = await app.runs.record(id)
        if wait_seconds and not run.has_ended:
            going_on = partial(app.runs.wait, id, after_step=after_step, until=until)
            run = await wait(ctx, run, seconds=wait_seconds, once=lambda seconds: going_on(seconds=seconds))
        return await told_of_run(app, run, after=after_step)
    record = await app.registry.asked_after(id)
    if wait_seconds:
        known = record.step_count if after_step is None else after_step
        waiting = partial(app.registry.wait, record.id, after_step=known, until=until)
        record = await wait(ctx, record, seconds=wait_seconds, once=lambda seconds: waiting(seconds=seconds))
    after = max(0, record.step_count - LAST_STEPS) if after_step is None else after_step
    reading = app.registry.steps(record.id, after=after, limit=MAX_STEPS)
    steps = await (soon(reading) if is_live(record) else reading)
    told = account(record, steps or (), after=after, agent=await app.agents.agent_on(record.id))
    lost = () if is_live(record) else await app.registry.unarrived(record.id)
    note = UNREAD if steps is None else unarrived_note(lost) or None
    return facts(told | {"note": note, "viewer_url": app.view_url(record.id)}, links=links(told))


async def told_of(
    app: "App", agent: AgentRecord, *, after_step: int | None = None, last: int = LAST_STEPS
) -> dict[str, Any]:
    """An agent's facts, with its steps above `after_step` (None: the `last` ones)."""
    after = max(0, agent.step_count - last) if after_step is None else after_step
    reading = app.agents.steps(agent.id, after=after, limit=MAX_STEPS)
    steps = await (soon(reading) if agent.is_live else reading)
    told = agent_account(agent, await app.registry.record(agent.session_id), steps or (), after=after)
    return told | {"note": UNREAD if steps is None else None, "viewer_url": app.view_url(agent.session_id)}


TOOLS: Final = (
    declare(
        notte_status,
        title="List what is there, or ask after one",
        hints=hints(reads=True, world=False),
        output=STATUS_OUTPUT,
    ),
)


Lists = tuple[list[SessionRecord], list[AgentRecord], list[RunRecord]]


async def _list(app: "App") -> dict[str, Any]:
    """Live ones first, then the newest."""
    live: Lists = app.registry.live(), app.agents.live(), app.runs.live()
    kept = await (soon(_kept(app)) if any(live) else _kept(app))
    sessions, agents, runs = kept or live
    sessions = sorted(sessions, key=lambda record: not is_live(record))
    agents = sorted(agents, key=lambda record: not record.is_live)
    runs = sorted(runs, key=lambda record: record.has_ended)
    more = {"sessions": len(sessions) - MAX_LISTED, "agents": len(agents) - MAX_LISTED, "runs": len(runs) - MAX_LISTED}
    left_out = [f'{count} more: notte_read(uri="notte://{name}")' for name, count in more.items() if count > 0]
    return {
        "sessions": [brief(record) for record in sessions[:MAX_LISTED]],
        "agents": [agent_brief(record) for record in agents[:MAX_LISTED]],
        "runs": [run_brief(record) for record in runs[:MAX_LISTED]] or None,
        "note": " ".join([*app.notes, *([UNREAD] if kept is None else [])]) or None,
        "next": "; ".join(left_out) or None,
    }


async def _kept(app: "App") -> Lists:
    return await app.registry.sessions(), await app.agents.agents(), await app.runs.runs()

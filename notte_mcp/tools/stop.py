"""notte_stop: the end of a session, an agent or a run.

Below: surface, accounts, status. Above: listing.
"""

from functools import partial
from typing import TYPE_CHECKING, Any, Final, Literal

import anyio
from mcp.types import CallToolResult

from notte_mcp import page_text
from notte_mcp.errors import SessionChoice
from notte_mcp.ids import is_agent_id
from notte_mcp.records import SessionRecord
from notte_mcp.resources.script import names_run
from notte_mcp.tools.accounts import account, agent_brief, brief, unarrived_note
from notte_mcp.tools.boundary import declare, facts, hints
from notte_mcp.tools.run_accounts import run_brief, told_of_run
from notte_mcp.tools.schema import object_schema
from notte_mcp.tools.status import told_of
from notte_mcp.tools.surface import Call, Surface, surface
from notte_mcp.tools.trail import links

if TYPE_CHECKING:
    from notte_mcp.app import App

FINAL_STEPS: Final = 3
"""Steps that the answer to a stop tells; the log has them all."""

AGENT_S: Final = 1.0
"""How long the record of an agent whose session was stopped is waited for."""

NAMED: Final = 20
"""Live ones that are named where it is not said what to stop."""

STOP_OUTPUT: Final = object_schema("state")

Mode = Literal["graceful", "now"]


async def notte_stop(
    ctx: Call,
    *,
    id: str | None = None,  # noqa: A002 - the contract's name
    all: bool = False,  # noqa: A002 - the same
    mode: Mode = "graceful",
) -> CallToolResult:
    """Stop a session (and its agent), an agent (its session stays open) or a run, within 4 seconds. Steps, files and
    script stay for 30 days."""
    here = surface(ctx)
    app = await here.app()
    if all:
        return await _stop_all(here, app, mode)
    if id is None:
        raise _which(app)
    if is_agent_id(id):
        agent = await app.agents.stop(id, mode=mode)
        await here.changed(agent.session_id, agents=(agent.id,))
        found = await told_of(app, agent, last=FINAL_STEPS)
        return facts(found, links=links(found))
    if names_run(id):
        run = await app.runs.stop(id, mode=mode)
        await here.changed(*filter(None, [run.session_id]), runs=(run.id,))
        return await told_of_run(app, run, last=FINAL_STEPS)
    record = await _stop(here, app, id, mode)
    after = max(0, record.step_count - FINAL_STEPS)
    told = account(record, await app.registry.steps(record.id, after=after), after=after)
    note = _UNHEARD if record.state == "stopping" else unarrived_note(await app.registry.unarrived(record.id)) or None
    return facts(told | {"note": note}, links=links(told))


TOOLS: Final = (
    declare(
        notte_stop,
        title="Stop a session, an agent or a run",
        hints=hints(destroys=True, repeatable=True, world=False),
        output=STOP_OUTPUT,
    ),
)


_UNHEARD: Final = "the cloud has not acknowledged its end yet, and is asked for it again until it does"


async def _stop(here: Surface, app: "App", session_id: str, mode: Mode) -> SessionRecord:
    """A session, and whatever agent has it: that ends by itself once its session does."""
    agent = await app.agents.agent_on(session_id)
    record = await app.registry.stop(session_id, mode=mode)
    if agent is not None:
        await app.agents.wait(agent.id, seconds=AGENT_S)
    await here.changed(record.id, agents=() if agent is None else (agent.id,))
    return record


async def _stop_all(here: Surface, app: "App", mode: Mode) -> CallToolResult:
    """Side by side, so that all are gone as soon as one would be. What is of other servers is theirs to stop."""
    stopped: list[SessionRecord] = []
    runs = [run.id for run in app.runs.live()]
    with_them = [agent.id for agent in app.agents.live()]

    async def stop(session_id: str) -> None:
        stopped.append(await _stop(here, app, session_id, mode))

    async with anyio.create_task_group() as group:
        for run_id in runs:
            group.start_soon(partial(app.runs.stop, run_id, mode=mode))
        for record in app.registry.live():
            group.start_soon(stop, record.id)
    told: dict[str, Any] = {"state": "stopped", "sessions": [brief(record) for record in stopped]}
    told["agents"] = [agent_brief(await app.agents.record(agent)) for agent in with_them]
    if runs:
        await here.changed(runs=runs)
        told["runs"] = [run_brief(await app.runs.record(run_id)) for run_id in runs]
    return facts(told | {"next": "notte_start"})


def _which(app: "App") -> SessionChoice:
    live = [f"{r.id} {r.state} at {page_text.url_text(r.url)}" for r in app.registry.live()]
    live += [f"{r.id} {r.state} in {r.session_id}" for r in app.agents.live()]
    live += [f"{r.id} {r.state}" for r in app.runs.live()]
    more = f"; and {len(live) - NAMED} more" if len(live) > NAMED else ""
    return SessionChoice(
        f"Say what to stop. Live: {'; '.join(live[:NAMED])}{more}." if live else "No session is live.",
        next_call="notte_stop(id=...), or notte_stop(all=true)" if live else "notte_status() lists what is kept",
    )

"""What stands below `notte://agents`: the list, an agent, its log, its script.

The log is made of the agent's steps, by its own numbers, and of the lines between them.
A step stands in it once it has its outcome and never changes then, so that a log reads
the same of an agent that runs, has ended or was interrupted.

Below: agents, content, records_json, script. Above: reader.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from notte_mcp.agent_records import AgentEvent, AgentRecord
from notte_mcp.records import StepRecord
from notte_mcp.resources.content import JSON, MAX_STEPS, Content, as_json, as_list, as_log, number_after, unknown
from notte_mcp.resources.records_json import agent_json, agent_step_json, event_json, listed_agent_json
from notte_mcp.resources.script import TARGETS, Target, script

if TYPE_CHECKING:
    from notte_mcp.app import App

MAX_LISTED: Final = 1_000
"""Agents in the list; older ones are read by their ids."""

_EVENTS_AT_ONCE: Final = 1_000


async def of_agents(app: "App", uri: str, path: Sequence[str], query: Mapping[str, str]) -> Content:
    """What stands at `notte://agents/...`: every agent that is kept, newest first, or what is below one of them.

    Raises:
        UnknownAgent, UnknownResource; InvalidArgument: `after` is no number, or no step is worth a script.
    """
    match path:
        case []:
            listed = [listed_agent_json(record) for record in await app.agents.agents(limit=MAX_LISTED)]
            return as_list(uri, "agents", listed)
        case [agent_id, *rest] if agent_id:
            return await _of_agent(app, uri, agent_id, rest, query)
        case _:
            raise unknown(uri)


async def _of_agent(app: "App", uri: str, agent_id: str, rest: Sequence[str], query: Mapping[str, str]) -> Content:
    record = await app.agents.record(agent_id)
    match rest:
        case []:
            return as_json(uri, record.id, agent_json(record))
        case ["steps"]:
            return await _log(app, uri, record, number_after(uri, query))
        case ["workflow", target] if target in TARGETS:
            return await workflow(app, uri, record.id, target)
        case _:
            raise unknown(uri)


async def workflow(app: "App", uri: str, of: str, target: Target) -> Content:
    """The script of a session's or an agent's steps."""
    code = await script(app, of, target)
    return Content(uri, f"workflow {target}", JSON if target == "json" else "text/x-python", code.code)


async def _log(app: "App", uri: str, record: AgentRecord, after: int) -> Content:
    steps = await app.agents.steps(record.id, after=after, limit=MAX_STEPS)
    # Steps first: one that has its outcome by now may miss from here, but nothing that stands before it does.
    events = [event for event in await _events(app, record.id) if event.after_step >= after]
    if len(steps) == MAX_STEPS and (last := steps[-1].agent_step) is not None:
        events = [event for event in events if event.after_step < last]
    settled = [step for step in steps if step.state != "intended"]
    # What belongs after a step that is not told yet is told when that one is.
    known = max([record.step_count, after, *(step.agent_step or 0 for step in settled)])
    return as_log(uri, "steps", log_lines(settled, [event for event in events if event.after_step <= known]))


def log_lines(steps: Sequence[StepRecord], events: Sequence[AgentEvent]) -> Iterator[dict[str, Any]]:
    """Both in one order: an event stands after the line of its step, several by their sequence."""
    placed = [((step.agent_step or 0, 0), agent_step_json(step)) for step in steps]
    placed += [((event.after_step, event.sequence), event_json(event)) for event in events]
    placed.sort(key=lambda line: line[0])
    return (line for _, line in placed)


async def _events(app: "App", agent_id: str) -> list[AgentEvent]:
    found: list[AgentEvent] = []
    while more := await app.agents.events(agent_id, after=found[-1].sequence if found else 0, limit=_EVENTS_AT_ONCE):
        found += more
    return found

"""The log of a session or an agent: its steps by their numbers, and between them what else happened, in one order.

A line stands in it once nothing can come before it any more, and never changes then: a step when it has its outcome,
what belongs after a step when that one is there. So it reads the same of what is live, has ended or was interrupted,
and grows at its end only. Steps are numbered; a line between them is called by the step that it follows and its place
there (`12.3`). Both are what `?after=` takes, and what follows is given once (see `address.Place`).

Below: registry, agents. Above: reader, agents, replay.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, takewhile
from typing import TYPE_CHECKING, Final

from notte_mcp.agent_records import AgentEvent, AgentRecord
from notte_mcp.records import SessionRecord, StepRecord
from notte_mcp.resources.address import Place

if TYPE_CHECKING:
    from notte_mcp.app import App

MAX_STEPS: Final = 2_000
"""Steps that are read at once; `?after=` goes on."""

_EVENTS_AT_ONCE: Final = 1_000
_MAX_EVENTS: Final = 100_000


@dataclass(frozen=True, slots=True)
class Line:
    """One line: a step, or what happened after the step that `place` names."""

    place: Place
    what: StepRecord | AgentEvent


@dataclass(frozen=True, slots=True)
class Log:
    """What of a log was asked for. `is_cut` says that there is more of it by now."""

    lines: Sequence[Line]
    is_cut: bool = False


async def session_log(app: "App", record: SessionRecord, after: Place, *, limit: int = MAX_STEPS) -> Log:
    """A session's lines behind `after`, with those of the agents that have had it; at most `limit` steps of it.

    Raises: UnknownSession.
    """
    # What is noted from here on stands after this step, or after a later one.
    live = next((one.step_count for one in app.registry.live() if one.id == record.id), None)
    steps = await app.registry.steps(record.id, after=after.step, limit=limit)
    events = await app.agents.session_events(record.id, after=after.step, limit=_MAX_EVENTS)
    numbered = [(step.number, step) for step in steps]
    reached = _reached(record.step_count, numbered) if live is None else live
    return _log(numbered, [(event.session_step, event) for event in events], after, reached, limit)


async def agent_log(app: "App", record: AgentRecord, after: Place, *, limit: int = MAX_STEPS) -> Log:
    """An agent's lines behind `after`, of all its attempts; at most `limit` steps of it. Raises: UnknownAgent."""
    live = next((one.step_count for one in app.agents.live() if one.id == record.id), None)
    steps = await app.agents.steps(record.id, after=after.step, limit=limit)
    numbered = [(step.agent_step or 0, step) for step in steps]
    reached = _reached(record.step_count, numbered) if live is None else live
    events = [(event.after_step, event) for event in await _events(app, record.id) if event.after_step >= after.step]
    return _log(numbered, events, after, reached, limit)


def _reached(known: int, steps: Sequence[tuple[int, StepRecord]]) -> int:
    """The last step that has its outcome; the number on disk may lie behind that of the steps."""
    return max(known, *(number for number, step in steps if step.state != "intended"), 0)


async def _events(app: "App", agent_id: str) -> list[AgentEvent]:
    found: list[AgentEvent] = []
    while more := await app.agents.events(agent_id, after=found[-1].sequence if found else 0, limit=_EVENTS_AT_ONCE):
        found += more
    return found


def _log(
    steps: Sequence[tuple[int, StepRecord]],
    events: Sequence[tuple[int, AgentEvent]],
    after: Place,
    reached: int,
    limit: int,
) -> Log:
    """Both in one order: up to the first step without an outcome, or to the end of what was read."""
    settled = list(takewhile(lambda one: one[1].state != "intended" and one[0] <= reached, steps))
    is_cut = len(settled) == limit
    end = settled[-1][0] if is_cut else max(reached, after.step)
    if len(settled) < len(steps):
        end = min(end, steps[len(settled)][0] - 1)
    lines = [Line(Place(number), step) for number, step in settled]
    lines += [line for line in _placed(events) if line.place.step <= end and _is_behind(line.place, after)]
    lines.sort(key=lambda line: (line.place.step, line.place.line))
    return Log(lines, is_cut)


def _placed(events: Sequence[tuple[int, AgentEvent]]) -> Iterator[Line]:
    """Each by its place after its step; `events` are all that there are of their steps, in order."""
    for step, group in groupby(events, key=lambda one: one[0]):
        yield from (Line(Place(step, number), event) for number, (_, event) in enumerate(group, start=1))


def _is_behind(place: Place, after: Place) -> bool:
    return (place.step, place.line) > (after.step, after.line)

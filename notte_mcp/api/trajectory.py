"""What was done in a session as the contract's trajectory: one list of typed elements that only ever grows.

It is made of what is on disk and of nothing else, so that an index into it (`offset`) means the same after a restart.
An agent's list is a slice of its session's. Steps that have no outcome yet are not in it.

Below: shapes; app (agents, registry). Above: sessions, agents, streams.
"""

from collections.abc import AsyncGenerator, Sequence
from itertools import takewhile
from typing import TYPE_CHECKING, Any, Final

from notte_mcp.agent_records import AgentEvent
from notte_mcp.api import shapes
from notte_mcp.errors import UnknownAgent
from notte_mcp.records import StepRecord

if TYPE_CHECKING:
    from notte_mcp.api.calls import Contract
    from notte_mcp.api.results import Outcome
    from notte_mcp.app import App

PAGE: Final = 200
"""Steps, or lines of a log, that are read at once; between two pages others have their turn."""


class Telling:
    """Steps told one after the other: knows of each agent what it thought and what it did last."""

    def __init__(self) -> None:
        self._thoughts: dict[str, dict[int, str]] = {}
        self._last: dict[str, shapes.Thought] = {}

    def hear(self, event: AgentEvent) -> None:
        """A line of an agent's log; those that stand before a step are heard before it is told."""
        if event.event == "thought":
            self._thoughts.setdefault(event.agent_id, {})[event.after_step] = event.text

    def typed(self, step: StepRecord) -> list[dict[str, Any]]:
        """The step's elements."""
        return shapes.typed(step, *self._around(step))

    def legacy(self, step: StepRecord) -> dict[str, Any]:
        """The step as one AgentCompletion."""
        return shapes.legacy(step, *self._around(step))

    def _around(self, step: StepRecord) -> "tuple[Outcome, shapes.Thought]":
        """What came of it, and what its agent thought: at its turn's first action, which holds for the others."""
        outcome = shapes.outcome_of(step)
        if step.agent_id is None:
            return outcome, shapes.Thought()
        last = self._last.get(step.agent_id, shapes.Thought())
        text = self._thoughts.get(step.agent_id, {}).pop((step.agent_step or 1) - 1, None) or last.text
        self._last[step.agent_id] = shapes.Thought(text, outcome, step.url)
        return outcome, shapes.Thought(text, last.before, last.url)


async def trajectory(app: "App", session_id: str) -> list[dict[str, Any]]:
    """The session's, from its first element on. Raises: UnknownSession."""
    telling, heard, told = Telling(), set[str](), list[dict[str, Any]]()
    async for step in _steps(app, session_id):
        if step.agent_id is not None and step.agent_id not in heard:
            heard.add(step.agent_id)
            for event in await events_of(app, step.agent_id):
                telling.hear(event)
        told += telling.typed(step)
    return told


async def length(app: "App", session_id: str) -> int:
    """How many elements it has: the session's offset. Raises: UnknownSession."""
    return sum([shapes.width(step) async for step in _steps(app, session_id)])


async def steps_from(app: "App", session_id: str, offset: int) -> list[StepRecord]:
    """The steps that have an element at or after this index of the trajectory. Raises: UnknownSession."""
    at, found = 0, list[StepRecord]()
    async for step in _steps(app, session_id):
        at += shapes.width(step)
        if at > offset:
            found.append(step)
    return found


async def steps_of(app: "App", agent_id: str) -> list[StepRecord]:
    """All of an agent's steps that have their outcome. Raises: UnknownAgent."""
    found: list[StepRecord] = []
    while True:
        page = await app.agents.steps(agent_id, after=found[-1].agent_step or 0 if found else 0, limit=PAGE)
        found += known(page)
        if len(page) < PAGE:
            return found


async def shaped(app: "App", agent_id: str, steps: Sequence[StepRecord], contract: "Contract") -> list[dict[str, Any]]:
    """An agent's steps, from the first one on, in the shape of this contract.

    A completion that was refused is none of the legacy ones: their reader takes any completion for the end.
    """
    telling = Telling()
    for event in await events_of(app, agent_id):
        telling.hear(event)
    if contract == "1.10":
        return [element for step in steps for element in telling.typed(step)]
    return [telling.legacy(step) for step in steps if not is_refused(step)]


def is_refused(step: StepRecord) -> bool:
    """Whether the step is a completion whose answer was not accepted."""
    refused = step.receipt is not None and step.receipt.code == shapes.REFUSED
    return refused and step.action.get("type") == "completion"


def known(steps: Sequence[StepRecord]) -> list[StepRecord]:
    """Those that have their outcome; what is under way stands behind them."""
    return list(takewhile(lambda step: step.state != "intended", steps))


async def events_of(app: "App", agent_id: str, *, after: int = 0) -> list[AgentEvent]:
    """An agent's log above this sequence; none of one that is not known any more."""
    found: list[AgentEvent] = []
    try:
        while page := await app.agents.events(agent_id, after=found[-1].sequence if found else after, limit=PAGE):
            found += page
            if len(page) < PAGE:
                break
    except UnknownAgent:
        return []
    return found


async def _steps(app: "App", session_id: str) -> AsyncGenerator[StepRecord]:
    """The session's steps that have their outcome, in order."""
    after = 0
    while True:
        page = await app.registry.steps(session_id, after=after, limit=PAGE)
        for step in known(page):
            after = step.number
            yield step
        if len(page) < PAGE:
            return

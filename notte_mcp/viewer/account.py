"""What a view is told of a session in words: how it and its agent stand, and its log, as far as that has changed.

All of it is told from memory while the session is live, but for what was said between steps, which is read when the
agent says that there is something new. Log lines have the form of the replay's player.

Below: app (agents, registry), replay.entries, addresses. Above: stream.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from notte_mcp.agent_records import AgentEvent, AgentRecord
from notte_mcp.observations import Tab, clean
from notte_mcp.records import LIVE_STATES, SessionRecord, StepRecord
from notte_mcp.replay.entries import entries
from notte_mcp.step_text import effects
from notte_mcp.viewer import addresses
from notte_mcp.viewer.people import People

if TYPE_CHECKING:
    from notte_mcp.app import App

MAX_PAST: Final = 300
"""Steps that a view begins with, at most."""

MAX_PAST_EVENTS: Final = 1_000

NO_PAGE: Final = "A page that did not load"

_SHOWN: Final = ("kind", "number", "actor", "words", "outcome", "message", "url", "when", "event", "text")


class Account:
    """One view's account of one session: `news` is what it has not been told yet."""

    def __init__(self, app: "App", people: People, session_id: str, view: str) -> None:
        self._app = app
        self._people = people
        self._id = session_id
        self._view = view
        self._agent: AgentRecord | None = None
        self._told: dict[str, Any] = {}
        self._settled = -1
        self._heard: dict[str, int] = {}
        self._heard_at = 0.0
        self._flight: list[dict[str, Any]] = []
        self.is_over = False

    async def news(self) -> list[dict[str, Any]]:
        """Messages, each of one key: `session`, `agent`, `log`, and once `end`. Raises: UnknownSession, StoreUnusable."""
        record = await self._app.registry.record(self._id)
        await self._find_agent()
        log = await self._log(record)
        found: list[dict[str, Any]] = self._changed("session", self._session(record))
        found += self._changed("agent", None if self._agent is None else _agent(self._agent))
        if log is not None:
            found.append({"log": log})
        if record.state not in LIVE_STATES:
            self.is_over = True
            found.append({"end": {"state": record.state, "reason": record.reason}})
        return found

    def _changed(self, name: str, value: Any) -> list[dict[str, Any]]:
        if name in self._told and self._told[name] == value:
            return []
        self._told[name] = value
        return [{name: value}]

    def _session(self, record: SessionRecord) -> dict[str, Any]:
        tabs = self._app.registry.tabs(self._id)
        now = next((tab for tab in tabs if tab.current), record)  # a page goes on by itself between two steps
        return {
            "id": record.id,
            "state": record.state,
            "reason": record.reason,
            "url": addresses.shown(clean(now.url)),
            "title": clean(now.title) if addresses.shown(now.url) == now.url else NO_PAGE,
            "tabs": [{"index": t.index, "title": _tab(t), "current": t.current} for t in tabs],
            "step_count": record.step_count,
            "taken": self._app.registry.is_taken(self._id),
            "taken_here": self._people.has(self._id, self._view),
            "note": self._people.note(self._id),
        }

    async def _find_agent(self) -> None:
        agents = self._app.agents
        if (live := await agents.agent_on(self._id)) is not None:
            self._agent = live
        elif self._agent is None and not self._told:
            known = (one for one in await agents.agents() if one.session_id == self._id)
            self._agent = next(known, None)
        elif self._agent is not None and self._agent.is_live:
            self._agent = await agents.record(self._agent.id)

    # --- the log ------------------------------------------------------------------

    async def _log(self, record: SessionRecord) -> list[dict[str, Any]] | None:
        """Lines that are new, with the step in flight, if any; None where nothing of it has changed."""
        begins = self._settled < 0
        if begins:
            self._settled = max(0, record.step_count - MAX_PAST)
        steps = await self._app.registry.steps(self._id, after=self._settled)
        settled = list(_before_flight(steps))
        flight = _lines(steps[len(settled) : len(settled) + 1], ())
        said = await self._said(begins=begins)
        if settled:
            self._settled = settled[-1].number
        if not (begins or settled or said or flight != self._flight):
            return None
        self._flight = flight
        return _lines(settled, said) + flight

    async def _said(self, *, begins: bool) -> Sequence[AgentEvent]:
        """Lines of agents' logs that are new."""
        agent = self._agent
        if begins:
            events: Iterable[AgentEvent] = await self._app.agents.session_events(self._id, limit=MAX_PAST_EVENTS)
        elif agent is not None and agent.updated_at != self._heard_at:
            events = await self._app.agents.events(agent.id, after=self._heard.get(agent.id, 0))
        else:
            return ()
        self._heard_at = 0.0 if agent is None else agent.updated_at
        new = [event for event in events if event.sequence > self._heard.get(event.agent_id, 0)]
        for event in new:
            self._heard[event.agent_id] = max(event.sequence, self._heard.get(event.agent_id, 0))
        return new


def _before_flight(steps: Sequence[StepRecord]) -> Iterable[StepRecord]:
    for step in steps:
        if step.state == "intended":
            return
        yield step


def _lines(steps: Sequence[StepRecord], events: Iterable[AgentEvent]) -> list[dict[str, Any]]:
    """As the player has them, by time."""
    told: list[tuple[float, Mapping[str, Any]]] = [
        (step.started_at, {"session_id": step.session_id, "number": step.number}) for step in steps
    ]
    told += [(event.at, {"event": event.event, "text": event.text, "at": event.at}) for event in events]
    lines = [line for _, line in sorted(told, key=lambda one: one[0])]
    shown = [{name: line[name] for name in _SHOWN if name in line} for line in entries(lines, steps, ())]
    besides = {step.number: "; ".join(effects(step.receipt)) for step in steps if step.receipt is not None}
    return [line if line["kind"] == "event" else _told(line, besides.get(line["number"], "")) for line in shown]


def _told(line: dict[str, Any], besides: str) -> dict[str, Any]:
    """A step's line, with what it brought about besides: a dialog above all, which no picture shows."""
    return {**line, "url": addresses.shown(line["url"]), "besides": clean(besides)}


def _tab(tab: Tab) -> str:
    """Its name."""
    return NO_PAGE if addresses.shown(tab.url) != tab.url else clean(tab.title or tab.url)


def _agent(agent: AgentRecord) -> dict[str, Any]:
    """How it stands. What it used changes all the time, and is told when it has ended."""
    return {
        "id": agent.id,
        "task": clean(agent.spec.task),
        "driver": agent.spec.driver,
        "model": agent.spec.model,
        "state": agent.state,
        "reason": agent.reason,
        "question": None if agent.question is None else clean(agent.question),
        "answer": None if agent.answer is None else clean(agent.answer),
        "success": agent.success,
        "step_count": agent.step_count,
        "max_steps": agent.spec.max_steps,
        "is_live": agent.is_live,
    }

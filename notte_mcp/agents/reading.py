"""What is told of agents: records, steps, logs; and waiting for them.

Reading never queues behind an agent: of one that is live it is told from memory, wherever that reaches.

Below: life, agent, registry, store.base. Above: supervisor.
"""

from collections.abc import Callable
from typing import Literal

import anyio

from notte_mcp.agent_records import AgentEvent, AgentRecord
from notte_mcp.agents import refusals
from notte_mcp.agents.life import Life
from notte_mcp.records import StepRecord
from notte_mcp.registry import Registry
from notte_mcp.store.base import Store

Until = Literal["step", "input", "done"]


class Reading:
    """The supervisor's part of that: see the module."""

    def __init__(self, life: Life, registry: Registry, store: Store) -> None:
        self._life = life
        self._registry = registry
        self._store = store
        self._listener: Callable[[AgentRecord], None] | None = None

    async def record(self, agent_id: str) -> AgentRecord:
        """An agent as it stands, live or not. Raises: UnknownAgent."""
        if (agent := self._life.live.get(agent_id)) is not None:
            return agent.snapshot()
        if (agent := self._life.unwritten.get(agent_id)) is not None:
            return agent.record
        if (record := await self._store.agent(agent_id)) is None:
            raise refusals.unknown(agent_id)
        return record

    def live(self) -> list[AgentRecord]:
        """The live ones of this server as they stand, newest first; from memory."""
        return [agent.snapshot() for agent in reversed(self._life.live.values())]

    async def agents(self, *, limit: int = 100) -> list[AgentRecord]:
        """Agents, newest first, the live ones as they stand: those come first where so many newer ones are kept."""
        stored = await self._store.agents(limit=limit)
        known = {record.id for record in stored}
        here = {**self._life.unwritten, **self._life.live}
        told = [here[r.id].snapshot() if r.id in here else r for r in stored]
        return [*[record for record in self.live() if record.id not in known], *told][:limit]

    async def steps(self, agent_id: str, *, after: int = 0, limit: int = 1_000) -> list[StepRecord]:
        """Its steps by its own numbers. Raises: UnknownAgent."""
        agent = self._life.live.get(agent_id)
        if agent is not None and (known := agent.steps_after(after, limit)) is not None:
            return known
        await self.record(agent_id)
        return await self._store.agent_steps(agent_id, after=after, limit=limit)

    async def events(self, agent_id: str, *, after: int = 0, limit: int = 1_000) -> list[AgentEvent]:
        """Lines of its log that are no steps. Raises: UnknownAgent."""
        await self.record(agent_id)
        return await self._store.events(agent_id, after=after, limit=limit)

    def lines(self, agent_id: str) -> int | None:
        """The sequence of the last line of a live agent's log; from memory. None of one that is not live here."""
        agent = self._life.live.get(agent_id)
        return None if agent is None else agent.lines

    async def session_events(self, session_id: str, *, after: int = 0, limit: int = 1_000) -> list[AgentEvent]:
        """Such lines of whatever agents have had the session, from its step `after` on, in order; none of an unknown one."""
        return await self._store.session_events(session_id, after=after, limit=limit)

    async def agent_on(self, session_id: str) -> AgentRecord | None:
        """The live agent that has this session, if any."""
        agent = self._life.live.get(self._registry.holder(session_id) or "")
        return agent.snapshot() if agent is not None else None

    async def wait(
        self, agent_id: str, *, seconds: float, after_step: int | None = None, until: Until = "done"
    ) -> AgentRecord:
        """Come back when a step above `after_step` (default: the last) has its outcome (`step`), when it has
        ended, or when `seconds` are over. Whatever is waited for, one that needs input, or is paused with nothing
        under way, is not waited for.

        Raises: UnknownAgent.
        """
        agent = self._life.live.get(agent_id)
        if agent is None:
            return await self.record(agent_id)
        after = agent.step_count if after_step is None else after_step
        with anyio.move_on_after(seconds):
            while not agent.ended.is_set() and not (agent.is_waiting and not agent.in_flight):
                if until == "step" and agent.step_count > after:
                    break
                await agent.next_beat()
        return agent.snapshot()

    def pulse(self, agent_id: str) -> anyio.Event | None:
        """What is set once something of a live agent changes: taken before one reads of it, it misses nothing. None of
        one that is not live here."""
        agent = self._life.live.get(agent_id)
        return None if agent is None else agent.pulse

    def on_change(self, listener: Callable[[AgentRecord], None]) -> None:
        """Call `listener` on the event loop whenever a step, the log or the state of any live agent has changed.

        One listener; it must not wait.
        """
        self._listener = listener

    def _tell(self, record: AgentRecord) -> None:
        if self._listener is not None:
            self._listener(record)

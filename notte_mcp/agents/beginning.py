"""How an agent comes to be: new, or again after an interruption. It has its session then, and is on disk.

Nothing is left behind where that fails; who drives it from there on is not decided here.

Below: agent, past, registry, store.base. Above: supervisor.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import anyio

from notte_mcp.actions import Goto
from notte_mcp.agent_records import AgentRecord, AgentSpec, EventKind
from notte_mcp.agents import refusals
from notte_mcp.agents.agent import Agent
from notte_mcp.agents.moves import Finish
from notte_mcp.agents.past import Past, past_of
from notte_mcp.errors import NotteMCPError
from notte_mcp.ids import new_agent_id
from notte_mcp.registry import Clock, Registry
from notte_mcp.store.base import Store

LOAD_S: Final = 35.0
"""How long the first page of an agent that the caller drives may take."""


class Beginning:
    """See the module."""

    def __init__(
        self, registry: Registry, store: Store, clock: Clock, owner: str, heartbeat: Callable[[AgentRecord], None]
    ) -> None:
        self._registry = registry
        self._store = store
        self._clock = clock
        self._owner = owner
        self._heartbeat = heartbeat

    async def new(self, spec: AgentSpec, session_id: str | None) -> Agent:
        """A new one, in the session named or in one of its own (see `Supervisor.start`)."""
        if session_id is None:
            session, _ = await self._registry.open(spec.session)
        else:
            session = await self._registry.record(session_id)
        now = self._clock.unix()
        spec = replace(spec, session=session.spec)
        record = AgentRecord(new_agent_id(), self._owner, "running", spec, session.id, now, now)
        agent = Agent(record, store=self._store, clock=self._clock, heartbeat=self._heartbeat)
        try:
            await self._take(agent, "started", spec.task)
        except BaseException:
            if session_id is None:
                with anyio.CancelScope(shield=True):
                    await self._registry.stop(session.id, mode="now", reason="no_agent")
            raise
        return agent

    async def again(self, record: AgentRecord) -> tuple[Agent, Past]:
        """An interrupted one, with what it is to go on with. Of two who resume it one gets it.

        Raises:
            AgentEnded (the other one got it), SessionNotLive, SessionBusy, StoreUnusable.
        """
        past = await past_of(record, self._store)
        record = record.but(owner=self._owner, state="running", reason="", question=None, step_count=past.step_count)
        agent = Agent(
            record, store=self._store, clock=self._clock, heartbeat=self._heartbeat,
            sequence=past.sequence, acted=past.acted, heard=past.heard,
        )  # fmt: skip
        text = f"after {record.step_count} steps, in session {record.session_id}"
        await self._take(agent, "resumed", text, claim=True)
        return agent, past

    async def _take(self, agent: Agent, event: EventKind, text: str, *, claim: bool = False) -> None:
        session_id = agent.record.session_id
        agent.redact = self._registry.take(session_id, agent)
        try:
            # Under a shield, since an abandoned write may be on disk all the same.
            with anyio.CancelScope(shield=True):
                if claim:
                    await self._claim(agent.record)
                await agent.note(event, text)
        except BaseException:
            self._registry.release(session_id, agent)
            raise

    async def _claim(self, record: AgentRecord) -> None:
        if not await self._store.take_agent(record):
            raise refusals.taken(record)

    async def first_page(self, agent: Agent, *, owns_session: bool) -> None:
        """The first step of an agent that the caller drives. A page that does not load is a failed step, no end.

        Raises:
            UnsupportedUrl, SessionLost, and what else `LiveSession.execute` raises: the agent has ended then.
        """
        session_id = agent.record.session_id
        if agent.record.spec.url is None:
            return
        try:
            async with self._registry.use(session_id) as live:
                await live.execute([Goto(url=agent.record.spec.url)], deadline_s=LOAD_S)
        except NotteMCPError as error:
            if self._registry.is_live(session_id):
                agent.end(Finish("failed", error.code, str(error)))
            await agent.ended.wait()
            if owns_session and self._registry.is_live(session_id):
                await self._registry.stop(session_id, mode="now", reason="no_agent")
            raise

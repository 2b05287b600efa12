"""A store that is still being opened: who needs it waits, who does not goes on.

Opening costs a third of a second, most of it imports. A browser that starts
meanwhile costs no time of its own, so the App hands this out at once. A failed
opening is told to everyone who waited for it, and tried again by whoever comes
next: a full disk may have room by then.

What is read as live of another server is true: one that died since is found out
here, so that what it had is `interrupted` before anybody is told of it.

Below: store.base. Above: app.
"""

from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Any, TypeVar

import anyio

from notte_mcp.agent_records import AgentEvent, AgentRecord
from notte_mcp.logs import Log
from notte_mcp.records import LIVE_STATES, SessionRecord, StepRecord
from notte_mcp.store.base import Claim, Store
from notte_mcp.workflow_records import RunRecord, WorkflowRecord

T = TypeVar("T")
Owned = SessionRecord | AgentRecord | RunRecord

log = Log("store")


class PendingStore:
    """See `Store`. Every method raises what opening raises. `dead` tells which of some servers live no more."""

    def __init__(
        self,
        open_store: Callable[[], Awaitable[Store]],
        dead: Callable[[Collection[str]], Awaitable[Sequence[str]]],
    ) -> None:
        self._open_store = open_store
        self._dead = dead
        self._store: Store | None = None
        self._turn = anyio.Lock()

    async def warm(self) -> None:
        """Open it ahead of need. What goes wrong is told to whoever needs it."""
        try:
            await self._opened()
        except Exception as error:  # noqa: BLE001 - this is nobody's call; the next one meets the same error
            log.warning("store.not_opened", reason=type(error).__name__)

    async def _opened(self) -> Store:
        if self._store is not None:
            return self._store
        async with self._turn:
            while self._store is None:
                # Not left half open by a caller who gave up.
                with anyio.CancelScope(shield=True):
                    self._store = await self._open_store()
            return self._store

    async def _true(self, read: Callable[[Store], Awaitable[T]], told: Callable[[T], Sequence[Owned]]) -> T:
        """What `read` gives, with nothing live in it that a dead server had."""
        store = await self._opened()
        found = await read(store)
        owners = {one.owner for one in told(found) if _is_live(one)}
        if owners and (dead := await self._dead(owners)):
            await store.interrupt(dead_owners=dead, reason="restart")
            found = await read(store)
        return found

    async def put_session(self, record: SessionRecord) -> None:
        await (await self._opened()).put_session(record)

    async def take(self, record: SessionRecord) -> bool:
        return await (await self._opened()).take(record)

    async def session(self, session_id: str) -> SessionRecord | None:
        return await self._true(lambda store: store.session(session_id), _one)

    async def sessions(self, *, limit: int = 100) -> list[SessionRecord]:
        return await self._true(lambda store: store.sessions(limit=limit), _all)

    async def interrupt(self, *, dead_owners: Sequence[str], reason: str) -> list[SessionRecord]:
        return await (await self._opened()).interrupt(dead_owners=dead_owners, reason=reason)

    async def owners(self) -> list[str]:
        return await (await self._opened()).owners()

    async def intend(self, steps: Sequence[StepRecord]) -> None:
        await (await self._opened()).intend(steps)

    async def settle(self, step: StepRecord, session: SessionRecord) -> None:
        await (await self._opened()).settle(step, session)

    async def withdraw(self, session_id: str, numbers: Sequence[int]) -> None:
        await (await self._opened()).withdraw(session_id, numbers)

    async def steps(self, session_id: str, *, after: int = 0, limit: int = 1_000) -> list[StepRecord]:
        return await (await self._opened()).steps(session_id, after=after, limit=limit)

    async def put_agent(self, record: AgentRecord, event: AgentEvent | None = None) -> None:
        await (await self._opened()).put_agent(record, event)

    async def take_agent(self, record: AgentRecord) -> bool:
        return await (await self._opened()).take_agent(record)

    async def agent(self, agent_id: str) -> AgentRecord | None:
        return await self._true(lambda store: store.agent(agent_id), _one)

    async def agents(self, *, limit: int = 100) -> list[AgentRecord]:
        return await self._true(lambda store: store.agents(limit=limit), _all)

    async def agent_steps(self, agent_id: str, *, after: int = 0, limit: int = 1_000) -> list[StepRecord]:
        return await (await self._opened()).agent_steps(agent_id, after=after, limit=limit)

    async def put_event(self, event: AgentEvent) -> None:
        await (await self._opened()).put_event(event)

    async def events(self, agent_id: str, *, after: int = 0, limit: int = 1_000) -> list[AgentEvent]:
        return await (await self._opened()).events(agent_id, after=after, limit=limit)

    async def session_events(self, session_id: str, *, after: int = 0, limit: int = 1_000) -> list[AgentEvent]:
        return await (await self._opened()).session_events(session_id, after=after, limit=limit)

    async def add_workflow(self, record: WorkflowRecord) -> WorkflowRecord:
        return await (await self._opened()).add_workflow(record)

    async def note_verified(self, name: str, version: int, *, verified: bool | None, at: float) -> None:
        await (await self._opened()).note_verified(name, version, verified=verified, at=at)

    async def workflow(self, name: str, version: int | None = None) -> WorkflowRecord | None:
        return await (await self._opened()).workflow(name, version)

    async def workflows(self, *, limit: int = 100) -> list[WorkflowRecord]:
        return await (await self._opened()).workflows(limit=limit)

    async def put_run(self, record: RunRecord) -> None:
        await (await self._opened()).put_run(record)

    async def run(self, run_id: str) -> RunRecord | None:
        return await self._true(lambda store: store.run(run_id), _one)

    async def runs(self, *, limit: int = 100) -> list[RunRecord]:
        return await self._true(lambda store: store.runs(limit=limit), _all)

    async def claim(self, request_id: str, *, tool: str, digest: str, owner: str) -> Claim:
        return await (await self._opened()).claim(request_id, tool=tool, digest=digest, owner=owner)

    async def answer(self, request_id: str, answer: Any) -> None:
        await (await self._opened()).answer(request_id, answer)

    async def unclaim(self, request_id: str) -> None:
        await (await self._opened()).unclaim(request_id)

    async def sweep(self, *, older_than: float) -> list[str]:
        return await (await self._opened()).sweep(older_than=older_than)

    async def close(self) -> None:
        """Close it if it was opened; an opening that is under way is waited for."""
        async with self._turn:
            if self._store is not None:
                await self._store.close()


def _one(found: Owned | None) -> Sequence[Owned]:
    return () if found is None else (found,)


def _all(found: Sequence[Owned]) -> Sequence[Owned]:
    return found


def _is_live(record: Owned) -> bool:
    if isinstance(record, SessionRecord):
        return record.state in LIVE_STATES
    return record.is_live if isinstance(record, AgentRecord) else not record.has_ended

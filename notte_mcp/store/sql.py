"""The store on SQLite: `Store` with SQLAlchemy Core, used synchronously.

Every method is one transaction in one call of a worker thread, one after the
other. So a cancelled caller leaves a whole transaction or none: a write that was
asked for is finished even so, a read is let go. Imported only when a store is
opened, since SQLAlchemy costs a fifth of a second.

Below: store.base, store.database, store.tables, store.agents_sql, store.workflows_sql. Above: app.
"""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, Self, TypeVar

from anyio import CancelScope, CapacityLimiter, to_thread
from sqlalchemy import Connection, Integer, bindparam, delete, func, literal_column, select, update
from sqlalchemy.dialects.sqlite import insert

from notte_mcp.agent_records import AgentEvent, AgentRecord
from notte_mcp.records import LIVE_STATES, SessionRecord, StepRecord
from notte_mcp.store import agents_sql, workflows_sql
from notte_mcp.store.agents_sql import AGENT, LIVE_AGENT, PUT_AGENT, PUT_EVENT
from notte_mcp.store.base import Claim
from notte_mcp.store.database import Database
from notte_mcp.store.tables import (
    AGENTS,
    REQUESTS,
    RUNS,
    SESSIONS,
    STEPS,
    agent_of,
    agent_row,
    event_of,
    event_row,
    session_of,
    session_row,
    step_of,
    step_row,
)
from notte_mcp.store.workflows_sql import LIVE_RUN, PUT_RUN, RUN, run_of, run_row, workflow_of
from notte_mcp.workflow_records import RunRecord, WorkflowRecord

T = TypeVar("T")

_LIVE: Final = SESSIONS.c.state.in_(sorted(LIVE_STATES))
_LAST_STEP: Final = (
    select(func.coalesce(func.max(STEPS.c.number), 0)).where(STEPS.c.session_id == SESSIONS.c.id).scalar_subquery()
)

_fresh_session = insert(SESSIONS)
_PUT_SESSION: Final = _fresh_session.on_conflict_do_update(
    index_elements=["id"],
    # `created_at` never changes, and setting it would write its index anew with every step.
    set_={c.name: _fresh_session.excluded[c.name] for c in SESSIONS.columns if c.name not in {"id", "created_at"}},
)
_INTEND: Final = insert(STEPS)
# Whose step it is was said when it was intended: setting it again would write the agents' index anew.
_OUTCOME: Final = ("actor", "state", "action", "started_at", "ended_at", "receipt", "url")
_SETTLE_STEP: Final = (
    update(STEPS)
    .where(STEPS.c.session_id == bindparam("in_session"), STEPS.c.number == bindparam("at"))
    .values({name: bindparam(name) for name in _OUTCOME})
)
_SESSION: Final = select(SESSIONS).where(SESSIONS.c.id == bindparam("id"))


class SqlStore:
    """See `Store`. Made by `open`; `notes` is what the owner should be told about the opening."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._turn = CapacityLimiter(1)

    @classmethod
    async def open(cls, path: Path, *, busy_timeout_s: float = 10.0) -> Self:
        """Open the file (made when absent, mode 0600), brought to this version's schema.

        Raises:
            StoreTooNew: a newer version wrote it.
            StoreUnusable: locked, read-only, no room, not to be opened.
        """
        database = Database(path, busy_timeout_s=busy_timeout_s)
        with CancelScope(shield=True):
            await to_thread.run_sync(database.open)
        return cls(database)

    @property
    def notes(self) -> tuple[str, ...]:
        return self._database.notes

    # --- sessions ----------------------------------------------------------------

    async def put_session(self, record: SessionRecord) -> None:
        row = session_row(record)
        await self._write(lambda db: db.execute(_PUT_SESSION, row))

    async def take(self, record: SessionRecord) -> bool:
        row = session_row(record)

        def take(db: Connection) -> bool:
            state = db.execute(select(SESSIONS.c.state).where(SESSIONS.c.id == record.id)).scalar_one_or_none()
            restorable = state in ("interrupted", "failed")
            if restorable:
                db.execute(_PUT_SESSION, row)
            return restorable

        return await self._write(take)

    async def session(self, session_id: str) -> SessionRecord | None:
        row = await self._read(lambda db: db.execute(_SESSION, {"id": session_id}).mappings().one_or_none())
        return None if row is None else session_of(row)

    async def sessions(self, *, limit: int = 100) -> list[SessionRecord]:
        newest = (
            select(SESSIONS)
            .order_by(SESSIONS.c.created_at.desc(), literal_column("rowid", Integer).desc())
            .limit(limit)
        )
        rows = await self._read(lambda db: db.execute(newest).mappings().all())
        return [session_of(row) for row in rows]

    async def owners(self) -> list[str]:
        others = select(AGENTS.c.owner).where(LIVE_AGENT), select(RUNS.c.owner).where(LIVE_RUN)
        query = select(SESSIONS.c.owner).where(_LIVE).union(*others).order_by("owner")
        return await self._read(lambda db: list(db.execute(query).scalars()))

    async def interrupt(self, *, dead_owners: Sequence[str], reason: str) -> list[SessionRecord]:
        theirs = select(SESSIONS.c.id).where(_LIVE, SESSIONS.c.owner.in_(list(dead_owners)))

        def interrupt(db: Connection) -> list[SessionRecord]:
            ids = list(db.execute(theirs).scalars())
            intended = STEPS.c.session_id.in_(ids) & (STEPS.c.state == "intended")
            db.execute(update(STEPS).where(intended).values(state="outcome_unknown"))
            now = time.time()
            # An intent is numbered before its session is told so: the next owner counts on from the last one.
            db.execute(
                update(SESSIONS)
                .where(SESSIONS.c.id.in_(ids))
                .values(
                    state="interrupted",
                    reason=reason,
                    updated_at=now,
                    step_count=func.max(SESSIONS.c.step_count, _LAST_STEP),
                )
            )
            agents_sql.interrupt_agents(db, dead_owners=dead_owners, sessions=ids, reason=reason, now=now)
            workflows_sql.interrupt_runs(db, dead_owners=dead_owners, reason=reason, now=now)
            marked = select(SESSIONS).where(SESSIONS.c.id.in_(ids)).order_by(SESSIONS.c.created_at.desc())
            return [session_of(row) for row in db.execute(marked).mappings()]

        return await self._write(interrupt) if dead_owners else []

    async def sweep(self, *, older_than: float) -> list[str]:
        # Not the session that an agent stands in: what a kept agent did stays readable.
        held = SESSIONS.c.id.in_(select(AGENTS.c.session_id))
        ended = select(SESSIONS.c.id).where(~_LIVE, ~held, SESSIONS.c.updated_at < older_than)

        def sweep(db: Connection) -> list[str]:
            agents_sql.sweep_agents(db, older_than=older_than)
            workflows_sql.sweep_runs(db, older_than=older_than)
            ids = list(db.execute(ended).scalars())
            db.execute(delete(STEPS).where(STEPS.c.session_id.in_(ended)))
            db.execute(delete(SESSIONS).where(SESSIONS.c.id.in_(ended)))
            db.execute(delete(REQUESTS).where(REQUESTS.c.claimed_at < older_than))
            return ids

        return await self._write(sweep)

    # --- steps -------------------------------------------------------------------

    async def intend(self, steps: Sequence[StepRecord]) -> None:
        if rows := [step_row(step) for step in steps]:
            await self._write(lambda db: db.execute(_INTEND, rows))

    async def settle(self, step: StepRecord, session: SessionRecord) -> None:
        # No more than the outcome: SQLAlchemy would set every column it is handed, those of the key too.
        outcome = {name: value for name, value in step_row(step).items() if name in _OUTCOME}
        outcome |= {"in_session": step.session_id, "at": step.number}
        where = session_row(session)

        def settle(db: Connection) -> None:
            db.execute(_SETTLE_STEP, outcome)
            db.execute(_PUT_SESSION, where)

        await self._write(settle)

    async def withdraw(self, session_id: str, numbers: Sequence[int]) -> None:
        # Only intents: an outcome is never taken back.
        unwanted = delete(STEPS).where(
            STEPS.c.session_id == session_id, STEPS.c.number.in_(list(numbers)), STEPS.c.state == "intended"
        )
        await self._write(lambda db: db.execute(unwanted))

    async def steps(self, session_id: str, *, after: int = 0, limit: int = 1_000) -> list[StepRecord]:
        query = (
            select(STEPS)
            .where(STEPS.c.session_id == session_id, STEPS.c.number > after)
            .order_by(STEPS.c.number)
            .limit(limit)
        )
        return [step_of(row) for row in await self._read(lambda db: db.execute(query).all())]

    # --- agents ------------------------------------------------------------------

    async def put_agent(self, record: AgentRecord, event: AgentEvent | None = None) -> None:
        row, line = agent_row(record), None if event is None else event_row(event)

        def put(db: Connection) -> None:
            db.execute(PUT_AGENT, row)
            if line is not None:
                db.execute(PUT_EVENT, line)

        await self._write(put)

    async def take_agent(self, record: AgentRecord) -> bool:
        row = agent_row(record)
        return await self._write(lambda db: agents_sql.take_agent(db, row))

    async def agent(self, agent_id: str) -> AgentRecord | None:
        row = await self._read(lambda db: db.execute(AGENT, {"id": agent_id}).mappings().one_or_none())
        return None if row is None else agent_of(row)

    async def agents(self, *, limit: int = 100) -> list[AgentRecord]:
        query = agents_sql.newest_agents(limit)
        rows = await self._read(lambda db: db.execute(query).mappings().all())
        return [agent_of(row) for row in rows]

    async def agent_steps(self, agent_id: str, *, after: int = 0, limit: int = 1_000) -> list[StepRecord]:
        query = agents_sql.steps_of_agent(agent_id, after, limit)
        return [step_of(row) for row in await self._read(lambda db: db.execute(query).all())]

    async def put_event(self, event: AgentEvent) -> None:
        line = event_row(event)
        await self._write(lambda db: db.execute(PUT_EVENT, line))

    async def events(self, agent_id: str, *, after: int = 0, limit: int = 1_000) -> list[AgentEvent]:
        query = agents_sql.events_of_agent(agent_id, after, limit)
        rows = await self._read(lambda db: db.execute(query).mappings().all())
        return [event_of(row) for row in rows]

    async def session_events(self, session_id: str, *, after: int = 0, limit: int = 1_000) -> list[AgentEvent]:
        query = agents_sql.events_of_session(session_id, after, limit)
        rows = await self._read(lambda db: db.execute(query).mappings().all())
        return [event_of(row) for row in rows]

    # --- workflows and their runs ------------------------------------------------

    async def add_workflow(self, record: WorkflowRecord) -> WorkflowRecord:
        return await self._write(lambda db: workflows_sql.add_workflow(db, record))

    async def note_verified(self, name: str, version: int, *, verified: bool | None, at: float) -> None:
        await self._write(lambda db: workflows_sql.note_verified(db, name, version, verified=verified, at=at))

    async def workflow(self, name: str, version: int | None = None) -> WorkflowRecord | None:
        query = workflows_sql.workflow_named(name, version)
        row = await self._read(lambda db: db.execute(query).mappings().one_or_none())
        return None if row is None else workflow_of(row)

    async def workflows(self, *, limit: int = 100) -> list[WorkflowRecord]:
        query = workflows_sql.newest_workflows(limit)
        rows = await self._read(lambda db: db.execute(query).mappings().all())
        return [workflow_of(row) for row in rows]

    async def put_run(self, record: RunRecord) -> None:
        row = run_row(record)
        await self._write(lambda db: db.execute(PUT_RUN, row))

    async def run(self, run_id: str) -> RunRecord | None:
        values = await self._read(lambda db: db.execute(RUN, {"id": run_id}).scalar_one_or_none())
        return None if values is None else run_of(values)

    async def runs(self, *, limit: int = 100) -> list[RunRecord]:
        query = workflows_sql.newest_runs(limit)
        rows = await self._read(lambda db: list(db.execute(query).scalars()))
        return [run_of(values) for values in rows]

    # --- answered requests -------------------------------------------------------

    async def claim(self, request_id: str, *, tool: str, digest: str, owner: str) -> Claim:
        query = select(REQUESTS).where(REQUESTS.c.request_id == request_id)
        row = {"request_id": request_id, "tool": tool, "digest": digest, "owner": owner, "claimed_at": time.time()}

        def claim(db: Connection) -> Claim:
            if (first := db.execute(query).mappings().one_or_none()) is None:
                db.execute(insert(REQUESTS), row)
                return Claim(fresh=True, owner=owner)
            same = (first["tool"], first["digest"]) == (tool, digest)
            return Claim(fresh=False, same=same, answer=first["answer"], owner=first["owner"])

        return await self._write(claim)

    async def answer(self, request_id: str, answer: Any) -> None:
        kept = update(REQUESTS).where(REQUESTS.c.request_id == request_id).values(answer=answer)
        await self._write(lambda db: db.execute(kept))

    async def unclaim(self, request_id: str) -> None:
        unanswered = delete(REQUESTS).where(REQUESTS.c.request_id == request_id, REQUESTS.c.answer.is_(None))
        await self._write(lambda db: db.execute(unanswered))

    # --- the thread --------------------------------------------------------------

    async def close(self) -> None:
        with CancelScope(shield=True):
            await to_thread.run_sync(self._database.close, limiter=self._turn)

    # A scope that is never cancelled swallows nothing, which its type cannot say.
    async def _write(self, act: Callable[[Connection], T]) -> T:  # pyright: ignore[reportReturnType]
        def whole() -> T:
            with self._database.transaction(write=True) as db:
                return act(db)

        with CancelScope(shield=True):
            return await to_thread.run_sync(whole, limiter=self._turn)

    async def _read(self, look: Callable[[Connection], T]) -> T:
        def whole() -> T:
            with self._database.transaction(write=False) as db:
                return look(db)

        return await to_thread.run_sync(whole, limiter=self._turn, abandon_on_cancel=True)

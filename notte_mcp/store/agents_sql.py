"""What is asked of the agents' tables, as statements and as parts of the store's transactions.

A step of an agent is a step of its session: it stands in the steps' table and goes when
its session goes.

Below: tables. Above: sql.
"""

from collections.abc import Collection
from typing import Any, Final

from sqlalchemy import Connection, Integer, Select, bindparam, delete, func, literal, literal_column, select, update
from sqlalchemy.dialects.sqlite import insert

from notte_mcp.agent_records import LIVE_AGENT_STATES
from notte_mcp.store.tables import AGENT_EVENTS, AGENTS, STEPS

LIVE_AGENT: Final = AGENTS.c.state.in_(sorted(LIVE_AGENT_STATES))

_fresh_agent = insert(AGENTS)
PUT_AGENT: Final = _fresh_agent.on_conflict_do_update(
    index_elements=["id"],
    # `created_at` never changes, and setting it would write its index anew each time.
    set_={c.name: _fresh_agent.excluded[c.name] for c in AGENTS.columns if c.name not in {"id", "created_at"}},
)
_REACHED: Final = (
    select(func.coalesce(func.max(STEPS.c.number), 0))
    .where(STEPS.c.session_id == bindparam("session_id"), STEPS.c.state != "intended")
    .scalar_subquery()
)
# Asked where it is written: then no step gets its outcome in between, and the log of the session grows at its end.
_line: dict[str, Any] = {name: bindparam(name) for name in AGENT_EVENTS.columns.keys()}  # noqa: SIM118 - not a dict
_fresh_event = insert(AGENT_EVENTS).values(_line | {"session_step": _REACHED})
PUT_EVENT: Final = _fresh_event.on_conflict_do_update(
    index_elements=["agent_id", "sequence"],
    set_={c.name: _fresh_event.excluded[c.name] for c in AGENT_EVENTS.columns if c.name in {"at", "event", "text"}},
)
AGENT: Final = select(AGENTS).where(AGENTS.c.id == bindparam("id"))

_LAST_STEP: Final = (
    select(func.coalesce(func.max(STEPS.c.agent_step), 0)).where(STEPS.c.agent_id == AGENTS.c.id).scalar_subquery()
)
_LAST_OF_SESSION: Final = (
    select(func.coalesce(func.max(STEPS.c.number), 0))
    .where(STEPS.c.session_id == AGENTS.c.session_id)
    .scalar_subquery()
)
_NEXT_EVENT: Final = (
    select(func.coalesce(func.max(AGENT_EVENTS.c.sequence), 0) + 1)
    .where(AGENT_EVENTS.c.agent_id == AGENTS.c.id)
    .scalar_subquery()
)


def newest_agents(limit: int) -> Select[Any]:
    """Agents by creation; of two made at one instant the later written is the newer."""
    return select(AGENTS).order_by(AGENTS.c.created_at.desc(), literal_column("rowid", Integer).desc()).limit(limit)


def steps_of_agent(agent_id: str, after: int, limit: int) -> Select[Any]:
    """Steps by the agent's numbers; what it has not numbered is left out."""
    return (
        select(STEPS)
        .where(STEPS.c.agent_id == agent_id, STEPS.c.agent_step > after)
        .order_by(STEPS.c.agent_step)
        .limit(limit)
    )


def events_of_agent(agent_id: str, after: int, limit: int) -> Select[Any]:
    """Lines of an agent's log, in order."""
    return (
        select(AGENT_EVENTS)
        .where(AGENT_EVENTS.c.agent_id == agent_id, AGENT_EVENTS.c.sequence > after)
        .order_by(AGENT_EVENTS.c.sequence)
        .limit(limit)
    )


def events_of_session(session_id: str, after: int, limit: int) -> Select[Any]:
    """Lines of the logs of its agents from step `after` on, in the order in which they stand in the session's log."""
    return (
        select(AGENT_EVENTS)
        .where(AGENT_EVENTS.c.session_id == session_id, AGENT_EVENTS.c.session_step >= after)
        .order_by(AGENT_EVENTS.c.session_step, literal_column("rowid", Integer))
        .limit(limit)
    )


def take_agent(db: Connection, row: dict[str, Any]) -> bool:
    """Write `row` over an agent that is `interrupted` still."""
    state = db.execute(select(AGENTS.c.state).where(AGENTS.c.id == row["id"])).scalar_one_or_none()
    if state != "interrupted":
        return False
    db.execute(PUT_AGENT, row)
    return True


def interrupt_agents(
    db: Connection, *, dead_owners: Collection[str], sessions: Collection[str], reason: str, now: float
) -> None:
    """Mark the live agents of these owners, and those that have one of these sessions, with a line of their log."""
    theirs = AGENTS.c.owner.in_(dead_owners) | AGENTS.c.session_id.in_(sessions)
    ids = list(db.execute(select(AGENTS.c.id).where(LIVE_AGENT, theirs)).scalars())
    marked = AGENTS.c.id.in_(ids)
    # A step is numbered before its agent is told so: whoever resumes it counts on from the last one.
    db.execute(
        update(AGENTS)
        .where(marked)
        .values(
            state="interrupted",
            reason=reason,
            updated_at=now,
            step_count=func.max(AGENTS.c.step_count, _LAST_STEP),
        )
    )
    said = (literal(now), literal("interrupted"), literal(reason))
    line = select(AGENTS.c.id, _NEXT_EVENT, AGENTS.c.step_count, *said, AGENTS.c.session_id, _LAST_OF_SESSION)
    columns = ["agent_id", "sequence", "after_step", "at", "event", "text", "session_id", "session_step"]
    db.execute(insert(AGENT_EVENTS).from_select(columns, line.where(marked)))


def sweep_agents(db: Connection, *, older_than: float) -> None:
    """Delete agents that are not live and were last updated before, with their events."""
    ended = select(AGENTS.c.id).where(~LIVE_AGENT, AGENTS.c.updated_at < older_than)
    db.execute(delete(AGENT_EVENTS).where(AGENT_EVENTS.c.agent_id.in_(ended)))
    db.execute(delete(AGENTS).where(AGENTS.c.id.in_(ended)))

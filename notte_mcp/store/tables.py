"""Rows and records: the tables as SQLAlchemy sees them, and the way there and back.

Reading is lenient towards other versions: fields this version does not know are
left out. How the tables come to be is told in `migrations`.

Below: records, agent_records. Above: sql, agents_sql, workflows_sql.
"""

from collections.abc import Sequence
from dataclasses import asdict, fields
from typing import Any, Final, TypeVar

from sqlalchemy import JSON, REAL, Boolean, Column, Integer, MetaData, RowMapping, Table, Text

from notte_mcp.agent_records import AgentEvent, AgentRecord, AgentSpec
from notte_mcp.records import SessionRecord, SessionSpec, StepRecord, Usage, receipt_from_json, receipt_to_json

_METADATA: Final = MetaData()

SESSIONS: Final = Table(
    "sessions",
    _METADATA,
    Column("id", Text, primary_key=True),
    Column("owner", Text),
    Column("state", Text),
    Column("reason", Text),
    Column("spec", JSON),
    Column("created_at", REAL),
    Column("updated_at", REAL),
    Column("url", Text),
    Column("title", Text),
    Column("step_count", Integer),
    Column("view", Integer),
    Column("id_counters", JSON),
    Column("storage_saved_at", REAL),
    Column("seen", JSON),
    Column("remote_id", Text),
)

STEPS: Final = Table(
    "steps",
    _METADATA,
    Column("session_id", Text, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("actor", Text),
    Column("state", Text),
    Column("action", JSON),
    Column("started_at", REAL),
    Column("ended_at", REAL),
    Column("receipt", JSON(none_as_null=True)),
    Column("url", Text),
    Column("agent_id", Text),
    Column("agent_step", Integer),
    Column("saw", JSON),
    Column("usage", JSON(none_as_null=True)),
)

AGENTS: Final = Table(
    "agents",
    _METADATA,
    Column("id", Text, primary_key=True),
    Column("owner", Text),
    Column("state", Text),
    Column("spec", JSON),
    Column("session_id", Text),
    Column("created_at", REAL),
    Column("updated_at", REAL),
    Column("ended_at", REAL),
    Column("reason", Text),
    Column("attempt", Integer),
    Column("step_count", Integer),
    Column("success", Boolean),
    Column("answer", Text),
    Column("result", JSON(none_as_null=True)),
    Column("question", Text),
    Column("usage", JSON),
    Column("remote_id", Text),
)

AGENT_EVENTS: Final = Table(
    "agent_events",
    _METADATA,
    Column("agent_id", Text, primary_key=True),
    Column("sequence", Integer, primary_key=True),
    Column("after_step", Integer),
    Column("at", REAL),
    Column("event", Text),
    Column("text", Text),
    Column("session_id", Text),
    Column("session_step", Integer),
)

WORKFLOWS: Final = Table(
    "workflows",
    _METADATA,
    Column("name", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("content", JSON),
    Column("source", Text),
    Column("created_at", REAL),
    Column("verified", Boolean),
    Column("verified_at", REAL),
)

RUNS: Final = Table(
    "runs",
    _METADATA,
    Column("id", Text, primary_key=True),
    Column("owner", Text),
    Column("state", Text),
    Column("created_at", REAL),
    Column("updated_at", REAL),
    Column("record", JSON),
)

REQUESTS: Final = Table(
    "requests",
    _METADATA,
    Column("request_id", Text, primary_key=True),
    Column("tool", Text),
    Column("digest", Text),
    Column("owner", Text),
    Column("claimed_at", REAL),
    Column("answer", JSON(none_as_null=True)),
)

T = TypeVar("T", SessionSpec, AgentSpec, Usage)


def session_row(record: SessionRecord) -> dict[str, Any]:
    """A session as the values of its row."""
    return {
        "id": record.id,
        "owner": record.owner,
        "state": record.state,
        "reason": storable(record.reason),
        "spec": asdict(record.spec),
        "created_at": record.created_at,
        "updated_at": record.updated_at,
        "url": storable(record.url),
        "title": storable(record.title),
        "step_count": record.step_count,
        "view": record.view,
        "id_counters": record.id_counters,
        "storage_saved_at": record.storage_saved_at,
        "seen": _texts(record.seen),
        "remote_id": record.remote_id,
    }


def session_of(row: RowMapping) -> SessionRecord:
    """The session that a row holds."""
    values: dict[str, Any] = dict(row)
    values["spec"] = _known(SessionSpec, values["spec"])
    values["seen"] = tuple(values["seen"])
    return SessionRecord(**values)


def step_row(step: StepRecord) -> dict[str, Any]:
    """A step as the values of its row."""
    return {
        "session_id": step.session_id,
        "number": step.number,
        "actor": step.actor,
        "state": step.state,
        "action": step.action,
        "started_at": step.started_at,
        "ended_at": step.ended_at,
        "receipt": None if step.receipt is None else receipt_to_json(step.receipt),
        "url": storable(step.url),
        "agent_id": step.agent_id,
        "agent_step": step.agent_step,
        "saw": _texts(step.saw),
        "usage": None if step.usage is None else asdict(step.usage),
    }


def step_of(row: Sequence[Any]) -> StepRecord:
    """The step that the values of a row hold, all of them in order."""
    # By position, which is the same in both: a long log has thousands of them.
    *intent, receipt, url, agent_id, agent_step, saw, usage = row
    told = None if receipt is None else receipt_from_json(receipt)
    used = None if usage is None else _known(Usage, usage)
    values: list[Any] = [*intent, told, url, agent_id, agent_step, tuple(saw), used]
    return StepRecord(*values)


def agent_row(record: AgentRecord) -> dict[str, Any]:
    """An agent as the values of its row."""
    return {
        "id": record.id,
        "owner": record.owner,
        "state": record.state,
        "spec": asdict(record.spec),
        "session_id": record.session_id,
        "created_at": record.created_at,
        "updated_at": record.updated_at,
        "ended_at": record.ended_at,
        "reason": storable(record.reason),
        "attempt": record.attempt,
        "step_count": record.step_count,
        "success": record.success,
        "answer": None if record.answer is None else storable(record.answer),
        "result": record.result,
        "question": None if record.question is None else storable(record.question),
        "usage": asdict(record.usage),
        "remote_id": record.remote_id,
    }


def agent_of(row: RowMapping) -> AgentRecord:
    """The agent that a row holds."""
    values: dict[str, Any] = dict(row)
    session = _known(SessionSpec, values["spec"]["session"])
    values["spec"] = _known(AgentSpec, values["spec"] | {"session": session})
    values["usage"] = _known(Usage, values["usage"])
    return AgentRecord(**values)


def event_row(event: AgentEvent) -> dict[str, Any]:
    """A line of an agent's log as the values of its row, but for `session_step`, which the database knows."""
    return {
        "agent_id": event.agent_id,
        "sequence": event.sequence,
        "after_step": event.after_step,
        "at": event.at,
        "event": event.event,
        "text": storable(event.text),
        "session_id": event.session_id,
    }


def event_of(row: RowMapping) -> AgentEvent:
    """The line of an agent's log that a row holds."""
    return AgentEvent(**row)


def _known(kind: type[T], values: dict[str, Any]) -> T:
    names = {field.name for field in fields(kind)}
    return kind(**{name: value for name, value in values.items() if name in names})


def _texts(texts: tuple[str, ...]) -> list[str]:
    return [storable(text) for text in texts]


def storable(text: str) -> str:
    """The text without what no UTF-8 can hold."""
    # A page's title may hold half of a surrogate pair, which SQLite's UTF-8 cannot.
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")

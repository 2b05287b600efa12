"""Rows and records: the tables as SQLAlchemy sees them, and the way there and back.

Reading is lenient towards other versions: fields this version does not know are
left out. How the tables come to be is told in `migrations`.

Below: records. Above: sql.
"""

from dataclasses import asdict, fields
from typing import Any, Final

from sqlalchemy import JSON, REAL, Column, Integer, MetaData, RowMapping, Table, Text

from notte_mcp.records import SessionRecord, SessionSpec, StepRecord, receipt_from_json, receipt_to_json

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

_SPEC_FIELDS: Final = frozenset(field.name for field in fields(SessionSpec))


def session_row(record: SessionRecord) -> dict[str, Any]:
    """A session as the values of its row."""
    return {
        "id": record.id,
        "owner": record.owner,
        "state": record.state,
        "reason": _storable(record.reason),
        "spec": asdict(record.spec),
        "created_at": record.created_at,
        "updated_at": record.updated_at,
        "url": _storable(record.url),
        "title": _storable(record.title),
        "step_count": record.step_count,
        "view": record.view,
        "id_counters": record.id_counters,
        "storage_saved_at": record.storage_saved_at,
    }


def session_of(row: RowMapping) -> SessionRecord:
    """The session that a row holds."""
    values: dict[str, Any] = dict(row)
    spec: dict[str, Any] = values.pop("spec")
    return SessionRecord(**values, spec=SessionSpec(**{k: v for k, v in spec.items() if k in _SPEC_FIELDS}))


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
        "url": _storable(step.url),
    }


def step_of(row: RowMapping) -> StepRecord:
    """The step that a row holds."""
    values: dict[str, Any] = dict(row)
    receipt: dict[str, Any] | None = values.pop("receipt")
    return StepRecord(**values, receipt=None if receipt is None else receipt_from_json(receipt))


def _storable(text: str) -> str:
    # A page's title may hold half of a surrogate pair, which SQLite's UTF-8 cannot.
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")

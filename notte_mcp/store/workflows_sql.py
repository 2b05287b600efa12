"""Workflows and their runs: rows there and back, statements, and their parts of the store's transactions.

A run is read as a whole, so its record is one JSON value beside the columns it is found by. Reading is
lenient towards other versions, as in `tables`.

Below: tables. Above: sql.
"""

from collections.abc import Collection
from dataclasses import asdict, fields, replace
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Integer, RowMapping, Select, bindparam, delete, func, literal_column, select, update
from sqlalchemy.dialects.sqlite import insert

from notte_mcp.store.tables import RUNS, WORKFLOWS, storable
from notte_mcp.workflow_records import ENDED_RUN_STATES, RunRecord, RunStep, ScriptRun, WorkflowRecord

T = TypeVar("T", RunRecord, RunStep, ScriptRun)

LIVE_RUN: Final = RUNS.c.state.not_in(sorted(ENDED_RUN_STATES))

_fresh_run = insert(RUNS)
PUT_RUN: Final = _fresh_run.on_conflict_do_update(
    index_elements=["id"],
    # `created_at` never changes, and setting it would write its index anew each time.
    set_={c.name: _fresh_run.excluded[c.name] for c in RUNS.columns if c.name not in {"id", "created_at"}},
)
RUN: Final = select(RUNS.c.record).where(RUNS.c.id == bindparam("id"))

_ROWID: Final = literal_column("rowid", Integer)
_highest = WORKFLOWS.alias("highest")
_IS_HIGHEST: Final = WORKFLOWS.c.version == (
    select(func.max(_highest.c.version)).where(_highest.c.name == WORKFLOWS.c.name).scalar_subquery()
)


def add_workflow(db: Connection, record: WorkflowRecord) -> WorkflowRecord:
    """Insert a workflow as the version after its name's highest; the transaction keeps others out meanwhile."""
    name = storable(record.name)
    last = db.execute(select(func.coalesce(func.max(WORKFLOWS.c.version), 0)).where(WORKFLOWS.c.name == name))
    kept = replace(record, name=name, source=storable(record.source), version=last.scalar_one() + 1)
    db.execute(insert(WORKFLOWS), asdict(kept))
    return kept


def note_verified(db: Connection, name: str, version: int, *, verified: bool | None, at: float) -> None:
    """Write what a verification showed beside one version, which may be gone."""
    this = (WORKFLOWS.c.name == storable(name)) & (WORKFLOWS.c.version == version)
    db.execute(update(WORKFLOWS).where(this).values(verified=verified, verified_at=at))


def workflow_named(name: str, version: int | None) -> Select[Any]:
    """One version of a workflow, the highest where none is named."""
    which = _IS_HIGHEST if version is None else WORKFLOWS.c.version == version
    return select(WORKFLOWS).where(WORKFLOWS.c.name == storable(name), which)


def newest_workflows(limit: int) -> Select[Any]:
    """The highest version of each name, by when it was kept; of two kept at one instant the later written first."""
    return select(WORKFLOWS).where(_IS_HIGHEST).order_by(WORKFLOWS.c.created_at.desc(), _ROWID.desc()).limit(limit)


def newest_runs(limit: int) -> Select[Any]:
    """Runs by creation; of two made at one instant the later written is the newer."""
    return select(RUNS.c.record).order_by(RUNS.c.created_at.desc(), _ROWID.desc()).limit(limit)


def interrupt_runs(db: Connection, *, dead_owners: Collection[str], reason: str, now: float) -> None:
    """Mark the live runs of these owners: nobody goes on with them."""
    theirs = select(RUNS.c.record).where(LIVE_RUN, RUNS.c.owner.in_(dead_owners))
    for values in list(db.execute(theirs).scalars()):
        cut = run_of(values).but(state="interrupted", reason=reason, updated_at=now, ended_at=now)
        db.execute(PUT_RUN, run_row(cut))


def sweep_runs(db: Connection, *, older_than: float) -> None:
    """Delete ended runs that were last updated before."""
    db.execute(delete(RUNS).where(~LIVE_RUN, RUNS.c.updated_at < older_than))


def workflow_of(row: RowMapping) -> WorkflowRecord:
    """The workflow that a row holds."""
    return WorkflowRecord(**row)


def run_row(record: RunRecord) -> dict[str, Any]:
    """A run as the values of its row."""
    return {
        "id": record.id,
        "owner": record.owner,
        "state": record.state,
        "created_at": record.created_at,
        "updated_at": record.updated_at,
        "record": asdict(record),
    }


def run_of(values: dict[str, Any]) -> RunRecord:
    """The run that a row's `record` holds; fields of a newer version are left out."""
    steps, script = values.get("steps", ()), values.get("script")
    return _known(
        RunRecord,
        values
        | {
            "steps": tuple(_known(RunStep, step) for step in steps),
            "script": None if script is None else _known(ScriptRun, script),
        },
    )


def _known(kind: type[T], values: dict[str, Any]) -> T:
    names = {field.name for field in fields(kind)}
    return kind(**{name: value for name, value in values.items() if name in names})

"""Records as JSON values: what a reader is told of a session, an agent, a workflow and its runs. (Lines
of a log: `log_json`.)

Times are given as UTC in ISO 8601. What a session was started with is told without
addresses that may carry credentials.

Below: records, agent_records, workflow_records. Above: reader, agents, kept, log_json.
"""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from notte_mcp.agent_records import AgentRecord
from notte_mcp.records import SessionRecord
from notte_mcp.workflow_records import RunRecord, WorkflowRecord

if TYPE_CHECKING:
    from notte_mcp.workflows import Workflow, WorkflowStep

UNSETTLED: Final = frozenset({"intended", "outcome_unknown"})
"""States of a step of which nobody knows whether it succeeded."""

LISTED_CHARS: Final = 500
"""Of a task or an answer, where many agents are listed."""


def session_json(record: SessionRecord) -> dict[str, Any]:
    """How a session stands."""
    return {
        "id": record.id,
        "state": record.state,
        "reason": record.reason,
        "url": record.url,
        "title": record.title,
        "step_count": record.step_count,
        "engine": record.spec.engine,
        **({"cloud_session_id": record.remote_id} if record.remote_id else {}),
        "profile": record.spec.profile,
        "created_at": time_text(record.created_at),
        "updated_at": time_text(record.updated_at),
        "storage_saved_at": time_text(record.storage_saved_at),
        "steps_uri": f"notte://sessions/{record.id}/steps",
    }


def agent_json(record: AgentRecord) -> dict[str, Any]:
    """How an agent stands, what it was asked and limited to, what it came to and what it used."""
    spec = record.spec
    return {
        **_agent_heading(record),
        "task": spec.task,
        "question": record.question,
        "success": record.success,
        "answer": record.answer,
        "result": record.result,
        "usage": {**asdict(record.usage), "tokens": record.usage.tokens},
        "model": spec.model,
        "use_vision": spec.use_vision,
        "is_fallback": spec.is_fallback,
        "max_steps": spec.max_steps,
        "timeout_seconds": spec.timeout_seconds,
        "retries": spec.retries,
        "max_tokens_spent": spec.max_tokens_spent,
        "max_usd": spec.max_usd,
        "response_schema": spec.response_schema,
        **_agent_times(record),
    }


def listed_agent_json(record: AgentRecord) -> dict[str, Any]:
    """An agent among others: long texts are cut, and what only one reader of it needs is left out."""
    return {
        **_agent_heading(record),
        "task": _cut(record.spec.task),
        "question": _cut(record.question),
        "success": record.success,
        "answer": _cut(record.answer),
        **_agent_times(record),
    }


def version_json(record: WorkflowRecord) -> dict[str, Any]:
    """One version of a saved workflow, among others."""
    return {
        "name": record.name,
        "version": record.version,
        "verified": record.verified,
        "verified_at": time_text(record.verified_at),
        "source": record.source,
        "created_at": time_text(record.created_at),
        "uri": f"notte://workflows/{record.name}@{record.version}",
    }


def workflow_json(record: WorkflowRecord, workflow: "Workflow", versions: Sequence[WorkflowRecord]) -> dict[str, Any]:
    """A saved workflow: what it is given, what it does, and the `versions` of its name, newest first."""
    parameters = [
        {name: value for name, value in asdict(one).items() if value is not None} for one in workflow.parameters
    ]
    return {
        **version_json(record),
        "parameters": parameters,
        "start_url": workflow.start_url,
        "steps": [_workflow_step_json(step) for step in workflow.steps],
        "ends_at": workflow.final_url,
        "shows_then": list(workflow.expects),
        "versions": [version_json(one) for one in versions],
    }


def _workflow_step_json(step: "WorkflowStep") -> dict[str, Any]:
    """A step in words, with the selectors that lead to its element (the first one is the one that scripts use) and
    what repeating it does outside."""
    from notte_mcp.runs.words import described  # late: no other reading needs workflows
    from notte_mcp.workflows.acting import ways

    found = {
        "ways": [way.selector for way in ways(step.locators)] if step.locators is not None else [],
        "ways_to_its_end": [way.selector for way in ways(step.destination)] if step.destination is not None else [],
        "effect": step.effect,
    }
    told = {name: value for name, value in found.items() if value}
    return {"number": step.number, "what": step.comment or described(step), **told}


def run_json(record: RunRecord) -> dict[str, Any]:
    """How a run or a verification stands, with what became of each step."""
    return {
        **listed_run_json(record),
        "reason": record.reason,  # what else there is to say of its end is said below
        "verified": record.verified,
        "difference": record.difference,
        "result": record.result,
        "parameters": record.parameters,
        "session_id": record.session_id,
        "agent_id": record.agent_id,
        "steps": [asdict(step) for step in record.steps],
        "script": None if record.script is None else asdict(record.script),
        "has_proposal": record.proposal is not None,
    }


def listed_run_json(record: RunRecord) -> dict[str, Any]:
    """A run among others."""
    return {
        "id": record.id,
        "kind": record.kind,
        "state": record.state,
        "reason": record.why,
        "workflow": record.workflow,
        "version": record.version,
        "source": record.source,
        "mode": record.mode if record.kind == "verify" else None,
        "target": record.target,
        "step_count": record.step_count,
        "created_at": time_text(record.created_at),
        "ended_at": time_text(record.ended_at),
    }


def _agent_heading(record: AgentRecord) -> dict[str, Any]:
    return {
        "id": record.id,
        "state": record.state,
        "reason": record.reason,
        "driver": record.spec.driver,
        "session_id": record.session_id,
        "attempt": record.attempt,
        "step_count": record.step_count,
    }


def _agent_times(record: AgentRecord) -> dict[str, Any]:
    return {
        "created_at": time_text(record.created_at),
        "updated_at": time_text(record.updated_at),
        "ended_at": time_text(record.ended_at),
        "steps_uri": f"notte://agents/{record.id}/steps",
    }


def _cut(text: str | None) -> str | None:
    return text if text is None or len(text) <= LISTED_CHARS else text[: LISTED_CHARS - 1] + "…"


def time_text(seconds: float | None) -> str | None:
    """Unix seconds as UTC in ISO 8601, to the millisecond."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")

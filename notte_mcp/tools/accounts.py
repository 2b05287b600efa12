"""Sessions as facts: the one form in which status and stop tell of a session, and what to call next.

Below: records, step_text. Above: the tools that answer with facts.
"""

from collections.abc import Sequence
from typing import Any, Final

from notte_mcp.page_text import url_text
from notte_mcp.records import LIVE_STATES, SessionRecord, StepRecord
from notte_mcp.step_text import step_line

MAX_STEPS: Final = 50
"""Steps in one answer; `after_step` goes on."""

LAST_STEPS: Final = 10
"""Steps that are told where no `after_step` is given."""


def account(record: SessionRecord, steps: Sequence[StepRecord], *, after: int) -> dict[str, Any]:
    """A session and its steps. `last_step` is the last one told (the next `after_step`), `step_count` counts all."""
    return {
        "id": record.id,
        "kind": "session",
        "state": record.state,
        "reason": record.reason or None,
        "session_id": record.id,
        "url": url_text(record.url),
        "title": record.title,
        "steps": [_step(step) for step in steps],
        "last_step": steps[-1].number if steps else after,
        "step_count": record.step_count,
        "next": next_call(record),
    }


def brief(record: SessionRecord) -> dict[str, Any]:
    """A session on one line of a list."""
    values = {
        "session_id": record.id,
        "state": record.state,
        "reason": record.reason,
        "url": url_text(record.url),
        "title": record.title,
    }
    return {**{key: value for key, value in values.items() if value}, "step_count": record.step_count}


def next_call(record: SessionRecord) -> str:
    """The call that is most likely wanted next."""
    match record.state:
        case "ready":
            return "notte_observe, or notte_execute with ids from an observation"
        case "starting" | "busy" | "stopping":
            return "notte_status with wait_seconds"
        case "interrupted" | "failed":
            return f'notte_start(session_id="{record.id}") for a new browser with its saved state at its last url'
        case "stopped":
            return f'notte_workflow_code(id="{record.id}") for its script'


def is_live(record: SessionRecord) -> bool:
    """Whether the session may have a browser."""
    return record.state in LIVE_STATES


def _step(step: StepRecord) -> dict[str, Any]:
    told: dict[str, Any] = {"number": step.number, "actor": step.actor, "action": step_line(step)}
    if step.state not in ("intended", "outcome_unknown"):
        told["success"] = step.success
    if step.message and not step.success:
        told["message"] = step.message
    return told

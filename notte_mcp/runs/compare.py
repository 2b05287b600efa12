"""How a run's ends are held against the recording's: where it stands, what is to be seen, the form of what was read.

Below: registry, workflows. Above: steps, run.
"""

import math
from typing import Any, Final, Protocol, cast

from notte_mcp.actions import WaitFor
from notte_mcp.observations import clean_line
from notte_mcp.receipts import Receipt
from notte_mcp.registry import LiveSession
from notte_mcp.workflows import Workflow, WorkflowStep
from notte_mcp.workflows.landmark_texts import fixed
from notte_mcp.workflows.urls import fits

END_MS: Final = 5_000
"""How long the end state may take to come about."""

MAX_CHARS: Final = 200

_OUTLINE: Final = frozenset({"type", "minItems", "minProperties", "minLength"})
"""What of a shape another run's data must have; keys and the kinds of inner values differ with the data."""

_SCALARS: Final = frozenset({"boolean", "integer", "number", "string"})


class _Fault(Protocol):
    """What is used of jsonschema's ValidationError, which has no types of its own."""

    message: str
    json_path: str


async def end_state(live: LiveSession, workflow: Workflow) -> str:
    """The first thing that is not as it was at the recording's end, or ""."""
    if workflow.final_url is not None and not fits(workflow.final_url, live.record.url):
        await live.met(WaitFor(url=workflow.final_url, timeout_ms=END_MS))
        if not fits(workflow.final_url, live.record.url):
            return f"it ended at {live.record.url}, and the recording at {workflow.final_url}"
    for text in workflow.expects:
        if not await live.met(WaitFor(value=fixed(text), timeout_ms=END_MS)):
            return f'"{clean_line(text, MAX_CHARS)}" was to be seen at the end, and is not'
    return ""


def misfit(step: WorkflowStep, receipt: Receipt) -> str:
    """Why the data that a reading step gave cannot be what was meant, or "": a list is none any more, or nothing is left."""
    outline = {name: value for name, value in (step.shape or {}).items() if name in _OUTLINE}
    if set(_kinds(outline)) & _SCALARS:
        outline["type"] = sorted(_SCALARS)
    return _fault(outline, receipt.data, "is not of the recorded form")


def oddity(step: WorkflowStep, receipt: Receipt) -> str:
    """What is otherwise in the data than it was, or "": another run may have other data, so it is only told."""
    return _fault(step.shape or {}, receipt.data, "is not quite of the recorded form")


def _fault(shape: dict[str, Any], data: object, how: str) -> str:
    if not shape:
        return ""
    from jsonschema import Draft202012Validator

    fault: _Fault | None = next(iter(cast(Any, Draft202012Validator)(shape).iter_errors(_plain(data))), None)
    return f"what it read {how}: {fault.json_path}: {clean_line(fault.message, MAX_CHARS)}" if fault is not None else ""


def _kinds(shape: dict[str, Any]) -> list[str]:
    kind: str | list[str] = shape.get("type", [])
    return [kind] if isinstance(kind, str) else kind


def _plain(data: object) -> object:
    return None if isinstance(data, float) and not math.isfinite(data) else data

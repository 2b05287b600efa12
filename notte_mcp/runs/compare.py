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


class _Fault(Protocol):
    """What is used of jsonschema's ValidationError, which has no types of its own."""

    message: str
    json_path: str


async def end_state(live: LiveSession, workflow: Workflow) -> str:
    """The first thing that is not as it was at the recording's end, or ""."""
    if workflow.final_url is not None and not fits(workflow.final_url, live.record.url):
        await live.execute(
            [WaitFor(url=workflow.final_url, timeout_ms=END_MS)], actor="workflow", deadline_s=2 * END_MS / 1000
        )
        if not fits(workflow.final_url, live.record.url):
            return f"it ended at {live.record.url}, and the recording at {workflow.final_url}"
    if not workflow.expects:
        return ""
    waits = [WaitFor(value=fixed(text), timeout_ms=END_MS) for text in workflow.expects]
    batch = await live.execute(waits, actor="workflow", deadline_s=END_MS / 1000 * (len(waits) + 1))
    missing = [text for text, receipt in zip(workflow.expects, batch.receipts, strict=False) if not receipt.success]
    return f'"{clean_line(missing[0], MAX_CHARS)}" was to be seen at the end, and is not' if missing else ""


def misfit(step: WorkflowStep, receipt: Receipt) -> str:
    """What is not as it was in the data that a reading step gave, or ""."""
    if step.shape is None:
        return ""
    from jsonschema import Draft202012Validator

    validator = cast(Any, Draft202012Validator)(step.shape)
    fault: _Fault | None = next(iter(validator.iter_errors(_plain(receipt.data))), None)
    if fault is None:
        return ""
    return f"what it read is not of the recorded form: {fault.json_path}: {clean_line(fault.message, MAX_CHARS)}"


def _plain(data: object) -> object:
    return None if isinstance(data, float) and not math.isfinite(data) else data

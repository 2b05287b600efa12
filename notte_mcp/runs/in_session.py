"""What a run does and asks in its session: actions as steps of the workflow, where it stands, what is there.

Below: aims, registry, workflows. Above: steps.
"""

from collections.abc import Callable, Sequence
from typing import Final

from notte_mcp.action_fields import DEFAULT_LOAD_TIMEOUT_MS, DEFAULT_TIMEOUT_MS
from notte_mcp.actions import Action, WaitFor
from notte_mcp.engines.base import Found
from notte_mcp.errors import NotteMCPError, PageNotResponding
from notte_mcp.receipts import Receipt
from notte_mcp.registry import LiveSession
from notte_mcp.runs.aims import Aim
from notte_mcp.workflows import WorkflowStep
from notte_mcp.workflows.urls import fits

SPARE_S: Final = 5.0
"""What a call may take beyond the time of its actions."""


async def perform(live: LiveSession, action: Action) -> Receipt:
    """One action as a step of the workflow, with all the time that it names."""
    return (await perform_all(live, [action]))[0]


async def perform_all(
    live: LiveSession, actions: Sequence[Action], heard: Callable[[Receipt], None] | None = None
) -> tuple[Receipt, ...]:
    """Actions as steps of the workflow in one batch, up to the first that fails; `heard` is told each receipt at once."""
    own_ms = sum(getattr(action, "timeout_ms", getattr(action, "time_ms", DEFAULT_TIMEOUT_MS)) for action in actions)
    batch = await live.execute(actions, actor="workflow", deadline_s=own_ms / 1000 + SPARE_S, heard=heard)
    if not batch.receipts:
        raise NotteMCPError(f"It was not begun: {batch.stopped}.")
    return batch.receipts


async def arrived(live: LiveSession, step: WorkflowStep, receipt: Receipt) -> str:
    """What is not as it was after the step, or ""."""
    if step.opens_tab and receipt.new_tab is None:
        return "it opened no tab, and in the recording it did"
    if step.closes_tab and not receipt.tab_closed:
        return "its tab did not close, and in the recording it did"
    if step.leads_to is None:
        return ""
    if step.anew and not receipt.moved and not receipt.unsettled:
        return "it left the page as it was, and in the recording it loaded it anew"
    if fits(step.leads_to, receipt.url_after) or await at(live, step.leads_to, DEFAULT_LOAD_TIMEOUT_MS):
        return ""
    return elsewhere(live, step.leads_to)


async def at(live: LiveSession, pattern: str, timeout_ms: int) -> bool:
    """Whether the session stands at an address of this pattern, or comes there in time."""
    if not fits(pattern, live.record.url):
        await perform(live, WaitFor(url=pattern, timeout_ms=timeout_ms))
    return fits(pattern, live.record.url)


def elsewhere(live: LiveSession, pattern: str) -> str:
    """What is said of a step that led to another place than in the recording."""
    return f"it led to {live.record.url}, and in the recording to {pattern}"


async def found(live: LiveSession, aims: Sequence[Aim]) -> list[Found | None]:
    """What all ways lead to now; nothing while the page does not answer."""
    selectors = [way.selector for aim in aims for way in aim.all]
    try:
        return await live.find(selectors)
    except PageNotResponding:
        return [None] * len(selectors)

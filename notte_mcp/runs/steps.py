"""One step done again: its element found by the recorded ways, its action performed, its arrival waited for.

The first way is tried as it is, which costs nothing where it holds. Where it matches nothing (and so nothing
was done), all ways are looked up at once until one can be believed or the action's own time is over. An
action that may have been done is never done again.

Below: aims, compare, values, registry, workflows. Above: run.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import anyio

from notte_mcp.action_fields import DEFAULT_LOAD_TIMEOUT_MS, DEFAULT_TIMEOUT_MS
from notte_mcp.actions import Action, WaitFor
from notte_mcp.engines.base import Found
from notte_mcp.errors import NotteMCPError, PageNotResponding, SessionLost, SessionNotLive
from notte_mcp.receipts import Receipt
from notte_mcp.registry import LiveSession, Registry
from notte_mcp.runs.aims import Aim, aims_of, chosen_of, healing
from notte_mcp.runs.compare import misfit, oddity
from notte_mcp.runs.values import Values
from notte_mcp.workflow_records import RunStepState
from notte_mcp.workflows import WorkflowStep
from notte_mcp.workflows.acting import Way, action_of
from notte_mcp.workflows.landmark_texts import fixed
from notte_mcp.workflows.urls import fits

FIRST_WAY_S: Final = 2.0
"""How long the first way has before another one is believed; once one was healed the page is known to have changed."""

ONCE_HEALED_S: Final = 0.5

LOOK_EVERY_S: Final = 0.05
AWAITED_MS: Final = 10_000
"""How long a text that was there when a page was read may take."""

SPARE_S: Final = 5.0
"""What a call may take beyond the time of its action."""

_MISSED: Final = frozenset({"selector_not_found", "selector_ambiguous", "stale_element"})
_NOT_YET: Final = _MISSED | {"not_actionable"}
"""Codes of receipts after which it is certain that nothing was done."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a step. `data` is what it read; `is_final` says that nobody else may try it."""

    state: RunStepState
    message: str = ""
    healed_by: str = ""
    data: Any = None
    is_final: bool = False


class Steps:
    """The steps of one run in its session; see the module."""

    def __init__(self, registry: Registry, session_id: str, values: Values) -> None:
        self._registry = registry
        self._session_id = session_id
        self._values = values
        self._was_healed = False

    async def do(self, step: WorkflowStep) -> Outcome:
        """Do it. A failure is an outcome, whatever kind it is of."""
        try:
            async with self._registry.use(self._session_id) as live:
                return await self._do(live, step)
        except (SessionLost, SessionNotLive) as error:
            return Outcome("failed", str(error), is_final=True)
        except NotteMCPError as error:
            return Outcome("failed", error.what)

    async def arrived_at(self, step: WorkflowStep) -> str:
        """What is not as it was after the step, which somebody else did, or ""."""
        if step.leads_to is None:
            return ""
        try:
            async with self._registry.use(self._session_id) as live:
                return "" if await at(live, step.leads_to, DEFAULT_TIMEOUT_MS) else _elsewhere(live, step.leads_to)
        except NotteMCPError as error:
            return error.what

    async def _do(self, live: LiveSession, step: WorkflowStep) -> Outcome:
        for text in step.awaits:
            receipt = await perform(live, WaitFor(value=fixed(text), timeout_ms=AWAITED_MS))
            if not receipt.success:
                return Outcome("failed", f'"{text}", which the recording saw here, is not there')
        receipt, healed_by = await self._performed(live, step)
        if not receipt.success:
            return Outcome("failed", receipt.message, is_final=receipt.code == "outcome_unknown")
        if difference := await self._arrived(live, step, receipt) or misfit(step, receipt):
            return Outcome("failed", difference)
        self._was_healed |= bool(healed_by)
        state: RunStepState = "healed" if healed_by else "passed"
        return Outcome(state, oddity(step, receipt), healed_by=healed_by, data=receipt.data)

    # --- the element ----------------------------------------------------------------

    async def _performed(self, live: LiveSession, step: WorkflowStep) -> tuple[Receipt, str]:
        """The receipt, and the selector that found the element where it was not the first."""
        aims = aims_of(step, self._values.texts)
        action = self._action(step, [aim.ways[0] if aim.ways else None for aim in aims])
        begun = anyio.current_time()
        if not any(aim.ways for aim in aims) or "timeout_ms" not in action.model_fields_set:
            # An action that names no time of its own gives up quickly where its element is not there.
            receipt = await perform(live, action)
            if receipt.success or receipt.code not in _NOT_YET or not any(aim.ways for aim in aims):
                return receipt, ""
        return await self._sought(live, step, aims, action, begun)

    async def _sought(
        self, live: LiveSession, step: WorkflowStep, aims: Sequence[Aim], action: Action, begun: float
    ) -> tuple[Receipt, str]:
        """Look for the element until the action's time is over."""
        over = begun + getattr(action, "timeout_ms", DEFAULT_TIMEOUT_MS) / 1000
        patience_s = ONCE_HEALED_S if self._was_healed else FIRST_WAY_S
        while True:
            now = anyio.current_time()
            chosen = chosen_of(aims, await _found(live, aims), any_way=now - begun >= patience_s)
            if chosen is not None:
                timed = self._action(step, chosen).model_copy(
                    update={"timeout_ms": max(1_000, int((over - now) * 1000))}
                )
                receipt = await perform(live, timed)
                if receipt.success or receipt.code not in _MISSED:
                    return receipt, healing(aims, chosen)
            if anyio.current_time() >= over:
                tried = sum(len(aim.ways) for aim in aims)
                message = f"its element is not there: none of {tried} recorded ways leads to it"
                return Receipt(action.type, success=False, code="selector_not_found", message=message), ""
            await anyio.sleep(LOOK_EVERY_S)

    def _action(self, step: WorkflowStep, chosen: Sequence[Way | None]) -> Action:
        selector, to_selector = (way.selector if way is not None else None for way in chosen)
        return action_of(step, self._values.texts, selector=selector, to_selector=to_selector)

    # --- the arrival ----------------------------------------------------------------

    async def _arrived(self, live: LiveSession, step: WorkflowStep, receipt: Receipt) -> str:
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
        return _elsewhere(live, step.leads_to)


async def perform(live: LiveSession, action: Action) -> Receipt:
    """One action as a step of the workflow, with all the time that it names."""
    own_ms = getattr(action, "timeout_ms", getattr(action, "time_ms", DEFAULT_TIMEOUT_MS))
    batch = await live.execute([action], actor="workflow", deadline_s=own_ms / 1000 + SPARE_S)
    if not batch.receipts:
        raise NotteMCPError(f"It was not begun: {batch.stopped}.")
    return batch.receipts[0]


async def at(live: LiveSession, pattern: str, timeout_ms: int) -> bool:
    """Whether the session stands at an address of this pattern, or comes there in time."""
    if not fits(pattern, live.record.url):
        await perform(live, WaitFor(url=pattern, timeout_ms=timeout_ms))
    return fits(pattern, live.record.url)


def _elsewhere(live: LiveSession, pattern: str) -> str:
    return f"it led to {live.record.url}, and in the recording to {pattern}"


async def _found(live: LiveSession, aims: Sequence[Aim]) -> list[Found | None]:
    """What all ways lead to now; nothing while the page does not answer."""
    selectors = [way.selector for aim in aims for way in aim.all]
    try:
        return await live.find(selectors)
    except PageNotResponding:
        return [None] * len(selectors)

"""Steps done again: their elements found by the recorded ways, their actions performed, their arrivals waited for.

The first way is tried as it is, which costs nothing where it holds. Where it matches nothing (and so nothing
was done), all ways are looked up at once until one can be believed or the action's own time is over. An
action that may have been done is never done again. Steps that only fill in fields, one after the other, are one
batch: what is intended is written down once for all of them.

Below: in_session, aims, compare, values, registry, workflows. Above: run.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import anyio

from notte_mcp.action_fields import DEFAULT_TIMEOUT_MS
from notte_mcp.actions import Action, Check, FallbackFill, Fill, MultiFactorFill, SelectDropdownOption, WaitFor
from notte_mcp.errors import InvalidAction, NotteMCPError, SessionLost, SessionNotLive
from notte_mcp.receipts import Receipt
from notte_mcp.registry import LiveSession, Registry
from notte_mcp.runs.aims import Aim, aims_of, chosen_of, healing
from notte_mcp.runs.compare import misfit, oddity
from notte_mcp.runs.in_session import arrived, at, elsewhere, found, perform, perform_all
from notte_mcp.runs.values import Values
from notte_mcp.workflow_records import RunStepState
from notte_mcp.workflows import WorkflowStep
from notte_mcp.workflows.acting import Way, action_of
from notte_mcp.workflows.landmark_texts import fixed

FIRST_WAY_S: Final = 2.0
"""How long the first way has before another one is believed; once one was healed the page is known to have changed."""

ONCE_HEALED_S: Final = 0.5

TRIED_S: Final = 1.0
"""How long an engine looks for an element whose action names no time of its own."""

LOOK_EVERY_S: Final = 0.05
MAX_TOGETHER: Final = 20
"""Steps of one batch."""

AWAITED_MS: Final = 10_000
"""How long a text that was there when a page was read may take."""

_FIELDS: Final = (Fill, MultiFactorFill, FallbackFill, Check, SelectDropdownOption)
"""After these nothing is waited for."""

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

    async def do(self, steps: Sequence[WorkflowStep], over: Callable[[Outcome], None]) -> Outcome | None:
        """Do the first of them, and those after it that go with it; `over` hears of each that is done, at once. Gives
        the outcome of the one that failed, whatever kind of failure it is."""
        try:
            async with self._registry.use(self._session_id) as live:
                outcome = await self._do(live, steps, over)
        except (SessionLost, SessionNotLive) as error:
            return Outcome("failed", str(error), is_final=True)
        except NotteMCPError as error:
            return Outcome("failed", error.what)
        if outcome is not None and outcome.state != "failed":
            over(outcome)
            return None
        return outcome

    async def arrived_at(self, step: WorkflowStep) -> str:
        """What is not as it was after the step, which somebody else did, or ""."""
        if step.leads_to is None:
            return ""
        try:
            async with self._registry.use(self._session_id) as live:
                return "" if await at(live, step.leads_to, DEFAULT_TIMEOUT_MS) else elsewhere(live, step.leads_to)
        except NotteMCPError as error:
            return error.what

    async def _do(
        self, live: LiveSession, steps: Sequence[WorkflowStep], over: Callable[[Outcome], None]
    ) -> Outcome | None:
        """What became of the last one that was begun; None where `over` has heard of it."""
        step = steps[0]
        for text in step.awaits:
            if not await live.met(WaitFor(value=fixed(text), timeout_ms=AWAITED_MS)):
                return Outcome("failed", f'"{text}", which the recording saw here, is not there')
        fields = self._fields(steps)
        if len(fields) > 1:
            return await self._filled(live, steps, fields, over)
        return await self._judged(live, step, *await self._performed(live, step))

    async def _judged(self, live: LiveSession, step: WorkflowStep, receipt: Receipt, healed_by: str) -> Outcome:
        if not receipt.success:
            return Outcome("failed", receipt.message, is_final=receipt.code == "outcome_unknown")
        if difference := await arrived(live, step, receipt) or misfit(step, receipt):
            return Outcome("failed", difference)
        self._was_healed |= bool(healed_by)
        state: RunStepState = "healed" if healed_by else "passed"
        return Outcome(state, oddity(step, receipt), healed_by=healed_by, data=receipt.data)

    # --- fields ---------------------------------------------------------------------

    def _fields(self, steps: Sequence[WorkflowStep]) -> list[Action]:
        """The actions of the first steps, as far as they only fill in fields. None on a page that is known to have
        changed: there each is looked for by itself."""
        actions: list[Action] = []
        for step in steps[: 0 if self._was_healed else MAX_TOGETHER]:
            aim, _ = aims_of(step, self._values.texts)
            if not aim.ways or not aim.is_sure or not _only_fills(step) or (actions and step.awaits):
                break
            try:
                actions.append(self._action(step, (aim.ways[0], None)))
            except InvalidAction:
                break  # which is this step's own failure, when it is its turn
        return actions

    async def _filled(
        self,
        live: LiveSession,
        steps: Sequence[WorkflowStep],
        fields: Sequence[Action],
        over: Callable[[Outcome], None],
    ) -> Outcome | None:
        """As `_do`, for several at once."""

        def heard(receipt: Receipt) -> None:
            if receipt.success:
                over(Outcome("passed"))

        done = await perform_all(live, fields, heard)
        receipt, step = done[-1], steps[len(done) - 1]
        if receipt.success:
            return None
        if receipt.code not in _NOT_YET:
            return await self._judged(live, step, receipt, "")
        begun = anyio.current_time() - TRIED_S
        aims = aims_of(step, self._values.texts)
        return await self._judged(live, step, *await self._sought(live, step, aims, fields[len(done) - 1], begun))

    # --- the element ----------------------------------------------------------------

    async def _performed(self, live: LiveSession, step: WorkflowStep) -> tuple[Receipt, str]:
        """The receipt, and the selector that found the element where it was not the first."""
        aims = aims_of(step, self._values.texts)
        action = self._action(step, [aim.ways[0] if aim.ways else None for aim in aims])
        begun = anyio.current_time()
        at_once = "timeout_ms" not in action.model_fields_set and all(aim.is_sure for aim in aims)
        if at_once or not any(aim.ways for aim in aims):
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
            chosen = chosen_of(aims, await found(live, aims), any_way=now - begun >= patience_s)
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


def _only_fills(step: WorkflowStep) -> bool:
    action = step.action
    if (
        not isinstance(action, _FIELDS)
        or "timeout_ms" in action.model_fields_set
        or getattr(action, "press_enter", False)
    ):
        return False
    return not (step.leads_to or step.effect or step.opens_tab or step.closes_tab)

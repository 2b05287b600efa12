"""How a session ends: within its budget, whoever holds it, and with every step accounted for.

In order: let the action in flight finish, else cut it; save the login state;
close the browser and the film; write what nobody else will; say so. Each part has its own
share of the time, so that a hung page cannot eat the browser's end.

Below: slot, saving, store.base. Above: registry.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final

import anyio

from notte_mcp.errors import NotteMCPError
from notte_mcp.logs import Log
from notte_mcp.receipts import Receipt
from notte_mcp.records import SessionRecord, StepRecord
from notte_mcp.registry.slot import Ending, Slot
from notte_mcp.store.base import Store

GRACE_S: Final = 2.5
"""How long a graceful stop waits for the action in flight (Notte's rule)."""

BUDGET_S: Final = 3.5
"""How long a stop takes at most, leaving room in the promised 4 s for a busy machine and the answer."""

_CUT_S: Final = 0.3
_SAVE_S: Final = 0.5
_SAVE_HUNG_S: Final = 0.2
_LEAST_CLOSE_S: Final = 0.4

log = Log("registry")


def stopped(reason: str, *, now: bool = False) -> Ending:
    """Somebody, or a limit, stops the session."""
    return Ending("stopped", reason, grace_s=0 if now else GRACE_S, budget_s=BUDGET_S, clean=not now)


def crashed(detail: str) -> Ending:
    """The browser went away by itself: whoever acts in it is about to be told by the engine."""
    return Ending("failed", "crash", grace_s=_CUT_S, budget_s=2, clean=False, detail=detail)


def interrupted(deadline_s: float) -> Ending:
    """The server ends, and has `deadline_s` for it."""
    return Ending("interrupted", "restart", grace_s=deadline_s * 0.25, budget_s=deadline_s, clean=True)


async def end(
    slot: Slot,
    store: Store,
    *,
    save: Callable[[Slot, float], Awaitable[None]],
    is_over: Callable[[SessionRecord], Awaitable[bool]],
) -> None:
    """End a session whose `ending` is set. Never raises for what the browser or the disk do.

    `save` writes the login state down; it is told how many seconds the browser has to give it. `is_over` tells of a
    session on another machine whether it has ended there: until then it is `stopping`.
    """
    assert slot.ending is not None  # noqa: S101 - set in the same turn of the loop that starts this
    ending = slot.ending
    ends_at = anyio.current_time() + ending.budget_s
    with anyio.CancelScope(shield=True):
        quiet = await _quiet(slot, ending)
        # Before the last save: one that hangs in the background holds its turn.
        slot.drop_background()
        slot.update()
        browser = slot.last_browser
        if browser is not None:
            async with anyio.create_task_group() as last:
                if ending.clean and browser.alive:
                    last.start_soon(slot.camera.last_look, browser)
                    # A page that hung a moment ago is unlikely to tell what it holds; what lives on elsewhere keeps it.
                    if not (slot.record.remote_id and ending.state == "interrupted"):
                        await save(slot, min(_SAVE_S if quiet else _SAVE_HUNG_S, ending.budget_s / 3))
            async with anyio.create_task_group() as closing:
                closing.start_soon(slot.camera.close, slot.unusable)
                left = max(ends_at - anyio.current_time(), _LEAST_CLOSE_S)
                keep = _stays(slot.record, ending)
                await browser.close(deadline_s=left, keep=keep)
                if slot.record.remote_id and not keep:
                    slot.is_unheard = True
                    with anyio.move_on_after(max(ends_at - anyio.current_time(), _LEAST_CLOSE_S)):
                        slot.is_unheard = not await is_over(slot.record)
        else:
            await slot.camera.close(slot.unusable)
        state = "stopping" if slot.is_unheard else ending.state
        slot.record = replace(slot.record, state=state, reason=ending.reason)
        await _write(slot, store)
    log.info("session.ended", session=slot.id, state=ending.state, reason=ending.reason)


def _stays(record: SessionRecord, ending: Ending) -> bool:
    """Whether one on another machine is left as it is there: we are the ones who go, or it was there before us."""
    if ending.state != "stopped" or ending.is_there:
        return True
    return "session_id" in record.spec.cloud and ending.reason in ("idle_timeout", "max_duration")


async def _quiet(slot: Slot, ending: Ending) -> bool:
    """Until nobody acts in the session any more, or no longer than that may take; False where it had to be cut."""
    work = slot.work
    if work is None:
        return True
    with slot.grace:
        slot.grace.deadline = anyio.current_time() + ending.grace_s
        await work.done.wait()
        return True
    work.cut()
    with anyio.move_on_after(_CUT_S):
        await work.done.wait()
    return False


async def _write(slot: Slot, store: Store) -> None:
    """The session's last record, and the steps whose caller will not write them."""
    if not slot.recorded:
        return
    flight = slot.flight
    withdrawn = [*slot.unwanted, *slot.never_begun()]
    owed = list(flight.values())
    flight.clear()
    now = slot.clock.unix()
    try:
        if withdrawn:
            await store.withdraw(slot.id, withdrawn)
        for step in owed:
            outcome = _unknown(step, at=now) if step.state == "intended" else step
            slot.record = replace(slot.record, step_count=max(slot.record.step_count, step.number))
            await store.settle(outcome, slot.record)
        await store.put_session(slot.record)
    except NotteMCPError as error:
        # The session is over all the same; the next start finds it live without an owner, and says so.
        log.error("session.not_written", session=slot.id, error=str(error))
    slot.acknowledged = slot.record.step_count


def _unknown(step: StepRecord, *, at: float) -> StepRecord:
    receipt = Receipt(
        str(step.action.get("type", "")),
        success=False,
        code="outcome_unknown",
        message="the session ended while it ran; whether it happened is unknown",
    )
    return replace(step, state="outcome_unknown", ended_at=max(at, step.started_at), receipt=receipt)

"""A batch of actions: written down before the browser is touched, settled before the caller hears.

All intents of a batch are one commit, each outcome is one. What was cut short,
by the caller, a stop or a lost browser, is `outcome_unknown`: it may or may not
have happened, and nothing does it again. What was never begun is taken back.

Below: slot, written, store.base, engines.base. Above: live.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final, Literal

import anyio
from anyio.lowlevel import checkpoint_if_cancelled

from notte_mcp.actions import Action, Completion, EvaluateJs, HandleDialog, Help, Scrape, Wait, WaitFor
from notte_mcp.engines.base import Hand, TargetCheck
from notte_mcp.errors import NotteMCPError, PageNotResponding, SessionLost, StoreUnusable
from notte_mcp.receipts import Receipt
from notte_mcp.records import Actor, StepRecord, StepState
from notte_mcp.registry.hold import Hold
from notte_mcp.registry.slot import Slot, Work
from notte_mcp.registry.written import recorded, secrets_of, write_down
from notte_mcp.store.base import Store

OnError = Literal["stop", "continue"]

GRACE_S: Final = 4.0
"""How long an action may take beyond its timeout (it settles, its receipt is made) before it is given up."""

CHECK_S: Final = 10.0
"""How long looking up the ids of a batch may take."""

# Cut short, these leave the page as it was.
_HARMLESS: Final = (Wait, WaitFor, Scrape, HandleDialog, Help, Completion)

_TOUCHING_NOTHING: Final = frozenset({"scrape", "help", "completion"})


@dataclass(frozen=True, slots=True)
class Batch:
    """What a batch of actions came to.

    `receipts[i]` belongs to action i; `steps[i]` is its step number. Actions
    from `len(receipts)` on were not run; `stopped` says why ("" where all ran).
    """

    receipts: tuple[Receipt, ...]
    steps: tuple[int, ...]
    total: int
    stopped: str = ""


class Run:
    """One batch on its way. `ends_at` is the clock's: no action is begun after it.

    `hold` is the agent's that had the session when the batch came in: its steps are that agent's to the end,
    whoever gets the session meanwhile. `known` is the receipt of one action that was done already: it is only
    written down. `heard` is told each receipt when its outcome is on disk; it must not wait.
    `hand` is a person's, who does the one action.
    """

    def __init__(
        self,
        slot: Slot,
        store: Store,
        work: Work,
        actions: Sequence[Action],
        *,
        actor: Actor,
        ends_at: float,
        hold: Hold | None = None,
        by: str | None = None,
        known: Receipt | None = None,
        heard: Callable[[Receipt], None] | None = None,
        hand: Hand | None = None,
    ) -> None:
        self._slot = slot
        self._store = store
        self._work = work
        self._known = known
        self._actions = actions
        self._actor: Actor = actor
        self._ends_at = ends_at
        self._hold = hold
        self._by = by
        self._heard = heard
        self._hand = hand
        self._checks: list[TargetCheck] = []
        self._first = slot.record.step_count + 1
        self._receipts: list[Receipt] = []
        self._begun_at = slot.clock.now()

    async def all(self, *, on_error: OnError) -> Batch:
        """Check, intend, act (see `LiveSession.execute`)."""
        try:
            with self._work.cuttable(CHECK_S) as scope:
                self._checks = await self._slot.browser.check(self._actions)
        except SessionLost as error:
            raise self._slot.lost(error.what) from error
        if scope.cancelled_caught:
            raise self._slot.unusable() if self._slot.ending else self._unchecked()
        await write_owed(self._slot, self._store)
        await self._intend()
        try:
            if self._hold is not None:
                await self._hold.intended(by=self._by)
            stopped = await self._act(on_error)
        finally:
            await self._withdraw()
        numbers = tuple(range(self._first, self._first + len(self._receipts)))
        return Batch(tuple(self._receipts), numbers, len(self._actions), stopped)

    def _unchecked(self) -> PageNotResponding:
        return PageNotResponding(
            f"The page did not answer within {CHECK_S:.0f} s when the ids were looked up.",
            next_call='notte_execute with one {"type": "reload"} or {"type": "goto", "url": ...}',
        )

    async def _intend(self) -> None:
        redactor = self._slot.redactor
        for action, check in zip(self._actions, self._checks, strict=True):
            for name, value in secrets_of(action, check.secret).items():
                redactor.add(name, value)
        now = self._slot.clock.unix()
        hold = self._hold
        intents = [
            StepRecord(
                session_id=self._slot.id,
                number=self._first + index - 1,
                actor=self._actor,
                state="intended",
                action=write_down(action, redactor, name=check.secret, known=check.known),
                started_at=now,
                agent_id=hold.agent_id if hold is not None else None,
                agent_step=hold.step_count + index if hold is not None else None,
                saw=self._slot.record.seen if index == 1 else (),
                usage=hold.spent(by=self._by) if hold is not None and index == 1 else None,
            )
            for index, (action, check) in enumerate(zip(self._actions, self._checks, strict=True), 1)
        ]
        # Under a shield, since an abandoned write may be on disk all the same.
        with anyio.CancelScope(shield=True):
            await self._store.intend(intents)
        self._slot.flight = {intent.number: intent for intent in intents}

    async def _act(self, on_error: OnError) -> str:
        """Do one after the other; gives why it stopped early, or ""."""
        for index, action in enumerate(self._actions):
            await checkpoint_if_cancelled()
            if reason := self._not_now(action):
                return reason
            receipt = await self._one(index, action)
            self._receipts.append(receipt)
            if self._heard is not None:
                self._heard(receipt)
            if index + 1 < len(self._actions) and (reason := self._not_on(index, receipt, on_error)):
                return reason
        return ""

    def _not_now(self, action: Action) -> str:
        """Why no further action may begin, or ""."""
        if self._slot.ending is not None:
            return "the session is being stopped"
        left_s = self._ends_at - self._slot.clock.now()
        if left_s <= 0:
            return "the time for one call is over; send the rest in a new call"
        # As the first one it is begun all the same, and says how long it was: the next call may have no more time.
        if self._receipts and isinstance(action, Wait) and action.time_ms > left_s * 1000:
            return f"wait {action.time_ms} is longer than the {left_s:.0f} s left for this call; send the rest in a new call"
        return self._hold.stops(action, by=self._by) if self._hold is not None else ""

    def _not_on(self, index: int, receipt: Receipt, on_error: OnError) -> str:
        """Why the action after this one may not run, or ""."""
        if receipt.code == "outcome_unknown":
            return f"the outcome of action {index + 1} is unknown"
        if not receipt.success and on_error == "stop":
            return f"action {index + 1} failed"
        later = [n for n, action in enumerate(self._actions[index + 1 :], index + 2) if _names_an_id(action)]
        if receipt.navigated and later:
            return (
                f"action {index + 1} left the page, and action {later[0]} names an id of the page that was left; "
                "observe the new page first"
            )
        return ""

    async def _one(self, index: int, action: Action) -> Receipt:
        """Perform one action and write its outcome, whatever that is."""
        slot, check = self._slot, self._checks[index]
        intent = slot.flight[self._first + index]
        slot.flight[intent.number] = begun = replace(intent, started_at=slot.clock.unix())
        self._begun_at = slot.clock.now()
        slot.begin(intent.number)
        if self._hold is not None:
            self._hold.begun(begun)
        if self._known is not None:
            return await self._settle(begun, action, check, self._known)
        own_scripts = slot.record.spec.scripts_after_secrets
        if isinstance(action, EvaluateJs) and slot.redactor.typed and not own_scripts:
            return await self._settle(begun, action, check, _no_scripts())
        if self._hold is not None and (judged := self._hold.judge(action, by=self._by)) is not None:
            return await self._settle(begun, action, check, judged)
        # From here on the page may hold it, whether or not the browser comes to say so.
        slot.redactor.typed |= bool(secrets_of(action, check.secret))
        timeout_s = max(self._ends_at - slot.clock.now(), 0.001)
        receipt: Receipt | None = None
        try:
            with self._work.cuttable(timeout_s + GRACE_S):
                ms = max(1, int(timeout_s * 1000))
                receipt = await slot.browser.perform(action, timeout_ms=ms, hand=self._hand)
        except SessionLost as error:
            # While the session is being stopped it is the stop that took the browser away.
            if not slot.is_stopping:
                await self._settle(begun, action, check, None)
                raise slot.lost(error.what, done=self._done(begun.number)) from error
        except NotteMCPError as error:
            receipt = Receipt(action.type, success=False, code=error.code, message=str(error))
        except BaseException:  # the caller is gone, or the engine has a fault: what happened is unknown either way
            await self._settle(begun, action, check, None)
            raise
        shown = await self._settle(begun, action, check, receipt)
        if receipt is None and slot.ending is not None and not slot.is_stopping:
            raise slot.unusable(done=self._done(begun.number))
        return shown

    async def _settle(self, step: StepRecord, action: Action, check: TargetCheck, receipt: Receipt | None) -> Receipt:
        """Write the outcome of `step`; None is one that nobody knows. Gives what the caller may see."""
        slot = self._slot
        name = check.secret
        if receipt is not None and receipt.secret:
            name = receipt.secret
        secrets = secrets_of(action, name)
        for secret, value in secrets.items():
            slot.redactor.add(secret, value)
        # Into a field that nobody has looked at, anything may have been typed.
        unseen = receipt is None and not check.known
        slot.redactor.typed |= bool(secrets) or unseen
        state, shown = _outcome(action, receipt, because_stopped=slot.ending is not None)
        if secrets and len(secrets) == 1:
            shown = shown.but(value=None, secret=next(iter(secrets)))
        shown = slot.redactor(shown)
        outcome = replace(
            step,
            state=state,
            action=write_down(action, slot.redactor, name=name, known=not unseen),
            # Not the time of day, which somebody may have set meanwhile.
            ended_at=step.started_at + slot.clock.now() - self._begun_at,
            receipt=recorded(shown),
        )
        if shown.navigated or shown.new_tab is not None:
            slot.moved(slot)
        await settle(slot, self._store, outcome)
        return shown

    def _done(self, number: int) -> str:
        before = number - self._first
        earlier = "Action 1 was done. " if before == 1 else f"Actions 1 to {before} were done. " if before else ""
        return f"{earlier}The outcome of action {before + 1} is unknown."

    async def _withdraw(self) -> None:
        """Take back the intents that were never begun. What the disk does not take, the next batch takes back first,
        and the error that is on its way is told."""
        self._slot.unwanted += self._slot.never_begun()
        with suppress(StoreUnusable):
            await _withdraw_unwanted(self._slot, self._store)


async def settle(slot: Slot, store: Store, outcome: StepRecord) -> None:
    """Write one outcome and where the session stands, unless whoever ended the session has.

    Raises:
        StoreUnusable: the disk does not take it; it is kept and written with the next one.
    """
    if outcome.number not in slot.flight:
        return
    slot.finish()
    # What stood out before the step may not after it.
    seen = slot.record.seen if outcome.action["type"] in _TOUCHING_NOTHING else ()
    where = {"url": outcome.url} if outcome.url else {}  # what was done on another machine tells itself where it was
    at = slot.update(step_count=outcome.number, seen=seen, **where).url
    slot.flight[outcome.number] = outcome = replace(outcome, url=at)
    try:
        with anyio.CancelScope(shield=True):
            await store.settle(outcome, slot.record)
    except StoreUnusable as error:
        raise StoreUnusable(
            f"The outcome of step {outcome.number} could not be written: {error.what}",
            done=f"The action was performed ({'it succeeded' if outcome.success else outcome.message}).",
            kept="The session and its page are as the action left them.",
            next_call="make room or free the database, then go on: the outcome is written with the next step",
        ) from error
    _acknowledge(slot, outcome)
    slot.beat()


def _acknowledge(slot: Slot, outcome: StepRecord) -> None:
    slot.flight.pop(outcome.number, None)
    slot.acknowledged = max(slot.acknowledged, outcome.number)
    slot.tail.append(outcome)
    if slot.hold is not None and slot.hold.agent_id == outcome.agent_id:
        slot.hold.settled(outcome)


async def write_owed(slot: Slot, store: Store) -> None:
    """Write the outcomes, and take back the intents, that the disk did not take at their time.

    Raises:
        StoreUnusable: it still does not.
    """
    await _withdraw_unwanted(slot, store)
    for outcome in list(slot.flight.values()):
        with anyio.CancelScope(shield=True):
            await store.settle(outcome, slot.record)
        _acknowledge(slot, outcome)


async def _withdraw_unwanted(slot: Slot, store: Store) -> None:
    if slot.unwanted:
        with anyio.CancelScope(shield=True):
            await store.withdraw(slot.id, slot.unwanted)
        slot.unwanted = []


def _outcome(action: Action, receipt: Receipt | None, *, because_stopped: bool) -> tuple[StepState, Receipt]:
    """A step's state, and the receipt that goes with it."""
    if receipt is not None:
        known: StepState = "outcome_unknown" if receipt.code == "outcome_unknown" else "failed"
        return ("done" if receipt.success else known), receipt
    harmless = isinstance(action, _HARMLESS)
    why = "the session was stopped while it ran" if because_stopped else "it was cut short"
    look = "look at what it would have changed" if because_stopped else "observe"
    told = "it changed nothing" if harmless else f"whether it happened is unknown: {look} before doing it again"
    state: StepState = "cancelled" if harmless else "outcome_unknown"
    return state, Receipt(action.type, success=False, code=state, message=f"{why}; {told}")


def _no_scripts() -> Receipt:
    return Receipt(
        "evaluate_js",
        success=False,
        code="not_allowed",
        message="evaluate_js is off in this session since a secret was typed in it (a script could read it back). "
        "Observe or scrape instead, or start another session.",
    )


def _names_an_id(action: Action) -> bool:
    return getattr(action, "id", None) is not None or getattr(action, "to_id", None) is not None

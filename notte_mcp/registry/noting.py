"""Steps that are only written down: somebody else did them, on the machine that the session lives on.

There is nothing to intend, since it is done; so a step is on disk with its outcome, or not at all. An action of a kind
that we do not have is written as it came. Secrets are names here as everywhere: what the session knows of is looked for,
and what goes into a field that takes one becomes one.

Below: batch, slot, written, store.base. Above: live.
"""

from dataclasses import dataclass
from typing import Any, Final

import anyio

from notte_mcp.actions import Action
from notte_mcp.batches import parse_action
from notte_mcp.errors import InvalidAction
from notte_mcp.receipts import Receipt
from notte_mcp.records import Actor, StepRecord, StepState
from notte_mcp.registry.batch import settle, write_owed
from notte_mcp.registry.slot import Slot
from notte_mcp.registry.written import secrets_of, write_down
from notte_mcp.store.base import Store

SECRET_ROLE: Final = "password"  # noqa: S105 - a role
"""The role, in our words, of a field whose text is a secret."""

SECRET: Final = "PASSWORD"  # noqa: S105 - a name
"""What is typed into such a field goes by this name."""


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that was done. `action` has our names where it is one of our actions; `success` is None where nobody
    says how it went. Times are Unix seconds; `url` is where the session stood then."""

    action: dict[str, Any]
    receipt: Receipt
    success: bool | None
    started_at: float
    ended_at: float
    url: str = ""


async def note_done(slot: Slot, store: Store, deed: Deed, *, actor: Actor) -> StepRecord:
    """Write it as the session's next step, and as the agent's that has the session; in the slot's lock.

    Raises:
        LimitReached: the session has no room for it. StoreUnusable.
    """
    slot.require_steps(1)
    await write_owed(slot, store)
    hold = slot.hold
    written, receipt = _written(slot, deed)
    step = StepRecord(
        session_id=slot.id,
        number=slot.record.step_count + 1,
        actor=actor,
        state=_state(deed),
        action=written,
        started_at=deed.started_at,
        ended_at=max(deed.ended_at, deed.started_at),
        receipt=receipt,
        url=slot.redactor.text(deed.url),
        agent_id=hold.agent_id if hold is not None else None,
        agent_step=hold.step_count + 1 if hold is not None else None,
        saw=slot.record.seen,
    )
    with anyio.CancelScope(shield=True):
        await store.intend([step])
        slot.flight = {step.number: step}
        await settle(slot, store, step)
    return step


def _state(deed: Deed) -> StepState:
    return "outcome_unknown" if deed.success is None else "done" if deed.success else "failed"


def _written(slot: Slot, deed: Deed) -> tuple[dict[str, Any], Receipt]:
    """The action and its receipt without secrets, which the session knows from now on."""
    redactor, target = slot.redactor, deed.receipt.target
    action = _parsed(deed.action)
    if action is None:
        return redactor({**deed.action, "type": str(deed.action.get("type") or "unknown")}), redactor(deed.receipt)
    name = SECRET if target is not None and target.role == SECRET_ROLE else None
    secrets = secrets_of(action, name)
    for secret, value in secrets.items():
        redactor.add(secret, value)
    redactor.typed |= bool(secrets)
    shown = deed.receipt.but(secret=next(iter(secrets))) if len(secrets) == 1 else deed.receipt
    return write_down(action, redactor, name=name, known=True), redactor(shown)


def _parsed(fields: dict[str, Any]) -> Action | None:
    try:
        return parse_action(fields)
    except InvalidAction:
        return None

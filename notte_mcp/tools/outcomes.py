"""What a batch of actions came to, in lines: the receipts, and the page afterwards.

Below: page_text, step_text, observations. Above: execute.
"""

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Literal

import anyio
from mcp.types import ResourceLink

from notte_mcp import page_text
from notte_mcp.actions import Action
from notte_mcp.errors import NotteMCPError
from notte_mcp.observations import Node, Observation, clean_line, estimate_tokens
from notte_mcp.receipts import Receipt
from notte_mcp.registry.refusals import NOTHING_DONE
from notte_mcp.resources.content import file_uri
from notte_mcp.step_text import numbers_text, receipt_line

if TYPE_CHECKING:
    from notte_mcp.app import App
    from notte_mcp.registry.batch import Batch
    from notte_mcp.registry.live import LiveSession

LOOK_S: Final = 3.0
"""How long looking at the page afterwards may take at the least, however late the actions ended."""

MIN_VIEW_TOKENS: Final = 200
"""What the page gets of the answer's budget, however long the receipts are."""

# What a field may be after it was filled, without that being worth a line.
_PLAIN_STATES: Final = frozenset({"required", "filled", "checked", "selected", "focused"})

Observe = Literal["changes", "actions", "none"]

# --- the page afterwards ------------------------------------------------------------


async def look_after(
    live: "LiveSession",
    observe: Observe,
    receipts: Sequence[Receipt],
    lines: list[str],
    *,
    max_tokens: int,
    ends_at: float,
) -> list[str]:
    """The page, in what is left of the answer's tokens after `lines` and of the call's time (`ends_at`: monotonic)."""
    room = max(MIN_VIEW_TOKENS, max_tokens - estimate_tokens("\n".join(lines)))
    with anyio.move_on_after(max(LOOK_S, ends_at - time.monotonic())):
        return await _page_after(live, observe, receipts, room)
    return ["note: the page could not be seen in time. Next: notte_observe."]


async def look_again(app: "App", session_id: str, lines: list[str], *, max_tokens: int, ends_at: float) -> list[str]:
    """The whole page, in a session that somebody else may act in by now: what was done is told in any case."""
    with anyio.move_on_after(max(LOOK_S, ends_at - time.monotonic())):
        try:
            async with app.registry.use(session_id) as live:
                return await look_after(live, "actions", (), lines, max_tokens=max_tokens, ends_at=ends_at)
        except NotteMCPError as error:
            return [f"note: the page could not be seen: {error.what}"]
    return ["note: the page could not be seen in time. Next: notte_observe."]


async def _page_after(live: "LiveSession", observe: Observe, receipts: Sequence[Receipt], room: int) -> list[str]:
    """What is to be told of the page. That it cannot be seen takes nothing from what was done: said, not raised."""
    if observe == "none":
        return [f"event: {event}" for event in live.events]
    try:
        seen = await live.observe(mode=observe, max_tokens=room)
    except NotteMCPError as error:
        if any(error.what in receipt.message for receipt in receipts):
            return ["note: the page could not be seen either."]
        # That looking did nothing is not to be read as said of the actions.
        return [f"note: the page could not be seen: {str(error).replace(f' {NOTHING_DONE}', '')}"]
    seen = replace(seen, events=(*live.events, *seen.events))
    return [page_text.view(seen, with_header=False, told=_told(seen, receipts))]


def _told(seen: Observation, receipts: Sequence[Receipt]) -> set[str]:
    """Ids of fields that hold what a receipt says they hold."""
    held = {
        receipt.target.id: receipt
        for receipt in receipts
        if receipt.success and receipt.target is not None and receipt.target.id is not None
    }
    changed = seen.changes.changed if seen.changes is not None else ()
    return {node.id for node in changed if node.id in held and _as_told(node, held[node.id])}


def _as_told(node: Node, receipt: Receipt) -> bool:
    """Whether the field shows nothing but what its receipt says: no complaint about the value, say."""
    if not set(node.states) <= _PLAIN_STATES:
        return False
    read_back = receipt.value is not None and node.value == clean_line(receipt.value)
    return read_back or receipt.secret is not None or receipt.type == "check"


# --- what was done ----------------------------------------------------------------


def account_of(actions: Sequence[Action], done: "Batch", max_tokens: int, *, page_follows: bool) -> list[str]:
    """The receipts, led by a summary where not all went well."""
    data_chars = max(200, max_tokens * 2 // max(1, len(done.receipts)))
    lines = [
        receipt_line(
            number,
            action.model_dump(exclude_none=True),
            receipt,
            data_chars=data_chars,
            page_follows=page_follows and number == len(done.receipts),
        )
        for number, (action, receipt) in enumerate(zip(actions, done.receipts, strict=False), start=1)
    ]
    ran = len(done.receipts)
    if ran < done.total:
        told = done.stopped and not done.stopped.endswith(" failed")
        why = f": {done.stopped}" if told else ""
        lines.append(f"not run: {numbers_text(range(ran + 1, done.total + 1))}{why}")
    failed = [number for number, receipt in enumerate(done.receipts, start=1) if not receipt.success]
    if failed:
        lines.insert(0, f"failed at {numbers_text(failed)} of {done.total}")
    elif ran < done.total:
        lines.insert(0, f"stopped after {ran} of {done.total}")
    return lines


def left_a_mark(receipt: Receipt) -> bool:
    """Whether a failed action did something all the same, or nobody knows that it did not."""
    return receipt.code == "outcome_unknown" or bool(
        receipt.navigated or receipt.dialogs or receipt.downloads or receipt.new_tab is not None or receipt.tab_closed
    )


def links(session_id: str, receipts: Sequence[Receipt]) -> list[ResourceLink]:
    """Where what came down can be read."""
    return [
        ResourceLink(type="resource_link", name=file.name, uri=file_uri(session_id, file.name))
        for receipt in receipts
        for file in receipt.downloads
        if file.failure is None
    ]

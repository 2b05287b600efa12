"""notte_execute: a batch of actions, what each really did, and what changed on the page.

Below: actions, registry, page_text, step_text. Above: listing.
"""

import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Literal

import anyio
from mcp.types import CallToolResult, ResourceLink

from notte_mcp import page_text
from notte_mcp.action_schema import actions_schema
from notte_mcp.actions import Action
from notte_mcp.batches import parse_actions
from notte_mcp.errors import NotteMCPError
from notte_mcp.observations import Node, Observation, clean_line, estimate_tokens
from notte_mcp.receipts import Receipt
from notte_mcp.resources.reader import file_uri
from notte_mcp.step_text import numbers_text, receipt_line
from notte_mcp.tools.boundary import blocks, declare, hints, refusal
from notte_mcp.tools.pages import MaxTokens, RequestId, SessionId
from notte_mcp.tools.surface import Call, Surface, surface

if TYPE_CHECKING:
    from notte_mcp.registry.batch import Batch
    from notte_mcp.registry.live import LiveSession

ACT_S: Final = 40.0
"""No action is started later than this after the call came in."""

LOOK_S: Final = 3.0
"""How long looking at the page afterwards may take at the least, however late the actions ended."""

MIN_VIEW_TOKENS: Final = 200
"""What the page gets of the answer's budget, however long the receipts are."""

# What a field may be after it was filled, without that being worth a line.
_PLAIN_STATES: Final = frozenset({"required", "filled", "checked", "selected", "focused"})

OnError = Literal["stop", "continue"]
Observe = Literal["changes", "actions", "none"]


async def notte_execute(
    ctx: Call,
    *,
    actions: Any,
    session_id: SessionId = None,
    on_error: OnError = "stop",
    observe: Observe = "changes",
    max_tokens: MaxTokens = 2_000,
    request_id: RequestId = None,
) -> CallToolResult:
    """Do actions in order; tells what each really did, then what changed (after a navigation: the whole page). Put
    all that needs no look in between into one call: a whole form with its submit. Elements go by id or selector.
    To wait for something use wait_for, not wait. A handle_dialog answers a dialog and stands before the click.
    Nothing is done if an id is unknown. Passwords are kept as a name, never as their value."""
    here = surface(ctx)
    batch = parse_actions(actions)
    wanted: dict[str, Any] = {"session_id": session_id, "on_error": on_error, "observe": observe}
    body = partial(_execute, here, batch, **wanted, max_tokens=max_tokens)
    if request_id is None:
        return await body()
    arguments = {**wanted, "actions": [action.model_dump(mode="json") for action in batch]}
    return await here.once(request_id, "notte_execute", arguments, body)


TOOLS: Final = (
    declare(
        notte_execute,
        title="Act on the page",
        hints=hints(destroys=True),
        core=True,
        parameters={"actions": actions_schema()},
    ),
)


async def _execute(
    here: Surface,
    actions: list[Action],
    *,
    session_id: str | None,
    on_error: OnError,
    observe: Observe,
    max_tokens: int,
) -> CallToolResult:
    begun = time.monotonic()
    app = await here.app()
    async with app.registry.use(session_id) as live:
        left_s = ACT_S - (time.monotonic() - begun)
        done = await live.execute(actions, on_error=on_error, deadline_s=left_s)
        lines = _account(actions, done, max_tokens, page_follows=observe != "none")
        room = max(MIN_VIEW_TOKENS, max_tokens - estimate_tokens("\n".join(lines)))
        with anyio.move_on_after(max(LOOK_S, ACT_S - (time.monotonic() - begun))) as in_time:
            lines += await _page_after(live, observe, done.receipts, room)
        if in_time.cancelled_caught:
            lines.append("note: the page could not be seen in time. Next: notte_observe.")
        named = live.record.id
    await here.changed(named)
    if not any(receipt.success or _left_a_mark(receipt) for receipt in done.receipts):
        return refusal("\n".join(lines))
    return blocks("\n".join(lines), *_links(named, done.receipts))


# --- the page afterwards ------------------------------------------------------------


async def _page_after(live: "LiveSession", observe: Observe, receipts: Sequence[Receipt], room: int) -> list[str]:
    """What is to be told of the page. That it cannot be seen takes nothing from what was done: said, not raised."""
    if observe == "none":
        return [f"event: {event}" for event in live.events]
    try:
        seen = await live.observe(mode=observe, max_tokens=room)
    except NotteMCPError as error:
        return [f"note: the page could not be seen: {error}"]
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


def _account(actions: Sequence[Action], done: "Batch", max_tokens: int, *, page_follows: bool) -> list[str]:
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


def _left_a_mark(receipt: Receipt) -> bool:
    """Whether a failed action did something all the same."""
    return bool(
        receipt.navigated or receipt.dialogs or receipt.downloads or receipt.new_tab is not None or receipt.tab_closed
    )


def _links(session_id: str, receipts: Sequence[Receipt]) -> list[ResourceLink]:
    """Where what came down can be read."""
    return [
        ResourceLink(type="resource_link", name=file.name, uri=file_uri(session_id, file.name))
        for receipt in receipts
        for file in receipt.downloads
        if file.failure is None
    ]

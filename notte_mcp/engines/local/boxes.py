"""Checkboxes, radios and switches: set by a click, and looked at again, wherever the click put them.

Below: `pointer`, `elements`. Above: `fields`.
"""

from typing import Final

import anyio

from notte_mcp.actions import Check
from notte_mcp.engines.local.elements import Element, ask
from notte_mcp.engines.local.pointer import Reached, click, reach
from notte_mcp.engines.local.stage import Stage
from notte_mcp.engines.local.world import DocumentGone
from notte_mcp.errors import ActionFailed, NotActionable, StaleElement
from notte_mcp.receipts import Receipt

_STATE_MS: Final = 500


async def check(stage: Stage, element: Element, action: Check, *, timeout_ms: int) -> Receipt:
    """Set a checkbox, radio or switch, and look whether it took.

    Raises:
        StaleElement, NotActionable, ActionFailed.
    """
    state = await ask(element, "checkedOf", {"key": element.key})
    if state.get("error"):
        raise NotActionable(f'{element.role} "{element.name}" cannot be checked.', next_call="click it instead")
    changed = state["checked"] != action.value
    if changed and state["kind"] == "radio" and not action.value:
        raise NotActionable(
            "A radio button is only unset by choosing another.", next_call="check another option of its group"
        )
    if not changed:
        reached = await reach(stage, element, kind="focus", timeout_ms=timeout_ms)
        return _checked(action, reached, " already", healed=element.healed)
    reached = await click(stage, element, timeout_ms=timeout_ms)
    try:
        now, checked = await _checked_now(stage, element, wanted=action.value)
    except DocumentGone:  # as a click, it led to another page
        said = f"{reached.called} was clicked, which led to another page"
        return Receipt(action.type, success=True, message=said, target=reached.target, healed=element.healed)
    if checked is None:
        raise ActionFailed(f"{reached.called} was clicked and is gone since.", done="It was clicked.",
                           next_call="notte_observe to see what came of it")  # fmt: skip
    if checked != action.value:
        raise ActionFailed(f"{reached.called} was clicked and is still {_on(checked)}.", done="It was clicked.",
                           next_call="notte_observe to see why")  # fmt: skip
    return _checked(action, reached, "", healed=now.healed)


def _checked(action: Check, reached: Reached, more: str, *, healed: bool) -> Receipt:
    said = f"{reached.called} is {_on(action.value)}{more}"
    return Receipt(
        action.type, success=True, message=said, target=reached.target, healed=healed, value=_on(action.value)
    )


async def _checked_now(stage: Stage, element: Element, *, wanted: bool) -> tuple[Element, bool | None]:
    """The state after the click of a box, or of the one that was rendered in its place; None where there is none.

    Raises:
        DocumentGone: the click led to another document.
    """
    asked = {"wanted": wanted, "timeout": _STATE_MS}
    document, until = element.document_uid, anyio.current_time() + _STATE_MS / 1000
    while True:
        state = await element.world.call("checkedOf", {"key": element.key, **asked}, timeout_s=5)
        if not state.get("error"):
            return element, bool(state["checked"])
        if state["error"] != "gone":
            return element, wanted  # it is no box any more: what stands there tells of no state
        try:
            element = await stage.book.heir(element)
        except StaleElement:
            if element.world.document is None or element.world.document.uid != document:
                raise DocumentGone from None
            if anyio.current_time() >= until:
                return element, None
            await anyio.sleep(0.03)  # what takes its place may be a task of its own


def _on(checked: bool) -> str:  # noqa: FBT001  (the state itself)
    return "checked" if checked else "not checked"

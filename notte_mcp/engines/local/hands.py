"""A person's hand: actions done at the exact point, or typed at the caret, as the live view tells them.

The person sees the page, so nothing is waited for, scrolled into view or refused for what covers it; the receipt
names what was really hit. What a field holds after a key is read back, so that a script can fill it.

Below: `spots`, `pointer`, `fields`, `locate`. Above: `performer`.
"""

from contextlib import suppress
from typing import Any, Final

import anyio
from playwright.async_api import Error as PlaywrightError

from notte_mcp import actions as a
from notte_mcp.engines.base import Hand
from notte_mcp.engines.local import gestures, pointer, spots
from notte_mcp.engines.local.fields import insert_lines
from notte_mcp.engines.local.locate import locate
from notte_mcp.engines.local.spots import Point, Seen
from notte_mcp.engines.local.stage import Stage
from notte_mcp.engines.local.world import DocumentGone
from notte_mcp.errors import ActionFailed, NotActionable, PageNotResponding
from notte_mcp.observations import clean_line
from notte_mcp.receipts import Receipt

MAX_KEYED_CHARS: Final = 40
"""A longer text is not typed key by key: nobody did, it was pasted."""

_DRAG_STEPS: Final = 8
_WHEEL_SHARE: Final = 0.7
_Pointed = a.Click | a.DoubleClick | a.Hover


async def perform(stage: Stage, action: a.Action, hand: Hand, *, timeout_ms: int) -> Receipt | None:
    """The action as the hand does it; None where the hand says nothing of it.

    Raises:
        UnknownElement, StaleElement, SelectorNotFound, SelectorAmbiguous, NotActionable, ActionFailed, DocumentGone.
    """
    match action:
        case a.Click() | a.DoubleClick() | a.Hover() if hand.point is not None:
            return await _point(stage, action, hand.point)
        case a.Drag() if hand.point is not None and hand.to is not None:
            return await _drag(stage, action, hand.point, hand.to)
        case a.ScrollUp() | a.ScrollDown() if hand.point is not None:
            return await _wheel(stage, action, hand.point)
        case a.Fill() if hand.text is not None:
            return await _type(stage, action, hand.text, timeout_ms=timeout_ms)
        case a.PressKey() if action.id is None and action.selector is None:
            return await _press_key(stage, action, timeout_ms=timeout_ms)
        case _:
            return None


# --- the pointer ----------------------------------------------------------------


async def _point(stage: Stage, action: _Pointed, point: Point) -> Receipt:
    reached = await _under(stage, point, arm=True)
    verb = {"click": "Clicked", "double_click": "Double-clicked"}.get(action.type, "Hovered over")
    said = f"{verb} {reached.called}{_instead(stage, action, reached)}"
    await pointer.watched(stage, reached)
    if pointer.is_framed(stage.tab):
        # The press goes where the person points, whichever frame has the pointer.
        with suppress(NotActionable):
            await pointer.aim(stage.tab, reached)
    if isinstance(action, a.Hover):
        await pointer.move(stage.tab, *point)
        return Receipt(action.type, success=True, message=said, target=reached.target)
    said += await _pressed(stage, reached, count=2 if isinstance(action, a.DoubleClick) else 1)
    return Receipt(action.type, success=True, message=said, target=reached.target)


async def _pressed(stage: Stage, reached: pointer.Reached, *, count: int) -> str:
    """Click there; gives what is to be said of where that arrived.

    Raises:
        ActionFailed: nowhere.
    """
    await pointer.press(stage.tab, reached.x, reached.y, count=count)
    hit, heard = await pointer.landed_on(reached.element.world)
    if not heard and not pointer.is_framed(stage.tab):
        # The browser drops input for a document that it has not shown yet.
        await pointer.press(stage.tab, reached.x, reached.y, count=count)
        hit, heard = await pointer.landed_on(reached.element.world)
    if not heard:
        raise ActionFailed(
            f"The click did not arrive at {reached.called}.",
            done="Whether anything else was clicked is unknown.",
            next_call="look at the page, then click again",
        )
    return f"; it landed on {clean_line(hit, 90)}" if hit is not None else ""


async def _under(stage: Stage, point: Point, *, arm: bool = False) -> pointer.Reached:
    """What stands at the point.

    Raises:
        NotActionable: the point is outside the viewport.
    """
    seen = await spots.seek(stage.tab, stage.book, point, arm=arm)
    if seen is None:
        raise _outside(point)
    target = await pointer.target_of(seen.element, seen.facts)
    return pointer.Reached(seen.element, target, seen.facts, *point)


def _outside(point: Point) -> NotActionable:
    return NotActionable(
        f"The point {point[0]:.0f}, {point[1]:.0f} is outside the page's viewport.", next_call="a point within it"
    )


def _instead(stage: Stage, action: _Pointed | a.Drag, reached: pointer.Reached) -> str:
    """What the action named, where something else stood at the point when it was done."""
    if action.id is None or action.id == reached.element.id:
        return ""
    meant = stage.book.named(action.id)
    return f' at the place of {meant.role} "{clean_line(meant.name, 60)}"'


async def _drag(stage: Stage, action: a.Drag, begin: Point, end: Point) -> Receipt:
    source = await _under(stage, begin)
    mouse = stage.tab.page.mouse
    await pointer.arm(stage)
    await mouse.move(*begin)
    await mouse.down()
    try:
        # A little first: what is dragged decides there that it is.
        await mouse.move(*(at + (to - at) / _DRAG_STEPS for at, to in zip(begin, end, strict=True)), steps=2)
        await mouse.move(*end, steps=_DRAG_STEPS)
        onto = await _under(stage, end)
    finally:
        with anyio.CancelScope(shield=True), anyio.move_on_after(1):
            await mouse.up()
    said = f"Dragged {source.called}{_instead(stage, action, source)} to {onto.called}"
    return Receipt(action.type, success=True, message=said, target=source.target, destination=onto.target)


async def _wheel(stage: Stage, action: a.ScrollUp | a.ScrollDown, point: Point) -> Receipt:
    way: spots.Roll = "down" if isinstance(action, a.ScrollDown) else "up"
    seen = await spots.seek(stage.tab, stage.book, point, roll=way)
    if seen is None:
        raise _outside(point)
    amount = action.amount
    if amount is None:
        height = (stage.tab.page.viewport_size or {"height": 800})["height"]
        amount = round(height * _WHEEL_SHARE)
    x, y = point
    turn = amount if way == "down" else -amount
    stage.touched()
    event = {"type": "mouseWheel", "x": x, "y": y, "deltaX": 0, "deltaY": turn}
    await stage.tab.cdp.send("Input.dispatchMouseEvent", event)
    moved = 0
    with suppress(DocumentGone, PageNotResponding):
        moved = abs(int(await seen.element.world.call("rolledBy", timeout_s=3)))
    said = f"Scrolled {way} {moved} px" if moved else f"Turned the wheel {way}; nothing scrolled by it"
    return Receipt(action.type, success=True, message=said)


# --- the keyboard ---------------------------------------------------------------


async def _type(stage: Stage, action: a.Fill, text: str, *, timeout_ms: int) -> Receipt | None:
    """Type at the caret. Into a field that takes a secret the whole value goes, in the place of what it held: only
    so is the secret known whole."""
    element = await locate(stage, action, timeout_ms, hopeful=True)
    reached = await pointer.reach(stage, element, kind="focus", timeout_ms=timeout_ms, clear=None)
    kind, secret = reached.facts["editable"], bool(reached.facts["secret"])
    if kind == "set" or secret:
        return None  # set whole, as `fill` does
    if not kind:
        raise NotActionable(f"{reached.called} takes no text.", next_call="point at a field")
    if not reached.facts["focus"].get("focused"):
        raise NotActionable(f"{reached.called} does not take the focus.", next_call="click it first")
    await pointer.watched(stage, reached)
    await _keyed(stage, text, rich=kind == "content")
    value, late = await _read_back(reached.element.world, reached.facts["focus"]["key"])
    stage.tainted = stage.tainted or late
    name = spots.secret_name(reached.target.name or "password") if late else None
    said = f'"{clean_line(text, 60)}"' if name is None else f"(secret {name})"
    return Receipt(
        action.type, success=True, message=f"Typed {said} into {reached.called}", target=reached.target,
        healed=reached.element.healed, value=value, secret=name,
    )  # fmt: skip


async def _keyed(stage: Stage, text: str, *, rich: bool) -> None:
    tab = stage.tab
    if "\n" not in text and len(text) <= MAX_KEYED_CHARS:
        await tab.page.keyboard.type(text)
    elif rich:
        await insert_lines(tab, text)
    else:
        await tab.cdp.send("Input.insertText", {"text": text})


async def _read_back(world: Any, key: int) -> tuple[str | None, bool]:
    """(what the field holds, whether it has turned out to take a secret); typing may have led to another page."""
    try:
        facts = await world.call("heldNow", key, timeout_s=2)
    except (DocumentGone, PageNotResponding):
        return None, False
    return (None, False) if facts is None else (spots.held(facts)[0], bool(facts["secret"]))


async def _press_key(stage: Stage, action: a.PressKey, *, timeout_ms: int) -> Receipt:
    """Press a key where the focus is. What a field holds then is told where the key changed it."""
    seen: Seen | None = None
    with suppress(DocumentGone, PlaywrightError):
        seen = await spots.seek(stage.tab, stage.book, None)
    receipt = await gestures.perform(stage, action, timeout_ms=timeout_ms)
    if seen is None:
        return receipt
    world = seen.element.world
    target = None
    with suppress(DocumentGone):
        target = await pointer.target_of(seen.element, seen.facts)
    value, _ = await _read_back(world, seen.element.key) if _holds(seen) else (None, False)
    changed = value if value != spots.held(seen.facts)[0] else None
    said = f'{receipt.message} on {seen.facts["role"]} "{seen.name}"'
    return receipt.but(target=target, value=changed, secret=seen.secret, message=said)


def _holds(seen: Seen) -> bool:
    """Whether keys may change what it holds."""
    return bool(seen.facts["editable"]) or seen.facts["role"] in _CHOICES


_CHOICES: Final = frozenset({"combobox", "listbox"})

"""Pointer actions: reach an element inside the page, then real mouse input over CDP.

The point is found in the page (scrolled into view, enabled, still, on top); the
input is the browser's own, so events are trusted and hit whatever is there; and the
page tells afterwards what the pointer really landed on.

Below: `elements`, `tab`, `world`. Above: `performer`, `fields`.
"""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import anyio

from notte_mcp.engines.local.elements import Element, stale
from notte_mcp.engines.local.stage import Stage
from notte_mcp.engines.local.tab import FramePlace, Tab
from notte_mcp.engines.local.world import DocumentGone, World
from notte_mcp.errors import ActionFailed, NotActionable, PageNotResponding, StaleElement
from notte_mcp.observations import clean_line
from notte_mcp.receipts import Box, Locators, Target

_REASONS: Final = {
    "hidden": "is not visible",
    "disabled": "is disabled",
    "readonly": "is read-only",
    "moving": "does not stop moving",
    "outside": "cannot be scrolled into view",
}


_AIM_S: Final = {"": 1.0, "beside": 0.2}
"""How long (s) an old picture of the page is waited out, by where the pointer comes meanwhile."""


@dataclass(frozen=True, slots=True)
class Reached:
    """An element that was reached: where the pointer goes (px of the top frame), and what is known of it."""

    element: Element
    target: Target
    facts: dict[str, Any]
    x: float = 0
    y: float = 0

    @property
    def called(self) -> str:
        """Role and name, as messages tell them."""
        return f'{self.target.role} "{self.target.name}"'


async def reach(stage: Stage, element: Element, *, kind: str, timeout_ms: int, **also: bool | None) -> Reached:
    """Wait until the element can be acted on; kinds: click, hover, edit (a field), focus (no point needed).

    `also` saves further questions: `arm=True` begins to watch for the input (see `arm`), `clear=...` focuses a field
    that takes text (the facts' `focus` is what `focusField` gives). The element of what is given may be an heir.

    Raises:
        StaleElement: it is gone. NotActionable: hidden, disabled, covered, moving, read-only.
    """
    if element.tab is not stage.tab:
        index = stage.tabs.index(element.tab) if element.tab in stage.tabs else None
        raise StaleElement(
            f"{element.id} is on another tab.", next_call=f'{{"type": "switch_tab", "tab_index": {index}}} before it'
        )
    asked = {"kind": kind, "timeout": timeout_ms, "patient": stage.patient, **also}
    behind = stage.screen is not None and stage.screen.is_behind
    facts = await _asked(element, {**asked, "still": behind}, timeout_ms)
    if facts.get("error") == "gone" and element.id:
        element = await stage.book.live(element.id)
        facts = await _asked(element, asked, timeout_ms)
    elif facts.get("error") == "scrolls":
        # What was done to the part of the page that is seen now, is seen now only.
        await stage.filmed()
        facts = await _asked(element, asked, timeout_ms)
    if facts.get("scrolled"):
        stage.changed()
    if facts.get("error"):
        raise _refused(element, facts)
    x, y = facts.get("x", 0.0), facts.get("y", 0.0)
    place = element.tab.place_of(element.world)
    if place is not None and kind != "focus":
        x, y = await _through_frames(element, place, x, y)
    target = await target_of(element, facts)
    stage.touched()
    return Reached(element, target, facts, x, y)


async def _asked(element: Element, asked: dict[str, Any], timeout_ms: int) -> dict[str, Any]:
    try:
        facts: dict[str, Any] = await element.world.call(
            "reach", {"key": element.key, **asked}, timeout_s=timeout_ms / 1000 + 1
        )
    except DocumentGone:
        return {"error": "gone"}
    return facts


async def _through_frames(element: Element, place: FramePlace | None, x: float, y: float) -> tuple[float, float]:
    """A point of a foreign frame as a point of the top frame, checked for what covers it on the way."""
    while place is not None:
        asked = {"key": place.owner_key, "x": x, "y": y}
        try:
            answer = await place.parent.call("framePoint", asked, timeout_s=5)
        except DocumentGone:
            raise stale(element, []) from None
        if answer.get("error"):
            raise _refused(element, answer)
        x, y = answer["x"], answer["y"]
        place = element.tab.place_of(place.parent)
    return x, y


def _refused(element: Element, facts: dict[str, Any]) -> Exception:
    error = facts["error"]
    if error == "gone":
        return stale(element, [])
    called = (
        f'{element.id} ({element.role} "{clean_line(element.name, 60)}")'
        if element.id
        else f'{element.role} "{clean_line(element.name, 60)}"'
    )
    if error == "covered":
        cover = clean_line(facts["cover"], 90)
        return NotActionable(
            f"{called} is covered by {cover}.",
            next_call="close or act on what covers it, or scroll, then the same action",
        )
    return NotActionable(
        f"{called} {_REASONS.get(error, error)}.",
        next_call="notte_observe to see its state, or wait_for a condition first",
    )


async def described(element: Element) -> Target:
    """An element as a receipt tells it, without waiting for it or touching it.

    Raises:
        StaleElement: it is gone.
    """
    try:
        facts = await element.world.call("describeKey", element.key, timeout_s=5)
    except DocumentGone:
        facts = None
    if facts is None:
        raise stale(element, [])
    return await target_of(element, facts)


async def target_of(element: Element, facts: dict[str, Any]) -> Target:
    """What a receipt tells of an element: role, name, and every way to find it again."""
    frame, begins = await element.tab.frame_path(element.world)
    found: dict[str, Any] = facts.get("locators") or {}
    role = found.get("role")
    row = found.get("row")
    locators = Locators(
        test_id=found.get("test_id"), test_id_attribute=found.get("test_id_attribute"),
        role=(role[0], role[1]) if role else None, label=found.get("label"), placeholder=found.get("placeholder"),
        text=found.get("text"), row=(row[0], row[1], row[2], row[3]) if row else None, css=found.get("css"), xpath=found.get("xpath"),
        frame=(*frame, *found.get("frame", ())), shadow=bool(found.get("shadow")), numbered=bool(found.get("numbered")),
    )  # fmt: skip
    name = clean_line(facts.get("name") or element.name, 120)
    return Target(element.id or None, facts.get("role") or element.role, name, locators, _box(facts.get("box"), begins))


def _box(found: list[float] | None, begins: tuple[float, float]) -> Box | None:
    """A box of a frame as one of the viewport."""
    if found is None:
        return None
    left, top, width, height = (round(px, 1) for px in found)
    return round(left + begins[0], 1), round(top + begins[1], 1), width, height


async def move(tab: Tab, x: float, y: float) -> None:
    """Move the pointer there."""
    await tab.cdp.send("Input.dispatchMouseEvent", {"type": "mouseMoved", "x": x, "y": y, "button": "none"})


async def press(tab: Tab, x: float, y: float, *, count: int = 1) -> None:
    """Move there and click `count` times. The events are sent at once; the browser keeps their order.

    Of a page that the press itself closes the rest of the answers may never come.

    Raises:
        playwright Error: the page was gone before it was pressed, or refuses the events.
    """
    pressed = False

    async def send(kind: str, number: int) -> None:
        nonlocal pressed
        event = {"type": kind, "x": x, "y": y, "button": "left", "buttons": 1, "clickCount": number}
        await tab.cdp.send("Input.dispatchMouseEvent", event)
        pressed = True

    try:
        async with anyio.create_task_group() as sending:
            sending.start_soon(move, tab, x, y)
            for number in range(1, count + 1):
                for kind in ("mousePressed", "mouseReleased"):
                    sending.start_soon(send, kind, number)
    except ExceptionGroup as raised:
        error = raised.exceptions[0]
        if not (pressed and "has been closed" in str(error)):
            raise error from None


async def click(stage: Stage, element: Element, *, timeout_ms: int, count: int = 1, leaving: bool = False) -> Reached:
    """Reach an element and click it; what it leads to is the caller's to wait for. `leaving`: it may be another page.

    Raises:
        StaleElement, NotActionable, ActionFailed (the click landed on something else).
    """
    reached = await reach(stage, element, kind="click", timeout_ms=timeout_ms, arm=True)
    if leaving:
        await stage.filmed(patient=False)
    world, framed = await watched(stage, reached), is_framed(stage.tab)
    if framed:
        await aim(stage.tab, reached)
        stage.touched()
    await press(stage.tab, reached.x, reached.y, count=count)
    hit, heard = await landed_on(world)
    if not heard and not framed:
        # The browser drops input for a document that it has not shown yet. Nobody else can have got it.
        await aim(stage.tab, reached)
        await press(stage.tab, reached.x, reached.y, count=count)
        hit, heard = await landed_on(world)
    if hit is not None or not heard:
        raise _missed(reached, hit)
    return reached


async def hover(stage: Stage, element: Element, *, timeout_ms: int) -> Reached:
    """Reach an element and leave the pointer on it.

    Raises:
        StaleElement, NotActionable.
    """
    reached = await reach(stage, element, kind="hover", timeout_ms=timeout_ms, arm=True)
    await watched(stage, reached)
    await (aim(stage.tab, reached) if is_framed(stage.tab) else move(stage.tab, reached.x, reached.y))
    return reached


async def watched(stage: Stage, reached: Reached) -> World:
    """The world that the input goes to; what it does in the main one is watched as well."""
    stage.touched()
    stage.acting = world = reached.element.world
    if world is not stage.tab.main:
        await _arm(stage.tab.main)
    return world


def is_framed(tab: Tab) -> bool:
    """Whether the page has frames, of which the browser decides which one gets the pointer."""
    return len(tab.page.frames) > 1


async def aim(tab: Tab, reached: Reached) -> None:
    """Move the pointer to an element that is watched (`reach` with `arm`) until its frame has it.

    Where a page has frames the browser decides by its last picture which of them gets input, and right after a
    scroll or a change that picture is old: a press would go to whatever frame was there before.

    Raises:
        NotActionable: another frame keeps the pointer.
    """
    where, begun = "", anyio.current_time()
    while where != "there" and anyio.current_time() - begun < _AIM_S[where]:
        await move(tab, reached.x, reached.y)
        try:
            where = await reached.element.world.call("aimed", timeout_s=2)
            if where != "there":
                await tab.main.call("firstFrames", timeout_s=2)
        except (DocumentGone, PageNotResponding):
            return  # what became of the element, the press finds out
    if not where:
        raise NotActionable(
            f"The pointer does not come to {reached.called}: another frame has it.",
            next_call="notte_observe, then the same action",
        )


async def arm(stage: Stage, *, leaving: bool = False) -> None:
    """Begin to watch for what the coming input does in the page. `leaving`: it may lead to another one."""
    if leaving:
        await stage.filmed(patient=False)
    stage.touched()
    stage.acting = stage.tab.main
    await _arm(stage.acting)


async def _arm(world: World) -> None:
    with suppress(DocumentGone):
        await world.call("arm", {"key": None}, timeout_s=5)


async def landed_on(world: World) -> tuple[str | None, bool]:
    """What the pointer came down on instead of the element (None where it hit), and whether it came down in its frame."""
    try:
        found: dict[str, Any] = await world.call("landed", timeout_s=2)
    except (DocumentGone, PageNotResponding):
        return None, True  # it has hit something that leads away, or that keeps the page busy
    return found["hit"], found["heard"]


def _missed(reached: Reached, hit: str | None) -> ActionFailed:
    called = reached.called
    if hit is None:
        return ActionFailed(
            f"The click did not arrive at {called}.",
            done="Whether anything else was clicked is unknown.",
            next_call="notte_observe to see what changed",
        )
    return ActionFailed(
        f"The click landed on {clean_line(hit, 90)} instead of {called}.",
        done="Something was clicked.",
        next_call="notte_observe to see what changed",
    )


async def center(element: Element) -> tuple[float, float]:
    """The middle of an element's box in px of the top frame, whatever covers it (a drag's destination is under the pointer's load)."""
    try:
        x, y = await element.world.call("centerOf", {"key": element.key}, timeout_s=5)
    except DocumentGone:
        raise stale(element, []) from None
    place = element.tab.place_of(element.world)
    return (x, y) if place is None else await _through_frames(element, place, x, y)

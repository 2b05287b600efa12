"""From what an action names (an id or a selector) to one element in one world.

An id is looked up among the shown; a selector is Playwright's own (CSS, XPath, text,
role, through frames) and must match exactly one element. The element it matches gets
into our world by an event with an unguessable name, which the page cannot answer for.

Below: `elements`, `tab`. Above: `performer`, `pages`, `finding`, `pictures`.
"""

import re
import secrets
from typing import Any, Final, Protocol

from playwright.async_api import ElementHandle, Locator
from playwright.async_api import Error as PlaywrightError

from notte_mcp.engines.local.elements import Element, page_of
from notte_mcp.engines.local.stage import Stage
from notte_mcp.engines.local.tab import Tab
from notte_mcp.engines.local.world import DocumentGone, World
from notte_mcp.errors import PageNotResponding, SelectorAmbiguous, SelectorNotFound, StaleElement
from notte_mcp.observations import clean_line

_MAX_FRAMES: Final = 30
_NOTTE_TEXT: Final = re.compile(r"^~(.+)$", re.DOTALL)


class Named(Protocol):
    """An action that names an element."""

    @property
    def id(self) -> str | None: ...
    @property
    def selector(self) -> str | None: ...


async def locate(stage: Stage, action: Named, timeout_ms: int, *, hopeful: bool = False) -> Element:
    """The element that an action names; `hopeful` where it is reached next, which finds out whether it is still there.

    Raises:
        UnknownElement, StaleElement: for an id. SelectorNotFound, SelectorAmbiguous: for a selector.
    """
    if action.id is not None:
        if hopeful and (element := stage.book.hoped(action.id)) is not None:
            return element
        return await stage.book.live(action.id)
    if action.selector is None:
        raise SelectorNotFound("The action names no element.", next_call="give it an id or a selector")
    return await by_selector(stage, action.selector, timeout_ms)


async def by_selector(stage: Stage, selector: str, timeout_ms: int) -> Element:
    """The one element that a Playwright selector matches."""
    tab = stage.tab
    locator = located(tab, selector)
    shown = clean_line(selector, 120)
    try:
        if await locator.count() == 0:
            limit = timeout_ms if stage.patient else min(timeout_ms, 1_000)
            await locator.first.wait_for(state="attached", timeout=limit)
        if (count := await locator.count()) > 1:
            seen = locator.filter(visible=True)
            if await seen.count() == 1:
                locator, count = seen, 1
    except PlaywrightError as error:
        raise unusable(shown, error) from None
    if count > 1:
        raise await _ambiguous(locator, shown, count)
    handle = await locator.element_handle(timeout=1_000)
    found = await claim(tab, handle)
    world, facts = found
    document = world.document
    if document is None:
        raise StaleElement(f"The element of {shown} is gone.", next_call="notte_observe")
    return Element(
        "",
        tab,
        world,
        document.uid,
        int(facts["key"]),
        facts["role"],
        facts["name"],
        facts["context"],
        page_of(tab.url),
    )


def located(tab: Tab, selector: str) -> Locator:
    """Playwright's locator for a selector; a `~text` selector is Notte's spelling of `text=`."""
    return tab.page.locator(_NOTTE_TEXT.sub(r"text=\1", selector))


async def claim(tab: Tab, handle: ElementHandle) -> tuple[World, dict[str, Any]]:
    """Bring Playwright's element into our world: whichever world hears its event holds it."""
    token = f"n{secrets.token_hex(8)}"
    for attempt in range(2):
        for world in tab.worlds:
            try:
                await world.call("expect", token, timeout_s=2, anew=True)
            except DocumentGone:
                continue
        selected = False
        try:
            await handle.dispatch_event(token, {"bubbles": True, "composed": True})
        except PlaywrightError as error:
            if "has been closed" in str(error) or "crashed" in str(error):
                raise
            # Events go out by the page's own functions, and this page has broken them. Selecting does not.
            selected = True
            await handle.select_text(force=True, timeout=1_000)
        for world in tab.worlds:
            try:
                facts = await world.call("claimed", selected, timeout_s=2)
            except DocumentGone:
                continue
            if facts is not None:
                return world, facts
        if attempt == 0:
            await bind_all(tab)
    raise SelectorNotFound(
        "The selector's element is in a frame that cannot be reached.",
        next_call="notte_observe, then use an id it shows",
    )


async def bind_all(tab: Tab) -> None:
    """Find the frames of another origin that no walk has met yet."""
    pending: list[World] = [tab.main]
    for world in pending:
        try:
            keys = await world.call("foreignFrames", timeout_s=5, anew=True)
        except (DocumentGone, PageNotResponding):
            continue
        if keys:
            pending.extend(place.world for place in await tab.bind_frames(world, keys))
        if len(pending) > _MAX_FRAMES:
            return


def unusable(selector: str, error: PlaywrightError) -> SelectorNotFound:
    """What Playwright's complaint about a selector means; raises it again where the page is gone."""
    text = str(error)
    if "has been closed" in text or "crashed" in text:
        raise error
    if "Timeout" in text:
        return SelectorNotFound(f"No element matches {selector}.", next_call="notte_observe, then use an id it shows")
    reason = text.splitlines()[0].removeprefix("Locator.count: ")[:200]
    return SelectorNotFound(
        f"{selector} is no usable selector: {reason}.", next_call="notte_observe, then use an id it shows"
    )


async def _ambiguous(locator: Locator, selector: str, count: int) -> SelectorAmbiguous:
    samples: list[str] = []
    for index in range(min(count, 4)):
        try:
            text = await locator.nth(index).evaluate(
                "e => `${e.localName} ${(e.innerText || e.value || '').slice(0, 60)}`", timeout=500
            )
            samples.append(clean_line(str(text), 50))
        except PlaywrightError:
            continue
    return SelectorAmbiguous(
        f"{selector} matches {count} elements" + (f" ({'; '.join(samples)}, ...)." if samples else "."),
        next_call="notte_observe with find=..., then use the id of the one you mean",
    )

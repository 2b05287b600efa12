"""From what an action names (an id or a selector) to one element in one world.

An id is looked up among the shown; a selector is Playwright's own (CSS, XPath, text,
role, through frames) and must match exactly one element. The element it matches gets
into our world by an event with an unguessable name, which the page cannot answer for.

Below: `elements`, `tab`. Above: `performer`, `pages`, `finding`, `pictures`.
"""

import re
import secrets
from contextlib import suppress
from typing import Any, Final, Protocol

import anyio
from playwright.async_api import ElementHandle, Locator
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import TimeoutError as PlaywrightTimeout

from notte_mcp.engines.local.elements import Element, page_of
from notte_mcp.engines.local.stage import Stage
from notte_mcp.engines.local.tab import Tab
from notte_mcp.engines.local.world import DocumentGone, World
from notte_mcp.errors import PageNotResponding, SelectorAmbiguous, SelectorNotFound, StaleElement
from notte_mcp.observations import clean_line

_EVENT: Final = {"bubbles": True, "composed": True}
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
    limit = timeout_ms if stage.patient else min(timeout_ms, 1_000)
    try:
        found = await _taken(tab, locator, limit)
        if found is None:
            locator = await _only(locator, shown)
    except PlaywrightError as error:
        raise unusable(shown, error) from None
    if found is None:
        found = await claim(tab, await locator.element_handle(timeout=1_000))
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


async def _taken(tab: Tab, locator: Locator, limit_ms: int) -> tuple[World, dict[str, Any]] | None:
    """What it matches as soon as that is one element, brought into our world as in `claim` with as few questions as
    that takes; None where that did not do.

    Raises:
        playwright Error: the selector is none, or the page is gone.
    """
    token = _token()
    got: list[ElementHandle | PlaywrightError] = []

    async def listen() -> None:
        with suppress(PageNotResponding):
            await _expect(tab, token)

    async def take() -> None:
        try:
            got.append(await locator.element_handle(timeout=limit_ms))
        except PlaywrightError as error:
            got.append(error)

    async with anyio.create_task_group() as both:
        both.start_soon(listen)
        both.start_soon(take)
    handle = got[0]
    if isinstance(handle, PlaywrightError):
        if isinstance(handle, PlaywrightTimeout) or "strict mode violation" in str(handle):
            return None
        raise handle
    try:
        await handle.dispatch_event(token, _EVENT)
    except PlaywrightError as error:
        _unless_gone(error)
        return None
    finally:
        await _let_go(handle)
    return await _heard(tab)


async def _only(locator: Locator, shown: str) -> Locator:
    """The locator, of its visible match where only one is.

    Raises:
        SelectorNotFound, SelectorAmbiguous.
    """
    count = await locator.count()
    if count == 0:
        raise SelectorNotFound(f"No element matches {shown}.", next_call="notte_observe, then use an id it shows")
    if count == 1:
        return locator
    seen = locator.filter(visible=True)
    if await seen.count() != 1:
        raise await _ambiguous(locator, shown, count)
    return seen


def located(tab: Tab, selector: str) -> Locator:
    """Playwright's locator for a selector; a `~text` selector is Notte's spelling of `text=`."""
    return tab.page.locator(_NOTTE_TEXT.sub(r"text=\1", selector))


async def claim(tab: Tab, handle: ElementHandle) -> tuple[World, dict[str, Any]]:
    """Bring Playwright's element into our world: whichever world hears its event holds it. The handle is used up."""
    try:
        for attempt in range(2):
            if (found := await _told(tab, handle)) is not None:
                return found
            if attempt == 0:
                await bind_all(tab)
    finally:
        await _let_go(handle)
    raise SelectorNotFound(
        "The selector's element is in a frame that cannot be reached.",
        next_call="notte_observe, then use an id it shows",
    )


async def _told(tab: Tab, handle: ElementHandle) -> tuple[World, dict[str, Any]] | None:
    token = _token()
    await _expect(tab, token)
    selected = False
    try:
        await handle.dispatch_event(token, _EVENT)
    except PlaywrightError as error:
        _unless_gone(error)
        # Events go out by the page's own functions, and this page has broken them. Selecting does not.
        selected = True
        await handle.select_text(force=True, timeout=1_000)
    return await _heard(tab, selected=selected)


async def _let_go(handle: ElementHandle) -> None:
    # Playwright keeps whatever it handed out, in this process and in its own, for as long as the session lives.
    with suppress(PlaywrightError):
        await handle.dispose()


def _token() -> str:
    return f"n{secrets.token_hex(8)}"


async def _expect(tab: Tab, token: str) -> None:
    """Every world listens for the event."""
    for world in tab.worlds:
        with suppress(DocumentGone):
            await world.call("expect", token, timeout_s=2, anew=True)


async def _heard(tab: Tab, *, selected: bool = False) -> tuple[World, dict[str, Any]] | None:
    """The world that heard it, and what it knows of the element."""
    for world in tab.worlds:
        with suppress(DocumentGone):
            if (facts := await world.call("claimed", selected, timeout_s=2)) is not None:
                return world, facts
    return None


def _unless_gone(error: PlaywrightError) -> None:
    if "has been closed" in str(error) or "crashed" in str(error):
        raise error


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
    reason = re.sub(r"^Locator\.\w+: ", "", text.splitlines()[0])[:200]
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

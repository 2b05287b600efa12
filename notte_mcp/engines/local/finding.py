"""What selectors match now, many in one go: how a script's ways to an element are tried without touching the page.

Playwright's engine says whether a selector matches exactly one element; our own world says what that
element is called. It gets there as in `locate`, by an event with an unguessable name, one for each selector.

Below: `locate`, `elements`, `tab`, `world`. Above: `session`.
"""

import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Final

import anyio
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Locator

from notte_mcp.actions import Action
from notte_mcp.engines.base import Found, TargetCheck
from notte_mcp.engines.local.elements import ElementBook
from notte_mcp.engines.local.locate import bind_all, claim, located
from notte_mcp.engines.local.tab import Tab
from notte_mcp.engines.local.world import DocumentGone
from notte_mcp.errors import PageNotResponding, SelectorNotFound
from notte_mcp.ids import secret_name
from notte_mcp.observations import clean_line

FIND_SECONDS: Final = 5.0
_ASK_MS: Final = 1_000
_AT_ONCE: Final = 20

_EVENT: Final = {"bubbles": True, "composed": True}


async def find(tab: Tab, selectors: Sequence[str]) -> list[Found | None]:
    """The one element that each selector matches (see `BrowserSession.find`).

    Raises:
        PageNotResponding: no answer within `FIND_SECONDS`. PlaywrightError, DocumentGone: the page went away.
    """
    wanted: dict[str, Locator] = {}
    found: dict[str, Found] = {}
    with anyio.move_on_after(FIND_SECONDS) as scope:
        turn = anyio.CapacityLimiter(_AT_ONCE)

        async def single(selector: str) -> None:
            async with turn:
                if (locator := await _single(tab, selector)) is not None:
                    wanted[selector] = locator

        await _all(single, set(selectors))
        if wanted:
            found = await _heard(tab, wanted)
        if missing := wanted.keys() - found.keys():
            await bind_all(tab)  # in a frame that no walk has met yet
            found |= await _heard(tab, {selector: wanted[selector] for selector in missing})
        for selector in wanted.keys() - found.keys():
            if (one := await _claimed(tab, wanted[selector])) is not None:
                found[selector] = one
    if scope.cancelled_caught:
        raise PageNotResponding(
            f"The page did not answer within {FIND_SECONDS:.0f} s when elements were looked for.",
            next_call='the same call once more, or notte_execute with {"type": "reload"}',
        )
    return [found.get(selector) for selector in selectors]


async def _all(call: Any, items: Any) -> None:
    """All at once; what one of them raises comes out as it is, not in a group."""
    try:
        async with anyio.create_task_group() as asking:
            for item in items:
                asking.start_soon(call, item)
    except ExceptionGroup as raised:
        raise raised.exceptions[0] from None


async def _single(tab: Tab, selector: str) -> Locator | None:
    """The selector as a locator of exactly one element, or of exactly one that is visible."""
    locator = located(tab, selector)
    try:
        if (count := await locator.count()) > 1:
            locator = locator.filter(visible=True)
            count = await locator.count()
    except PlaywrightError as error:
        _unless_gone(error)
        return None  # no selector at all
    return locator if count == 1 else None


async def _heard(tab: Tab, wanted: dict[str, Locator]) -> dict[str, Found]:
    """Role and name of what hears the event that is sent to it."""
    tokens = {selector: f"n{secrets.token_hex(8)}" for selector in wanted}
    for world in tab.worlds:
        try:
            await world.call("expectAll", list(tokens.values()), timeout_s=2, anew=True)
        except DocumentGone:
            continue

    async def send(selector: str) -> None:
        try:
            await wanted[selector].dispatch_event(tokens[selector], _EVENT, timeout=_ASK_MS)
        except PlaywrightError as error:
            _unless_gone(error)

    await _all(send, wanted)
    found: dict[str, Found] = {}
    for world in tab.worlds:
        try:
            facts: list[dict[str, Any] | None] = await world.call("claimedAll", list(tokens.values()), timeout_s=2)
        except DocumentGone:
            continue
        for selector, fact in zip(tokens, facts, strict=True):
            if fact is not None:
                found[selector] = Found(fact["role"], clean_line(fact["name"]))
    return found


async def _claimed(tab: Tab, locator: Locator) -> Found | None:
    """The slow way, which needs no function of the page."""
    try:
        _, facts = await claim(tab, await locator.element_handle(timeout=_ASK_MS))
    except SelectorNotFound:
        return None
    except PlaywrightError as error:
        _unless_gone(error)
        return None
    return Found(facts["role"], clean_line(facts["name"]))


def _unless_gone(error: PlaywrightError) -> None:
    if "has been closed" in str(error) or "crashed" in str(error):
        raise error


def target_check(book: ElementBook, action: Action, known: Mapping[str, Mapping[str, Any]]) -> TargetCheck:
    """What is known of an action's target, of those that the ids of its batch name."""
    name: str | None = getattr(action, "id", None)
    if name is None:
        return TargetCheck(known=getattr(action, "selector", None) is None)
    secret = known[name].get("secret")
    return TargetCheck(secret=secret_name(book.named(name).name or "password") if secret else None)

"""What a tab looks like, as a JPEG: fields that take a secret are painted over, ids are drawn where asked for.

Below: `stage`, `locate`, `world`. Above: `session`.
"""

import base64
from contextlib import suppress
from typing import Final

import anyio
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page

from notte_mcp.engines.local.locate import bind_all
from notte_mcp.engines.local.stage import Stage
from notte_mcp.engines.local.tab import Tab
from notte_mcp.engines.local.world import DocumentGone
from notte_mcp.errors import PageNotResponding

_MAX_BYTES: Final = 300_000
_MARKED: Final = 300
_STANDING_S: Final = 4.0


async def picture(stage: Stage, *, marks: bool) -> bytes:
    """The viewport of the current tab (see `BrowserSession.screenshot`).

    Raises:
        PageNotResponding: it does not paint. PlaywrightError, DocumentGone: it went away.
    """
    tab = stage.tab
    await bind_all(tab)
    marked = stage.book.shown_in(tab.main)[-_MARKED:] if marks else []
    ids: list[dict[str, object]] = [{"key": key, "id": name} for key, name in marked]
    with stage.drawn_on():
        return await _drawn(tab, ids)


async def _drawn(tab: Tab, ids: list[dict[str, object]]) -> bytes:
    try:
        for world in tab.worlds:
            # A frame that hangs shows what it last painted, which the veil has covered already.
            with suppress(DocumentGone, *(() if world is tab.main else (PageNotResponding,))):
                marks = {"ids": ids if world is tab.main else []}
                await world.call("mark", marks, timeout_s=tab.patience_s(world, 5))
        return await (_as_it_stands(tab) if tab.has_silent_frame else _jpeg(tab.page))
    except PlaywrightError as error:
        if "Timeout" not in str(error):
            raise
        return await _as_it_stands(tab)
    finally:
        for world in tab.worlds:
            with suppress(DocumentGone, PageNotResponding, PlaywrightError):
                await world.call("unmark", timeout_s=tab.patience_s(world, 2))


async def _as_it_stands(tab: Tab) -> bytes:
    """What the browser shows of a page, without asking its frames: Playwright's own pictures wait for each of them."""
    with anyio.move_on_after(_STANDING_S):
        taken = await tab.cdp.send("Page.captureScreenshot", {"format": "jpeg", "quality": 50})
        return base64.b64decode(taken["data"])
    raise PageNotResponding("The page does not paint.", next_call="notte_observe without a screenshot")


async def _jpeg(page: Page) -> bytes:
    """As good as the limit allows."""
    taken = b""
    for quality in (75, 50, 30, 10):
        taken = await page.screenshot(type="jpeg", quality=quality, scale="css", timeout=8_000)
        if len(taken) <= _MAX_BYTES:
            break
    return taken

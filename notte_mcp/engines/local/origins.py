"""What the live frames of a session keep in local storage, origin by origin, in Playwright's form.

All are asked at once: one page that hangs costs the others nothing.

Below: `stage`, `locate`, `tab`, `world`. Above: `session`.
"""

from contextlib import suppress
from typing import Any, Final

import anyio
from playwright.async_api import Error as PlaywrightError

from notte_mcp.engines.local.locate import bind_all
from notte_mcp.engines.local.stage import Stage
from notte_mcp.engines.local.tab import Tab
from notte_mcp.engines.local.world import DocumentGone, World
from notte_mcp.errors import PageNotResponding

FRAME_S: Final = 1.0
"""What a frame has to answer."""

Origins = dict[str, Any]


async def live_origins(stage: Stage, *, within_s: float) -> list[dict[str, Any]]:
    """Origins that have a live frame; nothing is opened, and a frame that does not answer in time is left out."""
    origins = Origins()
    with anyio.move_on_after(within_s):
        async with anyio.create_task_group() as asking:
            for tab in list(stage.tabs):
                asking.start_soon(_of_tab, tab, origins)
    return list(origins.values())


async def _of_tab(tab: Tab, origins: Origins) -> None:
    known = list(tab.worlds)
    async with anyio.create_task_group() as asking:
        for world in known:
            asking.start_soon(_of_frame, world, origins)
        with anyio.move_on_after(FRAME_S), suppress(PlaywrightError):
            await bind_all(tab)
        for world in tab.worlds:
            if world not in known:
                asking.start_soon(_of_frame, world, origins)


async def _of_frame(world: World, origins: Origins) -> None:
    with suppress(DocumentGone, PageNotResponding, PlaywrightError):
        found = await world.call("localStorageItems", timeout_s=FRAME_S)
        if found is not None and found["origin"] != "null":
            origins[found["origin"]] = {"origin": found["origin"], "localStorage": found["items"]}

"""What the live frames of a session keep in local storage, origin by origin, in Playwright's form.

Below: `stage`, `locate`, `world`. Above: `session`.
"""

from contextlib import suppress
from typing import Any

import anyio
from playwright.async_api import Error as PlaywrightError

from notte_mcp.engines.local.locate import bind_all
from notte_mcp.engines.local.stage import Stage
from notte_mcp.engines.local.world import DocumentGone
from notte_mcp.errors import PageNotResponding


async def live_origins(stage: Stage) -> list[dict[str, Any]]:
    """Origins that have a live frame; nothing is opened, and a frame that does not answer is left out."""
    origins: dict[str, Any] = {}
    for tab in list(stage.tabs):
        with anyio.move_on_after(1):
            await bind_all(tab)
        for world in tab.worlds:
            with suppress(DocumentGone, PageNotResponding, PlaywrightError):
                found = await world.call("localStorageItems", timeout_s=1)
                if found is not None and found["origin"] != "null":
                    origins[found["origin"]] = {"origin": found["origin"], "localStorage": found["items"]}
    return list(origins.values())

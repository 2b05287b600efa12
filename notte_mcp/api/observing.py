"""An observation as the contract has it: metadata, picture, what can be done, what the elements hold.

Below: naming, spelling, states, moments; registry (by a live session). Above: pages.
"""

import base64
import io
from functools import lru_cache
from typing import Any, Final

from notte_mcp.api.calls import Contract
from notte_mcp.api.moments import moment
from notte_mcp.api.naming import Named, Page, named, selectors
from notte_mcp.api.spelling import EMPTY, browser_actions, description, interaction, markdown
from notte_mcp.api.states import fingerprint, states
from notte_mcp.engines.described import Described
from notte_mcp.observations import Observation, Viewport
from notte_mcp.receipts import Locators
from notte_mcp.registry.portrait import Portrait

BLANK: Final = "about:blank"
_NOWHERE: Final = Locators()


def observation(
    portrait: Portrait, contract: Contract, *, size: tuple[int, int], began: float, ended: float
) -> tuple[dict[str, Any], Page]:
    """The answer to an observe, and the page that its ids are of.

    `size` is the viewport's where the engine did not measure it (px); times are Unix seconds.
    """
    seen = portrait.seen
    page = named(portrait)
    view = seen.viewport or Viewport(0, 0, *size, *size)
    elements = page.elements
    told: dict[str, Any] = {
        "started_at": moment(began),
        "ended_at": moment(ended),
        "metadata": _metadata(seen, view, ended),
        "screenshot": {
            "raw": base64.b64encode(portrait.picture or _placeholder(view.width, view.height)).decode(),
            "bboxes": [box for line in elements if (box := _box(line, view)) is not None],
        },
        "space": _space(seen.url, page, contract),
    }
    if contract == "1.10":
        told["element_states"] = found = states(elements)
        told["fingerprint"] = fingerprint(seen.url, elements, found)
    return told, page


def _metadata(seen: Observation, view: Viewport, at: float) -> dict[str, Any]:
    return {
        "title": seen.title,
        "url": seen.url,
        "viewport": {
            "scroll_x": view.scroll_x,
            "scroll_y": view.scroll_y,
            "viewport_width": view.width,
            "viewport_height": view.height,
            "total_width": view.total_width,
            "total_height": view.total_height,
        },
        "tabs": [{"tab_id": tab.index, "title": tab.title, "url": tab.url} for tab in seen.tabs],
        "timestamp": moment(at),
    }


def _space(url: str, page: Page, contract: Contract) -> dict[str, Any]:
    elements = page.elements
    interactions = [interaction(line, selectors(url, _spelt(line).locators)) for line in elements]
    browser = browser_actions()
    empty = url in ("", BLANK) and not page.lines
    return {
        "description": EMPTY if empty else description(page, contract),
        "interaction_actions": interactions,
        "category": None,
        "actions": [*interactions, *browser],
        "browser_actions": browser,
        "markdown": markdown(elements),
    }


def _spelt(line: Named) -> Described:
    return line.spelt or Described("", {}, _NOWHERE)


def _box(line: Named, view: Viewport) -> dict[str, Any] | None:
    """Where an element is seen in the picture, frames reckoned in."""
    if line.spelt is None or line.spelt.box is None:
        return None
    left, top, width, height = line.spelt.box
    return {
        "x": left,
        "y": top,
        "width": width,
        "height": height,
        "scroll_x": view.scroll_x,
        "scroll_y": view.scroll_y,
        "iframe_offset_x": 0,
        "iframe_offset_y": 0,
        "viewport_width": view.width,
        "viewport_height": view.height,
        "notte_id": line.id,
    }


@lru_cache(maxsize=4)
def _placeholder(width: int, height: int) -> bytes:
    """A white picture, for a page that gave none."""
    from PIL import Image

    made = io.BytesIO()
    Image.new("RGB", (max(width, 2), max(height, 2)), "white").save(made, "JPEG", quality=30)
    return made.getvalue()

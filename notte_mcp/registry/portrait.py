"""A whole page at once: a view of it, what is in it as its document spells it, and its picture.

The picture is taken while the page is read: that is the browser's work, and this is the page's.

Below: engines.base. Above: live.
"""

from dataclasses import dataclass
from typing import Final

import anyio

from notte_mcp.engines.base import BrowserSession, ObserveRequest
from notte_mcp.engines.described import Described
from notte_mcp.errors import NotteMCPError
from notte_mcp.observations import Node, Observation

WHOLE: Final = 10_000_000
"""Tokens that no page has: nothing of it is left for later."""


@dataclass(frozen=True, slots=True)
class Portrait:
    """`spelt` has the elements and texts among the view's nodes by their keys, those that could be told; `picture` is a
    JPEG of the viewport, empty where there was none to be had."""

    seen: Observation
    spelt: dict[str, Described]
    picture: bytes


async def portray(browser: BrowserSession, view: int) -> Portrait:
    """The page as it is now, as view number `view`.

    Raises: what `observe` and `describe` raise.
    """
    picture = b""

    async def take() -> None:
        nonlocal picture
        try:
            picture = await browser.screenshot(marks=False)
        except NotteMCPError:
            return  # the page is told without it: what is wrong with it, the look says too, or it does not matter

    failed: NotteMCPError | None = None
    found: tuple[Observation, dict[str, Described]] | None = None
    async with anyio.create_task_group() as both:
        both.start_soon(take)
        # An error that is on its way through a group comes out wrapped.
        try:
            seen = await browser.observe(ObserveRequest(view, "page", max_tokens=WHOLE))
            found = seen, await _spelt(browser, seen.nodes)
        except NotteMCPError as error:
            failed = error
            both.cancel_scope.cancel()
    if failed is not None or found is None:
        raise failed or RuntimeError("cancelled from outside")
    return Portrait(*found, picture)


async def _spelt(browser: BrowserSession, nodes: tuple[Node, ...]) -> dict[str, Described]:
    told = [node for node in nodes if node.kind != "group"]
    if not told:
        return {}
    found = await browser.describe([node.id or node.key for node in told])
    return {node.key: one for node, one in zip(told, found, strict=True) if one is not None}

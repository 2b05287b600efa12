"""Looking at a page: one walk per frame inside the page, put together here.

The walk, the selection under the token budget and the comparison with an earlier
view happen in the page (`page/walk.js`, `page/views.js`), so that of 10,000 elements
only what is shown crosses. Here the frames are joined, ids are given, and every
text passes `clean_line` once.

Below: `world`, `tab`, `elements`, observations. Above: `session`.
"""

import itertools
import secrets
import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Final

import anyio
from playwright.async_api import Error as PlaywrightError

from notte_mcp.engines.base import ObserveRequest
from notte_mcp.engines.local.elements import ElementBook, page_of
from notte_mcp.engines.local.tab import FRAME_SECONDS, FramePlace, Tab
from notte_mcp.engines.local.world import DocumentGone, World
from notte_mcp.errors import PageNotResponding, UnknownView
from notte_mcp.observations import Changes, Node, Observation, Viewport, clean_line
from notte_mcp.observations import Tab as TabView

CURSOR_SECONDS: Final = 15 * 60
LOOK_SECONDS: Final = 8.0
_FRAME_DEPTH: Final = 5  # frames of another origin within one another
_FRAME_TOKENS: Final = 40  # the least that a frame of another origin is given

# Runs in the page's own world, which alone sees its listeners; all it can tell us is which elements have one.
_LISTENERS: Final = """(() => { try {
  const skip = /^(a|button|input|select|textarea|option|script|style|br|html|body|head|path|iframe)$/;
  const kinds = ["click", "mousedown", "mouseup", "pointerdown", "dblclick"], focused = [...kinds, "keydown"];
  let left = 60000;
  const visit = (root) => {
    for (const el of root.querySelectorAll("*")) {
      if (left-- < 0) return;
      if (el.shadowRoot) visit(el.shadowRoot);
      if (skip.test(el.localName)) {
        if (el.localName === "iframe") { try { if (el.contentDocument) visit(el.contentDocument); } catch {} }
        continue;
      }
      const has = getEventListeners(el);
      for (const kind of el.hasAttribute("tabindex") ? focused : kinds) if (has[kind]) { el.dispatchEvent(new CustomEvent("TOKEN", { composed: true })); break; }
    }
  };
  visit(document);
} catch {} })()"""


@dataclass(frozen=True, slots=True)
class _Cursor:
    view: int
    tab: Tab
    worlds: tuple[tuple[World, int, int], ...]  # world, its document's uid, depth of its nodes
    expires: float


@dataclass
class _Look:
    """One observation while it is being made: what is left of its tokens, and what was found. `page`: see `page_of`."""

    tab: Tab
    request: ObserveRequest
    left: int
    omitted: int = 0
    page: str = ""
    lists: dict[str, list[Node]] = field(
        default_factory=lambda: {name: [] for name in ("nodes", "appeared", "changed", "gone")}
    )
    worlds: list[tuple[World, int, int]] = field(default_factory=list[tuple[World, int, int]])


class Observer:
    """Makes observations of a session's tabs."""

    def __init__(self, book: ElementBook) -> None:
        self._book = book
        self._cursors: dict[str, _Cursor] = {}
        self._numbers = itertools.count(1)

    async def observe(self, tab: Tab, request: ObserveRequest, tabs: tuple[TabView, ...]) -> Observation:
        """A view of a tab (see `BrowserSession.observe`)."""
        if request.cursor is not None:
            return await self._continue(tab, request, tabs)
        look = _Look(tab, request, request.max_tokens)
        raw = await self._main(look)
        look.page = page_of(tab.url)
        tab.title = clean_line(raw["place"]["title"], 200)
        await self._collect(look, tab.main, raw, 0)
        whole = request.mode != "changes" or request.since is None or not raw["known"]
        changes = None
        if not whole and request.since is not None:
            appeared = (*look.lists["appeared"], *look.lists["nodes"])
            changes = Changes(
                request.since, appeared, tuple(look.lists["changed"]), tuple(look.lists["gone"]), look.omitted
            )
        return Observation(
            url=clean_line(raw["place"]["url"], 2_000), title=tab.title, tabs=_named(tabs, tab), mode=request.mode,
            view=request.view, nodes=tuple(look.lists["nodes"]) if whole else (), changes=changes,
            omitted=look.omitted if whole else 0, whole=whole, note=_note(request, raw),
            cursor=self._keep(request.view, tab, look.worlds) if look.omitted and whole else None,
            headings=tuple(clean_line(name) for name in raw["headings"]), viewport=Viewport(*raw["place"]["viewport"]),
        )  # fmt: skip

    async def _main(self, look: "_Look") -> dict[str, Any]:
        for _ in range(4):
            try:
                if (raw := await self._look(look.tab.main, look.request, look.left)) is not None:
                    return raw
            except DocumentGone:
                continue
        raise PageNotResponding(
            "The page is being replaced again and again; none of its documents lived long enough to be read.",
            next_call="notte_observe again, or goto another page",
        )

    async def _look(
        self, world: World, request: ObserveRequest, tokens: int, *, timeout_s: float = LOOK_SECONDS
    ) -> dict[str, Any] | None:
        """One walk in a world's current document; before it, where it is due, the pass that finds listeners.

        Raises:
            DocumentGone, PageNotResponding.
        """
        token = f"n{secrets.token_hex(8)}"
        asked: dict[str, Any] = {
            "view": request.view, "mode": request.mode, "since": request.since, "find": request.find,
            "tokens": tokens, "token": token, "heard": False,
        }  # fmt: skip
        raw = await world.call("look", asked, timeout_s=timeout_s)
        if raw.get("due"):
            await _find_listeners(world, token)
            raw = await world.call("look", asked | {"heard": True}, timeout_s=timeout_s)
        return raw

    async def _collect(self, look: "_Look", world: World, raw: dict[str, Any], depth: int) -> None:
        """Add what a world showed, then what its frames of another origin show, each at its place."""
        if world.document is not None:
            look.worlds.append((world, world.document.uid, depth))
        look.left -= int(raw.get("spent", 0))
        look.omitted += int(raw["omitted"])
        for name in ("appeared", "changed", "gone"):
            found = raw.get(name, ())
            nodes = (self._node(look, world, n, depth, raw["top"], gone=name == "gone") for n in found)
            look.lists[name].extend(nodes)
        places = await look.tab.bind_frames(world, raw["frames"]) if raw["frames"] and depth < _FRAME_DEPTH else []
        pending = {place.owner_key: place for place in places}
        for node in raw["nodes"]:
            place = pending.pop(node["frame"], None) if "frame" in node else None
            mark = len(look.lists["nodes"])
            if place is not None or "frame" not in node:
                look.lists["nodes"].append(self._node(look, world, node, depth, raw["top"]))
            if place is not None:
                await self._frame(look, place, depth + int(node["depth"]) + 1, len(pending) + 1)
                if len(look.lists["nodes"]) == mark + 1:
                    del look.lists["nodes"][mark]  # nothing in it, or nothing that matches
        for place in list(pending.values()):
            await self._frame(look, place, depth + 1, len(pending))

    async def _frame(self, look: "_Look", place: FramePlace, depth: int, sharers: int) -> None:
        """What a frame of another origin shows, with its share of what is left of the budget."""
        share = max(_FRAME_TOKENS, look.left // sharers)
        patience_s = look.tab.patience_s(place.world, FRAME_SECONDS)
        with suppress(PageNotResponding, DocumentGone, PlaywrightError):
            if (raw := await self._look(place.world, look.request, share, timeout_s=patience_s)) is not None:
                await self._collect(look, place.world, raw, depth)

    def _node(
        self, look: "_Look", world: World, raw: dict[str, Any], depth: int, top: int, *, gone: bool = False
    ) -> Node:
        kind, states = raw["kind"], tuple(raw.get("states", ()))
        key = f"{world.document.uid if world.document else 0}:{raw['key']}"
        found = None
        if kind == "element" and gone:
            found = self._book.known((world.document.uid, int(raw["key"]))) if world.document else None
        elif kind == "element" and "disabled" not in states:
            found = self._book.shown(look.tab, world, raw, top, page=look.page)
        value = raw.get("value")
        return Node(
            key=key, kind=kind, role=raw["role"], name=clean_line(raw.get("name", ""), 400 if kind == "text" else 120),
            id=found, depth=int(raw["depth"]) + depth, value=None if value is None else clean_line(str(value), 120),
            states=states, options=tuple(clean_line(o, 80) for o in raw.get("options", ())),
            option_count=int(raw.get("option_count", 0)), hint=clean_line(raw.get("hint", ""), 40),
            row=f"{key.split(':', maxsplit=1)[0]}:{raw['row']}" if raw.get("row") else None,
        )  # fmt: skip

    def _keep(self, view: int, tab: Tab, rest: list[tuple[World, int, int]]) -> str:
        now = time.monotonic()
        self._cursors = {k: c for k, c in self._cursors.items() if c.expires > now}
        name = f"c{next(self._numbers)}"
        self._cursors[name] = _Cursor(view, tab, tuple(rest), now + CURSOR_SECONDS)
        return name

    async def _continue(self, tab: Tab, request: ObserveRequest, tabs: tuple[TabView, ...]) -> Observation:
        cursor = self._cursors.get(request.cursor or "")
        if cursor is None or cursor.expires < time.monotonic() or cursor.tab is not tab:
            raise _gone_cursor(request.cursor)
        look = _Look(tab, request, request.max_tokens, page=page_of(tab.url))
        nodes: list[Node] = []
        omitted, left = 0, request.max_tokens
        for world, uid, depth in cursor.worlds:
            if world.document is None or world.document.uid != uid:
                continue
            try:
                raw = await world.call("more", {"view": cursor.view, "tokens": max(left, 1)}, timeout_s=LOOK_SECONDS)
            except DocumentGone:
                raw = None
            if raw is None:
                raise _gone_cursor(request.cursor)
            left -= int(raw["spent"])
            omitted += int(raw["omitted"])
            nodes.extend(self._node(look, world, n, depth, 0) for n in raw["nodes"] if "frame" not in n)
        if not nodes and not omitted:
            raise _gone_cursor(request.cursor)
        following = self._keep(cursor.view, tab, list(cursor.worlds)) if omitted else None
        return Observation(
            url=clean_line(tab.url, 2_000), title=tab.title, tabs=tabs, mode="actions", view=cursor.view,
            nodes=tuple(nodes), omitted=omitted, cursor=following,
        )  # fmt: skip


async def _find_listeners(world: World, token: str) -> None:
    """Let the page's own world tell ours which elements have click listeners; what fails is left out."""
    if not world.own_session:
        return
    request = {
        "expression": _LISTENERS.replace("TOKEN", token), "includeCommandLineAPI": True, "silent": True, "timeout": 400,
    }  # fmt: skip
    with anyio.move_on_after(2), suppress(PlaywrightError):
        await world.cdp.send("Runtime.evaluate", request)


def _named(tabs: tuple[TabView, ...], tab: Tab) -> tuple[TabView, ...]:
    """The tabs with what this look has found to be the current one's title."""
    return tuple(replace(view, title=tab.title) if view.current else view for view in tabs)


def _note(request: ObserveRequest, raw: dict[str, Any]) -> str:
    if request.mode != "changes" or request.since is None or raw["known"]:
        return ""
    return "" if raw["fresh"] else f"view {request.since} is no longer known; this is the whole page"


def _gone_cursor(name: str | None) -> UnknownView:
    return UnknownView(
        f"The cursor {name} has expired: its view is gone (cursors live 15 minutes and end with their page).",
        next_call="notte_observe without a cursor",
    )

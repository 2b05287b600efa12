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
from dataclasses import dataclass
from typing import Any, Final

import anyio
from playwright.async_api import Error as PlaywrightError

from notte_mcp.engines.base import ObserveRequest
from notte_mcp.engines.local.elements import ElementBook
from notte_mcp.engines.local.tab import FramePlace, Tab
from notte_mcp.engines.local.world import DocumentGone, World
from notte_mcp.errors import PageNotResponding, UnknownView
from notte_mcp.observations import Changes, Node, Observation, Tab as TabView, clean_line

CURSOR_SECONDS: Final = 15 * 60
LOOK_SECONDS: Final = 8.0
_FOREIGN_SHARE: Final = 0.25  # of the budget kept for frames of another origin, where there are any

# Runs in the page's own world, which alone sees its listeners; all it can tell us is which elements have one.
_LISTENERS: Final = """(() => { try {
  const skip = /^(a|button|input|select|textarea|option|script|style|br|html|body|head|path|iframe)$/;
  const kinds = ["click", "mousedown", "mouseup", "pointerdown", "dblclick"];
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
      for (const kind of kinds) if (has[kind]) { el.dispatchEvent(new CustomEvent("TOKEN", { composed: true })); break; }
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
        place = await self._refreshed(tab)
        await self._mark_listeners(tab.main)
        raw = await self._look(tab.main, request, self._budget(tab, request.max_tokens))
        whole = request.mode != "changes" or request.since is None or not raw["known"]
        lists: dict[str, list[Node]] = {name: [] for name in ("nodes", "appeared", "changed", "gone")}
        rest: list[tuple[World, int, int]] = []
        omitted = await self._collect(tab, tab.main, raw, request, lists, rest, depth=0)
        note = "" if request.mode != "changes" or request.since is None or raw["known"] else "new page"
        if note and request.since is not None and tab.main.document is None:
            note = ""
        cursor = self._keep(request.view, tab, rest) if omitted and whole else None
        changes = None
        if not whole and request.since is not None:
            changes = Changes(
                request.since, tuple(lists["appeared"] + lists["nodes"]), tuple(lists["changed"]), tuple(lists["gone"]), omitted
            )
        return Observation(
            url=clean_line(place["url"], 2_000), title=tab.title, tabs=tabs, mode=request.mode, view=request.view,
            nodes=tuple(lists["nodes"]) if whole else (), changes=changes, omitted=omitted if whole else 0,
            cursor=cursor, note=note, whole=whole,
        )  # fmt: skip

    async def _refreshed(self, tab: Tab) -> dict[str, Any]:
        try:
            return await tab.refresh()
        except DocumentGone:
            raise PageNotResponding(
                "The page is being replaced again and again; none of its documents lived long enough to be read.",
                next_call="notte_observe again, or goto another page",
            ) from None

    def _budget(self, tab: Tab, tokens: int) -> int:
        return int(tokens * (1 - _FOREIGN_SHARE)) if tab.frames else tokens

    async def _mark_listeners(self, world: World) -> None:
        """Let the page's own world tell ours which elements have click listeners; what fails is left out."""
        token = f"n{secrets.token_hex(8)}"
        try:
            await world.call("listen", token, timeout_s=2)
            request = {"expression": _LISTENERS.replace("TOKEN", token), "includeCommandLineAPI": True, "silent": True, "timeout": 400}
            with anyio.move_on_after(2):
                await world.cdp.send("Runtime.evaluate", request)
        except (DocumentGone, PageNotResponding, PlaywrightError):
            return

    async def _look(self, world: World, request: ObserveRequest, tokens: int) -> dict[str, Any]:
        asked = {"view": request.view, "mode": request.mode, "since": request.since, "find": request.find, "tokens": tokens}
        try:
            return await world.call("look", asked, timeout_s=LOOK_SECONDS, anew=True)
        except DocumentGone:
            return {"nodes": [], "omitted": 0, "frames": [], "known": False, "spent": 0}

    async def _collect(
        self, tab: Tab, world: World, raw: dict[str, Any], request: ObserveRequest,
        lists: dict[str, list[Node]], rest: list[tuple[World, int, int]], *, depth: int,
    ) -> int:  # fmt: skip
        """Add what a world showed to `lists`, then what its foreign frames show, each at its place."""
        if world.document is not None:
            rest.append((world, world.document.uid, depth))
        places = await tab.bind_frames(world, raw["frames"]) if raw["frames"] and depth < 5 else []
        by_key = {place.owner_key: place for place in places}
        omitted = int(raw["omitted"])
        for name in ("appeared", "changed", "gone"):
            lists[name].extend(self._node(tab, world, n, depth, gone=name == "gone") for n in raw.get(name, ()))
        for node in raw["nodes"]:
            place = by_key.pop(node["frame"], None) if "frame" in node else None
            if place is None and "frame" in node:
                continue
            mark = len(lists["nodes"])
            lists["nodes"].append(self._node(tab, world, node, depth))
            if place is not None:
                omitted += await self._frame(tab, place, request, lists, rest, depth + int(node["depth"]) + 1)
                if len(lists["nodes"]) == mark + 1:
                    del lists["nodes"][mark]
        for place in by_key.values():
            omitted += await self._frame(tab, place, request, lists, rest, depth + 1)
        return omitted

    async def _frame(
        self, tab: Tab, place: FramePlace, request: ObserveRequest,
        lists: dict[str, list[Node]], rest: list[tuple[World, int, int]], depth: int,
    ) -> int:  # fmt: skip
        try:
            raw = await self._look(place.world, request, max(150, int(request.max_tokens * _FOREIGN_SHARE)))
            return await self._collect(tab, place.world, raw, request, lists, rest, depth=depth)
        except PageNotResponding:
            return 0

    def _node(self, tab: Tab, world: World, raw: dict[str, Any], depth: int, *, gone: bool = False) -> Node:
        kind, states = raw["kind"], tuple(raw.get("states", ()))
        key = f"{world.document.uid if world.document else 0}:{raw['key']}"
        found = None
        if kind == "element" and gone:
            found = self._book.known((world.document.uid, int(raw["key"]))) if world.document else None
        elif kind == "element" and "disabled" not in states:
            found = self._book.shown(tab, world, raw)
        value = raw.get("value")
        return Node(
            key=key, kind=kind, role=raw["role"], name=clean_line(raw.get("name", ""), 400 if kind == "text" else 120),
            id=found, depth=int(raw["depth"]) + depth, value=None if value is None else clean_line(str(value), 120),
            states=states, options=tuple(clean_line(o, 80) for o in raw.get("options", ())),
            option_count=int(raw.get("option_count", 0)), hint=clean_line(raw.get("hint", ""), 40),
            row=f"{key.split(':')[0]}:{raw['row']}" if raw.get("row") else None,
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
            nodes.extend(self._node(tab, world, n, depth) for n in raw["nodes"] if "frame" not in n)
        if not nodes and not omitted:
            raise _gone_cursor(request.cursor)
        following = self._keep(cursor.view, tab, list(cursor.worlds)) if omitted else None
        return Observation(
            url=clean_line(tab.url, 2_000), title=tab.title, tabs=tabs, mode="actions", view=cursor.view,
            nodes=tuple(nodes), omitted=omitted, cursor=following,
        )  # fmt: skip


def _gone_cursor(name: str | None) -> UnknownView:
    return UnknownView(
        f"The cursor {name} has expired: its view is gone (cursors live 15 minutes and end with their page).",
        next_call="notte_observe without a cursor",
    )

"""A tab: one page, its worlds, and what happens to it from outside.

Keeps the page's CDP session, the world of its main frame and those of frames of
another origin (found when a walk meets them), the dialogs and downloads that
opened, and whether its renderer crashed. Frames of the same origin need nothing:
the walk goes through them.

Below: `world`, `dialogs`. Above: `session`, `observer`, `performer`.
"""

import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import anyio
from playwright.async_api import BrowserContext, Frame, Page
from playwright.async_api import Error as PlaywrightError

from notte_mcp.engines.local.cdp import Cdp
from notte_mcp.engines.local.veil import Veil
from notte_mcp.engines.local.world import DocumentGone, World
from notte_mcp.observations import clean_line

FRAME_SECONDS: Final = 4.0
"""How long a frame of another site may take: one that hangs must not keep its page from being told."""

_MUTE_S: Final = 15.0  # how long a frame that did not answer is left alone
_SILENT_S: Final = 0.5


@dataclass(eq=False)
class FramePlace:
    """A frame of another origin: its world, and the element that holds it in its parent's world."""

    world: World
    parent: World
    owner_key: int
    document_uid: int


class Tab:
    """See the module. `index` is its place among the session's tabs, kept by the session."""

    def __init__(self, page: Page, cdp: Cdp, frame_id: str) -> None:
        self.page = page
        self.cdp = cdp
        self.main = World(cdp, frame_id)
        self.frames: list[FramePlace] = []
        self.title = ""
        self.crashed = False
        self.closed = False
        self._oop: dict[Frame, tuple[Cdp, str] | None] = {}
        self._mute: dict[Frame, float] = {}

    @classmethod
    async def attach(
        cls, context: BrowserContext, page: Page, *, on_gone: Callable[["Tab", str], Awaitable[None]]
    ) -> "Tab":
        """A tab for an open page. `on_gone` is called with `crash` or `close` when the page is lost.

        Raises:
            playwright Error: the page is gone already.
        """
        cdp = Cdp(await context.new_cdp_session(page))
        await Veil.over(cdp)
        tree = await cdp.send("Page.getFrameTree")
        tab = cls(page, cdp, tree["frameTree"]["frame"]["id"])
        page.on("crash", lambda _: tab._lost(on_gone, "crash"))
        page.on("close", lambda _: tab._lost(on_gone, "close"))
        page.on("framedetached", tab._forget_frame)
        page.on("framenavigated", tab._frame_navigated)
        return tab

    async def _lost(self, on_gone: Callable[["Tab", str], Awaitable[None]], how: str) -> None:
        self.crashed = self.crashed or how == "crash"
        self.closed = True
        await on_gone(self, how)

    def _forget_frame(self, frame: Frame) -> None:
        self._oop.pop(frame, None)
        self._mute.pop(frame, None)

    def _frame_navigated(self, frame: Frame) -> None:
        # A frame may move into or out of a process of its own when it navigates.
        if frame.parent_frame is not None:
            self._forget_frame(frame)

    @property
    def url(self) -> str:
        """The last committed URL, at most 4,000 characters."""
        return self.page.url[:4_000]

    async def refresh(self) -> dict[str, Any]:
        """Read title and readiness; enters the current document. Raises: PageNotResponding, DocumentGone."""
        place: dict[str, Any] = await self.main.call("place", timeout_s=5, anew=True)
        self.title = clean_line(place["title"], 200)
        return place

    @property
    def worlds(self) -> list[World]:
        """The main world first, then those of frames of another origin that are known to be there."""
        self._forget_left_frames()
        return [self.main, *(place.world for place in self.frames)]

    def patience_s(self, world: World, most_s: float) -> float:
        """How long a world may take: half a second where it is a frame's, and gave no answer the last time."""
        return min(most_s, _SILENT_S) if world.silent and world is not self.main else most_s

    @property
    def has_silent_frame(self) -> bool:
        """Whether a frame of another origin hangs, as far as is known."""
        return bool(self._mute) or any(place.world.silent for place in self.frames)

    def _forget_left_frames(self) -> None:
        """Of frames whose page was left, or that went: asking each in vain would take longer than what is asked for."""
        there = {self.main}
        kept: list[FramePlace] = []
        for place in self.frames:  # parents stand before what they hold
            document = place.parent.document
            left = document is not None and document.uid != place.document_uid
            if place.parent in there and not left and not place.world.gone:
                there.add(place.world)
                kept.append(place)
        self.frames = kept

    def place_of(self, world: World) -> FramePlace | None:
        """Where a frame's world is held; None for the main world."""
        return next((place for place in self.frames if place.world is world), None)

    async def bind_frames(self, parent: World, owner_keys: list[int]) -> list[FramePlace]:
        """The worlds of the frames of another origin that these elements of `parent` hold, in order.

        A frame that cannot be reached (still loading, or nested in a frame of the
        same origin) is left out.
        """
        document = parent.document
        if document is None:
            return []
        self.frames = [p for p in self.frames if p.parent is not parent or p.document_uid == document.uid]
        known = {p.owner_key: p for p in self.frames if p.parent is parent}
        if any(key not in known for key in owner_keys):
            for cdp, frame_id in await self._candidates(parent):
                key = await self._owner_key(parent, frame_id)
                if key is not None and key in owner_keys and key not in known:
                    place = FramePlace(
                        World(cdp, frame_id, own_session=cdp is not parent.cdp), parent, key, document.uid
                    )
                    known[key] = place
                    self.frames.append(place)
        return [known[key] for key in owner_keys if key in known]

    async def _candidates(self, parent: World) -> list[tuple[Cdp, str]]:
        """Frames below this tab with the CDP session that reaches them: in process, then out of process."""
        found: list[tuple[Cdp, str]] = []
        with suppress(PlaywrightError):
            tree = await parent.cdp.send("Page.getFrameTree")
            _gather(tree["frameTree"].get("childFrames", []), parent.cdp, found)
        frames, now = self.page.frames[1:60], time.monotonic()
        async with anyio.create_task_group() as asked:
            for frame in frames:
                if frame not in self._oop and self._mute.get(frame, now) <= now:
                    asked.start_soon(self._reach_frame, frame)
        return found + [own for frame in frames if (own := self._oop.get(frame)) is not None]

    async def _reach_frame(self, frame: Frame) -> None:
        """Find a frame's own CDP session, if it has one. A frame whose script hangs does not answer: see `_MUTE_S`."""
        with anyio.move_on_after(FRAME_SECONDS):
            try:
                cdp = Cdp(await self.page.context.new_cdp_session(frame))
                tree = await cdp.send("Page.getFrameTree")
            except PlaywrightError:
                self._oop[frame] = None  # in its parent's process
            else:
                self._oop[frame] = cdp, str(tree["frameTree"]["frame"]["id"])
            self._mute.pop(frame, None)
            return
        self._mute[frame] = time.monotonic() + _MUTE_S

    async def _owner_key(self, parent: World, frame_id: str) -> int | None:
        """The key of the element in `parent` that holds a frame."""
        if parent.document is None:
            return None
        try:
            await parent.cdp.send("DOM.enable")
            owner = await parent.cdp.send("DOM.getFrameOwner", {"frameId": frame_id})
            resolved = await parent.cdp.send(
                "DOM.resolveNode",
                {"backendNodeId": owner["backendNodeId"], "executionContextId": parent.document.context_id},
            )
            answer = await parent.cdp.send(
                "Runtime.callFunctionOn",
                {
                    "objectId": resolved["object"]["objectId"],
                    "functionDeclaration": "function () { return notte.bindFrame(this); }",
                    "returnByValue": True,
                },
            )
        except (PlaywrightError, KeyError):
            return None
        value = answer["result"].get("value")
        return int(value) if value is not None else None

    async def frame_path(self, world: World) -> tuple[tuple[str, ...], tuple[float, float]]:
        """CSS selectors of the frames that hold `world`, from the top down, and where it begins in the viewport (CSS px)."""
        place = self.place_of(world)
        if place is None:
            return (), (0.0, 0.0)
        try:
            own = await place.parent.call("framePath", {"key": place.owner_key}, timeout_s=2)
        except DocumentGone:
            return (), (0.0, 0.0)
        path, (left, top) = await self.frame_path(place.parent)
        return (*path, *own["path"]), (left + own["left"], top + own["top"])


def _gather(children: list[Any], cdp: Cdp, found: list[tuple[Cdp, str]]) -> None:
    for child in children[:60]:
        found.append((cdp, str(child["frame"]["id"])))
        _gather(child.get("childFrames", []), cdp, found)

"""Filming: what the current tab paints, frame after frame, through the browser's own screencast.

The browser has at most two frames on their way that nobody acknowledged, and takes a picture of whatever is painted
even so, which is most of what a film costs. So none is acknowledged: the second one says that something has changed,
the screencast rests until the listener wants a frame, and its new beginning gives the page as it is then. Of a page
that stays as it is nothing more comes, and nothing is done. While actions follow one another it rests as well: that
they change something is known.

Everything here happens beside the actions, in one task of its own; one that may lead away from what no frame shows yet
waits until it has been painted and its picture is being taken, or has come, for `_CATCH_UP_S` at most (`catch_up`). A failure ends in a line of the log: no action fails.

Below: `stage`, `tab`, frames. Above: `session`. Facts: Chromium 156, `Page.startScreencast`.
"""

import asyncio
import base64
import time
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final

import anyio
from playwright.async_api import Error as PlaywrightError

from notte_mcp.engines.local.stage import Stage
from notte_mcp.engines.local.tab import Tab
from notte_mcp.engines.local.world import DocumentGone
from notte_mcp.errors import PageNotResponding
from notte_mcp.frames import MAX_HEIGHT, MAX_WIDTH, Frame, FrameListener, size_of
from notte_mcp.logs import Log

_log: Final = Log("filming")

_QUALITY: Final = 50
_WIDTH: Final = min(800, MAX_WIDTH)
"""Px. A fifth more costs a quarter more, and shows hardly more."""

_ON_THEIR_WAY: Final = 2
_ANSWER_S: Final = 5.0
_AGAIN_S: Final = 1.0
_CATCH_UP_S: Final = 0.4
_PAINTED_S: Final = 0.05
"""After so long what was done to a page has been painted."""

_TAKEN_S: Final = 0.05
"""A picture that was taken longer after it was asked for may show what was done since."""

_WHILE_S: Final = 0.3
"""How long after its beginning an action is filmed, where it takes so long."""

_CAST: Final = {"format": "jpeg", "quality": _QUALITY, "maxWidth": _WIDTH, "maxHeight": MAX_HEIGHT}


class Filming:
    """One film, for one listener. Begins when it is made."""

    def __init__(self, stage: Stage, listener: FrameListener) -> None:
        self._stage = stage
        self._listener = listener
        self._tab: Tab | None = None
        self._unheard: list[int] = []
        self._last = ""
        self._due = 0.0
        self._resting = False
        self._covered = False
        self._stirred = False
        self._missed = False
        self._shown_at = self._cast_at = 0.0
        self._asked: anyio.Event | None = None
        self._asked_at = 0.0
        self._answering = False
        self._hastened = False
        self._frame: Frame | None = None
        self._news = anyio.Event()
        stage.followers.append(self._wake)
        stage.screen = self
        self._task = asyncio.create_task(self._run(), name="filming")

    async def end(self) -> None:
        """No frame is given any more once this is called. Never raises, and leaves nothing pending."""
        with suppress(ValueError):
            self._stage.followers.remove(self._wake)
        if self._stage.screen is self:
            self._stage.screen = None
        self._due = float("inf")
        self._task.cancel()
        await asyncio.wait([self._task])

    def hasten(self, listener: FrameListener) -> bool:
        """Wait no more for what the listener said, which wants the next frame now; False where it is another one."""
        if listener != self._listener or self._task.done():
            return False
        self._due = 0.0
        self._hastened = True
        if self._frame is not None and self._stands:
            self._hand_on(replace(self._frame, at=time.time(), asked=False))
        self._wake()
        return True

    @property
    def _stands(self) -> bool:
        """Whether nothing has been painted since the last frame."""
        quiet = not (self._resting or self._has_more or self._answering) and bool(self._unheard)
        return quiet and time.time() >= self._stage.changed_at + _PAINTED_S

    # --- what the actions tell it, see `stage.Screen` -----------------------------

    @property
    def is_behind(self) -> bool:
        """Whether something was done to the page, or painted, that no frame shows."""
        return self._missed or not self._unheard or self._shown_at < self._stage.changed_at + _PAINTED_S

    def stirs(self) -> None:
        """An action begins."""
        self._due = max(self._due, time.monotonic() + _WHILE_S)
        if self._stands:
            self._shown_at = time.time()
        if not self._resting:
            self._stirred = True
            self._wake()

    async def catch_up(self, *, patient: bool) -> None:
        """Come back when what stands on the page has been filmed, after `_CATCH_UP_S` at the latest; without patience
        as soon as the picture is being taken, which what follows cannot overtake."""
        tab = self._tab
        if tab is None or tab is not self._current() or self._stage.covered or self._task.done() or not self.is_behind:
            return
        with suppress(DocumentGone, PageNotResponding, PlaywrightError), anyio.move_on_after(_CATCH_UP_S):
            await tab.main.call("firstFrames", timeout_s=_AGAIN_S)
            # A picture that takes long to draw is on the screen when the page may draw the next but one.
            await tab.main.call("nextFrame", timeout_s=_AGAIN_S)
            asked = self._asked = anyio.Event()
            self._asked_at = time.time()
            if patient:
                self._wake()
                await asked.wait()
            else:
                await self._restart(answering=True)
        if patient:
            self._asked = None

    # --- its task -----------------------------------------------------------------

    def _wake(self) -> None:
        self._news.set()

    async def _run(self) -> None:
        try:
            while not self._stage.lost:
                news = self._news = anyio.Event()
                with suppress(PlaywrightError, TimeoutError):
                    await self._turn()
                with anyio.move_on_after(self._patience()):
                    await news.wait()
        except Exception:  # noqa: BLE001  (a film is no reason for anything else to fail)
            _log.exception("film.failed")
        finally:
            await self._leave()

    def _patience(self) -> float:
        """How long (s) nothing is to be done, if nothing happens."""
        if self._tab is not self._current():
            return _AGAIN_S  # it did not answer
        if self._covered or not (self._resting or self._has_more):
            return float("inf")
        return max(0.0, self._due - time.monotonic())

    @property
    def _has_more(self) -> bool:
        """Whether something was painted that was not given, or may have been."""
        return self._missed or len(self._unheard) >= _ON_THEIR_WAY

    def _current(self) -> Tab | None:
        return self._stage.tab if self._stage.tabs else None

    async def _turn(self) -> None:
        """Whatever is due: the tab that has become the current one, a rest, the next picture.

        Raises:
            PlaywrightError, TimeoutError: the tab is gone, or does not answer.
        """
        if self._tab is not self._current():
            await self._leave()
            if (tab := self._current()) is not None:
                await self._enter(tab)
        elif self._stage.covered:
            self._covered = True
        elif self._covered:
            self._covered = False
            await self._uncovered()
        elif self._asked is not None and not self._answering:
            await self._restart(answering=True)
        elif self._stirred:
            await self._while_acting()
        elif time.monotonic() >= self._due:
            await self._continue()
        elif self._has_more and not self._resting:
            await self._rest()

    # --- one tab -----------------------------------------------------------------

    async def _enter(self, tab: Tab) -> None:
        tab.cdp.hear("Page.screencastFrame", self._painted)
        self._cast_at = time.time()
        try:
            with anyio.fail_after(_ANSWER_S):
                await tab.cdp.send("Page.startScreencast", _CAST)
        except BaseException:
            tab.cdp.unhear("Page.screencastFrame", self._painted)
            raise
        self._tab = tab

    async def _leave(self) -> None:
        tab, self._tab = self._tab, None
        self._unheard, self._resting, self._stirred, self._answering, self._missed = [], False, False, False, False
        if tab is None:
            return
        tab.cdp.unhear("Page.screencastFrame", self._painted)
        if tab.closed or self._stage.lost:
            return
        with suppress(PlaywrightError), anyio.CancelScope(shield=True), anyio.move_on_after(_AGAIN_S):
            await tab.cdp.send("Page.stopScreencast")

    async def _anew(self) -> None:
        """The picture as it is now, as the first one of a new beginning."""
        tab = self._tab
        await self._leave()
        if tab is not None and tab is self._current():
            await self._enter(tab)

    async def _uncovered(self) -> None:
        """What was drawn over the page for a picture is gone; two frames later it is gone from the screen as well."""
        if self._tab is not None:
            with suppress(DocumentGone, PageNotResponding):
                await self._tab.main.call("firstFrames", timeout_s=_AGAIN_S)
        await self._anew()

    async def _rest(self) -> None:
        """Nothing is wanted for a while, and each picture of what is painted meanwhile would cost as if it were."""
        self._resting = True
        if self._tab is not None:
            await self._tab.cdp.send("Page.stopScreencast")

    async def _while_acting(self) -> None:
        """Rest, but for a first frame that is on its way."""
        self._stirred = False
        if self._unheard and not self._resting:
            await self._rest()

    async def _continue(self) -> None:
        """The listener wants another one: what there is now, where something may have been painted."""
        if self._resting or self._has_more:
            await self._restart()

    async def _restart(self, *, answering: bool = False) -> None:
        """Begin anew, which gives the picture as it is now."""
        if self._tab is None:
            return
        if not self._resting:
            await self._rest()
        self._unheard, self._resting, self._answering, self._missed = [], False, answering, False
        self._cast_at = time.time()
        try:
            await self._tab.cdp.send("Page.startScreencast", _CAST)
        except PlaywrightError:
            self._resting, self._due = True, time.monotonic() + _AGAIN_S  # to be tried again
            raise

    # --- one frame ---------------------------------------------------------------

    def _painted(self, event: dict[str, Any]) -> None:
        self._unheard.append(event["sessionId"])
        # What comes too early says only that something has changed.
        if self._stage.covered or self._covered:
            pass
        elif self._answering or time.monotonic() >= self._due:
            self._give(event)
        else:
            self._missed = True
        if self._answering:
            self._answering, self._stirred = False, True
            if self._asked is not None:
                self._asked.set()
                self._asked = None
        self._wake()

    def _give(self, event: dict[str, Any]) -> None:
        """Hand a frame on, unless it shows what the last one showed and nobody waits for it."""
        self._missed = False
        # A frame is made some time before it comes: the first one of a beginning after that, if nothing else is known.
        self._shown_at = self._cast_at if len(self._unheard) == 1 else time.time() - _PAINTED_S
        if event["data"] == self._last and not self._hastened:
            return
        self._last = str(event["data"])
        about = event["metadata"]
        jpeg = base64.b64decode(self._last)
        width, height = size_of(jpeg)
        viewport = (round(about["deviceWidth"]), round(about["deviceHeight"]))
        at = float(about.get("timestamp") or time.time())
        if self._answering and at - self._asked_at < _TAKEN_S:
            at = min(at, self._asked_at)  # what was asked for, though something may have been done since
        self._hand_on(Frame(at, jpeg, width, height, viewport, self._answering))

    def _hand_on(self, frame: Frame) -> None:
        self._frame, self._hastened = frame, False
        pace = 0.0
        try:
            pace = self._listener(frame)
        except Exception:  # noqa: BLE001  (whoever listens is not the browser's trouble)
            _log.exception("film.listener_failed")
            self._task.cancel()
        self._due = time.monotonic() + pace

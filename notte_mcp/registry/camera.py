"""A live session's camera: one source of frames for all who look, each at its own pace.

The engine films as long as anybody looks; who is slow misses frames and holds up nobody, and has the newest one when
it comes for it. The recorder is one of those who look.

Below: frames, engines.base, replay.recorder. Above: life, ending, watching.
"""

import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Final

import anyio

from notte_mcp.engines.base import BrowserSession
from notte_mcp.errors import NotteMCPError, SessionLost
from notte_mcp.frames import Frame
from notte_mcp.replay.recorder import Recorder

LAST_S: Final = 0.25
"""How long the picture of what the last step left is waited for when a session ends."""

CLOSE_S: Final = 0.3
"""How long the film may take to be closed."""

_NOBODY_S: Final = 5.0


class Watch:
    """One who looks: `next` waits for a frame that it has not had, at most every `every_s` seconds."""

    def __init__(self, every_s: float) -> None:
        self.every_s = every_s
        self._due = 0.0
        self._frame: Frame | None = None
        self._over: Callable[[], NotteMCPError] | None = None
        self._news = anyio.Event()

    def show(self, frame: Frame) -> float:
        """A frame is there; one that was not fetched is forgotten. Gives for how many seconds no other is wanted."""
        self._frame = frame
        self._news.set()
        left = self._due - time.monotonic()
        return left if left > 0 else self.every_s

    def end(self, over: Callable[[], NotteMCPError]) -> None:
        """No frame comes any more, and who waits for one is told this."""
        self._over = over
        self._news.set()

    async def next(self) -> Frame:
        """The newest frame, once there is one that this watch has not given yet.

        Raises: SessionNotLive, SessionLost: the session has ended.
        """
        while self._frame is None and self._over is None:
            self._news = anyio.Event()
            await self._news.wait()
        if self._over is None:
            await anyio.sleep(max(self._due - time.monotonic(), 0))
        frame, self._frame = self._frame, None
        if frame is None:
            assert self._over is not None  # noqa: S101 - one of them there is
            raise self._over()
        self._due = time.monotonic() + self.every_s
        return frame


class Camera:
    """See the module. One for a slot; `latest` is the last frame that anybody was shown, `recorder` keeps some of them
    where the session is filmed."""

    def __init__(self) -> None:
        self.latest: Frame | None = None
        self.recorder: Recorder | None = None
        self._watches: list[Watch] = []
        self._over: Callable[[], NotteMCPError] | None = None
        self._is_quicker = self._is_hasty = False
        self._stir = anyio.Event()

    @asynccontextmanager
    async def watching(self, *, every_s: float) -> AsyncGenerator[Watch]:
        """Look, at most every `every_s` seconds; begins with the last frame that is known.

        `Watch.next` raises what has become of the session once it has ended.
        """
        watch = Watch(every_s)
        if self.latest is not None:
            watch.show(self.latest)
        if self._over is not None:
            watch.end(self._over)
        self._watches.append(watch)
        self._is_hasty = True
        self.stir()
        try:
            yield watch
        finally:
            self._watches.remove(watch)
            self.stir(quicker=False)

    def stir(self, *, quicker: bool = True) -> None:
        """Who looks has changed, or wants the next frame sooner than it said."""
        self._is_quicker |= quicker
        self._stir.set()

    async def run(self, browser: BrowserSession) -> None:
        """Have the browser film while anybody looks, as long as the session lives."""
        is_filming = False
        try:
            while True:
                self._stir = anyio.Event()
                wanted, left = self._is_wanted, float("inf")
                if wanted and is_filming and self._is_quicker:
                    left = self._left
                if wanted != is_filming or left <= 0:
                    self._is_quicker = self._is_hasty = False
                    await browser.film(self._take if wanted else None)
                    is_filming, left = wanted, float("inf")
                with anyio.move_on_after(left):
                    await self._stir.wait()
        except SessionLost:
            return  # whoever acts is told

    @property
    def _left(self) -> float:
        """Seconds until the next frame is wanted."""
        return self.recorder.left if self.recorder is not None and not self._is_hasty else 0.0

    @property
    def _is_wanted(self) -> bool:
        return bool(self._watches) or (self.recorder is not None and self.recorder.wants)

    def _take(self, frame: Frame) -> float:
        if self._over is not None:
            return _NOBODY_S
        self.latest = frame
        waits = [watch.show(frame) for watch in self._watches]
        if self.recorder is not None:
            waits.append(self.recorder(frame))
        return min(waits, default=_NOBODY_S)

    # --- steps ----------------------------------------------------------------------

    def begun(self) -> None:
        """A step begins."""
        if self.recorder is not None:
            self.recorder.begun()

    def settled(self) -> None:
        """A step is over."""
        if self.recorder is not None:
            self.recorder.settled()

    # --- its end --------------------------------------------------------------------

    async def last_look(self, browser: BrowserSession) -> None:
        """Wait for what the last step left, though not for long. Never raises."""
        if self.recorder is None:
            return
        with anyio.move_on_after(LAST_S):
            try:
                if self.recorder.owes:
                    await self.recorder.painted()
                    await browser.film(self._take)
                    await self.recorder.outcome()
            except NotteMCPError:
                return

    async def close(self, over: Callable[[], NotteMCPError]) -> None:
        """Nobody looks any more; the film is closed."""
        self._over = over
        for watch in self._watches:
            watch.end(over)
        if self.recorder is not None:
            await self.recorder.close(within_s=CLOSE_S)

"""A live session's camera: one source of frames for all who look, each at its own pace.

The engine films as long as anybody looks; who is slow misses frames and holds up nobody.

Below: frames, engines.base. Above: opening, registry.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio

from notte_mcp.engines.base import BrowserSession
from notte_mcp.frames import Frame, FrameListener


class Watch:
    """One who looks: `next` waits for a frame that it has not had."""

    def __init__(self, every_s: float) -> None:
        self.every_s = every_s
        self._frame: Frame | None = None
        self._news = anyio.Event()

    def show(self, frame: Frame) -> None:
        """A frame is there; one that was not fetched is forgotten."""
        self._frame = frame
        self._news.set()

    async def next(self) -> Frame:
        """The newest frame, once there is one that this watch has not given yet."""
        while (frame := self._frame) is None:
            self._news = anyio.Event()
            await self._news.wait()
        self._frame = None
        return frame


class Camera:
    """See the module. One for a slot; `latest` is the last frame that anybody was shown."""

    def __init__(self) -> None:
        self.latest: Frame | None = None
        self._browser: BrowserSession | None = None
        self._watches: list[Watch] = []
        self._recorder: FrameListener | None = None

    @asynccontextmanager
    async def watching(self, *, every_s: float) -> AsyncGenerator[Watch]:
        """Look, at most every `every_s` seconds; begins with the last frame that is known.

        Raises: SessionLost.
        """
        watch = Watch(every_s)
        if self.latest is not None:
            watch.show(self.latest)
        self._watches.append(watch)
        try:
            yield watch
        finally:
            self._watches.remove(watch)

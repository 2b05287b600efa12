"""One Chromium for all Apps of a test process: `open_app(settings, engines={"local": browsers.engine(settings)})`.

A browser of its own costs an App a second and a half of processor time, a session in one that runs a third of one. So
this is for every test that is not about the browser's life: its memory is bounded as by default, no process of it is
noted in the state folder, and Chromium itself refuses no port of the App's. All else is each App's own: limits, files,
contexts, and browsers that a session asks to have for itself, on a screen or elsewhere.
"""

import itertools
import os
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import anyio

from notte_mcp.engines.base import OpenRequest
from notte_mcp.engines.local.driver import Driver
from notte_mcp.engines.local.engine import LocalEngine, RunningBrowser
from notte_mcp.engines.local.stage import SessionOptions
from notte_mcp.settings import Settings


class Browsers:
    """The browser that is shared, launched for the first session and again where it died, and the engines on it."""

    def __init__(self, chromium: Path, folder: Path) -> None:
        self._numbers = itertools.count()
        self._folder = folder
        as_root = hasattr(os, "geteuid") and os.geteuid() == 0
        self.common: dict[str, Any] = {"executable": chromium, "no_sandbox": as_root, "tmp_for": self._tmp_for}
        self._engine = LocalEngine(note_process=lambda _pid: None, **self.common)
        self._home: RunningBrowser | None = None
        self._turn = anyio.Lock()

    def _tmp_for(self, name: str) -> Path:
        path = self._folder / f"{name}{next(self._numbers)}"
        path.mkdir()
        return path

    def engine(self, settings: Settings | None = None, *, note_process: Callable[[int], None] | None = None) -> "Guest":
        """An engine for one App, with the limits of its settings. Its close ends the sessions of that App, and leaves the
        browser. `note_process` is told of those that it launches for itself."""
        of = settings or Settings()
        options = SessionOptions(
            max_tabs=of.max_tabs, max_download_bytes=of.max_download_bytes, max_session_bytes=of.max_session_bytes,
            max_session_files=of.max_session_files, max_upload_bytes=of.max_upload_bytes, max_page_mb=of.max_page_mb,
            max_browser_mb=of.max_browser_mb, upload_dirs=of.upload_dirs,
        )  # fmt: skip
        return Guest(self, options, note_process or (lambda _pid: None))

    async def home(self) -> RunningBrowser:
        """The browser, which no session is the last one of."""
        async with self._turn:
            if self._home is None or not self._home.browser.is_connected():
                self._home = await self._engine._launch(headless=True)
                self._home.sessions.add("whoever comes next")
            return self._home

    async def driver(self) -> Driver:
        """Playwright's, for all browsers."""
        return await self._engine._started()

    async def close(self) -> None:
        """End the browser and the driver."""
        if self._home is not None:
            await self._engine._end(self._home, deadline_s=2)
        await self._engine.close(deadline_s=3)


class Guest(LocalEngine):
    """An App's own engine, whose sessions stand in the shared browser unless they ask for another one."""

    def __init__(self, host: Browsers, options: SessionOptions, note_process: Callable[[int], None]) -> None:
        super().__init__(options=options, note_process=note_process, **host.common)
        self._host = host

    async def _browser_for(self, request: OpenRequest) -> RunningBrowser:
        spec = request.spec
        if spec.cdp_url is not None or spec.own_browser or not spec.headless:
            return await super()._browser_for(request)
        return await self._host.home()

    async def _started(self) -> Driver:
        return await self._host.driver()

    async def close(self, *, deadline_s: float) -> None:
        """End this App's sessions, and the browsers that it launched for them alone."""
        async with anyio.create_task_group() as ending:
            for session in list(self._open.values()):
                ending.start_soon(partial(session.close, deadline_s=deadline_s))
        # What is left has a place in a browser and is no session, and that browser may be everybody's.
        for session_id in list(self._homes):
            await self._leave(session_id, deadline_s=deadline_s)
        await super().close(deadline_s=deadline_s)


@asynccontextmanager
async def shared(chromium: Path, folder: Path) -> AsyncGenerator[Browsers]:
    """The Chromium that tests share which are not about a browser's life; it is launched when one needs it."""
    browsers = Browsers(chromium, folder)
    yield browsers
    await browsers.close()

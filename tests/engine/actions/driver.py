"""What the tests of actions drive a page with: actions in, receipts out, and the page itself to look at."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree
from typing import Any

import anyio
from playwright.async_api import Page

from notte_mcp import actions as a
from notte_mcp.engines.base import COMING, OpenRequest
from notte_mcp.engines.local.engine import LocalEngine
from notte_mcp.engines.local.session import LocalSession
from notte_mcp.ids import new_session_id
from notte_mcp.receipts import Receipt
from notte_mcp.records import SessionSpec
from tests.site import Site


@asynccontextmanager
async def opened(
    engine: LocalEngine, folder: Path, *, own_browser: bool = False, state: dict[str, Any] | None = None
) -> AsyncGenerator[LocalSession]:
    """A session, closed afterwards."""
    (folder / "files").mkdir(exist_ok=True)
    spec = SessionSpec(own_browser=own_browser)
    with anyio.fail_after(20):
        session = await engine.open(OpenRequest(new_session_id(), spec, folder, state))
    try:
        yield session
    finally:
        with anyio.CancelScope(shield=True):
            await session.close(deadline_s=3)


async def eventually(condition: Callable[[], bool]) -> None:
    """Wait until something is true that no event tells of here."""
    with anyio.fail_after(8):
        while not condition():  # noqa: ASYNC110  (files and lists of tabs)
            await anyio.sleep(0.02)


@dataclass
class Driver:
    """A session, the site that it is on, and the folder of its files."""

    session: LocalSession
    site: Site
    files: Path

    @property
    def page(self) -> Page:
        """The current tab's page, to look at what really happened."""
        return self.session._stage.tab.page

    async def open(self, path: str) -> Receipt:
        """Go to a page of the site."""
        return await self.act(a.Goto(url=self.site.url(path)))

    async def perform(self, action: a.Action, *, timeout_ms: int = 5_000) -> Receipt:
        """Do one action, whatever comes of it."""
        with anyio.fail_after(15):
            return await self.session.perform(action, timeout_ms=timeout_ms)

    async def act(self, action: a.Action) -> Receipt:
        """Do one action that must succeed."""
        receipt = await self.perform(action)
        assert receipt.success, receipt.message
        return receipt

    async def refused(self, action: a.Action, *, timeout_ms: int = 5_000) -> Receipt:
        """Do one action that must fail."""
        receipt = await self.perform(action, timeout_ms=timeout_ms)
        assert not receipt.success, receipt.message
        return receipt

    async def click(self, selector: str) -> Receipt:
        """Click what must be there."""
        return await self.act(a.Click(selector=selector))

    async def batch(self, actions: Sequence[a.Action]) -> list[Receipt]:
        """Do several actions that must succeed."""
        return [await self.act(action) for action in actions]

    async def js(self, expression: str) -> Any:
        """An expression's value in the page, not by way of the session."""
        with anyio.fail_after(5):
            return await self.page.evaluate(expression)

    async def out(self) -> str:
        """What the page's status line says."""
        with anyio.fail_after(5):
            return await self.page.locator("#out").inner_text()

    async def until(self, expression: str) -> None:
        """Wait until an expression is true in the page."""
        with anyio.fail_after(5):
            await self.page.wait_for_function(expression)


_AWAY = a.Goto(url="about:blank")


class Kept:
    """A session that is used again as long as it is as it was opened, and else followed by another. `leaves` its page
    when a test is over; without it the page stays until the next test opens one: a load less."""

    def __init__(self, engine: LocalEngine, folder: Path, *, leaves: bool = True) -> None:
        self._engine = engine
        self._folder = folder
        self._leaves = leaves
        self._session: LocalSession | None = None
        self._closing = AsyncExitStack()
        self._count = 0

    @asynccontextmanager
    async def open(self) -> AsyncGenerator["Kept"]:
        """Closes the session at the end."""
        try:
            yield self
        finally:
            await self._closing.aclose()

    async def driver(self, site: Site) -> Driver:
        """A driver of it."""
        if self._session is None:
            self._count += 1
            self._files.mkdir(parents=True)
            self._session = await self._closing.enter_async_context(opened(self._engine, self._files.parent))
        return Driver(self._session, site, self._files)

    @property
    def _files(self) -> Path:
        return self._folder / str(self._count) / "files"

    async def cleared(self) -> None:
        """Leave what the test opened, without its files and cookies; what cannot be taken back (a secret that was typed,
        a lost browser) ends the session."""
        assert self._session is not None
        session, stage = self._session, self._session._stage
        if session.alive and not (stage.tainted or stage.opening or stage.downloads._running or session._filming):
            left = await self._tidied(session)
            session.take_events()
            stage.downloads.take()
            for path in (*self._files.iterdir(), *self._files.parent.glob(f"{COMING}/*")):
                rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
            await stage.context.clear_cookies()
            if left:
                return
        self._session = None
        await self._closing.aclose()

    async def _tidied(self, session: LocalSession) -> bool:
        extra: list[a.Action] = [a.CloseTab()] * (len(session._stage.tabs) - 1)
        last: list[a.Action] = [_AWAY] if self._leaves else []
        return all([(await session.perform(action, timeout_ms=5_000)).success for action in (*extra, *last)])

    async def left(self) -> None:
        """Leave the page that the last test left open."""
        if self._session is not None:
            await self._session.perform(_AWAY, timeout_ms=5_000)

"""A local session: one browser context, its tabs, and the contract of `engines.base.BrowserSession`.

Keeps the tabs in order as pages open, close and crash; everything else is done by the
modules below. A tab that crashes is replaced by an empty one at its place, and said.

Below: `performer`, `observer`, `finding`, `pages`, `pictures`, `origins`, `stage`. Above: `engine`.
"""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import anyio
from playwright.async_api import BrowserContext, Dialog, FileChooser, Page
from playwright.async_api import Download as PlaywrightDownload
from playwright.async_api import Error as PlaywrightError

from notte_mcp.actions import Action, Goto, GotoNewTab, UploadFile
from notte_mcp.engines.base import Found, Hand, ObserveRequest, OpenRequest, Position, Scraped, Spot, TargetCheck
from notte_mcp.engines.local import fields, finding, navigation, pages, spots
from notte_mcp.engines.local.dialogs import Dialogs
from notte_mcp.engines.local.downloads import Downloads
from notte_mcp.engines.local.elements import ElementBook
from notte_mcp.engines.local.filming import Filming
from notte_mcp.engines.local.happenings import Happenings
from notte_mcp.engines.local.observer import Observer
from notte_mcp.engines.local.origins import live_origins
from notte_mcp.engines.local.performer import perform
from notte_mcp.engines.local.pictures import picture
from notte_mcp.engines.local.spelling import Spelling
from notte_mcp.engines.local.stage import SessionOptions, Stage
from notte_mcp.engines.local.tab import Tab
from notte_mcp.engines.local.world import DocumentGone
from notte_mcp.errors import PageCrashed, PageNotResponding, SessionLost
from notte_mcp.frames import FrameListener
from notte_mcp.observations import Observation, clean_line
from notte_mcp.observations import Tab as TabView
from notte_mcp.receipts import Receipt


class LocalSession(Spelling):
    """See the module. Made by `begin`."""

    def __init__(
        self, stage: Stage, *, own_context: bool, leave: Callable[[float], Awaitable[None]], lost: Callable[[str], None]
    ) -> None:
        self._stage = stage
        self._tell_lost = lost
        self._own_context = own_context
        self._leave = leave
        self._observer = Observer(stage.book)
        self._happened = Happenings(stage)
        self._closed = False
        self._own_pages: set[Page] = set()
        self._filming: Filming | None = None

    @classmethod
    async def begin(
        cls, context: BrowserContext, request: OpenRequest, options: SessionOptions, *,
        in_flight: Path | None, own_context: bool, leave: Callable[[float], Awaitable[None]], lost: Callable[[str], None],
        because: Callable[[], str] = lambda: "",
    ) -> "LocalSession":  # fmt: skip
        """A session in a context, with one empty tab.

        Raises:
            playwright Error: the browser is gone already.
        """
        files = request.folder / "files"
        stage = Stage(
            context, options, files, ElementBook(request.id_counters), Dialogs(),
            Downloads(files, options.of_files, in_flight), because=because, own_scripts=request.spec.scripts_after_secrets,
        )  # fmt: skip
        session = cls(stage, own_context=own_context, leave=leave, lost=lost)
        page = await context.new_page()
        session._own_pages.add(page)
        await session._attach(page)
        context.on("page", session._page_opened)
        context.on("close", lambda _: session._context_closed())
        return session

    # --- what happens by itself ------------------------------------------------

    async def _attach(self, page: Page) -> Tab:
        page.on("dialog", self._dialog_opened)
        page.on("download", self._download_began)
        # Listening keeps the system's own chooser shut, which nobody could answer.
        page.on("filechooser", self._chooser_opened)
        tab = await Tab.attach(self._stage.context, page, on_gone=self._tab_gone)
        # Playwright tells of a new page when its first answer comes; the page that opens it is told at once.
        tab.cdp.hear("Page.windowOpen", self._window_opens)
        self._stage.tabs.append(tab)
        self._stage.current = len(self._stage.tabs) - 1
        return tab

    async def _page_opened(self, page: Page) -> None:
        stage = self._stage
        stage.awaited = max(0, stage.awaited - 1)
        if stage.expected:
            stage.expected -= 1
        elif not self._own_context and page not in self._own_pages and await self._of_someone_else(page):
            return
        if len(stage.tabs) + stage.opening >= stage.options.max_tabs:
            self._happened.note(f"a new tab was closed at once: a session has at most {stage.options.max_tabs} tabs")
            with suppress(PlaywrightError):
                await page.close()
            return
        stage.opening += 1
        try:
            await self._attach(page)
            stage.opened += 1
        except PlaywrightError:
            pass  # it closed again before it could be looked at
        finally:
            stage.opening -= 1
            self._stage.note_change()

    def _window_opens(self, event: dict[str, Any]) -> None:
        """A page asks for a window. One that no gesture of ours stands behind never comes, in a browser of ours."""
        if event["userGesture"]:
            self._stage.awaited += 1
        elif self._own_context:
            self._happened.unopened += 1

    async def _of_someone_else(self, page: Page) -> bool:
        """In a browser that is not ours, only pages that our own pages opened are ours."""
        try:
            opener = await page.opener()
        except PlaywrightError:
            return True
        return opener is None or all(tab.page is not opener for tab in self._stage.tabs)

    async def _tab_gone(self, tab: Tab, how: str) -> None:
        stage = self._stage
        if tab not in stage.tabs or self._closed:
            return
        index = stage.tabs.index(tab)
        stage.tabs.remove(tab)
        stage.current = min(stage.current - (stage.current > index), len(stage.tabs) - 1)
        stage.book.forget_tab(tab)
        if how == "crash":
            how_so = f"was ended, since {why}" if (why := stage.because()) else "crashed"
            self._happened.note(f"the page at {clean_line(tab.url, 200)} {how_so}; its tab was closed")
            with suppress(PlaywrightError):
                await tab.page.close()
        if not stage.tabs:
            await self._last_tab_gone(how)
        self._stage.note_change()

    async def _last_tab_gone(self, how: str) -> None:
        """A session always has a tab: the one that is gone is replaced by an empty one."""
        if how == "close":
            self._happened.note("the page closed its own tab; an empty one was opened")
        with suppress(PlaywrightError, TimeoutError):
            await navigation.empty_tab(self._stage)

    async def _dialog_opened(self, dialog: Dialog) -> None:
        await self._stage.dialogs.opened(dialog)

    async def _download_began(self, download: PlaywrightDownload) -> None:
        await self._stage.downloads.began(download)

    def _chooser_opened(self, _chooser: FileChooser) -> None:
        if not self._stage.choosing:
            self._happened.note("a file chooser opened and was left empty; upload_file gives it a file")

    def _context_closed(self) -> None:
        why = self._stage.because()
        self.lose(f"its browser was ended, since {why}" if why else "its browser ended")

    def lose(self, why: str) -> None:
        """Its browser is gone: whoever waits in it is woken, and the engine's listener is told, once."""
        if not self._closed and not self._stage.lost:
            self._stage.lost = why
            self._stage.note_change()
            self._tell_lost(why)

    # --- the contract ----------------------------------------------------------

    @property
    def alive(self) -> bool:
        """Whether the browser is there as far as is known."""
        return not self._stage.lost and not self._closed

    @property
    def position(self) -> Position:
        """The last known place. Reads nothing from the page."""
        tabs = tuple(
            TabView(i, clean_line(tab.url, 500), tab.title, current=i == self._stage.current)
            for i, tab in enumerate(self._stage.tabs)
        )
        here = next((tab for tab in tabs if tab.current), None)
        return Position(here.url if here else "", here.title if here else "", tabs)

    @property
    def id_counters(self) -> dict[str, int]:
        """The last number given per id letter."""
        return dict(self._stage.book.counters)

    def take_events(self) -> tuple[str, ...]:
        """What happened by itself since last asked."""
        return self._happened.take()

    async def check(self, actions: Sequence[Action]) -> list[TargetCheck]:
        """See `BrowserSession.check`."""
        await self._ready()
        for action in actions:
            if isinstance(action, (Goto, GotoNewTab)):
                navigation.normal_url(action.url, self._stage.options.own_ports)
            if isinstance(action, UploadFile):
                stage = self._stage
                await anyio.to_thread.run_sync(fields.allowed_file, action.path, stage)
        named = {name for action in actions for key in ("id", "to_id") if (name := getattr(action, key, None))}
        try:
            known = await self._stage.book.look_up(named)
        except DocumentGone as error:
            raise self._gone(error) from error
        return [finding.target_check(self._stage.book, action, known) for action in actions]

    async def find(self, selectors: Sequence[str]) -> list[Found | None]:
        """See `BrowserSession.find`."""
        await self._ready()
        try:
            return await finding.find(self._stage.tab, selectors)
        except (PlaywrightError, DocumentGone) as error:
            raise self._gone(error) from error

    async def spot(self, point: tuple[float, float] | None) -> Spot | None:
        """See `BrowserSession.spot`."""
        await self._ready()
        try:
            return await spots.spot(self._stage.tab, self._stage.book, point)
        except (PlaywrightError, DocumentGone) as error:
            raise self._gone(error) from error

    async def film(self, listener: FrameListener | None) -> None:
        """See `BrowserSession.film`."""
        if listener is not None and self._filming is not None and self._filming.hasten(listener):
            return
        filming, self._filming = self._filming, None
        if filming is not None:
            await filming.end()
        if listener is not None:
            await self._ready()
            self._filming = Filming(self._stage, listener)

    async def perform(self, action: Action, *, timeout_ms: int, hand: Hand | None = None) -> Receipt:
        """See `BrowserSession.perform`."""
        await self._ready()
        self._happened.gather()
        try:
            return await perform(self._stage, action, timeout_ms=timeout_ms, hand=hand)
        except (PlaywrightError, IndexError) as error:
            raise self._gone(error) from error

    async def observe(self, request: ObserveRequest) -> Observation:
        """See `BrowserSession.observe`."""
        await self._ready()
        tab = self._stage.tab
        try:
            return await self._observer.observe(tab, request, self.position.tabs)
        except (PlaywrightError, DocumentGone, PageNotResponding) as error:
            with anyio.move_on_after(0.5):  # the news of a death may be slower than its silence
                while not self._stage.lost and tab in self._stage.tabs:
                    await self._stage.settled.wait()
            if self._stage.lost or not tab.crashed:
                if isinstance(error, PageNotResponding) and not self._stage.lost:
                    raise
                raise self._gone(error) from error
            raise PageCrashed(
                f"The page at {clean_line(tab.url, 200)} crashed, and its tab was closed.",
                kept="The session and its other tabs are kept.",
                next_call='notte_execute with {"type": "goto", "url": ...}',
            ) from error

    async def scrape(self, *, selector: str | None, only_main_content: bool, links: bool, images: bool) -> Scraped:
        """See `BrowserSession.scrape`."""
        await self._ready()
        try:
            return await pages.scrape(
                self._stage, selector=selector, only_main_content=only_main_content, links=links, images=images
            )
        except (PlaywrightError, DocumentGone) as error:
            raise self._gone(error) from error

    async def screenshot(self, *, marks: bool) -> bytes:
        """See `BrowserSession.screenshot`. Fields that take a secret are painted over."""
        await self._ready()
        try:
            return await picture(self._stage, marks=marks)
        except (PlaywrightError, DocumentGone) as error:
            raise self._gone(error) from error

    async def locate(self) -> None:
        """See `BrowserSession.locate`: whatever moves it is heard of."""

    async def storage_state(self, *, within_s: float = 4.0) -> dict[str, Any]:
        """See `BrowserSession.storage_state`. Opens nothing: only origins that have a live frame are read."""
        try:
            cookies = await self._stage.context.cookies()
        except PlaywrightError as error:
            raise self._gone(error) from error
        return {"cookies": cookies, "origins": await live_origins(self._stage, within_s=within_s)}

    async def close(self, *, deadline_s: float, keep: bool = False) -> None:
        """See `BrowserSession.close`. There is nowhere to keep it: `keep` changes nothing."""
        del keep
        if self._closed:
            return
        self._closed = True
        self._stage.lost = self._stage.lost or "it was closed"
        self._stage.note_change()
        with anyio.CancelScope(shield=True):
            await self.film(None)
            with anyio.move_on_after(deadline_s * 0.4), suppress(Exception):
                if self._own_context:
                    await self._stage.context.close()
                else:
                    for tab in list(self._stage.tabs):
                        await tab.page.close()
            with suppress(Exception):
                await self._leave(deadline_s * 0.6)

    async def _ready(self) -> None:
        """A tab to work on.

        Raises:
            SessionLost: the browser is gone.
        """
        if not self._stage.lost:
            with anyio.move_on_after(3):
                while not self._stage.tabs and not self._stage.lost:
                    await self._stage.settled.wait()
        if self._stage.lost or not self._stage.tabs:
            raise SessionLost(f"The browser of this session is gone ({self._stage.lost or 'it gives no tab'}).")

    def _gone(self, error: Exception) -> Exception:
        """What a vendor's exception means: the browser is gone, or only the page was."""
        if self._stage.lost or not self._stage.tabs:
            return SessionLost(f"The browser of this session is gone ({self._stage.lost or 'it ended'}).")
        return PageNotResponding(
            f"The page went away while it was looked at ({clean_line(str(error), 120) or 'it was replaced'}).",
            next_call="notte_observe again",
        )

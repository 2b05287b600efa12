"""The local engine: Chromium on this machine, through one Playwright driver per server.

Sessions with the same launch options share a browser process, each in a context
of its own; `own_browser` gives a session one to itself, `cdp_url` uses a browser
that somebody else runs. Nothing is started before the first session needs it, and
a browser ends with its last session.

Below: `launch`, `session`, engines.base. Above: app. Playwright is imported here and
below, nowhere else, and only when the first session opens.
"""

import os
import shutil
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import psutil
from playwright.async_api import Browser, BrowserContext
from playwright.async_api import Error as PlaywrightError

from notte_mcp.engines.base import LostListener, OpenRequest
from notte_mcp.engines.local.driver import Driver
from notte_mcp.engines.local.launch import (
    CHROMIUM_ARGS,
    LAUNCH_MS,
    PLAYWRIGHT_ARGS_OFF,
    bound_to_parent,
    end_tree,
    find_chromium,
    first_line,
    gone_at_once,
    launch_failure,
    no_page,
    refused_ports,
    running_as_root,
)
from notte_mcp.engines.local.memory import Memory
from notte_mcp.engines.local.proxy import proxy_settings
from notte_mcp.engines.local.session import LocalSession
from notte_mcp.engines.local.stage import SessionOptions
from notte_mcp.errors import BrowserLaunchFailed


@dataclass(eq=False)
class RunningBrowser:
    """A browser process (or a connection to a foreign one) and the sessions in it."""

    browser: Browser
    process: psutil.Process | None
    sessions: set[str] = field(default_factory=set[str])
    foreign: bool = False
    folder: Path | None = None

    @property
    def downloads(self) -> Path | None:
        """Where files in flight are, for a browser of ours."""
        return self.folder / "downloads" if self.folder is not None else None


class LocalEngine:
    """See the module. `tmp_for(name)` gives a fresh folder, `drop_tmp` removes it, `note_process(pid)`
    remembers a process for the sweep. In `cache` Node keeps the driver's compiled code for the next start."""

    name = "local"

    def __init__(
        self,
        *,
        executable: Path | None,
        no_sandbox: bool,
        tmp_for: Callable[[str], Path],
        drop_tmp: Callable[[Path], None] = shutil.rmtree,
        note_process: Callable[[int], None],
        options: SessionOptions | None = None,
        cache: Path | None = None,
    ) -> None:
        self._executable = executable
        self._no_sandbox = no_sandbox
        self._cache = cache
        self._tmp_for = tmp_for
        self._drop_tmp = drop_tmp
        self._note_process = note_process
        self._options = options or SessionOptions()
        self._memory = Memory(page_mb=self._options.max_page_mb, browser_mb=self._options.max_browser_mb)
        self._driver: Driver | None = None
        self._browsers: dict[tuple[object, ...], RunningBrowser] = {}
        self._homes: dict[str, RunningBrowser] = {}
        self._open: dict[str, LocalSession] = {}
        self._launching = anyio.Lock()
        self._under_way: dict[anyio.CancelScope, RunningBrowser | None] = {}
        self._listener: LostListener = lambda _session_id, _why: None

    def on_lost(self, listener: LostListener) -> None:
        """See `Engine.on_lost`."""
        self._listener = listener

    def _driver_ended(self) -> None:
        """Nothing that it held can be reached any more, whatever of it may still run."""
        self._driver = None
        self._browsers.clear()
        for scope in self._under_way:
            scope.cancel()
        for session in list(self._open.values()):
            session.lose("the driver of all browsers ended")

    async def open(self, request: OpenRequest) -> LocalSession:
        """A new session with one empty tab (see `Engine.open`)."""
        async with self._claimed(request) as home, self._while_it_lives(home):
            context = await self._context(home, request)
            try:
                session = await LocalSession.begin(
                    context,
                    request,
                    self._options,
                    in_flight=home.downloads,
                    own_context=not home.foreign,
                    leave=lambda deadline_s: self._leave(request.session_id, deadline_s=deadline_s),
                    lost=lambda why: self._listener(request.session_id, why),
                    because=lambda: self._memory.why(home.process),
                )
            except BaseException:
                with suppress(PlaywrightError), anyio.CancelScope(shield=True), anyio.move_on_after(1):
                    if not home.foreign:
                        await context.close()
                raise
            self._open[request.session_id] = session
            return session

    @asynccontextmanager
    async def _while_it_lives(self, home: RunningBrowser | None) -> AsyncGenerator[None]:
        """What is waited for of a browser (None: of one that is being launched) is given up as soon as that is gone:
        Playwright may wait for it without end."""
        scope = anyio.CancelScope()
        self._under_way[scope] = home
        if home is not None and not home.browser.is_connected():
            scope.cancel()
        try:
            with scope:
                yield
        finally:
            del self._under_way[scope]
        if scope.cancelled_caught:
            raise gone_at_once()

    @asynccontextmanager
    async def _claimed(self, request: OpenRequest) -> AsyncGenerator[RunningBrowser]:
        """A browser with a place taken in it; given back (and ended if it was the only one) when opening fails."""
        async with self._launching:
            home = await self._browser_for(request)
            home.sessions.add(request.session_id)
            self._homes[request.session_id] = home
        try:
            yield home
        except PlaywrightError as error:
            was_gone = not home.browser.is_connected()
            await self._leave(request.session_id, deadline_s=1.5)
            raise no_page(error, was_gone=was_gone) from error
        except BaseException:
            with anyio.CancelScope(shield=True):
                await self._leave(request.session_id, deadline_s=1.5)
            raise

    async def _browser_for(self, request: OpenRequest) -> RunningBrowser:
        spec = request.spec
        if spec.cdp_url is not None:
            home = await self._connect(spec.cdp_url)
        else:
            key: tuple[object, ...] = (spec.headless, request.session_id if spec.own_browser else "")
            running = self._browsers.get(key)
            if running is not None and running.browser.is_connected():
                return running
            home = await self._launch(headless=spec.headless)
            self._browsers[key] = home
        home.browser.on("disconnected", lambda _: self._lost(home))
        return home

    async def _started(self) -> Driver:
        if self._driver is None or not self._driver.alive:
            async with self._fresh_folder("driver") as folder:
                self._driver = await Driver.start(folder, cache=self._cache, ended=self._driver_ended)
            if self._driver.process is not None:
                self._note_process(self._driver.process.pid)
        return self._driver

    async def _launch(self, *, headless: bool) -> RunningBrowser:
        driver = await self._started()
        chromium = driver.playwright.chromium
        executable = find_chromium(self._executable, Path(chromium.executable_path))
        if running_as_root() and not self._no_sandbox:
            raise BrowserLaunchFailed(
                "This server runs as root, and Chromium's sandbox does not work for root.",
                next_call="run the server as another user, or set NOTTE_MCP_NO_SANDBOX=1 if running without a sandbox is acceptable",
            )
        async with self._while_it_lives(None), self._fresh_folder("browser") as folder:
            known = driver.children()
            try:
                browser = await chromium.launch(
                    executable_path=bound_to_parent(executable, folder),
                    headless=headless,
                    chromium_sandbox=not self._no_sandbox,
                    args=[*CHROMIUM_ARGS, *refused_ports(self._options.own_ports)],
                    ignore_default_args=list(PLAYWRIGHT_ARGS_OFF),
                    env={**os.environ, "TMPDIR": str(folder)},
                    downloads_path=folder / "downloads",
                    timeout=LAUNCH_MS,
                    handle_sigint=False,
                    handle_sigterm=False,
                    handle_sighup=False,
                )
            except BaseException as error:
                driver.end_children(known)  # Playwright gives one that does not answer half a minute to end by itself
                if isinstance(error, PlaywrightError):
                    raise launch_failure(error, executable, headless=headless) from error
                raise
        started = driver.children(known)
        process = started[-1] if started else None
        if process is not None:
            self._note_process(process.pid)
        self._memory.add(process)
        return RunningBrowser(browser, process, folder=folder)

    @asynccontextmanager
    async def _fresh_folder(self, name: str) -> AsyncGenerator[Path]:
        """A temporary folder, which goes again when what needs it does not start."""
        folder = await anyio.to_thread.run_sync(self._tmp_for, name)
        try:
            yield folder
        except BaseException:
            with anyio.CancelScope(shield=True), suppress(OSError):
                await anyio.to_thread.run_sync(self._drop_tmp, folder)
            raise

    async def _connect(self, cdp_url: str) -> RunningBrowser:
        driver = await self._started()
        try:
            browser = await driver.playwright.chromium.connect_over_cdp(cdp_url, timeout=15_000)
        except PlaywrightError as error:
            raise BrowserLaunchFailed(
                f"No browser answers behind session.cdp_url: {first_line(error)}.",
                next_call="check that the browser runs and the URL is its CDP endpoint, then notte_start again",
            ) from error
        return RunningBrowser(browser, None, foreign=True)

    async def _context(self, home: RunningBrowser, request: OpenRequest) -> BrowserContext:
        spec = request.spec
        if home.foreign and home.browser.contexts:
            context = home.browser.contexts[0]  # the person's own profile is why one attaches to a browser
            if spec.headers:
                await context.set_extra_http_headers(spec.headers)  # until we leave
            return context
        state: Any = request.storage_state
        return await home.browser.new_context(
            viewport={"width": spec.viewport_width, "height": spec.viewport_height},
            user_agent=spec.user_agent,
            proxy=proxy_settings(spec.proxy, never=self._options.own_ports),
            storage_state=state,
            extra_http_headers=spec.headers or None,
            accept_downloads=True,
        )

    async def _leave(self, session_id: str, *, deadline_s: float) -> None:
        """A session is over: its browser ends with it if it was the last one in it."""
        self._open.pop(session_id, None)
        home = self._homes.pop(session_id, None)
        if home is None:
            return
        home.sessions.discard(session_id)
        if not home.sessions:
            self._forget(home)
            await self._end(home, deadline_s=deadline_s)

    async def _end(self, home: RunningBrowser, *, deadline_s: float) -> None:
        with anyio.CancelScope(shield=True):
            with anyio.move_on_after(deadline_s * 0.6), suppress(Exception):
                await home.browser.close()
            await anyio.to_thread.run_sync(end_tree, home.process)
            if home.folder is not None:
                with suppress(OSError):
                    await anyio.to_thread.run_sync(self._drop_tmp, home.folder)

    def _lost(self, home: RunningBrowser) -> None:
        self._forget(home)
        for scope in [scope for scope, of in self._under_way.items() if of is home]:
            scope.cancel()

    def _forget(self, home: RunningBrowser) -> None:
        for key in [k for k, v in self._browsers.items() if v is home]:
            del self._browsers[key]

    async def remote(self, remote_id: str) -> None:
        """Nothing: its sessions live on this machine."""
        del remote_id

    async def close(self, *, deadline_s: float) -> None:
        """End every browser and the driver (see `Engine.close`)."""
        self._memory.close()
        homes = {id(home): home for home in (*self._browsers.values(), *self._homes.values())}
        self._browsers.clear()
        self._homes.clear()
        self._open.clear()
        with anyio.CancelScope(shield=True):
            async with anyio.create_task_group() as ending:
                for home in homes.values():
                    ending.start_soon(lambda home=home: self._end(home, deadline_s=deadline_s * 0.6))
            driver, self._driver = self._driver, None
            if driver is not None:
                await driver.close(deadline_s=deadline_s * 0.3)

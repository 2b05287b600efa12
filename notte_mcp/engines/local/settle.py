"""When is an action over? Watched from outside (requests, navigations) and inside (mutations).

After a click or a key: two animation frames; if by then nothing mutated, was
requested or navigated, it is over. Else until 100 ms without a mutation or an open
request that the action started, at most 2 s; then it is reported as still
changing. A navigation counts by its document request, since hash links "navigate"
too. What a bare timer will bring is waited for by `wait_for`, not here.

Below: `tab`, `world`. Above: `performer`.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, Self

import anyio
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Frame, Request, Response

from notte_mcp.engines.local.tab import Tab
from notte_mcp.engines.local.world import DocumentGone, World
from notte_mcp.errors import PageNotResponding
from notte_mcp.observations import clean_line

QUIET_MS: Final = 100
CAP_S: Final = 2.0
_BODY_SECONDS: Final = 0.3
_COUNTED: Final = frozenset({"document", "xhr", "fetch", "script", "stylesheet"})
_REPORTED_STATUS: Final = 400
_NO_DOCUMENT: Final = frozenset({204, 205})
_READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})
# What a page reports of its visitors and of itself: it changes nothing that anybody asked for.
_REPORTS: Final = frozenset({"ping", "cspviolationreport", "cspreport"})
_MAX_SENT: Final = 5


class Watch:
    """Requests and navigations of a tab from `__enter__` on. Listening costs an event per request, so only while acting."""

    def __init__(self, tab: Tab, *, listening: bool = True) -> None:
        self.tab = tab
        self._listening = listening
        self.url_before = tab.url
        self._open: dict[Request, float | None] = {}
        self.loading: Request | None = None
        self.committed = False
        self.fresh = False
        self.status: int | None = None
        self.failed: list[str] = []
        self.sent: list[str] = []
        self.requested = 0
        self._last = time.monotonic()
        self._changed = anyio.Event()
        self._listeners: list[tuple[str, Callable[[Any], None]]] = [
            ("request", self._on_request),
            ("requestfinished", self._on_end),
            ("requestfailed", self._on_failed),
            ("response", self._on_response),
            ("framenavigated", self._on_navigated),
        ]

    def __enter__(self) -> Self:
        page: Any = self.tab.page
        for event, listener in self._listeners if self._listening else ():
            page.on(event, listener)
        return self

    def __exit__(self, *_: object) -> None:
        page: Any = self.tab.page
        for event, listener in self._listeners if self._listening else ():
            with suppress(Exception):
                page.remove_listener(event, listener)

    @property
    def navigated(self) -> bool:
        """Whether the main frame committed a new document. (A router's new URL leaves the page and its ids in place.)"""
        return self.committed

    @property
    def stirred(self) -> bool:
        """Whether anything was requested or navigated since the watch began."""
        return self.requested > 0 or self.committed or self.loading is not None

    @property
    def open(self) -> bool:
        """Whether a request is under way. One whose answer nobody reads never ends: it counts for a moment only."""
        now = time.monotonic()
        return any(answered is None or now - answered < _BODY_SECONDS for answered in self._open.values())

    def quiet_for(self) -> float:
        """Seconds since the last request began or ended; 0 while one is open."""
        return 0.0 if self.open or self.loading is not None else time.monotonic() - self._last

    async def change(self, seconds: float) -> None:
        """Wait until anything happens to a request or navigation, at most so long."""
        with anyio.move_on_after(seconds):
            await self._changed.wait()

    def _touch(self) -> None:
        self._last = time.monotonic()
        self._changed.set()
        self._changed = anyio.Event()

    def _is_main_document(self, request: Request) -> bool:
        try:
            return request.is_navigation_request() and request.frame == self.tab.page.main_frame
        except PlaywrightError:
            return False  # the frame is not there yet: a new tab's first request

    def _on_request(self, request: Request) -> None:
        if request.method not in _READING:
            self._note_sent(request)
        if request.resource_type not in _COUNTED:
            return
        self.requested += 1
        if self._is_main_document(request):
            self.loading = request
        else:
            self._open[request] = None
        self._touch()

    def _note_sent(self, request: Request) -> None:
        if request.resource_type in _REPORTS or len(self.sent) >= _MAX_SENT:
            return
        place = request.url.partition("#")[0].partition("?")[0]
        scheme, mark, rest = place.partition("://")
        host, slash, path = rest.partition("/")
        line = f"{request.method} {scheme}{mark}{host.rpartition('@')[2]}{slash}{path}"
        self.sent.append(clean_line(line, 200))

    def _on_response(self, response: Response) -> None:
        request = response.request
        if request in self._open:
            self._open[request] = time.monotonic()
        if self._is_main_document(request):
            self.status = response.status
        elif response.status >= _REPORTED_STATUS and request.resource_type in ("xhr", "fetch", "document"):
            self._report(request, str(response.status))

    def _on_end(self, request: Request) -> None:
        self._open.pop(request, None)
        if self.loading is request and self.status in _NO_DOCUMENT:
            self.loading = None
        self._touch()

    def _on_failed(self, request: Request) -> None:
        self._open.pop(request, None)
        if self.loading is request:
            self.loading = None
        failure = request.failure or ""
        # An aborted request is one that the page gave up, or a navigation that became a download.
        if "ERR_ABORTED" not in failure and request.resource_type in ("xhr", "fetch", "document"):
            self._report(request, failure.removeprefix("net::"))
        self._touch()

    def _report(self, request: Request, why: str) -> None:
        if len(self.failed) < 5:  # noqa: PLR2004  (enough to know; a page may fail hundreds)
            self.failed.append(clean_line(f"{request.method} {request.url} {why}", 160))

    def _on_navigated(self, frame: Frame) -> None:
        if frame.parent_frame is None and self.loading is not None:
            self.committed = self.fresh = True
            self.loading = None
            self._touch()


async def settle(watch: Watch, acting: World | None = None, *, cap_s: float = CAP_S) -> bool:
    """Wait until the action is over; True when the page was still changing at the cap.

    `acting` is the world of the frame that the input went to, where that is not the main one.
    """
    end = time.monotonic() + cap_s
    worlds = [watch.tab.main] + ([acting] if acting is not None and acting is not watch.tab.main else [])
    try:
        frames = [await world.call("firstFrames", timeout_s=cap_s) for world in worlds]
        if not any(first["mutated"] for first in frames) and not watch.stirred:
            return False
    except DocumentGone:
        worlds = [watch.tab.main]
    except PageNotResponding:
        return True
    return await _until_quiet(watch, worlds, end)


async def _until_quiet(watch: Watch, worlds: list[World], end: float) -> bool:
    tab = watch.tab
    while (left := end - time.monotonic()) > 0:
        if tab.closed or tab.crashed:
            return False
        # What a script makes of an answer comes after the answer, so requests have to be over for as long too.
        if (busy := QUIET_MS / 1000 - watch.quiet_for()) > 0 and watch.requested:
            await watch.change(min(busy, left))
            continue
        try:
            if watch.fresh:
                watch.fresh = False
                if not await _first_frames_of_new(tab, left) and not watch.open and watch.loading is None:
                    return False
                worlds = [tab.main]
                continue
            quiet = True
            for world in worlds:
                asked = {"quiet": QUIET_MS, "timeout": left * 1000}
                quiet = (await world.call("untilQuiet", asked, timeout_s=left + 0.5, anew=True))["quiet"] and quiet
        except DocumentGone:
            continue
        except PageNotResponding:
            return True
        if quiet and not (watch.open or watch.loading or watch.fresh):
            return False
    return True


async def _first_frames_of_new(tab: Tab, seconds: float) -> bool:
    """Wait until a new document is loaded, then two frames; True when it mutated in them."""
    with suppress(PlaywrightError):
        await tab.page.wait_for_load_state("load", timeout=seconds * 1000)
    await tab.main.call("arm", {"key": None}, timeout_s=seconds, anew=True)
    first = await tab.main.call("firstFrames", timeout_s=seconds + 0.5)
    return bool(first["mutated"])


async def settle_load(tab: Tab) -> bool:
    """After a page load: two frames, then the same rule, so that what scripts render at once is there."""
    with Watch(tab) as watch:
        with suppress(DocumentGone, PageNotResponding):
            await tab.main.call("arm", {"key": None}, timeout_s=2, anew=True)
        return await settle(watch)

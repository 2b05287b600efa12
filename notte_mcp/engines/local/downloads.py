"""Downloads: saved under the session's files, with a name that is safe and sizes that are bounded.

A download runs beside the actions; the action that started it waits for it within its
own time. What grows past a limit is cancelled while it comes, and says which it was.

Below: receipts, engines.file_names, engines.file_bounds. Above: `session`.
"""

import os
import re
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Final, cast

import anyio
import anyio.to_thread
from playwright.async_api import Download as PlaywrightDownload
from playwright.async_api import Error as PlaywrightError

from notte_mcp.engines.base import COMING
from notte_mcp.engines.file_bounds import Bounds
from notte_mcp.engines.file_names import free_path, safe_name
from notte_mcp.observations import clean_line
from notte_mcp.receipts import Download

_GONE: Final = re.compile("cancel|has been closed|Connection closed")
_WATCH_SECONDS: Final = 0.25


class Downloads:
    """The downloads of one session."""

    def __init__(self, folder: Path, bounds: Bounds, in_flight: Path | None) -> None:
        self._folder = folder
        self._coming_folder = folder.parent / COMING
        self._bounds = bounds
        self._saving = anyio.Lock()
        self._in_flight = in_flight
        self._running: set[PlaywrightDownload] = set()
        self.done: list[Download] = []
        self._changed = anyio.Event()
        self.begun = 0

    async def began(self, download: PlaywrightDownload) -> None:
        """Save a download when it is complete; record what became of it."""
        self.begun += 1
        self._running.add(download)
        self._note_change()
        name = safe_name(download.suggested_filename)
        result = Download(name, 0, failure="it was given up")
        try:
            mark = await anyio.to_thread.run_sync(self._mark, name)
            result = await self._save(download, name)
            # A browser that goes cancels what it has: that is to be told by whoever ends or restores the session.
            if mark is not None and not _GONE.search(result.failure or ""):
                await anyio.to_thread.run_sync(partial(mark.unlink, missing_ok=True))
        except (PlaywrightError, OSError) as error:
            result = Download(name, 0, failure=clean_line(str(error).splitlines()[0], 150))
        finally:
            self._running.discard(download)
            self.done.append(result)
            self._note_change()

    def _mark(self, name: str) -> Path | None:
        """Say on disk that it is under way, where a server that dies leaves it for the next one to read."""
        with suppress(OSError):
            self._coming_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            mark = free_path(self._coming_folder, name)
            mark.touch(mode=0o600)
            return mark
        return None

    async def _save(self, download: PlaywrightDownload, name: str) -> Download:
        if failure := await self._failure(download):
            return Download(name, 0, failure=clean_line(failure, 400))
        # One at a time, or two would take the same room.
        async with self._saving:
            size = await anyio.to_thread.run_sync(os.path.getsize, await download.path())
            if why := await self._excess(coming=size):
                with suppress(PlaywrightError):
                    await download.delete()
                return Download(name, 0, failure=clean_line(why, 400))
            await anyio.to_thread.run_sync(lambda: self._folder.mkdir(mode=0o700, parents=True, exist_ok=True))
            path = await anyio.to_thread.run_sync(free_path, self._folder, name)
            await download.save_as(path)
            with suppress(PlaywrightError):
                await download.delete()
            await anyio.to_thread.run_sync(path.chmod, 0o600)
        return Download(path.name, size)

    async def _excess(self, *, coming: int) -> str:
        return await self._bounds.excess(self._folder, coming=coming)

    async def _failure(self, download: PlaywrightDownload) -> str | None:
        """Why a download failed, once it has ended."""
        failure: str | None = None
        gone: PlaywrightError | None = None
        cut = ""

        async def bound() -> None:
            nonlocal cut
            cut = await self._passed()
            with suppress(PlaywrightError):
                await download.cancel()

        async def end() -> None:
            nonlocal failure, gone
            try:
                failure = await download.failure()
            except PlaywrightError as error:  # an exception out of a task group would come as a group
                gone = error
            watching.cancel_scope.cancel()

        async with anyio.create_task_group() as watching:
            watching.start_soon(end)
            watching.start_soon(bound)
        if gone is not None and not cut:
            raise gone
        return cut or failure

    async def _passed(self) -> str:
        """Come back when what is in flight in the session has grown past a limit, with which it is."""
        if why := await self._excess(coming=0):
            return why
        while True:
            await anyio.sleep(_WATCH_SECONDS)
            size = await anyio.to_thread.run_sync(_size_of, self._coming())
            if why := await self._bounds.excess(self._folder, coming=size, arriving=True):
                return why

    def _coming(self) -> list[Path]:
        """Where what is in flight in the session is; the whole folder of the browser, which others may have a part in,
        where Playwright does not tell."""
        if self._in_flight is None:
            return []
        places = [_place_of(download) for download in self._running]
        own = [place for place in places if place is not None and place.is_relative_to(self._in_flight)]
        return own if len(own) == len(places) else [self._in_flight]

    def _note_change(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()

    async def finished(self, seconds: float) -> bool:
        """Wait until no download is running, at most so long; whether that came."""
        with anyio.move_on_after(seconds):
            while self._running:
                await self._changed.wait()
        return not self._running

    async def one_begun(self, since: int, seconds: float) -> bool:
        """Wait until more downloads have begun than `since`."""
        with anyio.move_on_after(seconds):
            while self.begun <= since:
                await self._changed.wait()
        return self.begun > since

    def take(self) -> tuple[Download, ...]:
        """What was finished since the last call."""
        done, self.done = self.done, []
        return tuple(done)


def _place_of(download: PlaywrightDownload) -> Path | None:
    """The file that a download is written to while it comes. Playwright knows it from the first and has no word for it
    before the end."""
    try:
        return Path(cast(Any, download)._impl_obj._artifact._initializer["absolutePath"])  # noqa: SLF001 - see above
    except (AttributeError, KeyError, TypeError):
        return None


def _size_of(places: Sequence[Path]) -> int:
    total = 0
    for place in places:
        # While it comes it may have a longer name.
        for path in place.rglob("*") if place.is_dir() else place.parent.glob(f"{place.name}*"):
            with suppress(OSError):
                total += path.stat().st_size
    return total

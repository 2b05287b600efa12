"""Downloads: saved under the session's files, with a name that is safe and a size that is bounded.

A download runs beside the actions; the action that started it waits for it within its
own time. What grows past the limit is cancelled.

Below: receipts. Above: `session`.
"""

import os
import re
import unicodedata
from contextlib import suppress
from pathlib import Path
from typing import Final

import anyio
import anyio.to_thread
from playwright.async_api import Download as PlaywrightDownload
from playwright.async_api import Error as PlaywrightError

from notte_mcp.observations import clean_line
from notte_mcp.receipts import Download

_UNSAFE: Final = re.compile(r'[\x00-\x1f/\\:*?"<>|]+')
_MAX_NAME_BYTES: Final = 150
_WATCH_SECONDS: Final = 0.25


def safe_name(suggested: str) -> str:
    """A file name without path, control or reserved characters, at most 150 bytes, never hidden, never empty."""
    name = _UNSAFE.sub("_", unicodedata.normalize("NFC", clean_line(suggested, 300))).strip(" .")
    stem, dot, suffix = name.rpartition(".")
    if not dot or len(suffix) > 12:  # noqa: PLR2004  (longer endings are no file types)
        stem, suffix = name, ""
    room = _MAX_NAME_BYTES - len(suffix.encode()) - 1
    stem = stem.encode()[:room].decode(errors="ignore")
    return f"{stem}.{suffix}" if suffix and stem else stem or "download"


def free_path(folder: Path, name: str) -> Path:
    """A path in `folder` that does not exist yet: `name`, else `name (2)` and so on."""
    path, number = folder / name, 2
    while path.exists():
        path = folder / f"{Path(name).stem} ({number}){Path(name).suffix}"
        number += 1
    return path


class Downloads:
    """The downloads of one session."""

    def __init__(self, folder: Path, max_bytes: int, in_flight: Path | None) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._in_flight = in_flight
        self._running = 0
        self.done: list[Download] = []
        self._changed = anyio.Event()
        self.begun = 0

    async def began(self, download: PlaywrightDownload) -> None:
        """Save a download when it is complete; record what became of it."""
        self.begun += 1
        self._running += 1
        self._note_change()
        name = safe_name(download.suggested_filename)
        result = Download(name, 0, failure="it was given up")
        try:
            result = await self._save(download, name)
        except (PlaywrightError, OSError) as error:
            result = Download(name, 0, failure=clean_line(str(error).splitlines()[0], 150))
        finally:
            self._running -= 1
            self.done.append(result)
            self._note_change()

    async def _save(self, download: PlaywrightDownload, name: str) -> Download:
        if failure := await self._failure(download):
            why = f"larger than {self._max_bytes} bytes" if failure == "canceled" else failure
            return Download(name, 0, failure=clean_line(why, 150))
        await anyio.to_thread.run_sync(lambda: self._folder.mkdir(mode=0o700, parents=True, exist_ok=True))
        path = await anyio.to_thread.run_sync(free_path, self._folder, name)
        await download.save_as(path)
        with suppress(PlaywrightError):
            await download.delete()
        await anyio.to_thread.run_sync(path.chmod, 0o600)
        return Download(path.name, await anyio.to_thread.run_sync(os.path.getsize, path))

    async def _failure(self, download: PlaywrightDownload) -> str | None:
        """Why a download failed, once it has ended."""
        failure: str | None = None

        async def end() -> None:
            nonlocal failure
            try:
                failure = await download.failure()
            except PlaywrightError as error:  # an exception out of a task group would come as a group
                failure = str(error).splitlines()[0]
            watching.cancel_scope.cancel()

        async with anyio.create_task_group() as watching:
            watching.start_soon(end)
            watching.start_soon(self._bound, download)
        return failure

    async def _bound(self, download: PlaywrightDownload) -> None:
        """Cancel a download when what is in flight in its browser grows past the limit."""
        while self._in_flight is not None:
            await anyio.sleep(_WATCH_SECONDS)
            size = await anyio.to_thread.run_sync(_size_of, self._in_flight)
            if size > self._max_bytes:
                with suppress(PlaywrightError):
                    await download.cancel()
                return

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


def _size_of(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        with suppress(OSError):
            total += path.stat().st_size
    return total

"""A reel: the way of frames to the disk, a bounded queue and the thread that writes it.

What does not fit into the queue is dropped: a slow disk holds up neither the browser nor an action. What the disk does
not take pauses the reel until somebody winds it on.

Below: film, marks. Above: recorder.
"""

import queue
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import Final

import anyio
import anyio.from_thread
from anyio.lowlevel import current_token

from notte_mcp.frames import Frame
from notte_mcp.replay import marks
from notte_mcp.replay.film import FilmWriter
from notte_mcp.replay.marks import Pause

QUEUED: Final = 16
"""Frames that may wait for the disk."""

MAX_HEAD: Final = 64
"""Bytes besides its picture that a frame takes, at most."""


class Reel:
    """See the module. Made on the event loop; `paused` is called there with the disk's own words once it takes no more.

    `size` in bytes and `count` in frames are the whole film's, as far as it was written, and `is_full` says that it has
    no room for another one; `dropped` are the frames that the queue had no room for.
    """

    def __init__(self, folder: Path, *, max_bytes: int, paused: Callable[[str], None]) -> None:
        self.size = self.count = self.dropped = 0
        self.is_full = False
        self._max_bytes = max_bytes
        self._folder = folder
        self._paused = paused
        self._queue: queue.Queue[Frame | Pause | None] = queue.Queue(QUEUED)
        self._film: FilmWriter | None = None
        self._is_paused = False
        self._written = anyio.Event()
        self._token = current_token()
        self._thread = Thread(target=self._run, name="reel", daemon=True)
        self._is_closed = False
        self._thread.start()

    def put(self, frame: Frame) -> bool:
        """Whether the frame is on its way to the disk."""
        if self._is_paused or self._is_closed:
            return False
        fits = self._queued(frame)
        self.dropped += not fits
        return fits

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits for the disk."""
        return self._queue.unfinished_tasks == 0

    def pause(self, pause: Pause) -> None:
        """Write down why nothing is recorded, now or until now."""
        self._queued(pause)

    def wind_on(self) -> None:
        """Try again what the disk did not take."""
        self._is_paused = False

    async def close(self, *, within_s: float) -> None:
        """Write what is queued, and close the film. A disk that does not answer is left to itself after `within_s`."""
        self._is_closed = True
        with anyio.move_on_after(within_s):
            while not self._queued(None):  # noqa: ASYNC110 - the end of a thread's work is no event of this loop
                await anyio.sleep(0.01)
            await self._written.wait()

    def _queued(self, thing: Frame | Pause | None) -> bool:
        try:
            self._queue.put_nowait(thing)
        except queue.Full:
            return False
        return True

    # --- in the thread --------------------------------------------------------------

    def _run(self) -> None:
        while (thing := self._queue.get()) is not None:
            try:
                self._write(thing)
            except OSError as error:
                if isinstance(thing, Frame) and not self._is_paused:
                    self._is_paused = True
                    self._say(self._paused, error.strerror or str(error))
            finally:
                self._queue.task_done()
        if self._film is not None:
            self._film.close()
        self._say(lambda _: self._written.set(), "")

    def _write(self, thing: Frame | Pause) -> None:
        if isinstance(thing, Pause):
            marks.note_pause(self._folder, thing)
            return
        if self._is_paused:
            return
        if self._film is None:
            self._film = FilmWriter.open(self._folder)
            self._go_on()
        if self._film.size + len(thing.jpeg) + MAX_HEAD > self._max_bytes:
            self.is_full = True
            return
        try:
            self._film.append(thing)
        finally:
            self.size, self.count = self._film.size, self._film.count

    def _go_on(self) -> None:
        """Of a film that another process left: what it paused for is over."""
        if (pause := marks.pause_of(self._folder)) is not None and pause.until is None:
            marks.note_pause(self._folder, replace(pause, until=time.time()))

    def _say(self, call: Callable[[str], None], what: str) -> None:
        try:
            anyio.from_thread.run_sync(call, what, token=self._token)
        except RuntimeError:
            return  # the event loop is gone

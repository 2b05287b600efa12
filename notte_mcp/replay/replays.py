"""Replays: the pictures, videos and players of what was filmed, made when they are asked for and kept beside the film.

Values in, files out: it knows neither the registry nor the store. One video is made at a time; who asks for one that is
being made waits for it, and one that nobody waits for any more is made all the same.

Below: pictures, timeline, storyboard, encoding, kept, player. Above: app (which is told of sessions that ended),
resources, tools, cli.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import anyio
import anyio.to_thread
from anyio.abc import TaskGroup

from notte_mcp.errors import ExtraMissing, NothingRecorded, NotteMCPError, VideoFailed
from notte_mcp.logs import Log
from notte_mcp.records import StepRecord
from notte_mcp.replay import encoding, film, kept, marks, pictures, storyboard, timeline
from notte_mcp.replay.parts import About, Mark, Part, Video
from notte_mcp.replay.shown import Film, Still

__all__ = ["About", "Mark", "Part", "Replays", "Video"]

CLOSE_S: Final = 0.5

log = Log("replay")


@dataclass(slots=True)
class _Making:
    """A video that is being made."""

    key: str
    over: anyio.Event = field(default_factory=anyio.Event)
    video: Video | None = None
    error: NotteMCPError | None = None


class Replays:
    """See the module. Works between entering and leaving it (`async with`), in one task."""

    def __init__(self) -> None:
        self._makings: dict[Path, _Making] = {}
        self._listener: Callable[[str], None] | None = None
        self._group: TaskGroup | None = None
        self._one = anyio.Lock()
        self._is_closed = False

    async def __aenter__(self) -> Self:
        self._group = await anyio.create_task_group().__aenter__()
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        await self.close(deadline_s=CLOSE_S)
        if self._group is not None:
            await self._group.__aexit__(None, None, None)

    def on_ready(self, listener: Callable[[str], None]) -> None:
        """Call `listener` on the event loop with the name of a video that has just been made. One; it must not wait."""
        self._listener = listener

    async def picture(self, part: Part, step: StepRecord) -> bytes:
        """What a step looked like: a JPEG of at most 960 px and 150 kB, the acted element marked.

        Raises: NothingRecorded.
        """
        try:
            with marks.reading(part.folder):
                pause = await anyio.to_thread.run_sync(marks.pause_of, part.folder)
                if pause is not None and pause.since < pictures.begun(step) < (pause.until or float("inf")):
                    raise NothingRecorded(f"There is no picture of step {part.number(step)}: {pause}", done="")
                jpeg = await anyio.to_thread.run_sync(pictures.picture, part.folder, part.steps, step)
        except OSError as error:
            raise _nothing([part], error) from error
        if jpeg is None:
            raise _nothing([part])
        return jpeg

    async def video(self, name: str, parts: Sequence[Part], *, live: bool) -> Video:
        """The MP4 of a session or an agent; `name` is its id. Of a `live` one what is there so far.

        Raises: NothingRecorded. ExtraMissing: PyAV is not installed. VideoFailed.
        """
        place = await anyio.to_thread.run_sync(kept.place, parts, f"{name}.mp4")
        if place is None:
            raise _nothing(parts, live=live)
        encoding.require()
        key = await anyio.to_thread.run_sync(kept.key, parts)
        if (note := await anyio.to_thread.run_sync(kept.known, place, key)) is not None:
            return kept.video(place, note)
        if (making := self._makings.get(place)) is not None and making.key != key and not live:
            await making.over.wait()
        is_first = place not in self._makings
        making = self._makings.get(place) or self._start(place, key, parts)
        await making.over.wait()
        if making.video is None:
            raise making.error or _ending()
        if is_first and self._listener is not None:
            self._listener(name)
        return making.video

    async def player(
        self,
        name: str,
        parts: Sequence[Part],
        *,
        lines: Sequence[Mapping[str, Any]],
        heading: Mapping[str, Any],
        live: bool,
        max_bytes: int | None = None,
    ) -> Path:
        """The self-contained HTML file: with the video, or with pictures where there is none, or the session is live.

        `lines` and `heading` are the log and the record as their resources tell them. At most `max_bytes` large, where
        that is given; such a one is another file. Raises: NothingRecorded. VideoFailed: it cannot be written.
        """
        place = await anyio.to_thread.run_sync(
            kept.place, parts, f"{name}.html" if max_bytes is None else f"{name}.small.html"
        )
        if place is None:
            raise _nothing(parts, live=live)
        video, notes = (None, []) if live else await self._video_or_why(name, parts)
        key = kept.word(
            [await anyio.to_thread.run_sync(kept.key, parts), lines, heading, live, max_bytes, notes, bool(video)]
        )
        if await anyio.to_thread.run_sync(kept.known, place, key) is None:
            make = partial(
                _write_player, place, parts, lines=lines, heading=heading, live=live, max_bytes=max_bytes, video=video, notes=notes
            )  # fmt: skip
            try:
                await anyio.to_thread.run_sync(make)
                await anyio.to_thread.run_sync(kept.keep, place, key)
            except FileNotFoundError as error:
                raise _nothing(parts, error) from error
            except OSError as error:
                raise VideoFailed(
                    f"The player could not be written: {error.strerror or error}.",
                    done="",
                    kept="The recording is kept.",
                ) from error
        return place

    def about(self, folder: Path) -> About:
        """What was filmed of the session with this folder; nothing is zero frames. Reads the disk. Raises: OSError."""
        shots = film.shots(folder)
        ended = marks.ended(folder) or marks.swept(folder)
        if not shots:
            return About(0, 0, 0.0, ended)
        when = pictures.times(shots)
        return About(len(shots), shots[-1].offset + shots[-1].size, when[-1] - when[0], ended)

    def begin(self, name: str, parts: Sequence[Part]) -> None:
        """Begin the video of what has ended, so that it is there when it is asked for. Never raises, never waits."""
        if self._group is not None and not self._is_closed:
            self._group.start_soon(self._begin, name, parts)

    async def close(self, *, deadline_s: float) -> None:
        """End what is being made; who waits for it is told. At most `deadline_s` seconds."""
        self._is_closed = True
        if self._group is None:
            return
        self._group.cancel_scope.cancel()
        with anyio.move_on_after(deadline_s, shield=True):
            for making in list(self._makings.values()):
                await making.over.wait()

    # --- making -------------------------------------------------------------------

    async def _begin(self, name: str, parts: Sequence[Part]) -> None:
        try:
            await self.video(name, parts, live=False)
        except (NothingRecorded, ExtraMissing):
            return
        except (NotteMCPError, OSError) as error:
            log.warning("video.not_made", name=name, reason=str(error))
        except Exception:  # nobody has asked for it: whatever it is, no session ends of it
            log.exception("video.failed", name=name)

    def _start(self, place: Path, key: str, parts: Sequence[Part]) -> _Making:
        if self._group is None or self._is_closed:
            raise _ending()
        making = self._makings[place] = _Making(key)
        self._group.start_soon(self._make, place, making, tuple(parts))
        return making

    async def _make(self, place: Path, making: _Making, parts: Sequence[Part]) -> None:
        try:
            with ExitStack() as held:
                for part in parts:
                    held.enter_context(marks.reading(part.folder))
                async with self._one:
                    making.video = await _made(place, making.key, parts)
        except NotteMCPError as error:
            making.error = error
        except OSError as error:
            making.error = _nothing(parts, error)
        except Exception as error:  # it is told to who asked, and to nobody else
            log.exception("video.failed", name=place.name)
            making.error = VideoFailed(
                f"The video could not be made ({type(error).__name__}).",
                done="",
                kept="The recording is kept, and the pictures of the steps work without it.",
                next_call="replay.html in the place of replay",
            )
        finally:
            del self._makings[place]
            making.over.set()

    async def _video_or_why(self, name: str, parts: Sequence[Part]) -> tuple[Video | None, list[str]]:
        from notte_mcp.replay.player import MISSING_VIDEO

        try:
            return await self.video(name, parts, live=False), []
        except ExtraMissing:
            return None, [MISSING_VIDEO]
        except VideoFailed as error:
            return None, [error.what]


async def _made(place: Path, key: str, parts: Sequence[Part]) -> Video:
    reels = await anyio.to_thread.run_sync(storyboard.reels, parts)
    line = await anyio.to_thread.run_sync(timeline.lay_out, reels)
    if not line.scenes:
        raise _nothing(parts)
    board = await anyio.to_thread.run_sync(storyboard.board, parts, reels, line)
    await encoding.encode(board, place)
    note = await anyio.to_thread.run_sync(partial(kept.keep, place, key, **kept.video_note(line.marks, line.ms)))
    return kept.video(place, note)


def _write_player(
    place: Path,
    parts: Sequence[Part],
    *,
    lines: Sequence[Mapping[str, Any]],
    heading: Mapping[str, Any],
    live: bool,
    max_bytes: int | None,
    video: Video | None,
    notes: Sequence[str],
) -> None:
    from notte_mcp.replay import player

    pieces = player.page(
        heading=heading,
        lines=lines,
        steps=[step for part in parts for step in part.steps],
        film=_film(parts, video),
        live=live,
        as_of=time.time() if live else 0.0,
        notes=[*notes, *(said for part in parts if (said := marks.ended(part.folder)))],
        max_bytes=max_bytes,
    )
    kept.write(place, pieces)


def _film(parts: Sequence[Part], video: Video | None) -> Film:
    """What a player shows: pictures in the order of the timeline, and the video where there is one."""
    reels = storyboard.reels(parts)
    line = timeline.lay_out(reels)
    stills: list[Still] = []
    at = 0
    for scene in line.scenes:
        shot = reels[scene.part].shots[scene.shot]
        box = None if scene.pointed is None else pictures.visible(scene.pointed.box)
        stills.append(Still(at / 1_000, partial(film.jpeg, parts[scene.part].folder, shot), shot.size, box=box))
        at += scene.ms
    of_steps = {(mark.session_id, mark.number): _still(parts[mark.part], reels[mark.part], mark) for mark in line.marks}
    return Film(line.ms / 1_000, line.marks, stills, of_steps, video.path if video is not None else None)


def _still(part: Part, reel: timeline.Reel, mark: Mark) -> Still:
    """A step's picture, drawn when it is wanted; till then its size is guessed from its shot's."""
    step = next(step for step in part.steps if step.number == mark.number)
    guess = max((shot.size for shot in reel.shots), default=0) * 3 // 2

    def read() -> bytes:
        return pictures.picture(part.folder, part.steps, step) or b""

    return Still(mark.shown, read, guess, marked=True)


def _nothing(parts: Sequence[Part], error: OSError | None = None, *, live: bool = False) -> NothingRecorded:
    why = next((said for part in parts if (said := marks.swept(part.folder) or marks.ended(part.folder))), "")
    if error is not None and not isinstance(error, FileNotFoundError):
        why = why or f"The recording cannot be read: {error.strerror or error}."
    if live:
        why = why or "Nothing has been painted yet, or recording is off."
    return NothingRecorded(
        f"There is no recording of it. {why or 'Recording was off (record=false), or nothing was ever painted.'}",
        done="",
        kept="Its step log is kept.",
    )


def _ending() -> VideoFailed:
    return VideoFailed("The video was not made: the server is ending.", done="", kept="The recording is kept.")

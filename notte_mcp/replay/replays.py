"""Replays: the pictures, videos and players of what was filmed, made when they are asked for and kept beside the film.

Values in, files out: it knows neither the registry nor the store. Below: film, pictures, timeline, encoding, player.
Above: app (which is told of sessions that ended), resources, tools, cli.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from notte_mcp.errors import NothingRecorded
from notte_mcp.records import StepRecord
from notte_mcp.replay import film
from notte_mcp.replay.parts import About as About
from notte_mcp.replay.parts import Mark as Mark
from notte_mcp.replay.parts import Part as Part
from notte_mcp.replay.parts import Video as Video


class Replays:
    """See the module. Works between entering and leaving it (`async with`), in one task."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        await self.close(deadline_s=0.5)

    async def picture(self, part: Part, step: StepRecord) -> bytes:
        """What a step looked like: a JPEG of at most 960 px and 150 kB, the acted element marked.

        Raises: NothingRecorded.
        """
        raise _nothing()

    async def video(self, name: str, parts: Sequence[Part], *, live: bool) -> Video:
        """The MP4 of a session or an agent; `name` is its id. Of a `live` one what is there so far.

        Raises: NothingRecorded. ExtraMissing: PyAV is not installed. VideoFailed.
        """
        raise _nothing()

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
        """The self-contained HTML file, with the video where there is one, else with pictures.

        `lines` and `heading` are the log and the record as their resources tell them. At most `max_bytes` large, where
        that is given. Raises: NothingRecorded.
        """
        raise _nothing()

    def about(self, folder: Path) -> About:
        """What was filmed of the session with this folder; nothing is zero frames. Reads the disk. Raises: OSError."""
        shots = film.shots(folder)
        if not shots:
            return About(0, 0, 0.0)
        return About(len(shots), shots[-1].offset + shots[-1].size, shots[-1].at - shots[0].at)

    def begin(self, name: str, parts: Sequence[Part]) -> None:
        """Begin the video of what has ended, so that it is there when it is asked for. Never raises, never waits."""

    async def close(self, *, deadline_s: float) -> None:
        """End what is being made; at most `deadline_s` seconds."""


def _nothing() -> NothingRecorded:
    return NothingRecorded("There is no film of it.")

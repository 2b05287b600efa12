"""What a player shows, as values: a film with its pictures, and where each step stands in it.

Below: parts. Above: entries, fitting, player (and replays, which makes them of a timeline).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from notte_mcp.receipts import Box
from notte_mcp.replay.parts import Mark


@dataclass(frozen=True, slots=True)
class Still:
    """A picture of the film: shown from `at` (seconds of the film) on. `size` is bytes of its JPEG, `read` gives it
    (and may raise OSError).

    `marked` says that the acted element is drawn into it; else `box` is where it is to be marked (as parts of the
    picture's size). Without either, it is marked at the `shown` of its step alone, by the mark's own box.
    """

    at: float
    read: Callable[[], bytes]
    size: int
    marked: bool = False
    box: Box | None = None


@dataclass(frozen=True, slots=True)
class Film:
    """What is to be seen. Seconds are those of the film, which is shorter than what it shows where nothing moved.

    `video` is an MP4 with the steps marked in it, where there is one. `stills` are all pictures in order, and are shown
    where there is none; `of_steps` holds one for each step, by session and number, with its element marked.
    """

    seconds: float
    marks: Sequence[Mark] = ()
    stills: Sequence[Still] = ()
    of_steps: Mapping[tuple[str, int], Still] = field(default_factory=dict[tuple[str, int], Still])
    video: Path | None = None

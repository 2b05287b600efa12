"""What a player shows, as values: a film with its pictures, and where each step stands in it.

Below: nothing. Above: entries, fitting, player (and replays, which makes them of a timeline).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Mark:
    """When a step is seen in the film (seconds of the film).

    It is the current one from `begins` to `ends`; at `at` the film shows the picture that belongs to it. `box` is
    where its element stands there: left, top, width and height as parts of the picture's (0 to 1).
    """

    session_id: str
    number: int
    begins: float
    at: float
    ends: float
    box: tuple[float, float, float, float] | None = None


@dataclass(frozen=True, slots=True)
class Still:
    """A picture of the film: shown from `at` (seconds of the film) on. `size` is bytes of its JPEG, `read` gives it
    (and may raise OSError); `marked` where the acted element is drawn into it already."""

    at: float
    read: Callable[[], bytes]
    size: int
    marked: bool = False


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

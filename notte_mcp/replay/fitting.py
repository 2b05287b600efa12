"""What of a film goes into a player's file: all of it, or as much as there is room for.

Below: shown. Above: player.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Final

from notte_mcp.replay.shown import Film, Still

WIDTHS: Final = ((960, 70), (640, 60), (480, 50), (320, 45))
"""Px of width and JPEG quality of the steps' pictures; the first that fits is taken."""

BESIDE_VIDEO_BYTES: Final = 8_000_000
"""Bytes of the steps' pictures that stand beside a video, for the timeline and for a browser that cannot play it."""

SAMPLES: Final = 12
"""Pictures by which the size of all is guessed."""

GUESS_MARGIN: Final = 1.1

TAG_BYTES: Final = 80
"""Of the file, around each picture."""


@dataclass(frozen=True, slots=True)
class Load:
    """What the file holds, and what is to be said of what it does not."""

    stills: Sequence[Still]
    video: Path | None = None
    notes: tuple[str, ...] = ()


def fit(film: Film, room: int | None) -> Load:
    """What fits into `room` (characters of the file; None: all there is). Raises: OSError."""
    if film.video is not None:
        size = _encoded(film.video.stat().st_size)
        if room is None or size <= room:
            left = BESIDE_VIDEO_BYTES if room is None else min(BESIDE_VIDEO_BYTES, room - size)
            beside = _steps(film, left)
            return Load(beside.stills if len(beside.stills) == len(film.of_steps) else (), film.video)
    elif film.stills and (room is None or _size(film.stills) <= room):
        return Load(film.stills)
    return _steps(film, room)


def _steps(film: Film, room: int | None) -> Load:
    """A picture of each step, smaller where they are too large together, fewer where that does not do."""
    seen = {(mark.session_id, mark.number): mark.at for mark in film.marks}
    stills = [
        replace(still, at=seen[key])
        for key, still in sorted(film.of_steps.items(), key=lambda one: seen.get(one[0], 0.0))
        if key in seen
    ]
    if room is None or _size(stills) <= room:
        return Load(stills, notes=(_less(""),))
    width, quality = next((one for one in WIDTHS[1:] if _guessed(stills, *one) <= room), WIDTHS[-1])
    made = [small for still in stills if (small := _smaller(still, width, quality)) is not None]
    every = 1
    while (fewer := made[::every]) and _size(fewer) > room:
        if (every := every + 1) > len(made):
            fewer = []
            break
    said = "" if len(fewer) == len(made) else f", {len(fewer)} of {len(made)}" if fewer else ", none of them"
    return Load(fewer, notes=(_less(f", {width} px wide{said}"),))


def _guessed(stills: Sequence[Still], width: int, quality: int) -> float:
    """About what all would take at this width, by some of them."""
    some = stills[:: max(1, len(stills) // SAMPLES)]
    small = [one for still in some if (one := _smaller(still, width, quality)) is not None]
    return _size(small) * len(stills) / max(1, len(some)) * GUESS_MARGIN


def _less(how: str) -> str:
    return f"This file may not be larger, so it shows a picture of each step{how}; `notte-mcp replay` makes it whole."


def _smaller(still: Still, width: int, quality: int) -> Still | None:
    """The same, so many px wide; None where it is no picture. Raises: OSError: it cannot be read."""
    from PIL import Image, UnidentifiedImageError  # late: a start does not need it

    jpeg, out = still.read(), BytesIO()
    try:
        with Image.open(BytesIO(jpeg)) as picture:
            picture.draft("RGB", (width, width))  # a fraction of the pixels is read: this is what takes the time
            small = picture.convert("RGB")
    except UnidentifiedImageError:
        return None
    small.thumbnail((width, width))
    small.save(out, "JPEG", quality=quality)
    jpeg = out.getvalue()
    return replace(still, read=partial(bytes, jpeg), size=len(jpeg))


def _size(stills: Sequence[Still]) -> int:
    return sum(_encoded(still.size) + TAG_BYTES for still in stills)


def _encoded(size: int) -> int:
    """Characters of so many bytes in base 64."""
    return -(-size // 3) * 4

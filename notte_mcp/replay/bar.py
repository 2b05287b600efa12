"""The bar below the film: which step this is, what it does and what came of it, the time, and how far the replay is.

Drawn by us, in our own words, outside the page's picture: nothing on a page can pass for it. Brings Pillow.

Below: lettering. Above: video.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from PIL import Image, ImageDraw

from notte_mcp.replay import lettering

HEIGHT: Final = 72
"""Px; even, as the encoders want it."""

_GROUND: Final = (22, 24, 31)
_TEXT: Final = (242, 243, 247)
_QUIET: Final = (160, 166, 180)
_COLOURS: Final = {"done": (84, 196, 122), "failed": (255, 120, 104), "open": (240, 186, 76)}
_CUT: Final = (255, 204, 92)
_TRACK: Final = (52, 56, 68)
_EDGE: Final = 14
_LARGE: Final = 19
_SMALL: Final = 15


@dataclass(frozen=True, slots=True)
class Told:
    """What one bar says. `number` is "" before the first step."""

    number: str
    who: str
    words: str
    outcome: str
    tone: str
    clock: str
    note: str


@lru_cache(maxsize=8)
def drawn(told: Told, width: int) -> Image.Image:
    """The bar, `width` px wide and `HEIGHT` high."""
    image = Image.new("RGB", (width, HEIGHT), _GROUND)
    draw = ImageDraw.Draw(image)
    right = width - _EDGE
    clock = lettering.width(told.clock, _SMALL)
    lettering.text(draw, (right - clock, 31), told.clock, size=_SMALL, fill=_QUIET, room=clock + 1)
    left = _badge(draw, told)
    _first_line(draw, told, left, right - clock - _EDGE - left)
    room = right - left
    if told.note:
        long = lettering.width(told.note, _SMALL)
        draw.rounded_rectangle((right - long - 16, 41, right, 64), radius=6, outline=_CUT, width=1)
        lettering.text(draw, (right - long - 8, 58), told.note, size=_SMALL, fill=_CUT, room=long + 1)
        room -= long + 32
    colour = _QUIET if told.tone == "done" else _COLOURS[told.tone]
    lettering.text(draw, (left, 58), told.outcome, size=_SMALL, fill=colour, room=room)
    return image


def progress(image: Image.Image, top: int, part: float, tone: str) -> None:
    """Draw how far the replay is (0 to 1) on the upper edge of a bar that stands at `top`."""
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, top, image.width, top + 3), fill=_TRACK)
    draw.rectangle((0, top, round(image.width * part), top + 3), fill=_COLOURS[tone])


def _badge(draw: ImageDraw.ImageDraw, told: Told) -> float:
    """The number in a field of its own; gives where the words begin."""
    if not told.number:
        return _EDGE
    long = max(lettering.width(told.number, _LARGE), 22)
    draw.rounded_rectangle((_EDGE, 14, _EDGE + long + 16, 64), radius=8, fill=_TRACK)
    draw.rectangle((_EDGE + 6, 57, _EDGE + long + 10, 59), fill=_COLOURS[told.tone])
    own = lettering.width(told.number, _LARGE)
    at = (_EDGE + 8 + (long - own) / 2, 45)
    lettering.text(draw, at, told.number, size=_LARGE, fill=_TEXT, room=own + 1)
    return _EDGE + long + 30


def _first_line(draw: ImageDraw.ImageDraw, told: Told, left: float, room: float) -> None:
    if told.who:
        taken = lettering.text(draw, (left, 33), f"{told.who}:", size=_LARGE, fill=_CUT, room=room / 3) + 8
        left, room = left + taken, room - taken
    lettering.text(draw, (left, 33), told.words, size=_LARGE, fill=_TEXT, room=room)

"""A frame: what a session's tab looked like at one moment, and how it is handed on.

Below: nothing. Above: engines (which give frames), registry, replay, viewer.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

MAX_WIDTH: Final = 960
MAX_HEIGHT: Final = 960
"""Px of a frame's picture; what is larger is given smaller."""

_MARK: Final = 0xFF
_FRAME_HEADERS: Final = frozenset({*range(0xC0, 0xC4), *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0)})


@dataclass(frozen=True, slots=True)
class Frame:
    """The viewport of a session's current tab, as it was painted.

    `at` is when (Unix seconds), `width` and `height` are px of the picture, `viewport` is what it shows (CSS px), so
    that a box of the page stands in the picture at `width / viewport[0]` of its size. What stands in a field that
    takes a secret is not readable in it. `asked`: it was made because what it shows is about to be left.
    """

    at: float
    jpeg: bytes
    width: int
    height: int
    viewport: tuple[int, int]
    asked: bool = False


FrameListener = Callable[[Frame], float]
"""Is given each frame, and gives for how many seconds it wants no other. It must not wait."""


def size_of(jpeg: bytes) -> tuple[int, int]:
    """Width and height (px) of a JPEG, from its first frame header (ITU-T T.81, B.2.2); 0, 0 where it has none."""
    at = 2
    while at + 9 <= len(jpeg) and jpeg[at] == _MARK:
        kind, length = jpeg[at + 1], int.from_bytes(jpeg[at + 2 : at + 4], "big")
        if kind in _FRAME_HEADERS:
            return int.from_bytes(jpeg[at + 7 : at + 9], "big"), int.from_bytes(jpeg[at + 5 : at + 7], "big")
        at += 2 + length
    return 0, 0

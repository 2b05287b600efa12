"""A frame: what a session's tab looked like at one moment, and how it is handed on.

Below: nothing. Above: engines (which give frames), registry, replay, viewer.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

MAX_WIDTH: Final = 960
MAX_HEIGHT: Final = 960
"""Px of a frame's picture; what is larger is given smaller."""


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

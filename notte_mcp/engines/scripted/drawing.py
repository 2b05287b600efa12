"""What a scripted page looks like: its title, its elements and its texts, a line each; and the film of it.

Pillow is needed only by who looks. Without it the picture is a grey pixel.

Below: pages, frames. Above: session.
"""

import asyncio
import base64
import io
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Final

from notte_mcp.engines.scripted.pages import Document, LiveElement
from notte_mcp.frames import Frame, FrameListener
from notte_mcp.receipts import Box

VIEWPORT: Final = (1280, 800)
_SIZE: Final = (960, 600)
_LEFT, _TOP, _WIDTH, _LINE = 40, 80, 700, 36

_PIXEL: Final = base64.b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAMCAgMCAgMDAwMEAwMEBQgFBQQEBQoHBwYIDAoMDAsKCwsNDhIQDQ4RDgsLEBYQERMUFRUVDA8XGBYU"
    "GBIUFRT/wAALCAABAAEBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAACf/EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAIAQEAAD8AVN//2Q=="
)


def box_of(document: Document, live: LiveElement) -> Box | None:
    """Where an element stands (CSS px); None for one that is not on the page."""
    if live not in document.elements:
        return None
    return (float(_LEFT), float(_TOP + document.elements.index(live) * _LINE), float(_WIDTH), float(_LINE - 6))


def at_point(document: Document, point: tuple[float, float]) -> LiveElement | None:
    """The element that stands at a point (CSS px)."""
    for live in document.elements:
        left, top, width, height = box_of(document, live) or (0, 0, -1, -1)
        if left <= point[0] <= left + width and top <= point[1] <= top + height:
            return live
    return None


def picture(document: Document) -> tuple[bytes, tuple[int, int]]:
    """A page as JPEG, and its size in px."""
    lines = tuple((live.script.role, _line(live)) for live in document.elements)
    return _drawn(document.page.title, lines, document.page.text)


def _line(live: LiveElement) -> str:
    held = "*" * len(live.value) if live.script.role == "password" else live.value
    return f"{live.script.name}{': ' + held if held else ''}{' (checked)' if live.checked else ''}"


@lru_cache(maxsize=64)
def _drawn(title: str, lines: tuple[tuple[str, str], ...], texts: tuple[str, ...]) -> tuple[bytes, tuple[int, int]]:
    try:
        from PIL import Image, ImageDraw, ImageFont
    except ImportError:
        return _PIXEL, (1, 1)
    scale = _SIZE[0] / VIEWPORT[0]
    image = Image.new("RGB", _SIZE, "white")
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(14)
    draw.text((_LEFT * scale, 20), title, fill="black", font=ImageFont.load_default(22))
    for number, (role, line) in enumerate(lines):
        top = _TOP + number * _LINE
        box = (_LEFT * scale, top * scale, (_LEFT + _WIDTH) * scale, (top + _LINE - 6) * scale)
        draw.rectangle(box, outline="#777777", fill="#e8eefc" if role == "button" else "white")
        draw.text((box[0] + 6, box[1] + 3), line, fill="black", font=font)
    for number, text in enumerate(texts):
        draw.text((_LEFT * scale, (_TOP + (len(lines) + number) * _LINE) * scale), text, fill="#333333", font=font)
    written = io.BytesIO()
    image.save(written, "JPEG", quality=60)
    return written.getvalue(), _SIZE


class ScriptedFilm:
    """The film of whatever `here` gives: a frame at once, and one after each change, as soon as it is wanted."""

    def __init__(self, here: Callable[[], Document], listener: FrameListener) -> None:
        self._here = here
        self._listener = listener
        self._due = 0.0
        self._later: asyncio.TimerHandle | None = None
        self._last: bytes = b""
        self.changed()

    def changed(self) -> None:
        """Something may look different."""
        if self._later is None:
            self._later = asyncio.get_running_loop().call_later(max(0.0, self._due - time.monotonic()), self._shoot)

    def end(self) -> None:
        """No frame is given any more."""
        if self._later is not None:
            self._later.cancel()

    def _shoot(self) -> None:
        self._later = None
        jpeg, (width, height) = picture(self._here())
        if jpeg != self._last:
            self._last = jpeg
            self._due = time.monotonic() + self._listener(Frame(time.time(), jpeg, width, height, VIEWPORT))

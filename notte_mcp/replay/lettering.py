"""Lettering: text drawn into a line of a given width, whatever its script and length. Brings Pillow.

Pillow's own font draws what it can; what it cannot is drawn in a font of the system, a word at a time, and what no font
has as an empty square. A line is on one line, and cut where it is too long.

Below: Pillow, observations. Above: bar.
"""

import sys
import unicodedata
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final, cast

from PIL import ImageDraw, ImageFont

from notte_mcp.observations import clean_line

MAX_CHARS: Final = 400
"""Characters of a text that are looked at."""

_ACCENTS: Final = 2
"""Combining marks that a letter may carry."""

_LINUX: Final = (
    "dejavu/DejaVuSans.ttf", "noto/NotoSans-Regular.ttf", "freefont/FreeSans.ttf",
    "liberation/LiberationSans-Regular.ttf", "liberation2/LiberationSans-Regular.ttf",
    "noto/NotoSansArabic-Regular.ttf", "noto/NotoSansHebrew-Regular.ttf", "noto/NotoSansDevanagari-Regular.ttf",
    "noto/NotoSansThai-Regular.ttf", "wqy/wqy-microhei.ttc", "droid/DroidSansFallbackFull.ttf", "unifont/unifont.ttf",
)  # fmt: skip
_CJK: Final = (
    "opentype/noto/NotoSansCJK-Regular.ttc",
    "noto-cjk/NotoSansCJK-Regular.ttc",
    "OTF/NotoSansCJK-Regular.ttc",
)
_MAC: Final = (
    "Supplemental/Arial Unicode.ttf",
    "Helvetica.ttc",
    "PingFang.ttc",
    "Hiragino Sans GB.ttc",
    "GeezaPro.ttc",
)
_WINDOWS: Final = ("segoeui.ttf", "arial.ttf", "msyh.ttc", "meiryo.ttc", "malgun.ttf", "Nirmala.ttf", "LeelawUI.ttf")

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
_NOBODYS: Final = "\U0010ffff"
"""A character that no font has: drawn as what stands for a missing one."""


def text(
    draw: ImageDraw.ImageDraw,
    at: tuple[float, float],
    words: str,
    *,
    size: int,
    fill: tuple[int, int, int],
    room: float,
) -> float:
    """Draw on the baseline that begins at `at`, `room` px wide at most; gives the px that it took."""
    x = at[0]
    for font, run in _runs(fitted(words, size, room), size):
        draw.text((x, at[1]), run, font=font, fill=fill, anchor="ls")
        x += font.getlength(run)
    return x - at[0]


def width(words: str, size: int) -> float:
    """How many px a text takes."""
    return sum(font.getlength(run) for font, run in _runs(drawable(words, size), size))


def fitted(words: str, size: int, room: float) -> str:
    """As much of a text as `room` px take, its middle left out."""
    line = drawable(words, size)
    if width(line, size) <= room:
        return line
    low, high = 0, len(line)
    while low < high:
        middle = (low + high + 1) // 2
        if width(_cut(line, middle), size) <= room:
            low = middle
        else:
            high = middle - 1
    return _cut(line, low)


def drawable(words: str, size: int) -> str:
    """A text on one line, without what is not to be drawn, and with a square for what no font has."""
    found: list[str] = []
    accents = 0
    for char in unicodedata.normalize("NFC", clean_line(words, MAX_CHARS)):
        accents = accents + 1 if unicodedata.combining(char) else 0
        if accents > _ACCENTS or char in "\u200d\ufe0f":
            continue
        known = char == " " or accents or any(_has(font, char) for font in _fonts(size))
        found.append(char if known else _missing(size))
    return "".join(found)


def _cut(line: str, keep: int) -> str:
    if keep >= len(line):
        return line
    head = keep * 2 // 3
    return f"{line[:head].rstrip()}...{line[len(line) - (keep - head) :].lstrip() if keep > head else ''}"


def _missing(size: int) -> str:
    return "□" if any(_has(font, "□") for font in _fonts(size)) else "?"


def _runs(line: str, size: int) -> Iterator[tuple[Font, str]]:
    """The text in pieces of one font each; a word is not drawn in two where one font has it all."""
    run, of = "", _fonts(size)[0]
    for word in line.replace(" ", " \0").split("\0"):
        for font, piece in _word(word, size):
            if font is of:
                run += piece
                continue
            if run:
                yield of, run
            run, of = piece, font
    if run:
        yield of, run


def _word(word: str, size: int) -> Iterator[tuple[Font, str]]:
    fonts = _fonts(size)
    letters = word.rstrip(" ")
    for font in fonts:
        if all(_has(font, char) for char in letters):
            yield font, word
            return
    for char in word:
        yield next((font for font in fonts if _has(font, char)), fonts[0]), char


@cache
def _fonts(size: int) -> tuple[Font, ...]:
    """Pillow's own, and those of the system that are there."""
    return (ImageFont.load_default(size), *(font for path in _paths() if (font := _loaded(path, size)) is not None))


@cache
def _paths() -> tuple[Path, ...]:
    if sys.platform == "darwin":
        places = [Path("/System/Library/Fonts") / name for name in _MAC]
    elif sys.platform == "win32":
        places = [Path("C:/Windows/Fonts") / name for name in _WINDOWS]
    else:
        roots = [Path("/usr/share/fonts"), Path("/usr/share/fonts/truetype"), Path("/usr/local/share/fonts")]
        places = [root / name for root in roots for name in (*_LINUX, *_CJK)]
    return tuple(path for path in places if path.is_file())


def _loaded(path: Path, size: int) -> Font | None:
    try:
        return ImageFont.truetype(path, size)
    except OSError:
        return None


@cache
def _has(font: Font, char: str) -> bool:
    """Whether the font draws this character, and not what stands for a missing one."""
    return char == " " or _shape(font, char) != _shape(font, _NOBODYS)


def _shape(font: Font, char: str) -> bytes:
    return bytes(cast(Any, font.getmask(char)))

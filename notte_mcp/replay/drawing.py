"""Drawing on a picture of the film: the acted element outlined, the pointer where it was. Brings Pillow.

The outline is a bright line between a dark and a light one, so that it is seen on any page.

Below: Pillow. Above: pictures, video.
"""

from functools import cache
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final, cast

from PIL import Image, ImageDraw

from notte_mcp.frames import MAX_HEIGHT, MAX_WIDTH

if TYPE_CHECKING:
    from notte_mcp.replay.pictures import Pointed

MAX_BYTES: Final = 150_000
"""Bytes of a step's picture."""

BRIGHT: Final = (255, 92, 0)
DARK: Final = (16, 16, 24)
LIGHT: Final = (255, 255, 255)

_QUALITIES: Final = (80, 68, 55, 42)
_GAP: Final = 3
_LINE: Final = 3
_EDGE: Final = 1
"""Px from the element to the outline, of the outline, of the lines that set it off."""

_DOT: Final = 11
"""Px of the spot's radius under the pointer."""

_FINE: Final = 4
"""How many times finer the pointer is drawn than it is shown."""

_ARROW: Final = ((0, 0), (0, 21), (5, 16.4), (8.6, 24.2), (12.2, 22.6), (8.7, 15), (15.4, 15))

Px = tuple[float, float, float, float]
"""Left, top, right, bottom; or left, top, width, height."""


def opened(jpeg: bytes, size: tuple[int, int]) -> Image.Image | None:
    """The picture of a frame, whose head says that it has this size (px); None where it is damaged."""
    try:
        image = Image.open(BytesIO(jpeg), formats=["JPEG"])
        if image.size != size:
            return None
        image.load()
        return image if image.mode == "RGB" else image.convert("RGB")  # which would copy it
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None


def as_jpeg(image: Image.Image, pointed: "Pointed | None", jpeg: bytes = b"") -> bytes:
    """The picture with its mark as a JPEG of bounded size; `jpeg` is what it was before, and stays where nothing is to
    be changed."""
    if pointed is None and 0 < len(jpeg) <= MAX_BYTES and image.width <= MAX_WIDTH and image.height <= MAX_HEIGHT:
        return jpeg
    image.thumbnail((MAX_WIDTH, MAX_HEIGHT))
    if pointed is not None:
        mark(image, pointed)
    while True:
        for quality in _QUALITIES:
            if len(small := _encoded(image, quality)) <= MAX_BYTES:
                return small
        image = _scaled(image, (max(image.width * 3 // 4, 1), max(image.height * 3 // 4, 1)))


def mark(image: Image.Image, pointed: "Pointed") -> None:
    """Draw what is pointed at into the picture."""
    draw = ImageDraw.Draw(image)
    boxes = [_px(image, box) for box in (pointed.box, pointed.to) if box is not None]
    for box in boxes:
        if _is_seen(image, box):
            _outline(draw, image, box)
    if pointed.pointer:
        _pointer(image, draw, [((box[0] + box[2]) / 2, (box[1] + box[3]) / 2) for box in boxes])


def _encoded(image: Image.Image, quality: int) -> bytes:
    file = BytesIO()
    image.save(file, "JPEG", quality=quality)
    return file.getvalue()


def _scaled(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    return cast(Any, image).resize(size, Image.Resampling.LANCZOS)


def _px(image: Image.Image, box: Px) -> Px:
    """Edges of a box that is given by parts. What a page says of its boxes may be anything: far out is near enough."""
    left, top, width, height = (min(max(part, -2.0), 3.0) for part in box)
    return left * image.width, top * image.height, (left + width) * image.width, (top + height) * image.height


def _is_seen(image: Image.Image, box: Px) -> bool:
    return box[0] < image.width and box[1] < image.height and box[2] > 0 and box[3] > 0


def _outline(draw: ImageDraw.ImageDraw, image: Image.Image, box: Px) -> None:
    """Three lines around the box; where it reaches out of the picture they stay at its edge."""
    out = _GAP + _LINE + 2 * _EDGE
    left, top = max(box[0] - out, 0), max(box[1] - out, 0)
    right, bottom = min(box[2] + out, image.width - 1), min(box[3] + out, image.height - 1)
    inset = 0
    for colour, width in ((LIGHT, _EDGE), (BRIGHT, _LINE), (DARK, _EDGE)):
        edges = (left + inset, top + inset, right - inset, bottom - inset)
        if edges[2] - edges[0] > 2 * width and edges[3] - edges[1] > 2 * width:
            draw.rounded_rectangle(edges, radius=max(5 - inset, 1), outline=colour, width=width)
        inset += width


def _pointer(image: Image.Image, draw: ImageDraw.ImageDraw, points: list[tuple[float, float]]) -> None:
    """The pointer on the last of the points, and the way it took."""
    if len(points) > 1:
        draw.line(points, fill=LIGHT, width=5)
        draw.line(points, fill=BRIGHT, width=3)
    x, y = points[-1]
    for sprite, dx, dy in ((_spot(), _DOT, _DOT), (_arrow(), 2, 2)):
        image.paste(sprite, (round(x) - dx, round(y) - dy), sprite)


@cache
def _spot() -> Image.Image:
    """The spot under the pointer's tip."""
    side = 2 * _DOT + 1
    large = Image.new("RGBA", (side * _FINE, side * _FINE))
    draw = ImageDraw.Draw(large)
    rings = (((*DARK, 150), 0), ((*LIGHT, 235), 1), ((*BRIGHT, 255), 3), ((*BRIGHT, 40), 5))
    for colour, inset in rings:
        near, far = inset * _FINE, (side - inset) * _FINE - 1
        draw.ellipse((near, near, far, far), fill=colour)
    return _scaled(large, (side, side))


@cache
def _arrow() -> Image.Image:
    """The pointer, its tip two px from the left and the top."""
    large = Image.new("RGBA", (20 * _FINE, 29 * _FINE))
    draw = ImageDraw.Draw(large)
    points = [((x + 2) * _FINE, (y + 2) * _FINE) for x, y in _ARROW]
    draw.line([*points, points[0], points[1]], fill=(*LIGHT, 255), width=3 * _FINE, joint="curve")
    draw.polygon(points, fill=(*DARK, 255))
    return _scaled(large, (20, 29))

"""What a cloud session's tab looks like, as a JPEG of the size that an answer may have; ids are drawn where asked for.

Below: stage. Above: session.
"""

import io
from collections.abc import Sequence
from typing import Any, Final

import anyio.to_thread

from notte_mcp.engines.notte.stage import Stage
from notte_mcp.errors import PageNotResponding
from notte_mcp.receipts import Box

_MAX_BYTES: Final = 300_000
_MARKED: Final = 200
_TAKES_S: Final = 30.0
_MARK: Final = (200, 0, 80)

Mark = tuple[str, Box]


async def picture(stage: Stage, *, marks: bool) -> bytes:
    """The viewport of the current tab (see `BrowserSession.screenshot`).

    Raises:
        PageNotResponding: what came is no picture. SessionLost, CloudError.
    """
    async with stage.asking() as client:
        taken = await client.bytes("sessions", stage.remote_id, "page", "screenshot", method="POST", within_s=_TAKES_S)
    ids, width = await _ids(stage) if marks else ((), 0)
    drawn = await anyio.to_thread.run_sync(_drawn, taken, ids, width)
    if drawn is None:
        raise PageNotResponding("The cloud gave no picture.", next_call="notte_observe without a screenshot")
    return drawn


async def _ids(stage: Stage) -> tuple[Sequence[Mark], int]:
    """The ids that were shown of this page, where their elements stand, and how wide (CSS px) the viewport is."""
    known = [one for one in stage.book.shown(stage.document) if one.key][-_MARKED:]
    found = await stage.ask("boxes", keys=[one.key for one in known]) if known else None
    if found is None:
        return (), 0
    boxes = zip(known, found["found"], strict=True)
    return [(one.id or "", (box[0], box[1], box[2], box[3])) for one, box in boxes if box], int(found["width"])


def _drawn(taken: bytes, ids: Sequence[Mark], width: int) -> bytes | None:
    if not ids and taken.startswith(b"\xff\xd8\xff") and len(taken) <= _MAX_BYTES:
        return taken
    from PIL import Image, ImageDraw

    try:
        image: Any = Image.open(io.BytesIO(taken)).convert("RGB")
    except (OSError, ValueError, Image.DecompressionBombError):
        return None
    scale = image.width / width if width else 1.0
    pen = ImageDraw.Draw(image)
    for name, (left, top, wide, high) in ids:
        x, y = left * scale, top * scale
        pen.rectangle((x, y, x + wide * scale, y + high * scale), outline=_MARK, width=2)
        label = pen.textbbox((x, max(0, y - 12)), name)
        pen.rectangle((label[0] - 1, label[1] - 1, label[2] + 1, label[3] + 1), fill=_MARK)
        pen.text((x, max(0, y - 12)), name, fill=(255, 255, 255))
    for quality in (75, 50, 30, 10):
        out = io.BytesIO()
        image.save(out, "JPEG", quality=quality)
        if out.tell() <= _MAX_BYTES:
            break
    return out.getvalue()

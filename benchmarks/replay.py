"""What the replay of five minutes takes: from the session's end until its video is there, and how large that is.

The pages are drawn, as a form of ten fields on each of ten pages looks; the floor is the same pictures encoded bare: no
process, no marks, no captions.

Below: replay. Above: `__main__`.
"""

import time
from collections.abc import Iterator
from fractions import Fraction
from functools import partial
from io import BytesIO
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, Final, cast

import anyio.to_thread
import av
from PIL import Image, ImageDraw

from benchmarks.rows import Outcome, Run
from notte_mcp.frames import Frame
from notte_mcp.receipts import Receipt, Target
from notte_mcp.records import StepRecord
from notte_mcp.replay import film, video
from notte_mcp.replay.film import FilmWriter
from notte_mcp.replay.replays import Part, Replays

_STEPS: Final = 100
_STEPS_SHORT: Final = 2
_EVERY_S: Final = 3.0
_FIELDS: Final = 10
_SIZE: Final = (960, 600)
_VIEWPORT: Final = (1280, 800)
_SESSION: Final = "ses_" + "0" * 26


async def five_minutes(run: Run) -> Outcome:
    """A hundred steps in five minutes (in a short run fewer)."""
    count = _STEPS_SHORT if run.short else _STEPS
    with TemporaryDirectory(prefix="notte-mcp-bench-") as place:
        folder = Path(place) / _SESSION
        await anyio.to_thread.run_sync(_recorded, folder, count)
        part = Part(folder, list(_steps(count)))
        times: list[float] = []
        floors: list[float] = []
        size = 0
        for _ in run.times(3):
            begun = time.perf_counter()
            async with Replays() as replays:
                made = await replays.video(_SESSION, [part], live=False)
            times.append((time.perf_counter() - begun) * 1_000)
            size = made.size
            made.path.unlink()
            floors.append(await anyio.to_thread.run_sync(partial(_bare, folder, folder / "bare.mp4")))
        bare = (folder / "bare.mp4").stat().st_size
        return Outcome({"ms": median(times), "MB": size / 1e6}, {"ms": median(floors), "MB": bare / 1e6})


def _steps(count: int) -> Iterator[StepRecord]:
    for number in range(1, count + 1):
        at = 1_000.0 + number * _EVERY_S
        field = (number - 1) % _FIELDS
        last = field == _FIELDS - 1
        receipt = Receipt(
            type="click" if last else "fill",
            success=True,
            target=Target(f"I{field + 1}", "button" if last else "textbox", f"Field {field + 1}", box=_box(field)),
            value=None if last else f"Value {number}",
            url_before="http://127.0.0.1/a",
            url_after="http://127.0.0.1/b" if last else "http://127.0.0.1/a",
            navigated=last,
            acted_at=at + 0.05,
        )
        yield StepRecord(_SESSION, number, "assistant", "done", {"type": receipt.type}, at, at + 0.4, receipt)


def _box(field: int) -> tuple[float, float, float, float]:
    return (400, 133 + field * 56, 400, 37)


def _recorded(folder: Path, count: int) -> None:
    """Frames before, at, and after each step, with a few while nothing happens."""
    writer = FilmWriter.open(folder)
    for number in range(count + 1):
        at = 1_000.0 + (number + 1) * _EVERY_S
        for frame, later in enumerate((-2.4, -1.2, -0.1, 0.12, 0.25, 0.38)):
            writer.append(Frame(at + later, _page(number + (frame > 2), frame), *_SIZE, _VIEWPORT))
    writer.close()


def _page(filled: int, moving: int) -> bytes:
    """A form with so many fields filled, and something small that moves."""
    image = Image.new("RGB", _SIZE, "white")
    draw = ImageDraw.Draw(image)
    page, fields = divmod(filled, _FIELDS)
    draw.rectangle((0, 0, _SIZE[0], 60), fill=(30 + page * 20, 60, 120))
    draw.text((20, 18), f"Application, page {page + 1}", fill="white", font_size=22)
    for line in range(20):
        words = " ".join(f"word{(page * 31 + line * 7 + word * 3) % 97}" for word in range(4))
        draw.text((650, 80 + line * 24), words, fill=(60, 60, 70), font_size=14)
    for field in range(_FIELDS):
        left, top, width, height = (side * _SIZE[0] / _VIEWPORT[0] for side in _box(field))
        draw.text((60, top + 6), f"Field number {field + 1}", fill="black", font_size=15)
        draw.rectangle((left, top, left + width, top + height), outline=(120, 120, 130))
        if field < fields:
            draw.text((left + 6, top + 5), f"Value {page * _FIELDS + field + 1}", fill="black", font_size=15)
    draw.ellipse((900 + moving, 15, 925 + moving, 40), fill=(240, 200, 60))
    file = BytesIO()
    image.save(file, "JPEG", quality=70)
    return file.getvalue()


def _bare(folder: Path, out: Path) -> float:
    """Milliseconds that it takes to encode every frame of the film as it is, with the same encoder."""
    begun = time.perf_counter()
    name, options = video.ENCODERS[0]
    with av.open(str(out), "w") as container:
        stream: Any = cast(Any, container).add_stream(name, rate=25, options=dict(options))
        stream.width, stream.height, stream.pix_fmt = *_SIZE, "yuv420p"
        stream.time_base = stream.codec_context.time_base = Fraction(1, 1_000)
        for number, shot in enumerate(film.shots(folder)):
            image = Image.open(BytesIO(film.jpeg(folder, shot)))
            frame: Any = cast(Any, av.VideoFrame).from_image(image)
            frame.pts, frame.time_base = number * 200, Fraction(1, 1_000)
            cast(Any, container).mux(stream.encode(frame))
        cast(Any, container).mux(stream.encode(None))
    return (time.perf_counter() - begun) * 1_000

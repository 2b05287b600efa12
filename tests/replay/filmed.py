"""Films for tests: pages drawn with Pillow, and the steps that made one of the other."""

from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

from notte_mcp.frames import Frame
from notte_mcp.receipts import Box, Receipt, Target
from notte_mcp.records import StepRecord
from notte_mcp.replay.film import FilmWriter

SESSION = "ses_" + "a" * 26
VIEWPORT = (1280, 800)
COLOURS = ((235, 240, 250), (250, 236, 224), (226, 246, 230), (246, 228, 244), (248, 246, 220), (224, 240, 246))


def page(number: int, *, size: tuple[int, int] = (960, 600), lines: int = 12) -> bytes:
    """A page that is told from others by its colour, as a JPEG."""
    image = Image.new("RGB", size, COLOURS[number % len(COLOURS)])
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, size[0], 40), fill=(40 + number * 7 % 160, 60, 120))
    draw.text((20, 12), f"Page {number}", fill="white", font_size=18)
    for line in range(lines):
        words = " ".join(f"word{(number * 7 + line * 3 + word * 5) % 97}" for word in range(12))
        draw.text((20, 60 + line * 24), words, fill=(30, 30, 40), font_size=15)
    file = BytesIO()
    image.save(file, "JPEG", quality=75)
    return file.getvalue()


def frame(at: float, number: int, *, size: tuple[int, int] = (960, 600), viewport: tuple[int, int] = VIEWPORT) -> Frame:
    """The page of this number, painted at `at`."""
    return Frame(at, page(number, size=size), *size, viewport)


def record(folder: Path, *frames: Frame) -> Path:
    """The folder, with a film of these frames."""
    writer = FilmWriter.open(folder)
    for one in frames:
        writer.append(one)
    writer.close()
    return folder


def step(
    number: int,
    at: float,
    *,
    took: float = 0.2,
    kind: str = "click",
    box: Box | None = (320, 200, 160, 40),
    moved: bool = False,
    failed: str = "",
    name: str = "Send",
    actor: Any = "assistant",
    **action: Any,
) -> StepRecord:
    """A step that began at `at`, touched the page 50 ms later and ended `took` seconds after its begin."""
    target = Target(f"B{number}", "button", name, box=box)
    receipt = Receipt(
        type=kind,
        success=not failed,
        message=failed,
        target=target,
        url_before="http://127.0.0.1/a",
        url_after="http://127.0.0.1/b" if moved else "http://127.0.0.1/a",
        navigated=moved,
        acted_at=at + 0.05,
    )
    return StepRecord(
        SESSION,
        number,
        actor,
        "failed" if failed else "done",
        {"type": kind, "id": f"B{number}", **action},
        at,
        at + took,
        receipt,
    )

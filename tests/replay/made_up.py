"""A made-up film: each step has a colour of its own, so that what is seen tells which step it belongs to."""

import io
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from notte_mcp.receipts import Receipt, Target
from notte_mcp.records import StepRecord
from notte_mcp.replay.parts import Mark
from notte_mcp.replay.shown import Film, Still

SESSION = "ses_" + "0" * 26
COLOURS = [(200, 40, 40), (40, 160, 60), (40, 70, 200), (200, 160, 30), (150, 50, 180), (30, 170, 180)]
"""Of the steps, in order; the third one failed."""

FAILED = 3
EACH_S = 1.0
"""Seconds of the film that each step takes; its own picture comes in the middle of them."""

SIZE = (320, 200)
GREY = (128, 128, 128)
"""What is seen between the steps' own pictures."""


class MadeUp(NamedTuple):
    """What the player is given."""

    heading: Mapping[str, Any]
    lines: Sequence[Mapping[str, Any]]
    steps: Sequence[StepRecord]
    film: Film


def jpeg(colour: tuple[int, int, int]) -> bytes:
    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", SIZE, colour).save(out, "JPEG", quality=90)
    return out.getvalue()


def still(at: float, colour: tuple[int, int, int], *, marked: bool = False) -> Still:
    picture = jpeg(colour)
    return Still(at, partial(bytes, picture), len(picture), marked)


def step(number: int, **changes: Any) -> StepRecord:
    """The step of this number: a click that took 400 ms."""
    good = number != FAILED
    receipt = Receipt(
        type="click",
        success=good,
        message="" if good else "div#banner covers it",
        target=Target(f"B{number}", "button", f"Button {number}"),
        url_before="http://127.0.0.1/",
        url_after=f"http://127.0.0.1/{number}",
    )
    fields: dict[str, Any] = {
        "session_id": SESSION, "number": number, "actor": "assistant", "state": "done" if good else "failed",
        "action": {"type": "click", "id": f"B{number}"}, "started_at": 1_700_000_000.0 + number,
        "ended_at": 1_700_000_000.4 + number, "receipt": receipt,
    }  # fmt: skip
    return StepRecord(**(fields | changes))


def made_up(count: int = len(COLOURS), **heading: Any) -> MadeUp:
    """A session of so many steps, an event after the second."""
    steps = [step(number) for number in range(1, count + 1)]
    lines: list[Mapping[str, Any]] = [{"number": one.number, "success": one.success} for one in steps]
    lines.insert(2, {"event": "thought", "text": "Now the third.", "at": "2023-11-14T22:13:22.000+00:00"})
    told = {"id": SESSION, "state": "stopped", "reason": "", "title": "A made-up page", "url": "http://127.0.0.1/"}
    times = {"created_at": "2023-11-14T22:13:20.000+00:00", "updated_at": "2023-11-14T22:13:30.000+00:00"}
    marks: list[Mark] = []
    stills: list[Still] = []
    of_steps: dict[tuple[str, int], Still] = {}
    for index in range(count):
        at, colour = index * EACH_S, COLOURS[index % len(COLOURS)]
        stills += [still(at, GREY), still(at + EACH_S / 2, colour)]
        marks.append(Mark(0, SESSION, index + 1, at, at + EACH_S / 2, at + EACH_S, (0.25, 0.25, 0.5, 0.5)))
        of_steps[SESSION, index + 1] = still(at, colour, marked=True)
    return MadeUp(told | times | heading, lines, steps, Film(count * EACH_S, marks, stills, of_steps))


def video_of(film: Film, path: Path) -> Path:
    """The film as a video that every browser plays, with the same pictures at the same times."""
    import av
    from PIL import Image

    vendor: Any = av  # its stubs leave types open
    rate = 10
    with vendor.open(str(path), "w", format="mp4") as out:
        stream = out.add_stream("libvpx-vp9", rate=rate, options={"deadline": "realtime", "cpu-used": "8"})
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        for number in range(round(film.seconds * rate)):
            seen = [one for one in film.stills if one.at <= number / rate + 1e-6][-1]
            out.mux(stream.encode(vendor.VideoFrame.from_image(Image.open(io.BytesIO(seen.read())))))
        out.mux(stream.encode())
    return path

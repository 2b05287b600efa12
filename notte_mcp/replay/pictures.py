"""A step's picture: which shot of the film it is, and where in it the acted element stands.

A step that led away from the page shows what it looked like when it was touched, any other what it left behind. Steps
that follow one another faster than pictures are made share one: the first that was made after them, before anything led
away. Picture, video and player go by this rule alike, so that they agree. Only `picture` reads files and draws.

Below: film, drawing, records. Above: timeline, replays.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Final

from notte_mcp.receipts import Box
from notte_mcp.records import StepRecord
from notte_mcp.replay import film
from notte_mcp.replay.film import Shot

SETTLES_S: Final = 0.15
"""How long after a step's end what it left may still come to be painted."""

PAINTED_S: Final = 0.03
"""How long after a step's end a frame may still show what was there before."""

LATER_S: Final = 1.0
"""How long after its end a step's picture is made at the latest; what comes later is of something else."""

_BY_POINTER: Final = frozenset({"click", "double_click", "hover", "download_file", "check", "drag"})


@dataclass(frozen=True, slots=True)
class Pointed:
    """What is marked in a picture: the element's box and, of a drag, where it went; left, top, width and height as parts
    of the picture's. `pointer` says that the pointer was there."""

    box: Box
    pointer: bool = False
    to: Box | None = None


def times(shots: Sequence[Shot]) -> list[float]:
    """When each shot was painted (Unix seconds), never before the one in front of it: clocks are set back at times."""
    return list(accumulate((shot.at for shot in shots), max))


def led_away(step: StepRecord) -> bool:
    """Whether the page that the step acted on is no longer to be seen after it."""
    receipt = step.receipt
    return receipt is not None and (receipt.moved or receipt.new_tab is not None or receipt.tab_closed)


def shows_before(step: StepRecord) -> bool:
    """Whether the step's picture is of the moment when the page was touched."""
    return led_away(step) and _box(step) is not None and touched(step) is not None


def touched(step: StepRecord) -> float | None:
    """When the page was touched, as far as that is known."""
    return step.receipt.acted_at if step.receipt is not None else None


def begun(step: StepRecord) -> float:
    """When the step began to show."""
    return step.started_at if (at := touched(step)) is None else at


def moment(step: StepRecord, following: StepRecord | None) -> float:
    """The moment that the step's picture is of (Unix seconds); `following` is the next step of its session."""
    at = touched(step)
    if at is not None and shows_before(step):
        return at
    end = float("inf") if step.ended_at is None else step.ended_at + SETTLES_S
    if following is None:
        return end
    return max(min(end, begun(following)), step.started_at)


def shot_at(when: Sequence[float], at: float) -> int:
    """The index of the last shot at or before a moment; of the first one where there is none. `when` as of `times`."""
    return max(bisect_right(when, at) - 1, 0)


def shot_of(when: Sequence[float], steps: Sequence[StepRecord], index: int) -> int:
    """The index of the shot that a step is known by. `steps` are its session's, in order, and `when` as of `times`."""
    step, following = steps[index], steps[index + 1] if index + 1 < len(steps) else None
    chosen, ended = shot_at(when, moment(step, following)), step.ended_at
    if led_away(step) or ended is None:
        return chosen  # of a page that was opened, what comes within the time in which it is painted
    until = min(ended + LATER_S, _left(steps, index))
    if following is not None and following.started_at < ended + SETTLES_S:
        chosen = shot_at(when, ended)
    elif chosen < len(when) and when[chosen] >= ended + PAINTED_S:
        return chosen
    elif following is not None:
        until = min(until, begun(following))  # there was time for a picture of its own
    return max(chosen, min(bisect_left(when, ended + PAINTED_S), shot_at(when, until)))


def _left(steps: Sequence[StepRecord], index: int) -> float:
    """When the page that a step acted on was left."""
    if led_away(steps[index]):
        return float("-inf")
    return next((begun(step) for step in steps[index + 1 :] if led_away(step)), float("inf"))


def pointed(step: StepRecord, viewport: tuple[int, int]) -> Pointed | None:
    """What is to be marked in a picture of this viewport (CSS px); None where no box is known."""
    if (box := _box(step)) is None or min(viewport) <= 0:
        return None
    receipt = step.receipt
    goal = receipt.destination.box if receipt is not None and receipt.destination is not None else None
    kind = step.action.get("type")
    return Pointed(
        _parts(box, viewport), pointer=kind in _BY_POINTER, to=None if goal is None else _parts(goal, viewport)
    )


def visible(box: Box) -> Box | None:
    """What of a box (parts of a picture) is within the picture; None where nothing is."""
    left, top = max(box[0], 0.0), max(box[1], 0.0)
    right, bottom = min(box[0] + box[2], 1.0), min(box[1] + box[3], 1.0)
    return (left, top, right - left, bottom - top) if right > left and bottom > top else None


def picture(folder: Path, steps: Sequence[StepRecord], step: StepRecord) -> bytes | None:
    """The JPEG of a step; None where there is no film, or none of it can be read. Blocks.

    `steps` are its session's, from which the one after it is taken. Raises: OSError.
    """
    from notte_mcp.replay import drawing

    shots = film.shots(folder)
    own = [one for one in steps if one.number >= step.number and one.session_id == step.session_id]
    chosen = shot_of(times(shots), own or [step], 0) if shots else 0
    # A damaged one is passed over for the one before it, and for the one after it where there is none.
    for shot in (*reversed(shots[: chosen + 1]), *shots[chosen + 1 :]):
        jpeg = film.jpeg(folder, shot)
        if (image := drawing.opened(jpeg, (shot.width, shot.height))) is not None:
            return drawing.as_jpeg(image, pointed(step, shot.viewport), jpeg)
    return None


def _box(step: StepRecord) -> Box | None:
    target = step.receipt.target if step.receipt is not None else None
    return None if target is None else target.box


def _parts(box: Box, viewport: tuple[int, int]) -> Box:
    across, down = viewport
    return box[0] / across, box[1] / down, box[2] / across, box[3] / down

"""What a script waits for between two steps: something that was observed, never a time.

A step that reads the page as it is must come after what changed it; one that acts, after what the click before it
brought: what comes by a request may replace what is there. Best is a text that the
caller had seen by then; else the answer to what was sent; else that the page asks for
nothing more, where it was still changing when the recording went on. A step whose request
is still under way when the page is left would be cut off: its answer is waited for.

Below: records, folding, landmark_texts. Above: generalising.
"""

from collections.abc import Sequence
from itertools import takewhile
from typing import Final, Literal

from notte_mcp.records import StepRecord
from notte_mcp.workflows.folding import LOADS, READS, kind, receipt_of
from notte_mcp.workflows.landmark_texts import lasting

Pause = Literal["", "response", "idle"]

_LEAVES: Final = frozenset({"goto", "reload", "go_back", "go_forward", "close_tab"})
_WAITS: Final = frozenset({"wait", "wait_for"})
_PRESSES: Final = frozenset({"click", "double_click", "check", "press_key"})
_ELSEWHERE: Final = _WAITS | LOADS | _LEAVES | {"switch_tab"}


def seen_before(kept: Sequence[StepRecord], place: int, typed: Sequence[str]) -> tuple[str, ...]:
    """The text that a step waits for: one that its caller had seen before it, and that was not there before that.

    A step that reads waits for it always, one that acts where a click must have brought it (see `_brought`).
    """
    step = kept[place]
    if not step.saw or within_frames(kept[:place]):
        return ()
    if kind(step) not in READS and not _brought(kept, place):
        return ()
    before = {text for other in kept[:place] for text in other.saw}
    return lasting((text for text in step.saw if text not in before), typed, most=1)


def _brought(kept: Sequence[StepRecord], place: int) -> bool:
    """Whether what is new on the page before this step came by a click that stayed on it, and by nothing that was typed:
    another run types something else, and another text comes of it."""
    looked = next((index for index in reversed(range(place)) if _was_looked_at(kept, index)), None)
    if kind(kept[place]) in _ELSEWHERE or looked is None:
        return False
    since = kept[looked:place]
    if kind(since[-1]) not in _PRESSES or any(map(_left, since)) or {kind(step) for step in since} - _PRESSES:
        return False
    # A frame that is acted on later may have been there, and have shown the text.
    staying = takewhile(lambda step: kind(step) not in _ELSEWHERE and not _left(step), kept[place:])
    return not any(map(_in_frame, (kept[place], *staying)))


def _was_looked_at(kept: Sequence[StepRecord], place: int) -> bool:
    """Whether the page was looked at just before this step; an id is known of a look, whatever stood out in it."""
    if kept[place].saw:
        return True
    fresh = place > 0 and (_left(kept[place - 1]) or kind(kept[place - 1]) in LOADS)
    return fresh and kept[place].action.get("id") is not None


def _left(step: StepRecord) -> bool:
    receipt = receipt_of(step)
    return receipt.moved or receipt.new_tab is not None or receipt.tab_closed


def _in_frame(step: StepRecord) -> bool:
    target = receipt_of(step).target
    return target is not None and bool(target.locators.frame)


def within_frames(done: Sequence[StepRecord]) -> bool:
    """Whether the page that these steps ended on was acted on within a frame.

    A view tells the texts of all frames alike, and a script would look for one of a frame on the page around it.
    """
    for step in reversed(done):
        if _left(step):
            return False
        if _in_frame(step):
            return True
    return False


def pause_after(kept: Sequence[StepRecord], place: int, typed: Sequence[str]) -> Pause:
    """What is waited for after a step that did not lead to another address."""
    step, receipt = kept[place], receipt_of(kept[place])
    following = next((other for other in kept[place + 1 :] if kind(other) != "wait"), None)
    if kind(step) in READS | _WAITS or _left(step):
        return "idle" if receipt.unsettled and _is_read(following, kept, typed) and kind(step) in LOADS else ""
    if _is_read(following, kept, typed):
        return "response" if receipt.sent else "idle" if receipt.unsettled else ""
    left = following is None or kind(following) in _LEAVES
    return "response" if left and receipt.sent and not receipt.downloads else ""


def _is_read(following: StepRecord | None, kept: Sequence[StepRecord], typed: Sequence[str]) -> bool:
    """Whether the next step reads the page and has no text to wait for."""
    if following is None or kind(following) not in READS:
        return False
    return not seen_before(kept, list(kept).index(following), typed)

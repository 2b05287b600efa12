"""What a script waits for between two steps: something that was observed, never a time.

A step that reads the page as it is must come after what changed it. Best is a text that the
caller had seen by then; else the answer to what was sent; else that the page asks for
nothing more, where it was still changing when the recording went on. A step whose request
is still under way when the page is left would be cut off: its answer is waited for.

Below: records, folding, landmark_texts. Above: generalising.
"""

from collections.abc import Sequence
from typing import Final, Literal

from notte_mcp.records import StepRecord
from notte_mcp.workflows.folding import READS, kind, receipt_of
from notte_mcp.workflows.landmark_texts import lasting

Pause = Literal["", "response", "idle"]

_LEAVES: Final = frozenset({"goto", "reload", "go_back", "go_forward", "close_tab"})
_WAITS: Final = frozenset({"wait", "wait_for"})
_LOADS: Final = frozenset({"goto", "goto_new_tab", "reload", "go_back", "go_forward"})


def seen_before(kept: Sequence[StepRecord], place: int, typed: Sequence[str]) -> tuple[str, ...]:
    """The text that a reading step waits for: one that its caller had seen, and that was not there before."""
    step = kept[place]
    if kind(step) not in READS or not step.saw or within_frames(kept[:place]):
        return ()
    before = {text for other in kept[:place] for text in other.saw}
    return lasting((text for text in step.saw if text not in before), typed, most=1)


def within_frames(done: Sequence[StepRecord]) -> bool:
    """Whether the page that these steps ended on was acted on within a frame.

    A view tells the texts of all frames alike, and a script would look for one of a frame on the page around it.
    """
    for step in reversed(done):
        receipt = receipt_of(step)
        if receipt.moved or receipt.new_tab is not None or receipt.tab_closed:
            return False
        if receipt.target is not None and receipt.target.locators.frame:
            return True
    return False


def pause_after(kept: Sequence[StepRecord], place: int, typed: Sequence[str]) -> Pause:
    """What is waited for after a step that did not lead to another address."""
    step, receipt = kept[place], receipt_of(kept[place])
    following = next((other for other in kept[place + 1 :] if kind(other) != "wait"), None)
    if kind(step) in READS | _WAITS or receipt.moved or receipt.new_tab is not None or receipt.tab_closed:
        return "idle" if receipt.unsettled and _is_read(following, kept, typed) and kind(step) in _LOADS else ""
    if _is_read(following, kept, typed):
        return "response" if receipt.sent else "idle" if receipt.unsettled else ""
    left = following is None or kind(following) in _LEAVES
    return "response" if left and receipt.sent and not receipt.downloads else ""


def _is_read(following: StepRecord | None, kept: Sequence[StepRecord], typed: Sequence[str]) -> bool:
    """Whether the next step reads the page and has no text to wait for."""
    if following is None or kind(following) not in READS:
        return False
    return not seen_before(kept, list(kept).index(following), typed)

"""Forms that were sent, came back, and were filled in and sent again: one attempt is enough.

A login with a wrong password comes back to the login page, and a script that repeats both would not pass the first.
Only where the second one led on: a form that comes back every time takes one entry after another.

Below: records, receipts. Above: folding.
"""

from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

from notte_mcp.receipts import Receipt, Target
from notte_mcp.records import StepRecord

_FIELDS: Final = frozenset({"fill", "multi_factor_fill", "fallback_fill", "select_dropdown_option", "check"})
_SENDS: Final = frozenset({"click", "press_key"})


def without_attempts(steps: list[StepRecord]) -> list[StepRecord]:
    """The steps without what was filled in and sent in vain before the same fields were sent with success."""
    kept = list(steps)
    for place in reversed(range(len(steps))):
        start = _filled_from(kept, place)
        if _came_back(kept, place) and start < place and _was_repeated(kept, start, place):
            del kept[start : place + 1]
    return kept


def _filled_from(steps: Sequence[StepRecord], place: int) -> int:
    """Where the fields begin that were filled in just before the step at this place."""
    start = place
    while start and _fills(steps[start - 1]):
        start -= 1
    return start


def _was_repeated(steps: Sequence[StepRecord], start: int, sent: int) -> bool:
    again = next((place for place in range(sent + 1, len(steps)) if not _fills(steps[place])), len(steps))
    if again in (len(steps), sent + 1) or not _led_on(steps[again]):
        return False
    first, second = steps[start:sent], steps[sent + 1 : again]
    page = _page(_receipt(steps[sent]).url_before)
    if any(_page(_receipt(step).url_before) != page for step in (*first, *second, steps[again])):
        return False
    refilled = all(any(_same(one, other) for other in second) for one in first)
    return refilled and _sends(steps[again]) and _same(steps[sent], steps[again])


def _fills(step: StepRecord) -> bool:
    receipt = _receipt(step)
    quiet = not (receipt.moved or receipt.dialogs or receipt.downloads or receipt.new_tab is not None)
    # What is appended builds on what the field holds.
    whole = step.action.get("clear_before_fill", True) is not False and not step.action.get("press_enter")
    return step.action.get("type") in _FIELDS and quiet and whole


def _sends(step: StepRecord) -> bool:
    return step.action.get("type") in _SENDS


def _came_back(steps: Sequence[StepRecord], place: int) -> bool:
    receipt = _receipt(steps[place])
    alone = not (receipt.dialogs or receipt.downloads or receipt.tab_closed or receipt.new_tab is not None)
    back = receipt.navigated and _page(receipt.url_before) == _page(receipt.url_after)
    return _sends(steps[place]) and alone and back


def _led_on(step: StepRecord) -> bool:
    receipt = _receipt(step)
    return receipt.navigated and _page(receipt.url_before) != _page(receipt.url_after)


def _same(one: StepRecord, other: StepRecord) -> bool:
    a, b = _receipt(one).target, _receipt(other).target
    if one.action.get("type") != other.action.get("type") or a is None or b is None:
        return False
    return one.action.get("key") == other.action.get("key") and _is_one(a, b)


def _is_one(a: Target, b: Target) -> bool:
    """Whether both are one control: by what it is called, or where it stands (a message above it may move it)."""
    one, other = a.locators, b.locators
    if one.frame != other.frame or (a.role, a.name) != (b.role, b.name):
        return False
    named = one.role is not None and one.role == other.role
    labelled = one.label is not None and one.label == other.label
    return named or labelled or (one.css is not None and one.css == other.css)


def _page(url: str) -> tuple[str, str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc, parts.path.rstrip("/")


def _receipt(step: StepRecord) -> Receipt:
    return step.receipt or Receipt(type=str(step.action.get("type", "")), success=False)

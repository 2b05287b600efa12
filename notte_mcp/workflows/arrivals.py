"""Where recorded steps led: the address that a script waits for after each, at the start and at the end.

Below: records, urls, folding. Above: generalising.
"""

from collections.abc import Sequence
from typing import Final

from notte_mcp.records import StepRecord
from notte_mcp.workflows import urls
from notte_mcp.workflows.folding import kind, receipt_of

_ARRIVE_THEMSELVES: Final = frozenset(
    {"goto", "goto_new_tab", "go_back", "go_forward", "reload", "close_tab", "switch_tab", "wait_for"}
)
"""Actions after which a script need not be told to wait for an address."""

_LEADS_NOWHERE: Final = frozenset({"wait", "scrape", "scroll_up", "scroll_down", "help", "completion"})


def arrival(
    step: StepRecord, following: StepRecord | None, typed: Sequence[str], *, end: str = ""
) -> tuple[str | None, bool]:
    """The pattern of the address that the step led to, and whether the address before fits it too.

    `typed` are the texts that another run may replace (see `urls.pattern`), `end` is where the last step was seen to
    have led.
    """
    receipt = receipt_of(step)
    here = receipt.url_after
    if kind(step) in _ARRIVE_THEMSELVES or receipt.tab_closed:
        return None, False
    opened = receipt.new_tab is not None
    if following is not None and kind(following) not in _ARRIVE_THEMSELVES and not opened:
        # A page that moved on after the action was over shows it where the next action began.
        here = receipt_of(following).url_before or here
    elif following is None and not opened:
        here = end or here
    moved = here != receipt.url_before or (receipt.navigated and not opened)
    if not urls.is_page(here) or not moved:
        return None, False
    pattern = urls.pattern(here, typed)
    return pattern, not opened and urls.fits(pattern, receipt.url_before)


def beginning(kept: Sequence[StepRecord]) -> str | None:
    """The address that the first of these steps began at, where that is known."""
    return next((url for step in kept if urls.is_page(url := receipt_of(step).url_before)), None)


def seen_at_end(steps: Sequence[StepRecord], kept: Sequence[StepRecord], url: str) -> str:
    """Where the page was seen to stand after the last of the steps that are `kept`, "" where nobody looked.

    A page that is slow to come is not there yet when the last receipt is written; `url` is where the session stood when
    it was looked at after all of these steps.
    """
    if not kept:
        return ""
    later = [step for step in steps if step.number > kept[-1].number]
    if all(kind(step) in _LEADS_NOWHERE for step in later):
        return url if urls.is_page(url) else ""
    return next((before for step in later if urls.is_page(before := receipt_of(step).url_before)), "")


def ending(kept: Sequence[StepRecord], typed: Sequence[str], *, end: str = "") -> str | None:
    """The pattern of the address that the last of these steps ended at (or was seen to: `end`), where that is known."""
    if not kept:
        return None
    last = end or receipt_of(kept[-1]).url_after or kept[-1].url
    return urls.pattern(last, typed) if urls.is_page(last) else None

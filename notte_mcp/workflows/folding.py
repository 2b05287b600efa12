"""Which recorded steps a script needs: what failed, idled, strayed or was overwritten goes.

Each rule is one function from steps to steps, in the order that `kept_steps` lists
them. A rule removes a step only where the receipts show that nothing came of it: a
step with an effect (it navigated, opened a dialog or a tab, brought a file) stays.

Below: records, urls, attempts. Above: generalising and what it stands on.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

from notte_mcp.receipts import Receipt
from notte_mcp.records import StepRecord
from notte_mcp.workflows.attempts import without_attempts
from notte_mcp.workflows.urls import same_page

_SCROLLS: Final = frozenset({"scroll_up", "scroll_down"})
_IDLE: Final = _SCROLLS | {"wait"}
_NO_ACTION: Final = frozenset({"help", "completion"})
READS: Final = frozenset({"evaluate_js", "scrape"})
"""What looks at the page as it is, without waiting for anything in it."""

_FILLS: Final = frozenset({"fill", "multi_factor_fill", "fallback_fill"})
_SETTERS: Final = (_FILLS, frozenset({"select_dropdown_option"}), frozenset({"check"}))
"""Actions of which, on one field, only the last counts."""

_TABS: Final = frozenset({"switch_tab", "close_tab"})
_ERROR_PAGE: Final = "chrome-error:"
"""Where Chromium stands when a page did not load."""

LOADS: Final = frozenset({"goto", "goto_new_tab", "go_back", "go_forward", "reload"})
"""Actions that end when a document has loaded."""


def kept_steps(steps: Sequence[StepRecord]) -> list[StepRecord]:
    """The steps that a script repeats, in order.

    Failed, cancelled and unknown steps go; so do scrolls and waits that nothing
    depended on, `help` and `completion`, a page that was read as a whole before the end,
    a `goto` to where the step before has
    already led, a link or `goto` that was taken back at once, a form that was sent in vain
    (see `attempts`), and fills of one field before the last.
    """
    kept = [step for step in steps if done(step)]
    rules: tuple[Callable[[list[StepRecord]], list[StepRecord]], ...] = (
        _without_glances,
        _without_idling,
        _without_repeated_loads,
        _without_detours,
        without_attempts,
        _with_last_values,
    )
    for rule in rules:
        kept = rule(kept)
    return kept


def done(step: StepRecord) -> bool:
    """Whether the step is known to have done what it was asked."""
    return step.state == "done" and step.success


def kind(step: StepRecord) -> str:
    """The action's type."""
    return str(step.action.get("type", ""))


def receipt_of(step: StepRecord) -> Receipt:
    """The step's receipt, an empty one where there is none."""
    return step.receipt or Receipt(type=kind(step), success=False)


def enters(step: StepRecord) -> bool:
    """Whether Enter was pressed by it."""
    return step.action.get("press_enter") is True or (kind(step) == "press_key" and step.action.get("key") == "Enter")


def sets(step: StepRecord) -> bool:
    """Whether it is one that changes a field."""
    return any(kind(step) in kinds for kinds in _SETTERS)


def acts(step: StepRecord) -> bool:
    """Whether it is one that changes something, and does not only look or wait."""
    return kind(step) not in READS | _IDLE | _NO_ACTION | {"wait_for"}


def has_effect(step: StepRecord) -> bool:
    """Whether the step did more than change what it was aimed at."""
    receipt = receipt_of(step)
    return bool(
        receipt.moved or receipt.new_tab is not None or receipt.tab_closed or receipt.dialogs or receipt.downloads
    )


def _without_glances(steps: list[StepRecord]) -> list[StepRecord]:
    """A whole page was read to decide what comes next, unless it is the last thing that was done."""
    last = max((place for place, step in enumerate(steps) if kind(step) not in _NO_ACTION), default=-1)
    return [step for place, step in enumerate(steps) if place == last or not _glances(step)]


def _glances(step: StepRecord) -> bool:
    chosen = ("selector", "instructions", "response_schema")
    return kind(step) == "scrape" and not any(step.action.get(field) for field in chosen)


def _without_idling(steps: list[StepRecord]) -> list[StepRecord]:
    """A wait stays where the next step reads the page as it is, a scroll also where the next step
    waits for what scrolling brings, or where the page went on changing because of it."""
    kept: list[StepRecord] = []
    following = ""
    for step in reversed(steps):
        name = kind(step)
        if name in _IDLE:
            needed = following in READS or has_effect(step)
            if name in _SCROLLS:
                needed = needed or following == "wait_for" or receipt_of(step).unsettled
            if needed:
                kept.append(step)
        elif name not in _NO_ACTION:
            kept.append(step)
            following = name
    return kept[::-1]


def _without_repeated_loads(steps: list[StepRecord]) -> list[StepRecord]:
    kept: list[StepRecord] = []
    for step in steps:
        if kept and kind(step) == "goto" and _leads_nowhere(step, after=kept[-1]):
            continue
        kept.append(step)
    return kept


def _leads_nowhere(step: StepRecord, *, after: StepRecord) -> bool:
    before = receipt_of(after)
    loaded = kind(after) in LOADS or (before.navigated and kind(after) not in _TABS)
    elsewhere = before.new_tab is not None and kind(after) != "goto_new_tab"
    if not loaded or elsewhere:
        return False
    here = before.url_after or after.url
    return any(same_page(here, url) for url in (_text(step.action.get("url")), receipt_of(step).url_after) if url)


def _without_detours(steps: list[StepRecord]) -> list[StepRecord]:
    kept: list[StepRecord] = []
    for step in steps:
        if kind(step) == "go_back" and receipt_of(step).url_before.startswith(_ERROR_PAGE):
            continue  # what led there failed, and is gone already
        if kept and kind(step) == "go_back" and _returns(step, start=kept[-1]):
            kept.pop()
            continue
        kept.append(step)
    return kept


def _returns(step: StepRecord, *, start: StepRecord) -> bool:
    gone, back = receipt_of(start), receipt_of(step)
    # A button may have sent something; only a link or an address is taken for a mere look.
    looked = kind(start) == "goto" or (
        kind(start) == "click" and gone.target is not None and gone.target.role == "link"
    )
    quiet = gone.moved and gone.new_tab is None and not gone.dialogs and not gone.downloads
    return looked and quiet and bool(gone.url_before) and same_page(gone.url_before, back.url_after)


def _with_last_values(steps: list[StepRecord]) -> list[StepRecord]:
    return [step for i, step in enumerate(steps) if not _overwritten(step, steps[i + 1 :])]


def _overwritten(step: StepRecord, later: Sequence[StepRecord]) -> bool:
    kinds = next((kinds for kinds in _SETTERS if kind(step) in kinds), None)
    if kinds is None or not _sets_only(step):
        return False
    for other in later:
        if kind(other) in kinds and _same_field(step, other):
            # What is appended builds on what the field holds.
            return other.action.get("clear_before_fill", True) is not False
        if not _sets_only(other):
            return False
    return False


def _sets_only(step: StepRecord) -> bool:
    """Whether the step changed one field and nothing could have read the others."""
    settles = sets(step) or kind(step) in _IDLE
    return settles and not has_effect(step) and not step.action.get("press_enter")


def _same_field(one: StepRecord, other: StepRecord) -> bool:
    a, b = receipt_of(one).target, receipt_of(other).target
    if a is None or b is None:
        return False
    if a.id is not None and a.id == b.id:
        return True
    return a.locators.css is not None and (a.locators.css, a.locators.frame) == (b.locators.css, b.locators.frame)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""

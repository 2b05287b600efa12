"""Where a recorded action was aimed: the ways to its element, without any id.

Below: actions, receipts, records, lifting. Above: generalising.
"""

from collections.abc import Sequence
from dataclasses import fields, replace

from notte_mcp.actions import Action
from notte_mcp.receipts import Locators, Target
from notte_mcp.records import StepRecord
from notte_mcp.workflows.folding import receipt_of
from notte_mcp.workflows.lifting import has_mark
from notte_mcp.workflows.whole_text import is_whole


def aimed(action: Action) -> bool:
    """Whether the action names an element."""
    return getattr(action, "id", None) is not None or getattr(action, "selector", None) is not None


def target_of(step: StepRecord, action: Action, steps: Sequence[StepRecord]) -> Locators | None:
    """The ways to the element that the action named; None where none is known (or none was named)."""
    return _locators(receipt_of(step).target, getattr(action, "id", None), getattr(action, "selector", None), steps)


def destination_of(step: StepRecord, action: Action, steps: Sequence[StepRecord]) -> Locators | None:
    """The ways to the element that a drag ended on."""
    named, selector = getattr(action, "to_id", None), getattr(action, "to_selector", None)
    return _locators(receipt_of(step).destination, named, selector, steps)


def _locators(
    target: Target | None, named: str | None, selector: str | None, steps: Sequence[StepRecord]
) -> Locators | None:
    if named is None and selector is None:
        return None
    if target is None and named is not None:
        # An id is never given to another element, so what any step learnt of it holds.
        target = next((t for s in steps if (t := receipt_of(s).target) is not None and t.id == named), None)
    found = _legible(target.locators) if target is not None else Locators()
    if selector is not None and found.given is None and not found.frame:
        found = replace(found, given=selector)
    if found == Locators(frame=found.frame, shadow=found.shadow):
        return Locators(role=(target.role, target.name)) if target is not None and target.role else None
    return found


def _legible(locators: Locators) -> Locators:
    """The locators without those that a secret was cut out of, or half a character stands in."""
    texts = {field.name: getattr(locators, field.name) for field in fields(locators)}
    marked = {name: None for name, text in texts.items() if isinstance(text, str) and not _is_name(text)}
    if locators.role is not None and not _is_name(locators.role[1]):
        marked["role"] = None
    if locators.row is not None and not all(map(_is_name, locators.row)):
        marked["row"] = None
    return replace(locators, **marked) if marked else locators


def _is_name(text: str) -> bool:
    """Whether an element can be found by this."""
    return not has_mark(text) and is_whole(text)

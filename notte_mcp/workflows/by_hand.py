"""What a person did by hand, told as an assistant would have done it: what is typed key by key becomes fills.

A key that changed what a field holds is a fill of what it held then; one that only moved the caret, or the focus, is
nothing, and so is a click into a field that is filled next. A field that was typed into holds what was read back.

Below: records, folding. Above: generalising.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from notte_mcp.receipts import Target
from notte_mcp.records import StepRecord
from notte_mcp.workflows.folding import done, has_effect, kind, receipt_of

_ENTERS: Final = frozenset({"Enter", "NumpadEnter", "Escape"})
"""Keys that mean something to a page in whatever field."""

_MOVES: Final = frozenset({"Tab", "Shift+Tab", "Shift", "Control", "Alt", "Meta"})
_CARET: Final = (
    "Arrow", "Home", "End", "Page", "Shift+", "Control+Arrow", "Control+Home", "Control+End", "Control+a", "Control+A",
    "Control+c", "Control+C", "Backspace", "Delete", "Control+Backspace", "Control+Delete", "Meta+a", "Meta+A",
)  # fmt: skip
"""Beginnings of keys that leave nothing in a field which they did not change."""

_CHOSEN: Final = frozenset({"combobox", "listbox"})
_FIELDS: Final = frozenset({"textbox", "searchbox", "combobox", "listbox", "spinbutton", "password", "date", "time"})
_NOWHERE: Final = frozenset({"document", "area"})
"""What a person clicks who clicks beside everything: a script that clicked the middle of it might hit something."""


Field = tuple[str | None, ...]


def told_as_deeds(steps: Sequence[StepRecord]) -> list[StepRecord]:
    """The steps with those of a person (`human`) as deeds; the others as they are."""
    held: dict[Field, str] = {}
    deeds: list[StepRecord] = []
    for step in steps:
        deed = _deed(step, held) if step.actor == "human" and done(step) else step
        if (value := receipt_of(step).value) is not None:
            held[_field(step)] = value
        if deed is not None:
            deeds.append(deed)
    return [step for i, step in enumerate(deeds) if not _is_on_the_way(step, deeds[i + 1 : i + 2])]


def _deed(step: StepRecord, held: dict[Field, str]) -> StepRecord | None:
    """One step of a person's hand; None for what was done for the caret's sake alone."""
    value, target = receipt_of(step).value, receipt_of(step).target
    if kind(step) == "fill" and value and isinstance(step.action.get("value"), str):
        return _filling(step, value)  # with nothing in it the page took the text on: it was typed all the same
    if kind(step) != "press_key" or target is None:
        return step
    return _key(step, target, held.get(_field(step), ""))


def _key(step: StepRecord, target: Target, before: str) -> StepRecord | None:
    """A key on a field that held `before`, as far as is known. A receipt has a value where the key changed it."""
    key, receipt = str(step.action.get("key", "")), receipt_of(step)
    broken = receipt.value is not None and receipt.value.count("\n") > before.count("\n")
    if has_effect(step) or (key in _ENTERS and not broken):
        return _aimed(step, target)
    if receipt.value is not None:
        return _filling(step, receipt.value)
    idle = key in _MOVES or (target.role in _FIELDS and (len(key) == 1 or key.startswith(_CARET)))
    return None if idle else _aimed(step, target)


def _filling(step: StepRecord, value: str) -> StepRecord:
    """The step as one that puts the whole value into its field."""
    target = receipt_of(step).target
    chosen = kind(step) == "press_key" and target is not None and target.role in _CHOSEN
    action: dict[str, Any] = {"type": "select_dropdown_option" if chosen else "fill", "value": value}
    named = step.action.get("id") or (target.id if target is not None else None)
    aim = {"selector": step.action["selector"]} if step.action.get("selector") else {"id": named}
    return replace(step, action=action | aim)


def _aimed(step: StepRecord, target: Target) -> StepRecord:
    """The key on the field that had the focus: a script's focus may be elsewhere."""
    if step.action.get("selector") or step.action.get("id") or target.id is None or target.role in _NOWHERE:
        return step
    return replace(step, action=step.action | {"id": target.id})


def _is_on_the_way(step: StepRecord, following: Sequence[StepRecord]) -> bool:
    """Whether a person's click only put the caret somewhere."""
    if step.actor != "human" or kind(step) not in ("click", "double_click") or not done(step) or has_effect(step):
        return False
    target = receipt_of(step).target
    if target is None or receipt_of(step).sent:
        return False
    if target.role in _NOWHERE:
        return True
    typed = following and kind(following[0]) in ("fill", "select_dropdown_option") and following[0].actor == "human"
    return bool(typed) and target.role in _FIELDS and _field(step) == _field(following[0])


def _field(step: StepRecord) -> Field:
    """What tells one field from another."""
    target = receipt_of(step).target
    if target is None:
        return ()
    return (target.id,) if target.id is not None else (target.locators.css, *target.locators.frame)

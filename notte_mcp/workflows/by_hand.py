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

_MOVES: Final = frozenset({"Tab", "Home", "End", "PageUp", "PageDown", "Shift", "Control", "Alt", "Meta"})
_CARET: Final = ("Arrow", "Shift+Tab", "Shift+Arrow", "Shift+Home", "Shift+End", "Control+Arrow", "Control+a", "Control+A",
                 "Control+c", "Control+C")  # fmt: skip
_CHOSEN: Final = frozenset({"combobox", "listbox"})
_FIELDS: Final = frozenset({"textbox", "searchbox", "combobox", "listbox", "spinbutton", "password", "date", "time"})
_NOWHERE: Final = frozenset({"document", "generic", "none"})

Field = tuple[str | None, ...]


def told_as_deeds(steps: Sequence[StepRecord]) -> list[StepRecord]:
    """The steps with those of a person (`human`) as deeds; the others as they are."""
    held: dict[Field, str] = {}
    deeds: list[StepRecord] = []
    for step in steps:
        deed = _deed(step, held) if step.actor == "human" and done(step) else step
        if (value := receipt_of(step).value) is not None and (field := _field(step)) is not None:
            held[field] = value
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
    field = _field(step)
    return _key(step, target, held.get(field) if field is not None else None)


def _key(step: StepRecord, target: Target, before: str | None) -> StepRecord | None:
    """A key on a field that held `before` (None: nobody knows what)."""
    key, receipt = str(step.action.get("key", "")), receipt_of(step)
    value = receipt.value
    broken = value is not None and before is not None and value.count("\n") > before.count("\n")
    if has_effect(step) or (key in _ENTERS and not broken):
        return _aimed(step, target)
    if receipt.secret is not None or key in _MOVES:
        return None
    if value is None:
        return _aimed(step, target)
    moved = value == before or (before is None and key.startswith(_CARET))
    return None if moved else _filling(step, value)


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


def _field(step: StepRecord) -> Field | None:
    """What tells one field from another."""
    target = receipt_of(step).target
    if target is None:
        return None
    return (target.id,) if target.id is not None else (target.locators.css, *target.locators.frame)

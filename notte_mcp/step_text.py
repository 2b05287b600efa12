"""Receipts and steps as text: one short line per action, saying what really happened.

Below: receipts, records, actions, observations. Above: the tools and resources.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from notte_mcp.observations import cut_middle
from notte_mcp.page_text import json_text, quoted, url_text
from notte_mcp.receipts import Receipt, Target
from notte_mcp.records import StepRecord

MAX_VALUE_CHARS: Final = 60
"""Characters of a value read back; the step log has it whole."""

MAX_FAILED_REQUESTS: Final = 3
"""Failed requests that one line names."""

# What an action is about, where it has no element: shown behind its type. Never what is typed: that is told as the
# receipt read it back, with secrets withheld.
_OBJECT_FIELDS: Final = ("url", "tab_index", "time_ms", "key", "amount", "gone", "path")
_VALUE_IS_NO_INPUT: Final = frozenset({"wait_for", "handle_dialog", "help"})


def receipt_line(
    number: int, action: Mapping[str, Any], receipt: Receipt, *, data_chars: int = 400, page_follows: bool = False
) -> str:
    """`1 fill I1 "Applicant"`, `8 click B4 "Send request" -> http://... (200)`, `3 failed: ...`.

    `number` counts from 1 within the batch. A value that the field holds as it was
    asked is not said again. `data_chars` bounds what an `evaluate_js` or `scrape` gave
    back; with `page_follows` the URL is left to the page's own header.
    """
    if not receipt.success:
        brought = "; ".join(effects(receipt))
        tail = f" ({brought})" if brought else ""
        return f"{number} failed: {receipt.message or receipt.code or receipt.type}{tail}"
    deed = _deed(action, receipt, as_asked=_as_asked(action, receipt), page_follows=page_follows and receipt.navigated)
    parts = [f"{number} {deed}", *effects(receipt)]
    line = "; ".join(parts)
    if receipt.data is not None:
        text = receipt.data if isinstance(receipt.data, str) else json_text(receipt.data)
        line += f" = {cut_middle(text, data_chars)}"
    return line


def step_line(step: StepRecord) -> str:
    """A recorded step's action: `click B4 "Send request"`, without its number and outcome."""
    return _deed(step.action, step.receipt)


def numbers_text(numbers: Sequence[int]) -> str:
    """Indexes as a reader says them: `3`, `3, 5`, `4 to 8`."""
    if len(numbers) > 2 and numbers[-1] - numbers[0] == len(numbers) - 1:  # noqa: PLR2004 - two are said one by one
        return f"{numbers[0]} to {numbers[-1]}"
    return ", ".join(str(number) for number in numbers)


def _as_asked(action: Mapping[str, Any], receipt: Receipt) -> bool:
    asked = action.get("value")
    if isinstance(asked, bool):
        asked = "checked" if asked else "not checked"
    return receipt.value is not None and receipt.value == asked


def _deed(
    action: Mapping[str, Any], receipt: Receipt | None, *, as_asked: bool = False, page_follows: bool = False
) -> str:
    """Type, element and value; and where a navigation went."""
    words = [str(action.get("type", "?")), *_object(action, receipt, as_asked=as_asked)]
    if receipt is not None and receipt.moved:
        words.append("->" if page_follows else f"-> {url_text(receipt.url_after)}")
        if receipt.status is not None:
            words.append(f"({receipt.status})")
    return " ".join(words)


def _object(action: Mapping[str, Any], receipt: Receipt | None, *, as_asked: bool) -> Iterator[str]:
    target = receipt.target if receipt is not None else None
    if key := _key(action, receipt):
        yield key
    if target is not None:
        yield _target(target)
    elif aim := action.get("id") or action.get("selector"):
        yield str(aim)
    if receipt is not None and receipt.healed:
        yield "healed"
    if aim := action.get("to_id") or action.get("to_selector"):
        yield f"to {aim}"
    if not as_asked:
        yield from _value(action, receipt)


def _key(action: Mapping[str, Any], receipt: Receipt | None) -> str:
    """`Tab in`, before the element that had the key; without one it stands as any other object does, by itself."""
    key = action.get("key")
    aimed = action.get("id") or action.get("selector") or (receipt is not None and receipt.target is not None)
    if action.get("type") != "press_key" or not aimed or not isinstance(key, str):
        return ""
    writes = len(key) == 1 and receipt is not None and receipt.secret is not None  # one character of a secret
    return "" if writes else f"{cut_middle(key, MAX_VALUE_CHARS)} in"


def _value(action: Mapping[str, Any], receipt: Receipt | None) -> Iterator[str]:
    """The value as the field holds it now, else the one asked for; a secret by its name only."""
    if receipt is not None and receipt.secret:
        yield f"= (secret {receipt.secret})"
        return
    if receipt is not None and receipt.value is not None:
        yield f"= {quoted(cut_middle(receipt.value, MAX_VALUE_CHARS))}"
        return
    if receipt is not None and (receipt.target is not None or receipt.moved):
        return
    fields = (*_OBJECT_FIELDS, "value") if action.get("type") in _VALUE_IS_NO_INPUT else _OBJECT_FIELDS
    asked = next((action[name] for name in fields if action.get(name) is not None), None)
    if asked is not None:
        yield cut_middle(asked if isinstance(asked, str) else json_text(asked), MAX_VALUE_CHARS)


def _target(target: Target) -> str:
    name = quoted(target.name) if target.name else ""
    return f"{target.id or target.role} {name}".strip()


def effects(receipt: Receipt) -> Iterator[str]:
    """Everything that an action brought about besides what it was for, each as a few words."""
    if receipt.new_tab is not None:
        yield f"new tab {receipt.new_tab}"
    if receipt.tab_closed:
        yield "tab closed"
    for dialog in receipt.dialogs:
        yield f"{dialog.kind} {quoted(cut_middle(dialog.message, 120))} {dialog.answer}"
    for download in receipt.downloads:
        state = f"download of {download.name} failed: {download.failure}"
        yield state if download.failure else f"downloaded {download.name} ({download.size} bytes)"
    if failed := receipt.failed_requests:
        more = f" and {len(failed) - MAX_FAILED_REQUESTS} more" if len(failed) > MAX_FAILED_REQUESTS else ""
        yield f"failed requests: {', '.join(failed[:MAX_FAILED_REQUESTS])}{more}"
    if receipt.unsettled:
        yield "still changing"

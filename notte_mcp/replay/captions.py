"""What is written below the film: each step in our own words, with nothing that its record withholds.

A value is told as the receipt read it back, a secret by its name. What pages said is cleaned and cut here; how much of
it fits into a line is for the lettering to see.

Below: records, receipts, observations, step_text. Above: storyboard, replays.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, cast

from notte_mcp.observations import clean_line
from notte_mcp.receipts import Receipt, Target
from notte_mcp.records import StepRecord
from notte_mcp.step_text import effects

MAX_NAME: Final = 60
MAX_VALUE: Final = 48
MAX_URL: Final = 90
MAX_OUTCOME: Final = 160
"""Characters of a name, a value, a URL and an outcome; longer ones are cut in the middle."""

Tone = Literal["done", "failed", "open"]

# What people say of an actor; the assistant's own steps need no word.
_WHO: Final = {"assistant": "", "model": "agent", "human": "person"}

_PLAIN: Final = {
    "close_tab": "Close the tab",
    "go_back": "Go back",
    "go_forward": "Go forward",
    "reload": "Load the page again",
    "evaluate_js": "Run a script in the page",
    "scrape": "Read the page",
    "captcha_solve": "Solve the captcha",
    "email_read": "Read e-mail",
    "sms_read": "Read text messages",
    "help": "Ask for a person",
    "completion": "Finish",
}

_OF_ELEMENT: Final = {
    "click": "Click {}",
    "double_click": "Double-click {}",
    "hover": "Point at {}",
    "download_file": "Download from {}",
    "fill": "Fill {}",
    "multi_factor_fill": "Type a code into {}",
    "fallback_fill": "Type into {}",
    "select_dropdown_option": "Choose in {}",
    "upload_file": "Give a file to {}",
}


@dataclass(frozen=True, slots=True)
class Caption:
    """A step's words: its number, who did it ("": the assistant), what was done and what came of it."""

    number: int
    who: str
    words: str
    outcome: str = ""
    tone: Tone = "done"


def caption(step: StepRecord, number: int) -> Caption:
    """A step's caption; `number` is what it is called by."""
    words = _words(step.action, step.receipt)
    who = _WHO.get(step.actor, step.actor)
    if step.receipt is None:
        return Caption(number, who, words, "" if step.state == "done" else step.message, "open")
    if not step.success:
        why = clean_line(step.receipt.message or step.receipt.code or "it did not work", MAX_OUTCOME)
        return Caption(number, who, words, f"failed: {why}", "failed")
    return Caption(number, who, words, clean_line("; ".join(_outcome(step.receipt)), MAX_OUTCOME))


def _outcome(receipt: Receipt) -> Iterator[str]:
    if receipt.moved:
        status = f" ({receipt.status})" if receipt.status is not None else ""
        yield f"→ {_cut(receipt.url_after, MAX_URL)}{status}"
    yield from effects(receipt)


def _words(action: Mapping[str, Any], receipt: Receipt | None) -> str:
    kind = str(action.get("type", ""))
    if kind in _PLAIN:
        return _PLAIN[kind]
    if kind in _OF_ELEMENT:
        return _OF_ELEMENT[kind].format(_element(action, receipt)) + _value(action, receipt)
    if (tell := _TOLD.get(kind)) is not None:
        return tell(action, receipt)
    return clean_line(kind.replace("_", " ").capitalize() or "Act", MAX_NAME)


def _element(action: Mapping[str, Any], receipt: Receipt | None) -> str:
    if receipt is not None and receipt.target is not None:
        return _named(receipt.target)
    return _cut(action.get("id") or action.get("selector") or "the page", MAX_NAME)


def _named(target: Target) -> str:
    name = _quoted(target.name, MAX_NAME) if target.name else (target.id or "")
    return f"{_cut(target.role or 'element', MAX_NAME)} {name}".rstrip()


def _value(action: Mapping[str, Any], receipt: Receipt | None) -> str:
    """`: “Ada”`, where the field has been read back; else only that it was a secret."""
    if receipt is not None and receipt.secret:
        return f": secret {_cut(receipt.secret, MAX_VALUE)}"
    if receipt is not None and receipt.value is not None:
        return f": {_quoted(receipt.value, MAX_VALUE)}"
    match action.get("value"):
        case {"secret": str(name)}:
            return f": secret {_cut(name, MAX_VALUE)}"
        case _:
            return ""


def _asked(value: Any, limit: int) -> str:
    """A value as the record has it: a text, or a secret by its name."""
    match value:
        case {"secret": str(name)}:
            return f"secret {_cut(name, limit)}"
        case _:
            return _cut(value, limit)


def _goto(action: Mapping[str, Any], _: Receipt | None) -> str:
    where = " in a new tab" if action.get("type") == "goto_new_tab" else ""
    return f"Open {_asked(action.get('url', ''), MAX_URL)}{where}"


def _check(action: Mapping[str, Any], receipt: Receipt | None) -> str:
    return f"{'Check' if action.get('value', True) else 'Uncheck'} {_element(action, receipt)}"


def _drag(action: Mapping[str, Any], receipt: Receipt | None) -> str:
    reached = receipt.destination if receipt is not None else None
    to = _named(reached) if reached is not None else _cut(action.get("to_id") or action.get("to_selector"), MAX_NAME)
    return f"Drag {_element(action, receipt)} to {to}" if to else f"Drag {_element(action, receipt)}"


def _press(action: Mapping[str, Any], receipt: Receipt | None) -> str:
    on = f" in {_element(action, receipt)}" if action.get("id") or action.get("selector") else ""
    return f"Press {_asked(action.get('key', 'a key'), MAX_VALUE)}{on}"


def _scroll(action: Mapping[str, Any], receipt: Receipt | None) -> str:
    within = f" in {_element(action, receipt)}" if action.get("id") or action.get("selector") else ""
    return f"Scroll {'up' if action.get('type') == 'scroll_up' else 'down'}{within}"


def _wait_for(action: Mapping[str, Any], receipt: Receipt | None) -> str:
    for name, words in (("value", "Wait for “{}”"), ("gone", "Wait until “{}” is gone"), ("url", "Wait for {}")):
        if action.get(name):
            return words.format(_asked(action[name], MAX_URL if name == "url" else MAX_NAME))
    return f"Wait for {_element(action, receipt)}"


def _wait(action: Mapping[str, Any], _: Receipt | None) -> str:
    time = action.get("time_ms")
    return f"Wait {time / 1_000:g} s" if isinstance(time, int | float) else "Wait"


def _form_fill(action: Mapping[str, Any], _: Receipt | None) -> str:
    value = action.get("value")
    names = [str(name) for name in cast(Mapping[Any, Any], value)] if isinstance(value, Mapping) else []
    return f"Fill the form ({_cut(', '.join(names), MAX_URL)})" if names else "Fill the form"


def _switch_tab(action: Mapping[str, Any], _: Receipt | None) -> str:
    return f"Switch to tab {_cut(action.get('tab_index', ''), MAX_NAME)}"


def _handle_dialog(action: Mapping[str, Any], _: Receipt | None) -> str:
    return f"Answer the next dialog: {_asked(action.get('value', ''), MAX_NAME)}"


_TOLD: Final[dict[str, Callable[[Mapping[str, Any], Receipt | None], str]]] = {
    "goto": _goto,
    "goto_new_tab": _goto,
    "check": _check,
    "drag": _drag,
    "press_key": _press,
    "scroll_up": _scroll,
    "scroll_down": _scroll,
    "wait_for": _wait_for,
    "wait": _wait,
    "form_fill": _form_fill,
    "switch_tab": _switch_tab,
    "handle_dialog": _handle_dialog,
}


def _cut(text: Any, limit: int) -> str:
    return "" if text is None else clean_line(str(text), limit)


def _quoted(text: str, limit: int) -> str:
    return f"“{_cut(text, limit)}”"

"""A turn, read from what a model wrote: a thought and the actions to do.

Lenient about the wrapping (text around the JSON, fences, a bare action, a list, JSON in
a string), strict where silence would mislead: what is refused is told in words that
the model can mend it by. Raises its own complaint and nothing else, whatever comes in.

Below: batches. Above: loop. What the actions mean is not known here.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, cast

from notte_mcp.actions import Action, Completion, Help
from notte_mcp.batches import parse_actions
from notte_mcp.errors import InvalidAction
from notte_mcp.observations import clean, clean_line
from notte_mcp.page_text import quoted

MAX_ANSWER_CHARS: Final = 400_000
"""Longer answers are not read at all."""

MAX_THOUGHT_CHARS: Final = 2_000
"""Characters that are kept of a thought."""

MAX_COMPLAINT_CHARS: Final = 600
"""Characters of a complaint."""

FORM: Final = '{"thought": "...", "actions": [{"type": "click", "id": "B3"}]}'
"""The answer's form, as complaints show it."""

_MAX_STARTS: Final = 60  # places in a text where JSON is looked for; prose has few brackets
_MAX_UNWRAPPED: Final = 3  # JSON in a string in a string
_DECODER: Final = json.JSONDecoder()
_BEGUN: Final = re.compile(r"""\{\s*["']|\[\s*["{]""")
"""How JSON begins, and the brackets of prose do not."""


class MalformedAnswer(Exception):
    """An answer that is no turn. `complaint` says to the model what was wrong and what to send."""

    def __init__(self, what: str) -> None:
        self.complaint = clean_line(what, MAX_COMPLAINT_CHARS)
        super().__init__(self.complaint)


@dataclass(frozen=True, slots=True)
class Turn:
    """What a model wants done: 1 to 20 actions; `completion` and `help` stand last only."""

    actions: tuple[Action, ...]
    thought: str = ""


def parse_turn(text: str) -> Turn:
    """The turn that `text` holds.

    Raises:
        MalformedAnswer: it holds none, or more than one, or an action that is wrong.
    """
    found = _found(text)
    if isinstance(found, list):
        return Turn(_actions(cast(list[Any], found)))
    fields = cast(dict[str, Any], found)
    thought = fields.pop("thought", None)
    said = clean(thought)[:MAX_THOUGHT_CHARS].strip() if isinstance(thought, str) else ""
    return Turn(_actions(_wanted(fields)), said)


def _wanted(fields: dict[str, Any]) -> Any:
    """What stands for the actions in an object without its thought."""
    if "actions" not in fields and "type" in fields:
        return [fields]
    if "actions" not in fields and isinstance(fields.get("action"), dict):
        fields = {**fields, "actions": [fields["action"]], "action": ""}
    if "actions" not in fields:
        raise MalformedAnswer(f"The object has no `actions`. Answer {FORM}")
    # Text beside the two keys is talk and may go; anything else was meant to do something.
    if odd := [name for name, value in fields.items() if name != "actions" and not isinstance(value, str | None)]:
        raise MalformedAnswer(
            f"Unknown key(s) {', '.join(odd[:3])} beside `actions`; what is to be done belongs into `actions`."
        )
    return fields["actions"]


def _actions(raw: Any) -> tuple[Action, ...]:
    if raw is None or raw in ([], ""):
        raise MalformedAnswer("`actions` is empty: give at least one (`completion` when the task is done).")
    try:
        actions = parse_actions(_with_text_answers(raw))
    except InvalidAction as error:
        raise MalformedAnswer(f"{error.what} Nothing was done.") from error
    except (TypeError, ValueError, RecursionError) as error:
        raise MalformedAnswer(f"`actions` holds what no action takes. Answer {FORM}") from error
    for number, action in enumerate(actions[:-1], 1):
        if isinstance(action, Completion | Help):
            raise MalformedAnswer(
                f"Action {number} ({action.type}) must be the last one: nothing is done after it. Nothing was done."
            )
    return tuple(actions)


def _with_text_answers(raw: Any) -> Any:
    """An answer that a completion gives as an object is its JSON text."""
    if isinstance(raw, str):
        raw = json.loads(raw)
    if isinstance(raw, dict):
        raw = [cast("object", raw)]
    if not isinstance(raw, list):
        return raw
    return [_with_text_answer(item) for item in cast(list[Any], raw)]


def _with_text_answer(raw: Any) -> Any:
    if not isinstance(raw, dict):
        return raw
    fields = cast(dict[str, Any], raw)
    answer = fields.get("answer")
    if fields.get("type") == "completion" and answer is not None and not isinstance(answer, str):
        return {**fields, "answer": json.dumps(answer, ensure_ascii=False)}
    return fields


# --- the JSON in a text ---------------------------------------------------------


def _found(text: str) -> object:
    """The one object or list of an answer that could be a turn."""
    if not text.strip():
        raise MalformedAnswer(f"The answer was empty. Answer {FORM}")
    if len(text) > MAX_ANSWER_CHARS:
        raise MalformedAnswer(f"The answer has {len(text)} characters; at most {MAX_ANSWER_CHARS} are read.")
    found: list[object] = []
    for value in _values(text.strip()):
        if _like_a_turn(value) and value not in found:
            found.append(value)
    if len(found) > 1:
        raise MalformedAnswer(f"The answer held {len(found)} JSON objects. Answer with one, all actions in one list.")
    if not found:
        raise MalformedAnswer(_why_none(text))
    return found[0]


def _values(text: str) -> Iterator[object]:
    """The JSON values that stand in a text, outermost only: the text itself, or what its brackets begin."""
    whole: object = text
    for _ in range(_MAX_UNWRAPPED):
        if not isinstance(whole, str):
            break
        text = whole.strip()
        try:
            whole = json.loads(text)
        except (ValueError, RecursionError):
            break
    if not isinstance(whole, str):
        yield whole
        return
    at = 0
    for _ in range(_MAX_STARTS):
        if (at := _next_bracket(text, at)) < 0:
            return
        try:
            value, at = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            # What stands inside of a broken object must not pass for the whole of what was meant.
            if _BEGUN.match(text, at):
                raise MalformedAnswer(_why_broken(text, error)) from error
            at += 1
        else:
            yield value


def _next_bracket(text: str, start: int) -> int:
    places = [place for place in (text.find("{", start), text.find("[", start)) if place >= 0]
    return min(places, default=-1)


def _like_a_turn(value: object) -> bool:
    """Whether a value was meant as a turn: not a `[1]` or `{...}` of the prose around it."""
    if isinstance(value, dict):
        return bool({"actions", "action", "type", "thought"} & cast(dict[str, Any], value).keys())
    return isinstance(value, list) and any(_like_a_turn(item) for item in cast(list[object], value))


def _why_none(text: str) -> str:
    if "{" not in text:
        return f"The answer held no JSON object, it began {quoted(clean_line(text, 120))}. Answer {FORM}"
    return f"The answer is no turn. Answer {FORM}"


def _why_broken(text: str, error: Exception) -> str:
    if not isinstance(error, json.JSONDecodeError):
        return f"The answer's JSON cannot be read (too deep, or too large a number). Answer {FORM}"
    if error.pos >= len(text) or error.msg.startswith("Unterminated string"):
        return "The answer ended in the middle of its JSON. Answer again, shorter."
    near = clean_line(text[max(0, error.pos - 30) : error.pos + 30], 80)
    return f"The answer is no JSON: {error.msg} near: {near} Answer {FORM}"

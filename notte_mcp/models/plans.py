"""Plans: answers written ahead, in which elements are named by role and name.

A plan is a list of answers. Each is an object `{thought?, actions: [...]}`, or
plain text. Ids are given by a live page, so a plan cannot know them; it says

    {{button "Send request"}}       the id of the line `B4 button "Send request"`
    {{button 'Send request'}}       the same, easier to write inside JSON
    {{button "Add to cart" 3}}      the third of that role and name, in reading order
    {{word "PR-"}}                  no id, but the page's first word that begins so

in any string, and the model puts that in its place when it is asked: it looks in
the last user's message that has such a line (or word). A name is written as the
page's text shows it (long ones are cut there). Where a row leaves out a role or a name
("as in the row above"), it has that of the row above.

As a file a plan is JSON: that list, or `{"answers": [...], "delay_s": 0.5,
"repeat_last": true}`.

Below: errors. Above: scripted, named.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any, Final, NamedTuple, cast

from notte_mcp.errors import ModelRefused, ModelUnknown
from notte_mcp.models.base import ChatRequest

MAX_PLAN_BYTES: Final = 1_000_000
_OPTIONS: Final = frozenset({"answers", "delay_s", "repeat_last"})

# {{role "name" nth}}; the name in either kind of quotes, its own ones escaped.
_PLACEHOLDER: Final = re.compile(
    r"""\{\{\s*(?P<role>[\w-]+)\s+(?:"(?P<double>(?:[^"\\]|\\.)*)"|'(?P<single>(?:[^'\\]|\\.)*)')(?:\s+(?P<nth>\d+))?\s*\}\}"""
)
# An element of a line: `B4 button "Send request"`; in a row that is like the one above it, `B5` or `B5 "Name"`.
_ELEMENT: Final = re.compile(r'(?P<id>[BLIFMO]\d+)(?: (?P<role>[\w-]+))?(?: "(?P<name>(?:[^"\\]|\\.)*)")?')
_MARK: Final = re.compile(r"^\s*(?:[-+~] )?")
_WORD: Final = "word"
"""The one role that is none of an element."""

_ESCAPED: Final = re.compile(r"\\(.)")


@dataclass(frozen=True, slots=True)
class Plan:
    """Answers in order. `delay_s` is waited before each; `repeat_last` gives the last one for ever."""

    answers: tuple[Any, ...]
    delay_s: float = 0.0
    repeat_last: bool = False


class _Element(NamedTuple):
    id: str
    role: str
    name: str


def read_plan(path: Path) -> Plan:
    """A plan's file.

    Raises:
        ModelUnknown: no such file, too large, or no plan. Its content is never quoted: any path may be asked for.
    """
    try:
        if path.stat().st_size > MAX_PLAN_BYTES:
            raise _no_plan(path, f"is larger than {MAX_PLAN_BYTES} bytes")
        found = cast(object, json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, RecursionError) as error:
        raise _no_plan(path, f"cannot be read as JSON ({type(error).__name__})") from None
    options = cast(dict[str, object], found) if isinstance(found, dict) else {"answers": found}
    answers, delay_s = options.get("answers"), options.get("delay_s", 0)
    if not isinstance(answers, list) or not isinstance(delay_s, int | float) or options.keys() - _OPTIONS:
        raise _no_plan(path, "holds no list of answers")
    return Plan(tuple(cast(list[object], answers)), float(delay_s), bool(options.get("repeat_last", False)))


def _no_plan(path: Path, why: str) -> ModelUnknown:
    return ModelUnknown(
        f"The plan {path} {why}.",
        next_call="name a JSON file with a list of answers: scripted:/path/to/plan.json",
    )


def filled(answer: object, request: ChatRequest) -> object:
    """`answer` with the ids (or words) of the page in place of what it names.

    Raises:
        ModelRefused: that is not in what the model was shown.
    """
    match answer:
        case str():
            return _PLACEHOLDER.sub(lambda found: _found(found, request), answer)
        case dict():
            return {key: filled(value, request) for key, value in cast(dict[str, object], answer).items()}
        case list() | tuple():
            return [filled(value, request) for value in cast(list[object], answer)]
        case _:
            return answer


def _found(placeholder: re.Match[str], request: ChatRequest) -> str:
    role = placeholder["role"]
    name = _plain(placeholder["double"] if placeholder["double"] is not None else placeholder["single"])
    nth = int(placeholder["nth"] or 1)
    for message in reversed(request.messages):
        if message.role == "user":
            named = _words(message.text, name) if role == _WORD else _ids(message.text, role, name)
            found = list(dict.fromkeys(named))
            if 0 < nth <= len(found):
                return found[nth - 1]
    which = f" number {nth}" if placeholder["nth"] else ""
    raise ModelRefused(
        f'The plan names {role} "{name}"{which}, and the page that the model was shown has none.',
        next_call="notte_observe() shows the page; write its role and name into the plan",
    )


def _words(text: str, begins: str) -> Iterator[str]:
    for found in re.finditer(rf"(?<![\w-]){re.escape(begins)}[\w.,-]*", text):
        yield found.group().rstrip(".,-")


def _ids(text: str, role: str, name: str) -> Iterator[str]:
    for found in _elements(text):
        if (found.role, found.name) == (role, name):
            yield found.id


def _elements(text: str) -> Iterator[_Element]:
    """The elements of a page's text, in order; a row's (`- ... · ...`) may lean on the row above it."""
    above: list[_Element | None] = []
    for line in text.splitlines():
        parts = _MARK.sub("", line, count=1).split(" · ")
        row = [_element(part, like) for part, like in zip_longest(parts, above[: len(parts)])]
        above = row if line.lstrip().startswith("- ") else []
        yield from (found for found in row if found is not None)


def _element(part: str, like: _Element | None) -> _Element | None:
    found = _ELEMENT.match(part)
    if found is None:
        return None
    role, name = found["role"] or "", None if found["name"] is None else _plain(found["name"])
    if like is not None and (not role or (name is None and role != like.role)):
        # What stands in the role's place is a state then (`B5 disabled`).
        return _Element(found["id"], like.role, like.name if name is None else name)
    return _Element(found["id"], role, name or "")


def _plain(escaped: str) -> str:
    return _ESCAPED.sub(r"\1", escaped)

"""What was typed, as a script may hold it: literals, parameters, and names of secrets.

A text becomes a parameter, a path a path parameter, a secret the name of its
environment variable. Where a secret was cut out of a longer text, the text comes
back in parts. What looks like a secret's field is taken for one even where the
record holds its value.

Below: records, folding, parameters, urls. Above: workflow, generalising, the script writers.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast

from notte_mcp.receipts import Target
from notte_mcp.records import StepRecord
from notte_mcp.workflows.folding import enters, kind, receipt_of
from notte_mcp.workflows.parameters import Parameter, ParameterList, first_name
from notte_mcp.workflows.urls import openable

Value = str | Parameter | tuple["str | Parameter", ...]
"""A literal, a parameter, or parts of both to be joined."""

_MARK: Final = re.compile(r"\[secret ([^\]]*)\]")
_NAME_ATTRIBUTE: Final = re.compile(r"\[name=\"?([^\"\]]+)|#([\w-]+)")

# Notte's form fields that hold what must not be kept (design: passwords, one-time codes, cards).
_SECRET_FIELDS: Final = frozenset(
    {
        "password", "current_password", "new_password", "totp",
        "cc_number", "cc_exp_month", "cc_exp_year", "cc_exp", "cc_cvv",
    }
)  # fmt: skip


_FIELDS: Final = frozenset({"textbox", "searchbox", "combobox", "spinbutton", "slider", "password", "file", "date"})
"""Roles of what is typed into: their names are the page's, whatever was typed before."""

_SEARCH_FIELD: Final = re.compile(r"(?:^|[\W_])(search|filter|query|find|q)(?:$|[\W_])", re.IGNORECASE)
_LEAST_LETTERS: Final = 3
_LEAST_DIGITS: Final = 4


def secret_names(steps: Sequence[StepRecord]) -> frozenset[str]:
    """The NAMEs under which these steps withheld a secret."""
    found: set[str] = set()
    for step in steps:
        found.update(name for name in [receipt_of(step).secret] if name)
        values = [step.action.get(name) for name in ("value", "answer", "key")]
        nested = cast(dict[str, Any], values[0]).values() if isinstance(values[0], dict) else ()
        found.update(name for value in (*values, *nested) if (name := marked_name(value)))
    return frozenset(found)


def marked_name(value: object) -> str | None:
    """NAME, where the value is `{"secret": NAME}`."""
    if isinstance(value, dict) and "secret" in value:
        return str(cast(dict[str, Any], value)["secret"])
    return None


def has_mark(text: str) -> bool:
    """Whether a secret was cut out of this text."""
    return _MARK.search(text) is not None


@dataclass(slots=True)
class Lifter:
    """Turns recorded values into script values, and gathers the parameters they need.

    `secrets` are the NAMEs that the records themselves name: a mark with another
    name is text of a page, and no way to read an environment variable. `searched` are
    the names of parameters that something was searched by: what is found holds them
    somewhere, and is another thing for each.
    """

    secrets: frozenset[str]
    parameters: ParameterList = field(default_factory=ParameterList)
    searched: set[str] = field(default_factory=set[str])

    @property
    def typed_texts(self) -> list[str]:
        """The recorded values of the parameters so far, which another run may replace."""
        return [parameter.default for parameter in self.parameters.by_name.values() if parameter.default]

    def typed(self, step: StepRecord, following: StepRecord | None = None) -> Value:
        """The value of a step that types or chooses one; the `following` step may hand it in."""
        raw = step.action.get("value")
        target = receipt_of(step).target
        name = marked_name(raw) or receipt_of(step).secret or self._withheld(step, raw, target)
        if name:
            return self.parameters.secret(name)
        value = self.text(_wish(target), _chosen(step, str(raw)))
        if isinstance(value, Parameter) and _searches(step, following):
            self.searched.add(value.name)
        return value

    def literal(self, text: str) -> Value:
        """A text that is no input of the script, in parts where a secret was cut out of it."""
        return self._parts(text)

    def spoken(self, text: str) -> Value:
        """A text of the page that a script looks for: in parts where a secret, or what was typed before, is in it."""
        parts = self._parts(text)
        return parts if isinstance(parts, tuple) else self._with_typed(text) or text

    def called(self, role: tuple[str, str] | None) -> Value | None:
        """The name of an element in parts, where what was typed before is part of it; None where it is not."""
        if role is None or role[0] in _FIELDS:
            return None
        return self._with_typed(role[1])

    def _with_typed(self, text: str) -> Value | None:
        """The text with the parameters that it is, or that stand in it as whole words; None without one.

        A part is a parameter only where it is hardly there by chance: data that was entered, and no word of a search.
        """
        typed = [p for p in self.parameters.by_name.values() if p.type == "str" and _is_telling(p.default)]
        by_default = {str(p.default): p for p in reversed(typed)}
        if text in by_default:
            return by_default[text]
        entered = [word for word, p in by_default.items() if p.name not in self.searched and _is_data(word)]
        if not entered:
            return None
        pattern = "|".join(map(re.escape, sorted(entered, key=len, reverse=True)))
        pieces = re.split(rf"(?<![\w-])({pattern})(?![\w-])", text)
        parts = tuple(by_default[piece] if i % 2 else piece for i, piece in enumerate(pieces) if piece)
        return parts if len(pieces) > 1 else None

    def key(self, raw: object) -> Value | None:
        """A key that was pressed, where it is one character of a secret."""
        name = marked_name(raw)
        return self.parameters.secret(name) if name else None

    def text(self, wish: str, text: str) -> Value:
        """A text: a parameter, the empty literal, or parts where a secret was cut out."""
        parts = self._parts(text)
        if isinstance(parts, tuple):
            return parts
        return self.parameters.text(wish, text) if text else ""

    def path(self, step: StepRecord) -> Parameter:
        """The file that an upload gives."""
        wish = first_name([_wish(receipt_of(step).target, "file")])
        return self.parameters.text(wish, str(step.action["path"]), "path")

    def url(self, url: str) -> Value:
        """An address, without the user and password in it."""
        return self.literal(openable(url))

    def answer(self, raw: object) -> Value:
        """What a prompt is answered."""
        name = marked_name(raw)
        return self.parameters.secret(name) if name else self.text("dialog_answer", str(raw))

    def form(self, raw: object) -> tuple[tuple[str, Value], ...]:
        """The fields of a form with their values."""
        fields = cast(dict[str, Any], raw) if isinstance(raw, dict) else {}
        return tuple((name, self._form_field(name, value)) for name, value in fields.items())

    def _form_field(self, name: str, value: object) -> Value:
        secret = marked_name(value) or (name.upper() if name in _SECRET_FIELDS or value is None else None)
        return self.parameters.secret(secret) if secret else self.text(name, str(value))

    def _withheld(self, step: StepRecord, raw: object, target: Target | None) -> str | None:
        if kind(step) == "multi_factor_fill":
            return "ONE_TIME_CODE"
        if raw is None or (target is not None and target.role == "password"):
            return _wish(target, "password")
        return None

    def _parts(self, text: str) -> "str | tuple[str | Parameter, ...]":
        pieces = _MARK.split(text)
        parts: list[str | Parameter] = []
        for index, piece in enumerate(pieces):
            if index % 2 == 0:
                parts.append(piece)
            elif piece in self.secrets:
                parts.append(self.parameters.secret(piece))
            else:
                parts.append(f"[secret {piece}]")
        if not any(isinstance(part, Parameter) for part in parts):
            return text
        return tuple(part for part in parts if part)


def _is_telling(text: str | None) -> bool:
    """Whether a typed text, found in a name, is hardly there by chance."""
    if not text or text != " ".join(text.split()):
        return False
    letters, digits = sum(map(str.isalpha, text)), sum(map(str.isdigit, text))
    return letters >= _LEAST_LETTERS or digits >= _LEAST_DIGITS


def _is_data(text: str) -> bool:
    """Whether a text is rather a name or a number than a word of the language."""
    return any(char.isupper() or char.isdigit() or char.isspace() for char in text)


def _searches(step: StepRecord, following: StepRecord | None) -> bool:
    """Whether what was typed is looked for, and not entered."""
    target = receipt_of(step).target
    handed_in = enters(step) or (following is not None and enters(following))
    if target is None or handed_in or kind(step) == "select_dropdown_option":
        return handed_in
    names = (target.name, target.locators.label, target.locators.placeholder, _attribute(target))
    return target.role == "searchbox" or any(name and _SEARCH_FIELD.search(name) for name in names)


def _chosen(step: StepRecord, asked: str) -> str:
    """The option as it is called on the page, where less than its name was asked for."""
    found = receipt_of(step).value
    if kind(step) != "select_dropdown_option" or not found or "…" in found:
        return asked
    return found if found.lower().startswith(asked.lower()) else asked


def _wish(target: Target | None, otherwise: str = "value") -> str:
    """What a parameter for this field would be called."""
    if target is None:
        return otherwise
    found = target.locators
    wish = first_name([target.name, found.label, found.placeholder, found.test_id, _attribute(target), target.role])
    return otherwise if wish == "value" else wish


def _attribute(target: Target) -> str | None:
    """The field's `name` or `id`, where a selector tells it."""
    found = target.locators
    # An id further up is another element's.
    match = _NAME_ATTRIBUTE.search(found.given or (found.css or "").rpartition(" > ")[2])
    return next(filter(None, match.groups()), None) if match else None

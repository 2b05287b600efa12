"""Secret values: kept in memory only, and taken out of everything that leaves a session.

A `Redactor` knows what was typed into the password, one-time-code and card
fields of one session, and replaces it wherever it comes back: in a result
page's text, in a URL's query, in a receipt. It finds a value as typed,
percent-encoded, escaped for HTML or Markdown, and a number with its digits
grouped. Values under four characters are not looked for: they would hit half of
every page. Pictures are out of its reach.

Below: nothing. Above: the rest of the registry.
"""

import html
import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, Final, TypeVar, cast

T = TypeVar("T")

MIN_CHARS: Final = 4
"""Shorter values are not looked for."""

_GROUPED_DIGITS: Final = 8
"""From this many digits on, a number is also found with blanks or dashes between them."""

# Fields of our own values that hold our own words, not the page's or the caller's: a password that
# happens to be "button" must not make roles unreadable.
_OWN_WORDS: Final = frozenset(
    {"type", "code", "kind", "mode", "role", "states", "id", "key", "row", "cursor", "secret", "test_id_attribute"}
)
_MARK: Final = re.compile(r"\[secret [^\]]*\]")


def is_redacted(text: str) -> bool:
    """Whether something was taken out of `text`."""
    return _MARK.search(text) is not None


class Redactor:
    """The secret values of one session.

    `typed` says that a secret may stand in the page: from then on no script of
    the caller's runs in it. `values` holds each secret by its NAME, as it was typed last.
    """

    def __init__(self) -> None:
        self.typed = False
        self.values: dict[str, str] = {}
        self._names: dict[str, str] = {}
        self._pattern: re.Pattern[str] | None = None
        self._by_group: list[str] = []

    def add(self, name: str, value: str) -> None:
        """Look for `value` from now on, and call it `name`."""
        self.values[name] = value
        for form in (value, value.strip()):
            if len(form) >= MIN_CHARS:
                self._names.setdefault(form, name)
        # The longest first, so that a secret which contains another one is taken out whole.
        ordered = sorted(self._names, key=len, reverse=True)
        self._by_group = [self._names[form] for form in ordered]
        self._pattern = re.compile("|".join(f"({_spellings(form)})" for form in ordered)) if ordered else None

    def name_of(self, value: object) -> str | None:
        """The name of the secret that `value` is, whole; None where it is none."""
        return self._names.get(value) if isinstance(value, str) else None

    def text(self, text: str) -> str:
        """`text` with every secret replaced by `[secret NAME]`."""
        if self._pattern is None:
            return text
        return self._pattern.sub(lambda hit: f"[secret {self._by_group[(hit.lastindex or 1) - 1]}]", text)

    def __call__(self, value: T) -> T:
        """A copy of `value` (dataclasses, tuples, lists, dicts, texts) without the secrets."""
        return value if self._pattern is None else cast(T, self._walk(value))

    def _walk(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, tuple):
            return tuple(self._walk(item) for item in cast(tuple[Any, ...], value))
        if isinstance(value, list):
            return [self._walk(item) for item in cast(list[Any], value)]
        if isinstance(value, Mapping):
            found = cast(Mapping[str, Any], value)
            return {self.text(key): self._walk(item) for key, item in found.items()}
        if is_dataclass(value) and not isinstance(value, type):
            given = {field.name: getattr(value, field.name) for field in fields(value)}
            return replace(value, **{name: self._walk(part) for name, part in given.items() if not _own(name, part)})
        return value


def _own(name: str, value: object) -> bool:
    # A locator's `role` is a pair, and its second half is the page's.
    return name in _OWN_WORDS and (name == "states" or not isinstance(value, tuple))


def _spellings(value: str) -> str:
    """A regular expression for every way in which a page may give `value` back."""
    bare = re.sub(r"[ -]", "", value)
    if bare.isascii() and bare.isdigit() and len(bare) >= _GROUPED_DIGITS:
        return "[ +-]?".join(bare)
    return "".join(_spelling(char) for char in value)


def _spelling(char: str) -> str:
    encoded = "".join(f"%{byte:02x}" for byte in char.encode("utf-8", "surrogatepass"))
    # Markdown puts a backslash before what it would read as its own.
    ways = [rf"\\?{re.escape(char)}", f"(?i:{encoded})"]
    if (escaped := html.escape(char)) != char:
        ways.append(re.escape(escaped))
    if char.isspace():
        ways += [r"\s", r"\+"]
    return f"(?:{'|'.join(ways)})"

"""Numbers in an element's name that are others every time: an order's, a count behind a name.

A name is taken as it stands unless a number in it is clearly data: a count in brackets at its end, or three digits
and more that are no year, no price, no date, no measure, and no number that people call a thing by (page 101, form
1040). The engine says whether the name is the element's own with all of its numbers left open (`Locators.numbered`).

Below: receipts. Above: locators, generalising.
"""

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from notte_mcp.receipts import Locators

_COUNT: Final = r"(?<=\()\d+(?=\)$)"
_NO_YEAR: Final = r"(?!(?:19|20)\d\d(?!\d))"
_MEASURE: Final = r"\s?(?:%|°|[kMGT]B\b|[mck]?m\b|k?g\b|m?l\b|px\b|[kMG]?Hz\b|k?W\b|mAh\b)"
_LONG: Final = rf"(?<![\w.,:/])(?<!\d[- ]){_NO_YEAR}\d{{3,}}(?!\w|[.,:/-]\d| \d|{_MEASURE})"
_DATA: Final = re.compile(f"{_COUNT}|{_LONG}")
_PLAIN: Final = re.compile(
    r"[$€£¥]|\b(?:EUR|USD|GBP|CHF|JPY)\b|\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}|\d:\d\d"
    r"|\b(?:page|step|chapter|section|part|level|version|volume|room|route|form|article|model|class|unit|error|zip)\W*\d",
    re.IGNORECASE,
)
"""A name that holds one of these is taken as it stands."""

_SPECIAL: Final = re.compile(r"([.^$*+?{}\[\]\\|()])")
_ENDS: Final = re.compile(r"""["'`/>]""")
_LEAST_LETTERS: Final = 3


def settled(found: Locators | None, typed: Iterable[str], *, called: bool = False) -> Locators | None:
    """The locators with `numbered` only where a script is to leave the numbers of the name open.

    Not in a name that is `called` by what was typed, nor where a number of it was `typed`.
    """
    if found is None or not found.numbered:
        return found
    numbers = _numbers(found.role[1]) if found.role is not None and not called else []
    known = any(number in text for number in numbers for text in typed)
    return found if numbers and not known else replace(found, numbered=False)


def regex(name: str) -> str:
    """The whole name with its open numbers, in Python's and JavaScript's spelling alike."""
    fixed = [re.sub(_SPECIAL, r"\\\1", part) for part in _DATA.split(name)]
    return "^" + r"\d+".join(fixed) + "$"


def as_literal(name: str) -> str:
    """The same as a literal of JavaScript, with nothing in it that ends a selector or begins another."""
    return f"/{_ENDS.sub(_escaped, regex(name))}/"


def _escaped(char: re.Match[str]) -> str:
    return f"\\x{ord(char[0]):02x}"


def _numbers(name: str) -> list[str]:
    if sum(map(str.isalpha, name)) < _LEAST_LETTERS or _PLAIN.search(name):
        return []
    return _DATA.findall(name)

"""Element ids out of the server's text, by role and name, as its reader finds them. Below: nothing. Above: assistant.

In a row like the row above, roles and names that repeat are left out: what a place of
the row was called above, it is called here.
"""

import re
from dataclasses import dataclass
from typing import Final

_ELEMENT: Final = re.compile(r'([A-Z]\d+)(?: ([a-z]+))?(?: "((?:[^"\\]|\\.)*)")?')
_RECEIPT: Final = re.compile(r"^\d+ ")
_CHANGE: Final = re.compile(r"^[+~] ")
_PAGE: Final = re.compile(r"  (https?|about):")
_ROW: Final = re.compile(r"^\s*- ")


@dataclass(frozen=True, slots=True)
class Shown:
    """One element as a line of an answer shows it; `line` is that line."""

    id: str
    role: str
    name: str
    line: str


def elements(text: str) -> list[Shown]:
    """The elements that an answer shows, in its order; those that it says are gone are left out."""
    lines = [line for line in text.splitlines() if not _RECEIPT.match(line)]
    # Without a page's first line it is what changed, where `- ` is no row.
    whole = any(_PAGE.search(line) for line in lines)
    found: list[Shown] = []
    above: list[Shown] = []
    for line in lines:
        is_row = whole and _ROW.match(line) is not None
        if not whole and not _CHANGE.match(line):
            continue
        here = _of(line, above if is_row else [])
        above = (here or above) if is_row else []
        found += here
    return found


def _of(line: str, above: list[Shown]) -> list[Shown]:
    here: list[Shown] = []
    for cell in _ROW.sub("", _CHANGE.sub("", line)).strip().split(" · "):
        if match := _ELEMENT.match(cell):
            like = above[len(here)] if len(here) < len(above) else None
            role = match[2] or (like.role if like else "")
            name = match[3] if match[3] is not None else like.name if like and not match[2] else ""
            here.append(Shown(match[1], role, name, line))
    return here

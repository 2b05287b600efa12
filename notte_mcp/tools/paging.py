"""Long answers in pages: what does not fit is kept, and a cursor shows the rest.

A cursor never runs anything again and gives the same page each time it is used. Texts
live 15 minutes, at most `MAX_TEXTS` of them; an expired cursor names the call that
makes the answer anew. (Cursors of observations are the engine's, not these.)

Below: observations, errors. Above: the tools of this folder.
"""

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from notte_mcp.errors import UnknownView
from notte_mcp.observations import estimate_tokens

LIFE_S: Final = 15 * 60.0
MAX_TEXTS: Final = 64


@dataclass(frozen=True, slots=True)
class Page:
    """A piece of a long text. `cursor` continues; None where this is the end."""

    text: str
    start: int
    total: int
    cursor: str | None
    about: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def footer(self) -> str:
        """The line that says what is missing, or ""."""
        end = self.start + len(self.text)
        return (
            f"characters {self.start + 1} to {end} of {self.total}; more: cursor {self.cursor}" if self.cursor else ""
        )


@dataclass(frozen=True, slots=True)
class _Kept:
    text: str
    about: Mapping[str, Any]
    until: float


class Pages:
    """The texts that were cut, by cursor."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    def first(self, text: str, max_tokens: int, **about: Any) -> Page:
        """The beginning of `text`, within `max_tokens`. `about` is given back with every page."""
        end = _fit(text, 0, max_tokens)
        if end >= len(text):
            return Page(text, 0, len(text), None, about)
        handle = f"p{secrets.token_hex(8)}"
        self._kept[handle] = _Kept(text, about, self._clock() + LIFE_S)
        while len(self._kept) > MAX_TEXTS:
            self._kept.popitem(last=False)
        return Page(text[:end], 0, len(text), f"{handle}.{end}", about)

    def at(self, cursor: str, max_tokens: int, *, again: str) -> Page:
        """The page that `cursor` points at.

        Raises:
            UnknownView: it is unknown or older than 15 minutes; `again` is the call that makes it anew.
        """
        handle, _, place = cursor.partition(".")
        kept = self._kept.get(handle)
        if kept is None or kept.until < self._clock() or not place.isdecimal() or int(place) >= len(kept.text):
            raise UnknownView(f"The cursor {cursor} is unknown or older than 15 minutes.", next_call=again)
        start = int(place)
        end = _fit(kept.text, start, max_tokens)
        more = f"{handle}.{end}" if end < len(kept.text) else None
        return Page(kept.text[start:end], start, len(kept.text), more, kept.about)


def _fit(text: str, start: int, max_tokens: int) -> int:
    """Where to cut, so that `text[start:cut]` costs at most `max_tokens`: after a line if one fits."""
    spent, place = 0, start
    while place < len(text):
        line_end = text.find("\n", place) + 1 or len(text)
        cost = estimate_tokens(text[place:line_end])
        if spent + cost > max_tokens:
            return place if place > start else _fit_line(text, start, line_end, max_tokens)
        spent, place = spent + cost, line_end
    return place


def _fit_line(text: str, start: int, line_end: int, max_tokens: int) -> int:
    """Where to cut a line that alone is too long. At least one character, so that reading goes on."""
    low, high = 1, line_end - start
    while low < high:
        middle = (low + high + 1) // 2
        if estimate_tokens(text[start : start + middle]) <= max_tokens:
            low = middle
        else:
            high = middle - 1
    return start + low

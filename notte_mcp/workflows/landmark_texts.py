"""Which texts of a page another run will show again, and how they are looked for.

A text that stood out (a heading, a message) is one to check a run by only if nothing in it
belongs to one run alone: what was typed, a date, a secret. A number is opened: `*` in such
a text stands for any number, `**` for any word in the place of a code (see `codes`).

Below: whole_text, lifting, codes. Above: generalising, the script writers, runs.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from notte_mcp.workflows.codes import WORD, is_code
from notte_mcp.workflows.lifting import has_mark
from notte_mcp.workflows.whole_text import is_whole

_LENGTH: Final = range(3, 81)
_WORD: Final = re.compile(r"[^\W\d_]+")
_LONG_WORD: Final = 4
_NUMBER: Final = re.compile(r"\d+(?:[.,]\d+)*")
_OPEN: Final = {"*": r"\d[\d.,]*", "**": r"[\w-]+"}
_LEAST_LETTERS: Final = 5
"""Letters that a text must keep besides its numbers to be told from others."""

_TIME: Final = re.compile(
    r"\b(january|february|march|april|may \d|june|july|august|september|october|november|december"
    r"|(jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec)\b\.? ?\d|\d\.? ?(jan|feb|mar|apr|jun|jul|aug|sep|oct|nov|dec)"
    r"|monday|tuesday|wednesday|thursday|friday|saturday|sunday|today|yesterday|tomorrow|ago|am|pm)\b"
    r"|\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}|\d:\d\d",
    re.IGNORECASE,
)
_PASSING: Final = re.compile(
    r"(loading|searching|saving|sending|working|processing|uploading|updating|submitting|connecting|please wait"
    r"|one moment|just a moment|in progress)\b(?!.*\b(done|complete|over)\b)",
    re.IGNORECASE,
)
"""What a page says while something is under way; a run that is quicker never sees it."""

_CUT: Final = ("…", "*", "\n")


def lasting(
    texts: Iterable[str], typed: Sequence[str], *, before: Iterable[str] = (), most: int = 2
) -> tuple[str, ...]:
    """At most `most` of these texts that will be seen on another run too, the most telling first.

    A text that was not there `before` comes first, one without numbers before one with. `typed` are the texts that
    another run may replace.
    """
    old = _all_opened(before)
    words = {word.lower() for text in typed for word in _WORD.findall(text) if len(word) >= _LONG_WORD}
    found: dict[str, tuple[bool, bool]] = {}
    for text in dict.fromkeys(" ".join(text.split()) for text in texts):
        if _is_lasting(text, typed, words):
            found.setdefault(opened := _opened(text), (opened in old, is_open(opened)))
    return tuple(sorted(found, key=lambda text: found[text])[:most])


def fresh(texts: Iterable[str], before: Iterable[str]) -> list[str]:
    """Those of the texts that did not stand there before, whatever their numbers were."""
    old = _all_opened(before)
    return [text for text in texts if _opened(" ".join(text.split())) not in old]


def is_open(text: str) -> bool:
    """Whether numbers or codes are left open in it."""
    return "*" in text


def fixed(text: str) -> str:
    """The longest part of such a text that has nothing open: what can be waited for as it stands."""
    return max((part.strip() for part in text.split("*")), key=len)


def regex(text: str) -> str:
    """The pattern of such a text, in Python's and JavaScript's spelling alike."""
    words = (_escaped(word) for word in text.split())
    return r"\s+".join(words)


def _escaped(word: str) -> str:
    parts = re.split(r"(\*\*|\*)", word)
    return "".join(_OPEN.get(part) or re.sub(r"([.^$+?{}\[\]\\|()/])", r"\\\1", part) for part in parts)


def _opened(text: str) -> str:
    return _NUMBER.sub("*", _without_codes(text))


def _all_opened(texts: Iterable[str]) -> set[str]:
    return {_opened(" ".join(text.split())) for text in texts}


def _without_codes(text: str) -> str:
    return WORD.sub(lambda word: "**" if is_code(word[0]) else word[0], text)


def _is_lasting(text: str, typed: Sequence[str], words: set[str]) -> bool:
    if len(text) not in _LENGTH or not text.isprintable() or not is_whole(text) or has_mark(text):
        return False
    if any(mark in text for mark in _CUT) or _TIME.search(text) or _PASSING.match(text):
        return False
    letters = sum(map(str.isalpha, _without_codes(text)))
    if letters < (_LEAST_LETTERS if _NUMBER.search(text) else _LENGTH.start):
        return False
    low = text.lower()
    spoken = {word.lower() for word in _WORD.findall(text)}
    others = [one.strip().lower() for one in typed]
    return not words & spoken and not any(_holds(low, one) or _holds(one, low) for one in others)


def _holds(text: str, part: str) -> bool:
    """Whether the part stands in it as whole words."""
    return bool(part) and re.search(rf"(?<!\w){re.escape(part)}(?!\w)", text) is not None

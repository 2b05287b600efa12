"""Words that no two runs share: references of letters and digits, as a machine makes them (hex, base36, a uuid).

A plain number behind a prefix (KK-10001) is none: its letters stay, and its number is open by itself.

Below: nothing. Above: landmark_texts, urls.
"""

import re
from typing import Final

WORD: Final = re.compile(r"(?<![\w-])(?<!\d[.,])[\w-]{4,}(?![\w-])")
"""What may be one, in a text."""

_NUMBERED: Final = re.compile(r"[^\W\d_]+(?:[-_]?\d+)+|\d+-[^\W\d_]+|\d+(?:st|nd|rd|th)", re.IGNORECASE)
"""A prefix and numbers, "24-hour", "100th"."""

_MIXED: Final = re.compile(r"(?=.*[a-z])(?=.*\d)[a-z\d]{6,}", re.IGNORECASE)
_PREFIXED: Final = re.compile(r"[a-z]+\d+", re.IGNORECASE)
_THRICE: Final = re.compile(r"\d{3}|[a-z]\d+[a-z]|\d[a-z]+\d", re.IGNORECASE)


def is_code(word: str) -> bool:
    """Whether the word mixes letters and digits in another way than a number with a prefix."""
    mixed = any(map(str.isdigit, word)) and any(map(str.isalpha, word))
    return mixed and WORD.fullmatch(word) is not None and not _NUMBERED.fullmatch(word)


def is_code_part(part: str) -> bool:
    """Whether a part of an address (between hyphens) is one: there words and versions are mixed with digits too."""
    return bool(_MIXED.fullmatch(part) and _THRICE.search(part) and not _PREFIXED.fullmatch(part))

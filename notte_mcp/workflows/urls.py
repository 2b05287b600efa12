"""Addresses as a script may wait for them: what changes from run to run left open.

A recorded address holds numbers, tokens and typed text that another run will not
repeat. A pattern keeps origin and path and opens the rest. Patterns are the globs
of Playwright's `wait_for_url`: `*` within a path segment, `**` anything.

Below: codes. Above: folding, lifting, arrivals, the script writers, runs.
"""

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import unquote_plus, urlsplit

from notte_mcp.workflows.codes import is_code_part

_UUID_OR_HEX: Final = re.compile(r"(?=.*\d)[0-9a-f-]{8,}", re.IGNORECASE)
_LONG_TOKEN: Final = re.compile(r"(?=.*\d)[\w.~-]{20,}")
_NUMBER: Final = re.compile(r"\d{3,}")
_SPECIAL: Final = re.compile(r"[*{}\\\[\]]")
_SECRET: Final = re.compile(r"\[secret [^\]]*\]")
_SCHEME: Final = re.compile(r"^(https?://|about:)", re.IGNORECASE)
_THIS_MACHINE: Final = re.compile(r"^(localhost|127(\.\d+){3}|\[::1\])(:\d+)?([/?#]|$)")
_CREDENTIALS: Final = re.compile(r"^([a-z][a-z0-9+.-]*://)[^/?#]*@", re.IGNORECASE)

_OPEN: Final = {"**": ".*", "*": "[^/]*"}
_WHOLE_SEGMENT: Final = re.compile(r"(?<=/)\[\^/\]\*(?=/|\$|\\\?|#)")
_NO_VERB: Final = r"(?!(?:new|create|add|edit)(?:[/?#]|$))"
"""What stands where an id would, on the page that makes or changes one."""

_OF_REGEX: Final = re.compile(r"([.^$+?{}\[\]\\|()])")
_ESCAPE: Final = r"\\\1"

_SHORTEST_TYPED: Final = 3
"""Characters of a typed text that is looked for in paths; shorter ones are found by chance."""


def is_page(url: str) -> bool:
    """Whether this is an address that a script can wait for."""
    return url.startswith(("http://", "https://"))


def openable(url: str) -> str:
    """The address with a scheme (https, or http on this machine) and without a user and password."""
    url = url.strip()
    if not _SCHEME.match(url):
        url = f"{'http' if _THIS_MACHINE.match(url) else 'https'}://{url}"
    return anonymous(url)


def anonymous(url: str) -> str:
    """The address without a user and password."""
    return _CREDENTIALS.sub(r"\1", url)


def same_page(one: str, other: str) -> bool:
    """Whether two addresses name one page, a last slash aside."""
    return one.rstrip("/") == other.rstrip("/")


def pattern(url: str, typed: Iterable[str] = ()) -> str:
    """The glob of this address and its likes; a segment that holds one of the `typed` texts is open."""
    parts = urlsplit(_SECRET.sub("*", url))
    words = [text.lower() for text in typed if len(text) >= _SHORTEST_TYPED]
    path = "/".join(_segment(segment, words) for segment in parts.path.split("/"))
    rest = "?**" if parts.query else "#**" if parts.fragment else ""
    return f"{parts.scheme}://{parts.netloc}{path}{rest}"


def _segment(segment: str, words: Iterable[str]) -> str:
    plain = unquote_plus(segment).lower()
    if segment.isdigit() or _UUID_OR_HEX.fullmatch(segment) or _LONG_TOKEN.fullmatch(segment):
        return "*"
    if any(word in plain for word in words):
        return "*"
    parts = ("*" if is_code_part(part) else part for part in segment.split("-"))
    return _NUMBER.sub("*", _SPECIAL.sub("*", "-".join(parts)))


def regex(glob: str) -> str:
    """A pattern that `pattern` made as a regular expression, in Python's and JavaScript's spelling alike."""
    parts = re.split(r"(\*\*|\*)", glob)
    return f"^{''.join(_OPEN.get(part) or re.sub(_OF_REGEX, _ESCAPE, part) for part in parts)}$"


def ending_regex(glob: str) -> str:
    """The same for where a recording ended: what is open as a whole is no page that asks for a new thing."""
    return _WHOLE_SEGMENT.sub(lambda found: _NO_VERB + found[0], regex(glob))


def fits(glob: str, url: str) -> bool:
    """Whether the address fits a pattern that `pattern` made."""
    return re.search(regex(glob), url) is not None

"""What stands at an address: text or bytes, never more than hosts take in one message.

Below: errors. Above: reader, agents, listing, tools.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from notte_mcp.errors import InvalidArgument, LimitReached, UnknownResource

JSON: Final = "application/json"
NDJSON: Final = "application/x-ndjson"

MAX_STEPS: Final = 2_000
"""Steps in one answer; `?after=` goes on."""

MAX_BYTES: Final = 5_500_000
"""Of one answer: some hosts close the connection over a message of twice that."""

_ROOM: Final = 1_000
"""Bytes kept for the line that tells what a list leaves out."""

_DIGITS: Final = 15
"""Of a step's number; SQLite's integers end at 19."""


@dataclass(frozen=True, slots=True)
class Content:
    """What stands at an address: text, or bytes for what is none."""

    uri: str
    name: str
    mime_type: str
    body: str | bytes


def unknown(uri: str) -> UnknownResource:
    """The error for an address that leads nowhere."""
    return UnknownResource(
        f"No resource has the URI {uri}.", done="", next_call='notte_read(uri="notte://guide") lists what can be read'
    )


def file_uri(session_id: str, name: str) -> str:
    """The address of a session's file."""
    return f"notte://sessions/{session_id}/files/{quote(name, safe='')}"


def as_list(uri: str, name: str, values: Sequence[Mapping[str, Any]]) -> Content:
    """A list as one JSON text, as long as an answer carries; what is left out at its end is told in its last place."""
    told: list[Mapping[str, Any]] = []
    size = _ROOM
    for value in values:
        size += _bytes(_json([value]))
        if size > MAX_BYTES:
            left = len(values) - len(told)
            told.append({"left_out": left, "because": f"one answer carries at most {MAX_BYTES} bytes"})
            break
        told.append(value)
    return Content(uri, name, JSON, _json(told))


def as_json(uri: str, name: str, value: Mapping[str, Any]) -> Content:
    """A value as one JSON text. Raises LimitReached where it is too long for an answer."""
    text = _json(value)
    if (size := _bytes(text)) > MAX_BYTES:
        raise LimitReached(
            f"{uri} has {size} bytes, and one answer carries at most {MAX_BYTES}.",
            kept="It stays as it is.",
            next_call="notte_status, which tells the same of one id",
        )
    return Content(uri, name, JSON, text)


def as_log(uri: str, name: str, lines: Iterable[Mapping[str, Any]]) -> Content:
    """One JSON object a line, as many as an answer carries (the first one always: a reader has to get on)."""
    written: list[str] = []
    size = 0
    for line in lines:
        text = json.dumps(line, ensure_ascii=False, default=str) + "\n"
        size += _bytes(text)
        if written and size > MAX_BYTES:
            break
        written.append(text)
    return Content(uri, name, NDJSON, "".join(written))


def number_after(uri: str, query: Mapping[str, str]) -> int:
    """The step number that `?after=` names, 0 without it. Raises InvalidArgument."""
    after = query.get("after", "0")
    if not (after.isascii() and after.isdecimal() and len(after) <= _DIGITS):
        raise InvalidArgument(
            f"`after` is a step's number, not {after[:50]!r}.", next_call=f"{uri.split('?', 1)[0]}?after=0"
        )
    return int(after)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1, default=str)


def _bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "replace"))

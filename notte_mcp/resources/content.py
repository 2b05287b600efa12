"""What stands at an address: text or bytes, never more than hosts take in one message.

Below: address, errors. Above: reader, agents, logs, replay, listing, tools.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import anyio.to_thread

from notte_mcp.errors import LimitReached, NothingRecorded, UnknownResource
from notte_mcp.resources.address import Place

JSON: Final = "application/json"
NDJSON: Final = "application/x-ndjson"
TEXT: Final = "text/plain"
HTML: Final = "text/html"
MP4: Final = "video/mp4"
JPEG: Final = "image/jpeg"

MAX_BYTES: Final = 5_500_000
"""Of one answer: some hosts close the connection over a message of twice that."""

_ROOM: Final = 1_000
"""Bytes kept for the line that tells what a list leaves out."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A file on the server's disk, or a part of one: `size` bytes from `start` on."""

    path: Path
    start: int
    size: int

    def read(self) -> bytes:
        """Blocks: for a thread. Raises: OSError."""
        with self.path.open("rb") as file:
            file.seek(self.start)
            return file.read(self.size)


@dataclass(frozen=True, slots=True)
class Content:
    """What stands at an address: text, or bytes for what is none (a `Piece` where they lie in a file).

    `about` is what else there is to say of it, by name, in JSON values: how it goes on, how long it plays.
    """

    uri: str
    name: str
    mime_type: str
    body: str | bytes | Piece
    about: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def size(self) -> int:
        """Bytes of the body."""
        if isinstance(self.body, Piece):
            return self.body.size
        return len(self.body) if isinstance(self.body, bytes) else _bytes(self.body)


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


def as_log(uri: str, lines: Iterable[tuple[Place, str]], mime_type: str, *, after: Place, is_cut: bool) -> Content:
    """A log's lines as one text, as many as an answer carries (the first one always: a reader has to get on).

    `is_cut` says that there are more; `next_uri` is where to read what follows, now or later.
    """
    written: list[str] = []
    size, place = 0, after
    for at, line in lines:
        text = f"{line}\n"
        size += _bytes(text)
        if written and size > MAX_BYTES:
            is_cut = True
            break
        written.append(text)
        place = at
    base, _, query = uri.partition("?")
    kept = [one for one in query.split("&") if one and not one.startswith("after=")]
    about = {"next_uri": f"{base}?{'&'.join([f'after={place}', *kept])}", "is_cut": is_cut}
    return Content(uri, "steps", mime_type, _utf8("".join(written)), about)


async def whole(content: Content) -> str | bytes:
    """The body itself, read from the disk where it lies there.

    Raises: LimitReached: one answer does not carry it. NothingRecorded: the file is gone meanwhile.
    """
    if not isinstance(body := content.body, Piece):
        return body
    if body.size > MAX_BYTES:
        raise too_long(content)
    try:
        return await anyio.to_thread.run_sync(body.read)
    except OSError:
        raise NothingRecorded(
            f"{content.uri} was swept or made anew while it was read.", done="", next_call="the same call again"
        ) from None


def too_long(content: Content) -> LimitReached:
    """The error for a file that an answer does not carry: it comes in parts."""
    parts, base = content.about["parts"], content.uri.split("?", 1)[0]
    return LimitReached(
        f"{content.name} has {content.size} bytes, and one answer carries at most {MAX_BYTES}; it comes in {parts} parts, "
        f"which are the file one after the other.",
        done="",
        next_call=f"{base}?part=1, and so on to ?part={parts}",
    )


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1, default=str)


def _utf8(text: str) -> str:
    """The text without what no UTF-8 can hold: a page's may have half of a surrogate pair."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "replace"))

"""Lines of the protocol as bytes: cut apart, bounded, and whose request or answer they are.

A frame is passed on as it came. Of its content only the id is of interest, and that stands
where the usual writers put it: at the very beginning, or at the very end. Only where it does not,
the frame is parsed.

Of the relay's path (see wanted). Below: nothing. Above: link, relay, connection.
"""

MAX_FRAME = 8 * 1024 * 1024
"""Bytes of one message to the server. The largest that makes sense is a batch of values of a megabyte."""

MAX_ANSWER = 64 * 1024 * 1024
"""Bytes of one message from the server: a video as a resource is the largest."""

KEPT = 4_096
"""Bytes that are kept of either end of a line that is too long."""

CLOSED = -32_000
"""The error code of a connection that ended before the answer, as the protocol's own libraries have it."""

INVALID = -32_600

_HEADS = b'{"jsonrpc":"2.0","id":'
_METHOD = b',"method":'
_ENDS = (b',"result":', b',"error":')
_TAIL = b'"id":'
_NEAR = 160
_DIGITS = b"0123456789"


class TooLong:
    """A line that was over the limit and was let pass by: how it began, how it ended, how long it was (bytes)."""

    __slots__ = ("head", "size", "tail")

    def __init__(self, head: bytes, tail: bytes, size: int) -> None:
        self.head = head
        self.tail = tail
        self.size = size

    @property
    def asked(self) -> bytes:
        """The id of the request it seems to be, as JSON; `null` where that cannot be told."""
        return _first(self.head) or _last(self.tail) or b"null"


class Lines:
    """Bytes in, whole lines out (with their line feed). What is no whole line at the end is nobody's."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._parts: list[bytes] = []
        self._size = 0

    def feed(self, chunk: bytes) -> list[bytes | TooLong]:
        """The lines that this chunk ends."""
        *ended, rest = chunk.split(b"\n")
        found: list[bytes | TooLong] = []
        for part in ended:
            self._keep(part)
            found.append(self._line())
            self._parts, self._size = [], 0
        if rest:
            self._keep(rest)
        return found

    def _keep(self, part: bytes) -> None:
        self._parts.append(part)
        self._size += len(part)
        if self._size > self._limit:
            whole = b"".join(self._parts)
            self._parts = [whole[:KEPT], whole[KEPT:][-KEPT:]]

    def _line(self) -> "bytes | TooLong":
        whole = b"".join(self._parts)
        return TooLong(whole[:KEPT], whole[-KEPT:], self._size) if self._size > self._limit else whole + b"\n"


def asked(line: bytes) -> bytes | None:
    """The id of a request, as JSON; None when the line is none."""
    near = line[:_NEAR].replace(b" ", b"")
    if (found := _first(line)) and near[len(_HEADS) + len(found) :].startswith(_METHOD):
        return found
    # A single closing brace after a number: the id belongs to the message and to nothing inside it.
    if near.startswith(b'{"method":') and (found := _last(line)):
        return found
    return _parsed(line, asked=True)


def answered(line: bytes) -> bytes | None:
    """The id of an answer, as JSON; None when the line is none."""
    if (found := _first(line)) and line[len(_HEADS) + len(found) :].startswith(_ENDS):
        return found
    return None if line.startswith(b'{"jsonrpc":"2.0","method"') else _parsed(line, asked=False)


def failure(asked: bytes, text: str, code: int = CLOSED) -> bytes:
    """An error that answers the request of this id."""
    import json

    error = json.dumps({"code": code, "message": text})
    return b'{"jsonrpc":"2.0","id":%b,"error":%b}\n' % (asked, error.encode())


def too_long(line: TooLong) -> bytes:
    """The answer to a message that is longer than one may be."""
    text = (
        f"This message has {line.size} bytes and may have {MAX_FRAME}. It was not read and nothing was done. "
        "Send less in one call; a file is passed by its path."
    )
    return failure(line.asked, text, INVALID)


def _first(line: bytes) -> bytes | None:
    """A number that stands as the id at the beginning."""
    near = line[:_NEAR].replace(b" ", b"")
    return _digits(near[len(_HEADS) :]) if near.startswith(_HEADS) else None


def _last(line: bytes) -> bytes | None:
    """A number that stands as the id at the end."""
    before, found, after = line[-_NEAR:].rstrip().replace(b" ", b"").rpartition(_TAIL)
    digits = _digits(after) if found and not before.endswith(b"\\") else None
    return digits if digits and after == digits + b"}" else None


def _digits(text: bytes) -> bytes | None:
    rest = text.lstrip(_DIGITS)
    return text[: len(text) - len(rest)] if rest[:1] in (b",", b"}") else None


def _parsed(line: bytes, *, asked: bool) -> bytes | None:
    import json

    try:
        found: object = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or ("method" in found) is not asked:
        return None
    given: object = found.get("id")  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] - JSON
    # A number with a fraction, or anything else, is no id.
    return json.dumps(given).encode() if isinstance(given, str | int) and not isinstance(given, bool) else None

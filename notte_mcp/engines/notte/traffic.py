"""The network log of a cloud session: its batches with what is in them, where that can be read.

A batch lies at an address that is signed, which is asked without the key and told to nobody. What stands under a name
that names a secret (cookies, authorisation) is withheld, and so are the tokens of addresses. The form of a batch is not
part of the contract: JSON or lines of JSON are told as such, anything else is left where it is, with its size.

Below: client, wire. Above: cloud.
"""

import json
import re
import zlib
from typing import Any, Final, cast

from notte_mcp.cloud_errors import CloudError
from notte_mcp.engines.notte.answers import HIDDEN
from notte_mcp.engines.notte.client import NotteClient
from notte_mcp.engines.notte.wire import objects, text
from notte_mcp.logs import redact

MAX_READ_BYTES: Final = 2 * 1024**2
"""What is read of all batches together; the rest is told by its size alone."""

_SECRET_HEADER: Final = re.compile(r"(?i)^(?:proxy-)?authorization$|cookie|token|secret|api-?key|^x-amz-|signature")
_MOST_LEVELS: Final = 64
_LINES: Final = ("name", "key")


async def network(client: NotteClient, remote_id: str, *, limit: int) -> dict[str, Any]:
    """See `Remote.network`: `batches` of `key`, `size` and, where it could be read, `entries`."""
    query = {"limit": max(1, min(limit, 1_000)), "download": True}
    body = await client.get("sessions", remote_id, "network", "logs", query=query)
    left, batches = MAX_READ_BYTES, list[dict[str, Any]]()
    for batch in objects(body.get("batches")):
        size = batch.get("size")
        told: dict[str, Any] = {"key": text(batch, "key"), "size": size if isinstance(size, int) else None}
        if (url := text(batch, "download_url")) and left > 0 and (raw := await _read(client, url, left)) is not None:
            left -= len(raw)
            if (entries := _entries(raw)) is not None:
                told["entries"] = _withheld(client, entries)
        batches.append(told)
    total = body.get("total_batch_count")
    return {
        "session_id": remote_id,
        "format": text(body, "format"),
        "total_batch_count": total if isinstance(total, int) else len(batches),
        "batches": batches,
    }


async def _read(client: NotteClient, url: str, limit: int) -> bytes | None:
    try:
        raw = await client.fetch(url, limit=limit, within_s=20)
    except CloudError:
        return None
    if raw[:2] != b"\x1f\x8b":
        return raw
    try:
        whole = zlib.decompressobj(wbits=31).decompress(raw, limit + 1)
    except zlib.error:
        return None
    return whole if len(whole) <= limit else None


def _entries(raw: bytes) -> list[Any] | None:
    """A batch's entries: a list, the lines of JSON lines, or one object; None where it is none of these."""
    try:
        whole: Any = json.loads(raw)
    except (ValueError, RecursionError):
        try:
            whole = [json.loads(line) for line in raw.splitlines() if line.strip()]
        except (ValueError, RecursionError):
            return None
    entries = cast(list[Any], whole) if isinstance(whole, list) else [whole]
    return None if _is_deep(entries) else entries


def _is_deep(value: Any) -> bool:
    """Whether it is nested deeper than what is told of it can be looked through."""
    level: list[Any] = [value]
    for _ in range(_MOST_LEVELS):
        level = [
            one
            for outer in level
            for one in (cast(dict[str, Any], outer).values() if isinstance(outer, dict) else cast(list[Any], outer))
            if isinstance(one, dict | list)
        ]
    return bool(level)


def _withheld(client: NotteClient, value: Any) -> Any:
    """Without secrets: under their names, as a header's name and value, and in addresses."""
    if isinstance(value, str):
        return client.hush.text(value)
    if isinstance(value, list):
        return [_withheld(client, one) for one in cast(list[Any], value)]
    if not isinstance(value, dict):
        return value
    fields = redact(cast(dict[str, Any], value))
    name = next((fields[key] for key in _LINES if isinstance(fields.get(key), str)), "")
    if "value" in fields and _SECRET_HEADER.search(name):
        fields["value"] = HIDDEN
    return {key: HIDDEN if _SECRET_HEADER.search(key) else _withheld(client, one) for key, one in fields.items()}

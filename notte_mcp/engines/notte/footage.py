"""The replay of a cloud session: waited for until it is made, then written down while it comes, as MP4.

The API gives the bytes themselves (it did once) or an address of them that is signed, which is asked without the key.
While there is none it says why, and whether there will be one. Facts: the contract's replay, and its missing one.

Below: client, saving, wire. Above: cloud.
"""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import anyio.to_thread

from notte_mcp.cloud_errors import CloudNotNotte, CloudUnavailable, CloudUnknown
from notte_mcp.engines.notte.answers import Answer, said
from notte_mcp.engines.notte.client import NotteClient
from notte_mcp.engines.notte.saving import Sink, at_most
from notte_mcp.engines.notte.wire import LIVE, object_of, text
from notte_mcp.errors import LimitReached, NothingRecorded, StillMaking
from notte_mcp.observations import clean_line

MAX_REPLAY_BYTES: Final = 256 * 1024**2

_MISSING: Final = 404
_NEVER: Final = frozenset({"unavailable", "failed"})
_PAUSES: Final = (1.0, 2.0, 4.0)
_LONGEST_S: Final = 5.0
_EXPIRED: Final = frozenset({403, 404, 410})


async def replay(client: NotteClient, remote_id: str, into: Path, *, wait_s: float) -> int:
    """See `Remote.replay`."""
    began, turn, clock = client.patience.clock(), 0, client.patience.clock
    sink = Sink(into, at_most(MAX_REPLAY_BYTES))
    while True:
        with _told(sink):
            found = await client.answer("sessions", remote_id, "replay", passes=frozenset({_MISSING}), into=sink)
        if found.status != _MISSING:
            if await _filmed(client, found, sink):
                return sink.size
        elif _why_not_yet(client, found, remote_id) == "live":
            await _raise_if_live(client, remote_id)
        pause = _PAUSES[turn] if turn < len(_PAUSES) else _LONGEST_S
        if clock() - began + pause > wait_s:
            raise _still_making(wait_s)
        await client.patience.sleep(pause)
        turn += 1


async def _filmed(client: NotteClient, found: Answer, sink: Sink) -> bool:
    """Whether the video is there by now."""
    if found.is_json:
        url = text(object_of(found.json()), "mp4_url")
        if not url:
            return False
        try:
            with _told(sink):
                await client.fetch(url, into=sink)
        except CloudUnavailable as error:
            if error.status not in _EXPIRED:
                raise
            return False  # its address held for a time: the next answer has another one
    if (await anyio.to_thread.run_sync(_head, sink.path))[4:8] != b"ftyp":
        raise CloudNotNotte("What came as the session's replay is no MP4.", done="", next_call="the same call later")
    return True


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(8)


@contextmanager
def _told(sink: Sink) -> Generator[None]:
    """Raises: LimitReached: what came was cut by the sink."""
    try:
        yield
    except CloudUnavailable as error:
        if not sink.why:
            raise
        raise LimitReached(
            f"The session's replay was not kept: {sink.why}.", done="", kept="It is in the cloud.",
            next_call="Notte's own client, or its console",
        ) from error  # fmt: skip


def _why_not_yet(client: NotteClient, found: Answer, remote_id: str) -> str:
    """`live` where the session may not have ended, else `making`.

    Raises:
        NothingRecorded: there will be none. CloudUnknown: there is no such session.
    """
    try:
        body: dict[str, Any] = object_of(found.json())
    except ValueError:
        body = {}
    words = clean_line(client.hush.text(said(body)), 200)
    status = text(body, "replay_status")
    if status == "waiting_for_session" or "still active" in words.lower():
        return "live"
    if not status and "replay" not in words.lower():
        raise CloudUnknown(f"The Notte cloud knows no session {remote_id}: {words or 'Not Found'}.", status=_MISSING)
    if status in _NEVER or body.get("retryable") is False:
        why = f" ({words})" if words else ""
        raise NothingRecorded(f"The Notte cloud has no replay of this session, and will have none{why}.", done="")
    return "making"


async def _raise_if_live(client: NotteClient, remote_id: str) -> None:
    """It may have ended just now, and its end not be known everywhere."""
    if text(await client.get("sessions", remote_id), "status") in LIVE:
        raise StillMaking(
            "The session is still active: the Notte cloud makes its replay once it has ended.",
            done="",
            next_call="notte_stop() of the session, then this again",
        )


def _still_making(wait_s: float) -> StillMaking:
    what = f"The Notte cloud has not made the session's replay within {wait_s:g} s; it goes on making it."
    return StillMaking(what, done="", next_call="the same call in a while")

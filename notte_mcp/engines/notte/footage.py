"""The replay of a cloud session: waited for until it is made, then fetched, as MP4.

The API gives the bytes themselves (it did once) or an address of them that is signed, which is asked without the key.
While there is none it says why, and whether there will be one. Facts: the contract's replay, and its missing one.

Below: client, wire. Above: cloud.
"""

from typing import Any, Final

from notte_mcp.cloud_errors import CloudNotNotte, CloudUnavailable, CloudUnknown
from notte_mcp.engines.notte.answers import Answer, said
from notte_mcp.engines.notte.client import NotteClient
from notte_mcp.engines.notte.wire import LIVE, object_of, text
from notte_mcp.errors import NothingRecorded, StillMaking
from notte_mcp.observations import clean_line

MAX_REPLAY_BYTES: Final = 256 * 1024**2

_MISSING: Final = 404
_NEVER: Final = frozenset({"unavailable", "failed"})
_PAUSES: Final = (1.0, 2.0, 4.0)
_LONGEST_S: Final = 5.0
_EXPIRED: Final = frozenset({403, 404, 410})


async def replay(client: NotteClient, remote_id: str, *, wait_s: float) -> bytes:
    """See `Remote.replay`."""
    began, turn, clock = client.patience.clock(), 0, client.patience.clock
    while True:
        found = await client.answer("sessions", remote_id, "replay", passes=frozenset({_MISSING}))
        if found.status != _MISSING:
            if (film := await _film(client, found)) is not None:
                return film
        elif _why_not_yet(client, found, remote_id) == "live":
            await _raise_if_live(client, remote_id)
        pause = _PAUSES[turn] if turn < len(_PAUSES) else _LONGEST_S
        if clock() - began + pause > wait_s:
            raise _still_making(wait_s)
        await client.patience.sleep(pause)
        turn += 1


async def _film(client: NotteClient, found: Answer) -> bytes | None:
    """The video; None where it is not there yet."""
    if not found.is_json:
        return _checked(found.body)
    url = text(object_of(found.json()), "mp4_url")
    if not url:
        return None
    try:
        return _checked(await client.fetch(url, limit=MAX_REPLAY_BYTES))
    except CloudUnavailable as error:
        if error.status not in _EXPIRED:
            raise
        return None  # its address held for a time: the next answer has another one


def _checked(film: bytes) -> bytes:
    if film[4:8] != b"ftyp":
        raise CloudNotNotte("What came as the session's replay is no MP4.", done="", next_call="the same call later")
    return film


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

"""One request to the Notte API and what came back, repeated where the contract allows: an answer, or that there is none.

What is no success is told apart above. The pool of connections carries no key: that goes with each request that is to
have it, so that what stands elsewhere is fetched, and the health asked for, without.

Below: answers, patience, saving, access, httpx. Above: client.
"""

import logging
from dataclasses import dataclass
from functools import cache
from ssl import SSLContext
from typing import Final
from urllib.parse import urlsplit

import anyio
import httpx

from notte_mcp import __version__
from notte_mcp.engines.notte.access import CloudAccess
from notte_mcp.engines.notte.answers import Answer
from notte_mcp.engines.notte.patience import REPEATABLE, Patience, may_repeat
from notte_mcp.engines.notte.saving import Sink

CONNECT_S: Final = 10.0
SILENCE_S: Final = 30.0
"""How long a request that may be repeated waits for the next byte before it is."""

IDLE_S: Final = 4.0
"""How long a connection is kept for the next request: less than any server keeps it, since a request that meets its end
has an outcome that nobody knows."""

MAX_JSON_BYTES: Final = 64 * 1024**2

_NOT_SENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
_NOT_TO_BE_SENT: Final = (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.LocalProtocolError, RuntimeError)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request. `within_s` is for all its tries; `follows` says that it may be sent elsewhere, and `changes` that
    something may be another by it. `into` takes the body of a success, which is then not in the answer; where `reads_json`,
    of one that is no JSON."""

    method: str
    url: str
    within_s: float
    changes: bool = False
    content: bytes | None = None
    headers: tuple[tuple[str, str], ...] = ()
    limit: int = MAX_JSON_BYTES
    follows: bool = False
    into: Sink | None = None
    reads_json: bool = False


@dataclass(frozen=True, slots=True)
class Lost:
    """No answer. `sent` is false where the request certainly did not get there; `final` where trying again is no use."""

    words: str
    sent: bool = True
    final: bool = False


def pool(access: CloudAccess) -> httpx.AsyncClient:
    """Connections to there. A proxy of the environment is used for other machines only."""
    for name in ("httpx", "httpcore"):
        # At their lower levels they write addresses with what stands in them.
        logging.getLogger(name).setLevel(logging.WARNING)
    here = urlsplit(access.base).hostname in {"127.0.0.1", "::1", "localhost"}
    names = {"user-agent": f"notte-mcp/{__version__}", "x-notte-request-origin": "notte-mcp", "accept": "*/*"}
    limits = httpx.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=IDLE_S)
    return httpx.AsyncClient(headers=names, limits=limits, trust_env=not here, max_redirects=5, verify=_trusted())


@cache
def _trusted() -> SSLContext:
    """Whose certificates are taken. Reading them takes longer than many a request."""
    return httpx.create_ssl_context()


async def ask(http: httpx.AsyncClient, asked: Asked, patience: Patience) -> Answer | Lost:
    """What came back at last."""
    began, turn = patience.clock(), 0
    while True:
        left_s = asked.within_s - (patience.clock() - began)
        found = await ask_once(http, asked, max(left_s, 0.1))
        spent_s = patience.clock() - began
        pause = _pause(found, asked, patience, turn, spent_s)
        if pause is None or spent_s + pause >= asked.within_s:
            return found
        await patience.sleep(pause)
        turn += 1


def _pause(found: Answer | Lost, asked: Asked, patience: Patience, turn: int, spent_s: float) -> float | None:
    if isinstance(found, Lost):
        again = not found.final and may_repeat(asked.method, None, sent=found.sent)
        return patience.pause(turn, spent_s=spent_s) if again else None
    again = may_repeat(asked.method, found.status)
    return patience.pause(turn, spent_s=spent_s, asked_s=found.retry_after_s) if again else None


async def ask_once(http: httpx.AsyncClient, asked: Asked, left_s: float) -> Answer | Lost:
    """One try, in all of it at most `left_s` long."""
    silence = min(left_s, SILENCE_S) if asked.method in REPEATABLE else left_s
    timeout = httpx.Timeout(silence, connect=min(CONNECT_S, left_s), pool=min(CONNECT_S, left_s))
    with anyio.move_on_after(left_s):
        try:
            async with http.stream(
                asked.method,
                asked.url,
                content=asked.content,
                headers=list(asked.headers),
                timeout=timeout,
                follow_redirects=asked.follows,
            ) as response:
                is_read = asked.reads_json and "json" in response.headers.get("content-type", "")
                if asked.into is not None and response.is_success and not is_read:
                    return await _saved(response, asked.into)
                return await _read(response, asked.limit)
        except (httpx.HTTPError, httpx.InvalidURL, RuntimeError, OSError) as error:
            return _lost(error)
    return Lost(f"no answer within {asked.within_s:g} s")


async def _read(response: httpx.Response, limit: int) -> Answer | Lost:
    parts: list[bytes] = []
    size = 0
    async for part in response.aiter_bytes():
        parts.append(part)
        if (size := size + len(part)) > limit:
            return Lost(f"the answer is larger than {limit:,} bytes", final=True)
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Answer(response.status_code, headers, b"".join(parts))


async def _saved(response: httpx.Response, into: Sink) -> Answer | Lost:
    going = await into.begin()
    if going:
        async for part in response.aiter_bytes():
            if not (going := await into.take(part)):
                break
    if not going or not await into.end():
        return Lost("it was cut", final=True)
    return Answer(response.status_code, {name.lower(): value for name, value in response.headers.items()}, b"")


def _lost(error: Exception) -> Lost:
    words = str(error).strip() or ("it broke" if isinstance(error, httpx.NetworkError) else type(error).__name__)
    if isinstance(error, _NOT_SENT):
        return Lost(words, sent=False, final="CERTIFICATE_VERIFY_FAILED" in words)
    if isinstance(error, _NOT_TO_BE_SENT):
        return Lost(words, sent=False, final=True)
    if isinstance(error, httpx.ReadTimeout | httpx.WriteTimeout):
        return Lost("it went silent")
    return Lost(words, final=isinstance(error, httpx.DecodingError | httpx.TooManyRedirects))

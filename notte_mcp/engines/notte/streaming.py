"""An agent's live log over a WebSocket: what it says, until it says no more.

It is admitted by a token of the session, never by the key. That it closes, is refused, goes silent, or that nothing here
can speak WebSockets means no more than that the agent's status is to be asked for: nothing is raised from here.

Below: heard, client, websockets (an extra, imported when first asked). Above: hosted, following.
"""

from dataclasses import dataclass
from typing import Final, Literal, Protocol, cast
from urllib.parse import parse_qs, quote, urlsplit

import anyio

from notte_mcp.cloud_errors import CloudError
from notte_mcp.engines.notte.answers import HIDDEN
from notte_mcp.engines.notte.client import NotteClient
from notte_mcp.engines.notte.heard import Frame, frame_of
from notte_mcp.logs import Log as Lines

OPEN_S: Final = 10.0
"""How long the token and the connection may take, each."""

MAX_FRAME_BYTES: Final = 16 * 1024**2
PING_S: Final = 5.0
PONG_S: Final = 40.0
CLOSE_S: Final = 1.0

lines = Lines("cloud")

Heard = Frame | Literal["silence", "closed", "junk"]


class Log(Protocol):
    """What an agent's log is to who follows it."""

    async def next(self, within_s: float) -> Heard:
        """The next frame; `silence` where none came in that time (seconds), `closed` where none will."""
        ...

    async def close(self) -> None:
        """Be done with it, within a second. Never raises."""
        ...


class _Transport(Protocol):
    """A connection of asyncio."""

    def abort(self) -> None: ...


class _Wire(Protocol):
    """What is used of a connection of websockets."""

    @property
    def transport(self) -> _Transport: ...

    async def recv(self) -> str | bytes: ...

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class SocketLog:
    """See `Log`."""

    wire: _Wire

    async def next(self, within_s: float) -> Heard:
        with anyio.move_on_after(within_s):
            try:
                return frame_of(await self.wire.recv()) or "junk"
            except Exception as error:  # noqa: BLE001 - however a connection ends, the status is what counts
                lines.debug("cloud.log_closed", reason=type(error).__name__)
                return "closed"
        return "silence"

    async def close(self) -> None:
        with anyio.move_on_after(CLOSE_S, shield=True):
            try:
                await self.wire.close()
            except Exception as error:  # noqa: BLE001 - it is given up either way
                lines.debug("cloud.log_closed", reason=type(error).__name__)
        self.wire.transport.abort()  # nothing is left open for one who does not answer


async def agent_log(client: NotteClient, remote_id: str, agent_id: str) -> Log | None:
    """The log of an agent in a session, from now on; None where it is not to be had."""
    try:
        from websockets.asyncio.client import connect
    except ImportError:
        lines.info("cloud.no_log", reason="websockets is not installed")
        return None
    if (token := await _token(client, remote_id)) is None:
        lines.info("cloud.no_log", reason="no token")
        return None
    base = "ws" + client.access.base.removeprefix("http")
    named = f"token={quote(token, safe='')}&session_id={quote(remote_id, safe='')}"
    url = f"{base}/agents/{quote(agent_id, safe='')}/debug/logs?{named}"
    here = urlsplit(url).hostname in {"127.0.0.1", "::1", "localhost"}
    try:
        with anyio.fail_after(OPEN_S):
            wire = await connect(
                url,
                open_timeout=None,
                ping_interval=PING_S,
                ping_timeout=PONG_S,
                close_timeout=CLOSE_S,
                max_size=MAX_FRAME_BYTES,
                proxy=None if here else True,
            )
    except Exception as error:  # noqa: BLE001 - refused in whatever way: see the module
        # Not its words: they may hold the address, and that the token.
        lines.info("cloud.no_log", reason=type(error).__name__)
        return None
    return SocketLog(cast(_Wire, wire))


async def _token(client: NotteClient, remote_id: str) -> str | None:
    """What admits to the session's logs: never the key itself."""
    try:
        found = await client.get("sessions", remote_id, "debug", within_s=OPEN_S)
    except CloudError:
        return None
    match found:
        case {"ws": {"logs": str(address)}}:
            token = parse_qs(urlsplit(address).query).get("token", [""])[0]
        case _:
            return None
    return token if token not in ("", client.access.key, HIDDEN) else None

"""One HTTP/1.1 connection: uvicorn's own, with a bound on how long it may keep the server waiting, and on how many.

uvicorn closes a connection that is silent between two requests, and waits for ever for
one that never finishes its header, never sends a refused body, or never reads an answer.

Below: refusals. Above: listener.
"""

import asyncio
from typing import Any, Final, cast

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from notte_mcp.http.refusals import FULL, NOT_HTTP
from notte_mcp.logs import Log

MAX_CONNECTIONS: Final = 512
MAX_HEADER_BYTES: Final = 16_384

HEAD_S: Final = 10.0
"""How long a request's header may take, and the rest of a body that nobody wants any more."""

STALL_S: Final = 30.0
"""How long an answer may wait to be read."""

IDLE_S: Final = 75
"""How long a connection may stay open between two requests. Hosts keep theirs for a minute."""

log = Log("http")


class Connection(H11Protocol):
    """See the module."""

    _waiting: asyncio.TimerHandle | None = None
    _stalled: asyncio.TimerHandle | None = None
    _turned_away = False
    _upgraded = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > MAX_CONNECTIONS:
            self._turn_away()
        else:
            self._arm()

    def data_received(self, data: bytes) -> None:
        if self._turned_away:
            return
        super().data_received(data)
        self._look()

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        # From here on the connection is another protocol's, which has deadlines of its own (ping and pong).
        super().handle_websocket_upgrade(event)
        self._upgraded = True

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._look()  # the beginning of a next request may be here already

    def connection_lost(self, exc: Exception | None) -> None:
        self._disarm()
        if self._stalled is not None:
            self._stalled.cancel()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stalled = self.loop.call_later(STALL_S, self._give_up)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None

    def send_400_response(self, msg: str) -> None:
        del msg
        if self.conn.our_state in {h11.IDLE, h11.SEND_RESPONSE} and not self._is_answering:
            self.transport.write(NOT_HTTP.whole())
        self._turned_away = True
        self.transport.close()

    @property
    def _is_serving(self) -> bool:
        """Whether a request is here whose answer is not complete: its time is the guard's matter."""
        cycle = cast(Any, self.cycle)
        return cycle is not None and not cycle.response_complete

    @property
    def _is_answering(self) -> bool:
        return self._is_serving and bool(cast(Any, self.cycle).response_started)

    def _look(self) -> None:
        """What was begun (a header, a body to be passed over) is to be finished in time."""
        if self._upgraded:
            return self._disarm()
        begun = self.conn.their_state is h11.SEND_BODY or bool(self.conn.trailing_data[0])
        if begun and not self._is_serving and not self.transport.is_closing():
            return self._arm()
        return self._disarm()

    def _arm(self) -> None:
        if self._waiting is None:
            self._waiting = self.loop.call_later(HEAD_S, self._give_up)

    def _disarm(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _give_up(self) -> None:
        log.info("http.connection_dropped")
        self.transport.abort()

    def _turn_away(self) -> None:
        log.warning("http.connections_full", limit=MAX_CONNECTIONS)
        self._turned_away = True
        self.connections.discard(self)
        self.transport.write(FULL.whole())
        self.transport.close()

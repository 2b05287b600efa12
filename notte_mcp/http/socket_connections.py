"""One WebSocket connection: uvicorn's own, which takes a refusal that was sent whole for an answer, and with a bound on how
long one who does not read may hold it.

Apart from `connections`, since it needs the package `websockets`, which the API alone brings. Below: nothing. Above: listener.
"""

import asyncio
from typing import Final

from uvicorn._types import ASGISendEvent
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from notte_mcp.logs import Log

STALL_S: Final = 60.0
"""How long what was sent may wait to be read. (A ping that is not answered ends nothing while more is waiting.)"""

log = Log("http")


class SocketConnection(WebSocketsSansIOProtocol):
    """See the module."""

    _stalled: asyncio.TimerHandle | None = None

    async def send(self, message: ASGISendEvent) -> None:
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body", False):
            # Else it logs an error, and would answer a second time.
            self.handshake_complete = True

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stalled = self.loop.call_later(STALL_S, self._give_up)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._forget()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget()
        super().connection_lost(exc)

    def _forget(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None

    def _give_up(self) -> None:
        log.info("http.connection_dropped")
        self.transport.abort()

"""One WebSocket connection: uvicorn's own, which takes a refusal that was sent whole for an answer.

Apart from `connections`, since it needs the package `websockets`, which the API alone brings. Below: nothing. Above: listener.
"""

from uvicorn._types import ASGISendEvent
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol


class SocketConnection(WebSocketsSansIOProtocol):
    """See the module."""

    async def send(self, message: ASGISendEvent) -> None:
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body", False):
            # Else it logs an error, and would answer a second time.
            self.handshake_complete = True

"""The WebSockets of the API: the logs of agents and sessions as text, a session's picture as JPEG frames, and the one
for CDP, which says why there is none. One who does not read is cut off by the connection itself.

A WebSocket that is refused is accepted first and closed with the reason: before, there would be no more than a 403.

Below: calls, standing, streams; app (registry). Above: routes.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, suppress
from functools import partial
from typing import TYPE_CHECKING, Final

import anyio
from starlette.websockets import WebSocket, WebSocketDisconnect

from notte_mcp.api.calls import ApiSocket, SocketRoute
from notte_mcp.api.standing import CONTRACT_OF
from notte_mcp.api.streams import AgentLog, SessionLog
from notte_mcp.errors import NotteMCPError

if TYPE_CHECKING:
    from notte_mcp.app import App

EVERY_S: Final = 0.1
"""How long from one frame of a recording to the next, at least."""

OVER: Final = 1000
REFUSED: Final = 1008
_MAX_REASON_BYTES: Final = 123

NO_CDP: Final = "Browsers of notte-mcp are driven by a pipe; there is no CDP address. Use observe and execute."

Write = Callable[[WebSocket], Awaitable[str]]
"""Sends all there is; gives why it is over."""


async def agent_log(call: ApiSocket) -> None:
    """An agent's log, from its first step to its end."""
    agent_id = call.path("agent_id")
    try:
        record = await call.app.agents.record(agent_id)
    except NotteMCPError as error:
        return await _refuse(call.socket, error.what)
    if not call.may_see(record.session_id):
        return await _refuse(call.socket, "This token is for another session.")
    if (given := call.text("session_id")) is not None and given != record.session_id:
        return await _refuse(call.socket, f"Agent {agent_id} is not in session {given}.")
    log = AgentLog(call.app, agent_id, record.spec.asked.get(CONTRACT_OF, call.contract))
    return await _serve(call.socket, partial(_write_text, log.frames()))


async def session_log(call: ApiSocket) -> None:
    """A session's trajectory, from its first element on, until the session has ended."""
    if (session_id := await _seen(call)) is not None:
        await _serve(call.socket, partial(_write_text, SessionLog(call.app, session_id).frames()))


async def recording(call: ApiSocket) -> None:
    """What a session shows: JPEG frames, the one of now first, as fast as they are read and come."""
    if (session_id := await _seen(call)) is not None:
        await _serve(call.socket, partial(_write_frames, call.app, session_id))


async def cdp(call: ApiSocket) -> None:
    """None is served."""
    await _refuse(call.socket, NO_CDP)


ROUTES: Final[tuple[SocketRoute, ...]] = (
    SocketRoute("/agents/{agent_id}/debug/logs", agent_log),
    SocketRoute("/sessions/{session_id}/debug/logs", session_log),
    SocketRoute("/sessions/{session_id}/debug/recording", recording),
    SocketRoute("/sessions/{session_id}/debug/cdp", cdp),
    SocketRoute("/sessions/{session_id}/debug/tabs/{tab_id}", cdp),
)


async def _seen(call: ApiSocket) -> str | None:
    """The session of the path, if there is one and the caller may see it."""
    session_id = call.path("session_id")
    try:
        await call.app.registry.record(session_id)
    except NotteMCPError as error:
        await _refuse(call.socket, error.what)
        return None
    if not call.may_see(session_id):
        await _refuse(call.socket, "This token is for another session.")
        return None
    return session_id


async def _refuse(socket: WebSocket, why: str) -> None:
    await socket.accept()
    await socket.close(REFUSED, _reason(why))


async def _serve(socket: WebSocket, write: Write) -> None:
    """Accept, send what there is, close; ends at once when the reader has gone."""
    await socket.accept()
    over: tuple[int, str] | None = None
    async with anyio.create_task_group() as group:
        group.start_soon(_until_gone, socket, group.cancel_scope)
        over = await _written(socket, write)
        group.cancel_scope.cancel()
    if over is not None:
        with suppress(WebSocketDisconnect):
            await socket.close(*over)


async def _written(socket: WebSocket, write: Write) -> tuple[int, str] | None:
    """Send it; the code and the reason to close with, or None where nobody is there to read them."""
    try:
        return OVER, _reason(await write(socket))
    except NotteMCPError as error:
        return OVER, _reason(error.what)
    except WebSocketDisconnect:
        return None


async def _until_gone(socket: WebSocket, scope: anyio.CancelScope) -> None:
    """What a reader says is not heeded, but that it goes."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass
    scope.cancel()


async def _write_text(frames: AsyncGenerator[str], socket: WebSocket) -> str:
    async with aclosing(frames):
        async for frame in frames:
            await socket.send_text(frame)
    return "That is all."


async def _write_frames(app: "App", session_id: str, socket: WebSocket) -> str:
    async with app.registry.watch(session_id, every_s=EVERY_S) as watch:
        while True:
            frame = await watch.next()
            await socket.send_bytes(frame.jpeg)


def _reason(why: str) -> str:
    """As much of it as a close frame holds."""
    return why.encode()[:_MAX_REASON_BYTES].decode(errors="ignore")

"""An MCP connection over bytes, in either era: a socket of the keeper, or the stdin and stdout of one process.

What is no message, or too long for one, is answered with an error and harms nobody but itself.

Below: flight, frames, server. Above: connection, stdio.
"""

import json
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

import anyio
from mcp.server.runner import serve_dual_era_loop
from mcp.shared._context_streams import ContextReceiveStream, ContextSendStream, create_context_streams
from mcp.shared.message import ServerMessageMetadata, SessionMessage
from mcp.types import JSONRPCMessage, JSONRPCNotification, JSONRPCRequest, jsonrpc_message_adapter

from notte_mcp.keeper import frames
from notte_mcp.keeper.flight import LISTEN, MAX_BEGUN, MAX_OPEN, MAX_WAITING, Flight, answers
from notte_mcp.logs import Log
from notte_mcp.server import NotteServer
from notte_mcp.tools.surface import Surface

LOST: Final = (anyio.BrokenResourceError, anyio.ClosedResourceError, anyio.EndOfStream)
"""What reading and writing raise when the other end has gone."""

Receive = Callable[[], Awaitable[bytes]]
"""The next bytes; none, or one of `LOST`, at the end."""

Send = Callable[[bytes], Awaitable[None]]

PARSE: Final = -32_700
INTERNAL: Final = -32_603

ODD_ID: Final = "An id is a text or a whole number. Nothing was done."

log = Log("keeper")


def _nothing(_message: JSONRPCMessage) -> None:
    return


async def converse(
    server: NotteServer,
    surface: Surface,
    receive: Receive,
    send: Send,
    note: Callable[[JSONRPCMessage], None] = _nothing,
) -> None:
    """Serve MCP until the other end has gone. `surface` is the connection's; `note` hears every message that came."""
    low = server._lowlevel_server  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - the way to one App for many connections
    to_server, from_host = create_context_streams[SessionMessage | Exception](0)
    to_host, from_server = create_context_streams[SessionMessage](0)
    talk = _Talk(receive, send, note, to_server)
    async with anyio.create_task_group() as group:

        async def write() -> None:
            await talk.write(from_server)
            group.cancel_scope.cancel()

        group.start_soon(talk.read)
        group.start_soon(talk.begin_waiting)
        group.start_soon(write)
        options = low.create_initialization_options()
        await serve_dual_era_loop(low, from_host, to_host, lifespan_state=surface, init_options=options)
        group.cancel_scope.cancel()


class _Talk:
    """Both directions of one connection."""

    def __init__(
        self,
        receive: Receive,
        send: Send,
        note: Callable[[JSONRPCMessage], None],
        to_server: ContextSendStream[SessionMessage | Exception],
    ) -> None:
        self._receive = receive
        self._send = send
        self._note = note
        self._to_server = to_server
        self._sending = anyio.Lock()
        self._flight = Flight()
        self._settled = anyio.Event()

    # --- from the host --------------------------------------------------------------

    async def read(self) -> None:
        """Take what comes, until its end."""
        lines = frames.Lines(frames.MAX_FRAME)
        async with self._to_server:
            try:
                while chunk := await self._receive():
                    for line in lines.feed(chunk):
                        if isinstance(line, frames.TooLong):
                            await self._say(frames.too_long(line))
                        elif line.strip():
                            await self._take(line)
            except LOST:
                return

    async def _take(self, line: bytes) -> None:
        try:
            message = jsonrpc_message_adapter.validate_json(line, by_name=False)
        except Exception:  # noqa: BLE001 - whatever is wrong with a line, it harms nobody but itself
            return await self._say(_no_message(line))
        if isinstance(message, JSONRPCNotification) and b'"id"' in line and _has_odd_id(line):
            return await self._say(frames.failure(b"null", ODD_ID, frames.INVALID))
        self._note(message)
        match self._flight.admit(message, len(line)):
            case "begin":
                await self._begin(message)
            case "refuse" if isinstance(message, JSONRPCRequest):
                await self._say(_crowded(message))
            case _:
                return None
        return None

    async def _begin(self, message: JSONRPCMessage) -> None:
        metadata = None
        if isinstance(message, JSONRPCRequest):
            # What is cancelled is never answered, and is over all the same.
            metadata = ServerMessageMetadata(on_request_unanswered=partial(self._settle, message.id))
        await self._to_server.send(SessionMessage(message, metadata))

    async def begin_waiting(self) -> None:
        """Begin who waits when there is room. A task of its own: whoever makes room must not have to wait for it."""
        try:
            while True:
                await self._settled.wait()
                self._settled = anyio.Event()
                while (message := self._flight.next()) is not None:
                    await self._begin(message)
        except LOST:
            return

    async def _settle(self, asked: int | str) -> None:
        self._flight.settle(asked)
        self._settled.set()

    # --- to the host ----------------------------------------------------------------

    async def write(self, from_server: ContextReceiveStream[SessionMessage]) -> None:
        """Pass on what the server says, until either end has gone."""
        async with from_server:
            try:
                async for each in from_server:
                    await self._say(_line(each.message))
                    if (asked := answers(each.message)) is not None:
                        await self._settle(asked)
            except LOST:
                return

    async def _say(self, line: bytes) -> None:
        async with self._sending:
            await self._send(line)


def _line(message: JSONRPCMessage) -> bytes:
    try:
        return message.model_dump_json(by_alias=True, exclude_unset=True).encode() + b"\n"
    except ValueError:  # half a character, say, which no UTF-8 can hold
        log.exception("answer.not_written")
        text = "What came of this cannot be written as JSON. It was done as asked. Next: notte_status()."
        return frames.failure(json.dumps(answers(message)).encode(), text, INTERNAL)


def _has_odd_id(line: bytes) -> bool:
    """Whether what reads like a notification is a request whose id is none: it would wait for ever."""
    return json.loads(line).get("id") is not None


def _no_message(line: bytes) -> bytes:
    """The answer to a line that is none: to whom it says it is from, where it says so."""
    try:
        found: object = json.loads(line)
    except (ValueError, RecursionError):
        return frames.failure(b"null", "This line is no JSON, or nested too deep. It was not read.", PARSE)
    what = "a batch, which this protocol has no more" if isinstance(found, list) else "no message of JSON-RPC 2.0"
    return frames.failure(frames.asked(line) or b"null", f"This line is {what}. Nothing was done.", frames.INVALID)


def _crowded(message: JSONRPCRequest) -> bytes:
    if message.method == LISTEN:
        text = f"This connection has {MAX_OPEN} subscriptions, and no more. End one, or put several into one."
    else:
        text = (
            f"On this connection {MAX_BEGUN} requests are under way and up to {MAX_WAITING} wait. This one was not begun "
            "and nothing was done. Send it again after an answer."
        )
    return frames.failure(json.dumps(message.id).encode(), text)

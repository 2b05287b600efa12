"""The proxy's two ends: a client's connection with its requests, and a WebSocket frame by frame."""

import asyncio
import json
import socket
import struct
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, Protocol
from urllib.parse import urlsplit

import h11

from tests.notte.spoiling import (
    Close,
    Cut,
    Fault,
    Half,
    Junk,
    Lose,
    Refuse,
    Reply,
    Reset,
    Seen,
    Silence,
    Slow,
    Stall,
    Swap,
)

_TEXT, _CLOSE = 1, 8


class Between(Protocol):
    """What a connection asks of the proxy it is one of."""

    upstream: str
    sockets: int

    async def note(self, one: Seen) -> Fault | None:
        """Remember a request; what is to be done to it."""
        ...

    async def pass_on(self, one: Seen) -> Reply:
        """Ask the server behind."""
        ...

    async def until_over(self) -> None:
        """Wait for the proxy's end."""
        ...


class Connection:
    """One connection of a client, kept for its next request."""

    def __init__(self, between: Between, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._between, self._reader, self._writer = between, reader, writer
        self._http = h11.Connection(h11.SERVER)

    async def serve(self) -> None:
        while (one := await self._request()) is not None:
            fault = await self._between.note(one)
            if one.method == "WS":
                await WebSocket(self._between, self._reader, self._writer, fault).relay(
                    one, self._http.trailing_data[0]
                )
                return
            if not await self._answered(one, fault):
                return
            if self._http.our_state is h11.MUST_CLOSE or self._http.their_state is h11.MUST_CLOSE:
                return
            self._http.start_next_cycle()

    async def _request(self) -> Seen | None:
        head, body = None, b""
        while True:
            event = self._http.next_event()
            if event is h11.NEED_DATA:
                self._http.receive_data(await self._reader.read(65536))
            elif isinstance(event, h11.Request):
                head = event
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage) and head is not None:
                return _seen(head, body)
            else:
                return None

    async def _answered(self, one: Seen, fault: Fault | None) -> bool:
        """Whether the connection goes on."""
        between = self._between
        match fault:
            case Reply():
                return await self._send(fault)
            case Reset():
                return self._break()
            case Stall() if not fault.passed:
                return await self._never()
            case _:
                reply = await between.pass_on(one)
        match fault:
            case Swap():
                reply = fault.reply
            case Lose():
                return self._break()
            case Stall():
                return await self._never()
            case Slow():
                await asyncio.sleep(fault.seconds)
            case _:
                pass
        return await self._send(reply, half=isinstance(fault, Half))

    async def _never(self) -> bool:
        await first(self._reader.read(1), self._between.until_over())
        return False

    async def _send(self, reply: Reply, *, half: bool = False) -> bool:
        body, kind = _body(reply.body)
        headers = {"content-type": kind} | {name.lower(): value for name, value in reply.headers.items()}
        headers["content-length"] = str(len(body))
        head = h11.Response(status_code=reply.status, headers=list(headers.items()))
        self._writer.write(self._http.send(head) or b"")
        sent = body[: len(body) // 2] if half else body
        self._writer.write(self._http.send(h11.Data(data=sent)) or b"")
        if half:
            await self._writer.drain()
            return self._break(gently=True)
        self._writer.write(self._http.send(h11.EndOfMessage()) or b"")
        await self._writer.drain()
        return True

    def _break(self, *, gently: bool = False) -> bool:
        if gently:
            # A reset might overtake what was sent before it.
            self._writer.close()
        else:
            reset(self._writer)
        return False


class WebSocket:
    """One WebSocket, whose frames from the server are read one by one; what the client sends is passed on as it is."""

    def __init__(
        self, between: Between, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, fault: Fault | None
    ) -> None:
        self._between, self._reader, self._writer, self._fault = between, reader, writer, fault

    async def relay(self, one: Seen, early: bytes) -> None:
        if isinstance(self._fault, Refuse) or not self._between.upstream:
            status = self._fault.status if isinstance(self._fault, Refuse) else 404
            self._writer.write(f"HTTP/1.1 {status} Refused\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".encode())
            await self._writer.drain()
            return
        parts = urlsplit(self._between.upstream)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        self._between.sockets += 1
        try:
            writer.write(_handshake(one, parts.netloc) + early)
            head = await reader.readuntil(b"\r\n\r\n")
            self._writer.write(head)
            if b" 101 " not in head.partition(b"\r\n")[0]:
                self._writer.write(await reader.read(65536))
                await self._writer.drain()
                return
            await first(_pour(self._reader, writer), self._frames(reader))
        finally:
            self._between.sockets -= 1
            writer.transport.abort()

    async def _frames(self, reader: asyncio.StreamReader) -> None:
        texts, fault = 0, self._fault
        while True:
            if isinstance(fault, Close | Cut | Silence | Junk) and texts >= fault.after:
                if not await self._spoil(fault):
                    return
                fault = None
            opcode, whole = await _frame(reader)
            self._writer.write(whole)
            await self._writer.drain()
            texts += opcode == _TEXT

    async def _spoil(self, fault: Close | Cut | Silence | Junk) -> bool:
        """Whether it goes on after that."""
        match fault:
            case Junk():
                for text in fault.frames:
                    self._writer.write(_text_frame(text))
                return True
            case Close():
                self._writer.write(struct.pack("!BBH", 0x80 | _CLOSE, 2, fault.code))
                await self._writer.drain()
            case Cut():
                await self._writer.drain()
                reset(self._writer)
            case Silence():
                await self._between.until_over()
        return False


async def first(*waits: Coroutine[Any, Any, Any]) -> None:
    """Until the first of them is over; the others are given up."""
    tasks = [asyncio.create_task(one) for one in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def reset(writer: asyncio.StreamWriter) -> None:
    """Break a connection so that the other end is told of a reset."""
    raw: socket.socket = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def _seen(head: h11.Request, body: bytes) -> Seen:
    path, _, query = head.target.decode().partition("?")
    headers = {name.decode().lower(): value.decode("latin-1") for name, value in head.headers}
    method = "WS" if headers.get("upgrade", "").lower() == "websocket" else head.method.decode()
    return Seen(method, path, query, headers, body)


def _body(body: Any) -> tuple[bytes, str]:
    if isinstance(body, bytes):
        return body, "application/octet-stream"
    return (body.encode(), "text/html") if isinstance(body, str) else (json.dumps(body).encode(), "application/json")


def _handshake(one: Seen, host: str) -> bytes:
    target = one.path + (f"?{one.query}" if one.query else "")
    lines = [f"GET {target} HTTP/1.1", f"host: {host}", *(f"{k}: {v}" for k, v in one.headers.items() if k != "host")]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


async def _pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while piece := await reader.read(65536):
            writer.write(piece)
            await writer.drain()
    writer.transport.abort()


async def _frame(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """One frame of a server (which masks none): its opcode and all its bytes."""
    head = await reader.readexactly(2)
    size = head[1] & 0x7F
    wide = await reader.readexactly({126: 2, 127: 8}.get(size, 0))
    payload = await reader.readexactly(int.from_bytes(wide, "big") if wide else size)
    return head[0] & 0x0F, head + wide + payload


def _text_frame(text: str) -> bytes:
    payload = text.encode()
    wide = bytes([len(payload)]) if len(payload) < 126 else b"\x7e" + struct.pack("!H", len(payload))
    return bytes([0x80 | _TEXT]) + wide + payload

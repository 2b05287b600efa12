"""The keeper's door: where it listens, and who may come in.

A Unix socket in a folder that only its owner can enter; where there are none, a port on loopback,
with a token in a file that only its owner can read.

Below: places. Above: serve, connection.
"""

import hmac
import os
import secrets
import socket
import struct
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

from anyio.abc import SocketAttribute, SocketListener, SocketStream

from notte_mcp.keeper.places import PORT, SOCKET

BACKLOG: Final = 128

_SOL_LOCAL: Final = 0
_LOCAL_PEERCRED: Final = 1
_XUCRED: Final = struct.Struct("Ii")


class Door:
    """See the module. Opened in the keeper's folder, which this process has entered."""

    def __init__(self, listener: SocketListener, token: str) -> None:
        self.listener = listener
        self._token = token
        self._place = _place()

    @classmethod
    async def open(cls, *, unix: bool = hasattr(socket, "AF_UNIX")) -> "Door":
        """Listen from now on. What a dead keeper left in the way is removed; the caller holds the life's lock."""
        clear()
        if unix:
            with suppress(OSError):  # a filesystem without sockets
                return cls(await _on_socket(), "")
        return await _on_port()

    async def close(self) -> None:
        """Nobody comes in any more, and nothing is left that says where."""
        if _place() == self._place:  # else another keeper has taken it
            clear()
        await self.listener.aclose()

    def lets_in(self, stream: SocketStream, token: str) -> bool:
        """Whether who is at the other end is our own user."""
        if self._token:
            return hmac.compare_digest(token.encode(), self._token.encode())
        uid = peer_uid(stream.extra(SocketAttribute.raw_socket))  # noqa: S610 - anyio's, no database's
        return uid is None or uid == os.geteuid()


def _place() -> int | None:
    """What says where a keeper listens, as the filesystem knows it."""
    for name in (SOCKET, PORT):
        with suppress(OSError):
            return Path(name).stat().st_ino
    return None


def clear() -> None:
    """Remove what says where a keeper listens."""
    for name in (SOCKET, PORT):
        with suppress(FileNotFoundError):
            Path(name).unlink()


def peer_uid(raw: socket.socket) -> int | None:
    """The user of the process at the other end of a Unix socket; None where the system does not tell."""
    if sys.platform == "linux":
        return struct.unpack("3i", raw.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[1]
    if sys.platform == "darwin":
        return _XUCRED.unpack_from(raw.getsockopt(_SOL_LOCAL, _LOCAL_PEERCRED, 76))[1]
    return None


async def _on_socket() -> SocketListener:
    raw = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        before = os.umask(0o177)
        try:
            raw.bind(SOCKET)
        finally:
            os.umask(before)
        raw.listen(BACKLOG)
        raw.settimeout(0)
        return await SocketListener.from_socket(raw)
    except BaseException:
        raw.close()
        raise


async def _on_port() -> Door:
    raw = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        raw.bind(("127.0.0.1", 0))
        raw.listen(BACKLOG)
        raw.settimeout(0)
        token = secrets.token_hex(32)
        _write_port(f"{raw.getsockname()[1]} {token}")
        return Door(await SocketListener.from_socket(raw), token)
    except BaseException:
        raw.close()
        raise


def _write_port(text: str) -> None:
    # Whole from the first moment: who connects meanwhile must not read half of it.
    new = Path(f"{PORT}.new")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    new.replace(PORT)

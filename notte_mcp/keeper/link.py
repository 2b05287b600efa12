r"""One connection to the keeper, from the side of who connects: how it is made, and what is still to be answered on it.

What is said first is a block of names and values (`greeting`, `parse`), answered by one line:

    notte-mcp 1 <bytes>\n  name NUL value NUL ...      ->      ok <pid>  |  refused <why>  |  wrong <why>  |  leaving

This stays as it is in every version, since it is by this that versions find out that they differ.

Of the relay's path (see wanted): `_socket` is what `socket` wraps in enums. Below: frames, places. Above: relay, commands.
"""

import os
import sys
import time
from _socket import AF_INET, SHUT_RDWR, SHUT_WR, SOCK_STREAM
from _socket import socket as Socket  # noqa: N812 - a class, whatever C calls it
from _thread import allocate_lock

from notte_mcp.keeper.places import PORT, SOCKET

if sys.platform != "win32":
    from _socket import AF_UNIX

HELLO = b"notte-mcp 1 "
MAX_GREETING = 1024 * 1024
"""Bytes of names and values."""

GREET_S = 5.0
"""How long the keeper may take to answer a greeting."""

CHUNK = 256 * 1024


class Gone(Exception):
    """No keeper answers there. Nothing was sent to it."""


class Refused(Exception):
    """The keeper does not take this connection; the text says why, and what mends it."""


class Wrong(Exception):
    """The settings that came with the connection are wrong; the text says which."""


def greeting(values: dict[str, str]) -> bytes:
    """What is said first. No name or value holds a NUL. Of an environment that is too long the longest is left out."""
    parts = {name: os.fsencode(f"{name}\0{value}\0") for name, value in values.items()}
    while sum(map(len, parts.values())) > MAX_GREETING:
        del parts[max((name for name in parts if name.startswith("env.")), key=lambda name: len(parts[name]))]
    block = b"".join(parts.values())
    return HELLO + b"%d\n" % len(block) + block


def parse(block: bytes) -> dict[str, str]:
    """The names and values of a greeting's block."""
    parts = os.fsdecode(block).split("\0")[:-1]
    return dict(zip(parts[::2], parts[1::2], strict=False))


def named(values: dict[str, str], prefix: str) -> dict[str, str]:
    """Those of the values whose names begin so, without that: `flag.` or `env.`."""
    return {name[len(prefix) :]: value for name, value in values.items() if name.startswith(prefix)}


class Link:
    """A connection that the keeper has taken. `pid` is the keeper's; `said` what it answered besides.

    `expect`, `answered` and `end` keep one account between the thread that sends and the one that reads: every
    request is answered once, by the keeper or because it is gone.
    """

    def __init__(self, wire: Socket, pid: int, said: str) -> None:
        self.pid = pid
        self.said = said
        self._wire = wire
        self._lock = allocate_lock()
        self._open: dict[bytes, None] | None = {}
        self._since = time.monotonic()

    @property
    def is_over(self) -> bool:
        return self._open is None

    def send(self, line: bytes) -> None:
        """Raises: OSError: the keeper is gone, and never had this whole line."""
        self._wire.sendall(line)

    def receive(self) -> bytes:
        """The next bytes; none at the end, whatever ended it."""
        try:
            found = self._wire.recv(CHUNK)
        except OSError:
            return b""
        self.alive()
        return found

    def alive(self) -> None:
        """Something was heard of the keeper."""
        self._since = time.monotonic()

    def silent_s(self) -> float:
        """How long an answer has been due, and nothing at all was heard (seconds)."""
        return time.monotonic() - self._since if self._open else 0.0

    def patience(self, seconds: float | None) -> None:
        """How long `receive` waits before it takes that for the end; None: for ever."""
        self._wire.settimeout(seconds)

    def finish(self) -> None:
        """Nothing more will be sent."""
        try:
            self._wire.shutdown(SHUT_WR)
        except OSError:
            return

    def cut(self) -> None:
        """End it for the threads that send and receive, wherever they wait."""
        try:
            self._wire.shutdown(SHUT_RDWR)
        except OSError:
            return

    def close(self) -> None:
        """Let go of it; who still sends learns that it is gone."""
        self._wire.close()

    def expect(self, asked: bytes) -> bool:
        """An answer to this request is due from now on; False when the link is over."""
        with self._lock:
            if self._open is not None:
                if not self._open:
                    self.alive()
                self._open[asked] = None
            return self._open is not None

    def answered(self, asked: bytes) -> bool:
        """Whether an answer was due, and is no more."""
        with self._lock:
            if self._open is None or asked not in self._open:
                return False
            del self._open[asked]
            return True

    def end(self) -> list[bytes]:
        """The link is over; gives what nobody will answer, once."""
        with self._lock:
            left, self._open = list(self._open or ()), None
        return left


def reach(values: dict[str, str], within_s: float = GREET_S) -> Link:
    """Connect to the keeper whose folder this process is in (`places.enter`), and greet it.

    Raises:
        Gone, Refused, Wrong.
    """
    wire, token = _connected()
    try:
        wire.settimeout(within_s)
        wire.sendall(greeting({**values, "token": token}))
        pid, said = _taken(_line(wire))
        wire.settimeout(None)
    except TimeoutError as error:
        wire.close()
        raise Refused(
            f"The keeper does not answer within {within_s:.0f} s. `notte-mcp keeper stop` ends it; what it holds is "
            "interrupted then and can be restored."
        ) from error
    except OSError as error:
        wire.close()
        raise Gone from error
    except Exception:
        wire.close()
        raise
    return Link(wire, pid, said)


def _taken(answer: str) -> tuple[int, str]:
    """The process id and what else was said to a connection that is taken. Raises: Gone, Refused, Wrong."""
    kind, _, rest = answer.partition(" ")
    if kind == "refused":
        raise Refused(rest)
    if kind == "wrong":
        raise Wrong(rest)
    if kind != "ok":  # `leaving`, or nothing, since it ended meanwhile
        raise Gone
    pid, _, rest = rest.partition(" ")
    return int(pid), rest


def _connected() -> tuple[Socket, str]:
    try:
        if sys.platform != "win32" and os.path.exists(SOCKET):
            return _connect(Socket(AF_UNIX, SOCK_STREAM), SOCKET), ""
        with open(PORT, encoding="ascii") as file:
            port, token = file.read().split()
        return _connect(Socket(AF_INET, SOCK_STREAM), ("127.0.0.1", int(port))), token
    except (OSError, ValueError) as error:
        raise Gone from error


def _connect(wire: Socket, place: str | tuple[str, int]) -> Socket:
    try:
        wire.connect(place)
    except BaseException:
        wire.close()
        raise
    return wire


def _line(wire: Socket) -> str:
    said = b""
    while not said.endswith(b"\n") and (more := wire.recv(CHUNK)):
        said += more
    return said.decode(errors="replace").strip()

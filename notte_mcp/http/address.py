"""An address to listen on: a socket that others can connect to before anybody answers there.

Loopback is for everybody on the machine, so there is a token there too; beyond it is for
everybody, so nothing listens there without tokens and names that somebody gave.

Apart from the listener, whose imports a start need not wait for. Below: nothing. Above: listener, serve, viewer.
"""

import errno
import ipaddress
import socket
import sys
from typing import Final

BACKLOG: Final = 256


class CannotListen(Exception):
    """The address cannot be listened on; the text is a sentence that says why, and what to do."""


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach what listens there. Raises: CannotListen: it is no address."""
    try:
        return ipaddress.ip_address("127.0.0.1" if host == "localhost" else host).is_loopback
    except ValueError as error:
        raise CannotListen(
            f"{host!r} is no address to listen on: give one such as 127.0.0.1, ::1 or 0.0.0.0, or localhost."
        ) from error


def bind(host: str, port: int) -> socket.socket:
    """A socket on this address; nobody is answered yet. Port 0 is any free one.

    Raises:
        CannotListen.
    """
    is_loopback(host)
    address = "127.0.0.1" if host == "localhost" else host
    taken = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    try:
        # Who is let in inherits it: an answer's head and body are two writes, and without it the second would wait for
        # the caller's word that the first came (40 ms). asyncio sets it only where a socket names its protocol.
        taken.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if sys.platform != "win32":  # there it would let two listen on one port
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind((address, port))
        taken.listen(BACKLOG)
    except OSError as error:
        taken.close()
        raise CannotListen(_why(host, port, error)) from error
    taken.setblocking(False)  # noqa: FBT003 - its only form
    return taken


def _why(host: str, port: int, error: OSError) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return f"Port {port} on {host} is taken: another server listens there; end it, or give another --port."
        case errno.EACCES:
            return f"Port {port} may not be used by this user; give a --port above 1023."
        case errno.EADDRNOTAVAIL:
            return f"{host} is no address of this machine; give one that is, such as 127.0.0.1."
        case _:
            return f"{host}:{port} cannot be listened on ({error.strerror or error}); give another --host or --port."

"""How a server on HTTP begins: where it may listen, the URL it is told by, and what is said where it cannot begin.

Below: address, token_file; state_folder, errors. Above: serve, api.
"""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from notte_mcp.errors import NotteMCPError
from notte_mcp.http import token_file
from notte_mcp.http.address import CannotListen, is_loopback
from notte_mcp.state_folder import StateFolder

REFUSALS = (CannotListen, NotteMCPError, token_file.TokenFileUnusable)
"""What keeps a server from beginning; its text says why, and what to do."""


def failed(why: object) -> int:
    """Say on stderr why nothing is served; gives the exit code."""
    sys.stderr.write(f"notte-mcp: {why}\n")
    return 1


def require_names(host: str, *, asked: str, hosts: Sequence[str]) -> None:
    """See that beyond loopback nothing listens without a secret and names that somebody gave. `asked`: the sentence
    that asks for a secret where the settings hold none, else empty.

    Raises:
        CannotListen: others could reach the address, and nobody said who may and by which name.
    """
    if is_loopback(host):
        return
    reached = f"{host} can be reached from other machines, so the"
    if asked:
        raise CannotListen(f"{reached} {asked} TLS is a reverse proxy's task. Or leave --host out.")
    if not hosts:
        raise CannotListen(
            f"{reached} names by which it may be called have to be given: --allowed-host NAME, as it stands in the URL "
            "(with :PORT, where that has one)."
        )


def show(state_dir: Path, secret: Callable[[], str]) -> int:
    """Write a secret that was made, or is made now, to stdout; gives the exit code."""
    try:
        StateFolder.open(state_dir).close()
        sys.stdout.write(f"{secret()}\n")
    except REFUSALS as error:
        return failed(error)
    return 0


def origin(host: str, port: int) -> str:
    """The URL of a listening address, without a path."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

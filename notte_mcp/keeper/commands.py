"""`notte-mcp keeper status` and `notte-mcp keeper stop`.

Below: link, locks, places. Above: commands.
"""

import json
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

from notte_mcp.keeper import locks, places
from notte_mcp.keeper.link import Gone, Link, Refused, Wrong, reach

STOP_S: Final = 5.0
"""How long a keeper may take to end in order, before it is killed."""

ANSWER_S: Final = 2.0
"""How long it may take to answer a command."""

NOTHING: Final = "nothing"
"""How a keeper says that nothing is live in it (life)."""

DONE: Final = 0
FAILED: Final = 1


def run(command: str, state: Path) -> int:
    """Do the command in this state folder; gives the exit code."""
    if not (state / "keeper").is_dir():
        print(f"No keeper runs for {state}.")
        return DONE
    try:
        places.enter(str(state))
    except places.FolderUnusable as error:
        print(f"notte-mcp: {error}", file=sys.stderr)
        return FAILED
    return _status(state) if command == "status" else _stop(state)


def _status(state: Path) -> int:
    try:
        link = _ask("status")
    except Gone:
        print(f"No keeper runs for {state}.")
        return DONE
    except Refused as error:
        print(f"notte-mcp: {error}", file=sys.stderr)
        return FAILED
    link.close()
    found = json.loads(link.said)
    print(f"keeper of {state}: process {link.pid}, version {found['version']}")
    print(f"connections  {found['connections']}")
    for kind in ("sessions", "agents", "runs"):
        print(f"{kind:<12} {', '.join(found[kind]) or 'none'}")
    print(f"log          {state / 'keeper' / places.LOG}")
    return DONE


def _stop(state: Path) -> int:
    """In order, and by force where it does not answer: its browsers die with it, and records are kept at every step."""
    said = ""
    with suppress(Gone, Refused):
        link = _ask("stop")
        said = link.said
        link.close()
    lock = locks.take(places.LIFE, wait_s=STOP_S if said else 0)
    if lock is not None and not said:
        print(f"No keeper runs for {state}.")
    elif lock is not None:
        left = "nothing was live in it" if said == NOTHING else f"what was live in it ({said}) is interrupted"
        print(f"The keeper has ended; {left}.")
    elif (lock := _killed()) is not None:
        print("The keeper did not answer and was killed; what was live in it is interrupted.")
    else:
        print("notte-mcp: the keeper cannot be ended.", file=sys.stderr)
        return FAILED
    locks.free(lock)
    return DONE


def _ask(kind: str) -> Link:
    """Raises: Gone, Refused."""
    try:
        return reach({"kind": kind}, ANSWER_S)
    except Wrong as error:
        raise Refused(str(error)) from error


def _killed() -> int | None:
    """End the process that holds the lock (it wrote its number there), and take that."""
    with suppress(OSError, ValueError):
        os.kill(int(Path(places.LIFE).read_text(encoding="ascii")), getattr(signal, "SIGKILL", signal.SIGTERM))
    return locks.take(places.LIFE, wait_s=STOP_S)

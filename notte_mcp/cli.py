"""The console script: to the relay at once where that is wanted, else to the full command line.

A host waits for the relay's start, so nothing is imported on the way to it that it does not need.

Above everything.
"""

import os
import sys

from notte_mcp.keeper import wanted

RELAY_BY_DEFAULT = False
"""Whether the server without a flag runs in the keeper (`--in-process` is for the rest then) or in one process."""


def main(argv: list[str] | None = None) -> int:
    """Run the command line; gives the exit code."""
    parent = os.getppid()  # now: it may die while the rest is being imported
    given = list(sys.argv[1:] if argv is None else argv)
    flags = wanted.server_flags(given)
    if flags is not None and wanted.wants_keeper(flags, dict(os.environ), default=RELAY_BY_DEFAULT):
        from notte_mcp.keeper import relay

        relay.run(flags, parent)
        given = [*wanted.words(flags), "--in-process"]
    from notte_mcp import commands

    return commands.run(given, parent=parent, relay_by_default=RELAY_BY_DEFAULT)

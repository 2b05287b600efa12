"""The console script: to the relay at once where the server is wanted, else to the full command line.

A host waits for the relay's start, so nothing is imported on the way to it that it does not need.

Above everything.
"""

import os
import sys

from notte_mcp.keeper import wanted


def main(argv: list[str] | None = None) -> int:
    """Run the command line; gives the exit code."""
    parent = os.getppid()  # now: it may die while the rest is being imported
    given = list(sys.argv[1:] if argv is None else argv)
    alone = ""
    flags = wanted.server_flags(given)
    if flags is not None and wanted.wants_keeper(flags, dict(os.environ)):
        from notte_mcp.keeper import relay

        alone = relay.run(flags, parent)
        given = [*wanted.words(flags), "--in-process"]
    from notte_mcp import commands

    return commands.run(given, parent=parent, alone=alone)

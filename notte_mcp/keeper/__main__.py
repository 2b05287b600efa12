"""`python -m notte_mcp.keeper` is how a relay starts the keeper: it leaves whoever started it, and stays.

Below: serve. Above: nothing; starting runs it.
"""

import os
import sys


def detach() -> None:
    """Be nobody's child and in no terminal's session: hosts end their children, and what those started.

    Before anything is imported, since a process with threads cannot be halved.
    """
    if hasattr(os, "fork"):
        if os.fork():
            os._exit(0)
        os.setsid()


if __name__ == "__main__":
    detach()
    from notte_mcp.keeper.serve import main

    sys.exit(main(sys.argv[1:]))

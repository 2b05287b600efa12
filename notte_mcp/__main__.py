"""`python -m notte_mcp` is the console script `notte-mcp`."""

import sys

from notte_mcp.cli import main

if __name__ == "__main__":
    sys.exit(main())

"""Find a Chromium that starts, or install one, and print its path.

The path goes to stdout and everything else to stderr, so that a Makefile may
write `NOTTE_MCP_BROWSER=$(python scripts/find_chromium.py)`.

`NOTTE_MCP_BROWSER` is taken at its word: that one or none. Without it: the names on the
PATH, then Playwright's own; installed otherwise, unless `--no-install` (how is told in
`notte_mcp.doctor.installing`, which does it). Exit code 1 when there is none, with the
commands that help.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

# Run by its path, Python looks for modules beside this file alone.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from notte_mcp.doctor import installing

HELP: Final = """\
No Chromium was found. Install one and run this again:
  sudo apt-get install chromium
  .venv/bin/playwright install chromium && sudo .venv/bin/playwright install-deps chromium
or name one: NOTTE_MCP_BROWSER=/path/to/chrome make ..."""


def find() -> str | None:
    """The Chromium that `NOTTE_MCP_BROWSER` names, else the first that starts, or None. Says which did not."""
    return installing.find(os.environ.get("NOTTE_MCP_BROWSER"))


def main(arguments: Sequence[str]) -> int:
    """Print the path of a Chromium; gives the exit code."""
    path = find()
    if path is None and (named := os.environ.get("NOTTE_MCP_BROWSER")):
        installing.say(f"NOTTE_MCP_BROWSER names {named}: mend it, or unset it to have a Chromium found or installed.")
        return 1
    if path is None and "--no-install" not in arguments:
        path = installing.install()
    if path is None:
        installing.say(HELP)
        return 1
    print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

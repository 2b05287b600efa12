"""Importing: silent, and without what a start does not need."""

import json
import subprocess
import sys

ASK = """
import sys
import notte_mcp, notte_mcp.cli, notte_mcp.commands
print("\\n" + __import__("json").dumps(sorted(sys.modules)), file=sys.stderr)
"""


def test_importing_the_package_prints_nothing_on_stdout_and_loads_no_browser_and_no_database() -> None:
    """MCP: stdout is the protocol's from the first byte. Ours: the first answer does not wait for unneeded imports."""
    done = subprocess.run([sys.executable, "-c", ASK], capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    *said, modules = done.stderr.splitlines()
    assert "".join(said) == ""
    assert {"playwright", "sqlalchemy", "markdownify"}.isdisjoint(json.loads(modules))

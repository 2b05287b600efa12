"""All tools, in the order in which they are listed (always the same: hosts cache by it).

A new tool is one function in its noun's module, declared in that module's `TOOLS`.
"""

from typing import Final

from mcp.server.mcpserver.tools import Tool

from notte_mcp.tools import execute, pages, reading, running, start, status, steer, stop, workflows

_ORDER: Final = (
    "notte_start",
    "notte_observe",
    "notte_execute",
    "notte_scrape",
    "notte_status",
    "notte_steer",
    "notte_stop",
    "notte_workflow_code",
    "notte_run_workflow",
    "notte_read",
)

_TOOLS: Final = (
    *start.TOOLS,
    *pages.TOOLS,
    *execute.TOOLS,
    *status.TOOLS,
    *steer.TOOLS,
    *stop.TOOLS,
    *workflows.TOOLS,
    *running.TOOLS,
    *reading.TOOLS,
)


def all_tools() -> list[Tool]:
    """Every tool, in the order of the usual work."""
    return sorted(_TOOLS, key=lambda tool: _ORDER.index(tool.name))

"""notte-mcp: an MCP server that gives an assistant real browsers.

Only the version stands here, so that importing the package costs nothing and
prints nothing: until the server runs, stdout is already the protocol's wire.
"""

__version__ = "0.1.0"

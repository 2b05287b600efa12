"""The floor of a start: the SDK's server with one tool that does nothing."""

from mcp.server import MCPServer

server = MCPServer("bare")


@server.tool()
def nothing() -> None:
    """Do nothing."""


if __name__ == "__main__":
    server.run("stdio")

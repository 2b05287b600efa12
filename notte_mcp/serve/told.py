"""What `notte-mcp serve` says on stderr when it begins: where it is, where the token lies, and what to tell a host.

Never the token itself: terminals are recorded, and logs are sent around.

Below: nothing. Above: serving.
"""

import shlex
from collections.abc import Sequence
from pathlib import Path


def beginning(url: str, names: Sequence[str], token_file: Path | None, *, beyond: bool) -> str:
    """The lines. `token_file` is None where the tokens were given; `beyond`: others can reach the address."""
    lines = [f"notte-mcp: MCP is served at {url} for {', '.join(names)}; Ctrl+C ends it."]
    if beyond:
        lines.append("What comes in is not encrypted here: put a reverse proxy with TLS in front.")
    if token_file is None:
        return "\n".join([*lines, "Each sends its own token as the header `Authorization: Bearer TOKEN`."])
    token = f"$(cat {shlex.quote(str(token_file))})"
    cursor = f'{{"mcpServers": {{"notte": {{"url": "{url}", "headers": {_header("${env:NOTTE_MCP_TOKEN}")}}}}}}}'
    code = f'{{"servers": {{"notte": {{"type": "http", "url": "{url}", "headers": {_header("${input:notte}")}}}}},'
    asked = '"inputs": [{"id": "notte", "type": "promptString", "password": true, "description": "notte-mcp token"}]}'
    return "\n".join(
        [
            *lines,
            f"The token is in {token_file} (`notte-mcp serve --show-token` prints it). To add it to",
            f'  Claude Code:  claude mcp add --transport http notte {url} --header "Authorization: Bearer {token}"',
            f'  Cursor:       export NOTTE_MCP_TOKEN="{token}", and in ~/.cursor/mcp.json',
            f"                {cursor}",
            "  VS Code:      in .vscode/mcp.json (it asks for the token)",
            f"                {code}",
            f"                 {asked}",
        ]
    )


def _header(token: str) -> str:
    return f'{{"Authorization": "Bearer {token}"}}'

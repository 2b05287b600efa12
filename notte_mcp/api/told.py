"""What `notte-mcp api` says on stderr when it begins: where it is, where the key lies, and what to export for an SDK.

Never the key itself: terminals are recorded.

Below: nothing. Above: serving.
"""

import shlex
from pathlib import Path


def beginning(url: str, contract: str | None, key_file: Path | None, *, beyond: bool) -> str:
    """The lines. `contract` is None where it is that of the SDK that asks; `key_file` is None where the key was given; `beyond`: others can reach the address."""
    which = "contract 1.10 or 1.9, as the SDK that asks" if contract is None else f"contract {contract}"
    lines = [f"notte-mcp: the Notte API ({which}) is served at {url}; Ctrl+C ends it."]
    if beyond:
        lines.append("What comes in is not encrypted here: put a reverse proxy with TLS in front.")
    if key_file is None:
        key = "THE_KEY_YOU_SET_AS_NOTTE_MCP_API_KEY"
        lines.append("For a Notte SDK:")
    else:
        key = f'"$(cat {shlex.quote(str(key_file))})"'
        lines.append(f"The key is in {key_file} (`notte-mcp api --show-key` prints it). For a Notte SDK:")
    return "\n".join([*lines, f"  export NOTTE_API_URL={url}", f"  export NOTTE_API_KEY={key}"])

"""The MCP app's page: one HTML text with its style and script in it, which asks nothing of any address.

Hosts put it into a frame of their own, under a policy of theirs; ours stands in it all the same.

Below: nothing. Above: tools.app_view.
"""

import base64
import hashlib
from functools import cache
from importlib import resources
from typing import Final

_SCRIPTS: Final = ("app_host.js", "app.js")


@cache
def app_page() -> str:
    """The whole page."""
    style = _part("app.css")
    script = "\n".join(_part(name) for name in _SCRIPTS)
    policy = (
        f"default-src 'none'; img-src data:; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    page = _part("app.html").replace("{policy}", policy)
    return page.replace("{style}", style).replace("{script}", script)


def _part(name: str) -> str:
    return (resources.files("notte_mcp.viewer") / name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()

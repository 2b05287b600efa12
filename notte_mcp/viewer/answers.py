"""Answers over HTTP: JSON, a file of the page, a file from the disk. Each is told never to be kept or guessed at.

Below: http.refusals. Above: routes.
"""

import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any, Final

from starlette.types import Send

from notte_mcp.http.refusals import ALWAYS

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""What the viewer's page may load: its own files, and the pictures that it makes."""

REPLAY_POLICY: Final = "sandbox allow-scripts allow-downloads; frame-ancestors 'none'"
"""A replay has a policy of its own inside; it has no part in the viewer's origin."""

CLOSED: Final = {
    **ALWAYS,
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
"""Headers of everything that a browser shows."""

_KINDS: Final = {"html": "text/html", "css": "text/css", "js": "text/javascript"}
_SHARED: Final = ("tokens.css", "log_lines.css", "dom.js", "log_lines.js")
OWN: Final = (
    *("page.css", "controls.css"),
    *("link.js", "dialogs.js", "picture.js", "typing.js", "popups.js", "hand.js", "panel.js", "page.js"),
)


def page_files() -> dict[str, tuple[str, bytes]]:
    """(kind, content) of the viewer's page (under "") and of its files, by name."""
    own, shared = files("notte_mcp.viewer").joinpath("page"), files("notte_mcp.replay")
    found = {"": ("text/html; charset=utf-8", own.joinpath("page.html").read_bytes())}
    for folder, names in ((own, OWN), (shared, _SHARED)):
        for name in names:
            kind = _KINDS[name.rpartition(".")[2]]
            found[name] = (f"{kind}; charset=utf-8", folder.joinpath(name).read_bytes())
    return found


async def send_bytes(
    send: Send, kind: str, body: bytes, *, policy: str = POLICY, status: int = 200, empty: bool = False
) -> None:
    """Something that a browser shows; `empty` leaves the body out, as HEAD asks for."""
    head = {"content-type": kind, "content-length": str(len(body)), "content-security-policy": policy, **CLOSED}
    await _send(send, status, head, b"" if empty else body)


async def send_json(send: Send, value: Mapping[str, Any]) -> None:
    """A value for the page's script."""
    body = json.dumps(value).encode()
    await _send(send, 200, {"content-type": "application/json", "content-length": str(len(body)), **CLOSED}, body)


async def _send(send: Send, status: int, head: Mapping[str, str], body: bytes) -> None:
    headers = [(name.encode(), value.encode()) for name, value in head.items()]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})

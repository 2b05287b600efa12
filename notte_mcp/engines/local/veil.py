"""The veil, from outside: its script stands in every document of a page before the document's own scripts run.

`page/veil.js` says what it does. Here it is put into a page's session, for the documents that are there and for those
that come, and into the frames that have a process of their own (and the frames in those): such a frame waits until the
script is in it. It shares the isolated world of `world`, and so what is known there of fields that took a secret once.

Below: `cdp`, `world`. Above: `tab`. Facts: Chromium 156; scripts for new documents need `Page.enable` in their session,
and Playwright's sessions reach frames of other processes only by messages that are sent through their page.
"""

import asyncio
import itertools
import json
from contextlib import suppress
from functools import cache
from importlib import resources
from typing import Any, Final

from playwright.async_api import Error as PlaywrightError

from notte_mcp.engines.local.cdp import Cdp
from notte_mcp.engines.local.world import WORLD_NAME

_PARTS: Final = ("roles.js", "veil.js")
_FRAMES: Final = {
    "autoAttach": True, "waitForDebuggerOnStart": True, "flatten": False, "filter": [{"type": "iframe"}],
}  # fmt: skip


@cache
def veil_source() -> str:
    """The code of the veil, one function scope around it."""
    folder = resources.files("notte_mcp.engines.local") / "page"
    body = "\n".join((folder / part).read_text(encoding="utf-8") for part in _PARTS)
    return f'(() => {{ "use strict"; if (globalThis.notteVeil) return;\n{body}\n}})()'


class Veil:
    """The veil of one page. Made by `over`."""

    def __init__(self, cdp: Cdp) -> None:
        self._cdp = cdp
        self._numbers = itertools.count(1)
        self._telling: set[asyncio.Task[None]] = set()

    @classmethod
    async def over(cls, cdp: Cdp) -> "Veil":
        """Veil a page, from this document on.

        Raises:
            playwright Error: the page is gone.
        """
        veil = cls(cdp)
        cdp.hear("Target.attachedToTarget", lambda event: veil._frame_came((), event))
        cdp.hear("Target.receivedMessageFromTarget", lambda event: veil._frame_said((), event))
        await asyncio.gather(
            cdp.send("Page.enable"),
            cdp.send("Page.addScriptToEvaluateOnNewDocument", _script()),
            cdp.send("Target.setAutoAttach", _FRAMES),
        )
        return veil

    def _frame_came(self, above: tuple[str, ...], event: dict[str, Any]) -> None:
        path = (*above, str(event["sessionId"]))
        self._tell(path, "Page.enable", {})
        self._tell(path, "Page.addScriptToEvaluateOnNewDocument", _script())
        self._tell(path, "Target.setAutoAttach", _FRAMES)
        self._tell(path, "Runtime.runIfWaitingForDebugger", {})

    def _frame_said(self, above: tuple[str, ...], event: dict[str, Any]) -> None:
        message, path = json.loads(event["message"]), (*above, str(event["sessionId"]))
        match message.get("method"):
            case "Target.attachedToTarget":
                self._frame_came(path, message["params"])
            case "Target.receivedMessageFromTarget":
                self._frame_said(path, message["params"])
            case _:
                pass

    def _tell(self, path: tuple[str, ...], method: str, params: dict[str, Any]) -> None:
        """Send a frame's session a command, through the sessions it is in. Those that are told one after the other
        arrive so; an answer is not waited for."""
        for session in reversed(path):
            message = json.dumps({"id": next(self._numbers), "method": method, "params": params})
            method, params = "Target.sendMessageToTarget", {"sessionId": session, "message": message}
        telling = asyncio.create_task(self._send(method, params))
        self._telling.add(telling)
        telling.add_done_callback(self._telling.discard)

    async def _send(self, method: str, params: dict[str, Any]) -> None:
        with suppress(PlaywrightError):  # the frame is gone again
            await self._cdp.send(method, params)


def _script() -> dict[str, Any]:
    return {"source": veil_source(), "worldName": WORLD_NAME, "runImmediately": True}

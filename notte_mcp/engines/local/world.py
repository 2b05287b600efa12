"""The isolated world: our code inside a page, out of the page's reach.

A frame's document gets a JavaScript world of its own (CDP `Page.createIsolatedWorld`)
that shares the DOM with the page and nothing else, so a page that replaces
`Array.prototype` or `JSON` changes nothing for us. The world is entered at the first
call and entered anew in each new document; `Document.uid` tells documents apart.

Not here: which frames there are (`tab`), what the code says (`page/*.js`).
Below: errors. Above: `tab`, `observer`, `performer`.
"""

import itertools
import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final

import anyio
from playwright.async_api import Error as PlaywrightError

from notte_mcp.engines.local.cdp import Cdp
from notte_mcp.errors import NotteMCPError, PageNotResponding

WORLD_NAME: Final = "notte"
_PARTS: Final = (
    "roles.js", "veil.js", "names.js", "hints.js", "listeners.js", "rows.js", "walk.js", "views.js", "reach.js", "quiet.js", "locators.js", "fields.js", "scroll.js",
    "scrape.js", "describe.js", "spots.js", "main.js",
)  # fmt: skip
_GONE: Final = (
    "Cannot find context",
    "Execution context was destroyed",
    "Inspected target navigated or closed",
    "uniqueContextId not found",
    "No frame for given id found",
    "Frame with the given id was not found",
    "Session closed",
    "Target page, context or browser has been closed",
    "Target closed",
    "Internal error",
)
_uids: Final = itertools.count(1)


class DocumentGone(Exception):
    """The document that a call was made in has been left. Never passes this package's border."""


class ScriptFault(NotteMCPError):
    """Our own code threw inside the page: a fault of ours, told with its first line."""

    code = "script_fault"


@dataclass(frozen=True, slots=True)
class Document:
    """A document that our world has been entered in. `uid` is unique in this process."""

    uid: int
    context_id: int


@cache
def world_source() -> str:
    """The code of the world, one function scope around all parts."""
    folder = resources.files("notte_mcp.engines.local") / "page"
    body = "\n".join((folder / part).read_text(encoding="utf-8") for part in _PARTS)
    return f'(() => {{ "use strict"; if (globalThis.notte) return;\n{body}\n}})()'


class World:
    """Our world in one frame: `call` runs one of its functions in the current document.

    `own_session`: the CDP session's page is this frame, so that its default world is the frame's own.
    """

    def __init__(self, cdp: Cdp, frame_id: str, *, own_session: bool = True) -> None:
        self.cdp = cdp
        self.own_session = own_session
        self.frame_id = frame_id
        self.document: Document | None = None
        self.gone = False
        """Whether no document could be entered the last time: the frame went, or moved to another process."""
        self.silent = False
        """Whether the last call got no answer in its time."""

    async def enter(self) -> Document:
        """Enter the current document.

        Raises:
            DocumentGone: the frame is gone, or navigated while entering.
        """
        try:
            made = await self.cdp.send("Page.createIsolatedWorld", {"frameId": self.frame_id, "worldName": WORLD_NAME})
            context_id = int(made["executionContextId"])
            await self.cdp.send("Runtime.evaluate", {"expression": world_source(), "contextId": context_id})
        except PlaywrightError as error:
            raise _mapped(error) from error
        self.document = Document(next(_uids), context_id)
        return self.document

    async def call(
        self, function: str, argument: Any = None, *, timeout_s: float = 10.0, anew: bool = False, gesture: bool = False
    ) -> Any:
        """`notte.<function>(argument)` as a JSON value.

        With `anew` the call is made again in the next document when this one is left
        (for looking; never for acting). A `gesture` stands for a person's, which lets the page open a window.

        Raises:
            DocumentGone: the document was left before the call came back.
            PageNotResponding: no answer within `timeout_s`.
        """
        expression = f"notte.{function}({_literal(argument)})"
        for _ in range(3 if anew else 1):
            document = self.document or await self._enter_within(timeout_s)
            try:
                return await self._evaluate(expression, document, timeout_s, gesture=gesture)
            except DocumentGone:
                self.document = None
                if not anew:
                    raise
        raise DocumentGone

    async def _enter_within(self, timeout_s: float) -> Document:
        with anyio.move_on_after(timeout_s):
            for _ in range(5):
                try:
                    document = await self.enter()
                except DocumentGone:
                    await anyio.sleep(0.02)  # a document is being replaced: the next one has no event of its own here
                else:
                    self.gone = False
                    return document
            self.gone = True
            raise DocumentGone
        self.silent = True
        raise _not_responding()

    async def _evaluate(self, expression: str, document: Document, timeout_s: float, *, gesture: bool) -> Any:
        request = {
            "expression": expression,
            "contextId": document.context_id,
            "returnByValue": True,
            "awaitPromise": True,
            "userGesture": gesture,
        }
        with anyio.move_on_after(timeout_s):
            try:
                answer = await self.cdp.send("Runtime.evaluate", request)
            except PlaywrightError as error:
                raise _mapped(error) from error
            self.silent = False
            if thrown := answer.get("exceptionDetails"):
                raise _fault(thrown, expression)
            return answer["result"].get("value")
        self.silent = True
        raise _not_responding()

    async def object_id(self, key: int) -> str:
        """The remote object of an element, for CDP calls that take one.

        Raises:
            DocumentGone: the element or its document is gone.
        """
        if self.document is None:
            raise DocumentGone
        request = {"expression": f"notte.elementFor({key})", "contextId": self.document.context_id}
        try:
            answer = await self.cdp.send("Runtime.evaluate", request)
        except PlaywrightError as error:
            raise _mapped(error) from error
        if (found := answer["result"].get("objectId")) is None:
            raise DocumentGone
        return str(found)


def _literal(value: Any) -> str:
    # JSON is JavaScript but for two line separators inside strings (before ES2019) and "</": neither matters here,
    # and ASCII escapes keep lone surrogates intact.
    return "" if value is None else json.dumps(value)


def _mapped(error: PlaywrightError) -> Exception:
    text = str(error)
    return DocumentGone() if any(sign in text for sign in _GONE) else error


def _fault(thrown: dict[str, Any], expression: str) -> Exception:
    text = str(thrown.get("exception", {}).get("description") or thrown.get("text") or "unknown")
    if "notte is not defined" in text:
        return DocumentGone()
    return ScriptFault(
        f"notte-mcp's own page script failed in {expression[:40]}: {text.splitlines()[0][:200]}.", done=""
    )


def _not_responding() -> PageNotResponding:
    return PageNotResponding(
        "The page does not respond: its own script keeps it busy, or the next page is slow to come.",
        kept="The session and its other tabs live on.",
        next_call='the same call once more, or notte_execute with {"type": "goto", "url": ...} to leave it',
    )

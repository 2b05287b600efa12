"""What the wire cannot tell, asked of the page itself by small scripts (`page/*.js`, sent as `evaluate_js`).

The scripts are installed once a document, under a name that is new for each and with a word of its own that they answer
with, and asked by it from then on: what another document learned of its own is of no use in the next. They live in the
page's own world, so a page can lie to them, as it can to anybody who looks at it; what they do is marked
(`MARK`), so that it can be told from what was asked for. A cloud that runs no scripts, or a page that cannot (a crashed
one, a picture), gives None, and the engine goes on with what the wire tells.

Below: telling. Above: seeing, performing, session.
"""

import json
import re
import secrets
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from importlib import resources
from typing import Any, Final, cast

import anyio

from notte_mcp.engines.notte.telling import told

MARK: Final = "/* notte-mcp */"
"""How every script of ours begins."""

_PARTS: Final = ("facts.js", "ways.js", "main.js")
_TRIES: Final = 4
_MOST_DOCUMENTS: Final = 16
"""Documents, those that answered last, that may answer again: in other tabs, or gone back to."""

_AGAIN_S: Final = 0.1
_SILENT_S: Final = 2.0
_MISSES: Final = 2
_QUIET_S: Final = 15.0
"""How long a page is left alone that has not answered so many questions in a row."""

Run = Callable[[str], Awaitable[Any]]
"""Runs a script in the current tab and gives its JSON value; raises `ScriptFailed`."""


class ScriptFailed(Exception):
    """A script did not run, or ended without a value. Never passes this package's border."""


@cache
def source() -> str:
    """The scripts, as one function's body, without their comments' lines and indents."""
    folder = resources.files("notte_mcp.engines.notte") / "page"
    body = "\n".join((folder / part).read_text(encoding="utf-8") for part in _PARTS)
    lines = (line.strip() for line in body.splitlines())
    return "\n".join(line for line in lines if line and not re.match(r"//|/\*\*.*\*/$", line))


class Probe:
    """The scripts of one session."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._documents = OrderedDict[str, str]()
        self._new = ("", "")
        self.there = False
        self._misses = 0
        self._quiet_until = 0.0

    def wake(self) -> None:
        """Another page is coming: it may answer where the last one did not."""
        self._misses, self._quiet_until = 0, 0.0

    async def ask(self, do: str, *, again: bool = True, **asked: Any) -> dict[str, Any] | None:
        """The page's answer, or None where it gives none. With `again` a page that was left meanwhile is asked once
        it is there; what touches the page is asked once."""
        if anyio.current_time() < self._quiet_until:
            return None
        found = await self._asked(do, asked, again=again)
        self._misses = 0 if found is not None else self._misses + 1
        if self._misses >= _MISSES:
            self._quiet_until = anyio.current_time() + _QUIET_S
        return found

    async def _asked(self, do: str, asked: Mapping[str, Any], *, again: bool) -> dict[str, Any] | None:
        request = json.dumps({"do": do, **asked})
        for turn in range(_TRIES if again else 2):
            begun = anyio.current_time()
            try:
                found = await self._run(self._code(request))
            except ScriptFailed:
                # A page that was left says so at once; one that is silent is not asked again.
                if not again or anyio.current_time() - begun > _SILENT_S:
                    return None
                await anyio.sleep(_AGAIN_S * turn)
                continue
            if self._is_ours(found):
                self.there = True
                return told(do, asked, cast("Mapping[str, Any]", found)["answer"])
            if not self.there:
                return None
            self.there = False  # another document: it has not been told yet how to answer
        return None

    def _is_ours(self, found: Any) -> bool:
        """Whether a function of ours has answered, in the document that it was put into; that one is the last then."""
        match found:
            case {"by": str(name), "answer": {"document": str(document)}}:
                if not self.there and (name, document) == self._new:
                    self._documents[name] = document
                if self._documents.get(name) != document:
                    return False
                self._documents.move_to_end(name)
                while len(self._documents) > _MOST_DOCUMENTS:
                    self._documents.popitem(last=False)
                return True
            case _:
                return False

    def _code(self, request: str) -> str:
        if self.there:
            names = json.dumps([*reversed(self._documents)])
            return (
                f"{MARK} (async () => {{ for (const by of {names}) if (Object.hasOwn(globalThis, by)) "
                f"return {{ by, answer: await globalThis[by]({request}) }}; return null; }})()"
            )
        self._new = name, document = f"n{secrets.token_hex(8)}", f"d{secrets.token_hex(8)}"
        return (
            f'{MARK} (async () => {{ const by = "{name}"; Object.defineProperty(globalThis, by, {{ value: '
            f'((documentName) => {{ {source()}\n }})("{document}") }}); '
            f"return {{ by, answer: await globalThis[by]({request}) }}; }})()"
        )

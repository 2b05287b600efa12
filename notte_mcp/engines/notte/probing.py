"""What the wire cannot tell, asked of the page itself by small scripts (`page/*.js`, sent as `evaluate_js`).

The scripts are installed once a document under a name that only this session knows, and asked by it from then on. They
live in the page's own world, so a page can lie to them, as it can to anybody who looks at it; what they do is marked
(`MARK`), so that it can be told from what was asked for. A cloud that runs no scripts, or a page that cannot (a crashed
one, a picture), gives None, and the engine goes on with what the wire tells.

Below: client, wire. Above: seeing, performing, session.
"""

import json
import re
import secrets
from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from importlib import resources
from typing import Any, Final, cast

import anyio

MARK: Final = "/* notte-mcp */"
"""How every script of ours begins."""

_PARTS: Final = ("facts.js", "ways.js", "main.js")
_TRIES: Final = 4
_AGAIN_S: Final = 0.1

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
        self._name = f"n{secrets.token_hex(8)}"
        self.there = False

    async def ask(self, do: str, *, again: bool = True, **asked: Any) -> dict[str, Any] | None:
        """The page's answer, or None where it gives none. With `again` a page that was left meanwhile is asked once
        it is there; what touches the page is asked once."""
        request = json.dumps({"do": do, **asked})
        for turn in range(_TRIES if again else 2):
            try:
                found = await self._run(self._code(request))
            except ScriptFailed:
                self.there = False
                if not again:
                    return None
                await anyio.sleep(_AGAIN_S * turn)
                continue
            if isinstance(found, Mapping):
                self.there = True
                return dict(cast("Mapping[str, Any]", found))
            if not self.there:
                return None
            self.there = False  # another document: it has not been told yet how to answer
        return None

    def _code(self, request: str) -> str:
        if self.there:
            return f'{MARK} (globalThis["{self._name}"]?.({request}) ?? null)'
        return (
            f'{MARK} (() => {{ const name = "{self._name}"; if (!globalThis[name]) Object.defineProperty(globalThis, '
            f"name, {{ value: (() => {{ {source()}\n }})() }}); return globalThis[name]({request}); }})()"
        )

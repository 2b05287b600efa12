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
        self._name = f"n{secrets.token_hex(8)}"
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
        found = await self._asked(json.dumps({"do": do, **asked}), again=again)
        self._misses = 0 if found is not None else self._misses + 1
        if self._misses >= _MISSES:
            self._quiet_until = anyio.current_time() + _QUIET_S
        return found

    async def _asked(self, request: str, *, again: bool) -> dict[str, Any] | None:
        for turn in range(_TRIES if again else 2):
            begun = anyio.current_time()
            try:
                found = await self._run(self._code(request))
            except ScriptFailed:
                self.there = False
                # A page that was left says so at once; one that is silent is not asked again.
                if not again or anyio.current_time() - begun > _SILENT_S:
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

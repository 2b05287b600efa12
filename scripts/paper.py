"""A page of docs/ that is written by calling the server: each call with its answer, as they were.

The server is started as a host starts it, and spoken to over stdio. What differs from
run to run (ids, ports, times, this machine's folders) is shortened, so that two runs can
be compared. Above: tried, agents_tried.
"""

import json
import os
import re
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, cast

from mcp import StdioServerParameters
from mcp.client import Client
from mcp.client.stdio import stdio_client
from mcp.types import CallToolResult

ROOT: Final = Path(__file__).parents[1]
SHOWN_LINES: Final = 45

_SHORTENED: Final = (
    (r"\b(ses|agt|run)_[0-9a-z]{26}", r"\1_…"),
    (r"(127\.0\.0\.1|localhost):\d{4,5}", r"\1:PORT"),
    (r"(127\\\.0\\\.0\\\.1):\d{4,5}", r"\1:PORT"),
    (r"(PORT/ses_…)#[\w-]+", r"\1#KEY"),
    (r"\d{10}\.\d+", "TIME"),
    (r'("ttlMs": )\d+', r"\1MS"),
    (r"\bp[0-9a-f]{16}\b", "p…"),
    (r"saved \d+ s ago", "saved S s ago"),
    (r'("seconds": ?)[\d.]+', r"\1S"),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?\s+UTC", "TIME UTC"),
    (r"\bin \d+\.\d+ ?s\b", "in S s"),
    (r"\d{4}-\d\d-\d\dT[\d:.]+(\+00:00|Z)", "TIME"),
)


class Paper:
    """The page as it grows. `client` is whom it speaks to; `folders` are shown by the names they have here."""

    def __init__(self, folders: dict[str, Path], client: Client | None = None) -> None:
        self._client = client
        self.folders = folders
        self.lines: list[str] = []
        self.last = self.page = ""
        self.facts: dict[str, Any] = {}

    @property
    def client(self) -> Client:
        """Whom it speaks to."""
        if self._client is None:
            raise RuntimeError("nobody is there to be called")
        return self._client

    def section(self, title: str, *said: str) -> None:
        """A heading, and what is said below it."""
        self.lines += ["", f"## {title}", "", *said]

    async def call(self, tool: str, why: str = "", /, **arguments: Any) -> str:
        """Call, and write call and answer down; gives the text."""
        result = await self.ask(tool, **arguments)
        error = "error: " if result.is_error else ""
        self.write(why, f"{tool} {json.dumps(arguments, ensure_ascii=False)}", "", error + cut(self.shown(result)))
        return self.last

    async def ask(self, tool: str, /, **arguments: Any) -> CallToolResult:
        """Call without writing anything down; `last` and `facts` are its answer."""
        result = await self.client.call_tool(tool, arguments, read_timeout_seconds=60)
        parts = [getattr(block, "text", None) or f"[{block.type}]" for block in result.content]
        self.last = "\n".join(parts)
        self.facts = cast(dict[str, Any], result.structured_content or {})
        return result

    def shown(self, _result: CallToolResult) -> Sequence[str]:
        """The answer as it is written down: its text."""
        return self.last.splitlines()

    def write(self, why: str, *block: str) -> None:
        """A sentence, and a block below it."""
        self.lines += ["", why, "", "```", *block, "```"]

    async def act(self, why: str, *actions: dict[str, Any], **more: Any) -> str:
        """Do actions in the session."""
        return await self.call("notte_execute", why, actions=list(actions), **more)

    def id(self, name: str) -> str:
        """The id of the element of this name in the last answer, else on the page as it was opened."""
        pattern = rf'\b([BLIFMO]\d+)(?: [a-z]+)? "{re.escape(name)}"'
        found = re.search(pattern, self.last) or re.search(pattern, self.page)
        if found is None:
            raise SystemExit(f"no {name!r} in:\n{self.last}")
        return found.group(1)

    def text(self) -> str:
        """The whole page, with what differs from run to run shortened."""
        text = "\n".join(self.lines)
        for name, folder in self.folders.items():
            text = text.replace(str(folder), name)
        text = text.replace(str(ROOT), "REPO")
        for pattern, short in _SHORTENED:
            text = re.sub(pattern, short, text)
        return re.sub(r"\n{3,}", "\n\n", text)


def cut(lines: Sequence[str]) -> str:
    """The lines, or so many of them that a page stays readable."""
    more = [f"[{len(lines) - SHOWN_LINES} more lines]"] if len(lines) > SHOWN_LINES else []
    return "\n".join([*lines[:SHOWN_LINES], *more])


def spread(facts: dict[str, Any]) -> list[str]:
    """Facts as JSON, one key a line, and one step, session or agent a line."""
    entries: list[list[str]] = []
    for key, value in facts.items():
        items = cast(list[object], value) if isinstance(value, list) else []
        if items and all(isinstance(item, dict) for item in items):
            inner = [f"    {_json(item)}," for item in items]
            inner[-1] = inner[-1].removesuffix(",")
            entries.append([f'  "{key}": [', *inner, "  ]"])
        else:
            entries.append([f'  "{key}": {_json(cast(object, value))}'])
    for entry in entries[:-1]:
        entry[-1] += ","
    return ["{", *(line for entry in entries for line in entry), "}"]


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


@asynccontextmanager
async def server(state: Path, *flags: str, **settings: str) -> AsyncGenerator[Client]:
    """The server as a host starts it; `settings` are variables of its environment."""
    env = {**os.environ, "NOTTE_MCP_STATE_DIR": str(state), "PYTHONPATH": str(ROOT), **settings}
    parameters = StdioServerParameters(
        command=sys.executable, args=["-m", "notte_mcp", "--in-process", *flags], env=env
    )
    with Path(os.devnull).open("w") as quiet:  # noqa: ASYNC230  (nothing else runs yet)
        async with Client(stdio_client(parameters, errlog=quiet)) as client:
            yield client

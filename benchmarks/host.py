"""The server under measurement, spoken to as a host does; each answer with its time and its tokens.

Tokens are what a model would read and write: the arguments and the answer (its
structured content where there is any, else its text), by o200k_base. The id of the
session is sent, because another session keeps the browser warm, and not counted: with
one live session an assistant leaves it out.

Below: wire. Above: the rows.
"""

import json
import re
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from benchmarks.wire import BenchmarkFailed, Wire, python, wire

HELLO: Final = {
    "protocolVersion": "2025-11-25",
    "capabilities": {},
    "clientInfo": {"name": "benchmarks", "version": "1"},
}

SERVER: Final = python("-m", "notte_mcp", "--in-process")

# `I1 textbox "Applicant"`, `L3 "Oak Lamp 8"`: within a row the role may be that of the row above.
_ELEMENT: Final = re.compile(r'\b([A-Z]\d+)(?: ([a-z]+))? "((?:[^"\\]|\\.)*)"')


@cache
def _encoding() -> Any:
    # Here, since importing it warns, which fails a test that only wants the list of rows.
    from bpe_openai import get_encoding  # pyright: ignore[reportMissingTypeStubs]

    return get_encoding("o200k_base")


def tokens(value: Any) -> int:
    """Tokens of a text, or of a value as compact JSON."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return len(_encoding().encode(text))


@dataclass(frozen=True, slots=True)
class Answer:
    """What a tool answered, and how long it took (ms)."""

    text: str
    ms: float
    arguments: dict[str, Any]
    facts: dict[str, Any]

    @property
    def tokens(self) -> int:
        """Those of the whole exchange. Counted when asked for: counting takes time that is not the server's."""
        return tokens(self.arguments) + tokens(self.facts or self.text)

    def id(self, name: str, role: str = "") -> str:
        """The id of the element of this name, as an assistant finds it in the answer."""
        for found, found_role, found_name in _ELEMENT.findall(self.text):
            if found_name == name and role in ("", found_role):
                return found
        raise BenchmarkFailed(f"no {role or 'element'} {name!r} in: {self.text[:600]}")


class Host:
    """One connection to one server."""

    def __init__(self, line: Wire) -> None:
        self.wire = line

    async def hello(self) -> None:
        """What every host says first."""
        await self.wire.ask("initialize", HELLO)
        await self.wire.tell("notifications/initialized")

    async def call(self, tool: str, arguments: dict[str, Any], *, session: str = "") -> Answer:
        """Call a tool in a session.

        Raises:
            BenchmarkFailed: the answer is an error.
        """
        sent = {**arguments, "session_id": session} if session else arguments
        begun = time.perf_counter()
        result = await self.wire.ask("tools/call", {"name": tool, "arguments": sent})
        ms = (time.perf_counter() - begun) * 1_000
        text = "\n".join(block["text"] for block in result["content"] if block["type"] == "text")
        if result.get("isError"):
            raise BenchmarkFailed(f"{tool}: {text}{self.wire.last_words()}")
        facts: dict[str, Any] = result.get("structuredContent") or {}
        return Answer(text, ms, arguments, facts)

    async def start(self, url: str, *, session: str = "") -> Answer:
        """Open a page, in a new session unless one is named."""
        opened = await self.call("notte_start", {"url": url}, session=session)
        if opened.facts.get("note"):
            raise BenchmarkFailed(opened.facts["note"])
        return opened

    @asynccontextmanager
    async def page(self, url: str) -> AsyncGenerator[tuple[str, Answer]]:
        """A page in a session of its own: the session's id and what the page shows; stopped at the end."""
        opened = await self.start(url)
        session: str = opened.facts["session_id"]
        yield session, opened
        await self.stop(session)

    async def stop(self, session: str) -> None:
        """End a session."""
        await self.call("notte_stop", {"id": session})


@asynccontextmanager
async def serving() -> AsyncGenerator[Host]:
    """A server of its own, greeted, with empty state and no browser yet."""
    with TemporaryDirectory(prefix="notte-mcp-bench-", ignore_cleanup_errors=True) as folder:
        async with wire(SERVER, {"NOTTE_MCP_STATE_DIR": str(Path(folder) / "state")}) as line:
            host = Host(line)
            await host.hello()
            yield host

"""A host's side of the protocol, for the demo: the server as a subprocess, each call timed, counted and told.

What a call costs is what a model would read: its arguments and its answer. Element
ids are found in the answers, as an assistant would find them.

Below: observations (to count tokens), the SDK's client. Above: drive.
"""

import json
import os
import re
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import indent
from typing import Any, Final

import psutil
from mcp import MCPError, StdioServerParameters
from mcp.client import Client
from mcp.client.stdio import stdio_client
from mcp.types import TextContent

from notte_mcp.observations import estimate_tokens

CALL_S: Final = 60.0
"""How long a call may take: hosts give up after about a minute."""

# `I1 textbox "Applicant"`, `L3 "Copper kettle"`: within a row the role may be that of the row above.
_ELEMENT: Final = re.compile(r'\b([A-Z]\d+)(?: ([a-z]+))? "((?:[^"\\]|\\.)*)"')
_RECEIPT: Final = re.compile(r"^\d+ ")


class DemoFailed(Exception):
    """A step of the demo did not go as it should; the text is the reason."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server answered: its text, and the structured facts of a control tool."""

    text: str
    facts: dict[str, Any] = field(default_factory=dict[str, Any])

    def id(self, name: str, role: str = "") -> str:
        """The id of the element of this name on the page that was shown."""
        lines = [line for line in self.text.splitlines() if not _RECEIPT.match(line)]
        for found_id, found_role, found_name in _ELEMENT.findall("\n".join(lines)):
            if found_name == name and role in ("", found_role):
                return found_id
        raise DemoFailed(f"no {role or 'element'} {name!r} in what the server showed:\n{self.text}")


class Talk:
    """One connection, and the line that each of its calls leaves on the screen."""

    def __init__(self, client: Client, *, show: bool) -> None:
        self._client = client
        self._show = show
        self.calls = 0
        self.tokens = 0

    def anew(self) -> "Talk":
        """The same connection, with calls and tokens counted from here."""
        return Talk(self._client, show=self._show)

    async def call(self, purpose: str, tool: str, /, **arguments: Any) -> Answer:
        """Call a tool and tell what it cost.

        Raises:
            DemoFailed: the tool answered with an error, or not at all.
        """
        begun = time.perf_counter()
        try:
            result = await self._client.call_tool(tool, arguments, read_timeout_seconds=CALL_S)
        except MCPError as error:
            raise DemoFailed(f"{tool} was not answered: {error}") from error
        spent_ms = (time.perf_counter() - begun) * 1_000
        text = "\n".join(block.text for block in result.content if isinstance(block, TextContent))
        # Hosts show a model the structured content where there is any, else the text.
        read = json.dumps(result.structured_content) if result.structured_content else text
        tokens = estimate_tokens(json.dumps(arguments)) + estimate_tokens(read)
        self.calls += 1
        self.tokens += tokens
        print(f"{self.calls:>3}  {tool:<20} {purpose:<44} {spent_ms:>6.0f} ms {tokens:>6} tokens", flush=True)
        if self._show:
            print(indent(f"{json.dumps(arguments, ensure_ascii=False)}\n{text}", "     | ") + "\n")
        if result.is_error:
            raise DemoFailed(f"{tool} answered: {text}")
        return Answer(text, result.structured_content or {})


@contextmanager
def temporary() -> Generator[Path]:
    """A folder for a server's state, gone when the block is left."""
    with tempfile.TemporaryDirectory(prefix="notte-mcp-demo-state-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def state_of(folder: Path) -> Path:
    """The state folder of the server that works in `folder`."""
    return folder / "state"


@asynccontextmanager
async def server(folder: Path, *, show: bool, model: str = "") -> AsyncGenerator[Talk]:
    """The server as a host starts it, with its state in `folder`; it is gone when the block is left.

    `show` prints what goes to and comes from it, besides the line of each call. `model` drives its agents; without
    one whoever calls does.

    Raises:
        DemoFailed: it did not start, or left a process running; with the end of what it said on stderr.
    """
    failure: DemoFailed | None = None
    others = set(psutil.Process().children(recursive=True))
    started: list[psutil.Process] = []
    log = folder / "server.log"
    try:
        async with _client(folder, log, model) as client:
            try:
                yield Talk(client, show=show)
            except DemoFailed as error:
                # Held until the connection is closed: its task group would wrap it.
                failure = error
            started = [one for one in psutil.Process().children(recursive=True) if one not in others]
    except (MCPError, OSError) as error:
        raise DemoFailed(f"the server did not start: {error}{_end_of(log)}") from error
    if failure is not None:
        raise DemoFailed(f"{failure}{_end_of(log)}") from failure
    if left := _still_running(started):
        raise DemoFailed(f"still running: {left}")


@asynccontextmanager
async def _client(folder: Path, log: Path, model: str) -> AsyncGenerator[Client]:
    settings = {
        "NOTTE_MCP_STATE_DIR": str(state_of(folder)),
        "NOTTE_MCP_ENGINE": "local",
        "NOTTE_MCP_MODEL": model,
        "NOTTE_MCP_RECORD": "1",  # whatever the person's settings say: what was done is shown in the end
    }
    command = StdioServerParameters(
        command=sys.executable, args=["-m", "notte_mcp", "--in-process"], env={**os.environ, **settings}
    )
    with log.open("w", encoding="utf-8") as errors:
        async with Client(stdio_client(command, errlog=errors)) as client:
            yield client


def _end_of(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-10:] if log.exists() else []
    return "\n".join(["", "The server's last words:", *lines]) if lines else ""


def _still_running(processes: Sequence[psutil.Process]) -> list[int]:
    """Those that have not ended after 4 s; a dead one that nobody has buried yet does not run."""
    _, alive = psutil.wait_procs(processes, timeout=4)
    return [process.pid for process in alive if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]

"""Write docs/tried.md: every promise of the first release, tried through the SDK's client over stdio.

`python -m scripts.tried` starts the server as a host does, drives the pages of
tests/site with it, and writes each call with its answer. Ids of sessions, ports and
this machine's folders are shortened, so that two runs can be compared.
"""

import json
import os
import re
import sys
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import anyio
from mcp import StdioServerParameters
from mcp.client import Client
from mcp.client.stdio import stdio_client

ROOT: Final = Path(__file__).parents[1]
OUT: Final = ROOT / "docs" / "tried.md"
SHOWN_LINES: Final = 45

sys.path.insert(0, str(ROOT))
from tests.site import Site  # noqa: E402  (the site lies beside this folder, not in the package)


class Paper:
    """The page as it grows, and the one client that speaks."""

    def __init__(self, client: Client, site: Site, state: Path) -> None:
        self.client, self.site, self.state = client, site, state
        self.lines: list[str] = []
        self.last = self.page = ""

    def section(self, title: str, *said: str) -> None:
        self.lines += ["", f"## {title}", "", *said]

    async def call(self, tool: str, why: str = "", /, **arguments: Any) -> str:
        """Call, and write call and answer down; gives the text."""
        result = await self.client.call_tool(tool, arguments, read_timeout_seconds=60)
        parts = [getattr(block, "text", None) or f"[{block.type}]" for block in result.content]
        self.last = text = "\n".join(parts)
        shown = text.splitlines()
        if len(shown) > SHOWN_LINES:
            shown = [*shown[:SHOWN_LINES], f"[{len(shown) - SHOWN_LINES} more lines]"]
        error = "error: " if result.is_error else ""
        self.lines += [
            why,
            "",
            "```",
            f"{tool} {json.dumps(arguments, ensure_ascii=False)}",
            "",
            error + "\n".join(shown),
            "```",
        ]
        return text

    async def act(self, why: str, *actions: dict[str, Any], **more: Any) -> str:
        return await self.call("notte_execute", why, actions=list(actions), **more)

    async def open(self, path: str, why: str = "") -> str:
        """Go there in the one session, and look."""
        await self.client.call_tool(
            "notte_execute", {"actions": [{"type": "goto", "url": self.site.url(path)}], "observe": "none"}
        )
        self.page = await self.call("notte_observe", why or f"The page `{path}`.")
        return self.page

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
        text = re.sub(r"ses_[0-9a-z]{26}", "ses_…", text)
        text = (
            text.replace(str(self.state), "STATE").replace(str(self.state.parent), "FOLDER").replace(str(ROOT), "REPO")
        )
        text = re.sub(r"(127\.0\.0\.1|localhost):\d{4,5}", r"\1:PORT", text)
        return re.sub(r"\d{10}\.\d+", "TIME", text)


@asynccontextmanager
async def server(state: Path, *flags: str) -> AsyncGenerator[Client]:
    """The server as a host starts it."""
    env = {**os.environ, "NOTTE_MCP_STATE_DIR": str(state), "PYTHONPATH": str(ROOT)}
    parameters = StdioServerParameters(
        command=sys.executable, args=["-m", "notte_mcp", "--in-process", *flags], env=env
    )
    with Path(os.devnull).open("w") as quiet:  # noqa: ASYNC230  (nothing else runs yet)
        async with Client(stdio_client(parameters, errlog=quiet)) as client:
            yield client


async def main() -> None:
    """Try everything and write it down."""
    from scripts import tried_parts as parts

    with Site() as site, tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        state = Path(folder) / "state"
        async with server(state) as client:
            paper = Paper(client, site, state)
            for part in (
                parts.main_job,
                parts.observing,
                parts.acting,
                parts.waiting,
                parts.frames,
                parts.files,
                parts.secrets,
                parts.reading,
                parts.bad_input,
            ):
                await part(paper)
        async with server(state) as client:
            paper.client = client
            await parts.restart(paper)
        await parts.broken_machines(paper, Path(folder))
    head = ["# Tried", "", (__doc__ or "").split("\n\n")[1].replace("\n", " ")]
    OUT.write_text("\n".join(head) + paper.text() + "\n", encoding="utf-8")
    print(f"{OUT.relative_to(ROOT)}: {len(paper.lines)} entries")


if __name__ == "__main__":
    anyio.run(main)

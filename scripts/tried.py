"""Write docs/tried.md: every promise of the first release, tried through the SDK's client over stdio.

`python -m scripts.tried` starts the server as a host does, drives the pages of
tests/site with it, and writes each call with its answer. Ids of sessions, ports and
this machine's folders are shortened, so that two runs can be compared.
"""

import sys
import tempfile
from pathlib import Path
from typing import Final

import anyio
from mcp.client import Client

from scripts.paper import ROOT, Paper, server

OUT: Final = ROOT / "docs" / "tried.md"

sys.path.insert(0, str(ROOT))
from tests.site import Site  # noqa: E402  (the site lies beside this folder, not in the package)


class Tour(Paper):
    """The page, and the site that it goes through."""

    def __init__(self, client: Client, site: Site, state: Path) -> None:
        super().__init__({"STATE": state, "FOLDER": state.parent}, client)
        self.site = site

    def turn_to(self, client: Client) -> None:
        """Speak to another server from now on."""
        self._client = client

    async def open(self, path: str, why: str = "") -> str:
        """Go there in the one session, and look."""
        await self.client.call_tool(
            "notte_execute", {"actions": [{"type": "goto", "url": self.site.url(path)}], "observe": "none"}
        )
        self.page = await self.call("notte_observe", why or f"The page `{path}`.")
        return self.page


async def main() -> None:
    """Try everything and write it down."""
    from scripts import tried_parts as parts

    with Site() as site, tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        state = Path(folder) / "state"
        async with server(state) as client:
            paper = Tour(client, site, state)
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
            paper.turn_to(client)
            await parts.restart(paper)
        await parts.broken_machines(paper, Path(folder))
    head = ["# Tried", "", (__doc__ or "").split("\n\n")[1].replace("\n", " ")]
    OUT.write_text("\n".join(head) + paper.text() + "\n", encoding="utf-8")
    print(f"{OUT.relative_to(ROOT)}: {len(paper.lines)} entries")


if __name__ == "__main__":
    anyio.run(main)

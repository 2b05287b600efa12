"""Write docs/agents.md: an agent's whole life, tried through the SDK's client over stdio.

`python -m scripts.agents_tried` starts the server as a host does, with a real Chromium
and the demo's shop, and writes each call with its answer. The agents' model is the
scripted one, whose answers are given to it section by section; two sections ask the
providers' real code, which talks to a server of the tests. Prose and calls are in
`agents_parts`, `agents_more`, `agents_tasks` and `agents_rules`.

Below: paper, demo (the shop). Above: nothing.
"""

import json
import re
import tempfile
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import anyio
from mcp.types import CallToolResult, TextResourceContents

from notte_mcp.demo.shop import Shop
from scripts.paper import ROOT, Paper, cut, server, spread

OUT: Final = ROOT / "docs" / "agents.md"

HEAD: Final = """\
# Agents

An agent is one task that is done by steps in a browser session, with an answer at its end. It has an id, so that it
can be started by one call, watched by others, steered, stopped, and read about when it is over. It lives in the
server, not in the call that started it: a wait that is given up ends nothing.

Every block below was written by the server. `python -m scripts.agents_tried` starts it as a host does, calls it over
stdio, and drives a real Chromium through the shop of the demo. The model is a scripted one (its answers are fixed; see
[Models](#models)), so that the page can be made again without a key. A call stands first, as an assistant makes it;
below it is the answer's structured content where it has any, since that is what hosts show a model, else its text. Ids,
ports, times and seconds are shortened."""


class Desk(Paper):
    """The page, the shop that agents visit, and the plan that the next one follows."""

    def __init__(self, shop: Shop, folder: Path) -> None:
        super().__init__({"PLANS": folder})
        self.shop = shop
        self.folder = folder
        self.agent = self.session = ""

    def plan(self, *answers: object, delay_s: float = 0.2, name: str = "plan", repeat_last: bool = False) -> str:
        """Give the next agent its answers; the model's name."""
        path = self.folder / f"{name}.json"
        options = {"answers": answers, "delay_s": delay_s, "repeat_last": repeat_last}
        path.write_text(json.dumps(options, ensure_ascii=False, indent=2), encoding="utf-8")
        return f"scripted:{path}"

    def contents(self) -> str:
        """Links to the sections, in one line."""
        titles = [line.removeprefix("## ") for line in self.lines if line.startswith("## ")]
        return " · ".join(f"[{title}](#{re.sub(r'[^a-z ]', '', title.lower()).replace(' ', '-')})" for title in titles)

    def part(self, title: str, *said: str) -> None:
        """A heading within a section."""
        self.lines += ["", f"### {title}", "", *said]

    def say(self, *said: str) -> None:
        """A paragraph between two calls."""
        self.lines += ["", *said]

    async def start(self, why: str = "", /, **arguments: Any) -> None:
        """Start an agent, and remember what it is called."""
        await self.call("notte_start", why, **arguments)
        self._remember()

    async def start_quietly(self, **arguments: Any) -> None:
        """The same, where the start is not what a section is about."""
        await self.ask("notte_start", **arguments)
        self._remember()

    def _remember(self) -> None:
        if "agent_id" not in self.facts:
            raise RuntimeError(self.last)
        self.agent, self.session = self.facts["agent_id"], self.facts["session_id"]

    async def after(self, step: int) -> None:
        """Wait until the agent has taken so many steps; nothing is written down."""
        with anyio.fail_after(30):
            while self.facts.get("last_step", 0) < step or "agent_id" not in self.facts:
                await self.ask("notte_status", id=self.agent, wait_seconds=5, after_step=self.facts.get("last_step", 0))

    async def until(self, state: str) -> None:
        """Wait until the agent is in that state; nothing is written down."""
        with anyio.fail_after(30):
            while self.facts.get("state") != state:
                await self.ask("notte_status", id=self.agent, wait_seconds=0.2)

    async def resource(self, why: str, uri: str, *, only: str = "") -> str:
        """Read a resource as a host does; lines without `only` are not written down."""
        result = await self.client.read_resource(uri)
        text = "\n".join(c.text for c in result.contents if isinstance(c, TextResourceContents))
        self.write(why, f"resources/read {uri}", "", cut([line for line in text.splitlines() if only in line]))
        return text

    def shown(self, result: CallToolResult) -> Sequence[str]:
        """The structured content where there is any: hosts show a model nothing else then."""
        return spread(self.facts) if self.facts and not result.is_error else super().shown(result)

    @asynccontextmanager
    async def server(self, state: str, **settings: str) -> AsyncGenerator[None]:
        """Speak to a server with this state, and with the plan as its model unless `settings` say otherwise."""
        before, wanted = self._client, {"NOTTE_MCP_MODEL": f"scripted:{self.folder / 'plan.json'}"} | settings
        async with server(self.folder / state, **wanted) as client:
            self._client = client
            try:
                yield
            finally:
                self._client = before


async def main() -> None:
    """Try everything and write it down."""
    from scripts import agents_more as more
    from scripts import agents_parts as parts
    from scripts import agents_rules as rules

    with Shop() as shop, tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        desk = Desk(shop, folder)
        for part in (*parts.PARTS, *more.PARTS, *rules.PARTS):
            print(part.__name__, flush=True)
            async with desk.server(part.__name__):
                await part(desk)
    OUT.write_text("\n\n".join((HEAD, desk.contents(), desk.text().strip())) + "\n", encoding="utf-8")
    print(f"{OUT.relative_to(ROOT)}: {len(desk.lines)} lines")


if __name__ == "__main__":
    anyio.run(main)

"""Write docs/workflows.md: one session from its first call to the edited script, tried through the SDK's client.

`python -m scripts.workflows_tried` starts the server as a host does, with a real Chromium
and the demo's shop, and writes each call with its answer. The shop is changed on the way,
as sites are. The one agent that mends a step is driven by the scripted model. Prose and
calls are in `workflows_parts` and `workflows_rules`.

Below: paper, demo (the shop). Above: nothing.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import anyio
from mcp.client import Client
from mcp.types import CallToolResult

from notte_mcp.demo.shop import Shop
from scripts.paper import ROOT, Paper, cut, server, spread

OUT: Final = ROOT / "docs" / "workflows.md"
ACCESS_CODE: Final = "tea-at-four"

HEAD: Final = """\
# Workflows

A workflow is what was done in a session, as something that can be done again: the steps without detours and failures,
what was typed as parameters, secrets as names. It leaves as a script to keep and edit, is proved by running it, and can
be kept by name and run by the server, with no model at all.

Every block below was written by the server. `python -m scripts.workflows_tried` starts it as a host does, calls it over
stdio, and drives a real Chromium through the shop of the demo. A call stands first, as an assistant makes it; below it
is what it answered. Ids, ports, times and seconds are shortened, as is the code where it is long."""


class Workshop(Paper):
    """The page, the shop that is ordered from, and the script as it is edited."""

    def __init__(self, client: Client, shop: Shop, folder: Path) -> None:
        super().__init__({"FOLDER": folder}, client)
        self.shop = shop
        self.folder = folder
        self.session = self.recorded = self.code = ""
        self._told: list[dict[str, Any]] = []
        self.parameters: list[dict[str, Any]] = []

    def say(self, *said: str) -> None:
        """A paragraph between two calls."""
        self.lines += ["", *said]

    def shown(self, result: CallToolResult) -> Sequence[str]:
        """What a host shows its model: the structured content where there is any; code stands in a block of its own."""
        facts = {name: value for name, value in self.facts.items() if name != "code"}
        if (parameters := facts.get("parameters")) is not None:
            facts["parameters"] = ["as above"] if parameters == self._told else parameters
            self._told = parameters
        return spread(facts) if facts and not result.is_error else super().shown(result)

    async def script(self, why: str, /, **arguments: Any) -> None:
        """Take the script, and write down what is told besides the code."""
        await self.call("notte_workflow_code", why, id=self.session, **arguments)
        self.code, self.parameters = str(self.facts["code"]), self.facts["parameters"]
        while cursor := self.facts.get("cursor"):
            await self.ask("notte_workflow_code", cursor=cursor)
            self.code += self.facts["code"]

    def excerpt(self, why: str, begin: str = "", end: str = "", *, language: str = "python") -> None:
        """A part of the code: from the line that begins with `begin` to the one before that with `end`."""
        lines = self.code.splitlines()
        first = next((i for i, line in enumerate(lines) if line.startswith(begin)), 0)
        last = next((i for i, line in enumerate(lines) if i > first and end and line.startswith(end)), len(lines))
        self.lines += ["", why, "", f"```{language}", *"\n".join(lines[first:last]).strip().splitlines(), "```"]

    def run(self, why: str, file: str, *arguments: str) -> None:
        """Run the file as its owner would, and write down what it said."""
        secrets = {str(one["env"]): ACCESS_CODE for one in self.parameters if one["secret"]}
        runs = ["-m", "pytest", "-q", "-p", "no:cacheprovider"] if file.startswith("test_") else []
        done = subprocess.run(
            [sys.executable, *runs, file, *arguments],
            cwd=self.folder, env={**os.environ, **secrets}, capture_output=True, text=True, timeout=90, check=False,
        )  # fmt: skip
        given = " ".join(json.dumps(one) if " " in one else one for one in arguments)
        typed = f"$ {' '.join(f'{name}=…' for name in secrets)} python {' '.join([*runs[:2], file])} {given}".rstrip()
        said = (done.stdout + done.stderr).strip().splitlines()
        self.write(why, typed, *cut(said).splitlines(), f"[exit code {done.returncode}]")

    def ordered(self) -> str:
        """The last order, as the shop has it."""
        order = self.shop.orders[-1]
        about = ", ".join(order.fields[name] for name in ("name", "street", "postal_code", "city"))
        return f"{order.number}: {order.quantity} x {order.product.name}, to {about}"


async def main() -> None:
    """Try everything and write it down."""
    from scripts import workflows_parts as parts
    from scripts import workflows_rules as rules

    with Shop() as shop, tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        plan = folder / "plan.json"
        rules.write_plan(plan)
        async with server(folder / "state", NOTTE_MCP_MODEL=f"scripted:{plan}") as client:
            paper = Workshop(client, shop, folder)
            for part in (*parts.PARTS, *rules.PARTS):
                print(part.__name__, flush=True)
                await part(paper)
    OUT.write_text("\n\n".join((HEAD, paper.text().strip())) + "\n", encoding="utf-8")
    print(f"{OUT.relative_to(ROOT)}: {len(paper.lines)} lines")


if __name__ == "__main__":
    anyio.run(main)

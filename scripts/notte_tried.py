"""Write docs/notte.md: Notte's own SDKs against `notte-mcp api`, and the MCP tools on the cloud engine against it.

`python -m scripts.notte_tried` starts the API as its user does, with a real Chromium, the scripted model and
the demo's shop; runs each example as a script of its own with the SDK that it is for (`make test` makes their
environments); and then starts the MCP server, whose cloud is that API. What is written down is what they printed and
answered. Examples are in `notte_examples`, prose and the table of endpoints in `notte_rules`.

Below: paper, demo (the shop), tests.judges, tests.api.process. Above: nothing.
"""

import json
import re
import tempfile
import textwrap
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Literal

import anyio
from mcp.types import CallToolResult

from notte_mcp.demo.shop import Shop
from scripts.find_chromium import find
from scripts.notte_examples import Example
from scripts.paper import ROOT, Paper, cut, server, spread
from tests.api.process import Served, api_process
from tests.judges import Sdk, run_script

OUT: Final = ROOT / "docs" / "notte.md"
SDKS: Final[tuple[Sdk, ...]] = ("1.9", "1.10")

_COLOURS: Final = re.compile(r"\x1b\[[0-9;]*m")
_ASIDE: Final = re.compile(r"WARNING|\[Session\]")
_IMPORTS: Final = (
    ("asyncio", "import asyncio", "asyncio."),
    ("time", "import time", "time."),
    ("Path", "from pathlib import Path", "Path("),
    ("BaseModel", "from pydantic import BaseModel", "BaseModel"),
)


class Counter(Paper):
    """The page, the shop, and an API for each SDK."""

    def __init__(self, folder: Path, shop: Shop, served: dict[Sdk, Served]) -> None:
        super().__init__({"FOLDER": folder})
        self.folder = folder
        self.shop = shop
        self.served = served
        self.session = self.agent = ""

    def part(self, title: str, *said: str) -> None:
        """A heading within a section."""
        self.lines += ["", f"### {title}", "", *said]

    def say(self, *said: str) -> None:
        """A paragraph."""
        self.lines += ["", *said]

    def plan(self, *answers: dict[str, Any], sdk: Sdk, delay_s: float = 0.2, repeats: bool = False) -> None:
        """What the agents of an API answer from now on."""
        options = {"answers": answers, "delay_s": delay_s, "repeat_last": repeats}
        self.served[sdk].plan.write_text(json.dumps(options), encoding="utf-8")

    async def example(self, example: Example) -> None:
        """Run it with its SDK; write down its code, and what it printed."""
        self.plan(*example.answers, sdk=example.sdk, delay_s=example.delay_s, repeats=example.repeats)
        code = example.code.replace("SHOP", self.shop.url)
        said = await self.run(_whole(code, example.sdk), example.sdk, log="log=True" in code)
        self.part(example.title, *textwrap.wrap(example.why, 118))
        self.lines += ["", "```python", *code.strip().splitlines(), "```", "", "```", *cut(said).splitlines(), "```"]

    async def run(self, code: str, sdk: Sdk, *, log: bool = False, **secrets: str) -> list[str]:
        """What a script prints, with the SDK's own lines where they are what it is about; in a folder of its own."""
        served = self.served[sdk]

        def ran() -> list[str]:
            with tempfile.TemporaryDirectory() as place:
                done = run_script(
                    sdk, code, url=served.url, key=served.key, cwd=Path(place), environment=secrets, timeout_s=100
                )
            logged = [line for line in _COLOURS.sub("", done.stderr).splitlines() if not _ASIDE.search(line)]
            return [line.rstrip() for line in [*(logged if log else []), *done.stdout.splitlines()]]

        return await anyio.to_thread.run_sync(ran)

    def shown(self, result: CallToolResult) -> Sequence[str]:
        """The structured content where there is any, its code in words of its own."""
        facts = {name: value for name, value in self.facts.items() if name != "code"}
        return spread(facts) if facts and not result.is_error else super().shown(result)

    @contextmanager
    def spoken_to(self, client: Any) -> Generator[None]:
        """While this client is whom it calls."""
        before, self._client = self._client, client
        try:
            yield
        finally:
            self._client = before


def _whole(code: str, sdk: Literal["1.9", "1.10"]) -> str:
    """The example with what stands before every one of them."""
    imports = [line for _, line, used in _IMPORTS if used in code]
    names = "AsyncNotteClient, NotteClient" if sdk == "1.10" else "NotteClient"
    return "\n".join([*imports, f"from notte_sdk import {names}", "client = NotteClient()", code])


async def main() -> None:
    """Try everything and write it down."""
    from scripts import notte_rules as rules

    if (browser := find()) is None:
        raise SystemExit("no Chromium was found")
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name,
        Shop() as shop,
        api_process(_made(Path(name) / "1.9"), "--contract", "1.9", chromium=Path(browser)) as older,
        api_process(_made(Path(name) / "1.10"), "--contract", "1.10", chromium=Path(browser)) as newer,
    ):
        counter = Counter(Path(name), shop, {"1.9": older, "1.10": newer})
        for write in rules.SCRIPTS:
            print(write.__name__, flush=True)
            await write(counter)
        cloud = {"NOTTE_API_URL": newer.url, "NOTTE_API_KEY": newer.key}
        async with server(Path(name) / "state", NOTTE_MCP_VIEWER="0", **cloud) as client:
            with counter.spoken_to(client):
                for write in rules.TOOLS:
                    print(write.__name__, flush=True)
                    await write(counter)
        async with server(Path(name) / "keyless", NOTTE_MCP_VIEWER="0") as client:
            with counter.spoken_to(client):
                await rules.without_a_key(counter)
    rules.end(counter)
    OUT.write_text("\n\n".join((rules.HEAD, counter.text().strip())) + "\n", encoding="utf-8")
    print(f"{OUT.relative_to(ROOT)}: {len(counter.lines)} lines")


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


if __name__ == "__main__":
    anyio.run(main)

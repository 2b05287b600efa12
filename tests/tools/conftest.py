"""The real server over the real registry and store, with scripted pages for a browser."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any, cast

import anyio
import pytest
from mcp import Client
from mcp.types import CallToolResult, TextContent

from notte_mcp.app import App, open_app
from notte_mcp.engines.scripted import ScriptedElement, ScriptedEngine, ScriptedPage
from notte_mcp.models.access import Access
from notte_mcp.models.base import ChatModel
from notte_mcp.models.shelf import Shelf
from notte_mcp.server import NotteServer, create_server
from notte_mcp.settings import Settings

FORM = "http://shop.test/form"
DONE = "http://shop.test/done"
LONG = "http://shop.test/long"
SLOW = "http://shop.test/slow"
NOWHERE = "http://nowhere.test/"

FILL_AND_SEND = [
    {"type": "fill", "id": "I1", "value": "Ada"},
    {"type": "fill", "id": "I2", "value": "geheim-4711"},
    {"type": "select_dropdown_option", "id": "I3", "value": "South"},
    {"type": "click", "id": "B1"},
]

ERAS = pytest.mark.parametrize("mode", ["auto", "legacy"])
"""Both eras, 2026-07-28 without a handshake and 2025-11-25 with one: for one test of each thing that a protocol carries
(answers, refusals, progress, giving up, resources, completions, prompts, pictures). Behind the boundary there are none."""


def pages(gate: anyio.Event) -> dict[str, ScriptedPage]:
    """A form that leads to another page, a long page, and one with a button that waits for `gate`."""
    form = (
        ScriptedElement("textbox", "Applicant", selector="#applicant"),
        ScriptedElement("password", "Access code", selector="#code"),
        ScriptedElement("combobox", "District", options=("North", "South")),
        ScriptedElement("button", "Send request", href=DONE, selector="#send"),
        ScriptedElement("button", "More", becomes=(ScriptedElement("textbox", "Reason"),)),
        ScriptedElement("button", "Save draft", disabled=True),
    )
    many = tuple(ScriptedElement("link", f"Product number {number}") for number in range(1, 301))
    return {
        FORM: ScriptedPage("Permit request", form),
        DONE: ScriptedPage("Done", text=("Your number is 4711.",)),
        LONG: ScriptedPage("Products", many, text=tuple(f"This is line {number}." for number in range(1, 301))),
        SLOW: ScriptedPage("Slow", (ScriptedElement("button", "Wait", gate=gate), ScriptedElement("button", "Ask"))),
    }


@cache
def _settings() -> Settings:
    """Read once: to ask the environment about each setting takes as long as to start a server."""
    return Settings()


class Models(Shelf):
    """A shelf on which tests put models of their own. Any other name goes its usual way; no provider has a key."""

    def __init__(self, own: Mapping[str, ChatModel], default: str | None) -> None:
        super().__init__(Access(), default)
        self._own = own

    def named(self, name: str) -> ChatModel:
        return self._own[name] if name in self._own else super().named(name)


class Host:
    """A host with its servers: what tests talk through. `mode` is the protocol's era, `gate` opens SLOW's button.

    Whatever `models` holds can be named; `model` is the configured one's name (None: none is configured).
    """

    def __init__(self, folder: Path, mode: str) -> None:
        self.settings = _settings().model_copy(update={"state_dir": folder / "state"})
        self.mode = mode
        self.gate = anyio.Event()
        self.engine = ScriptedEngine(pages(self.gate))
        self.models: dict[str, ChatModel] = {}
        self.model: str | None = None
        self.opened = 0
        self.app: App | None = None
        self.client: Client | None = None

    @asynccontextmanager
    async def open_app(self) -> AsyncGenerator[App]:
        self.opened += 1
        models = Models(self.models, self.model)
        async with open_app(self.settings, engines={"local": self.engine}, models=models) as self.app:
            yield self.app

    def server(self) -> NotteServer:
        return create_server(self.open_app, self.settings)

    @asynccontextmanager
    async def connected(self, **options: Any) -> AsyncGenerator[Client]:
        """A client of a server of its own over the same state folder."""
        async with Client(self.server(), mode=cast(Any, self.mode), **options) as self.client:
            yield self.client

    async def call(self, tool: str, **arguments: Any) -> CallToolResult:
        assert self.client is not None
        with anyio.fail_after(10):
            return await self.client.call_tool(tool, arguments)

    async def text(self, tool: str, **arguments: Any) -> str:
        """The text of a call that has to succeed."""
        result = await self.call(tool, **arguments)
        assert not result.is_error, text_of(result)
        return text_of(result)

    async def facts(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """The structured content of a call that has to succeed."""
        result = await self.call(tool, **arguments)
        assert not result.is_error, text_of(result)
        assert result.structured_content is not None
        return result.structured_content

    async def refusal(self, tool: str, **arguments: Any) -> str:
        """The text of a call that has to be refused."""
        result = await self.call(tool, **arguments)
        assert result.is_error, text_of(result)
        assert result.structured_content is None
        return text_of(result)

    async def start(self, url: str | None = FORM) -> str:
        """A session's id."""
        facts = await self.facts("notte_start", **({"url": url} if url else {}))
        return str(facts["session_id"])


def text_of(result: CallToolResult) -> str:
    """All text of an answer."""
    return "\n".join(block.text for block in result.content if isinstance(block, TextContent))


@pytest.fixture
def mode() -> str:
    """The era without a handshake, for all that is the same in both."""
    return "auto"


@pytest.fixture
async def host(tmp_path: Path, mode: str) -> AsyncGenerator[Host]:
    """A connected host."""
    host = Host(tmp_path, mode)
    async with host.connected():
        yield host
